from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.decisions.heartbeats import Silence, interval_of, silences
from executor.model.market import Session

OPENS = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
CLOSES = datetime(2026, 11, 20, 21, 0, tzinfo=UTC)
SESSION = Session(OPENS, CLOSES)
HOUR = timedelta(hours=1)
LATER = CLOSES + HOUR


def every(step: timedelta) -> list[datetime]:
    return [OPENS + number * step for number in range(int((CLOSES - OPENS) / step) + 1)]


def test_a_schedule_that_comes_is_not_silent() -> None:
    assert silences(every(timedelta(minutes=30)), [SESSION], LATER, HOUR) == ()
    assert silences([], [], LATER, HOUR) == ()


def test_a_silence_is_told_with_its_beginning() -> None:
    runs = [one for one in every(timedelta(minutes=30)) if one.hour not in (16, 17)]
    (found,) = silences(runs, [SESSION], LATER, HOUR)
    assert found == Silence(SESSION, len(runs), timedelta(hours=2, minutes=30), runs[2])


def test_a_session_without_any_run_is_silent_from_the_open_on() -> None:
    (found,) = silences([OPENS - HOUR, LATER], [SESSION], LATER, HOUR)
    assert (found.runs, found.since, found.longest) == (0, OPENS, CLOSES - OPENS)


def test_a_session_counts_up_to_now() -> None:
    assert silences([], [SESSION], OPENS + HOUR, HOUR) == ()
    assert silences([], [SESSION], OPENS + HOUR + timedelta(seconds=1), HOUR) != ()
    assert silences([], [SESSION], OPENS - HOUR, HOUR) == ()


@given(st.lists(st.integers(0, 390)))
def test_more_runs_never_make_a_silence(offsets: list[int]) -> None:
    runs = [OPENS + timedelta(minutes=one) for one in offsets]
    before = silences(runs[1:], [SESSION], LATER, HOUR)
    after = silences(runs, [SESSION], LATER, HOUR)
    assert len(after) <= len(before)


@pytest.mark.parametrize(
    ("cron", "minutes"),
    [
        ("7,37 9-16 * * 1-5", 30),
        ("*/15 9-16 * * 1-5", 15),
        ("5/20 10,11 * * *", 20),
        ("0 9-15/3 * * *", 180),
        ("0 * * * *", 60),
        ("0 14 * * *", 24 * 60),
    ],
)
def test_the_interval_is_the_longest_that_the_schedule_leaves(cron: str, minutes: int) -> None:
    text = f'on:\n  schedule:\n    - cron: "{cron}" # New York\n      timezone: x\n'
    assert interval_of(text) == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    "cron", ["", "* *", "MON 9 * * *", "5 noon * * *", "*/0 9 * * *", "61 9 * * *", "5 30 * * *"]
)
def test_a_schedule_that_cannot_be_read_has_none(cron: str) -> None:
    assert interval_of(f"    - cron: '{cron}'\n") is None
    assert interval_of("on: push\n") is None


def test_our_own_schedule_can_be_read() -> None:
    path = Path(__file__).parents[2] / ".github" / "workflows" / "tick.yml"
    assert interval_of(path.read_text()) == timedelta(minutes=30)
