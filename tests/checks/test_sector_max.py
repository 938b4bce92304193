from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from executor.checks.sector_max import RULE
from executor.model.context import Context
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

SECTORS = {"MU": "Technology", "AMD": "Technology", "XYZ": "Technology", "TSM": "Industry"}
LIMITED = settings(limits={"sector_max_pct": "40"}, off=(), sectors=SECTORS)


def limited(*instructions: dict[str, Any], **changes: Any) -> Context:
    return context(plan(*instructions), settings=LIMITED, **changes)


def test_it_is_off_as_shipped_and_every_verdict_says_so() -> None:
    verdict = only(RULE, context(plan(line(quantity="1000"))))
    assert verdict.warning == "off: named in acknowledged_disabled"


def test_the_lines_of_a_sector_are_added_up() -> None:
    assert answers(RULE, limited(line(quantity="100"), line("BUY", "TSM"))) == [Answer.YES]
    result = judged(RULE, limited(line(quantity="100"), line("BUY", "AMD", quantity="40")))
    assert result.denied == {0, 1}
    verdict = result.verdicts[0]
    assert verdict.observed == "Technology would be worth 42,407.88 USD, 42.41 % of equity"
    assert verdict.limit == "40 % of equity, 40,000.00 USD"
    assert verdict.remedy == "reduce them to at most 40,000.00 USD in all, pad included"


def test_holdings_and_open_buys_of_the_sector_count() -> None:
    big = line(quantity="100")
    held = holding(position("AMD", "40", "221.08"), position("TSM", "100"))
    assert answers(RULE, limited(big, positions=held)) == [Answer.NO]
    assert answers(RULE, limited(big, positions=holding(position("TSM")))) == [Answer.YES]
    resting = (order("AMD", "buy", "40"), order("TSM", "buy", "400"))
    assert answers(RULE, limited(big, open_orders=resting)) == [Answer.NO]
    assert answers(RULE, limited(big, open_orders=resting[1:])) == [Answer.YES]


def test_a_rotation_within_the_sector_is_judged_after_its_sells() -> None:
    held = holding(position("AMD", "150", "221.08"))
    rotation = (line("SELL", "AMD", quantity="150"), line(quantity="100"))
    assert answers(RULE, limited(*rotation, positions=held)) == [Answer.YES]


def test_a_symbol_without_a_sector_is_a_warning_once() -> None:
    both = (line("BUY", "ZZZ"), line("BUY", "AAA"))
    verdict = only(RULE, limited(*both))
    assert verdict.answer is Answer.YES
    assert verdict.warning == "no sector is known for AAA, ZZZ: counted in none"


def test_prices_that_are_missing_make_the_sector_wait() -> None:
    assert answers(RULE, limited(line("BUY", "XYZ"))) == [Answer.NOT_NOW]
    resting = order("XYZ", "buy", "40", order_type="market", limit_price=None)
    assert answers(RULE, limited(line(), open_orders=(resting,))) == [Answer.NOT_NOW]
    held = holding(position("XYZ", "150", "221.08"))
    rotation = (line("SELL", "XYZ", quantity="150"), line(quantity="100"))
    assert answers(RULE, limited(*rotation, positions=held)) == [Answer.NOT_NOW]


@given(held=st.decimals(0, 200, places=4), quantity=st.decimals(Decimal("0.01"), 10**5, places=9))
def test_its_remedy_is_true(held: Decimal, quantity: Decimal) -> None:
    def remedies(count: Decimal | str) -> list[str | None]:
        positions = holding(position("AMD", str(held), "221.08"))
        result = judged(RULE, limited(line(quantity=count), positions=positions))
        return [one.remedy for one in result.verdicts if one.answer is Answer.NO]

    for remedy in remedies(quantity):
        assert remedy is not None
        if "leave" not in remedy:
            assert not remedies(told(remedy, "shares"))
