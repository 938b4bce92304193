from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from executor.checks.exposure_max import RULE
from executor.model.verdict import Answer
from tests.checks.builders import (
    answers,
    context,
    holding,
    judged,
    line,
    only,
    order,
    plan,
    position,
    settings,
    told,
)

HELD = holding(position("AMD", "700", "221.08"), position("TSM", "-100", "331.18"))
"""Gross exposure of 187,874 USD."""


def test_exposure_is_gross_and_within_the_multiple_it_passes() -> None:
    assert answers(RULE, context(plan(line(quantity="36")), positions=HELD)) == [Answer.YES]
    verdict = only(RULE, context(plan(line(quantity="40")), positions=HELD))
    assert verdict.answer is Answer.NO
    assert verdict.pointer is None
    assert verdict.observed == "gross exposure would be 201,264.18 USD"
    assert verdict.limit == "2 x equity, 200,000.00 USD"
    assert verdict.remedy == "reduce it to at most 36.22 shares"


def test_open_buys_count() -> None:
    resting = (order("AMD", "buy", "30"), order("AMD", "sell", "30"))
    subject = context(plan(line(quantity="1")), positions=HELD, open_orders=resting)
    assert answers(RULE, subject) == [Answer.NO]


def test_a_plan_that_does_not_raise_it_is_never_refused() -> None:
    low = settings(limits={"exposure_max_x": "1"})
    rotation = plan(line("SELL", "AMD", quantity="600"), line(quantity="300"))
    assert answers(RULE, context(rotation, positions=HELD, settings=low)) == [Answer.YES]
    exits = plan(line("SELL", "AMD", quantity="600"))
    assert answers(RULE, context(exits, positions=HELD, settings=low)) == [Answer.YES]
    more = plan(line("SELL", "AMD", quantity="600"), line(quantity="400"))
    assert answers(RULE, context(more, positions=HELD, settings=low)) == [Answer.NO]


def test_prices_that_are_missing_make_it_wait() -> None:
    assert answers(RULE, context(plan(line("BUY", "XYZ")))) == [Answer.NOT_NOW]
    resting = order("XYZ", "buy", "30", order_type="market", limit_price=None)
    assert answers(RULE, context(open_orders=(resting,))) == [Answer.NOT_NOW]
    held = HELD | holding(position("XYZ", "100", "10"))
    rotation = plan(line("SELL", "XYZ", quantity="100"), line(quantity="50"))
    assert answers(RULE, context(rotation, positions=held)) == [Answer.NOT_NOW]


@given(
    held=st.decimals(0, 1000, places=4),
    sold=st.decimals(Decimal("0.01"), 1000, places=2),
    quantity=st.decimals(Decimal("0.01"), 10**5, places=9),
)
def test_its_remedy_is_true(held: Decimal, sold: Decimal, quantity: Decimal) -> None:
    def remedies(count: Decimal | str) -> list[str | None]:
        positions = holding(position("AMD", str(held), "221.08"), position("TSM", "300", "331.18"))
        sell = line("SELL", "TSM", quantity=sold)
        result = judged(RULE, context(plan(line(quantity=count), sell), positions=positions))
        return [one.remedy for one in result.verdicts if one.answer is Answer.NO]

    for remedy in remedies(quantity):
        assert remedy is not None
        if "leave" not in remedy:
            assert not remedies(told(remedy, "shares"))
