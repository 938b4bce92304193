"""No order that could trade with another one of the same account, by Alpaca's table.

Market and stop orders against anything on the other side; limit and stop limit orders against each
other only where their limits cross. An order of a complex class and a trailing stop are let in
beside what rests ("use complex orders" is the advice in the refusal), but rest like any other: a
live leg stands in the way of a simple order. A leg that waits for its entry does not.
Source: Alpaca's "User Protection", section "Preventing Wash Trades".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from executor.exchange.messages import Refusal, forbidden
from executor.exchange.orders import COMPLEX, Order, Ticket
from executor.model.numbers import plain

_LIMITED: Final = ("limit", "stop_limit")


def require_no_wash_trade(ticket: Ticket, resting: Iterable[Order]) -> None:
    """Refuse an order that could trade with an open one.

    Raises:
        Refusal: With Alpaca's status, code, message and reason.
    """
    if ticket.order_class in COMPLEX or ticket.trails:
        return
    for order in resting:
        if order.ticket.symbol != ticket.symbol or order.ticket.side == ticket.side:
            continue
        if not order.is_dormant:
            _require_apart(ticket, order)


def _require_apart(ticket: Ticket, order: Order) -> None:
    other = order.ticket
    if other.order_type not in _LIMITED:
        raise _refusal(order, "opposite side market/stop order exists")
    if ticket.order_type not in _LIMITED:
        raise _refusal(order, "opposite side limit order exists")
    bought, sold = (ticket, other) if ticket.side == "buy" else (other, ticket)
    assert bought.limit_price is not None, "a limit order has a limit"
    assert sold.limit_price is not None, "a limit order has a limit"
    if bought.limit_price >= sold.limit_price:
        new, old, relation = ticket.side, other.side, "less" if bought is ticket else "greater"
        raise _refusal(
            order,
            f"{old} order exists, {new} limit price should be {relation} than existing {old} "
            "limit price",
            buy_limit_price=plain(bought.limit_price),
            sell_limit_price=plain(sold.limit_price),
        )


def _refusal(order: Order, reason: str, **facts: object) -> Refusal:
    return forbidden(
        "potential wash trade detected. use complex orders",
        existing_order_id=order.id,
        reject_reason=reason,
        **facts,
    )
