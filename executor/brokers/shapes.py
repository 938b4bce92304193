"""The broker's objects as our values: orders, account, positions, assets, prices, sessions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from executor.brokers.parsing import Row, Unreadable, rows_of
from executor.model.facts import AccountFacts, PositionFacts
from executor.model.market import Asset, Quote, Session, Trade
from executor.model.numbers import ONE, ZERO, cents
from executor.model.order import OrderReport, OrderStatus
from executor.model.order_id import parse_order_id
from executor.model.position import Side

SIMPLE: Final = "simple"
"""The class of an order alone, which the broker may also tell as an empty text or not at all."""

NEW_YORK: Final = ZoneInfo("America/New_York")

_ENDED: Final[Mapping[str, OrderStatus]] = {
    one.value: one for one in OrderStatus if one.is_terminal
}
"""Everything else, also a status that nobody has heard of, may still trade."""

_TIME_OF_DAY: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")

_WHOLE_DAY: Final = ("00:00", "23:59")
"""A calendar row that says so is of an exchange which never closes; its day is the UTC day, whose
last minute stands for its end, since 24:00 is no time of a day."""


def order_report(value: object) -> OrderReport:
    """Read an order.

    Ids, symbol, side and quantities have to be there. Status, type and dates may be anything: an
    order that we cannot name exactly is still an order. Its legs are told where they are nested.
    """
    row = Row(value, "an order")
    filled = row.number("filled_qty")
    if filled < 0:
        raise Unreadable("`filled_qty` of an order is negative")
    average = row.number_or_none("filled_avg_price")
    if filled and average is None:
        # Booked without a price it would be lost: a later report tells sums only.
        raise Unreadable("an order holds a fill without `filled_avg_price`")
    word = row.word("status", "missing")
    return OrderReport(
        client_order_id=row.text("client_order_id"),
        broker_order_id=row.text("id"),
        symbol=row.text("symbol"),
        side=_side(row),
        order_type=row.word("type", row.word("order_type", "missing")),
        time_in_force=row.word("time_in_force", "missing"),
        status=_ENDED.get(word, OrderStatus.OPEN),
        broker_status=word,
        quantity=row.number_or_none("qty"),
        notional=row.number_or_none("notional"),
        filled_quantity=filled,
        average_fill_price=average,
        limit_price=row.number_or_none("limit_price"),
        stop_price=row.number_or_none("stop_price"),
        trail_percent=row.number_or_none("trail_percent"),
        submitted_at=row.time_or_none("submitted_at"),
        filled_at=row.time_or_none("filled_at"),
        updated_at=row.time_or_none("updated_at"),
        order_class=row.word("order_class", SIMPLE),
        legs=_legs(row),
    )


def _legs(row: Row) -> tuple[OrderReport, ...]:
    nested = row.raw("legs")
    return () if nested is None else tuple(order_report(one) for one in rows_of(nested, "legs"))


def foreign_order(value: object) -> OrderReport | None:
    """What can be said of an order that is none of ours and that we cannot read; None for ours.

    Options in several legs have no symbol and no side. Such an order blocks new risk, as every
    order does that no commit explains, and nothing else.
    """
    row = Row(value, "an order")
    client_order_id = row.word("client_order_id", "missing")
    if parse_order_id(client_order_id) is not None:
        return None
    word = row.word("status", "missing")
    return OrderReport(
        client_order_id=client_order_id,
        broker_order_id=row.text("id"),
        symbol=row.word("symbol", "unreadable"),
        side="buy",
        order_type=row.word("type", "missing"),
        time_in_force=row.word("time_in_force", "missing"),
        status=_ENDED.get(word, OrderStatus.OPEN),
        broker_status=word,
        quantity=None,
        notional=None,
        submitted_at=row.time_or_none("submitted_at"),
        order_class=row.word("order_class", SIMPLE),
    )


def _side(row: Row) -> Side:
    match row.raw("side"):
        case "buy":
            return "buy"
        case "sell":
            return "sell"
    raise Unreadable("`side` of an order is neither buy nor sell")


def account_facts(value: object, as_of: datetime) -> AccountFacts:
    """Read the account. What left Alpaca's answers over the years is not asked for."""
    row = Row(value, "the account")
    cash, buying_power = row.number("cash"), row.number("buying_power")
    unlevered = row.number_or_none("non_marginable_buying_power")
    multiplier = row.number_or_none("multiplier")
    return AccountFacts(
        account_number=row.text("account_number"),
        status=row.text("status"),
        cash=cash,
        equity=row.number("equity"),
        last_equity=row.number("last_equity"),
        buying_power=buying_power,
        # Where the broker does not tell, the careful reading: no more than cash, no margin.
        non_marginable_buying_power=min(cash, buying_power) if unlevered is None else unlevered,
        multiplier=ONE if multiplier is None else multiplier,
        trading_blocked=row.flag("trading_blocked"),
        account_blocked=row.flag("account_blocked"),
        trade_suspended_by_user=row.flag("trade_suspended_by_user"),
        as_of=as_of,
    )


def position_facts(value: object) -> PositionFacts:
    """Read a holding; a short one is negative however its sign is told."""
    row = Row(value, "a position")
    quantity = row.number("qty")
    if row.raw("side") == "short":
        quantity = -abs(quantity)
    available = row.number_or_none("qty_available")
    price = row.number("avg_entry_price")
    worth = row.number_or_none("market_value")
    profit = row.number_or_none("unrealized_pl")
    return PositionFacts(
        symbol=row.text("symbol"),
        quantity=quantity,
        available=quantity if available is None else available,
        average_entry_price=price,
        # Null where the broker has no price, of a delisted share say: what was paid stands in, so
        # that one such holding does not block the exit from the others.
        market_value=cents(quantity * price) if worth is None else worth,
        unrealized_pl=ZERO if profit is None else profit,
    )


def asset(value: object) -> Asset:
    """Read an asset."""
    row = Row(value, "an asset")
    return Asset(
        symbol=row.text("symbol"),
        status=row.text("status"),
        tradable=row.flag("tradable"),
        fractionable=row.flag("fractionable"),
        asset_class=row.text("class"),
    )


def quote(value: object) -> Quote:
    """Read a quote; a side that is absent is 0, as is one without any bid or ask."""
    row = Row(value, "a quote")
    return Quote(row.number_or_none("bp") or ZERO, row.number_or_none("ap") or ZERO, row.time("t"))


def trade(value: object) -> Trade:
    """Read a trade."""
    row = Row(value, "a trade")
    return Trade(row.number("p"), row.time("t"))


def daily_bar(value: object) -> tuple[datetime, Decimal]:
    """Read when a bar starts and the shares of its volume."""
    row = Row(value, "a bar")
    return row.time("t"), row.number("v")


def session(value: object) -> Session:
    """Read a day of the calendar, whose times are New York's although they do not say so."""
    row = Row(value, "a calendar day")
    try:
        day = date.fromisoformat(row.text("date"))
    except ValueError:
        raise Unreadable("`date` of a calendar day cannot be read") from None
    opens, closes = row.text("open"), row.text("close")
    try:
        if (opens, closes) == _WHOLE_DAY:
            start = datetime.combine(day, time(), UTC)
            return Session(start, start + timedelta(days=1))
        found = Session(_instant(day, opens), _instant(day, closes))
    except OverflowError:
        raise Unreadable("`date` of a calendar day is out of bounds") from None
    if found.opens >= found.closes:
        raise Unreadable("a calendar day closes before it opens")
    return found


def _instant(day: date, text: str) -> datetime:
    found = _TIME_OF_DAY.fullmatch(text)
    if found is None:
        raise Unreadable("a time of day in the calendar cannot be read")
    at = time(int(found[1]), int(found[2]))
    return datetime.combine(day, at, NEW_YORK).astimezone(UTC)
