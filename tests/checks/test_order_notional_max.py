from __future__ import annotations

from executor.checks.order_notional_max import RULE
from executor.model.verdict import Answer
from tests.checks.builders import (
    answers,
    context,
    line,
    only,
    plan,
    readme_example,
    sentence,
    traded,
)


def test_an_order_within_the_cap_passes() -> None:
    assert answers(RULE, context()) == [Answer.YES]


def test_an_order_over_the_cap_is_denied_with_the_numbers() -> None:
    verdict = only(RULE, context(plan(line(quantity="110"))))
    assert verdict.answer is Answer.NO
    assert verdict.index == 0
    assert verdict.observed == "MU buy: worst-case notional 36,822.98 USD, 36.82 % of equity"
    assert verdict.limit == "35 % of equity, 35,000.00 USD"
    assert sentence(verdict) == readme_example(RULE)


def test_without_a_price_it_waits() -> None:
    subject = context(prices={"AMD": traded()})
    assert answers(RULE, subject) == [Answer.NOT_NOW]
