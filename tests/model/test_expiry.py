from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.model.expiry import SESSIONS_MAX, expiry
from executor.model.market import MarketClock, Session
from executor.model.plan import TradingInstructionSet


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 1, day, hour, minute, tzinfo=UTC)


# January 12th is a Monday. The 19th is a holiday; the 16th is a half day here.
DAYS = (9, 12, 13, 14, 15, 16, 20, 21, 22)
SESSIONS = tuple(Session(at(day, 14, 30), at(day, 18 if day == 16 else 21)) for day in DAYS)


def plan(valid_until: datetime | None = None) -> TradingInstructionSet:
    document: dict[str, Any] = {"strategy_type": "test", "reason": "a reason", "instructions": []}
    if valid_until is not None:
        document["valid_until"] = valid_until
    return TradingInstructionSet.model_validate(document)


@pytest.mark.parametrize(
    ("added_at", "sessions_valid", "end", "why"),
    [
        (at(14, 15), 1, at(14, 21), "in session: this session"),
        (at(14, 14, 30), 1, at(14, 21), "the opening is part of the session"),
        (at(14, 21), 1, at(15, 21), "the close is not"),
        (at(14, 22), 1, at(15, 21), "closed: the next one"),
        (at(14, 10), 1, at(14, 21), "before the open: the same day's"),
        (at(10, 12), 1, at(12, 21), "on a Saturday: Monday's"),
        (at(16, 17, 59), 1, at(16, 18), "a half day ends early"),
        (at(16, 18, 1), 1, at(20, 21), "a half day that is over is closed; over a long weekend"),
        (at(14, 15), 2, at(15, 21), "two sessions"),
        (at(14, 22), 3, at(20, 21), "three sessions, the first of which is the next"),
    ],
)
def test_sessions_count_from_the_approval(
    added_at: datetime, sessions_valid: int, end: datetime, why: str
) -> None:
    assert expiry(plan(), added_at, SESSIONS, sessions_valid) == end, why


def test_an_explicit_end_wins_within_three_sessions() -> None:
    assert expiry(plan(at(14, 16)), at(14, 15), SESSIONS, 1) == at(14, 16)
    assert expiry(plan(at(15, 16)), at(14, 15), SESSIONS, 1) == at(15, 16)
    assert expiry(plan(at(22, 16)), at(14, 15), SESSIONS, 1) == at(16, 18)


@pytest.mark.parametrize(
    ("sessions", "why"),
    [
        ((), "no session is known"),
        (SESSIONS[4:], "the list begins after the approval, so its own session may be missing"),
        (SESSIONS[:3], "the list ends before the approval"),
    ],
)
def test_sessions_that_do_not_reach_tell_nothing(sessions: tuple[Session, ...], why: str) -> None:
    assert expiry(plan(), at(14, 15), sessions, 1) is None, why


def test_sessions_that_end_too_early_tell_nothing() -> None:
    assert expiry(plan(), at(14, 15), SESSIONS[:5], 2) == at(15, 21)
    assert expiry(plan(), at(14, 15), SESSIONS[:5], 3) is None
    assert expiry(plan(at(14, 16)), at(14, 15), SESSIONS[:5], 1) is None


def test_a_session_may_be_the_utc_day() -> None:
    days = tuple(Session(at(day, 0), at(day + 1, 0)) for day in range(13, 19))
    assert expiry(plan(), at(14, 0), days, 1) == at(15, 0)
    assert expiry(plan(), at(14, 23, 59), days, 1) == at(15, 0)


@given(
    minutes=st.integers(0, 10 * 24 * 60),
    sessions_valid=st.integers(1, SESSIONS_MAX),
    past=st.integers(0, len(SESSIONS)),
)
def test_what_is_known_of_the_past_never_changes_an_answer(
    minutes: int, sessions_valid: int, past: int
) -> None:
    added_at = at(10, 0) + timedelta(minutes=minutes)
    whole = expiry(plan(), added_at, SESSIONS, sessions_valid)
    partly = expiry(plan(), added_at, SESSIONS[past:], sessions_valid)
    assert partly in (None, whole)
    assert whole is None or whole > added_at


def test_the_running_session_is_found_behind_past_ones() -> None:
    assert MarketClock(at(14, 15), True, SESSIONS).current == SESSIONS[3]
    assert MarketClock(at(14, 21), False, SESSIONS).current is None
    assert MarketClock(at(14, 15), True).current is None
