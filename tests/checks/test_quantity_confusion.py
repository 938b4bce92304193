from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.checks.quantity_confusion import RULE
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
    traded,
)


def meant(target: str | Decimal, **keys: Any) -> dict[str, Any]:
    return line(target_allocation=target, **keys)


def limited(target: str, **keys: Any) -> dict[str, Any]:
    return meant(target, order_type="limit", limit_price="331.44", **keys)


def test_the_founding_example_passes() -> None:
    assert answers(RULE, context(plan(meant("28000", quantity="84.48")))) == [Answer.YES]


def test_without_a_target_nothing_is_compared() -> None:
    assert answers(RULE, context(plan(line(quantity="100000")))) == [Answer.YES]


def test_a_slipped_digit_is_refused() -> None:
    verdict = only(RULE, context(plan(meant("28000", quantity="844.8"))))
    assert verdict.answer is Answer.NO
    assert sentence(verdict) == readme_example(RULE)


@pytest.mark.parametrize(
    ("target", "answer"),
    # Ten shares at 331.44 are worth 3,314.40 USD.
    [("3683", Answer.NO), ("3682", Answer.YES), ("3014", Answer.YES), ("3013", Answer.NO)],
)
def test_the_tolerance_is_of_the_target(target: str, answer: Answer) -> None:
    assert answers(RULE, context(plan(meant(target)))) == [answer]


def test_the_holding_after_the_order_may_be_what_is_meant() -> None:
    held = holding(position(quantity="75"))
    assert answers(RULE, context(plan(meant("28000")), positions=held)) == [Answer.YES]
    verdict = only(RULE, context(plan(meant("50000")), positions=held))
    assert verdict.answer is Answer.NO
    assert "with the shares held before 28,172.40 USD" in (verdict.observed or "")


def test_an_order_priced_away_from_the_market_is_valued_by_either() -> None:
    away = line(order_type="limit", limit_price="250", quantity="100", target_allocation="25000")
    assert answers(RULE, context(plan(away))) == [Answer.YES]
    assert answers(RULE, context(plan(away | {"target_allocation": "33144"}))) == [Answer.YES]
    assert answers(RULE, context(plan(away | {"target_allocation": "29000"}))) == [Answer.NO]
    trigger = line(order_type="stop", stop_price="400", target_allocation="4000")
    assert answers(RULE, context(plan(trigger))) == [Answer.YES]


def test_a_notional_is_compared_as_it_is() -> None:
    assert answers(RULE, context(plan(meant("28000", notional="28000")))) == [Answer.YES]
    verdict = only(RULE, context(plan(meant("28000", notional="2800"))))
    assert verdict.answer is Answer.NO
    assert "`notional`" in (verdict.remedy or "")
    held = holding(position(quantity="76"))
    subject = context(plan(meant("28000", notional="2800")), positions=held)
    assert answers(RULE, subject) == [Answer.YES]


def test_a_target_of_nothing_cannot_be_bought() -> None:
    verdict = only(RULE, context(plan(meant("0"))))
    assert verdict.answer is Answer.NO
    assert verdict.remedy == "set `target_allocation` to 3314.40"


@pytest.mark.parametrize(
    ("instruction", "answer", "why"),
    [
        (meant("28000", quantity="844.8"), Answer.YES, "a market order has no price here"),
        (limited("28000", quantity="84.48"), Answer.YES, "it agrees"),
        (limited("28000", quantity="844.8"), Answer.NO, "more than meant, whatever is held"),
        (limited("28000", quantity="8.448"), Answer.YES, "less: the holding may bring the rest"),
        (meant("28000", notional="280000"), Answer.NO, "a notional needs no price"),
        (meant("28000", notional="2800"), Answer.YES, "less: the holding may bring the rest"),
    ],
)
def test_a_bare_file_is_judged_where_it_proves_something(
    instruction: dict[str, Any], answer: Answer, why: str
) -> None:
    assert answers(RULE, context(plan(instruction), facts=bare_file())) == [answer], why


@pytest.mark.parametrize(
    "changes",
    [
        {"prices": {}},
        {"prices": {"MU": traded(age=timedelta(hours=1))}},
        {"prices": {}, "positions": None},
    ],
)
def test_a_missing_or_delayed_price_waits(changes: dict[str, Any]) -> None:
    subject = context(plan(meant("28000", quantity="844.8")), **changes)
    assert only(RULE, subject).answer is Answer.NOT_NOW


def test_unknown_holdings_wait_where_they_matter() -> None:
    small, large = (plan(limited("28000", quantity=shares)) for shares in ("8.448", "844.8"))
    assert answers(RULE, context(small, positions=None)) == [Answer.NOT_NOW]
    assert answers(RULE, context(large, positions=None)) == [Answer.NO]
    priceless = plan(meant("28000", notional="2800"))
    held = holding(position())
    assert answers(RULE, context(priceless, positions=held, prices={})) == [Answer.NOT_NOW]


def test_only_entries_that_buy_are_compared() -> None:
    sale = plan(line("SELL", target_allocation="0"))
    assert answers(RULE, context(sale, positions=holding(position()))) == [Answer.YES]
    assert answers(RULE, context(sale)) == [Answer.YES]


@given(
    quantity=st.decimals("0.01", "10000", places=6),
    target=st.decimals("5", "1000000", places=2),
    ask=st.decimals("1", "5000", places=2),
    held=st.sampled_from(["0", "10", "84.48"]),
)
def test_both_remedies_are_true(
    quantity: Decimal, target: Decimal, ask: Decimal, held: str
) -> None:
    facts: dict[str, Any] = {
        "prices": {"MU": quoted(str(ask), str(ask))},
        "positions": holding(position(quantity=held)) if held != "0" else {},
    }
    verdict = only(RULE, context(plan(meant(target, quantity=quantity)), **facts))
    if verdict.answer is Answer.YES:
        return
    named = re.search(r"to ([0-9.]+), or `quantity` to ([0-9.]+) share", verdict.remedy or "")
    assert named is not None
    if Decimal(named.group(1)) >= 1:
        allocated = meant(Decimal(named.group(1)), quantity=quantity)
        assert answers(RULE, context(plan(allocated), **facts)) == [Answer.YES]
    counted = meant(target, quantity=Decimal(named.group(2)))
    assert answers(RULE, context(plan(counted), **facts)) == [Answer.YES]
