"""Replacing an open order: which may be, and what the order that takes its place is.

`qty` counts what the old order has filled; the new one is for the rest and starts unfilled, so the
fills of the two add up. Messages as Alpaca's documentation and its users' published answers have
them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Final

from executor.exchange.fields import read_number
from executor.exchange.intake import read_client_order_id, read_time_in_force
from executor.exchange.messages import bad_request, unprocessable
from executor.exchange.orders import COMPLEX, Order, Ticket

_TOO_EARLY: Final = ("accepted", "pending_new", "pending_cancel", "pending_replace")


def require_replaceable(order: Order) -> None:
    """Refuse for an order that has ended, that is not in the market yet, or that is for an amount.

    Raises:
        Refusal: With Alpaca's status, code and message.
    """
    if order.status == "replaced":
        raise unprocessable("order already replaced")
    if not order.is_open or order.status in _TOO_EARLY:
        raise unprocessable(f"cannot replace order in {order.status} status")
    if order.ticket.notional is not None:
        raise unprocessable("notional orders cannot be replaced")


def read_replacement(
    body: Mapping[str, object], order: Order, orders: Mapping[str, Order]
) -> Ticket:
    """Read what changes, and give the order that takes the place of another.

    Args:
        body: `qty`, `limit_price`, `stop_price`, `trail`, `time_in_force`, `client_order_id`.
        order: The order to replace, which may be.
        orders: All orders by id, for its legs.

    Raises:
        Refusal: A value cannot be read or changed, or nothing changes.
    """
    old = order.ticket
    if body.get("notional") is not None:
        raise unprocessable("notional orders cannot be replaced")
    trail = _trail(body, old)
    new = replace(
        old,
        client_order_id=read_client_order_id(body),
        quantity=_quantity(body, order),
        limit_price=read_number(body, "limit_price") or old.limit_price,
        stop_price=read_number(body, "stop_price") or old.stop_price,
        time_in_force=read_time_in_force(body) if body.get("time_in_force") else old.time_in_force,
        trail_percent=trail if old.trail_percent is not None else None,
        trail_price=trail if old.trail_price is not None else None,
    )
    unchanged = replace(
        old, client_order_id=new.client_order_id, quantity=_left(order, old.quantity)
    )
    if new == unchanged:
        raise unprocessable("order parameters are not changed")
    return replace(
        new,
        take_profit=_leg_price(order, "take_profit", orders),
        stop_loss=_leg_price(order, "stop_loss", orders),
    )


def _quantity(body: Mapping[str, object], order: Order) -> Decimal:
    quantity, old = read_number(body, "qty"), order.ticket.quantity
    if quantity is None or quantity == old:
        return _left(order, old)
    if order.ticket.order_class in COMPLEX:
        raise unprocessable("qty cannot be changed for advanced orders")
    assert old is not None, "an order for an amount is not replaced"
    if any(one != one.to_integral_value() for one in (quantity, old)):
        raise unprocessable("qty of fractional orders cannot be changed")
    if quantity <= order.filled_quantity:
        raise unprocessable("qty must be > filled_qty")
    return _left(order, quantity)


def _left(order: Order, quantity: Decimal | None) -> Decimal:
    assert quantity is not None, "an order for an amount is not replaced"
    return quantity - order.filled_quantity


def _trail(body: Mapping[str, object], old: Ticket) -> Decimal | None:
    trail = read_number(body, "trail")
    if trail is not None and not old.trails:
        raise bad_request(f"{old.order_type} orders must not have trail")
    return trail or old.trail_percent or old.trail_price


def _leg_price(order: Order, role: str, orders: Mapping[str, Order]) -> Decimal | None:
    """Give a leg's price as it is by now, which a new limit is held to."""
    for leg in (orders[one] for one in order.legs):
        if leg.role == role:
            return leg.ticket.limit_price if role == "take_profit" else leg.ticket.stop_price
    return None
