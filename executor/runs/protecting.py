"""Keeps what should be protected protected: cancels, places, and looks until it stands.

Every round looks at the broker afresh, so a run that died anywhere is gone on with by the next one,
and a stop counts as placed only once the broker shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from executor.decisions.protection import (
    Moves,
    Placement,
    Role,
    Standing,
    Surroundings,
    is_through,
    plan_protection,
)
from executor.errors import BookUnavailable, BrokerUnavailable
from executor.gather import AccountView, traded_prices, view_account
from executor.model.activity import Activity
from executor.model.ledger import Ledger, Lot, LotKey
from executor.model.order import OrderReport
from executor.model.order_id import Leg, client_order_id, parse_order_id
from executor.model.order_result import LegResult
from executor.model.position import Position
from executor.model.settings import Settings
from executor.model.state import TradingState, TradingStateRecord
from executor.model.words import count
from executor.ports import Broker, Clock, Progress
from executor.runs.leg_memory import Memory
from executor.runs.sending import Sent, send, wait

ROUNDS: Final = 8
"""How often the broker is looked at before what does not stand becomes an alarm."""

_WHY_NO_EXIT: Final = "nothing is sold at the market while trading is HALTED"

Provisional = Callable[[tuple[LegResult, ...]], Ledger]
"""The record with this run's own results in it, and with what it did to protective orders."""


@dataclass
class Guardian:
    """One run's hands on the orders that protect, and its memory of what became of them."""

    broker: Broker
    clock: Clock
    settings: Settings
    progress: Progress
    memory: Memory
    """What it knows of protective orders; starts from the record."""
    provisional: Provisional
    state: Callable[[], TradingStateRecord | None]
    """The trading state on main, read afresh; None where it cannot be read."""
    since: datetime
    """The instant before which this run looks for no order of its own."""
    may_add_lots: bool = True
    """False where nothing that this run sends asks for protection."""
    refresh: Callable[[AccountView], None] = lambda _view: None
    """Takes in what became of the run's own entries."""
    pieces: Mapping[str, Sequence[Activity]] = field(default_factory=dict)
    """FILL activities by the broker's order id, where they were asked for."""

    _stops: dict[LotKey, Decimal | None] = field(default_factory=dict)
    """USD a share of every lot that was seen: one that is sold has no lot any more."""
    _through: set[tuple[LotKey, Leg]] = field(default_factory=set)
    """Lots, and their legs that the broker refused because the price is through the stop."""

    @property
    def legs(self) -> tuple[LegResult, ...]:
        """What is new about the orders that protect, and about others that were canceled."""
        return self.memory.news(self.clock.now(), self.pieces)

    def ledger(self) -> Ledger:
        """The record as it will be once this run has written what it knows."""
        return self.provisional(self.legs)

    # What a run does.

    def knows(self, report: OrderReport) -> None:
        """Take in an order of an earlier plan that this run has news of."""
        if report.client_order_id in self.memory.entries:
            return
        role = self.memory.role(report, self.memory.record)
        if role is not None:
            self.memory.seen[report.client_order_id] = (role, report)

    def knows_entry(self, report: OrderReport) -> None:
        """Take in the legs that the broker made for an entry of this run."""
        if report.legs:
            self.memory.take_legs(
                Role(self.memory.entries[report.client_order_id], "entry"), report
            )

    def look(self, view: AccountView) -> None:
        """Take in what became of the orders that protect."""
        self._caught_up(view)

    def adopt_unwritten(self, listed: Iterable[OrderReport]) -> None:
        """Take in protective orders that an earlier run sent and never wrote down."""
        for report in listed:
            own = parse_order_id(report.client_order_id)
            if (
                own is None
                or own.leg == "entry"
                or report.client_order_id in self.memory.record.orders
            ):
                continue
            role = self.memory.role(report, self.ledger())
            if role is not None:
                self.memory.seen[report.client_order_id] = (role, report)
                self.memory.take_legs(role, report)

    def protective(self, view: AccountView) -> frozenset[str]:
        """Client order ids of the open orders that protect a holding."""
        ledger = self.ledger()
        standing, _ = self._sorted(view, ledger)
        return frozenset(one.report.client_order_id for one in standing)

    def may_protect(self, symbols: Collection[str]) -> bool:
        """True where orders of ours may stand in these symbols: worth a look at the broker."""
        record = self.memory.record
        return (
            any(lot.symbol in symbols for lot in self._lots())
            or any(one.leg != "entry" and one.told.ticker in symbols for one in record.open_orders)
            or any(report.symbol in symbols for _, report in self.memory.seen.values())
        )

    def clear(self, symbols: Collection[str], why: str) -> bool:
        """Withdraw what protects these symbols, and wait until it has ended.

        Returns:
            False where an order was still open at the deadline: nothing may be traded there yet.
        """
        view = view_account(self.broker, self.since)
        standing, _ = self._sorted(view, self.ledger())
        doomed = [one.report for one in standing if one.report.symbol in symbols]
        return not doomed or self._cancel([(one, why) for one in doomed])

    def cancel(self, reports: Sequence[OrderReport], why: str) -> bool:
        """Withdraw these orders of ours; True once all of them have ended."""
        return not reports or self._cancel([(one, why) for one in reports])

    def protect(self) -> Moves:
        """Do what is to be done until nothing is left to do, and say how things stand."""
        if not self._has_work():
            return Moves()
        moves = Moves()
        for _ in range(ROUNDS):
            view = view_account(self.broker, self.since)
            moves = self._plan(view)
            if moves.is_rest:
                return self._told(moves)
            # What the broker refused once it refuses again: a person has to hear of it.
            missing = [
                one
                for one in moves.placements
                if one.request.client_order_id not in self.memory.refused
            ]
            if moves.cancels:
                self._cancel(moves.cancels)
            elif missing:
                self._place(missing)
            else:
                return self._told(moves)
        left = count(len(moves.cancels) + len(moves.placements), "order")
        alarm = f"protection did not come to rest: {left} to cancel or to place; run settle again"
        return replace(self._told(moves), alarms=(*moves.alarms, alarm))

    def _lots(self) -> tuple[Lot, ...]:
        """What is to be protected; folded anew only where this run may have made any of it."""
        ledger = self.ledger() if self.may_add_lots else self.memory.record
        return tuple(ledger.lots.values())

    def _has_work(self) -> bool:
        """False where nothing is to be protected and nothing of ours protects: most plans."""
        return bool(
            self._lots()
            or self.memory.seen
            or any(one.leg != "entry" for one in self.memory.record.open_orders)
        )

    def _plan(self, view: AccountView) -> Moves:
        ledger = self._caught_up(view)
        standing, others = self._sorted(view, ledger)
        lots = [self.memory.numbered(lot) for lot in ledger.lots.values()]
        self._stops |= {lot.key: lot.stop_price for lot in lots}
        state = self._state_now()
        is_open = view.clock.is_open
        halted = state is None or state.state is TradingState.HALTED
        withdrawn = state is not None and state.protection_withdrawn
        around = Surroundings(
            repository=self.settings.repository,
            positions=view.positions,
            others=tuple(others),
            own_entries=frozenset(
                one.client_order_id for one in others if self.memory.is_own(one.client_order_id)
            ),
            prices=traded_prices(
                self.broker, [one.symbol for one in lots], self.clock.now(), self.settings
            )
            if is_open
            else {},
            may_exit=is_open and not halted,
            why_no_exit=_WHY_NO_EXIT if is_open and halted else "",
            withdrawn_by=state.by if state is not None and withdrawn else "",
            through=frozenset(self._through),
            grown=frozenset(
                symbol
                for symbol, held in view.positions.items()
                if held.quantity > ledger.positions.get(symbol, Position(symbol)).quantity
            ),
        )
        return plan_protection(lots, standing, around)

    def _state_now(self) -> TradingStateRecord | None:
        """The trading state; None where nobody can say: stops are put back all the same."""
        try:
            return self.state()
        except BookUnavailable:
            return None

    def _caught_up(self, view: AccountView) -> Ledger:
        """The record with what became of protective orders that are open no more."""
        self.refresh(view)
        still_open = {one.client_order_id: one for one in view.open_orders}
        for key, (role, report) in list(self.memory.seen.items()):
            newer: OrderReport | None = still_open.get(key)
            if newer is None and not report.status.is_terminal:
                newer = self.broker.order(key)
            if newer is not None:
                newest = replace(newer, legs=newer.legs or report.legs)
                self.memory.seen[key] = (role, newest)
        for order in self.memory.record.open_orders:
            key = order.told.client_order_id or ""
            # An earlier plan's entry whose stop the broker keeps is told as well: its shares have
            # to be there before that stop stands for them, or has sold them.
            is_told = order.leg == "entry" and order.told.order_class is None
            if is_told or key in self.memory.seen or key in self.memory.entries:
                continue
            found = still_open.get(key) or self.broker.order(key)
            if found is None:
                self.memory.absent.add(key)
            elif (role_of := self.memory.role(found, self.memory.record)) is not None:
                self.memory.seen[key] = (role_of, found)
        return self.ledger()

    # Which order plays which part.

    def _sorted(
        self, view: AccountView, ledger: Ledger
    ) -> tuple[list[Standing], list[OrderReport]]:
        """Tell the open orders that protect from all others.

        A leg whose entry is still open protects nothing yet: it is in neither list.
        """
        open_keys = {one.client_order_id for one in view.open_orders}
        self._learn_legs(view, ledger)
        standing: list[Standing] = []
        others: list[OrderReport] = []
        for report in view.open_orders:
            role = self.memory.role(report, ledger)
            if role is None or role.leg == "entry":
                others.append(report)
                continue
            self.memory.seen.setdefault(report.client_order_id, (role, report))
            parent = role.parent
            hangs = parent is not None and parent in open_keys
            if not hangs or _leg_of(parent) == "target":
                standing.append(Standing(role, report))
        # A stop beside an open target may be missing from the broker's list; by its id it is there.
        for key, (role, report) in self.memory.seen.items():
            unlisted = key not in open_keys and not report.status.is_terminal
            if unlisted and role.leg != "entry" and role.parent not in self._open_entries(view):
                standing.append(Standing(role, report))
        return standing, others

    def _open_entries(self, view: AccountView) -> frozenset[str]:
        """Client order ids of the BUYs that may still fill: what hangs on them waits."""
        return frozenset(one.client_order_id for one in view.open_orders if one.side == "buy")

    def _learn_legs(self, view: AccountView, ledger: Ledger) -> None:
        """Ask the orders that they may hang on for legs which the broker made and nobody knows."""
        strange = {
            one.symbol
            for one in view.open_orders
            if one.order_class not in ("simple", "") and self.memory.role(one, ledger) is None
        }
        for lot in ledger.lots.values():
            if lot.symbol not in strange:
                continue
            entry = client_order_id(self.settings.repository, lot.key.plan_digest, lot.key.index)
            self._ask_for_legs(entry, Role(lot.key, "entry"))
        for key, (role, report) in list(self.memory.seen.items()):
            if role.leg == "target" and report.symbol in strange and role.parent is None:
                self._ask_for_legs(key, role)

    def _ask_for_legs(self, key: str, role: Role) -> None:
        parent = self.broker.order(key)
        if parent is not None:
            self.memory.take_legs(role, parent)

    # Doing it.

    def _cancel(self, doomed: Sequence[tuple[OrderReport, str]]) -> bool:
        """Ask for the end of orders and wait for it; what they filled meanwhile is kept."""
        for report, why in doomed:
            self.progress.say(
                f"canceling {report.symbol} {report.order_type} {report.client_order_id}: {why}"
            )
            if report.client_order_id not in self.memory.seen:
                self.knows(report)
        self.broker.cancel_all([report.broker_order_id for report, _ in doomed])
        keys = [report.client_order_id for report, _ in doomed]
        deadline = self.clock.now() + timedelta(
            seconds=float(self.settings.execution.fill_deadline_seconds)
        )
        while True:
            keys = [key for key in keys if not self._has_ended(key)]
            if not keys:
                return True
            if self.clock.now() >= deadline:
                self.progress.say(f"{count(len(keys), 'order')} did not end in time")
                return False
            self.clock.sleep(float(self.settings.execution.poll_interval_seconds))

    def _has_ended(self, key: str) -> bool:
        try:
            report = self.broker.order(key)
        except BrokerUnavailable:
            return False
        if report is None:
            return False
        if key in self.memory.seen:
            self.memory.seen[key] = (self.memory.seen[key][0], report)
            self.memory.take_legs(self.memory.seen[key][0], report)
        return report.status.is_terminal

    def _place(self, placements: Sequence[Placement]) -> None:
        """Send what is missing; a market exit is waited for."""
        by_key = {one.request.client_order_id: one for one in placements}
        symbols = ", ".join(sorted({one.request.symbol for one in placements}))
        self.progress.say(f"protecting {symbols}: {count(len(placements), 'order')}")
        sent = send(
            self.broker,
            self.clock,
            self.settings,
            [one.request for one in placements],
            self.progress,
            may_resend=True,
        )
        exits = {
            key: report
            for key, report in sent.reports.items()
            if by_key[key].request.order_type == "market"
        }
        ended = wait(self.broker, self.clock, self.settings, Sent(exits), self.progress)
        for key, report in {**sent.reports, **ended.reports}.items():
            self.memory.placed(by_key[key], report)
        for key, refusal in sent.refusals.items():
            if is_through(refusal):
                role = by_key[key].role
                self._through.add((role.key, role.leg))
            else:
                self.memory.refused[key] = (by_key[key], refusal)
        for key in sent.unknown:
            self.memory.refused[key] = (by_key[key], None)

    def _told(self, moves: Moves) -> Moves:
        """Name what was sold at the market, and what the broker refused or never answered to."""
        states = dict(moves.states)
        for place, exited in self.memory.exits(self._stops):
            states[place] = (*states.get(place, ()), exited)
        alarms = []
        for key, (placement, refusal) in self.memory.refused.items():
            request = placement.request
            why = "no answer" if refusal is None else f"refused with status {refusal.status}"
            if refusal is not None and refusal.code is not None:
                why += f", code {refusal.code}"
            alarms.append(
                f"{request.symbol}: its {placement.role.leg} order {key} was not placed: {why};"
                " run settle again, or place it at the broker and acknowledge it"
            )
        return replace(moves, states=states, alarms=(*moves.alarms, *alarms))


def _leg_of(key: str | None) -> str | None:
    own = parse_order_id(key or "")
    return own.leg if own else None
