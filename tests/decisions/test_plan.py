from __future__ import annotations

from collections.abc import Mapping, Set
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from executor.decisions.plan import (
    differences,
    intent_differences,
    plan_orders,
    request_of,
    stop_terms,
)
from executor.model.intent import PlannedOrder
from executor.model.order_id import client_order_id
from executor.model.order_result import StopTerms
from executor.model.plan import TradingInstructionSet
from tests.checks.builders import line, plan

DIGEST = "0123456789abcdef" * 4

QUANTITIES = st.decimals(Decimal("0.000000001"), 10**6, places=9)
SYMBOLS = st.sampled_from(("MU", "AMD", "TSM"))


@st.composite
def lines(draw: st.DrawFn) -> dict[str, Any]:
    action = draw(st.sampled_from(("BUY", "SELL", "SELL", "CANCEL", "PROTECT")))
    keys: dict[str, Any] = {}
    match action, draw(st.sampled_from(("shares", "notional", "all"))):
        case ("CANCEL", _):
            keys["client_order_id"] = "other-1"
        case ("PROTECT", _):
            keys["stop_price"] = "300"
        case ("SELL", "all"):
            keys["quantity"] = "all"
        case (_, "notional"):
            keys["notional"] = draw(st.integers(1, 10**6))
        case _:
            keys["quantity"] = draw(QUANTITIES)
    if action in ("BUY", "SELL") and draw(st.booleans()):
        keys |= {"order_type": "limit", "limit_price": "331.5", "time_in_force": "gtc"}
    if action == "BUY" and draw(st.booleans()):
        keys |= {"stop_loss_pct": "8", "profit_target_pct": "15"}
        keys["protect"] = draw(st.sampled_from(("stop", "bracket", "none")))
    return line(action, draw(SYMBOLS), **keys)


PLANS = st.lists(lines(), min_size=1, max_size=5).map(lambda found: plan(*found))
AVAILABLE = st.dictionaries(SYMBOLS, st.decimals(-100, 100, places=3))


def orders_of(
    the_plan: TradingInstructionSet,
    going: Set[int] | list[int] | None = None,
    available: Mapping[str, Decimal] | None = None,
    references: Mapping[int, Decimal] | None = None,
) -> tuple[PlannedOrder, ...]:
    return plan_orders(
        the_plan,
        plan_digest=DIGEST,
        repository="local",
        going=range(len(the_plan.instructions)) if going is None else going,
        available=available or {},
        references=references,
    )


@given(PLANS, AVAILABLE)
def test_sells_come_first(the_plan: TradingInstructionSet, available: dict[str, Decimal]) -> None:
    sides = [one.side for one in orders_of(the_plan, available=available)]
    assert sides == sorted(sides, key=("sell", "buy").index)


@given(PLANS, AVAILABLE, st.data())
def test_the_order_of_the_going_lines_makes_no_difference(
    the_plan: TradingInstructionSet, available: dict[str, Decimal], data: st.DataObject
) -> None:
    count = len(the_plan.instructions)
    going = data.draw(st.lists(st.integers(0, count - 1), unique=True))
    found = orders_of(the_plan, going, available)
    assert found == orders_of(the_plan, data.draw(st.permutations(going)), available)
    assert found == orders_of(the_plan, set(going), available)


@given(PLANS, AVAILABLE)
def test_planning_what_is_finished_yields_nothing(
    the_plan: TradingInstructionSet, available: dict[str, Decimal]
) -> None:
    assert orders_of(the_plan, going=set(), available=available) == ()


@given(PLANS, AVAILABLE, st.data())
def test_orders_are_never_more_than_the_plan_says(
    the_plan: TradingInstructionSet, available: dict[str, Decimal], data: st.DataObject
) -> None:
    going = data.draw(st.sets(st.integers(0, len(the_plan.instructions) - 1)))
    found = orders_of(the_plan, going, available)
    assert len({one.index for one in found}) == len(found)
    for one in found:
        asked = the_plan.instructions[one.index]
        assert one.index in going
        assert one.client_order_id == client_order_id("local", DIGEST, one.index)
        assert (one.symbol, one.side) == (asked.ticker, asked.action.lower())
        assert (one.limit_price, one.time_in_force) == (asked.limit_price, asked.time_in_force)
        if asked.quantity == "all":
            assert one.quantity == available[one.symbol] > 0
        else:
            assert (one.quantity, one.notional) == (asked.quantity, asked.notional)
    missing = going - {one.index for one in found}
    for index in missing:
        asked = the_plan.instructions[index]
        nothing_there = available.get(asked.ticker, Decimal(0)) <= 0
        assert not asked.is_trade or (asked.quantity == "all" and nothing_there)


@given(PLANS, AVAILABLE)
def test_a_request_says_what_the_order_says(
    the_plan: TradingInstructionSet, available: dict[str, Decimal]
) -> None:
    for one in orders_of(the_plan, available=available):
        request = request_of(one)
        said = one.model_dump(exclude={"index", "leg"})
        assert said == {name: getattr(request, name) for name in said}


@given(PLANS, AVAILABLE, st.data())
def test_what_was_planned_does_not_differ(
    the_plan: TradingInstructionSet, available: dict[str, Decimal], data: st.DataObject
) -> None:
    computed = orders_of(the_plan, available=available)
    recorded = data.draw(st.permutations(computed))
    denied = data.draw(st.integers(0, len(recorded)))
    assert differences(recorded[denied:], computed, {}) == ()


MUTATIONS: dict[str, Any] = {
    "side": lambda one: {"buy": "sell", "sell": "buy"}[one.side],
    "symbol": lambda _: "AAPL",
    "quantity": lambda one: (one.quantity or 0) + Decimal("0.000000001"),
    "notional": lambda one: (one.notional or 0) + Decimal("0.01"),
    "order_type": lambda one: "stop" if one.order_type != "stop" else "market",
    "limit_price": lambda one: (one.limit_price or 0) + 1,
    "stop_price": lambda one: (one.stop_price or 0) + 1,
    "time_in_force": lambda one: {"day": "gtc", "gtc": "day"}[one.time_in_force],
    "leg": lambda _: "stop",
    "trail_percent": lambda one: (one.trail_percent or 0) + 1,
    "order_class": lambda one: "oto" if one.order_class != "oto" else "simple",
    "take_profit_price": lambda one: (one.take_profit_price or 0) + 1,
    "stop_loss_price": lambda one: (one.stop_loss_price or 0) + 1,
    "index": lambda one: one.index + 1,
    "client_order_id": lambda one: one.client_order_id + "0",
}


@given(st.sampled_from(sorted(MUTATIONS)), PLANS, st.data())
@settings(max_examples=150)
def test_any_change_of_a_recorded_order_is_found(
    key: str, the_plan: TradingInstructionSet, data: st.DataObject
) -> None:
    computed = orders_of(the_plan, available=dict.fromkeys(("MU", "AMD", "TSM"), Decimal(7)))
    assume(computed)
    at = data.draw(st.integers(0, len(computed) - 1))
    changed = computed[at].model_copy(update={key: MUTATIONS[key](computed[at])})
    assert len(differences([*computed[:at], changed, *computed[at + 1 :]], computed, {})) == 1


def test_only_the_size_of_a_sale_of_everything_is_left_open() -> None:
    computed = orders_of(plan(line("SELL", quantity="all")), available={"MU": Decimal(1)})
    (sale,) = computed
    more = sale.model_copy(update={"quantity": Decimal(70)})
    assert differences([more], computed, {0: ("quantity",)}) == ()
    assert differences([more], computed, {}) == (
        f"order {sale.client_order_id} is not what the plan says",
    )
    other_side = more.model_copy(update={"side": "buy"})
    assert len(differences([other_side], computed, {0: ("quantity",)})) == 1


def test_an_order_beyond_the_plan_is_found() -> None:
    computed = orders_of(plan())
    stranger = computed[0].model_copy(update={"client_order_id": "stranger"})
    assert differences([*computed, stranger], computed, {}) == (
        "order stranger is none of the plan's",
    )


def test_an_order_that_stands_twice_is_found() -> None:
    computed = orders_of(plan())
    assert differences(computed * 2, computed, {}) == ("an order stands twice in the intent",)


@given(PLANS, AVAILABLE, st.data())
def test_an_intent_is_compared_with_the_plan_alone(
    the_plan: TradingInstructionSet, available: dict[str, Decimal], data: st.DataObject
) -> None:
    intent = orders_of(the_plan, available=available)
    same: dict[str, Any] = {"plan_digest": DIGEST, "repository": "local"}
    assert intent_differences(intent, the_plan, **same) == ()
    assume(intent)
    other = data.draw(st.sampled_from([{"plan_digest": "f" * 64}, {"repository": "other"}]))
    assert len(intent_differences(intent, the_plan, **(same | other))) == len(intent)


# What hangs on an entry.


def hanging(**keys: Any) -> tuple[str, Decimal | None, Decimal | None]:
    """Class, stop and target of ten shares at a reference of 200 USD."""
    (found,) = orders_of(plan(line("BUY", **keys)), references={0: Decimal(200)})
    return (found.order_class, found.stop_loss_price, found.take_profit_price)


LIMIT = {"order_type": "limit", "limit_price": "300"}
ALONE = ("simple", None, None)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (LIMIT, ALONE),
        ({"stop_loss_pct": "8"}, ALONE),
        (LIMIT | {"stop_loss_pct": "8"}, ("oto", Decimal(276), None)),
        (LIMIT | {"stop_loss_pct": "8", "protect": "stop"}, ("oto", Decimal(276), None)),
        (LIMIT | {"stop_loss_pct": "8", "protect": "none"}, ALONE),
        (LIMIT | {"stop_loss_pct": "8", "quantity": "10.5"}, ALONE),
        (LIMIT | {"stop_loss_pct": "100"}, ALONE),
        (
            LIMIT | {"stop_loss_pct": "8", "profit_target_pct": "15", "protect": "bracket"},
            ("bracket", Decimal(276), Decimal(345)),
        ),
        (
            {"stop_loss_pct": "8", "profit_target_pct": "15", "protect": "bracket"},
            ("bracket", Decimal(184), Decimal(230)),
        ),
        (LIMIT | {"stop_loss_pct": "8", "protect": "bracket"}, ALONE),
        ({"stop_loss_pct": "8", "notional": "1000"}, ALONE),
        ({"order_type": "stop", "stop_price": "340", "stop_loss_pct": "8"}, ALONE),
        (
            {
                "order_type": "stop_limit",
                "stop_price": "340",
                "limit_price": "341",
                "stop_loss_pct": "8",
            },
            ALONE,
        ),
        ({"order_type": "trailing_stop", "trail_percent": "5", "stop_loss_pct": "8"}, ALONE),
    ],
    ids=[
        "no stop asked for",
        "at the market the stop follows the fill",
        "an entry that may rest brings its stop",
        "the same by name",
        "none by name",
        "a fraction is simple",
        "a stop at 0",
        "a bracket at its limit",
        "a bracket at the market",
        "a bracket without a target",
        "a notional is simple",
        "a stop entry",
        "a stop-limit entry",
        "a trailing entry",
    ],
)
def test_what_hangs_on_an_entry(keys: dict[str, str], expected: tuple[Any, ...]) -> None:
    assert hanging(**keys) == expected


def test_a_bracket_at_the_market_needs_a_price() -> None:
    keys = {"stop_loss_pct": "8", "profit_target_pct": "15", "protect": "bracket"}
    (found,) = orders_of(plan(line("BUY", **keys)))
    assert found.order_class == "simple"


@given(PLANS, AVAILABLE, st.decimals(1, 1000, places=2))
def test_only_whole_shares_that_are_bought_bring_something_along(
    the_plan: TradingInstructionSet, available: dict[str, Decimal], price: Decimal
) -> None:
    references = dict.fromkeys(range(len(the_plan.instructions)), price)
    for one in orders_of(the_plan, available=available, references=references):
        if one.order_class == "simple":
            assert one.stop_loss_price is None
            assert one.take_profit_price is None
            continue
        assert (one.side, one.notional) == ("buy", None)
        assert one.quantity is not None
        assert one.quantity % 1 == 0
        base = one.limit_price or price
        assert one.stop_loss_price is not None
        assert one.stop_loss_price < base
        assert (one.take_profit_price is not None) is (one.order_class == "bracket")
        assert one.take_profit_price is None or one.take_profit_price > base


@given(PLANS, AVAILABLE, st.decimals(1, 1000, places=2))
def test_where_a_bracket_was_put_at_the_market_is_left_to_its_moment(
    the_plan: TradingInstructionSet, available: dict[str, Decimal], price: Decimal
) -> None:
    references = dict.fromkeys(range(len(the_plan.instructions)), price)
    recorded = orders_of(the_plan, available=available, references=references)
    same: dict[str, Any] = {"plan_digest": DIGEST, "repository": "local"}
    assert intent_differences(recorded, the_plan, **same) == ()


@pytest.mark.parametrize(
    ("keys", "terms"),
    [
        (line("BUY"), None),
        (line("BUY", stop_loss_pct="8"), StopTerms(stop_loss_pct=Decimal(8))),
        (line("BUY", stop_loss_pct="8", protect="none"), None),
        (
            line("BUY", stop_loss_pct="8", profit_target_pct="15"),
            StopTerms(stop_loss_pct=Decimal(8)),
        ),
        (
            line("BUY", stop_loss_pct="8", profit_target_pct="15", protect="bracket"),
            StopTerms(stop_loss_pct=Decimal(8), profit_target_pct=Decimal(15)),
        ),
        (line("SELL", stop_loss_pct="8"), None),
        (line("CANCEL", client_order_id="one"), None),
        (line("PROTECT", stop_price="300"), StopTerms(stop_price=Decimal(300))),
        (line("PROTECT", trail_percent="5"), StopTerms(trail_percent=Decimal(5))),
        (line("PROTECT", protect="none", loosen=True), StopTerms()),
    ],
)
def test_how_a_line_asks_to_be_protected(keys: dict[str, Any], terms: StopTerms | None) -> None:
    (asked,) = plan(keys).instructions
    assert stop_terms(asked) == terms


def test_cancel_and_protect_lines_of_an_intent_are_lines_of_the_plan() -> None:
    asked = plan(line("CANCEL", client_order_id="one"), line("PROTECT", stop_price="300"), line())
    same: dict[str, Any] = {"plan_digest": DIGEST, "repository": "local"}
    assert intent_differences((), asked, lines=(0, 1), **same) == ()
    for wrong in (2, 3):
        assert intent_differences((), asked, lines=(0, wrong), **same) == (
            f"line {wrong} is no CANCEL and no PROTECT of the plan",
        )
