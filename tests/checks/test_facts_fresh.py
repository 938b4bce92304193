from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from executor.checks.facts_fresh import RULE
from executor.model.verdict import Answer
from tests.checks.builders import (
    NOW,
    account,
    answers,
    context,
    holding,
    judged,
    line,
    only,
    plan,
    position,
    readme_example,
    sentence,
    verdicts,
)

OLD = NOW - timedelta(days=6)


def test_fresh_facts_pass() -> None:
    assert answers(RULE, context(plan(market_context={"vix": 15.98}))) == [Answer.YES]


@pytest.mark.parametrize(("minutes", "answer"), [(5, Answer.YES), (6, Answer.NOT_NOW)])
def test_an_old_account_waits(minutes: int, answer: Answer) -> None:
    found = account(as_of=NOW - timedelta(minutes=minutes))
    assert answers(RULE, context(account=found)) == [answer]


@pytest.mark.parametrize(
    ("market", "timestamp", "answer", "why"),
    [
        ({"vix": 16, "vix_at": "2026-01-14T14:00:00Z"}, OLD, Answer.YES, "its own time counts"),
        ({"vix": 16, "as_of": "2026-01-08T15:00:00"}, NOW, Answer.NOT_NOW, "as_of is its time"),
        ({"vix": 16}, OLD, Answer.NOT_NOW, "without one the plan's time counts"),
        ({"vix": 16, "vix_at": "2999-01-01T00:00:00Z"}, NOW, Answer.NOT_NOW, "no VIX is of then"),
        ({"vix": 16, "as_of": "yesterday"}, OLD, Answer.NOT_NOW, "words are no time"),
        ({"vix": "high"}, OLD, Answer.YES, "words are no VIX"),
        ({"vix": True}, OLD, Answer.YES, "neither is a truth"),
        ({"regime": "BULLISH"}, OLD, Answer.YES, "no VIX, no age"),
    ],
)
def test_an_old_vix_waits(market: dict[str, Any], timestamp: Any, answer: Answer, why: str) -> None:
    subject = context(plan(market_context=market, timestamp=timestamp))
    assert answers(RULE, subject) == [answer], why


def test_the_time_of_the_approval_stands_in_for_the_plans() -> None:
    untimed = plan(market_context={"vix": 16}).model_copy(update={"timestamp": None})
    assert answers(RULE, context(untimed)) == [Answer.YES]
    assert answers(RULE, context(untimed, added_at=OLD)) == [Answer.NOT_NOW]


def test_a_vix_without_any_time_waits() -> None:
    untimed = plan(market_context={"vix": 16}).model_copy(update={"timestamp": None})
    verdict = only(RULE, context(untimed, added_at=None))
    assert verdict.answer is Answer.NOT_NOW
    assert "vix_at" in (verdict.remedy or "")


def test_the_example_of_the_page() -> None:
    market = {"vix": 16, "vix_at": "2026-01-08T15:00:00Z"}
    assert sentence(only(RULE, context(plan(market_context=market)))) == readme_example(RULE)


def test_both_ages_are_named() -> None:
    subject = context(plan(market_context={"vix": 16}, timestamp=OLD), account=account(as_of=OLD))
    assert len(verdicts(RULE, subject)) == 2


def test_exits_go_on() -> None:
    both = plan(line("SELL", "MU"), line("BUY", "AMD"))
    subject = context(both, positions=holding(position("MU")), account=account(as_of=OLD))
    judgment = judged(RULE, subject)
    assert judgment.openings_wait
    assert not judgment.waits
    exit_only = context(
        plan(line("SELL")), positions=holding(position("MU")), account=account(as_of=OLD)
    )
    assert answers(RULE, exit_only) == [Answer.YES]
