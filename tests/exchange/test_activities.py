from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from executor.exchange.activities import KINDS
from executor.exchange.opening import Opening
from executor.model.position import Position
from tests.exchange.rig import Rig, flat, holding, steps
from tests.exchange.test_contract import document

START = datetime(2026, 1, 14, 15, 0, 20, 250_500, tzinfo=UTC)
PATH = "/v2/account/activities"
D = Decimal


def ids(one: Rig, path: str = PATH, **query: str) -> list[str]:
    return [shown["id"] for shown in one.get(path, **query)]


def kinds(one: Rig, **query: str) -> list[str]:
    return [shown["activity_type"] for shown in one.get(PATH, **query)]


def test_a_fill_in_full() -> None:
    one = Rig(flat("100"), at=START)
    order = one.submit(qty="2.5")
    assert one.get(PATH) == [
        {
            "activity_type": "FILL",
            "id": ids(one)[0],
            "order_id": order["id"],
            "order_status": "filled",
            "symbol": "MU",
            "side": "buy",
            "type": "fill",
            "qty": "2.5",
            "cum_qty": "2.5",
            "leaves_qty": "0",
            "price": "100.01",
            "transaction_time": "2026-01-14T15:00:20.250500Z",
        }
    ]
    assert re.fullmatch(
        r"20260114150020250::[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", ids(one)[0]
    )


@pytest.mark.parametrize("amount", [{"qty": "8"}, {"qty": None, "notional": "800.08"}])
def test_a_partial_fill_and_its_rest(amount: dict[str, Any]) -> None:
    one = Rig(flat("100"), at=START)
    fault = {"kind": "partial_fill", "fraction": "0.25", "rest_polls": 1}
    one.ask("POST", "/sim/faults", fault)
    one.submit(**amount)
    (part,) = one.get(PATH)
    assert (part["type"], part["order_status"]) == ("partial_fill", "partially_filled")
    assert [D(part[name]) for name in ("qty", "cum_qty", "leaves_qty")] == [2, 2, 6]
    one.order()
    rest, first = one.get(PATH)
    assert first == part
    assert (rest["type"], rest["order_status"]) == ("fill", "filled")
    assert [D(rest[name]) for name in ("qty", "cum_qty", "leaves_qty")] == [6, 8, 0]
    assert rest["id"] != part["id"]


def busy() -> Rig:
    """An account with a fill, a transfer, and a day later a dividend and a symbol change."""
    one = Rig(flat("100", "MU", "AMD"), opening=holding("MU", "10", "900"), at=START)
    one.submit(qty="1")
    one.wait(minutes=1)
    one.ask("POST", "/sim/events", {"kind": "transfer", "amount": 5})
    one.wait(days=1)
    events = [
        {"kind": "dividend", "symbol": "MU", "per_share": 1},
        {"kind": "symbol_change", "symbol": "MU", "new_symbol": "MUX"},
    ]
    one.ask("POST", "/sim/events", events)
    return one


def test_the_latest_is_first_unless_asked_otherwise() -> None:
    one = busy()
    assert kinds(one) == ["NC", "NC", "DIV", "CSD", "FILL"]
    assert ids(one, direction="asc") == ids(one)[::-1]
    prefixes = [shown.split("::")[0] for shown in ids(one, direction="asc")]
    assert prefixes == sorted(prefixes)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"activity_types": "FILL"}, ["FILL"]),
        ({"activity_types": "DIV,FILL"}, ["DIV", "FILL"]),
        ({"activity_types": "TRANS"}, ["CSD"]),
        ({"activity_types": "MISC"}, ["NC", "NC"]),
        ({"category": "trade_activity"}, ["FILL"]),
        ({"category": "non_trade_activity"}, ["NC", "NC", "DIV", "CSD"]),
        ({"after": "2026-01-14T15:00:20.250500Z"}, ["NC", "NC", "DIV", "CSD"]),
        ({"after": "2026-01-15"}, ["NC", "NC", "DIV"]),
        ({"until": "2026-01-15"}, ["CSD", "FILL"]),
        ({"until": "2026-01-14T15:00:20.250500Z"}, []),
        ({"date": "2026-01-15"}, ["NC", "NC", "DIV"]),
        ({"date": "2026-01-14T23:00:00Z"}, ["CSD", "FILL"]),
        ({"page_size": "2"}, ["NC", "NC"]),
        ({"page_size": "1000"}, ["NC", "NC", "DIV", "CSD", "FILL"]),
        ({"order_id": "e1a1b1c1-0000-4000-8000-000000000000"}, []),
    ],
)
def test_filters(query: dict[str, str], expected: list[str]) -> None:
    assert kinds(busy(), **query) == expected


def test_activities_of_one_type_and_of_one_order() -> None:
    one = busy()
    assert len(one.get(f"{PATH}/NC")) == 2
    assert one.get(f"{PATH}/CSW") == []
    order_id = one.order()["id"]
    assert kinds(one, order_id=order_id) == ["FILL"]
    assert ids(one, f"{PATH}/FILL", order_id=order_id) == ids(one, activity_types="FILL")


@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize("size", [1, 2, 4])
def test_pages_hold_everything_once(direction: str, size: int) -> None:
    one, seen, token = busy(), list[str](), ""
    while page := ids(one, direction=direction, page_size=str(size), page_token=token):
        seen += page
        token = page[-1]
    assert seen == ids(one, direction=direction)


def test_a_token_of_another_life_stands_for_its_time() -> None:
    one = busy()
    token = "20260115000000000::00000000-0000-4000-8000-000000000000"
    assert kinds(one, page_token=token) == ["CSD", "FILL"]
    assert kinds(one, page_token=token, direction="asc") == ["DIV", "NC", "NC"]


@pytest.mark.parametrize(
    ("path", "query", "message"),
    [
        (PATH, {"activity_types": "FILL", "category": "trade_activity"}, "cannot be used with"),
        (PATH, {"category": "x"}, "invalid category: x"),
        (PATH, {"activity_types": "FILL,X"}, "invalid activity type: X"),
        (f"{PATH}/X", {}, "invalid activity type: X"),
        (PATH, {"direction": "up"}, "invalid direction: up"),
        (PATH, {"page_size": "0"}, "invalid page_size: 0"),
        (PATH, {"after": "x"}, "invalid after: x"),
    ],
)
def test_what_is_refused(path: str, query: dict[str, str], message: str) -> None:
    answer = busy().ask("GET", path, query=query)
    assert answer.status == 422
    assert message in answer.json()["message"]


def test_the_same_event_twice_is_two_activities() -> None:
    one = Rig(flat("100"), at=START)
    one.ask("POST", "/sim/events", [{"kind": "transfer", "amount": 5}] * 3)
    told = one.get(PATH)
    assert len({shown["id"] for shown in told}) == len({shown["group_id"] for shown in told}) == 3


def test_an_id_is_a_function_of_account_and_event() -> None:
    assert ids(busy()) == ids(busy())
    other = Rig(flat("100"), opening=Opening(account_number="SIM2"), at=START)
    other.submit(qty="1")
    assert not {*ids(other)} & {*ids(busy())}


def test_a_fill_is_told_alike_by_an_exchange_made_anew() -> None:
    """One that saw the order all the while, and one that takes it over open from a record."""
    later = START.replace(second=0, microsecond=0) + timedelta(hours=2)
    prices = steps(MU=[(START - timedelta(days=1), "100"), (later, "90")])
    one = Rig(prices, at=START)
    order = one.submit(qty="5", type="limit", limit_price="95", time_in_force="gtc")
    again = Rig(prices, opening=Opening(orders=(order,)), at=START + timedelta(hours=3))
    one.wait(hours=3)
    assert one.get(PATH) == again.get(PATH)
    assert len(one.get(PATH)) == 1


def test_what_an_opening_had_filled_is_not_told_again() -> None:
    one = Rig(flat("100"), at=START)
    order = {**one.submit(qty="5"), "status": "filled", "filled_qty": "5", "filled_avg_price": "1"}
    opening = Opening(positions=(Position("MU", D(5), D(5)),), orders=(order,))
    assert Rig(flat("100"), opening=opening, at=START).get(PATH) == []


def test_every_type_of_the_documents_is_known() -> None:
    schema = document("trading-api.json")["components"]["schemas"]["ActivityType"]
    assert sorted(KINDS) == sorted(schema["enum"])
