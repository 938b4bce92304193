"""When the exchange trades: always, or as the New York Stock Exchange does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple, Protocol
from zoneinfo import ZoneInfo

NEW_YORK: Final = ZoneInfo("America/New_York")
MINUTE: Final = timedelta(minutes=1)
DAY: Final = timedelta(days=1)
_LONGEST_BREAK: Final = 15
"""Days. No break between two sessions has been longer since 1933."""


class Session(NamedTuple):
    """One trading session; its end is not part of it."""

    day: date
    opens: datetime
    closes: datetime

    def contains(self, at: datetime) -> bool:
        """Say whether a time lies within the session."""
        return self.opens <= at < self.closes


class Sessions(Protocol):
    """A calendar of sessions: four methods differ, the rest follows from them."""

    def on(self, day: date) -> Session | None:
        """Give the session of a trading day, None where there is none."""
        ...

    def as_calendar(self, session: Session) -> dict[str, str]:
        """Show a session as a day of Alpaca's calendar."""
        ...

    def day_of(self, at: datetime) -> date:
        """Give the date, on this calendar's clock, of a time."""
        ...

    def midnight(self, day: date) -> datetime:
        """Give the start of a date on this calendar's clock, which daily bars carry."""
        ...

    def current(self, at: datetime) -> Session | None:
        """Give the session that contains a time, if one does."""
        session = self.on(self.day_of(at))
        return session if session is not None and session.contains(at) else None

    def following(self, at: datetime) -> Session:
        """Give the first session that opens after a time."""
        day = self.day_of(at)
        for ahead in range(_LONGEST_BREAK):
            session = self.on(day + ahead * DAY)
            if session is not None and session.opens > at:
                return session
        raise AssertionError(f"a session opens within {_LONGEST_BREAK} days of {at}")

    def previous(self, at: datetime) -> Session:
        """Give the last session that had closed by a time."""
        day = self.day_of(at)
        for back in range(_LONGEST_BREAK):
            session = self.on(day - back * DAY)
            if session is not None and session.closes <= at:
                return session
        raise AssertionError(f"a session closed within {_LONGEST_BREAK} days before {at}")

    def serving(self, at: datetime) -> Session:
        """Give the session in which a DAY order of a time trades: this one, or the next."""
        return self.current(at) or self.following(at)

    def between(self, first: date, last: date) -> Iterator[Session]:
        """Give the sessions of the days from first to last, both included."""
        day = first
        while day <= last:
            session = self.on(day)
            if session is not None:
                yield session
            day += DAY

    def windows(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Give the stretches of open minutes from start to end, each as first and last minute."""
        for session in self.between(self.day_of(start), self.day_of(end)):
            first, last = max(start, session.opens), min(end, session.closes - MINUTE)
            if first <= last:
                yield first, last


class AlwaysOpen(Sessions):
    """Every minute of every day; a session is the UTC day."""

    def on(self, day: date) -> Session:
        """Give the UTC day."""
        return _utc_day(day)

    def day_of(self, at: datetime) -> date:
        """Give the UTC date."""
        return at.astimezone(UTC).date()

    def midnight(self, day: date) -> datetime:
        """Give midnight UTC."""
        return self.on(day).opens

    def windows(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Give the whole stretch: no minute is closed."""
        if start <= end:
            yield start, end

    def as_calendar(self, session: Session) -> dict[str, str]:
        """Show the UTC day. Its last minute stands for its end, as 24:00 is no time of a day."""
        return {
            "date": session.day.isoformat(),
            "open": "00:00",
            "close": "23:59",
            "session_open": "0000",
            "session_close": "2359",
            "settlement_date": (session.day + DAY).isoformat(),
        }


class NyseSessions(Sessions):
    """Regular sessions of the New York Stock Exchange with its holidays and half days."""

    def on(self, day: date) -> Session | None:
        """Give the regular session: 09:30 to 16:00 New York time, to 13:00 on half days."""
        return _nyse_session(day)

    def day_of(self, at: datetime) -> date:
        """Give the date in New York."""
        return at.astimezone(NEW_YORK).date()

    def midnight(self, day: date) -> datetime:
        """Give midnight in New York."""
        return datetime.combine(day, time(), NEW_YORK).astimezone(UTC)

    def as_calendar(self, session: Session) -> dict[str, str]:
        """Show the session in New York time, with its extended hours and its settlement (T+1)."""
        closes = session.closes.astimezone(NEW_YORK)
        return {
            "date": session.day.isoformat(),
            "open": "09:30",
            "close": f"{closes:%H:%M}",
            "session_open": "0400",
            "session_close": "2000" if closes.hour == 16 else "1700",
            "settlement_date": self.following(session.closes).day.isoformat(),
        }


@lru_cache(maxsize=1_024)
def _utc_day(day: date) -> Session:
    opens = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return Session(day, opens, opens + DAY)


@lru_cache(maxsize=1)
def _nyse_days() -> tuple[Any, Any]:
    """Load the holidays and the half days; each grows by a year when it is asked about one."""
    # The import costs a quarter of a second, which only this calendar pays.
    import holidays
    from holidays.constants import HALF_DAY

    closed = holidays.financial_holidays("NYSE")
    return closed, holidays.financial_holidays("NYSE", categories=HALF_DAY)


@lru_cache(maxsize=16_384)
def _nyse_session(day: date) -> Session | None:
    closed, halved = _nyse_days()
    if day.weekday() >= 5 or day in closed:
        return None
    opens = datetime.combine(day, time(9, 30), NEW_YORK)
    closes = datetime.combine(day, time(13 if day in halved else 16), NEW_YORK)
    return Session(day, opens.astimezone(UTC), closes.astimezone(UTC))


def sessions_named(name: str) -> Sessions:
    """Give the calendar that the settings name: `always` or `nyse`."""
    calendars: dict[str, Sessions] = {"always": AlwaysOpen(), "nyse": NyseSessions()}
    assert name in calendars, f"the calendar is one of {sorted(calendars)}, not {name!r}"
    return calendars[name]


def as_clock(sessions: Sessions, now: datetime) -> dict[str, object]:
    """Show the market clock as Alpaca does, in New York's offset."""
    session = sessions.current(now)
    following = sessions.following(now)
    closes = (session or following).closes
    return {
        "timestamp": now.astimezone(NEW_YORK).isoformat(),
        "is_open": session is not None,
        "next_open": following.opens.astimezone(NEW_YORK).isoformat(),
        "next_close": closes.astimezone(NEW_YORK).isoformat(),
    }
