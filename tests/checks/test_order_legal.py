from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.checks.order_legal import RULE
from executor.model.numbers import decimals
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
    readme_example,
    sentence,
    traded,
    verdicts,
)

LIMIT = {"order_type": "limit", "limit_price": "330.50"}
STOP = {"order_type": "stop", "stop_price": "340.00"}
TRAILING = {"order_type": "trailing_stop", "trail_percent": "5"}
BRACKET = {"protect": "bracket", "stop_loss_pct": "8", "profit_target_pct": "15"}


@pytest.mark.parametrize(
    "instruction",
    [
        line(),
        line(quantity="84.48"),
        line(quantity="0.000000001", limit_price="330", order_type="limit", action="SELL"),
        line(notional="28000.50"),
        line("SELL", quantity="all"),
        line("SELL", notional="100"),
        line(**LIMIT),
        line(**LIMIT, time_in_force="gtc"),
        line(quantity="84.48", **LIMIT),
        line(**STOP),
        line(quantity="84.48", **STOP),
        line(order_type="limit", limit_price="0.1234", quantity="100"),
        line(profit_target_pct="15", stop_loss_pct="8", protect="stop"),
        line("SELL", profit_target_pct="15"),
        line(protect="none"),
        line(order_type="limit", limit_price="0.5", quantity="2"),
        line(**BRACKET),
        line(**BRACKET, **LIMIT),
        line(**BRACKET, **LIMIT, time_in_force="gtc"),
        line(**TRAILING),
        line(**TRAILING, time_in_force="gtc"),
        line("SELL", **TRAILING),
        line("SELL", quantity="all", **TRAILING),
        line(order_type="stop_limit", stop_price="340", limit_price="341"),
        line("SELL", quantity="0.5", order_type="stop_limit", stop_price="300", limit_price="299"),
        line("CANCEL", client_order_id="other-1"),
        line("CANCEL", client_order_id="other-1", order_type="market", time_in_force="day"),
        line("PROTECT", stop_price="300"),
        line("PROTECT", stop_price="300", loosen=False),
        line("PROTECT", trail_percent="5", loosen=True),
        line("PROTECT", protect="none", loosen=True),
    ],
)
def test_what_the_broker_accepts_passes(instruction: dict[str, Any]) -> None:
    held = holding(position(quantity="100"))
    assert answers(RULE, context(plan(instruction), positions=held)) == [Answer.YES]
    assert answers(RULE, context(plan(instruction), facts=bare_file())) == [Answer.YES]


WRONG: list[tuple[str, dict[str, Any], str, dict[str, Any]]] = [
    # what is wrong, the instruction, the key to blame, what the remedy says to change
    ("no amount", line() | {"quantity": None}, "quantity", {"quantity": "1"}),
    ("two amounts", line(quantity="1", notional="100"), "notional", {"notional": None}),
    ("a BUY of all", line(quantity="all"), "quantity", {"quantity": "1"}),
    ("a notional with mills", line(notional="100.505"), "notional", {"notional": "100.50"}),
    (
        "a notional with a limit",
        line(notional="100", **LIMIT),
        "notional",
        {"notional": None, "quantity": "1"},
    ),
    ("a limit order without a limit", line(order_type="limit"), "limit_price", LIMIT),
    ("a limit on a market order", line(limit_price="330"), "limit_price", {"limit_price": None}),
    ("a stop order without a stop", line(order_type="stop"), "stop_price", STOP),
    (
        "a stop on a limit order",
        line(**LIMIT, stop_price="340"),
        "stop_price",
        {"stop_price": None},
    ),
    ("a trail", line(trail_percent="5"), "trail_percent", {"trail_percent": None}),
    (
        "a trailing stop without a trail",
        line(order_type="trailing_stop"),
        "trail_percent",
        TRAILING,
    ),
    (
        "a trail of everything",
        line(order_type="trailing_stop", trail_percent="100"),
        "trail_percent",
        {"trail_percent": "99"},
    ),
    ("a fraction that trails", line(quantity="1.5", **TRAILING), "quantity", {"quantity": "1"}),
    (
        "a stop limit without its limit",
        line(order_type="stop_limit", stop_price="340"),
        "limit_price",
        {"limit_price": "341"},
    ),
    (
        "a sub-penny limit",
        line(order_type="limit", limit_price="330.501"),
        "limit_price",
        {"limit_price": "330.50"},
    ),
    (
        "a limit of five decimals",
        line(order_type="limit", limit_price="0.12345", quantity="100"),
        "limit_price",
        {"limit_price": "0.1234"},
    ),
    (
        "a sub-penny stop",
        line(order_type="stop", stop_price="340.001"),
        "stop_price",
        {"stop_price": "340.00"},
    ),
    (
        "a fraction that stays",
        line(quantity="1.5", time_in_force="gtc"),
        "time_in_force",
        {"time_in_force": "day"},
    ),
    (
        "a notional that stays",
        line(notional="100", time_in_force="gtc"),
        "time_in_force",
        {"time_in_force": "day"},
    ),
    ("less than a dollar", line(notional="0.99"), "quantity", {"notional": "1"}),
    (
        "less than a dollar at its limit",
        line(quantity="0.002", **LIMIT),
        "quantity",
        {"quantity": "1"},
    ),
    ("less than a dollar at the market", line(quantity="0.002"), "quantity", {"quantity": "1"}),
    ("a key of PROTECT", line(loosen=True), "loosen", {"loosen": None}),
    ("a key of CANCEL", line(client_order_id="ai-1"), "client_order_id", {"client_order_id": None}),
    ("a stop without a distance", line(protect="stop"), "stop_loss_pct", {"stop_loss_pct": "8"}),
    (
        "a bracket without a stop",
        line(**BRACKET) | {"stop_loss_pct": None},
        "stop_loss_pct",
        {"stop_loss_pct": "8"},
    ),
    (
        "a bracket without a target",
        line(**BRACKET) | {"profit_target_pct": None},
        "profit_target_pct",
        {"profit_target_pct": "15"},
    ),
    ("a bracket of a fraction", line(quantity="1.5", **BRACKET), "protect", {"protect": "stop"}),
    ("a bracket of a notional", line(notional="100", **BRACKET), "protect", {"protect": "stop"}),
    ("a bracket by a stop", line(**BRACKET, **STOP), "order_type", {"protect": "stop"}),
    (
        "a protected SELL",
        line("SELL", protect="stop", stop_loss_pct="8"),
        "protect",
        {"protect": None},
    ),
    (
        "a stop on its limit",
        line(order_type="limit", limit_price="1.00", stop_loss_pct="0.5"),
        "stop_loss_pct",
        {"stop_loss_pct": "5"},
    ),
    (
        "a stop at nothing",
        line(order_type="limit", limit_price="0.02", quantity="100", stop_loss_pct="99.9"),
        "stop_loss_pct",
        {"stop_loss_pct": "80"},
    ),
    (
        "a stop over the market",
        line(order_type="limit", limit_price="345", stop_loss_pct="2"),
        "stop_loss_pct",
        {"limit_price": "335"},
    ),
    (
        "a target on its limit",
        line(**BRACKET | {"profit_target_pct": "0.4"}, order_type="limit", limit_price="1.00"),
        "profit_target_pct",
        {"profit_target_pct": "5"},
    ),
    ("a CANCEL of nothing", line("CANCEL"), "client_order_id", {"client_order_id": "other-1"}),
    *(
        (
            f"a CANCEL with {key}",
            line("CANCEL", client_order_id="a") | {key: value},
            key,
            {key: None},
        )
        for key, value in {
            "quantity": "10",
            "notional": "100",
            "limit_price": "300",
            "stop_price": "300",
            "trail_percent": "5",
            "target_allocation": "100",
            "profit_target_pct": "15",
            "stop_loss_pct": "8",
            "decision_price": "300",
            "protect": "none",
            "loosen": True,
            "order_type": "limit",
            "time_in_force": "gtc",
        }.items()
    ),
    *(
        (
            f"a PROTECT with {key}",
            line("PROTECT", stop_price="300") | {key: value},
            key,
            {key: None},
        )
        for key, value in {
            "quantity": "10",
            "notional": "100",
            "limit_price": "300",
            "trail_percent": "5",
            "target_allocation": "100",
            "profit_target_pct": "15",
            "stop_loss_pct": "8",
            "decision_price": "300",
            "client_order_id": "a",
            "order_type": "stop",
            "time_in_force": "gtc",
        }.items()
    ),
    ("a PROTECT of nothing", line("PROTECT"), "stop_price", {"stop_price": "300"}),
    (
        "a PROTECT by a word",
        line("PROTECT", protect="stop"),
        "protect",
        {"protect": None, "stop_price": "300"},
    ),
    ("a PROTECT that lets go", line("PROTECT", protect="none"), "loosen", {"loosen": True}),
    (
        "a PROTECT at a sub-penny price",
        line("PROTECT", stop_price="300.001"),
        "stop_price",
        {"stop_price": "300.00"},
    ),
    (
        "a PROTECT that trails by everything",
        line("PROTECT", trail_percent="100"),
        "trail_percent",
        {"trail_percent": "99"},
    ),
]


def present(instruction: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in instruction.items() if value is not None}


@pytest.mark.parametrize(
    ("instruction", "key", "change"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG]
)
def test_what_the_broker_refuses_is_denied_and_the_remedy_is_true(
    instruction: dict[str, Any], key: str, change: dict[str, Any]
) -> None:
    verdict = only(RULE, context(plan(present(instruction))))
    assert verdict.answer is Answer.NO
    assert verdict.pointer == f"/instructions/0/{key}"
    assert answers(RULE, context(plan(present(instruction | change)))) == [Answer.YES]


def test_a_protect_says_one_thing() -> None:
    both = line("PROTECT", stop_price="300", protect="none", loosen=True)
    verdict = only(RULE, context(plan(both)))
    assert verdict.observed == "MU protect: both stop_price and protect"
    assert judged(RULE, context(plan(line(), both))).denied == {1}


def test_what_hangs_on_an_entry_is_judged_by_a_live_price_only() -> None:
    near = plan(line(order_type="limit", limit_price="345", stop_loss_pct="2"))
    assert answers(RULE, context(near)) == [Answer.NO]
    for prices in ({}, {"MU": traded("331", age=timedelta(hours=1))}):
        assert answers(RULE, context(near, prices=prices)) == [Answer.YES]
    bracket = plan(line(**BRACKET | {"profit_target_pct": "0.001"}))
    assert only(RULE, context(bracket)).pointer == "/instructions/0/profit_target_pct"
    assert answers(RULE, context(bracket, prices={})) == [Answer.YES]
    far = plan(line(**LIMIT, stop_loss_pct="100"))
    assert answers(RULE, context(far)) == [Answer.YES], "protective_exit says no to it"


def test_a_whole_holding_that_trails_has_no_fraction() -> None:
    everything = plan(line("SELL", quantity="all", **TRAILING))
    part = holding(position(quantity="84.48"))
    assert only(RULE, context(everything, positions=part)).pointer == "/instructions/0/quantity"


def test_exits_are_judged_too() -> None:
    subject = context(plan(line("SELL", limit_price="330")), positions=holding(position()))
    assert judged(RULE, subject).denied == {0}


def test_all_of_a_fraction_is_a_fraction() -> None:
    stays = plan(line("SELL", quantity="all", time_in_force="gtc"))
    part = holding(position(quantity="84.48"))
    assert only(RULE, context(stays, positions=part)).pointer == "/instructions/0/time_in_force"
    assert answers(RULE, context(stays, positions=holding(position()))) == [Answer.YES]
    assert answers(RULE, context(stays, facts=bare_file())) == [Answer.YES]


def test_a_delayed_or_missing_price_proves_no_minimum() -> None:
    small = plan(line(quantity="0.002"))
    assert answers(RULE, context(small, prices={})) == [Answer.YES]
    delayed = {"MU": traded(age=timedelta(hours=1))}
    assert answers(RULE, context(small, prices=delayed)) == [Answer.YES]
    assert answers(RULE, context(small)) == [Answer.NO]
    assert answers(RULE, context(plan(line("SELL", quantity="0.002")))) == [Answer.YES]


def test_every_flaw_of_a_line_is_named() -> None:
    bad = line(quantity="1.5", time_in_force="gtc", limit_price="330.001", loosen=True)
    assert len(verdicts(RULE, context(plan(bad)))) == 3


def test_the_second_wave_asks_about_buys_only() -> None:
    both = plan(line("SELL", limit_price="330"), line())
    assert answers(RULE, context(both, already_sent=frozenset({0}))) == [Answer.YES]


def test_a_line_that_the_broker_has_is_not_asked_about() -> None:
    both = plan(line("SELL", limit_price="330"), line())
    assert answers(RULE, context(both)) == [Answer.NO]
    assert answers(RULE, context(both, already_sent=frozenset({0}))) == [Answer.YES]


def test_the_example_of_the_page() -> None:
    verdict = only(RULE, context(plan(line(limit_price="330"))))
    assert sentence(verdict) == readme_example(RULE)


@given(st.decimals("0.0001", "99999", places=9).filter(lambda price: price > 0))
def test_prices_have_the_decimals_of_the_broker(price: Decimal) -> None:
    order = line("SELL", order_type="limit", limit_price=price)
    allowed = 2 if price >= 1 else 4
    expected = Answer.YES if decimals(price) <= allowed else Answer.NO
    assert answers(RULE, context(plan(order))) == [expected]
    rounded = round(price, allowed)
    if rounded > 0:
        mended = line("SELL", order_type="limit", limit_price=rounded)
        assert answers(RULE, context(plan(mended))) == [Answer.YES]
