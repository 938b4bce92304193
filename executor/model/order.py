"""Orders as the broker sees them: what we would send, and its account of them at a moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from executor.model.numbers import ZERO
from executor.model.position import Side

if TYPE_CHECKING:
    from executor.model.order_result import Refusal

OrderType = Literal["market", "limit", "stop", "stop_limit", "trailing_stop"]
TimeInForce = Literal["day", "gtc"]
OrderClass = Literal["simple", "oto", "bracket", "oco"]
"""`oto`: a stop follows the entry's fill; `bracket`: a target and a stop do, the one that fills
cancels the other; `oco`: such a pair for shares that are held."""


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """One order to send."""

    client_order_id: str
    symbol: str
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    quantity: Decimal | None = None
    """Shares; None where `notional` is given."""
    notional: Decimal | None = None
    """USD; None where `quantity` is given."""
    limit_price: Decimal | None = None
    """USD a share."""
    stop_price: Decimal | None = None
    """USD a share."""
    trail_percent: Decimal | None = None
    """Percent of the price by which a trailing stop follows."""
    order_class: OrderClass = "simple"
    take_profit_price: Decimal | None = None
    """USD a share: the limit of a bracket's or an OCO's target."""
    stop_loss_price: Decimal | None = None
    """USD a share: the stop of an OTO's, a bracket's or an OCO's stop."""


class OrderStatus(StrEnum):
    """An order's life, in as few words as decisions need.

    The broker's own word is kept beside it: canceled orders may hold fills, unknown words are open.
    """

    OPEN = "open"
    """May still trade; also every status that we do not know."""
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    REPLACED = "replaced"

    @property
    def is_terminal(self) -> bool:
        """True where no fill can follow."""
        return self is not OrderStatus.OPEN


@dataclass(frozen=True, slots=True)
class OrderReport:
    """The broker's account of one order at a moment."""

    client_order_id: str
    broker_order_id: str
    symbol: str
    side: Side
    order_type: str
    time_in_force: str
    status: OrderStatus
    broker_status: str
    """The broker's own word, kept for the record."""
    quantity: Decimal | None
    notional: Decimal | None
    filled_quantity: Decimal = ZERO
    average_fill_price: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_percent: Decimal | None = None
    submitted_at: datetime | None = None
    filled_at: datetime | None = None
    updated_at: datetime | None = None
    order_class: str = "simple"
    """The broker's own word; anything else is more than one order."""
    legs: tuple[OrderReport, ...] = ()
    """The orders that hang on this one: the stop of an OTO, target and stop of a bracket."""

    @property
    def open_quantity(self) -> Decimal:
        """Shares that may still trade; 0 where the order is by notional or has ended."""
        if self.status.is_terminal or self.quantity is None:
            return ZERO
        return self.quantity - self.filled_quantity


@dataclass(frozen=True, slots=True)
class Submission:
    """What one attempt to send came to. Exactly one of the three is set."""

    request: OrderRequest
    report: OrderReport | None = None
    """The broker has the order."""
    refusal: Refusal | None = None
    """The broker said a definite no: the order does not exist."""
    ambiguous: str | None = None
    """No usable answer: the order may exist. Why, in one sentence."""

    def __post_init__(self) -> None:
        """Hold the promise of exactly one outcome."""
        outcomes = (self.report, self.refusal, self.ambiguous)
        assert sum(one is not None for one in outcomes) == 1, "a submission has one outcome"


@dataclass(frozen=True, slots=True)
class Cancellation:
    """What one request to cancel came to. The order's end is seen by looking at it, never here."""

    broker_order_id: str
    accepted: bool
    """True: the broker will try. False: it says that there is nothing to cancel."""
    ambiguous: str | None = None
    """No usable answer: it may or may not have been asked. Why, in one sentence."""


@dataclass(frozen=True, slots=True)
class EquityPoint:
    """The account's equity at one moment of the past, by the broker."""

    at: datetime
    equity: Decimal
    """USD."""
