"""Bracket, OTO and OCO orders: which legs they have, and what one order's end does to the others.

The entry of a bracket or OTO order makes its legs live when it has filled in full. Of two exits
that live side by side (an OCO order is such a pair without an entry) one fill takes from both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from executor.exchange.orders import COMPLEX, Order, Ticket
from executor.exchange.universe import stable_id
from executor.model.numbers import ONE, ZERO
from executor.model.position import Side

_EXIT: Final[Mapping[Side, tuple[Side, str]]] = {
    "buy": ("sell", "sell_to_close"),
    "sell": ("buy", "buy_to_close"),
}


def leg_client_order_id(parent_id: str, role: str) -> str:
    """Give the client order id that the exchange makes for a leg."""
    return stable_id("leg", parent_id, role)


def group_id(first_id: str) -> str:
    """Give what the orders of a group share: a function of the id of its first parent."""
    return stable_id("group", first_id)


def leg_tickets(parent: Ticket, parent_id: str) -> Iterator[tuple[str, Ticket]]:
    """Give the legs that an order of a complex class asks for, each with its role."""
    if parent.order_class not in COMPLEX:
        return
    # An OCO order is itself an exit, so its leg is on its own side.
    side, intent = _EXIT[parent.side]
    if parent.order_class == "oco":
        side, intent = parent.side, parent.position_intent
    common = replace(
        parent,
        side=side,
        position_intent=intent,
        limit_price=None,
        stop_price=None,
        take_profit=None,
        stop_loss=None,
        stop_loss_limit=None,
    )
    if parent.take_profit is not None:
        role = "take_profit"
        made = leg_client_order_id(parent_id, role)
        limit = parent.take_profit
        yield role, replace(common, client_order_id=made, order_type="limit", limit_price=limit)
    if parent.stop_loss is not None:
        role = "stop_loss"
        yield (
            role,
            replace(
                common,
                client_order_id=leg_client_order_id(parent_id, role),
                order_type="stop" if parent.stop_loss_limit is None else "stop_limit",
                stop_price=parent.stop_loss,
                limit_price=parent.stop_loss_limit,
            ),
        )


def is_entry(order: Order) -> bool:
    """Say whether an order has legs that wait for it."""
    return bool(order.legs) and order.ticket.order_class != "oco"


def others(order: Order, orders: Mapping[str, Order]) -> list[Order]:
    """Give the open orders of the same group, parent first."""
    parent = order if order.legs else orders.get(order.parent_id or "")
    if parent is None:
        return []
    members = [parent, *(orders[leg] for leg in parent.legs)]
    return [one for one in members if one.is_open and one.id != order.id]


def is_sheltered(order: Order, orders: Mapping[str, Order]) -> bool:
    """Say whether a live stop-loss stands behind an open take-profit, which holds the shares."""
    return order.role == "stop_loss" and any(
        one.role == "take_profit" for one in others(order, orders)
    )


def status_once_live(order: Order, orders: Mapping[str, Order]) -> str:
    """Give the status of a leg in the market: `held` where its shares are the take-profit's."""
    return "held" if is_sheltered(order, orders) else "new"


def release_legs(entry: Order, orders: Mapping[str, Order], at: datetime) -> list[Order]:
    """Make the legs of an entry live that has filled in full, and give them."""
    released = [orders[leg] for leg in entry.legs if orders[leg].is_dormant]
    for leg in released:
        leg.live_from = leg.updated_at = at
        leg.status = status_once_live(leg, orders)
    return released


def shrink_others(order: Order, orders: Mapping[str, Order], at: datetime) -> None:
    """Leave the other exit only what an exit that has filled in part has left."""
    if is_entry(order):
        return
    for other in others(order, orders):
        assert order.ticket.quantity is not None, "an order of a group is for whole shares"
        left = order.ticket.quantity - order.filled_quantity
        other.ticket = replace(other.ticket, quantity=left + other.filled_quantity)
        other.updated_at = at


def status_of_others(order: Order, status: str, other: Order) -> str:
    """Give how another order of the group ends when one has: with the session, or canceled."""
    return "expired" if status == "expired" and not other.is_dormant else "canceled"


def held_shares(order: Order, orders: Mapping[str, Order]) -> Decimal:
    """Give the shares that an open SELL holds back from the position; a pair of exits holds once.

    Legs that wait hold what their entry has filled so far: it is promised to them.
    """
    if not order.is_dormant:
        return ZERO if is_sheltered(order, orders) else order.held()
    parent = orders[order.parent_id or ""]
    if parent.legs[0] != order.id:
        return ZERO
    # Not what this entry has filled: it may stand for the rest of one that it replaced.
    assert order.ticket.quantity is not None, "an order of a group is for whole shares"
    return order.ticket.quantity - parent.remaining(ONE)
