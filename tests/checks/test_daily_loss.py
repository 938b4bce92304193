from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from executor.checks.daily_loss import RULE
from executor.model.context import Context
from executor.model.facts import RecordFacts
from executor.model.verdict import Answer
from tests.checks.builders import (
    account,
    answers,
    context,
    holding,
    judged,
    line,
    plan,
    position,
    readme_example,
    sentence,
)


def after(equity: str, *instructions: dict[str, object], start: str = "100000") -> Context:
    return context(
        plan(*instructions),
        account=account(equity=Decimal(equity), last_equity=Decimal(start)),
        positions=holding(position("AMD", "10", "221.08")),
    )


def test_a_small_loss_and_a_gain_pass() -> None:
    assert answers(RULE, after("95000.01")) == [Answer.YES]
    assert answers(RULE, after("105000")) == [Answer.YES]


def test_at_the_limit_nothing_is_opened_and_exits_go() -> None:
    result = judged(RULE, after("95000", line("SELL", "AMD"), line()))
    assert result.denied == {1}
    assert result.going == {0}
    verdict = result.verdicts[0]
    assert verdict.observed == "equity 95,000.00 USD is 5 % under the day's start, 100,000.00 USD"
    assert verdict.limit == "less than 5 %"
    assert verdict.remedy == "wait for the next session, or propose exits only"


def test_exits_only_and_the_next_session_help() -> None:
    assert answers(RULE, after("95000", line("SELL", "AMD"))) == [Answer.YES]
    assert answers(RULE, after("95000", start="95000")) == [Answer.YES]


def test_an_account_without_a_day_before_has_lost_nothing() -> None:
    assert answers(RULE, after("100000", start="0")) == [Answer.YES]


def test_capital_that_came_or_went_is_no_profit_and_no_loss() -> None:
    def moved(equity: str, transferred: str) -> list[Answer]:
        record = RecordFacts(positions={}, transferred_today=Decimal(transferred))
        subject = after(equity)
        return answers(RULE, context(facts=replace(subject.facts, record=record)))

    assert moved("90000", "-10000") == [Answer.YES]
    assert moved("100000", "10000") == [Answer.NO]
    assert moved("104500.01", "10000") == [Answer.YES]


@pytest.mark.parametrize("missing", ["account", "record"])
def test_without_its_facts_it_waits(missing: str) -> None:
    assert answers(RULE, context(**{missing: None})) == [Answer.NOT_NOW]


def test_the_example_of_the_page() -> None:
    [verdict] = judged(RULE, after("94500")).verdicts
    assert sentence(verdict) == readme_example(RULE)
