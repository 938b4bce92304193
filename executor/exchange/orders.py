"""An order on the exchange: what was asked, what became of it, and how Alpaca's API shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from typing import Final

from executor.exchange.messages import read_time, stamp, stamp_or_none, text
from executor.exchange.prices import floor_minute
from executor.exchange.universe import stable_id
from executor.model.numbers import NANO, ONE, ZERO, nanos
from executor.model.position import Side

TERMINAL: Final = frozenset({"filled", "canceled", "expired", "rejected", "replaced"})
"""Statuses that an order never leaves. Every other one is open."""


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
    """market, limit, stop or stop_limit."""
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
    position_intent: str = ""


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
    looked_until: datetime | None = None
    """The first minute of the price path that has not been looked at yet."""
    triggered: bool = False
    """A stop whose price was reached."""
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
    def average_price(self) -> Decimal | None:
        """USD a share over all fills, at most nine decimals; None without a fill."""
        if not self.filled_quantity:
            return None
        return nanos(self.filled_value / self.filled_quantity)

    def remaining(self, price: Decimal) -> Decimal:
        """Give the shares still to fill at a price; a notional order rounds them down."""
        ticket = self.ticket
        if ticket.quantity is not None:
            return ticket.quantity - self.filled_quantity
        assert ticket.notional is not None, "an order has a quantity or a notional"
        left = max(ZERO, ticket.notional - self.filled_value)
        return (left / price).quantize(NANO, rounding=ROUND_DOWN)

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

    def as_json(self, asset_id: str) -> dict[str, object]:
        """Show the order as Alpaca does."""
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
            "replaced_at": None,
            "replaced_by": None,
            "replaces": None,
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
            "stop_price": text(ticket.stop_price),
            "status": self.status,
            "extended_hours": False,
            "legs": None,
            "trail_percent": None,
            "trail_price": None,
            "hwm": None,
            "subtag": None,
            "source": None,
        }
        if self.expires_at is not None:
            shown["expires_at"] = stamp(self.expires_at)
        return shown


def restore(raw: Mapping[str, object], account_number: str) -> Order:
    """Take over an order of an opening, past or open, from Alpaca's JSON form.

    `processed_through` (optional) names the time up to which an open order is known not to have
    filled; without it the order is matched from `submitted_at` on.
    """
    ticket = Ticket(
        symbol=str(raw["symbol"]),
        side="sell" if raw["side"] == "sell" else "buy",
        order_type=str(raw.get("type") or raw.get("order_type") or "market"),
        time_in_force=str(raw.get("time_in_force") or "day"),
        client_order_id=str(raw["client_order_id"]),
        quantity=_number(raw.get("qty")),
        notional=_number(raw.get("notional")),
        limit_price=_number(raw.get("limit_price")),
        stop_price=_number(raw.get("stop_price")),
        position_intent=str(raw.get("position_intent") or _intent(str(raw["side"]))),
    )
    submitted = _time(raw.get("submitted_at"))
    assert submitted is not None, f"the opening's order {ticket.client_order_id} has submitted_at"
    processed = _time(raw.get("processed_through"))
    filled = _number(raw.get("filled_qty")) or ZERO
    status = str(raw.get("status") or "new")
    ended = {name: _time(raw.get(name)) for name in ("filled_at", "canceled_at", "expired_at")}
    return Order(
        id=str(raw.get("id") or stable_id(account_number, "order", ticket.client_order_id)),
        sequence=0,
        ticket=ticket,
        client_order_id=ticket.client_order_id,
        status=status,
        submitted_at=submitted,
        updated_at=_time(raw.get("updated_at")) or submitted,
        filled_quantity=filled,
        filled_value=filled * (_number(raw.get("filled_avg_price")) or ZERO),
        filled_at=ended["filled_at"] or (submitted if status == "filled" else None),
        canceled_at=ended["canceled_at"] or (submitted if status == "canceled" else None),
        expired_at=ended["expired_at"] or (submitted if status == "expired" else None),
        failed_at=submitted if status == "rejected" else None,
        looked_until=None if processed is None else floor_minute(processed),
    )


def _intent(side: str) -> str:
    return "sell_to_close" if side == "sell" else "buy_to_open"


def _number(raw: object) -> Decimal | None:
    return None if raw is None or raw == "" else Decimal(str(raw))


def _time(raw: object) -> datetime | None:
    if raw is None or isinstance(raw, datetime):
        return raw
    return read_time(str(raw), "time of an order")
