"""An order on the exchange: what was asked, what became of it, and how Alpaca's API shows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from typing import Final

from executor.exchange.messages import stamp, stamp_or_none, text
from executor.model.numbers import CENT, HUNDRED, NANO, ONE, ZERO, nanos
from executor.model.position import Side

TERMINAL: Final = frozenset({"filled", "canceled", "expired", "rejected", "replaced"})
"""Statuses that an order never leaves. Every other one is open."""

COMPLEX: Final = frozenset({"bracket", "oco", "oto"})
"""Order classes of more than one order."""


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution of part or all of an order."""

    order_id: str
    client_order_id: str
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    """USD a share."""
    at: datetime

    def as_json(self) -> dict[str, object]:
        """Show the fill; the keys are those of Alpaca's FILL activity where it has them."""
        return {
            "order_id": self.order_id,
            "client_order_id": self.client_order_id,
            "symbol": self.symbol,
            "side": self.side,
            "qty": text(self.quantity),
            "price": text(self.price),
            "transaction_time": stamp(self.at),
        }


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a client asks for, read and well-formed; whether it may be had is judged elsewhere."""

    symbol: str
    side: Side
    order_type: str
    """market, limit, stop, stop_limit or trailing_stop."""
    time_in_force: str
    """day or gtc."""
    client_order_id: str
    """Empty where the client leaves it to the exchange."""
    quantity: Decimal | None = None
    notional: Decimal | None = None
    """USD; exactly one of quantity and notional is given."""
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    order_class: str = ""
    """Empty or simple, bracket, oco or oto. A leg has the class of its parent."""
    position_intent: str = ""
    trail_percent: Decimal | None = None
    """Percent of the best price by which a trailing stop follows it."""
    trail_price: Decimal | None = None
    """USD a share by which it follows; a trailing stop has exactly one of the two."""
    take_profit: Decimal | None = None
    """USD a share: the limit of the take-profit leg. None without such a leg, and for OCO, where
    the order itself is the take-profit."""
    stop_loss: Decimal | None = None
    """USD a share: the stop price of the stop-loss leg; None without such a leg."""
    stop_loss_limit: Decimal | None = None
    """USD a share: makes the stop-loss leg a stop limit order."""

    @property
    def trails(self) -> bool:
        """Say whether this is a trailing stop."""
        return self.trail_percent is not None or self.trail_price is not None

    def trailing_level(self, best: Decimal) -> Decimal:
        """Give the stop price of a trailing stop, to the cent (0.0001 below 1 USD).

        Args:
            best: USD a share: the highest price so far for a SELL, the lowest for a BUY.
        """
        trail = self.trail_price
        if trail is None:
            assert self.trail_percent is not None, "a trailing stop has a trail"
            trail = best * self.trail_percent / HUNDRED
        level = best - trail if self.side == "sell" else best + trail
        return level.quantize(CENT if level >= ONE else CENT * CENT)


@dataclass(frozen=True, slots=True)
class Treatment:
    """What an injected fault makes of an accepted order; the default is an ordinary life."""

    reject: bool = False
    """The order is rejected as soon as it is accepted."""
    waits: bool = False
    """The order, or what the fraction leaves of it, does not fill when it could."""
    fraction: Decimal = ZERO
    """The part of a waiting order that fills as soon as it can."""
    seconds: float | None = None
    """How long after its submission it waits."""
    polls: int | None = None
    """At which look at the order it fills. Neither this nor seconds: it waits for ever."""


@dataclass(slots=True)
class Order:
    """One order, changing while it lives."""

    id: str
    sequence: int
    """Its place among all orders ever, from 0."""
    ticket: Ticket
    client_order_id: str
    status: str
    submitted_at: datetime
    updated_at: datetime
    expires_at: datetime | None = None
    """When its session closes; None for GTC."""
    filled_quantity: Decimal = ZERO
    filled_value: Decimal = ZERO
    """Sum of quantity times price, USD, not rounded."""
    filled_at: datetime | None = None
    canceled_at: datetime | None = None
    expired_at: datetime | None = None
    failed_at: datetime | None = None
    replaced_at: datetime | None = None
    replaced_by: str | None = None
    """The id of the order that took this one's place."""
    replaces: str | None = None
    """The id of the order whose place this one took."""
    live_from: datetime | None = None
    """Since when it is in the market; None for a leg whose entry has not filled in full."""
    parent_id: str | None = None
    """A leg's order: the entry of a bracket or OTO order, the take-profit of an OCO order."""
    legs: tuple[str, ...] = ()
    """Ids of its legs, take-profit first."""
    group_id: str | None = None
    """What all orders of one bracket, OTO or OCO order share."""
    role: str | None = None
    """entry, take_profit or stop_loss within that."""
    looked_until: datetime | None = None
    """The first minute of the price path that has not been looked at yet."""
    triggered: bool = False
    """A stop whose price was reached."""
    hwm: Decimal | None = None
    """USD a share: the best price that a trailing stop has seen (the lowest for a BUY)."""
    estimate: Decimal = ZERO
    """USD a share at which a BUY without a limit reserves buying power."""
    treatment: Treatment = field(default_factory=Treatment)
    polls: int = 0
    """How often the client has looked at the order since it was accepted."""

    @property
    def is_open(self) -> bool:
        """Say whether the order may still fill."""
        return self.status not in TERMINAL

    @property
    def is_dormant(self) -> bool:
        """Say whether this is a leg that waits for its entry."""
        return self.is_open and self.live_from is None

    @property
    def stop_price(self) -> Decimal | None:
        """USD a share at which it is triggered; a trailing stop's moves."""
        if self.ticket.trails and self.hwm is not None:
            return self.ticket.trailing_level(self.hwm)
        return self.ticket.stop_price

    @property
    def average_price(self) -> Decimal | None:
        """USD a share over all fills, at most nine decimals; None without a fill."""
        if not self.filled_quantity:
            return None
        return nanos(self.filled_value / self.filled_quantity)

    def remaining(self, price: Decimal) -> Decimal:
        """Give the shares still to fill at a price; a notional order rounds them down.

        Of a notional order, less than a cent is nothing: it is what rounding left.
        """
        ticket = self.ticket
        if ticket.quantity is not None:
            return ticket.quantity - self.filled_quantity
        assert ticket.notional is not None, "an order has a quantity or a notional"
        left = ticket.notional - self.filled_value
        return ZERO if left < CENT else (left / price).quantize(NANO, rounding=ROUND_DOWN)

    def reserve(self) -> Decimal:
        """Give the USD that an open BUY holds back from buying power; 0 for a SELL."""
        ticket = self.ticket
        if ticket.side == "sell" or not self.is_open:
            return ZERO
        if ticket.notional is not None:
            return max(ZERO, ticket.notional - self.filled_value)
        price = ticket.limit_price or ticket.stop_price or self.estimate
        return self.remaining(price) * price

    def held(self) -> Decimal:
        """Give the shares that an open SELL holds back from the position; 0 for a BUY."""
        if self.ticket.side == "buy" or not self.is_open:
            return ZERO
        return self.remaining(self.estimate or ONE)

    def as_json(
        self, asset_id: str, legs: list[dict[str, object]] | None = None
    ) -> dict[str, object]:
        """Show the order as Alpaca does, with its legs where they are given."""
        ticket = self.ticket
        shown: dict[str, object] = {
            "id": self.id,
            "client_order_id": self.client_order_id,
            "created_at": stamp(self.submitted_at),
            "updated_at": stamp(self.updated_at),
            "submitted_at": stamp(self.submitted_at),
            "filled_at": stamp_or_none(self.filled_at),
            "expired_at": stamp_or_none(self.expired_at),
            "canceled_at": stamp_or_none(self.canceled_at),
            "failed_at": stamp_or_none(self.failed_at),
            "replaced_at": stamp_or_none(self.replaced_at),
            "replaced_by": self.replaced_by,
            "replaces": self.replaces,
            "asset_id": asset_id,
            "symbol": ticket.symbol,
            "asset_class": "us_equity",
            "notional": text(ticket.notional),
            "qty": text(ticket.quantity),
            "filled_qty": text(self.filled_quantity),
            "filled_avg_price": text(self.average_price),
            "order_class": ticket.order_class,
            "order_type": ticket.order_type,
            "type": ticket.order_type,
            "side": ticket.side,
            "position_intent": ticket.position_intent,
            "time_in_force": ticket.time_in_force,
            "limit_price": text(ticket.limit_price),
            "stop_price": text(self.stop_price),
            "status": self.status,
            "extended_hours": False,
            "legs": legs,
            "trail_percent": text(ticket.trail_percent),
            "trail_price": text(ticket.trail_price),
            "hwm": text(self.hwm),
            "subtag": None,
            "source": None,
        }
        # These keys are left out where they do not apply, as at Alpaca.
        if self.expires_at is not None:
            shown["expires_at"] = stamp(self.expires_at)
        if self.group_id is not None:
            shown["group_id"] = self.group_id
            shown["group_role"] = self.role
        return shown
