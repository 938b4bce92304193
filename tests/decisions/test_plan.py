from __future__ import annotations

import re
from collections.abc import Mapping, Set
from decimal import Decimal
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from executor.decisions.plan import (
    client_order_id,
    differences,
    intent_differences,
    plan_orders,
    request_of,
)
from executor.model.fields import CLIENT_ORDER_ID_PATTERN
from executor.model.intent import PlannedOrder
from executor.model.plan import TradingInstructionSet
from tests.checks.builders import line, plan

DIGEST = "0123456789abcdef" * 4

DIGESTS = st.text("0123456789abcdef", min_size=64, max_size=64)
LEGS = st.sampled_from(("entry", "stop", "fraction", "target", "stop.1", "stop.12"))
KEYS = st.tuples(st.text(max_size=60), DIGESTS, st.integers(0, 19_999), LEGS)

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
    return line(action, draw(SYMBOLS), **keys)


PLANS = st.lists(lines(), min_size=1, max_size=5).map(lambda found: plan(*found))
AVAILABLE = st.dictionaries(SYMBOLS, st.decimals(-100, 100, places=3))


def orders_of(
    the_plan: TradingInstructionSet,
    going: Set[int] | list[int] | None = None,
    available: Mapping[str, Decimal] | None = None,
) -> tuple[PlannedOrder, ...]:
    return plan_orders(
        the_plan,
        plan_digest=DIGEST,
        repository="local",
        going=range(len(the_plan.instructions)) if going is None else going,
        available=available or {},
    )


def test_an_id_spells_repository_digest_and_place() -> None:
    # The repository's part: `printf local | sha256sum`.
    assert client_order_id("local", DIGEST, 3) == f"ai-25bf8e1a-{DIGEST[:32]}-3"
    assert client_order_id("local", DIGEST, 3, "stop") == f"ai-25bf8e1a-{DIGEST[:32]}-3-stop"


@given(KEYS, KEYS)
def test_an_id_is_injective(one: tuple[Any, ...], other: tuple[Any, ...]) -> None:
    same = (one[0], one[1][:32], *one[2:]) == (other[0], other[1][:32], *other[2:])
    assert (client_order_id(*one) == client_order_id(*other)) == same


@given(KEYS)
def test_an_id_is_of_the_form_that_the_broker_takes(key: tuple[Any, ...]) -> None:
    found = client_order_id(*key)
    assert re.fullmatch(CLIENT_ORDER_ID_PATTERN, found)
    assert len(found) <= 60 <= 128


def test_every_index_and_leg_of_one_plan_has_an_id_of_its_own() -> None:
    legs = ("entry", "stop", "fraction", "target")
    found = {client_order_id("local", DIGEST, index, leg) for index in range(2_000) for leg in legs}
    assert len(found) == 8_000


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
    assert differences(recorded[denied:], computed, ()) == ()


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
    assert len(differences([*computed[:at], changed, *computed[at + 1 :]], computed, ())) == 1


def test_only_the_size_of_a_sale_of_everything_is_left_open() -> None:
    computed = orders_of(plan(line("SELL", quantity="all")), available={"MU": Decimal(1)})
    (sale,) = computed
    more = sale.model_copy(update={"quantity": Decimal(70)})
    assert differences([more], computed, [0]) == ()
    assert differences([more], computed, []) == (
        f"order {sale.client_order_id} is not what the plan says",
    )
    other_side = more.model_copy(update={"side": "buy"})
    assert len(differences([other_side], computed, [0])) == 1


def test_an_order_beyond_the_plan_is_found() -> None:
    computed = orders_of(plan())
    stranger = computed[0].model_copy(update={"client_order_id": "stranger"})
    assert differences([*computed, stranger], computed, []) == (
        "order stranger is none of the plan's",
    )


def test_an_order_that_stands_twice_is_found() -> None:
    computed = orders_of(plan())
    assert differences(computed * 2, computed, []) == ("an order stands twice in the intent",)


@given(PLANS, AVAILABLE, st.data())
def test_an_intent_is_compared_with_the_plan_alone(
    the_plan: TradingInstructionSet, available: dict[str, Decimal], data: st.DataObject
) -> None:
    intent = orders_of(the_plan, available=available)
    same = {"plan_digest": DIGEST, "repository": "local"}
    assert intent_differences(intent, the_plan, **same) == ()
    assume(intent)
    other = data.draw(st.sampled_from([{"plan_digest": "f" * 64}, {"repository": "other"}]))
    assert len(intent_differences(intent, the_plan, **(same | other))) == len(intent)
