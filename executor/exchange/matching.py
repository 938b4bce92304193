"""When an order fills, and at what price: a look along the price path, which books nothing.

A BUY takes the ask and a SELL the bid of the minute. A limit order fills in the first minute whose
ask (bid) is at its limit or better, at that ask (bid). A stop is triggered by the last price and
then is a market order, or with a limit a limit order; a trailing stop's price follows the last
price. Each order is filled in full by whatever minute it meets: the book is deep, and only an
injected fault splits an order. A leg is not in the market before its entry has filled in full.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal

from executor.exchange.orders import Order
from executor.exchange.prices import EPOCH, MINUTE, PriceSource, floor_minute, half_spread, quote_at
from executor.exchange.sessions import Sessions
from executor.exchange.trailing import follow
from executor.model.numbers import NANO, ONE
from executor.model.position import Side


@dataclass(frozen=True, slots=True)
class Event:
    """The next thing that happens to an order: a fill, or its end with the session."""

    at: datetime
    quantity: Decimal | None = None
    """Shares that fill; None where the order expires."""
    price: Decimal | None = None


def next_event(
    order: Order, prices: PriceSource, sessions: Sessions, now: datetime
) -> Event | None:
    """Find what happens to an open order next, until now; remember how far the look went."""
    if order.is_dormant:
        return None
    expires = order.expires_at
    until = now if expires is None or now < expires else expires - MINUTE
    release = _release(order, now)
    if release is not None:
        start = max(order.looked_until or EPOCH, floor_minute(release))
        fill = _first_fill(order, prices, sessions, start, floor_minute(until), release)
        if fill is not None:
            return fill
        # A price stands still within its minute, so a minute is looked at once.
        order.looked_until = max(start, floor_minute(until) + MINUTE)
    return Event(expires) if expires is not None and expires <= now else None


def _release(order: Order, now: datetime) -> datetime | None:
    """Give the moment from which the order may fill; None while an injected fault holds it."""
    treatment = order.treatment
    if not treatment.waits or (treatment.fraction and not order.filled_quantity):
        return order.live_from
    if treatment.polls is not None:
        return now if order.polls >= treatment.polls else None
    if treatment.seconds is not None:
        release = order.submitted_at + timedelta(seconds=treatment.seconds)
        return release if release <= now else None
    return None


def _first_fill(
    order: Order,
    prices: PriceSource,
    sessions: Sessions,
    start: datetime,
    end: datetime,
    release: datetime,
) -> Event | None:
    earliest = _first_reach(order, prices, start, end)
    if earliest is None:
        return None
    for first, last in sessions.windows(earliest, end):
        minute = _first_minute(order, prices, first, last)
        if minute is None:
            continue
        last_price = prices.price(order.ticket.symbol, minute)
        assert last_price is not None, f"{minute} was found by its price"
        price = side_price(order.ticket.side, last_price)
        return Event(max(minute, release), _quantity(order, price), price)
    return None


def _first_reach(
    order: Order, prices: PriceSource, start: datetime, end: datetime
) -> datetime | None:
    """Find the first minute, open or not, at the price that the order waits for.

    One search over the whole stretch spares a search in each session of months.
    """
    ticket = order.ticket
    if ticket.trails:
        return start
    if ticket.stop_price is not None and not order.triggered:
        falling = ticket.side == "sell"
        return prices.crossing(ticket.symbol, start, end, ticket.stop_price, falling)
    if ticket.limit_price is not None:
        level = marketable_level(ticket.side, ticket.limit_price)
        return prices.crossing(ticket.symbol, start, end, level, ticket.side == "buy")
    return start


def _first_minute(
    order: Order, prices: PriceSource, first: datetime, last: datetime
) -> datetime | None:
    """Find the first minute of an open stretch in which the order fills."""
    ticket = order.ticket
    if not order.triggered and (ticket.trails or ticket.stop_price is not None):
        minute = _trigger(order, prices, first, last)
        if minute is None:
            return None
        order.triggered = True
        first = minute
    if ticket.limit_price is None:
        return _first_priced(prices, ticket.symbol, first, last)
    level = marketable_level(ticket.side, ticket.limit_price)
    return prices.crossing(ticket.symbol, first, last, level, ticket.side == "buy")


def _trigger(order: Order, prices: PriceSource, first: datetime, last: datetime) -> datetime | None:
    ticket = order.ticket
    if ticket.stop_price is None:
        return follow(order, prices, first, last)
    falling = ticket.side == "sell"
    return prices.crossing(ticket.symbol, first, last, ticket.stop_price, falling)


def was_triggered(order: Order, prices: PriceSource, sessions: Sessions, until: datetime) -> bool:
    """Say whether a stop limit order's stop was reached from its start to a time.

    Alpaca's form of an order does not tell it, the price path does.
    """
    assert order.live_from is not None, "a leg that waits has not been triggered"
    return any(
        _trigger(order, prices, first, last) is not None
        for first, last in sessions.windows(floor_minute(order.live_from), floor_minute(until))
    )


def _first_priced(
    prices: PriceSource, symbol: str, first: datetime, last: datetime
) -> datetime | None:
    """Find the first minute with a price: the first of all, unless a recording starts later."""
    if prices.price(symbol, first) is not None:
        return first
    return prices.crossing(symbol, first, last, Decimal(0), False)


def side_price(side: Side, last_price: Decimal) -> Decimal:
    """Give what a market order pays or gets for a share: the ask, or the bid."""
    quote = quote_at(last_price)
    return quote.ask if side == "buy" else quote.bid


def marketable_level(side: Side, limit: Decimal) -> Decimal:
    """Give the last price at which a limit order just fills: its ask (bid) is the limit.

    The spread depends on the price itself, by steps; where the limit stands on such a step, the
    nearest price on the safe side is taken, so an order never fills beyond its limit.
    """
    sign = -1 if side == "buy" else 1
    level = limit + sign * half_spread(limit)
    closer = limit + sign * half_spread(level)
    return closer if half_spread(closer) <= half_spread(level) else level


def _quantity(order: Order, price: Decimal) -> Decimal:
    """Give the shares that fill now: all that remain, or the fault's part on the first fill."""
    remaining = order.remaining(price)
    treatment = order.treatment
    if not treatment.waits or not treatment.fraction or order.filled_quantity:
        return remaining
    whole = remaining == remaining.to_integral_value() and order.ticket.notional is None
    step = ONE if whole and remaining > ONE else NANO
    part = (remaining * treatment.fraction).quantize(step, rounding=ROUND_DOWN)
    return max(part, step)
