"""May this account have this order now? Alpaca's refusals that need the account to be known."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_DOWN, Decimal

from executor.exchange.account import balances
from executor.exchange.desk import Desk
from executor.exchange.messages import bad_request, forbidden, unprocessable
from executor.exchange.orders import Order, Ticket
from executor.exchange.universe import Instrument
from executor.model.numbers import NANO, ZERO, cents, plain
from executor.model.position import Position


def admit(desk: Desk, ticket: Ticket, instrument: Instrument, now: datetime) -> None:
    """Let an order in, or say why not, the first reason only, as Alpaca does.

    Raises:
        Refusal: With Alpaca's status, code, message and further keys.
    """
    if ticket.client_order_id in desk.by_client_id:
        raise bad_request("client_order_id must be unique")
    _require_account(desk)
    if not instrument.active:
        raise unprocessable(f'asset "{instrument.symbol}" is not active')
    if not instrument.tradable:
        raise unprocessable(f'asset "{instrument.symbol}" is not tradable')
    price = desk.check_price(ticket, now)
    if ticket.side == "sell":
        _require_shares(desk, ticket, price)
    _require_no_wash_trade(desk, ticket)
    if ticket.side == "buy":
        _require_buying_power(desk, ticket, price, now)


def _require_account(desk: Desk) -> None:
    flags = desk.flags
    if flags.trade_suspended_by_user:
        raise forbidden("new orders are rejected by user request")
    if flags.account_blocked or flags.status != "ACTIVE":
        raise forbidden("account is not allowed to trade")
    if flags.trading_blocked:
        raise forbidden("trading is blocked for this account")


def _require_shares(desk: Desk, ticket: Ticket, price: Decimal) -> None:
    held = desk.positions.get(ticket.symbol, Position(ticket.symbol))
    if not held.quantity:
        raise forbidden("account is not allowed to short")
    requested = ticket.quantity
    if requested is None:
        assert ticket.notional is not None, "an order has a quantity or a notional"
        requested = (ticket.notional / price).quantize(NANO, rounding=ROUND_DOWN)
    reserved = desk.held_for_orders(ticket.symbol)
    available = max(ZERO, held.quantity - reserved)
    if requested > available:
        raise forbidden(
            f"insufficient qty available for order (requested: {plain(requested)}, "
            f"available: {plain(available)})",
            symbol=ticket.symbol,
            existing_qty=plain(held.quantity),
            held_for_orders=plain(reserved),
            available=plain(available),
            related_orders=_open_sells(desk, ticket.symbol) or None,
        )


def _open_sells(desk: Desk, symbol: str) -> list[str]:
    return [
        one.id
        for one in desk.open_orders.values()
        if one.ticket.symbol == symbol and one.ticket.side == "sell"
    ]


def _require_no_wash_trade(desk: Desk, ticket: Ticket) -> None:
    for resting in desk.open_orders.values():
        if resting.ticket.symbol != ticket.symbol or resting.ticket.side == ticket.side:
            continue
        if _could_meet(ticket, resting):
            kind = "limit" if resting.ticket.order_type == "limit" else "market/stop"
            raise forbidden(
                "potential wash trade detected. use complex orders",
                existing_order_id=resting.id,
                reject_reason=f"opposite side {kind} order exists",
            )


def _could_meet(ticket: Ticket, resting: Order) -> bool:
    """Say whether two opposite orders could trade with each other.

    Two limit orders only where they cross; as soon as one is a market or stop order, always.
    """
    other = resting.ticket
    if ticket.order_type != "limit" or other.order_type != "limit":
        return True
    bought, sold = (ticket, other) if ticket.side == "buy" else (other, ticket)
    return (bought.limit_price or ZERO) >= (sold.limit_price or ZERO)


def _require_buying_power(desk: Desk, ticket: Ticket, price: Decimal, now: datetime) -> None:
    cost = ticket.notional
    if cost is None:
        assert ticket.quantity is not None, "an order has a quantity or a notional"
        cost = cents(ticket.quantity * price)
        if ticket.quantity != ticket.quantity.to_integral_value() and cost < 1:
            raise forbidden("cost basis must be >= minimal amount of order 1")
    power = balances(desk, now).buying_power
    if cost > power:
        raise forbidden(
            "insufficient buying power", buying_power=plain(power), cost_basis=plain(cost)
        )
