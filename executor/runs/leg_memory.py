"""What a run knows of the orders that protect: which part each plays, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from executor.decisions.checkpoint import ENDED_DAYS
from executor.decisions.legs import is_news, leg_result, never_arrived, unsent_leg
from executor.decisions.protection import SOLD, Placement, Role
from executor.model.activity import Activity
from executor.model.ledger import Ledger, Lot, LotKey
from executor.model.order import OrderReport
from executor.model.order_id import home_of, parse_order_id
from executor.model.order_result import LegResult, Outcome, Protection, Refusal


@dataclass
class Memory:
    """Orders beside the run's own entries, by client order id."""

    repository: str
    """The settings' name of this repository."""
    record: Ledger
    """The ledger as it lies on main."""
    entries: Mapping[str, LotKey] = field(default_factory=dict)
    """The run's own entries: their own results tell them."""
    plan_digest: str = ""
    """The run's own plan; empty where it has none."""
    seen: dict[str, tuple[Role, OrderReport]] = field(default_factory=dict)
    """What the broker showed last."""
    refused: dict[str, tuple[Placement, Refusal | None]] = field(default_factory=dict)
    """What it refused; None where nobody knows whether it has the order."""
    absent: set[str] = field(default_factory=set)
    """Orders of the record that the broker says it does not know."""
    taken: dict[LotKey, list[Role]] = field(default_factory=dict)
    """Numbers that orders of long ago turned out to have."""

    def news(
        self, now: datetime, pieces: Mapping[str, Sequence[Activity]]
    ) -> tuple[LegResult, ...]:
        """What the record does not say yet.

        Args:
            now: the present.
            pieces: FILL activities by the broker's order id.
        """
        found = []
        for key, (role, report) in sorted(self.seen.items(), key=_entries_first):
            known = self.record.orders.get(key)
            told = leg_result(
                role,
                report,
                seen_at=now,
                strategy=self._strategy(role),
                earlier=known.told if known else None,
                pieces=pieces.get(report.broker_order_id, ()),
            )
            if is_news(told, known.told if known else None):
                found.append(told)
        for key, (placement, refusal) in sorted(self.refused.items()):
            outcome = Outcome.UNKNOWN if refusal is None else Outcome.REJECTED
            told = unsent_leg(
                placement.role,
                placement.request,
                outcome,
                strategy=self._strategy(placement.role),
                refusal=refusal,
            )
            known = self.record.orders.get(key)
            if is_news(told, known.told if known else None):
                found.append(told)
        for key in sorted(self.absent - self.seen.keys() - self.refused.keys()):
            order = self.record.orders[key]
            if order.told.outcome is Outcome.UNKNOWN:
                # A request that had no answer arrives at once or never; it is not wanted any more.
                found.append(never_arrived(order))
        return tuple(found)

    def exits(self, stops: Mapping[LotKey, Decimal | None]) -> Iterator[tuple[LotKey, Protection]]:
        """Shares that were sold at the market in place of a stop, and that no result tells yet.

        Args:
            stops: USD a share at which each lot had its stop.
        """
        for key, (role, report) in self.seen.items():
            is_exit = role.leg != "entry" and report.order_type == "market"
            if not is_exit or key in self.record.orders or not report.status.is_terminal:
                continue
            if report.filled_quantity:
                yield (
                    role.key,
                    Protection(
                        symbol=report.symbol,
                        state="exited",
                        quantity=report.filled_quantity,
                        stop_price=stops.get(role.key),
                        reason=SOLD,
                    ),
                )

    def _strategy(self, role: Role) -> str | None:
        ledger = self.record
        lot = ledger.lots.get(role.key)
        if lot is not None:
            return lot.strategy
        places = (LotKey(one.plan_digest, one.told.index) for one in ledger.orders.values())
        found = zip(places, ledger.orders.values(), strict=True)
        return next((one.strategy for place, one in found if place == role.key), None)

    def is_own(self, key: str) -> bool:
        """True for an id that this repository gives its orders."""
        own = parse_order_id(key)
        return own is not None and own.home == home_of(self.repository)

    def role(self, report: OrderReport, ledger: Ledger) -> Role | None:
        """The part that an order plays, by a ledger; None for one that is none of ours."""
        key = report.client_order_id
        if key in self.seen:
            return self.seen[key][0]
        known = ledger.orders.get(key)
        own = parse_order_id(key)
        if known is not None:
            number = own.number if own else 0
            place = LotKey(known.plan_digest, known.told.index)
            return Role(place, known.leg, number, known.parent)
        if own is None or own.home != home_of(self.repository) or own.leg == "entry":
            return None
        for lot in ledger.lots.values():
            if lot.key.plan_digest.startswith(own.plan) and lot.key.index == own.index:
                return Role(lot.key, own.leg, own.number)
        for order in ledger.orders.values():
            if order.plan_digest.startswith(own.plan) and order.told.index == own.index:
                return Role(LotKey(order.plan_digest, own.index), own.leg, own.number)
        if self.plan_digest.startswith(own.plan):
            return Role(LotKey(self.plan_digest, own.index), own.leg, own.number)
        return None

    def take_legs(self, role: Role, parent: OrderReport) -> None:
        """Take in the orders that the broker hung on one of ours."""
        for leg in parent.legs:
            is_stop = leg.order_type in ("stop", "stop_limit", "trailing_stop")
            part = Role(role.key, "stop" if is_stop else "target", 0, parent.client_order_id)
            known = self.seen.get(leg.client_order_id)
            if known is None or not known[1].status.is_terminal:
                self.seen[leg.client_order_id] = (part, leg)

    def placed(self, placement: Placement, report: OrderReport) -> None:
        """Take in what became of an order that was sent."""
        role = placement.role
        self.refused.pop(report.client_order_id, None)
        sent, as_of = report.submitted_at, self.record.as_of
        old = sent is not None and as_of is not None and sent < as_of - ENDED_DAYS
        if report.status.is_terminal and old and report.client_order_id not in self.seen:
            # It may have been told so long ago that it is forgotten: its number is taken, and
            # nothing else is new. One that was sent later would be known if it had been told.
            self.taken.setdefault(role.key, []).append(role)
            return
        self.seen[report.client_order_id] = (role, report)
        self.take_legs(role, report)

    def numbered(self, lot: Lot) -> Lot:
        """The lot with the numbers that are taken, by the record or by what the broker said."""
        shown = [role for key, (role, _) in self.seen.items() if self.is_own(key)]
        for role in (*shown, *self.taken.get(lot.key, ())):
            if role.key == lot.key:
                lot = lot.numbered(role.leg, role.number)
        return lot


def _entries_first(one: tuple[str, tuple[Role, OrderReport]]) -> tuple[bool, str]:
    """Shares come before what protects them sells them."""
    key, (role, _) = one
    return role.leg != "entry", key
