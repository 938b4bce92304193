"""What the account is worth and may spend, and how Alpaca's API shows it and its holdings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from executor.exchange.adjusted import factor_since, scaled
from executor.exchange.desk import Desk
from executor.exchange.messages import stamp, text
from executor.exchange.orders import Order
from executor.exchange.sessions import MINUTE
from executor.exchange.universe import stable_id
from executor.model.numbers import ZERO, cents, plain
from executor.model.position import Position

MAINTENANCE: Final = Decimal("0.30")
"""Maintenance margin, a part of the long market value."""
_RATIO_STEP: Final = Decimal("0.0000000001")


@dataclass(frozen=True, slots=True)
class Balances:
    """The account's figures at a moment, all in USD to the cent."""

    cash: Decimal
    long_market_value: Decimal
    equity: Decimal
    """Cash plus long market value."""
    buying_power: Decimal
    """multiplier x equity - long market value - open BUYs, at least 0: Regulation T, where the
    initial margin of a holding is 1/multiplier of its value. SELLs add to it when they execute."""
    regt_buying_power: Decimal
    """The same with a multiplier of at most 2."""
    non_marginable_buying_power: Decimal
    """Cash less open BUYs, at least 0."""
    initial_margin: Decimal
    maintenance_margin: Decimal


def balances(desk: Desk, now: datetime, apart_from: Order | None = None) -> Balances:
    """Value the account at a moment, as if an open order held nothing back."""
    long = sum(
        (cents(held.quantity * desk.mark(held.symbol, now)) for held in desk.positions.values()),
        ZERO,
    )
    equity = desk.cash + long
    reserved = cents(desk.reserved(apart_from))
    multiplier = desk.multiplier
    regt = min(multiplier, 2)
    return Balances(
        cash=desk.cash,
        long_market_value=long,
        equity=equity,
        buying_power=max(ZERO, multiplier * equity - long - reserved),
        regt_buying_power=max(ZERO, regt * equity - long - reserved),
        non_marginable_buying_power=max(ZERO, desk.cash - reserved),
        initial_margin=cents(long / regt),
        maintenance_margin=cents(long * MAINTENANCE),
    )


def last_equity(desk: Desk, now: datetime) -> Decimal:
    """Give the equity at the close of the last session that has ended, USD to the cent.

    The opening's own figure where it has one and no session has closed since; otherwise what was
    held then (what is held now, with the later fills undone) at the prices of then.
    """
    closed = desk.sessions.previous(now).closes
    given = desk.opening.last_equity
    if given is not None and closed <= desk.opened_at:
        return given
    today = desk.today(now)
    quantities = {symbol: held.quantity for symbol, held in desk.positions.items()}
    for symbol, traded in today.symbols.items():
        quantities[symbol] = quantities.get(symbol, ZERO) - traded.change
    values = (
        cents(quantity * desk.mark(symbol, closed - MINUTE))
        for symbol, quantity in quantities.items()
        if quantity
    )
    return desk.cash - today.cash_change + sum(values, ZERO)


def account_json(desk: Desk, now: datetime) -> dict[str, object]:
    """Show the account as Alpaca does.

    The pattern-day-trader fields are absent, as they are at Alpaca since July 2026.
    """
    figures = balances(desk, now)
    opening, flags = desk.opening, desk.flags
    closed = desk.sessions.previous(now)
    return {
        "id": stable_id("account", opening.account_number),
        "account_number": opening.account_number,
        "status": flags.status,
        "crypto_status": "INACTIVE",
        "currency": "USD",
        "cash": plain(figures.cash),
        "portfolio_value": plain(figures.equity),
        "equity": plain(figures.equity),
        "last_equity": plain(last_equity(desk, now)),
        "buying_power": plain(figures.buying_power),
        "effective_buying_power": plain(figures.buying_power),
        "regt_buying_power": plain(figures.regt_buying_power),
        "non_marginable_buying_power": plain(figures.non_marginable_buying_power),
        "options_buying_power": "0",
        "options_approved_level": 0,
        "options_trading_level": 0,
        "multiplier": str(desk.multiplier),
        "initial_margin": plain(figures.initial_margin),
        "maintenance_margin": plain(figures.maintenance_margin),
        "last_maintenance_margin": plain(figures.maintenance_margin),
        "sma": plain(max(ZERO, figures.equity - figures.initial_margin)),
        "long_market_value": plain(figures.long_market_value),
        "short_market_value": "0",
        "position_market_value": plain(figures.long_market_value),
        "accrued_fees": "0",
        "pending_transfer_in": "0",
        "pending_transfer_out": "0",
        "pending_reg_taf_fees": "0",
        "intraday_adjustments": "0",
        "trading_blocked": flags.trading_blocked,
        "transfers_blocked": flags.transfers_blocked,
        "account_blocked": flags.account_blocked,
        "trade_suspended_by_user": flags.trade_suspended_by_user,
        "shorting_enabled": False,
        "created_at": stamp(opening.created_at),
        "balance_asof": closed.day.isoformat(),
    }


def position_json(desk: Desk, held: Position, now: datetime) -> dict[str, object]:
    """Show a holding as Alpaca does."""
    instrument = desk.instruments.get(held.symbol)
    price = desk.mark(held.symbol, now)
    last_day = last_day_price(desk, held.symbol, now)
    value = cents(held.quantity * price)
    profit = value - held.cost_basis
    base_today = _value_at_start(desk, held, now, last_day)
    return {
        "asset_id": instrument.asset_id if instrument else stable_id("asset", held.symbol),
        "symbol": held.symbol,
        "exchange": instrument.venue if instrument else "NYSE",
        "asset_class": "us_equity",
        "asset_marginable": True,
        "qty": plain(held.quantity),
        "qty_available": plain(max(ZERO, held.quantity - desk.held_for_orders(held.symbol))),
        "avg_entry_price": plain(held.average_entry_price),
        "side": "long",
        "market_value": plain(value),
        "cost_basis": plain(held.cost_basis),
        "unrealized_pl": plain(profit),
        "unrealized_plpc": text(_ratio(profit, held.cost_basis)),
        "unrealized_intraday_pl": plain(value - base_today),
        "unrealized_intraday_plpc": text(_ratio(value - base_today, base_today)),
        "current_price": plain(price),
        "lastday_price": plain(last_day),
        "change_today": text(_ratio(price - last_day, last_day)),
    }


def last_day_price(desk: Desk, symbol: str, now: datetime) -> Decimal:
    """Give the USD a share at the last close, in shares of the present: splits since are in it."""
    at = desk.sessions.previous(now).closes - MINUTE
    return scaled(desk.mark(symbol, at), factor_since(desk.prices, symbol, at))


def _value_at_start(desk: Desk, held: Position, now: datetime, last_day: Decimal) -> Decimal:
    """Give what today's profit is measured from, USD to the cent.

    Shares held since before today count at the last close, those bought today at their cost; what
    was sold today is taken from the former first.
    """
    traded = desk.today(now).symbols.get(held.symbol)
    if traded is None or not traded.bought:
        return cents(held.quantity * last_day)
    kept = min(traded.bought, held.quantity)
    kept_cost = traded.bought_value * kept / traded.bought
    return cents((held.quantity - kept) * last_day + kept_cost)


def _ratio(part: Decimal, whole: Decimal) -> Decimal:
    if not whole:
        return ZERO
    return (part / whole).quantize(_RATIO_STEP, rounding=ROUND_HALF_UP)
