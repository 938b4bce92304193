from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.checks.liquidity import RULE
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
    readme_example,
    sentence,
    settings,
    traded,
)


@pytest.mark.parametrize(("quantity", "answer"), [("250000", Answer.YES), ("250001", Answer.NO)])
def test_an_order_is_small_beside_the_daily_volume(quantity: str, answer: Answer) -> None:
    assert answers(RULE, context(plan(line(quantity=quantity)))) == [answer]


def test_the_example_of_the_page() -> None:
    subject = context(
        plan(line(ticker="ZFRAC", quantity="6000")),
        prices={"ZFRAC": quoted("49.99", "50")},
        average_volumes={"ZFRAC": Decimal(500_000)},
    )
    assert sentence(only(RULE, subject)) == readme_example(RULE)


def test_a_symbol_without_bars_waits() -> None:
    assert answers(RULE, context(average_volumes={})) == [Answer.NOT_NOW]
    assert answers(RULE, context(average_volumes=None)) == [Answer.NOT_NOW]


def test_a_symbol_that_nobody_trades_is_refused() -> None:
    verdict = only(RULE, context(average_volumes={"MU": Decimal(0)}))
    assert verdict.answer is Answer.NO
    assert verdict.remedy == "choose another symbol"


@pytest.mark.parametrize(("ask", "answer"), [("1.00", Answer.YES), ("0.99", Answer.NO)])
def test_penny_stocks_are_refused(ask: str, answer: Answer) -> None:
    assert answers(RULE, context(prices={"MU": quoted(ask, ask)})) == [answer]


def test_a_delayed_price_denies_nothing() -> None:
    delayed = {"MU": traded("0.99", age=timedelta(hours=1))}
    assert answers(RULE, context(prices=delayed)) == [Answer.NOT_NOW]


def test_a_floor_of_nothing_is_no_floor() -> None:
    chosen = settings(limits={"price_floor_usd": 0})
    subject = context(prices={"MU": quoted("0.01", "0.01")}, settings=chosen)
    assert answers(RULE, subject) == [Answer.YES]


def test_without_a_price_another_check_speaks() -> None:
    assert answers(RULE, context(plan(line(notional="100")), prices={})) == [Answer.YES]
    assert answers(RULE, context(facts=bare_file())) == [Answer.NOT_JUDGED_HERE]


def test_exits_of_any_size_go() -> None:
    subject = context(
        plan(line("SELL", quantity="1000000")),
        positions=holding(position(quantity="1000000")),
        prices={"MU": quoted("0.01", "0.01")},
    )
    assert answers(RULE, subject) == [Answer.YES]


@given(quantity=st.integers(1, 10**6), average=st.integers(0, 10**6))
def test_the_remedy_is_true(quantity: int, average: int) -> None:
    volumes = {"MU": Decimal(average)}
    verdict = only(RULE, context(plan(line(quantity=quantity)), average_volumes=volumes))
    named = re.search(r"to ([0-9]+) share", verdict.remedy or "")
    if named is not None:
        mended = plan(line(quantity=int(named.group(1))))
        assert answers(RULE, context(mended, average_volumes=volumes)) == [Answer.YES]
