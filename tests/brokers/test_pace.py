"""The rate limit is kept by what the broker's headers say, also with several requests under way."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from email.utils import format_datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.brokers.pace import MARGIN_SECONDS, WAIT_MAX_SECONDS, WAIT_MIN_SECONDS, Pace
from executor.brokers.transport import Answer
from executor.exchange.limits import RateLimit
from tests.brokers.support import ACCOUNT, NOON, ManualClock, answer, rig, scripted
from tests.fakes.clock import SimulatedClock

SECONDS = int(NOON.timestamp())


def told(left: object, reset: object, status: int = 200) -> Answer:
    return answer({}, status, X_RateLimit_Remaining=str(left), X_RateLimit_Reset=str(reset))


def informed(left: int, reset: int = SECONDS + 12) -> tuple[Pace, ManualClock]:
    """A pace that was told what is left, with nothing under way."""
    clock = ManualClock()
    pace = Pace(clock)
    assert pace.reserve() == 0
    pace.note(told(left, reset))
    return pace, clock


def reserved(pace: Pace, most: int = 1_000) -> int:
    """How many requests may go at once."""
    return next((count for count in range(most) if pace.reserve()), most)


@pytest.mark.parametrize(
    ("remaining", "reset", "pause"),
    [
        ("0", str(SECONDS + 12), 12 + MARGIN_SECONDS),
        ("0", str(SECONDS + 10_000), WAIT_MAX_SECONDS + MARGIN_SECONDS),
        ("0", str(SECONDS - 5), 0),
        ("0", "soon", 0),
        ("1", str(SECONDS + 12), 0),
        ("", str(SECONDS + 12), 0),
        ("-0", str(SECONDS + 12), 0),
    ],
)
def test_it_waits_only_where_nothing_is_left(remaining: str, reset: str, pause: float) -> None:
    pace = Pace(ManualClock())
    assert pace.reserve() == 0
    pace.note(told(remaining, reset))
    assert pace.reserve() == pause


def test_before_the_first_answer_one_request_goes_ahead() -> None:
    pace = Pace(ManualClock())
    assert reserved(pace) == 1
    pace.note(told(150, SECONDS + 12))
    assert reserved(pace) == 150


def test_without_a_limit_any_number_goes() -> None:
    pace = Pace(ManualClock())
    pace.reserve()
    pace.note(answer({}))
    assert reserved(pace) == 1_000


@pytest.mark.parametrize("poor", [None, answer(b"<html>", 502), answer({}, 401), told(9, "soon")])
def test_what_says_nothing_about_a_limit_lets_one_go_on(poor: Answer | None) -> None:
    pace = Pace(ManualClock())
    pace.reserve()
    pace.note(poor)
    assert reserved(pace) == 1


def test_an_answer_that_was_overtaken_gives_nothing_back() -> None:
    pace, _ = informed(10)
    assert reserved(pace, 3) == 3
    pace.note(told(7, SECONDS + 12))
    pace.note(told(9, SECONDS + 12))
    pace.note(told(8, SECONDS + 12))
    assert reserved(pace) == 7


def test_an_answer_of_a_window_that_is_over_says_nothing() -> None:
    pace, _ = informed(10)
    assert reserved(pace, 2) == 2
    pace.note(told(199, SECONDS + 72))
    pace.note(told(0, SECONDS + 12))
    assert reserved(pace) == 199
    assert pace.reserve() == 72 + MARGIN_SECONDS


def test_a_request_without_an_answer_may_have_been_counted() -> None:
    pace, _ = informed(10)
    assert reserved(pace, 4) == 4
    for _ in range(4):
        pace.note(None)
    assert reserved(pace) == 6


def test_an_answer_without_headers_takes_no_known_limit_away() -> None:
    pace, _ = informed(2)
    pace.reserve()
    pace.note(answer({}))
    assert reserved(pace) == 2


def test_in_a_new_window_one_goes_ahead_again() -> None:
    pace, clock = informed(0)
    clock.sleep(pace.reserve())
    assert reserved(pace) == 1
    pace.note(told(199, SECONDS + 72))
    assert reserved(pace) == 199


def test_who_may_not_go_yet_waits_for_the_answer_that_is_under_way() -> None:
    clock = ManualClock()
    pace = Pace(clock)
    pace.take()
    other = threading.Thread(target=pace.take)
    other.start()
    while not pace._answered._waiters and not clock.slept:  # type: ignore[attr-defined]
        time.sleep(0.001)
    pace.note(answer({}))
    other.join()
    assert clock.slept == []


def test_what_was_left_may_still_be_used_after_the_window() -> None:
    pace, clock = informed(5)
    clock.sleep(30)
    assert reserved(pace) == 5


@pytest.mark.parametrize(
    ("reset", "pause"),
    [
        (str(SECONDS + 30), 30 + MARGIN_SECONDS),
        (str(SECONDS - 30), WAIT_MIN_SECONDS + MARGIN_SECONDS),
        ("9" * 12, WAIT_MAX_SECONDS + MARGIN_SECONDS),
        ("", WAIT_MIN_SECONDS + MARGIN_SECONDS),
    ],
)
def test_after_a_429_nothing_goes_until_its_reset(reset: str, pause: float) -> None:
    pace, _ = informed(100)
    assert reserved(pace, 3) == 3
    for _ in range(3):
        pace.note(told(0, reset, 429))
    assert pace.reserve() == pause


def test_an_answer_from_before_a_429_does_not_open_it() -> None:
    pace, _ = informed(100)
    assert reserved(pace, 2) == 2
    pace.note(told(0, SECONDS + 12, 429))
    pace.note(told(40, SECONDS + 12))
    assert pace.reserve() == 12 + MARGIN_SECONDS


def test_a_reset_in_another_century_does_not_shut_it_for_ever() -> None:
    pace, clock = informed(100)
    pace.reserve()
    pace.note(told(0, "9" * 12, 429))
    clock.sleep(pace.reserve())
    pace.reserve()
    pace.note(told(50, SECONDS + 150))
    assert reserved(pace) == 50


@given(
    st.integers(1, 40),
    st.integers(1, 20),
    st.lists(st.integers(0, 19), min_size=60, max_size=60),
    st.integers(0, 59),
)
def test_no_order_of_answers_makes_it_ask_too_much(
    limit: int, width: int, turns: list[int], elapsed: int
) -> None:
    """Counted as the broker counts, at once or late, answered in any order: never a 429."""
    clock = ManualClock()
    clock.sleep(elapsed + 0.5)
    pace, counter = Pace(clock), RateLimit(limit)
    sent: list[float] = []
    under_way: list[Answer] = []
    todo = 3 * limit
    for turn in turns * (todo + 1):
        pause = pace.reserve() if todo and len(under_way) < width else 1.0
        if not pause:
            within, headers = counter.take("key", clock.now().timestamp())
            assert within
            sent.append(clock.now().timestamp())
            under_way.append(Answer(200, headers))
            todo -= 1
        elif under_way:
            pace.note(under_way.pop(turn % len(under_way)))
        elif todo:
            clock.sleep(pause)
        else:
            break
    assert not todo
    assert not under_way
    # Every window but the last is spent whole.
    windows = [int(one) // 60 for one in sent]
    assert all(windows.count(one) == limit for one in set(windows) - {max(windows)})
    assert all(later - sooner <= 1 for sooner, later in pairwise(windows))


def test_many_questions_never_see_a_429() -> None:
    with rig("engine", rate_limit=10) as made:
        for _ in range(35):
            made.broker.account()
        assert len(made.exchange.requests) == 35
        assert made.clock.slept == [60.0 + MARGIN_SECONDS, 60.0, 60.0]


def test_the_two_hosts_are_limited_apart() -> None:
    spent = answer({"bars": {}}, X_RateLimit_Remaining="0", X_RateLimit_Reset=str(SECONDS + 30))
    broker, _, clock = scripted(spent, answer(ACCOUNT), answer({"bars": {}}))
    broker.average_volumes(["MU"])
    broker.account()
    assert clock.slept == []
    broker.average_volumes(["MU"])
    assert clock.slept == [30.0 + MARGIN_SECONDS]


def test_a_clock_that_is_set_to_another_year_waits_for_the_reset_all_the_same() -> None:
    """Mode sim tells stories of other days to an exchange that counts in real minutes."""
    clock = SimulatedClock(datetime(2026, 1, 14, tzinfo=UTC))
    pace = Pace(clock)
    theirs = datetime(2026, 11, 22, 12, 0, 30, tzinfo=UTC)
    headers = {
        "Date": format_datetime(theirs, usegmt=True),
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": str(int(theirs.timestamp()) + 30),
    }
    assert pace.reserve() == 0
    pace.note(Answer(200, headers))
    assert 30 <= pace.reserve() <= 31
    clock.sleep(31)
    assert pace.reserve() == 0
    pace.note(Answer(200, {**headers, "Date": "no date"}))
