from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.checks.price_collar import RULE
from executor.model.context import Context
from executor.model.verdict import Answer, Verdict
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
    traded,
    verdicts,
)

DECIDED = {"decision_price": "331.44"}


def limited(price: str | Decimal, action: str = "BUY", **keys: Any) -> dict[str, Any]:
    return line(action, order_type="limit", limit_price=price, **(DECIDED | keys))


def about(subject: Context) -> list[Verdict]:
    """The verdicts that say something."""
    return [one for one in verdicts(RULE, subject) if one.pointer is not None]


def test_a_market_order_near_its_decision_passes_in_silence() -> None:
    verdict = only(RULE, context(plan(line(**DECIDED))))
    assert (verdict.answer, verdict.warning) == (Answer.YES, None)


@pytest.mark.parametrize(
    ("price", "answer"), [("331.44", Answer.YES), ("348.01", Answer.YES), ("348.02", Answer.NO)]
)
def test_a_buy_may_not_be_limited_far_above_the_market(price: str, answer: Answer) -> None:
    assert answers(RULE, context(plan(limited(price)))) == [answer]


def test_a_buy_limited_far_below_is_a_warning() -> None:
    verdict = only(RULE, context(plan(limited("300"))))
    assert verdict.answer is Answer.YES
    assert "may never fill" in (verdict.warning or "")


def test_a_short_sale_is_the_mirror() -> None:
    assert answers(RULE, context(plan(limited("314.83", "SELL")))) == [Answer.YES]
    assert answers(RULE, context(plan(limited("314.82", "SELL")))) == [Answer.NO]
    assert (only(RULE, context(plan(limited("400", "SELL")))).warning or "").endswith("fill")


def test_a_stop_entry_is_held_by_its_trigger() -> None:
    far = line(order_type="stop", stop_price="350", **DECIDED)
    verdict = only(RULE, context(plan(far)))
    assert verdict.answer is Answer.NO
    assert verdict.pointer == "/instructions/0/stop_price"


@pytest.mark.parametrize(
    ("decided", "answer"),
    [("331.44", Answer.YES), ("321.79", Answer.YES), ("321.78", Answer.NO), ("341.70", Answer.NO)],
)
def test_the_market_may_not_have_moved_far_since_the_decision(decided: str, answer: Answer) -> None:
    subject = context(plan(line(decision_price=decided)))
    assert answers(RULE, subject) == [answer]


def test_without_a_decision_price_there_is_one_warning_for_the_plan() -> None:
    verdict = only(RULE, context(plan(line(), line(ticker="AMD"))))
    assert verdict.pointer is None
    assert "MU, AMD:" in (verdict.warning or "")
    many = only(RULE, context(plan(*[line()] * 11)))
    assert "and others" in (many.warning or "")


def test_a_delayed_price_denies_nothing() -> None:
    delayed = {"MU": traded(age=timedelta(hours=1))}
    for one in (limited("400"), limited("331", decision_price="300")):
        assert answers(RULE, context(plan(one), prices=delayed)) == [Answer.NOT_NOW]
        assert answers(RULE, context(plan(one))) == [Answer.NO]


def test_without_a_price_another_check_speaks() -> None:
    assert answers(RULE, context(plan(limited("400")), prices={})) == [Answer.YES]
    assert answers(RULE, context(prices=None)) == [Answer.NOT_NOW]
    assert answers(RULE, context(facts=bare_file())) == [Answer.NOT_JUDGED_HERE]


def test_a_trail_keeps_the_entry_within_the_collar() -> None:
    def trailing(percent: str) -> Context:
        return context(plan(line(order_type="trailing_stop", trail_percent=percent)))

    verdict = about(trailing("5.5"))[0]
    assert (verdict.answer, verdict.pointer) == (Answer.NO, "/instructions/0/trail_percent")
    assert verdict.remedy == "set `trail_percent` to at most 5"
    assert all(one.answer is Answer.YES for one in about(trailing("5")))


def test_exits_may_ask_for_any_price() -> None:
    subject = context(plan(limited("1", "SELL")), positions=holding(position()))
    assert answers(RULE, subject) == [Answer.YES]


def test_the_example_of_the_page() -> None:
    verdict = only(RULE, context(plan(limited("400"))))
    assert sentence(verdict) == readme_example(RULE)


@given(
    ask=st.decimals("0.01", "5000", places=2),
    factor=st.decimals("1.06", "30", places=2),
    side=st.sampled_from(["BUY", "SELL"]),
)
def test_the_bound_that_the_remedy_names_passes(ask: Decimal, factor: Decimal, side: str) -> None:
    prices = {"MU": quoted(str(ask), str(ask))}
    price = round(ask * factor if side == "BUY" else ask / factor, 9)
    subject = context(plan(limited(price, side, decision_price=ask)), prices=prices)
    denied = next(one for one in about(subject) if one.answer is Answer.NO)
    named = re.search(r"at (?:most|least) ([0-9.]+)$", denied.remedy or "")
    assert named is not None
    mended = limited(Decimal(named.group(1)), side, decision_price=ask)
    assert answers(RULE, context(plan(mended), prices=prices)) == [Answer.YES]
