"""What protects a holding, against what stands at the broker: what to cancel, what to place.

Level-triggered: it looks at what is there, so it heals whatever a dead run or a manual trade left
behind, and says nothing where everything stands.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Literal

from executor.decisions.stop_orders import exit_request, stop_request, stops, takes_profit
from executor.model.facts import PositionFacts
from executor.model.ledger import Lot, LotKey
from executor.model.numbers import ZERO, plain
from executor.model.order import OrderReport, OrderRequest
from executor.model.order_id import Leg, client_order_id
from executor.model.order_result import Protection, Refusal

SOLD: Final = "the price was through its stop"
"""Why shares were sold at the market."""

_THROUGH: Final = ("stop price must be less than", "stop_loss.stop_price must be <=")


@dataclass(frozen=True, slots=True)
class Role:
    """The part that an order at the broker plays for a lot."""

    key: LotKey
    leg: Leg
    number: int = 0
    """Which one of its leg, where we sent it."""
    parent: str | None = None
    """Client order id of the order that it hangs on, where the broker made it."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One open order of ours that protects, or that is meant to."""

    role: Role
    report: OrderReport


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What decides about protection beside the lots and the orders that protect."""

    repository: str
    """The settings' name of this repository."""
    positions: Mapping[str, PositionFacts]
    others: tuple[OrderReport, ...]
    """Open orders that protect nothing, other programs' among them."""
    own_entries: frozenset[str]
    """Client order ids of open orders of ours among them."""
    prices: Mapping[str, Decimal]
    """USD a share at which a SELL would trade now; a symbol without a price is absent."""
    may_exit: bool
    """True where a market order may be sent: the market is open and trading is not halted."""
    why_no_exit: str = ""
    """Why it may not, in words that follow a semicolon."""
    grown: frozenset[str] = frozenset()
    """Symbols of which the account holds more than the record knows: a split that no result tells
    yet lowers the price as well, and is no loss."""
    withdrawn_by: str = ""
    """The person who had what protects withdrawn; nothing is placed while that holds."""
    through: frozenset[tuple[LotKey, Leg]] = frozenset()
    """Lots, and their legs that the broker refused because the price is through the stop."""

    @property
    def is_closed(self) -> bool:
        """True where the market is closed: nothing sells now, whatever stands."""
        return not self.may_exit and not self.why_no_exit


@dataclass(frozen=True, slots=True)
class Placement:
    """One order to send."""

    role: Role
    request: OrderRequest


@dataclass(frozen=True, slots=True)
class Moves:
    """What to do next, and how things stand."""

    cancels: tuple[tuple[OrderReport, str], ...] = ()
    """Open orders of ours that must go, each with the reason."""
    placements: tuple[Placement, ...] = ()
    """Orders to send; none for a symbol that has cancels: it is looked at again after them."""
    states: Mapping[LotKey, tuple[Protection, ...]] = field(default_factory=dict)
    """How each lot stands now."""
    alarms: tuple[str, ...] = ()
    """Shares that should be protected and are not, and that no waiting will cure."""

    @property
    def is_rest(self) -> bool:
        """True where nothing is left to do."""
        return not self.cancels and not self.placements


@dataclass(frozen=True, slots=True)
class _Want:
    """One order that should stand."""

    leg: Leg
    quantity: Decimal


def plan_protection(
    lots: Iterable[Lot], standing: Sequence[Standing], around: Surroundings
) -> Moves:
    """Compare what should stand with what does.

    Args:
        lots: what is to be protected, by the record with this run's fills in it.
        standing: our open protective orders at the broker.
        around: holdings, other orders, prices and what the moment allows.
    """
    found = Moves()
    by_symbol: dict[str, list[Lot]] = {}
    for lot in lots:
        by_symbol.setdefault(lot.symbol, []).append(lot)
    for symbol in sorted(by_symbol.keys() | {one.report.symbol for one in standing}):
        there = [one for one in standing if one.report.symbol == symbol]
        part = _Symbol(symbol, by_symbol.get(symbol, []), there, around).moves()
        found = Moves(
            cancels=found.cancels + part.cancels,
            placements=found.placements + (() if part.cancels else part.placements),
            states={**found.states, **part.states},
            alarms=found.alarms + part.alarms,
        )
    return found


@dataclass
class _Symbol:
    """One symbol's protection while it is worked out."""

    symbol: str
    lots: Sequence[Lot]
    standing: Sequence[Standing]
    around: Surroundings
    cancels: list[tuple[OrderReport, str]] = field(default_factory=list)
    placements: list[Placement] = field(default_factory=list)
    states: dict[LotKey, tuple[Protection, ...]] = field(default_factory=dict)
    alarms: list[str] = field(default_factory=list)
    on_sale: Decimal = ZERO
    """Shares that orders of our plans sell: what they leave without a stop was approved."""

    def moves(self) -> Moves:
        keys = {lot.key for lot in self.lots}
        for one in self.standing:
            if one.role.key not in keys:
                self._cancel(one, self._why_orphan())
        resting = [one for one in self._others() if one.side == "buy"]
        free = self._coverable()
        self.on_sale = self._on_sale(self.around.own_entries)
        # The tightest stop first: where shares are missing, the loosest goes without.
        for lot in sorted(self.lots, key=lambda one: one.tightness, reverse=True):
            own = [one for one in self.standing if one.role.key == lot.key]
            covered = min(lot.quantity, free)
            free -= covered
            self._lot(lot, covered, own, resting)
        return Moves(
            tuple(self.cancels), tuple(self.placements), dict(self.states), tuple(self.alarms)
        )

    def _why_orphan(self) -> str:
        if self.lots:
            return "another stop takes its place"
        held = self.around.positions.get(self.symbol)
        if held is not None and held.quantity > 0:
            return "its shares are to have no stop any more"
        return "nothing is left that it protects"

    def _others(self) -> list[OrderReport]:
        return [
            one
            for one in self.around.others
            if one.symbol == self.symbol and not one.status.is_terminal
        ]

    def _coverable(self) -> Decimal:
        """Shares that a stop may sell: those held, less those that another open order sells."""
        held = self.around.positions.get(self.symbol)
        on_sale = self._on_sale({one.client_order_id for one in self._others()})
        return max(ZERO, (held.quantity if held else ZERO) - on_sale)

    def _on_sale(self, keys: Collection[str]) -> Decimal:
        selling = [one for one in self._others() if one.side == "sell"]
        return sum((one.open_quantity for one in selling if one.client_order_id in keys), ZERO)

    def _lot(
        self, lot: Lot, covered: Decimal, own: Sequence[Standing], resting: Sequence[OrderReport]
    ) -> None:
        leaving = [one for one in own if one.report.order_type == "market"]
        if leaving:
            self._state(lot, "exited", lot.quantity, SOLD)
            return
        entry = client_order_id(self.around.repository, lot.key.plan_digest, lot.key.index)
        if any(one.client_order_id == entry for one in resting):
            self._say(lot, lot.quantity, "its entry is still open; the stop follows its end")
            return
        missing = lot.quantity - covered
        excused = min(missing, self.on_sale)
        self.on_sale -= excused
        if excused:
            self._say(lot, excused, "an order of a plan sells them")
        if missing > excused:
            missing -= excused
            self._alarm(lot, missing, "the shares are not there, or another open order sells them")
        if covered <= 0:
            for one in own:
                self._cancel(one, "the shares that it protects are not there")
            return
        missing_wants = self._match(lot, self._wants(lot, covered), own)
        if missing_wants and self.around.withdrawn_by:
            shares = sum((one.quantity for one in missing_wants), ZERO)
            self._say(lot, shares, f"withdrawn by {self.around.withdrawn_by}, who halted trading")
        elif missing_wants and not self._blocking(lot, missing_wants, resting):
            self._place(lot, missing_wants)

    def _wants(self, lot: Lot, covered: Decimal) -> list[_Want]:
        """One order for the whole shares, one for the fraction, which the broker takes apart."""
        whole = covered.to_integral_value(rounding="ROUND_FLOOR")
        wants = []
        if whole:
            wants.append(_Want("target" if lot.take_profit_price is not None else "stop", whole))
        if covered - whole and lot.stop_price is not None:
            wants.append(_Want("fraction", covered - whole))
        elif covered - whole:
            self._say(lot, covered - whole, "a trailing stop takes whole shares only")
        return wants

    def _match(self, lot: Lot, wants: Sequence[_Want], own: Sequence[Standing]) -> list[_Want]:
        """Give what is wanted and does not stand; what stands and is not wanted is canceled."""
        left = list(own)
        missing = []
        for want in wants:
            stands, serving = want, _serving(lot, want, left)
            if not serving and want.leg == "target" and self.around.is_closed:
                # No target fills now; the pair is placed when the market has opened.
                stands = _Want("stop", want.quantity)
                serving = _serving(lot, stands, [one for one in left if one.role.parent is None])
            if serving:
                left = [one for one in left if one not in serving]
                self._stands(lot, stands)
            else:
                missing.append(want)
        for one in left:
            self._cancel(one, "one of another size, price or duration is wanted now")
        return missing

    def _stands(self, lot: Lot, want: _Want) -> None:
        state: Literal["stop", "bracket"] = "bracket" if want.leg == "target" else "stop"
        self._state(lot, state, want.quantity, "")

    def _blocking(self, lot: Lot, wants: Sequence[_Want], resting: Sequence[OrderReport]) -> bool:
        """See to BUYs that rest in the symbol: the broker takes no stop beside them."""
        if not resting:
            return False
        shares = sum((one.quantity for one in wants), ZERO)
        for one in resting:
            if one.client_order_id in self.around.own_entries:
                self.cancels.append((one, "it rests where a stop has to stand"))
            else:
                self._alarm(
                    lot, shares, f"order {one.client_order_id} buys it; cancel that at the broker"
                )
        return True

    def _place(self, lot: Lot, wants: Sequence[_Want]) -> None:
        price = self.around.prices.get(self.symbol)
        refused = {leg for key, leg in self.around.through if key == lot.key}
        is_below = price is not None and lot.stop_price is not None and price <= lot.stop_price
        if not refused and not is_below:
            for want in wants:
                self.placements.append(self._placement(lot, want))
            return
        shares = sum((one.quantity for one in wants), ZERO)
        if self.symbol in self.around.grown:
            self._alarm(
                lot,
                shares,
                "the price is through its stop, and more shares are held than the record knows:"
                " perhaps a split; run settle",
            )
        elif self.around.may_exit:
            self.placements.append(self._exit(lot, shares))
        elif self.around.why_no_exit:
            self._alarm(lot, shares, f"the price is through its stop; {self.around.why_no_exit}")
        elif refused - {"target"}:
            self._alarm(lot, shares, "the price is through its stop and the market is closed")
        else:
            # While the market is closed a stop waits for the open as a market order would. A pair
            # the broker takes at no such price, and a stop alone it may.
            for want in wants:
                leg: Leg = "stop" if want.leg in refused else want.leg
                self.placements.append(self._placement(lot, _Want(leg, want.quantity)))

    def _placement(self, lot: Lot, want: _Want) -> Placement:
        request = stop_request(self.around.repository, lot, want.leg, want.quantity)
        return Placement(Role(lot.key, want.leg, lot.next_number(want.leg)), request)

    def _exit(self, lot: Lot, shares: Decimal) -> Placement:
        request = exit_request(self.around.repository, lot, shares)
        return Placement(Role(lot.key, "stop", lot.next_number("stop")), request)

    def _cancel(self, one: Standing, reason: str) -> None:
        self.cancels.append((one.report, reason))

    def _say(self, lot: Lot, quantity: Decimal, reason: str) -> None:
        self._state(lot, "unprotected", quantity, reason)

    def _alarm(self, lot: Lot, quantity: Decimal, reason: str) -> None:
        self._say(lot, quantity, reason)
        where = f" at {plain(lot.stop_price)} USD" if lot.stop_price is not None else ""
        self.alarms.append(
            f"{self.symbol}: {plain(quantity)} shares without their stop{where}: {reason}"
        )

    def _state(
        self,
        lot: Lot,
        state: Literal["unprotected", "stop", "bracket", "exited"],
        quantity: Decimal,
        reason: str,
    ) -> None:
        told = Protection(
            symbol=self.symbol,
            state=state,
            quantity=quantity,
            stop_price=lot.stop_price,
            reason=reason,
        )
        self.states[lot.key] = (*self.states.get(lot.key, ()), told)


def _serving(lot: Lot, want: _Want, own: Sequence[Standing]) -> list[Standing]:
    """The orders that do what is wanted; empty where they do not, or not in the right size."""
    fitting = [one for one in own if stops(lot, want.leg, want.quantity, one.report)]
    if want.leg == "target":
        target = [one for one in own if takes_profit(want.quantity, one.report)]
        return [*fitting[:1], *target[:1]] if fitting and target else []
    is_fraction = want.leg == "fraction"
    return [one for one in fitting if (one.role.leg == "fraction") == is_fraction][:1]


def is_through(refusal: Refusal) -> bool:
    """True where the broker refused a stop because the price is at it or beyond it already.

    Alpaca answers 422, code 42210000, "stop price must be less than current price", and of a pair
    "stop_loss.stop_price must be <= base_price - 0.01"; code and status are of every bad price, so
    its words decide.
    """
    told = refusal.body.lower()
    return refusal.status == 422 and any(one in told for one in _THROUGH)
