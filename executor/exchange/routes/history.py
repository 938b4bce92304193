"""`/v2/account/portfolio/history`: equity over time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from executor.exchange.activities import FILL, types_of
from executor.exchange.history import (
    INTRADAY_DAYS,
    STEPS,
    Query,
    Span,
    default_timeframe,
    end_of_period,
    history_json,
    read_period,
)
from executor.exchange.messages import Response, json_response, read_time, unprocessable
from executor.exchange.prices import EPOCH
from executor.exchange.routes.call import Call, Route

_REPORTING = ("market_hours", "extended_hours", "continuous")
_RESETS = ("per_day", "no_reset")


def get_history(call: Call) -> Response:
    """Show the account's equity over a span."""
    reporting = _one_of(call, "intraday_reporting", _REPORTING)
    reset = _one_of(call, "pnl_reset", _RESETS)
    span = _span(call)
    timeframe = call.query("timeframe") or default_timeframe(span)
    if timeframe not in STEPS:
        raise unprocessable(f"invalid timeframe: {timeframe}; known are {', '.join(STEPS)}")
    if timeframe != "1D" and (span.last - span.first).days + 1 > INTRADAY_DAYS + 1:
        raise unprocessable(f"timeframe {timeframe} is for {INTRADAY_DAYS} days at most; use 1D")
    query = Query(
        _bounded(call, span),
        timeframe,
        continuous=reporting == "continuous",
        reset=reset == "per_day",
        flows=_flows(call.query("cashflow_types", "NONE")),
    )
    return json_response(200, history_json(call.desk, query, call.now))


def _span(call: Call) -> Span:
    """Read what bounds the span: two at most of start, end and period, or one, or none."""
    start, end = _time(call, "start", "date_start"), _time(call, "end", "date_end")
    period = call.query("period")
    if start and end and period:
        raise unprocessable("only two of start, end and period are accepted")
    sessions, now = call.desk.sessions, call.now
    if start is not None and start > (end or now):
        raise unprocessable("start is after the end")
    if start is not None:
        first = sessions.day_of(start)
        if end is None:
            final = end_of_period(period or "1M", first)
            over = final < sessions.day_of(now)
            end = sessions.midnight(final + timedelta(days=1)) if over else now
        last = min(end, now)
        return Span(first, sessions.day_of(last), start, last)
    last = min(end or now, now)
    day = sessions.day_of(last)
    if end is None:
        # The latest day with a session that has opened: before the open, that of the day before.
        current = sessions.current(now) or sessions.previous(now)
        day = current.day
    return Span(read_period(period or "1M", day), day, None, last)


def _bounded(call: Call, span: Span) -> Span:
    """Leave out the time before the account was opened, which has no points."""
    desk = call.desk
    opened = desk.sessions.day_of(min(desk.opening.created_at, desk.opened_at))
    return Span(max(span.first, min(opened, span.last)), span.last, span.start, span.end)


def _time(call: Call, name: str, former: str) -> datetime | None:
    """Read a time, under its name or the one that it had; a number is seconds since the epoch."""
    used = name if call.query(name) else former
    raw = call.query(used)
    if raw.isascii() and raw.isdigit() and len(raw) < 12:
        return EPOCH + timedelta(seconds=int(raw))
    if not raw:
        return None
    return read_time(raw, used).astimezone(UTC)


def _one_of(call: Call, name: str, known: tuple[str, ...]) -> str:
    value = call.query(name, known[0])
    if value not in known:
        raise unprocessable(f"invalid {name}: {value}; known are {', '.join(known)}")
    return value


def _flows(wanted: str) -> frozenset[str]:
    if wanted == "NONE":
        return frozenset()
    if wanted == "ALL":
        return types_of("TRANS") | types_of("DIV") | types_of("MISC")
    flows: frozenset[str] = frozenset()
    for one in wanted.split(","):
        found = types_of(one.strip()) - {FILL}
        if not found:
            raise unprocessable(f"invalid cashflow type: {one.strip()}")
        flows |= found
    return flows


ROUTES: tuple[Route, ...] = (("GET", "/v2/account/portfolio/history", get_history),)
