from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from executor.checks.reference_price import RULE
from executor.model.market import SymbolPrices
from executor.model.verdict import Answer
from tests.checks.builders import (
    answers,
    bare_file,
    context,
    holding,
    judged,
    line,
    only,
    plan,
    position,
    quoted,
    readme_example,
    sentence,
    traded,
)

LIMIT = plan(line(order_type="limit", limit_price="331"))
STOP = plan(line(order_type="stop", stop_price="340"))
OLD = timedelta(minutes=2)


def test_a_live_quote_serves_every_order() -> None:
    for one in (plan(), LIMIT, STOP):
        assert answers(RULE, context(one)) == [Answer.YES]


@pytest.mark.parametrize(
    "prices",
    [traded(), quoted(age=OLD), quoted("0", "331.44"), quoted("331.40", "0")],
    ids=["no quote", "old quote", "no bid", "no ask"],
)
def test_without_a_live_quote_an_order_needs_a_limit(prices: SymbolPrices) -> None:
    for one in (plan(), STOP):
        assert only(RULE, context(one, prices={"MU": prices})).answer is Answer.NOT_NOW
    verdict = only(RULE, context(LIMIT, prices={"MU": prices}))
    assert verdict.answer is Answer.YES
    assert verdict.warning is None


def test_a_delayed_price_waits_or_warns() -> None:
    delayed = {"MU": traded(age=timedelta(minutes=16))}
    assert only(RULE, context(prices=delayed)).answer is Answer.NOT_NOW
    verdict = only(RULE, context(LIMIT, prices=delayed))
    assert verdict.answer is Answer.YES
    assert "delayed" in (verdict.warning or "")


def test_no_price_waits_whatever_the_order_says() -> None:
    for prices in ({}, {"MU": SymbolPrices()}):
        for one in (plan(), LIMIT):
            assert answers(RULE, context(one, prices=prices)) == [Answer.NOT_NOW]
    assert answers(RULE, context(prices=None)) == [Answer.NOT_NOW]


def test_a_crossed_quote_waits() -> None:
    verdict = only(RULE, context(LIMIT, prices={"MU": quoted("331.50", "331.44")}))
    assert verdict.answer is Answer.NOT_NOW
    assert verdict.limit == "a bid at or below the ask"


@pytest.mark.parametrize(("ask", "answer"), [("102.02", Answer.YES), ("102.03", Answer.NOT_NOW)])
def test_a_wide_spread_waits(ask: str, answer: Answer) -> None:
    # 2 % of the midpoint 101.01 is 2.0202.
    assert answers(RULE, context(prices={"MU": quoted("100", ask)})) == [answer]


def test_an_old_quote_is_judged_by_its_age_not_by_its_sides() -> None:
    crossed = replace(quoted("400", "331.44", age=OLD), trade=traded().trade)
    assert only(RULE, context(LIMIT, prices={"MU": crossed})).answer is Answer.YES


def test_exits_go_without_any_price() -> None:
    subject = context(plan(line("SELL")), prices={}, positions=holding(position()))
    assert answers(RULE, subject) == [Answer.YES]
    both = plan(line("SELL", "MU"), line("BUY", "AMD"))
    judgment = judged(RULE, context(both, prices={}, positions=holding(position("MU"))))
    assert judgment.openings_wait
    assert not judgment.waits


def test_a_bare_file_has_no_prices() -> None:
    assert answers(RULE, context(facts=bare_file())) == [Answer.NOT_JUDGED_HERE]


def test_the_example_of_the_page() -> None:
    verdict = only(RULE, context(prices={"MU": traded()}))
    assert sentence(verdict) == readme_example(RULE)
