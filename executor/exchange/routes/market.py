"""`/v2/clock` and `/v2/calendar`."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from executor.exchange.messages import Response, json_response
from executor.exchange.routes.call import Call, Route
from executor.exchange.sessions import as_clock

_DAYS_AROUND: Final = 366
"""How far the calendar reaches to each side of today where the query names no end."""
_DAYS_MOST: Final = 36_600


def get_clock(call: Call) -> Response:
    """Show the market clock."""
    return json_response(200, as_clock(call.desk.sessions, call.now))


def get_calendar(call: Call) -> Response:
    """List the sessions from `start` to `end`, both included, dates or times."""
    sessions = call.desk.sessions
    today = sessions.day_of(call.now)
    first = _date(call, "start") or today - timedelta(days=_DAYS_AROUND)
    last = _date(call, "end") or max(first, today) + timedelta(days=_DAYS_AROUND)
    last = min(last, first + timedelta(days=_DAYS_MOST))
    days = [sessions.as_calendar(session) for session in sessions.between(first, last)]
    return json_response(200, days)


def _date(call: Call, name: str) -> date | None:
    at = call.time(name)
    return None if at is None else at.date()


ROUTES: tuple[Route, ...] = (
    ("GET", "/v2/clock", get_clock),
    ("GET", "/v2/calendar", get_calendar),
)
