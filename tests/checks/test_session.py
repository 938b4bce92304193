from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from executor.checks.session import RULE
from executor.model.market import MarketClock, Session
from executor.model.verdict import Answer
from tests.checks.builders import (
    always_open,
    answers,
    clock,
    context,
    holding,
    judged,
    line,
    only,
    plan,
    position,
    readme_example,
    sentence,
    settings,
)


def at(day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, 1, day, hour, minute, second, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "remedy"),
    [
        (at(14, 14, 29), "possible from 2026-01-14T14:35:00Z"),
        (at(14, 14, 30), "possible from 2026-01-14T14:35:00Z"),
        (at(14, 14, 34, 59), "possible from 2026-01-14T14:35:00Z"),
        (at(14, 14, 35), None),
        (at(14, 20, 54, 59), None),
        (at(14, 20, 55), "possible from 2026-01-15T14:35:00Z"),
        (at(14, 21), "possible from 2026-01-15T14:35:00Z"),
        (at(16, 22), "possible from 2026-01-19T14:35:00Z"),
        (at(17, 15), "possible from 2026-01-19T14:35:00Z"),
    ],
)
def test_it_waits_outside_the_session_and_at_its_edges(now: datetime, remedy: str | None) -> None:
    verdict = only(RULE, context(market_clock=clock(now)))
    assert verdict.answer is (Answer.YES if remedy is None else Answer.NOT_NOW)
    assert verdict.remedy == remedy


def test_the_example_of_the_page() -> None:
    subject = context(market_clock=clock(at(14, 22)))
    assert sentence(only(RULE, subject)) == readme_example(RULE)


def test_a_half_day_that_is_over_is_closed() -> None:
    half, whole = Session(at(14, 14, 30), at(14, 18)), Session(at(15, 14, 30), at(15, 21))
    over = MarketClock(at(14, 18, 30), False, (half, whole))
    assert only(RULE, context(market_clock=over)).remedy == "possible from 2026-01-15T14:35:00Z"
    nearly = MarketClock(at(14, 17, 57), True, (half, whole))
    assert only(RULE, context(market_clock=nearly)).answer is Answer.NOT_NOW


@pytest.mark.parametrize("now", [at(14, 0), at(14, 12), at(14, 23, 59, 59)])
def test_a_session_of_a_whole_day_has_no_edges(now: datetime) -> None:
    assert answers(RULE, context(market_clock=always_open(now))) == [Answer.YES]


def test_an_edge_of_nothing_is_no_edge() -> None:
    chosen = settings(limits={"session_edge_minutes": 0})
    for now in (at(14, 14, 30), at(14, 20, 59, 59)):
        assert answers(RULE, context(market_clock=clock(now), settings=chosen)) == [Answer.YES]


def test_what_the_broker_calls_closed_is_closed_whatever_the_calendar_says() -> None:
    shut = replace(clock(), is_open=False)
    assert only(RULE, context(market_clock=shut)).answer is Answer.NOT_NOW


def test_unknown_hours_wait() -> None:
    unknown = MarketClock(at(14, 15), True)
    verdict = only(RULE, context(market_clock=unknown))
    assert verdict.answer is Answer.NOT_NOW
    assert verdict.remedy == "run again when the market is open"


def test_exits_wait_too() -> None:
    subject = context(
        plan(line("SELL")), positions=holding(position()), market_clock=clock(at(14, 22))
    )
    assert judged(RULE, subject).waits


def test_a_resume_needs_no_market() -> None:
    resume = plan(trading_state={"state": "ACTIVE", "reason": "found"}, instructions=[])
    assert answers(RULE, context(resume, market_clock=clock(at(17, 15)))) == [Answer.YES]
