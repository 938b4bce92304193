"""What moved the account's cash or shares, as Alpaca's account activities show it, and since when.

An id is the time, to the millisecond in UTC, and a function of account and event: a fill by its
order and the quantity filled up to it, an event by its content. So an exchange that is made anew
from a record tells the same fill under the same id, and never another one under it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from executor.exchange.events import AccountEvent
from executor.exchange.messages import stamp, text
from executor.exchange.orders import Fill, Order
from executor.exchange.universe import stable_id
from executor.model.numbers import ZERO, cents, plain

FILL: Final = "FILL"
TRANSFERS: Final = ("CSD", "CSW")
DIVIDENDS: Final = ("DIV",)
KINDS: Final = (
    *("FILL", "TRANS", "MISC", "ACATC", "ACATS", "CFEE", "CGD", "CSD", "CSW", "FEE", "FOPT"),
    *("DIV", "DIVCGL", "DIVCGS", "DIVFEE", "DIVFT", "DIVNRA", "DIVROC", "DIVTW", "DIVTXEX"),
    *("INT", "INTNRA", "INTTW", "JNL", "JNLC", "JNLS", "MA", "NC", "OCT", "OPASN", "OPCA"),
    *("OPCSH", "OPEXC", "OPEXP", "OPTRD", "PTC", "PTR", "REO", "REORG", "SPIN", "SPLIT"),
)
"""Every activity type that Alpaca knows; TRANS and MISC are groups of them."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an event: what it does to one symbol, or to cash."""

    activity_type: str
    sub_type: str = ""
    symbol: str = ""
    quantity: Decimal | None = None
    """The signed change of shares; of a dividend the shares that it was paid for."""
    net_amount: Decimal = ZERO
    """The signed change of cash, USD to the cent."""
    per_share: Decimal | None = None
    """USD a share of a dividend."""
    price: Decimal | None = None
    """USD a share: of a spin-off the cost that moves from the parent."""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Activity:
    """One account activity."""

    id: str
    at: datetime
    activity_type: str
    shown: Mapping[str, object]
    """As Alpaca shows it."""
    order_id: str = ""
    """Of a fill."""


@dataclass(frozen=True, slots=True)
class Change:
    """What one booking changed: from these the account of any earlier moment follows."""

    at: datetime
    cash: Decimal = ZERO
    """USD, to the cent."""
    shares: Mapping[str, Decimal] = field(default_factory=dict)
    flow: str = ""
    """The activity type of cash that came or went without a trade; empty otherwise."""


class Journal:
    """Everything that was booked, as activities and as changes."""

    def __init__(self, account_number: str) -> None:
        """Start empty."""
        self._account = account_number
        self.activities: list[Activity] = []
        """In the order of booking, which is the order of time."""
        self.changes: list[Change] = []

    def filled(self, order: Order, fill: Fill, cash_change: Decimal) -> None:
        """Note a fill, after the order knows of it."""
        key = (fill.order_id, plain(order.filled_quantity))
        leaves = order.remaining(fill.price) if order.status == "partially_filled" else ZERO
        shown = {
            "activity_type": FILL,
            "id": self._id(fill.at, "fill", *key),
            "cum_qty": text(order.filled_quantity),
            "leaves_qty": text(leaves),
            "order_id": fill.order_id,
            "order_status": order.status,
            "price": text(fill.price),
            "qty": text(fill.quantity),
            "side": fill.side,
            "symbol": fill.symbol,
            "transaction_time": stamp(fill.at),
            "type": "fill" if order.status == "filled" else "partial_fill",
        }
        self.activities.append(Activity(str(shown["id"]), fill.at, FILL, shown, fill.order_id))
        signed = fill.quantity if fill.side == "buy" else -fill.quantity
        self.changes.append(Change(fill.at, cash_change, {fill.symbol: signed}))

    def known(self, order: Order) -> None:
        """Note what an order of the opening had filled; its activities are told already."""
        if order.filled_quantity:
            buys = order.ticket.side == "buy"
            value = cents(order.filled_value)
            signed = order.filled_quantity if buys else -order.filled_quantity
            at = order.filled_at or order.updated_at
            moved = {order.ticket.symbol: signed}
            self.changes.append(Change(at, -value if buys else value, moved))

    def happened(self, event: AccountEvent, lines: Sequence[Line]) -> None:
        """Note an event, a line each; the lines share a group."""
        key = ("event", event.content, str(event.number))
        for index, line in enumerate(lines):
            shown = {
                "id": self._id(event.at, *key, str(index)),
                "group_id": stable_id(self._account, *key),
                **_line_json(line, event.at),
            }
            kind = line.activity_type
            self.activities.append(Activity(str(shown["id"]), event.at, kind, shown))
            moved = {line.symbol: line.quantity} if line.quantity and kind != "DIV" else {}
            flow = kind if line.net_amount else ""
            self.changes.append(Change(event.at, line.net_amount, moved, flow))

    def moved(self, at: datetime, symbol: str, quantity: Decimal) -> None:
        """Note shares that came or went without any activity."""
        self.changes.append(Change(at, shares={symbol: quantity}))

    def _id(self, at: datetime, *parts: str) -> str:
        time = at.astimezone(UTC)
        prefix = f"{time:%Y%m%d%H%M%S}{time.microsecond // 1000:03}"
        return f"{prefix}::{stable_id(self._account, 'activity', *parts, stamp(at))}"


def _line_json(line: Line, at: datetime) -> dict[str, object]:
    shown: dict[str, object] = {
        "activity_type": line.activity_type,
        "date": at.astimezone(UTC).date().isoformat(),
        "created_at": stamp(at),
        "net_amount": text(line.net_amount),
        "description": line.description,
        "status": "executed",
        "currency": "USD",
    }
    numbers = {"qty": line.quantity, "per_share_amount": line.per_share, "price": line.price}
    shown |= {name: plain(value) for name, value in numbers.items() if value is not None}
    texts = {"activity_sub_type": line.sub_type, "symbol": line.symbol}
    return shown | {name: value for name, value in texts.items() if value}


def types_of(wanted: str) -> frozenset[str]:
    """Give the activity types that one word of a query stands for; none where it is unknown."""
    if wanted == "TRANS":
        return frozenset(TRANSFERS)
    if wanted == "MISC":
        return frozenset(KINDS) - {FILL, "TRANS", "MISC", *TRANSFERS, *DIVIDENDS}
    return frozenset({wanted}) & frozenset(KINDS)
