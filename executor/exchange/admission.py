"""May this account have this order now? Alpaca's refusals that need the account to be known."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_DOWN, Decimal

from executor.exchange.account import balances
from executor.exchange.desk import Desk
from executor.exchange.groups import held_shares
from executor.exchange.messages import bad_request, forbidden, unprocessable
from executor.exchange.orders import COMPLEX, Order, Ticket
from executor.exchange.universe import Instrument
from executor.exchange.washing import require_no_wash_trade
from executor.model.numbers import CENT, NANO, ZERO, cents, plain
from executor.model.position import Position


def admit(
    desk: Desk,
    ticket: Ticket,
    instrument: Instrument,
    now: datetime,
    instead_of: Order | None = None,
) -> None:
    """Let an order in, or say why not, the first reason only, as Alpaca does.

    Args:
        desk: The account.
        ticket: The order.
        instrument: What it is in.
        now: When.
        instead_of: The open order whose place it takes: what that one holds is free for it.

    Raises:
        Refusal: With Alpaca's status, code, message and further keys.
    """
    if ticket.client_order_id in desk.by_client_id:
        raise bad_request("client_order_id must be unique")
    _require_account(desk, ticket)
    if not instrument.active:
        raise unprocessable(f'asset "{instrument.symbol}" is not active')
    if not instrument.tradable:
        raise unprocessable(f'asset "{instrument.symbol}" is not tradable')
    _require_entry_or_exit(desk, ticket, instead_of)
    price = desk.check_price(ticket, now)
    _require_distance(ticket, desk.last_price(ticket.symbol, now))
    if instead_of is not None and instead_of.role == "stop_loss":
        _require_leg_distance(desk, ticket, instead_of, now)
    is_dormant = instead_of is not None and instead_of.is_dormant
    if ticket.side == "sell" and not is_dormant:
        _require_shares(desk, ticket, price, instead_of)
    require_no_wash_trade(ticket, desk.open_orders.values())
    if ticket.side == "buy":
        _require_buying_power(desk, ticket, price, now, instead_of)


def _require_account(desk: Desk, ticket: Ticket) -> None:
    flags = desk.flags
    if flags.trade_suspended_by_user:
        raise forbidden("new orders are rejected by user request")
    if flags.account_blocked or flags.status != "ACTIVE":
        raise forbidden("account is not allowed to trade")
    if flags.trading_blocked:
        raise forbidden("trading is blocked for this account")
    quantity = ticket.quantity
    is_fraction = quantity is None or quantity != quantity.to_integral_value()
    if is_fraction and not desk.configurations.fractional_trading:
        raise forbidden("account is not allowed to trade fractional shares")


def _require_entry_or_exit(desk: Desk, ticket: Ticket, instead_of: Order | None) -> None:
    """Hold bracket and OTO orders to entries, OCO orders to exits; here all holdings are long."""
    if ticket.order_class not in COMPLEX or instead_of is not None:
        return
    if ticket.order_class != "oco" and ticket.side == "sell":
        raise unprocessable(f"{ticket.order_class} orders must be entry orders")
    if ticket.order_class == "oco" and (
        ticket.side == "buy" or ticket.symbol not in desk.positions
    ):
        raise unprocessable("oco orders must be exit orders")


def _require_distance(ticket: Ticket, market: Decimal | None) -> None:
    """Hold the prices of legs, and a trail, to the right side of the market's by a cent.

    The base price of a stop-loss is the market's, and the limit of a limit entry or of the
    take-profit of an OCO order; that of a take-profit is the entry's limit, or the market's.
    """
    market = market or ticket.limit_price
    if market is None:
        return  # A stop without a price to compare it with, which has no legs.
    if ticket.trails and ticket.trailing_level(market) <= 0:
        raise unprocessable("trail must be less than the current price", market_price=plain(market))
    limit = ticket.limit_price or market
    _require_below(ticket.stop_loss, min(market, limit))
    if ticket.take_profit is not None and ticket.take_profit < limit + CENT:
        raise unprocessable(
            "take_profit.limit_price must be >= base_price + 0.01", base_price=plain(limit)
        )


def _require_leg_distance(desk: Desk, ticket: Ticket, leg: Order, now: datetime) -> None:
    """Hold the new price of a stop-loss leg to the base price that it would have had at first."""
    bases = [desk.last_price(ticket.symbol, now)]
    parent = desk.orders.get(leg.parent_id or "")
    if parent is not None and parent.is_open:
        bases.append(parent.ticket.limit_price)
    known = [base for base in bases if base is not None]
    if known:
        _require_below(ticket.stop_price, min(known))


def _require_below(stop: Decimal | None, base: Decimal) -> None:
    if stop is not None and stop > base - CENT:
        raise unprocessable(
            "stop_loss.stop_price must be <= base_price - 0.01", base_price=plain(base)
        )


def _require_shares(desk: Desk, ticket: Ticket, price: Decimal, instead_of: Order | None) -> None:
    held = desk.positions.get(ticket.symbol, Position(ticket.symbol))
    if not held.quantity:
        raise forbidden("account is not allowed to short")
    requested = ticket.quantity
    if requested is None:
        assert ticket.notional is not None, "an order has a quantity or a notional"
        requested = (ticket.notional / price).quantize(NANO, rounding=ROUND_DOWN)
    reserved = desk.held_for_orders(ticket.symbol)
    if instead_of is not None:
        # A pair of exits holds its shares once, whichever of the two is replaced.
        reserved -= instead_of.held()
    available = max(ZERO, held.quantity - reserved)
    if requested > available:
        raise forbidden(
            f"insufficient qty available for order (requested: {plain(requested)}, "
            f"available: {plain(available)})",
            symbol=ticket.symbol,
            existing_qty=plain(held.quantity),
            held_for_orders=plain(reserved),
            available=plain(available),
            related_orders=_holding_orders(desk, ticket.symbol) or None,
        )


def _holding_orders(desk: Desk, symbol: str) -> list[str]:
    return [
        one.id
        for one in desk.open_orders.values()
        if one.ticket.symbol == symbol and held_shares(one, desk.orders)
    ]


def _require_buying_power(
    desk: Desk, ticket: Ticket, price: Decimal, now: datetime, instead_of: Order | None
) -> None:
    cost = ticket.notional
    if cost is None:
        assert ticket.quantity is not None, "an order has a quantity or a notional"
        cost = cents(ticket.quantity * price)
        if ticket.quantity != ticket.quantity.to_integral_value() and cost < 1:
            raise forbidden("cost basis must be >= minimal amount of order 1")
    power = balances(desk, now, apart_from=instead_of).buying_power
    if cost > power:
        raise forbidden(
            "insufficient buying power", buying_power=plain(power), cost_basis=plain(cost)
        )
