from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import exchange_calendars
import pytest

from executor.exchange.sessions import (
    AlwaysOpen,
    NyseSessions,
    Sessions,
    as_clock,
    sessions_named,
)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# The oracle's own use of pandas, not ours.
@pytest.mark.filterwarnings("ignore:Series.values returning")
def test_the_nyse_calendar_is_that_of_the_oracle() -> None:
    oracle = exchange_calendars.get_calendar("XNYS", start="2020-01-01", end="2027-12-31")
    expected = [
        (row.name.date(), row["open"].to_pydatetime(), row["close"].to_pydatetime())
        for _, row in oracle.schedule.iterrows()
    ]
    ours = NyseSessions().between(date(2020, 1, 1), date(2027, 12, 31))
    assert [tuple(session) for session in ours] == expected


@pytest.mark.parametrize(
    ("at", "is_open", "next_open", "next_close"),
    [
        # Winter and summer time, the minute before, at, and at the end of the session.
        ("2026-01-14T14:29:59", False, "2026-01-14T09:30:00-05:00", "2026-01-14T16:00:00-05:00"),
        ("2026-01-14T14:30:00", True, "2026-01-15T09:30:00-05:00", "2026-01-14T16:00:00-05:00"),
        ("2026-01-14T21:00:00", False, "2026-01-15T09:30:00-05:00", "2026-01-15T16:00:00-05:00"),
        ("2026-07-14T13:30:00", True, "2026-07-15T09:30:00-04:00", "2026-07-14T16:00:00-04:00"),
        # Over the switch to summer time, a weekend and a holiday; a half day.
        ("2026-03-06T22:00:00", False, "2026-03-09T09:30:00-04:00", "2026-03-09T16:00:00-04:00"),
        ("2026-01-16T22:00:00", False, "2026-01-20T09:30:00-05:00", "2026-01-20T16:00:00-05:00"),
        ("2026-11-27T17:59:59", True, "2026-11-30T09:30:00-05:00", "2026-11-27T13:00:00-05:00"),
        ("2026-11-27T18:00:00", False, "2026-11-30T09:30:00-05:00", "2026-11-30T16:00:00-05:00"),
    ],
)
def test_the_nyse_clock(at: str, is_open: bool, next_open: str, next_close: str) -> None:
    clock = as_clock(NyseSessions(), utc(at))
    assert clock["is_open"] is is_open
    assert clock["next_open"] == next_open
    assert clock["next_close"] == next_close


def test_the_always_open_clock() -> None:
    clock = as_clock(AlwaysOpen(), utc("2026-01-17T12:00:00"))
    assert clock == {
        "timestamp": "2026-01-17T07:00:00-05:00",
        "is_open": True,
        "next_open": "2026-01-17T19:00:00-05:00",
        "next_close": "2026-01-17T19:00:00-05:00",
    }


def test_a_calendar_day_of_each() -> None:
    half = NyseSessions().on(date(2026, 11, 27))
    assert half is not None
    assert NyseSessions().as_calendar(half) == {
        "date": "2026-11-27",
        "open": "09:30",
        "close": "13:00",
        "session_open": "0400",
        "session_close": "1700",
        "settlement_date": "2026-11-30",
    }
    day = AlwaysOpen().as_calendar(AlwaysOpen().on(date(2026, 1, 17)))
    assert (day["date"], day["open"], day["close"]) == ("2026-01-17", "00:00", "23:59")
    assert day["settlement_date"] == "2026-01-18"


@pytest.mark.parametrize("name", ["always", "nyse"])
def test_what_follows_from_on_agrees_with_itself(name: str) -> None:
    sessions: Sessions = sessions_named(name)
    at = utc("2026-01-01T00:00:00")
    while at < utc("2026-02-01T00:00:00"):
        current, following = sessions.current(at), sessions.following(at)
        previous, serving = sessions.previous(at), sessions.serving(at)
        assert previous.closes <= at < following.opens
        assert serving == (current or following)
        if current is not None:
            assert current.contains(at)
            assert previous.closes <= current.opens
            assert current.closes <= following.opens
        at += timedelta(hours=7, minutes=13)


def test_windows_are_the_open_minutes() -> None:
    start, end = utc("2026-01-16T20:58:00"), utc("2026-01-20T14:31:00")
    assert list(NyseSessions().windows(start, end)) == [
        (start, utc("2026-01-16T20:59:00")),
        (utc("2026-01-20T14:30:00"), end),
    ]
    assert list(AlwaysOpen().windows(start, end)) == [(start, end)]
    assert list(AlwaysOpen().windows(end, start)) == []


def test_an_unknown_calendar_is_our_mistake() -> None:
    with pytest.raises(AssertionError, match="one of"):
        sessions_named("lse")
