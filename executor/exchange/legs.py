"""Reading `order_class`, `take_profit` and `stop_loss`: the legs that a client asks for.

What has to hold of the order alone; that it is an entry or an exit of this account, and how its
prices stand to the market's, is judged in `admission`. Sources of the messages: Alpaca's
"Orders at Alpaca", and answers that its users published.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from executor.exchange.fields import read_number, require_increment
from executor.exchange.messages import bad_request, unprocessable, unsupported
from executor.exchange.orders import COMPLEX, Ticket

_CLASSES: Final = ("", "simple", *sorted(COMPLEX))
_ENTRY_TYPES: Final = ("market", "limit")


@dataclass(frozen=True, slots=True)
class Legs:
    """What a request says of its legs, USD a share."""

    order_class: str
    take_profit: Decimal | None = None
    stop_loss: Decimal | None = None
    stop_loss_limit: Decimal | None = None


def read_legs(body: Mapping[str, object]) -> Legs:
    """Read the class of an order and its legs' prices.

    Raises:
        Refusal: The class is unknown, or its legs are not the ones that it needs.
    """
    order_class = body.get("order_class") or ""
    if order_class == "mleg":
        raise unsupported("mleg orders are")
    if order_class not in _CLASSES:
        raise bad_request(f"invalid order_class: {order_class}")
    profit, loss = _object(body, "take_profit"), _object(body, "stop_loss")
    if order_class not in COMPLEX:
        if profit is not None or loss is not None:
            raise bad_request("simple orders must not have take_profit or stop_loss")
        return Legs(str(order_class))
    legs = Legs(
        str(order_class),
        _price(profit or {}, "take_profit", "limit_price"),
        _price(loss or {}, "stop_loss", "stop_price"),
        _price(loss or {}, "stop_loss", "limit_price"),
    )
    _require_legs(legs)
    return legs


def _object(body: Mapping[str, object], name: str) -> Mapping[str, object] | None:
    given = body.get(name)
    if given is not None and not isinstance(given, Mapping):
        raise bad_request(f"invalid {name}")
    return given


def _price(body: Mapping[str, object], leg: str, name: str) -> Decimal | None:
    price = read_number(body, name, f"{leg}.{name}")
    require_increment(f"{leg}.{name}", price)
    return price


def _require_legs(legs: Legs) -> None:
    name = legs.order_class
    if name == "oto":
        if (legs.take_profit is None) == (legs.stop_loss is None):
            raise bad_request("oto orders require either take_profit or stop_loss")
    elif legs.take_profit is None:
        raise bad_request(f"{name} orders require take_profit.limit_price")
    elif legs.stop_loss is None:
        raise bad_request(f"{name} orders require stop_loss.stop_price")
    if legs.stop_loss is None and legs.stop_loss_limit is not None:
        raise bad_request(f"{name} orders require stop_loss.stop_price")


def require_complex(ticket: Ticket, profit: Decimal | None) -> None:
    """Hold an order of a complex class to what its class allows.

    Args:
        ticket: The order; of any class.
        profit: The take-profit's limit, which an OCO order has as its own.

    Raises:
        Refusal: Its type or quantity does not go with its class, or its legs cross.
    """
    name = ticket.order_class
    if name not in COMPLEX:
        return
    if name == "oco" and ticket.order_type != "limit":
        raise unprocessable("oco orders must be limit orders")
    if ticket.order_type not in _ENTRY_TYPES:
        raise bad_request(f"{name} orders must be market or limit orders")
    if ticket.notional is not None or ticket.quantity != int(ticket.quantity or 0):
        raise unprocessable("fractional orders must be simple orders")
    if profit is None or ticket.stop_loss is None:
        return
    # An OCO order is on its exit's side, the entry of a bracket on the other.
    exits_long = ticket.side == ("sell" if name == "oco" else "buy")
    if profit <= ticket.stop_loss if exits_long else profit >= ticket.stop_loss:
        sign = ">" if exits_long else "<"
        raise unprocessable(f"take_profit.limit_price must be {sign} stop_loss.stop_price")
