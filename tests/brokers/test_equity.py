"""The equity of past closes: exact, in order, from the first funded day to the last close."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.errors import BrokerUnavailable
from executor.model.order import EquityPoint
from tests.brokers.support import NOON, Kind, answer, buy, rig, scripted

SINCE = NOON - timedelta(days=30)


def seconds(days_ago: float) -> int:
    return int((NOON - timedelta(days=days_ago)).timestamp())


def told(times: object, values: object) -> tuple[EquityPoint, ...]:
    broker, _, _ = scripted(
        answer({"timestamp": times, "equity": values, "timeframe": "1D", "base_value": None})
    )
    return broker.equity_history(SINCE)


def test_numbers_are_exact_and_sorted() -> None:
    points = told([seconds(1), seconds(2)], [8425.21, 0.1])
    assert points == (
        EquityPoint(NOON - timedelta(days=2), Decimal("0.1")),
        EquityPoint(NOON - timedelta(days=1), Decimal("8425.21")),
    )


def test_days_before_the_money_came_are_left_out() -> None:
    days = [seconds(age) for age in (6, 5, 4, 3, 2, 1)]
    points = told(days, [0, None, 0.0, 1000, 0, None])
    assert [one.equity for one in points] == [1000, 0], "what was lost afterwards was lost"


def test_the_session_that_runs_and_the_time_before_are_left_out() -> None:
    points = told([seconds(31), seconds(1), seconds(-0.2)], [1, 2, 3])
    assert [one.equity for one in points] == [2]


@pytest.mark.parametrize("nothing", [[], None])
def test_a_new_account_has_no_past(nothing: object) -> None:
    assert told(nothing, nothing) == ()


def test_both_ends_are_named() -> None:
    """Without an end the broker tells one month only."""
    broker, transport, _ = scripted(answer({"timestamp": [], "equity": []}))
    assert broker.equity_history(SINCE) == ()
    assert transport.asked == [
        (
            "trading",
            "GET",
            "/v2/account/portfolio/history",
            {
                "timeframe": "1D",
                "start": "2025-12-15T17:00:00Z",
                "end": "2026-01-14T17:00:00Z",
            },
        )
    ]


def test_the_future_is_not_asked_for() -> None:
    broker, transport, _ = scripted(answer({}))
    assert broker.equity_history(NOON) == ()
    assert transport.asked == []


@pytest.mark.parametrize(
    ("times", "values", "problem"),
    [
        ([1, 2], [1], "two equal lists"),
        ({}, [1], "two equal lists"),
        ("1", "1", "two equal lists"),
        (["soon"], [1], "holds no time"),
        ([True], [1], "holds no time"),
        ([-1], [1], "holds no time"),
        ([1_700_000_000_000], [1], "holds no time"),
        ([1.5], [1], "holds no time"),
        ([1], ["a lot"], "holds no number"),
        ([1], [True], "holds no number"),
    ],
)
def test_what_cannot_be_read_is_no_answer(times: object, values: object, problem: str) -> None:
    with pytest.raises(BrokerUnavailable, match=problem):
        told(times, values)


@given(st.lists(st.tuples(st.integers(0, 40), st.none() | st.integers(0, 3)), max_size=12))
def test_points_lie_within_the_time_asked_for(days: list[tuple[int, int | None]]) -> None:
    points = told([seconds(age) for age, _ in days], [value for _, value in days])
    assert [one.at for one in points] == sorted(one.at for one in points)
    assert all(SINCE <= one.at <= NOON for one in points)
    assert not points or points[0].equity > 0
    funded = sum(value not in (None, 0) and age <= 30 for age, value in days)
    assert sum(one.equity > 0 for one in points) == funded


def test_the_exchanges_past_ends_at_the_last_close(kind: Kind) -> None:
    with rig(kind, calendar="nyse") as made:
        made.broker.submit_all([buy(quantity="100")])
        made.clock.sleep(timedelta(days=5).total_seconds())
        points = made.broker.equity_history(NOON - timedelta(days=1))
        # Tuesday to Friday; Monday is a holiday.
        assert [one.at for one in points] == [
            datetime(2026, 1, day, 21, tzinfo=UTC) for day in (13, 14, 15, 16)
        ]
        assert points[-1].equity == made.broker.account().last_equity
        assert points[0].equity != points[-1].equity
