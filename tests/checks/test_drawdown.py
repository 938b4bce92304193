from __future__ import annotations

from decimal import Decimal

from executor.checks.drawdown import RULE
from executor.model.context import Context
from executor.model.facts import RecordFacts
from executor.model.verdict import Answer
from tests.checks.builders import (
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


def under(peak: str | None, *instructions: dict[str, object]) -> Context:
    return context(
        plan(*instructions),
        record=RecordFacts(peak_equity=Decimal(peak) if peak else None),
        positions=holding(position("AMD", "10", "221.08")),
    )


def test_near_the_peak_and_before_the_first_one_it_passes() -> None:
    assert answers(RULE, under("124999")) == [Answer.YES]
    assert answers(RULE, under("90000")) == [Answer.YES]
    assert answers(RULE, under(None)) == [Answer.YES]


def test_at_the_limit_nothing_is_opened_and_exits_go() -> None:
    result = judged(RULE, under("125000", line("SELL", "AMD"), line()))
    assert result.denied == {1}
    assert result.going == {0}
    verdict = result.verdicts[0]
    assert verdict.observed == "equity 100,000.00 USD is 20 % under its peak, 125,000.00 USD"
    assert verdict.limit == "less than 20 %"
    assert sentence(verdict) == readme_example(RULE)


def test_exits_only_and_a_rebased_peak_help() -> None:
    assert answers(RULE, under("125000", line("SELL", "AMD"))) == [Answer.YES]
    assert answers(RULE, under("100000")) == [Answer.YES]


def test_without_the_record_it_waits() -> None:
    assert answers(RULE, context(record=None)) == [Answer.NOT_NOW]
