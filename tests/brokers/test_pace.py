"""The rate limit is kept by what the broker's headers say."""

from __future__ import annotations

import pytest

from executor.brokers.pace import WAIT_MAX_SECONDS, Pace
from tests.brokers.support import ACCOUNT, NOON, ManualClock, answer, rig, scripted

SECONDS = int(NOON.timestamp())


@pytest.mark.parametrize(
    ("remaining", "reset", "slept"),
    [
        ("0", str(SECONDS + 12), [12.0]),
        ("0", str(SECONDS + 10_000), [WAIT_MAX_SECONDS]),
        ("0", str(SECONDS - 5), []),
        ("0", "soon", []),
        ("1", str(SECONDS + 12), []),
        ("", str(SECONDS + 12), []),
        ("-0", str(SECONDS + 12), []),
    ],
)
def test_it_waits_once_and_only_where_nothing_is_left(
    remaining: str, reset: str, slept: list[float]
) -> None:
    clock = ManualClock()
    pace = Pace(clock)
    pace.note(answer({}, X_RateLimit_Remaining=remaining, X_RateLimit_Reset=reset))
    pace.wait()
    pace.wait()
    assert clock.slept == slept


def test_it_knows_nothing_before_the_first_answer() -> None:
    clock = ManualClock()
    Pace(clock).wait()
    assert clock.slept == []


def test_many_questions_never_see_a_429() -> None:
    with rig("engine", rate_limit=10) as made:
        for _ in range(35):
            made.broker.account()
        assert len(made.exchange.requests) == 35
        assert made.clock.slept == [60.0] * 3


def test_the_two_hosts_are_limited_apart() -> None:
    spent = answer({"bars": {}}, X_RateLimit_Remaining="0", X_RateLimit_Reset=str(SECONDS + 30))
    broker, _, clock = scripted(spent, answer(ACCOUNT), answer({"bars": {}}))
    broker.average_volumes(["MU"])
    broker.account()
    assert clock.slept == []
    broker.average_volumes(["MU"])
    assert clock.slept == [30.0]
