from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from executor.exchange.opening import Opening
from executor.exchange.sessions import NyseSessions
from tests.exchange.rig import Rig, flat, holding

START = datetime(2026, 1, 14, 15, 0, tzinfo=UTC)


@pytest.fixture
def rig() -> Rig:
    """Six orders, a minute apart: 0, 2, 4 filled, 1, 3, 5 open; 5 in AMD."""
    rig = Rig(flat("100", "MU", "AMD"), opening=holding("MU", "10", "800"), at=START)
    for number in range(6):
        resting = number % 2 == 1
        rig.submit(
            client_order_id=str(number),
            side="sell" if number == 0 else "buy",
            symbol="AMD" if number == 5 else "MU",
            type="limit" if resting else "market",
            limit_price="90" if resting else None,
        )
        rig.wait(minutes=1)
    return rig


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, "531"),
        ({"status": "open"}, "531"),
        ({"status": "closed"}, "420"),
        ({"status": "all"}, "543210"),
        ({"status": "all", "direction": "asc"}, "012345"),
        ({"status": "all", "direction": "asc", "limit": "2"}, "01"),
        ({"status": "all", "limit": "100000"}, "543210"),
        ({"status": "all", "symbols": "AMD, TSM"}, "5"),
        ({"status": "all", "symbols": "AMD,MU", "side": "sell"}, "0"),
        ({"status": "all", "side": "buy"}, "54321"),
        ({"status": "all", "after": "2026-01-14T15:02:00Z"}, "543"),
        ({"status": "all", "until": "2026-01-14T15:02:00Z"}, "10"),
        ({"status": "all", "until": "2026-01-14T10:02:00-05:00"}, "10"),
        ({"status": "all", "after": "2026-01-14T15:02:00 00:00"}, "543"),
        ({"status": "all", "after": "2026-01-15"}, ""),
        ({"status": "all", "nested": "true"}, "543210"),
    ],
)
def test_lists(rig: Rig, query: dict[str, str], expected: str) -> None:
    assert "".join(one["client_order_id"] for one in rig.get("/v2/orders", **query)) == expected


def test_lists_around_an_order(rig: Rig) -> None:
    middle = rig.order("2")["id"]
    after = rig.get("/v2/orders", status="all", after_order_id=middle)
    before = rig.get("/v2/orders", status="all", before_order_id=middle)
    assert [one["client_order_id"] for one in after] == ["5", "4", "3"]
    assert [one["client_order_id"] for one in before] == ["1", "0"]


@pytest.mark.parametrize(
    "query",
    [
        {"status": "some"},
        {"direction": "up"},
        {"limit": "0"},
        {"limit": "many"},
        {"limit": "²"},
        {"after": "yesterday"},
    ],
)
def test_bad_filters(rig: Rig, query: dict[str, str]) -> None:
    answer = rig.ask("GET", "/v2/orders", query=query)
    assert answer.status == 422


def test_looking_up(rig: Rig) -> None:
    shown = rig.order("3")
    assert rig.get(f"/v2/orders/{shown['id']}") == shown
    assert rig.get(f"/v2/orders/{shown['id'].upper()}", nested="true") == shown
    missing = rig.ask("GET", "/v2/orders:by_client_order_id", query={"client_order_id": "9"})
    assert (missing.status, missing.json()) == (
        404,
        {"code": 40410000, "message": "order not found for 9"},
    )
    assert rig.ask("GET", "/v2/orders:by_client_order_id").status == 422
    unknown = rig.ask("GET", "/v2/orders/5a7b1c3e-0000-4000-8000-000000000001")
    assert (unknown.status, unknown.json()["code"]) == (404, 40410000)
    malformed = rig.ask("GET", "/v2/orders/5")
    assert (malformed.status, malformed.json()) == (
        422,
        {"code": 40010001, "message": "order_id is missing"},
    )


def test_canceling(rig: Rig) -> None:
    order_id = rig.order("3")["id"]
    answer = rig.ask("DELETE", f"/v2/orders/{order_id}")
    assert (answer.status, answer.body) == (204, b"")
    assert rig.order("3")["status"] == "canceled"
    assert rig.order("3")["canceled_at"] == "2026-01-14T15:06:00Z"
    again = rig.ask("DELETE", f"/v2/orders/{order_id}")
    assert (again.status, again.json()) == (
        422,
        {"code": 42210000, "message": 'order is already in "canceled" state'},
    )
    filled = rig.ask("DELETE", f"/v2/orders/{rig.order('0')['id']}")
    assert filled.status == 422


def test_canceling_all(rig: Rig) -> None:
    expected = [{"id": rig.order(one)["id"], "status": 200} for one in "135"]
    answer = rig.ask("DELETE", "/v2/orders")
    assert (answer.status, answer.json()) == (207, expected)
    assert rig.get("/v2/orders") == []
    assert rig.ask("DELETE", "/v2/orders").json() == []


def test_an_opening_order_needs_few_keys_and_a_partial_one_goes_on() -> None:
    partial = {
        "id": "5a7b1c3e-0000-4000-8000-000000000001",
        "client_order_id": "first",
        "symbol": "MU",
        "side": "buy",
        "type": "limit",
        "time_in_force": "gtc",
        "qty": "10",
        "limit_price": "101",
        "filled_qty": "4",
        "filled_avg_price": "99.5",
        "status": "partially_filled",
        "submitted_at": "2026-01-14T12:00:00Z",
        "processed_through": "2026-01-14T15:30:00Z",
    }
    rig = Rig(flat("100"), opening=Opening(orders=(partial,)), at=START)
    assert rig.order()["status"] == "partially_filled"
    rig.wait(hours=1)
    done = rig.order()
    assert (done["id"], done["status"]) == (partial["id"], "filled")
    assert done["filled_at"] == "2026-01-14T15:30:00Z"
    assert done["filled_avg_price"] == "99.806"
    (fill,) = rig.get("/sim/fills")
    assert (fill["qty"], fill["price"]) == ("6", "100.01")


def test_an_opening_order_of_a_past_session_has_expired() -> None:
    left = {
        "client_order_id": "first",
        "symbol": "MU",
        "side": "buy",
        "type": "limit",
        "limit_price": "90",
        "qty": "10",
        "status": "new",
        "submitted_at": "2026-01-12T12:00:00Z",
    }
    rig = Rig(flat("100"), opening=Opening(orders=(left,)), at=START)
    assert (rig.order()["status"], rig.order()["expired_at"]) == ("expired", "2026-01-13T00:00:00Z")


def queued(name: str, submitted_at: str, **changes: object) -> dict[str, object]:
    ordinary = {
        "client_order_id": name,
        "symbol": "MU",
        "side": "buy",
        "type": "market",
        "qty": "10",
        "status": "accepted",
        "submitted_at": submitted_at,
    }
    return {**ordinary, **changes}


def test_an_opening_is_put_in_the_order_of_submission() -> None:
    orders = (
        queued("c", "2026-01-14T14:00:01Z"),
        queued("b", "2026-01-14T14:00:00.5Z"),
        queued("a", "2026-01-14T15:00:00+01:00"),
    )
    rig = Rig(flat("100"), opening=Opening(orders=orders), at=START)
    listed = rig.get("/v2/orders", status="all", direction="asc")
    assert [one["client_order_id"] for one in listed] == ["a", "b", "c"]
    assert [fill.client_order_id for fill in rig.exchange.fills()] == ["a", "b", "c"]


def test_queued_orders_of_an_opening_hold_back_what_they_did() -> None:
    night = datetime(2026, 1, 15, 3, 0, tzinfo=UTC)
    orders = (
        queued("buys", "2026-01-15T01:00:00Z", symbol="AMD"),
        queued("spends", "2026-01-15T01:00:00Z", symbol="AMD", qty=None, notional="500"),
        queued("sells", "2026-01-15T01:00:00Z", side="sell", qty=None, notional="250"),
    )
    opening = replace(holding("MU", "10", "800"), orders=orders)
    rig = Rig(flat("100", "MU", "AMD"), NyseSessions(), opening, at=night)
    assert rig.account()["buying_power"] == 2 * 101_000 - 1000 - 1000 - 500
    assert rig.get("/v2/positions/MU")["qty_available"] == "7.5"


def test_an_opening_names_an_order_once() -> None:
    order = queued("same", "2026-01-14T14:00:00Z")
    with pytest.raises(AssertionError, match="names order same once"):
        Rig(opening=Opening(orders=(order, order)))


def test_a_made_id_avoids_those_of_the_opening() -> None:
    before = Rig(flat("100"), at=START)
    made = [before.submit(client_order_id=None)["client_order_id"] for _ in range(2)]
    kept = queued(made[1], "2026-01-14T14:00:00Z")
    rig = Rig(flat("100"), opening=Opening(orders=(kept,)), at=START)
    assert rig.submit(client_order_id=None)["client_order_id"] not in made
