"""The ledger: what the results of one mode and account add up to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Final

from executor.model.numbers import CENT, HUNDRED, ZERO
from executor.model.order_id import Leg
from executor.model.order_result import InstructionResult, OrderResult, Outcome, StopTerms
from executor.model.position import Position

if TYPE_CHECKING:
    from executor.model.result import Observed

STILL_OPEN = frozenset({Outcome.OPEN, Outcome.UNKNOWN})
"""Outcomes that a later result may change."""

SENT = frozenset(Outcome) - {Outcome.DENIED, Outcome.NOT_SENT, Outcome.DONE}
"""Outcomes of orders that may have reached the broker."""

SUB_DOLLAR_STEP: Final = Decimal("0.0001")


def price_step(price: Decimal, rounding: str = ROUND_HALF_UP) -> Decimal:
    """Round a price as the broker takes it: to the cent, below 1 USD to a hundredth of one."""
    return price.quantize(CENT if price >= 1 else SUB_DOLLAR_STEP, rounding=rounding)


def stop_step(price: Decimal) -> Decimal:
    """Round a stop down, so that it never stands nearer than asked; one step at least."""
    return max(price_step(price, ROUND_DOWN), SUB_DOLLAR_STEP)


@dataclass(frozen=True, slots=True, order=True)
class LotKey:
    """The instruction that asked for the protection."""

    plan_digest: str
    index: int


@dataclass(frozen=True, slots=True)
class Lot:
    """Shares that are to be protected, and how."""

    key: LotKey
    symbol: str
    quantity: Decimal
    """Shares, above 0."""
    stop_price: Decimal | None
    """USD a share; None where the stop trails."""
    trail_percent: Decimal | None = None
    take_profit_price: Decimal | None = None
    """USD a share, of a bracket."""
    strategy: str = ""
    first_result: str = ""
    """The execution result that it comes from; empty while that is not written yet."""
    stops: int = 0
    """How many orders of leg `stop` there were: the next one's number."""
    fractions: int = 0
    """How many of leg `fraction`."""
    targets: int = 0
    """How many of leg `target`."""

    @property
    def tightness(self) -> tuple[Decimal, LotKey]:
        """Sorts lots from the loosest stop to the tightest."""
        return (self.stop_price or ZERO, self.key)

    def next_number(self, leg: Leg) -> int:
        """The number of the next order of a leg, as far as the record knows."""
        return {"stop": self.stops, "fraction": self.fractions, "target": self.targets}.get(leg, 0)

    def numbered(self, leg: Leg, number: int) -> Lot:
        """The lot once an order of that leg and number is known."""
        match leg:
            case "stop":
                return replace(self, stops=max(self.stops, number + 1))
            case "fraction":
                return replace(self, fractions=max(self.fractions, number + 1))
            case "target":
                return replace(self, targets=max(self.targets, number + 1))
        return self


def stop_of(terms: StopTerms, average: Decimal) -> Decimal | None:
    """USD a share at which the terms put the stop for shares bought at an average price.

    None where they name none: the stop trails, or would lie at 0.
    """
    if terms.stop_price is not None:
        return terms.stop_price
    if terms.stop_loss_pct is None or terms.stop_loss_pct >= HUNDRED:
        return None
    stop = price_step(average * (HUNDRED - terms.stop_loss_pct) / HUNDRED, ROUND_DOWN)
    return stop or None


def target_of(terms: StopTerms, average: Decimal) -> Decimal | None:
    """USD a share at which a bracket takes the profit; None for any other protection."""
    if terms.profit_target_pct is None:
        return None
    return price_step(average * (HUNDRED + terms.profit_target_pct) / HUNDRED)


@dataclass(frozen=True, slots=True)
class Order:
    """One order of the record, as its newest result tells it."""

    told: OrderResult
    plan_digest: str
    strategy: str
    first_result: str
    """The execution result that it comes from."""
    seen_at: datetime
    """When the newest result about it was written."""
    leg: Leg = "entry"
    parent: str | None = None
    """The client order id of the order that it hangs on."""

    @property
    def is_open(self) -> bool:
        """True where a later result may change it."""
        return self.told.outcome in STILL_OPEN

    @property
    def valid_until(self) -> datetime | None:
        """When an entry that rests is canceled; None where it ends by itself."""
        return self.told.valid_until if isinstance(self.told, InstructionResult) else None

    @property
    def terms(self) -> StopTerms | None:
        """How its shares are to be protected; None where nothing was asked for."""
        return self.told.stop if isinstance(self.told, InstructionResult) else None


@dataclass(frozen=True, slots=True)
class Transfer:
    """Capital that came (positive) or went."""

    at: datetime
    amount: Decimal
    """USD."""


@dataclass(frozen=True, slots=True)
class Suspended:
    """One line of an event that has another one, which no result has told yet."""

    symbol: str
    quantity: Decimal
    """Change of shares; 0 for the parent of a spin-off."""
    cost: Decimal
    """USD: of shares that left what the other line's shares may take over, of shares that came
    what they were booked at."""
    at: datetime
    """When the event was."""
    left: bool
    """True where shares were given up, False where they came."""
    lots: tuple[Lot, ...] = ()
    """The lots of shares that left, where they follow them."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the results add up to."""

    opening_cash: Decimal | None = None
    """USD before the first result; None where no result tells."""
    opened_at: datetime | None = None
    """When that was; activities of before are in it. None where no result tells."""
    adopted: bool = False
    """True where an opening record began it: what orders of before did is in that."""
    cash_change: Decimal = ZERO
    """USD that all fills and activities moved, to the cent."""
    realized_pl: Decimal = ZERO
    """USD that all fills and corporate actions closed, at average cost."""
    income: Decimal = ZERO
    """USD of dividends and interest less fees."""
    transfers: Decimal = ZERO
    """USD of capital that came less capital that went, shares at their cost included."""
    transfer_log: tuple[Transfer, ...] = ()
    """The newest transfers, in the order in which they were booked."""
    suspense: Mapping[str, Suspended] = field(default_factory=dict)
    """Lines that wait for the others of their event, by its group."""
    positions: Mapping[str, Position] = field(default_factory=dict)
    """Holdings by symbol; a closed one is absent."""
    lots: Mapping[LotKey, Lot] = field(default_factory=dict)
    """What is to be protected."""
    orders: Mapping[str, Order] = field(default_factory=dict)
    """Orders that may have reached the broker, by client order id; a checkpoint keeps those that
    are open or ended lately."""
    stop_outs: tuple[tuple[str, str, datetime], ...] = ()
    """Exits by a stop: book, symbol, when."""
    observed: Mapping[str, Observed] = field(default_factory=dict)
    """What no commit explains and nobody has acknowledged."""
    acknowledged: Mapping[str, Observed] = field(default_factory=dict)
    """Foreign orders that somebody took over, the one that was told last behind the others."""
    activities: Mapping[str, datetime] = field(default_factory=dict)
    """Ids of the activities that are booked, and when; fills are booked by their orders."""
    activities_through: datetime | None = None
    """When the newest activity was booked."""
    peak_net: Decimal | None = None
    """USD: the highest equity less transfers until then, since the peak was last rebased."""
    peak_at: datetime | None = None
    rebased_at: datetime | None = None
    """From when on the peak counts."""
    results: int = 0
    """How many results are included."""
    through: str | None = None
    """The last result that is included."""
    as_of: datetime | None = None
    """When that one was written."""

    @property
    def cash(self) -> Decimal | None:
        """USD; None where nobody knows what the account began with."""
        return None if self.opening_cash is None else self.opening_cash + self.cash_change

    @property
    def peak_equity(self) -> Decimal | None:
        """USD: the equity peak as if today's capital had been there then."""
        return None if self.peak_net is None else self.peak_net + self.transfers

    @property
    def unknown(self) -> int:
        """Orders that were sent and cannot be found."""
        return sum(one.told.outcome is Outcome.UNKNOWN for one in self.orders.values())

    @property
    def open_orders(self) -> tuple[Order, ...]:
        """Orders that a later result may change."""
        return tuple(one for one in self.orders.values() if one.is_open)

    def lots_of(self, symbol: str) -> tuple[Lot, ...]:
        """The lots of a symbol, from the loosest stop to the tightest."""
        found = (one for one in self.lots.values() if one.symbol == symbol)
        return tuple(sorted(found, key=lambda one: one.tightness))

    def transferred_since(self, moment: datetime) -> Decimal:
        """USD of capital that came less what went after a moment."""
        return sum((one.amount for one in self.transfer_log if one.at > moment), ZERO)
