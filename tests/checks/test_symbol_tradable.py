from __future__ import annotations

from typing import Any

import pytest

from executor.checks.symbol_tradable import RULE
from executor.model.verdict import Answer
from tests.checks.builders import (
    answers,
    asset,
    context,
    holding,
    judged,
    line,
    only,
    plan,
    position,
    readme_example,
    sentence,
)


def test_a_tradable_symbol_passes_in_fractions_and_by_notional() -> None:
    assert answers(RULE, context()) == [Answer.YES]
    assert answers(RULE, context(plan(line(quantity="84.48")))) == [Answer.YES]
    assert answers(RULE, context(plan(line(notional="100")))) == [Answer.YES]


def test_a_symbol_that_the_broker_does_not_list_is_refused() -> None:
    subject = context(plan(line(ticker="MUU")), assets={"MUU": None})
    assert only(RULE, subject).answer is Answer.NO
    assert sentence(only(RULE, subject)) == readme_example(RULE)


def test_a_symbol_without_an_answer_waits() -> None:
    assert only(RULE, context(plan(line(ticker="AAPL")))).answer is Answer.NOT_NOW
    assert answers(RULE, context(assets=None)) == [Answer.NOT_NOW]


@pytest.mark.parametrize(
    "changes", [{"status": "inactive"}, {"tradable": False}, {"asset_class": "crypto"}]
)
@pytest.mark.parametrize("action", ["BUY", "SELL"])
def test_what_the_broker_does_not_trade_is_refused_exits_too(
    changes: dict[str, Any], action: str
) -> None:
    subject = context(
        plan(line(action)), assets={"MU": asset(**changes)}, positions=holding(position())
    )
    assert only(RULE, subject).answer is Answer.NO
    assert judged(RULE, subject).denied == {0}


@pytest.mark.parametrize("amount", [{"quantity": "0.5"}, {"notional": "100"}])
def test_a_fraction_needs_a_symbol_with_fractions(amount: dict[str, str]) -> None:
    whole = {"MU": asset(fractionable=False)}
    verdict = only(RULE, context(plan(line(**amount)), assets=whole))
    assert verdict.answer is Answer.NO
    assert verdict.remedy == "give `quantity` in whole shares"
    assert answers(RULE, context(plan(line(quantity="1")), assets=whole)) == [Answer.YES]


def test_a_remnant_of_a_split_may_be_sold_whole() -> None:
    subject = context(
        plan(line("SELL", quantity="all")),
        assets={"MU": asset(fractionable=False)},
        positions=holding(position(quantity="3.3")),
    )
    assert answers(RULE, subject) == [Answer.YES]
