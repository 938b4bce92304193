from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.model.funds import at_most, flow, open_cost, open_costs, open_orders_of, proceeds
from executor.model.order import OrderStatus
from tests.checks.builders import (
    bare_file,
    context,
    holding,
    line,
    order,
    plan,
    position,
    protective,
    traded,
)

HELD = holding(position(), position("XYZ", "100", "10"))


def test_costs_and_proceeds_are_added_up_and_what_has_no_price_is_named() -> None:
    mixed = plan(line("SELL"), line("SELL", "XYZ"), line("BUY", "AMD"), line("BUY", "ZZZ"))
    money = flow(context(mixed, positions=HELD))
    assert money.cost == 10 * Decimal("221.10") * Decimal("1.01")
    assert money.proceeds == 10 * Decimal("331.40")
    assert [one.symbol for one in money.unpriced_openings] == ["ZZZ"]
    assert [one.symbol for one in money.unpriced_exits] == ["XYZ"]


def test_a_buy_to_cover_is_neither_an_opening_nor_does_it_bring_anything() -> None:
    short = holding(position(quantity="-50"))
    money = flow(context(plan(line()), positions=short))
    assert money.cost == 0
    assert money.proceeds == 0


@pytest.mark.parametrize(
    ("keys", "prices", "brings"),
    [
        ({}, "331.40", "3314"),
        ({"order_type": "limit", "limit_price": "331"}, "331.40", "3310"),
        ({"order_type": "limit", "limit_price": "331.41"}, "331.40", "0"),
        ({"order_type": "limit", "limit_price": "331"}, None, None),
        ({"order_type": "stop", "stop_price": "300"}, "331.40", "0"),
        ({}, None, None),
        ({"notional": "500"}, None, "500"),
        ({"quantity": "all", "order_type": "limit", "limit_price": "1"}, "331.40", None),
    ],
)
def test_what_a_sell_brings_soon(
    keys: dict[str, Any], prices: str | None, brings: str | None
) -> None:
    known = {"MU": traded(prices)} if prices else {}
    held = holding(position(available=Decimal(0)))
    [sell] = context(plan(line("SELL", **keys)), positions=held, prices=known).lines
    assert proceeds(sell) == (Decimal(brings) if brings is not None else None)


@pytest.mark.parametrize(
    ("keys", "cost"),
    [
        ({}, "4000"),
        ({"filled_quantity": Decimal(4)}, "2400"),
        ({"limit_price": None}, "3347.544"),
        ({"limit_price": None, "stop_price": Decimal(500)}, "5050"),
        ({"limit_price": None, "trail_percent": Decimal(10)}, "3682.2984"),
        ({"limit_price": None, "trail_percent": Decimal(90), "stop_price": Decimal(500)}, "5050"),
        ({"symbol": "XYZ", "limit_price": None}, None),
        ({"quantity": None, "notional": Decimal(500)}, "500"),
        ({"quantity": None, "notional": None}, "0"),
        (
            {
                "quantity": None,
                "notional": Decimal(500),
                "filled_quantity": Decimal(1),
                "average_fill_price": Decimal(331),
            },
            "169",
        ),
    ],
)
def test_what_an_open_buy_may_still_cost(keys: dict[str, Any], cost: str | None) -> None:
    one = replace(order("MU", "buy"), **keys)
    expected = Decimal(cost) if cost is not None else None
    assert open_cost(context(), one) == expected
    assert open_costs(context(), [one]) == ((expected, ()) if expected is not None else (0, (one,)))


def test_what_protects_costs_nothing_and_a_leg_that_waits_is_no_order_yet() -> None:
    stop = protective(client_order_id="leg", broker_status="held")
    entry = order("MU", "buy", order_class="oto", legs=(stop,))
    subject = context(open_orders=(entry, protective("AMD")), protective=frozenset({"stop-1"}))
    assert open_orders_of(subject, "buy") == (entry,)
    assert open_orders_of(subject, "sell") == (protective("AMD"),)


def test_the_open_orders_of_a_side_include_this_plans_own_and_none_that_ended() -> None:
    orders = (
        order("MU", "buy"),
        order("MU", "buy", client_order_id="ours"),
        order("MU", "buy", status=OrderStatus.EXPIRED),
        order("MU", "sell"),
    )
    subject = context(open_orders=orders, own_orders=frozenset({"ours"}))
    assert open_orders_of(subject, "buy") == orders[:2]
    assert open_orders_of(subject, "sell") == orders[3:]
    with pytest.raises(AssertionError, match="did not name"):
        open_orders_of(context(facts=bare_file()), "buy")


@pytest.mark.parametrize(
    ("instructions", "room", "text"),
    [
        ([{}], "3347.544", "reduce it to at most 10 shares"),
        ([{}], "3347.543", "reduce it to at most 9.99 shares"),
        ([{}], "3", "leave it out"),
        ([{}], "-3", "leave it out"),
        ([{"notional": "500"}], "99.999", "reduce it to at most 99.99 USD, pad included"),
        ([{"notional": "500"}], "0.009", "leave it out"),
        ([{}, {}], "99.999", "reduce them to at most 99.99 USD in all, pad included"),
        ([{}, {}], "0", "leave them out"),
        ([{"ticker": "ZZZ"}], "50", "reduce it to at most 50.00 USD, pad included"),
    ],
)
def test_what_fits_is_rounded_down(
    instructions: list[dict[str, Any]], room: str, text: str
) -> None:
    lines = context(plan(*[line(**one) for one in instructions])).openings
    assert at_most(Decimal(room), lines) == text


@given(st.lists(st.decimals(Decimal("0.01"), 10**4, places=9), min_size=1, max_size=5))
def test_the_cost_of_a_plan_is_the_sum_of_its_lines(quantities: list[Decimal]) -> None:
    subject = context(plan(*[line(quantity=one) for one in quantities]))
    assert flow(subject).cost == sum(one.worst_notional or 0 for one in subject.lines)
