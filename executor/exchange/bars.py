"""Price bars from the price path: which ones a query asks for, and what each of them shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Final

from executor.exchange.messages import Refusal, stamp
from executor.exchange.prices import EPOCH, PriceSource
from executor.exchange.sessions import DAY, MINUTE, Session, Sessions
from executor.model.numbers import ZERO

SAMPLES: Final = 32
"""A bar's high, low and average come from at most so many of its minutes, evenly spread."""

_TIMEFRAME: Final = re.compile(r"([1-9][0-9]?)(Min|T|Hour|H|Day|D|Week|W|Month|M)")
_UNITS: Final = {"T": "Min", "H": "Hour", "D": "Day", "W": "Week", "M": "Month"}
_MOST: Final = {"Min": 59, "Hour": 23, "Day": 1, "Week": 1, "Month": 12}


@dataclass(frozen=True, slots=True)
class Timeframe:
    """The length of a bar."""

    count: int
    unit: str
    """Min, Hour, Day, Week or Month."""


@dataclass(frozen=True, slots=True)
class Span:
    """One bar before it is priced: its time stamp and the open minutes that it covers."""

    stamp: datetime
    parts: tuple[Session, ...]
    """Stretches of open time, in order; each carries the date of its session."""


def read_timeframe(raw: str) -> Timeframe:
    """Read a timeframe such as 1Min, 15Min, 1Hour, 1Day, 1Week or 3Month.

    Raises:
        Refusal: It is none that Alpaca knows.
    """
    found = _TIMEFRAME.fullmatch(raw)
    unit = _UNITS.get(found[2], found[2]) if found else ""
    if found is None or not 1 <= int(found[1]) <= _MOST[unit]:
        raise Refusal(400, None, f"invalid timeframe: {raw}")
    count = int(found[1])
    if unit == "Month" and 12 % count:
        raise Refusal(400, None, f"invalid timeframe: {raw}")
    return Timeframe(count, unit)


def spans(
    sessions: Sessions, timeframe: Timeframe, start: datetime, end: datetime, now: datetime
) -> Iterator[Span]:
    """Give the bars whose time stamps lie from start to end, as far as time has come."""
    first, last = sessions.day_of(start), sessions.day_of(min(end, now))
    if timeframe.unit in ("Min", "Hour"):
        candidates = _intraday(sessions, timeframe, first - DAY, last)
    else:
        candidates = _daily(sessions, timeframe, _period(timeframe, first), last + 31 * DAY)
    for span in candidates:
        known = tuple(
            part._replace(closes=min(part.closes, now + MINUTE))
            for part in span.parts
            if part.opens <= now
        )
        if known and start <= span.stamp <= end:
            yield Span(span.stamp, known)


def _intraday(sessions: Sessions, timeframe: Timeframe, first: date, last: date) -> Iterator[Span]:
    step = timedelta(minutes=timeframe.count * (60 if timeframe.unit == "Hour" else 1))
    for session in sessions.between(first, last):
        at = EPOCH + (session.opens - EPOCH) // step * step
        while at < session.closes:
            opens, closes = max(at, session.opens), min(at + step, session.closes)
            yield Span(at, (Session(session.day, opens, closes),))
            at += step


def _daily(sessions: Sessions, timeframe: Timeframe, first: date, last: date) -> Iterator[Span]:
    ordered = sessions.between(first, last)
    for day, group in groupby(ordered, key=lambda one: _period(timeframe, one.day)):
        yield Span(sessions.midnight(day), tuple(group))


def _period(timeframe: Timeframe, day: date) -> date:
    """Give the first date of the day, week (from Monday) or run of months that holds a date."""
    if timeframe.unit == "Week":
        return day - day.weekday() * DAY
    if timeframe.unit == "Month":
        month = (day.month - 1) // timeframe.count * timeframe.count + 1
        return day.replace(month=month, day=1)
    return day


def bar_json(
    prices: PriceSource, sessions: Sessions, symbol: str, span: Span
) -> dict[str, object] | None:
    """Price one bar as Alpaca shows it; None where the symbol had no price yet."""
    minutes = [
        part.opens + index * MINUTE
        for part in span.parts
        for index in _spread(_length(part), max(2, SAMPLES // len(span.parts)))
    ]
    found = [price for at in minutes if (price := prices.price(symbol, at)) is not None]
    if not found:
        return None
    volume = max(1, sum(_volume(prices, sessions, symbol, part) for part in span.parts))
    return {
        "t": stamp(span.stamp),
        "o": float(found[0]),
        "h": float(max(found)),
        "l": float(min(found)),
        "c": float(found[-1]),
        "v": volume,
        "n": max(1, volume // 100),
        "vw": float(round(sum(found, ZERO) / len(found), 6)),
    }


def _length(part: Session) -> int:
    return max(1, (part.closes - part.opens) // MINUTE)


def _spread(length: int, samples: int) -> list[int]:
    """Choose minutes of a stretch, the first and the last among them."""
    if length <= samples:
        return list(range(length))
    return [index * (length - 1) // (samples - 1) for index in range(samples)]


def _volume(prices: PriceSource, sessions: Sessions, symbol: str, part: Session) -> int:
    """Give the shares traded in a part of a session: its share of the session's minutes."""
    whole = sessions.on(part.day)
    assert whole is not None, f"a bar of {part.day} lies in a session"
    return prices.daily_volume(symbol, part.opens) * _length(part) // _length(whole)
