"""The account's equity over time: its present, with what was booked since then undone.

A pure function of the present holdings, the bookings, the price path and the calendar. The day
points lie at the closes of sessions, those within a day at the ends of their windows.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, NamedTuple

from executor.exchange.desk import Desk
from executor.exchange.messages import unprocessable
from executor.exchange.prices import EPOCH, floor_minute
from executor.exchange.sessions import DAY, MINUTE, Session, Sessions
from executor.model.numbers import ZERO, cents

STEPS: Final = {
    "1Min": MINUTE,
    "5Min": 5 * MINUTE,
    "15Min": 15 * MINUTE,
    "1H": 60 * MINUTE,
    "1D": DAY,
}
"""Every timeframe."""

INTRADAY_DAYS: Final = 30
"""Longer spans have day points only."""

_PERIOD: Final = re.compile(r"([1-9][0-9]{0,3})(D|W|M|A)")
_RATIO_STEP: Final = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Span:
    """What a query asks for."""

    first: date
    """The first date that may have a point."""
    last: date
    """The last one."""
    start: datetime | None
    """No window within a day ends by then; None where only dates bound the span."""
    end: datetime
    """No point is later; at most the present."""


@dataclass(frozen=True, slots=True)
class Query:
    """A query for a history, read."""

    span: Span
    timeframe: str
    continuous: bool = False
    """Windows around the clock, not in sessions only."""
    reset: bool = True
    """Within days: profit is counted from each day's previous close, not from the first one's."""
    flows: frozenset[str] = frozenset()
    """Activity types whose cash is shown."""


class Window(NamedTuple):
    """One point: how it is labeled, and the moment that it shows."""

    label: datetime
    ends: datetime
    """Bookings before it count, and the price of the minute before it."""
    day: date
    """The date, on the calendar's clock, that it belongs to."""


def read_period(raw: str, end: date) -> date:
    """Give the date on which a period such as 1D, 2W, 1M or 1A that ends on a date begins.

    Raises:
        Refusal: It is none.
    """
    days, months = _length(raw)
    return _plus_days(_plus_months(end, -months), 1 - days)


def end_of_period(raw: str, start: date) -> date:
    """Give the last date of a period that begins on a date."""
    days, months = _length(raw)
    return _plus_days(_plus_months(start, months), days - 1)


def _length(raw: str) -> tuple[int, int]:
    """Read a period's days and months, one of which is 0."""
    found = _PERIOD.fullmatch(raw)
    if found is None:
        raise unprocessable(f"invalid period: {raw}; write a number and D, W, M or A")
    count = int(found[1])
    return {"D": (count, 0), "W": (7 * count, 0), "M": (0, count), "A": (0, 12 * count)}[found[2]]


def _plus_months(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        return date.min if year < 1 else date.max
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _plus_days(day: date, days: int) -> date:
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return date.min if days < 0 else date.max


def default_timeframe(span: Span) -> str:
    """Give the timeframe of a query that names none, by the days that it spans."""
    days = (span.last - span.first).days + 1
    return "1Min" if days < 7 else "15Min" if days < INTRADAY_DAYS else "1D"


def history_json(desk: Desk, query: Query, now: datetime) -> dict[str, object]:
    """Show the history as Alpaca does."""
    windows = [one for one in _windows(desk.sessions, query, now) if _exists(desk, one.ends)]
    past = _Past(desk, now)
    equity = [past.equity(one.ends) for one in windows]
    first = desk.sessions.midnight(windows[0].day) if windows else now
    base, base_day = _base(desk, past, first, equity)
    bases = _bases(desk, past, query, windows, base)
    profits = [value - start for value, start in zip(equity, bases, strict=True)]
    parts = [_ratio(one, start) for one, start in zip(profits, bases, strict=True)]
    shown: dict[str, object] = {
        "timestamp": [int((one.label - EPOCH).total_seconds()) for one in windows],
        "equity": [float(one) for one in equity],
        "profit_loss": [float(one) for one in profits],
        "profit_loss_pct": [float(one) for one in parts],
        "base_value": float(base),
        "timeframe": query.timeframe,
        "cashflow": _cashflow(desk, query, windows, first),
    }
    if base_day is not None:
        shown["base_value_asof"] = base_day.isoformat()
    return shown


def _windows(sessions: Sessions, query: Query, now: datetime) -> Iterator[Window]:
    span = query.span
    if query.timeframe == "1D":
        for session in sessions.between(span.first, span.last):
            if session.closes <= span.end:
                yield Window(session.closes, session.closes, session.day)
            elif session.contains(now) and session.contains(span.end):
                # The day that is not over is shown as it stands, under the label it will have.
                yield Window(session.closes, floor_minute(now) + MINUTE, session.day)
        return
    step = STEPS[query.timeframe]
    for session in _stretches(sessions, query):
        at = session.opens
        while at < session.closes and at <= span.end:
            ends = min(at + step, session.closes, floor_minute(span.end) + MINUTE)
            if span.start is None or ends > span.start:
                yield Window(at, ends, session.day)
            at += step


def _stretches(sessions: Sessions, query: Query) -> Iterator[Session]:
    span = query.span
    if not query.continuous:
        yield from sessions.between(span.first, span.last)
        return
    day = span.first
    while day <= span.last:
        yield Session(day, sessions.midnight(day), sessions.midnight(day + DAY))
        day += DAY


class _Past:
    """The account as it was: the sums of all bookings from each moment on."""

    def __init__(self, desk: Desk, now: datetime) -> None:
        self._desk = desk
        self._changes = sorted(desk.journal.changes, key=lambda one: one.at)
        self._times = [one.at for one in self._changes]
        cash = desk.cash
        shares = {symbol: held.quantity for symbol, held in desk.positions.items()}
        self._states = [(cash, dict(shares))]
        for change in reversed(self._changes):
            cash -= change.cash
            for symbol, quantity in change.shares.items():
                shares[symbol] = shares.get(symbol, ZERO) - quantity
            self._states.append((cash, {name: held for name, held in shares.items() if held}))
        self._states.reverse()

    def equity(self, ends: datetime) -> Decimal:
        """Give the equity just before a moment, USD to the cent."""
        cash, shares = self._states[bisect_left(self._times, ends)]
        at = ends - MINUTE
        values = (cents(held * self._desk.mark(symbol, at)) for symbol, held in shares.items())
        return cash + sum(values, ZERO)


def _exists(desk: Desk, ends: datetime) -> bool:
    """Say whether the account had been opened by then."""
    return ends > min(desk.opening.created_at, desk.opened_at)


def _base(
    desk: Desk, past: _Past, first: datetime, equity: Sequence[Decimal]
) -> tuple[Decimal, date | None]:
    """Give what profit is measured from: the last close before the first point, or that point."""
    closed = desk.sessions.previous(first)
    if _exists(desk, closed.closes):
        return past.equity(closed.closes), closed.day
    return (equity[0] if equity else past.equity(first)), None


def _bases(
    desk: Desk, past: _Past, query: Query, windows: Sequence[Window], base: Decimal
) -> list[Decimal]:
    if query.timeframe == "1D" or not query.reset:
        return [base] * len(windows)
    by_day: dict[date, Decimal] = {}
    for window in windows:
        if window.day not in by_day:
            closed = desk.sessions.previous(desk.sessions.midnight(window.day)).closes
            by_day[window.day] = past.equity(closed) if _exists(desk, closed) else base
    return [by_day[window.day] for window in windows]


def _cashflow(
    desk: Desk, query: Query, windows: Sequence[Window], first: datetime
) -> dict[str, list[float]]:
    """Sum up the cash of each type in each window, the first one's from the close before it."""
    since = desk.sessions.previous(first).closes
    ends = [one.ends for one in windows]
    sums: dict[str, list[Decimal]] = {}
    for change in desk.journal.changes:
        index = bisect_right(ends, change.at)
        if change.flow in query.flows and change.at >= since and index < len(windows):
            sums.setdefault(change.flow, [ZERO] * len(windows))[index] += change.cash
    return {flow: [float(one) for one in sums[flow]] for flow in sorted(sums)}


def _ratio(part: Decimal, whole: Decimal) -> Decimal:
    return (part / whole).quantize(_RATIO_STEP, rounding=ROUND_HALF_UP) if whole else ZERO
