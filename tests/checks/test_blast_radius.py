from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from executor.checks.blast_radius import RULE
from executor.model.verdict import Answer
from tests.checks.builders import (
    answers,
    context,
    holding,
    judged,
    line,
    only,
    plan,
    position,
    settings,
    told,
)

NARROW = settings(limits={"buys_max_pct": "30"})
HELD = holding(position(), position("AMD", "10", "221.08"), position("TSM", "10", "331.18"))


def test_what_a_plan_buys_is_added_up() -> None:
    two = plan(line(quantity="80"), line("BUY", "AMD"))
    assert answers(RULE, context(two, settings=NARROW)) == [Answer.YES]
    more = plan(line(quantity="80"), line("BUY", "AMD", quantity="20"))
    verdict = only(RULE, context(more, settings=NARROW))
    assert verdict.answer is Answer.NO
    assert verdict.pointer is None
    assert verdict.observed == "the openings cost at worst 31,246.57 USD, 31.25 % of equity"
    assert verdict.limit == "30 % of equity a plan, 30,000.00 USD"
    assert verdict.remedy == "reduce them to at most 30,000.00 USD in all, pad included"


def test_without_a_price_the_line_waits() -> None:
    result = judged(RULE, context(plan(line(), line("BUY", "XYZ"))))
    assert [(one.answer, one.index) for one in result.verdicts] == [(Answer.NOT_NOW, 1)]


def test_closing_much_is_shown_and_never_refused() -> None:
    two = plan(line("SELL", quantity="all"), line("SELL", "AMD", quantity="10"))
    verdict = only(RULE, context(two, positions=HELD))
    assert verdict.answer is Answer.YES
    assert verdict.warning == "the plan closes 2 of 3 positions"
    assert verdict.limit == "50 % without a warning"


def test_a_part_of_a_position_closes_nothing() -> None:
    parts = plan(line("SELL", quantity="50"), line("SELL", "AMD", quantity="9.99"))
    assert only(RULE, context(parts, positions=HELD)).warning is None
    halves = plan(line("SELL", "TSM", quantity="5"), line("SELL", "TSM", quantity="5"))
    one = holding(position("TSM", "10", "331.18"))
    assert only(RULE, context(halves, positions=one)).warning is not None
    unpriced = plan(line("SELL", notional="5"))
    assert only(RULE, context(unpriced, positions=HELD, prices={})).warning is None


@given(st.decimals(Decimal("0.01"), 10**5, places=9))
def test_its_remedy_is_true(quantity: Decimal) -> None:
    verdict = only(RULE, context(plan(line(quantity=quantity)), settings=NARROW))
    if verdict.remedy:
        smaller = plan(line(quantity=told(verdict.remedy, "shares")))
        assert answers(RULE, context(smaller, settings=NARROW)) == [Answer.YES]
