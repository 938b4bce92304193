from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from executor.checks.order_quantity_max import RULE
from executor.model.verdict import Answer
from tests.checks.builders import (
    answers,
    bare_file,
    context,
    holding,
    line,
    only,
    plan,
    position,
    quoted,
    settings,
    told,
)


def test_the_cap_itself_passes_and_a_billionth_more_is_denied() -> None:
    assert answers(RULE, context(plan(line(quantity="100000")))) == [Answer.YES]
    verdict = only(RULE, context(plan(line(quantity="100000.000000001"))))
    assert verdict.answer is Answer.NO
    assert verdict.pointer == "/instructions/0/quantity"
    assert verdict.observed == "MU buy: 100000.000000001 shares"
    assert verdict.limit == "100000 shares an order"


def test_a_bare_file_is_judged_by_its_plain_quantities() -> None:
    wrong = plan(line(quantity="200000"), line(notional="500"))
    verdict = only(RULE, context(wrong, facts=bare_file()))
    assert (verdict.answer, verdict.index) == (Answer.NO, 0)
    assert answers(RULE, context(plan(line(notional="500")), facts=bare_file())) == [Answer.YES]


def test_a_notional_is_judged_at_the_price_and_waits_for_one() -> None:
    wrong = plan(line("BUY", "MU", notional="90000"))
    assert answers(RULE, context(wrong)) == [Answer.YES]
    verdict = only(RULE, context(wrong, prices={"MU": quoted("0.10", "0.11")}))
    assert verdict.pointer == "/instructions/0/notional"
    assert verdict.answer is Answer.NO
    assert answers(RULE, context(wrong, prices={})) == [Answer.NOT_NOW]


def test_an_exit_of_any_size_is_not_judged() -> None:
    held = holding(position(quantity="300000"))
    assert answers(RULE, context(plan(line("SELL", quantity="300000")), positions=held)) == [
        Answer.YES
    ]


@given(st.decimals(Decimal("0.5"), 10**6, places=3), st.decimals(Decimal("0.001"), 10**6, places=3))
def test_its_remedy_is_true(cap: Decimal, quantity: Decimal) -> None:
    rules = settings(limits={"order_quantity_max_shares": cap})
    verdict = only(RULE, context(plan(line(quantity=quantity)), settings=rules))
    assert (verdict.answer is Answer.NO) == (quantity > cap)
    if verdict.remedy:
        smaller = plan(line(quantity=told(verdict.remedy, "shares")))
        assert answers(RULE, context(smaller, settings=rules)) == [Answer.YES]
