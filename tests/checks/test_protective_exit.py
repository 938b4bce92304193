from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.checks.protective_exit import RULE
from executor.decisions.plan import plan_orders
from executor.model.facts import Facts, Moment
from executor.model.numbers import plain
from executor.model.plan import TradingInstructionSet
from executor.model.verdict import Answer
from tests.checks.builders import (
    account,
    answers,
    bare_file,
    context,
    facts,
    holding,
    judged,
    line,
    only,
    plan,
    position,
    quoted,
    settings,
    told,
)

STRICT = settings(execution={"require_stop": True})


def stopped(**keys: Any) -> dict[str, Any]:
    return line(**({"stop_loss_pct": "8", "quantity": "84.48"} | keys))


def test_the_founding_deployment_risks_less_than_its_share() -> None:
    verdict = only(RULE, context(plan(stopped(profit_target_pct="15"))))
    assert (verdict.answer, verdict.warning) == (Answer.YES, None)


@pytest.mark.parametrize("facts_are", [bare_file(), facts()])
@pytest.mark.parametrize(
    ("keys", "key", "better"),
    [
        ({"stop_loss_pct": "100"}, "stop_loss_pct", {"stop_loss_pct": "99.9"}),
        ({"stop_loss_pct": "0.49"}, "stop_loss_pct", {"stop_loss_pct": "0.5"}),
        ({"profit_target_pct": "0.1"}, "profit_target_pct", {"profit_target_pct": "0.5"}),
    ],
)
def test_distances_are_judged_from_the_bare_file_on(
    keys: dict[str, str], key: str, better: dict[str, str], facts_are: Facts
) -> None:
    subject = context(plan(stopped(quantity="1", **keys)), facts=facts_are)
    verdict = only(RULE, subject)
    assert verdict.answer is Answer.NO
    assert verdict.pointer == f"/instructions/0/{key}"
    right = context(plan(stopped(quantity="1", **(keys | better))), facts=facts_are)
    assert answers(RULE, right) == [Answer.YES]


@pytest.mark.parametrize(
    ("side", "wrong", "right"), [("BUY", "331.44", "331.45"), ("SELL", "331.40", "331.39")]
)
def test_an_entry_by_stop_waits_on_its_own_side(side: str, wrong: str, right: str) -> None:
    def entry(price: str) -> dict[str, object]:
        stop = {"stop_loss_pct": "8"} if side == "BUY" else {}
        return line(side, order_type="stop", stop_price=price, **stop)

    verdict = only(RULE, context(plan(entry(wrong))))
    assert verdict.answer is Answer.NO
    assert verdict.pointer == "/instructions/0/stop_price"
    where = "above" if side == "BUY" else "below"
    assert verdict.limit == f"{where} the price, {plain(Decimal(wrong))} USD"
    assert answers(RULE, context(plan(entry(right)))) == [Answer.YES]


def test_the_risk_between_entry_and_stop_has_a_limit() -> None:
    verdict = only(RULE, context(plan(stopped(stop_loss_pct="12"))))
    assert verdict.answer is Answer.NO
    assert verdict.observed == "MU: 3,360.01 USD between entry and stop, 3.36 % of equity"
    assert verdict.limit == "3 % of equity a trade, 3,000.00 USD"
    assert verdict.remedy == (
        "reduce it to at most 75.42 shares, or set stop_loss_pct to at most 10.71 %"
    )


def test_the_entry_is_the_limit_or_the_trigger_where_there_is_one() -> None:
    limited = stopped(order_type="limit", limit_price="450")
    assert told(only(RULE, context(plan(limited))).observed, "USD") == "3041.28"
    assert answers(RULE, context(plan(limited), prices={})) == [Answer.NO]
    waiting = stopped(order_type="stop", stop_price="450")
    assert told(only(RULE, context(plan(waiting))).observed, "USD") == "3041.28"
    money = {"notional": "40000", "stop_loss_pct": "8"}
    verdict = only(RULE, context(plan(line(**money))))
    assert verdict.remedy == (
        "reduce it to at most 37,500.00 USD, or set stop_loss_pct to at most 7.5 %"
    )


@pytest.mark.parametrize(
    "keys",
    [
        {"order_type": "limit", "limit_price": "0.03"},
        {"order_type": "limit", "limit_price": "331.44"},
        {"protect": "bracket", "profit_target_pct": "15"},
        {"protect": "bracket", "profit_target_pct": "15", "order_type": "limit"}
        | {"limit_price": "331.37"},
    ],
)
def test_the_risk_is_counted_to_the_stop_that_the_broker_gets(keys: dict[str, str]) -> None:
    asked = plan(stopped(quantity="1000", **keys))
    [sent] = plan_orders(
        asked,
        plan_digest="d" * 64,
        repository="local",
        going={0},
        available={},
        references={0: Decimal("331.44")},
    )
    assert sent.stop_loss_price is not None
    price = Decimal(keys.get("limit_price") or keys.get("stop_price") or "331.44")
    least = 1000 * (price - sent.stop_loss_price)
    poor = context(asked, account=account(equity=least * 100 / 3 - Decimal("0.1")))
    assert answers(RULE, poor) == [Answer.NO]
    enough = max(least, 1000 * price * 8 / 100) * 100 / 3
    assert answers(RULE, context(asked, account=account(equity=enough + Decimal("0.1")))) == [
        Answer.YES
    ]


def test_a_trailing_entry_risks_what_it_may_cost() -> None:
    trailing = stopped(quantity="84.48", order_type="trailing_stop", trail_percent="50")
    verdict = only(RULE, context(plan(trailing)))
    assert told(verdict.observed, "USD") == "3360.01"


def test_a_nearer_stop_is_advised_only_where_it_is_not_too_near() -> None:
    poor = account(equity=Decimal(1_000))
    verdict = only(RULE, context(plan(stopped()), account=poor))
    assert verdict.remedy == "reduce it to at most 1.13 shares"
    for keys in ({"quantity": "10"}, {"notional": "500"}):
        broke = account(equity=Decimal(0))
        verdict = only(RULE, context(plan(line(**keys, stop_loss_pct="8")), account=broke))
        assert verdict.remedy == "leave it out"


def test_no_stop_is_a_warning_or_where_the_settings_say_so_a_no() -> None:
    for keys in ({}, {"stop_loss_pct": "8", "protect": "none"}):
        bare = plan(line(**keys))
        verdict = only(RULE, context(bare))
        assert verdict.answer is Answer.YES
        assert verdict.warning == "MU buy: no stop stands behind it"
        assert answers(RULE, context(bare, settings=STRICT)) == [Answer.NO]
    assert answers(RULE, context(plan(stopped()), settings=STRICT)) == [Answer.YES]


def test_facts_that_are_missing_are_silence_for_a_file_and_else_make_it_wait() -> None:
    cases: list[tuple[TradingInstructionSet, dict[str, Any]]] = [
        (plan(stopped()), {"prices": {}}),
        (plan(stopped()), {"account": None}),
        (plan(stopped(order_type="stop", stop_price="400")), {"prices": {}}),
    ]
    for subject, missing in cases:
        for moment in (Moment.PULL_REQUEST, Moment.EXECUTION):
            found = answers(RULE, context(subject, facts=facts(moment), **missing))
            assert set(found) == {Answer.NOT_NOW}
        assert answers(RULE, context(subject, facts=bare_file())) == [Answer.YES]


def test_exits_are_not_judged() -> None:
    subject = context(plan(line("SELL")), positions=holding(position()), settings=STRICT)
    assert judged(RULE, subject).is_clean


@given(
    ask=st.decimals(Decimal("0.01"), 10**4, places=2),
    quantity=st.decimals(Decimal("0.001"), 10**5, places=9),
    stop=st.decimals(Decimal("0.5"), Decimal("99.9"), places=2),
    whole=st.booleans(),
    kind=st.sampled_from(["market", "limit", "bracket"]),
)
def test_its_remedies_are_true(
    ask: Decimal, quantity: Decimal, stop: Decimal, whole: bool, kind: str
) -> None:
    quantity = quantity.to_integral_value(ROUND_CEILING) if whole else quantity
    keys: dict[str, Any] = {"order_type": "limit", "limit_price": ask} if kind == "limit" else {}
    keys |= {"protect": "bracket", "profit_target_pct": "5"} if kind == "bracket" else {}

    def remedies(count: Decimal | str, distance: Decimal | str) -> list[str | None]:
        subject = context(
            plan(stopped(quantity=count, stop_loss_pct=distance, **keys)),
            prices={"MU": quoted(str(ask), str(ask))},
        )
        return [one.remedy for one in judged(RULE, subject).verdicts if one.answer is Answer.NO]

    for remedy in remedies(quantity, stop):
        assert remedy is not None
        if "shares" in remedy:
            assert not remedies(told(remedy, "shares"), stop)
        if "%" in remedy:
            assert not remedies(quantity, told(remedy, "%"))
