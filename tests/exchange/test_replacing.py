"""`PATCH /v2/orders/{id}`: one open order gives its place to a changed one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from executor.exchange.opening import Opening
from executor.exchange.sessions import NyseSessions
from tests.exchange.rig import Rig, flat, holding, steps

START = datetime(2026, 1, 14, 15, 0, tzinfo=UTC)
LIMIT = {"type": "limit", "limit_price": "95"}
BRACKET: dict[str, Any] = {
    "order_class": "bracket",
    "take_profit": {"limit_price": "110"},
    "stop_loss": {"stop_price": "90"},
}
OCO: dict[str, Any] = {**BRACKET, "order_class": "oco", "side": "sell", "type": "limit"}


def rig_with_shares() -> Rig:
    return Rig(flat("100"), opening=holding("MU", "10", "1000"), at=START)


def patch(rig: Rig, order_id: str, **changes: object) -> Any:
    answer = rig.ask("PATCH", f"/v2/orders/{order_id}", changes)
    assert answer.status == 200, answer.body
    return answer.json()


def refused(rig: Rig, order_id: str, **changes: object) -> tuple[int, dict[str, Any]]:
    answer = rig.ask("PATCH", f"/v2/orders/{order_id}", changes)
    assert answer.status >= 400, answer.body
    return answer.status, answer.json()


def test_the_new_order_takes_the_place_of_the_old_one() -> None:
    rig = rig_with_shares()
    old = rig.submit(**LIMIT)
    rig.wait(minutes=5)
    new = patch(rig, old["id"], qty="5", limit_price="96", time_in_force="gtc")
    assert (new["qty"], new["limit_price"], new["time_in_force"]) == ("5", "96", "gtc")
    assert (new["status"], new["replaces"], new["side"]) == ("pending_new", old["id"], "buy")
    assert new["id"] != old["id"]
    assert new["submitted_at"] == "2026-01-14T15:05:00Z"
    shown = rig.order()
    assert (shown["status"], shown["replaced_by"]) == ("replaced", new["id"])
    assert shown["replaced_at"] == "2026-01-14T15:05:00Z"
    assert [one["id"] for one in rig.get("/v2/orders")] == [new["id"]]
    assert rig.get(f"/v2/orders/{new['id']}")["status"] == "new"


def test_the_new_order_may_be_given_an_id() -> None:
    rig = rig_with_shares()
    old = rig.submit(**LIMIT)
    new = patch(rig, old["id"], limit_price="96", client_order_id="second")
    assert (new["client_order_id"], rig.order("second")["id"]) == ("second", new["id"])
    status, body = refused(rig, new["id"], limit_price="97", client_order_id="first")
    assert (status, body["message"]) == (422, "client_order_id must be unique")
    assert rig.order("second")["status"] == "new"


def test_a_marketable_new_price_fills() -> None:
    rig = rig_with_shares()
    old = rig.submit(**LIMIT)
    new = patch(rig, old["id"], limit_price="101")
    assert rig.get(f"/v2/orders/{new['id']}")["status"] == "filled"


def test_what_the_old_order_has_filled_counts() -> None:
    rig = rig_with_shares()
    rig.ask("POST", "/sim/faults", [{"kind": "partial_fill", "fraction": 0.4}])
    old = rig.submit(type="limit", limit_price="101", qty="10")
    assert rig.order()["status"] == "partially_filled"
    status, body = refused(rig, old["id"], qty="4")
    assert (status, body["message"]) == (422, "qty must be > filled_qty")
    new = patch(rig, old["id"], qty="7")
    assert (new["qty"], new["filled_qty"]) == ("3", "0")
    assert rig.get("/v2/positions/MU")["qty"] == "17"
    assert rig.order()["filled_qty"] == "4"


def test_without_a_quantity_it_is_for_the_rest() -> None:
    rig = rig_with_shares()
    rig.ask("POST", "/sim/faults", [{"kind": "partial_fill", "fraction": 0.4}])
    old = rig.submit(type="limit", limit_price="101", qty="10")
    assert refused(rig, old["id"], qty="10")[1]["message"] == "order parameters are not changed"
    assert patch(rig, old["id"], limit_price="95")["qty"] == "6"


@pytest.mark.parametrize(
    ("asked", "changes", "code", "says"),
    [
        (LIMIT, {}, 42210000, "order parameters are not changed"),
        (LIMIT, {"limit_price": 95}, 42210000, "order parameters are not changed"),
        (LIMIT, {"client_order_id": "x"}, 42210000, "order parameters are not changed"),
        (LIMIT, {"limit_price": "95.001"}, 42210000, "sub-penny"),
        (LIMIT, {"limit_price": "-1"}, 40010001, "limit_price must be > 0"),
        (LIMIT, {"stop_price": "95"}, 42210000, "limit orders must not have a stop price"),
        (LIMIT, {"trail": "5"}, 40010001, "limit orders must not have trail"),
        (LIMIT, {"qty": "2.5"}, 42210000, "qty of fractional orders cannot be changed"),
        (LIMIT, {"notional": "50"}, 42210000, "notional orders cannot be replaced"),
        (LIMIT, {"time_in_force": "fok"}, 42210000, "not supported by this exchange yet"),
        (LIMIT, {"time_in_force": "odd"}, 40010001, "invalid time_in_force: odd"),
        ({**LIMIT, "qty": "2.5"}, {"qty": "3"}, 42210000, "cannot be changed"),
        ({**LIMIT, "qty": "2.5"}, {"time_in_force": "gtc"}, 42210000, "must be DAY"),
        (
            {**LIMIT, "qty": None, "notional": "50"},
            {"limit_price": "96"},
            42210000,
            "notional orders cannot be replaced",
        ),
        ({**LIMIT, **BRACKET}, {"qty": "3"}, 42210000, "cannot be changed for advanced orders"),
        ({**LIMIT, **BRACKET}, {"limit_price": "90"}, 42210000, "stop_loss.stop_price must be <="),
        ({**LIMIT, **BRACKET}, {"limit_price": "110"}, 42210000, "take_profit.limit_price must"),
        (OCO, {"limit_price": "90"}, 42210000, "take_profit.limit_price must be > stop_loss"),
    ],
)
def test_what_cannot_be_replaced(
    asked: dict[str, Any], changes: dict[str, Any], code: int, says: str
) -> None:
    rig = rig_with_shares()
    old = rig.submit(**asked)
    status, body = refused(rig, old["id"], **changes)
    assert (status, body["code"]) == (422, code)
    assert says in body["message"]
    assert rig.order()["status"] == "new"
    assert len(rig.exchange.desk.orders) == 1 + len(old["legs"] or [])


@pytest.mark.parametrize(
    ("ending", "says"),
    [
        ("canceled", "cannot replace order in canceled status"),
        ("filled", "cannot replace order in filled status"),
        ("expired", "cannot replace order in expired status"),
        ("replaced", "order already replaced"),
    ],
)
def test_an_order_that_has_ended_is_not_replaced(ending: str, says: str) -> None:
    rig = rig_with_shares()
    old = rig.submit(type="limit", limit_price="101" if ending == "filled" else "95")
    if ending == "canceled":
        rig.ask("DELETE", f"/v2/orders/{old['id']}")
    elif ending == "expired":
        rig.wait(days=1)
    elif ending == "replaced":
        patch(rig, old["id"], qty="3")
    assert rig.order()["status"] == ending
    assert refused(rig, old["id"], limit_price="96") == (
        422,
        {"code": 42210000, "message": says},
    )


def test_an_order_that_waits_for_the_open_is_not_replaced() -> None:
    night = datetime(2026, 1, 15, 3, 0, tzinfo=UTC)
    rig = Rig(flat("100"), NyseSessions(), at=night)
    old = rig.submit(**LIMIT)
    status, body = refused(rig, old["id"], limit_price="96")
    assert (status, body["message"]) == (422, "cannot replace order in accepted status")


def test_an_unknown_order_is_not_replaced() -> None:
    unknown = "5a7b1c3e-0000-4000-8000-000000000001"
    assert refused(rig_with_shares(), unknown, qty="1")[0] == 404


def test_what_the_old_order_holds_is_free_for_the_new_one() -> None:
    rig = rig_with_shares()
    power = rig.account()["buying_power"]
    old = rig.submit(type="limit", limit_price="90", qty="2000")
    status, body = refused(rig, old["id"], qty="3000")
    assert (status, body["message"]) == (403, "insufficient buying power")
    assert body["buying_power"] == f"{power}"
    patch(rig, old["id"], qty="2200")
    assert rig.account()["buying_power"] == power - 198_000
    rig.ask("DELETE", "/v2/orders")
    sell = rig.submit(side="sell", type="limit", limit_price="120", qty="8", client_order_id="sell")
    status, body = refused(rig, sell["id"], qty="11")
    assert (status, body["available"]) == (403, "10")
    patch(rig, sell["id"], qty="10")
    assert rig.get("/v2/positions/MU")["qty_available"] == "0"


def test_a_replacement_is_no_wash_trade_either() -> None:
    rig = rig_with_shares()
    rig.submit(side="sell", type="limit", limit_price="105")
    buy = rig.submit(type="limit", limit_price="95", client_order_id="buy")
    status, body = refused(rig, buy["id"], limit_price="105")
    assert (status, body["message"][:20]) == (403, "potential wash trade")


def legs(rig: Rig, name: str = "first") -> dict[str, Any]:
    order = rig.get(f"/v2/orders/{name}") if len(name) == 36 else rig.order(name)
    return {one["group_role"]: one for one in [order, *order["legs"]]}


def path(*prices: str) -> Any:
    return steps(MU=[(START + timedelta(minutes=i), price) for i, price in enumerate(prices)])


@pytest.mark.parametrize("live", [True, False])
def test_legs_are_replaced_by_price(live: bool) -> None:
    rig = Rig(path("100", "100", "94"), at=START)
    entry: dict[str, Any] = {} if live else LIMIT
    rig.submit(**BRACKET, **entry, time_in_force="gtc")
    before = legs(rig)
    new = patch(rig, before["stop_loss"]["id"], stop_price="94.5" if live else "85")
    assert (new["status"], new["group_role"], new["order_class"]) == (
        "held",
        "stop_loss",
        "bracket",
    )
    assert new["group_id"] == before["entry"]["group_id"]
    if live:
        patch(rig, before["take_profit"]["id"], limit_price="120")
    after = legs(rig)
    assert after["stop_loss"]["id"] == new["id"]
    assert after["take_profit"]["status"] == ("new" if live else "held")
    old = rig.get(f"/v2/orders/{before['stop_loss']['id']}")
    assert (old["status"], old["replaced_by"]) == ("replaced", new["id"])
    tops = rig.get("/v2/orders", status="all", nested="true", direction="asc")
    assert [one["status"] for one in tops[1:]] == ["replaced", "replaced"][: 2 if live else 1]
    rig.wait(minutes=2)  # 94: a live stop at 94.5 fills; otherwise the entry at 95 does.
    statuses = {role: one["status"] for role, one in legs(rig).items()}
    if live:
        assert statuses == {"entry": "filled", "take_profit": "canceled", "stop_loss": "filled"}
    else:
        assert statuses == {"entry": "filled", "take_profit": "new", "stop_loss": "held"}


@pytest.mark.parametrize(
    ("asked", "stop", "base"),
    [({**BRACKET, **LIMIT}, "95", "95"), (BRACKET, "100", "100"), (OCO, "100", "100")],
)
def test_a_new_stop_of_a_leg_is_held_to_the_base_price(
    asked: dict[str, Any], stop: str, base: str
) -> None:
    rig = rig_with_shares()
    rig.submit(**asked)
    status, body = refused(rig, legs(rig)["stop_loss"]["id"], stop_price=stop)
    assert (status, body["base_price"]) == (422, base)
    assert body["message"] == "stop_loss.stop_price must be <= base_price - 0.01"


@pytest.mark.parametrize(("entry", "base"), [(LIMIT, "95"), ({}, None)])
def test_without_a_price_a_new_stop_of_a_leg_is_held_to_the_entrys_limit(
    entry: dict[str, Any], base: str | None
) -> None:
    raw = rig_with_shares().submit(**BRACKET, **entry)
    later = START + timedelta(days=1)
    opening = Opening(orders=({**raw, "time_in_force": "gtc", "status": "new"},))
    rig = Rig(steps(MU=[(later, "100")]), opening=opening, at=START)
    stop = legs(rig)["stop_loss"]["id"]
    if base is not None:
        assert refused(rig, stop, stop_price="95")[1]["base_price"] == base
    assert patch(rig, stop, stop_price="94")["stop_price"] == "94"


def test_an_entry_is_replaced_before_its_legs() -> None:
    rig = Rig(path("100", "96"), at=START)
    old = rig.submit(**BRACKET, **LIMIT, time_in_force="gtc")
    new = patch(rig, old["id"], limit_price="97")
    assert [one["id"] for one in new["legs"]] == [one["id"] for one in old["legs"]]
    assert rig.order()["legs"] is None
    rig.wait(minutes=1)
    statuses = {role: one["status"] for role, one in legs(rig, new["id"]).items()}
    assert statuses == {"entry": "filled", "take_profit": "new", "stop_loss": "held"}
    rig.ask("DELETE", f"/v2/orders/{old['legs'][0]['id']}")
    assert rig.get(f"/v2/orders/{old['legs'][1]['id']}")["status"] == "canceled"


def test_legs_wait_for_the_rest_of_an_entry_too() -> None:
    rig = Rig(path("100", "94"), at=START)
    rig.ask("POST", "/sim/faults", [{"kind": "partial_fill", "fraction": 0.4}])
    limit = {"type": "limit", "limit_price": "101", "time_in_force": "gtc"}
    old = rig.submit(**BRACKET, **limit, qty="10")
    assert rig.get("/v2/positions/MU")["qty_available"] == "0"
    new = patch(rig, old["id"], limit_price="95")
    assert (new["qty"], {one["qty"] for one in new["legs"]}) == ("6", {"10"})
    assert rig.get("/v2/positions/MU")["qty_available"] == "0"
    rig.wait(minutes=1)
    assert [one["status"] for one in legs(rig, new["id"]).values()] == ["filled", "new", "held"]
    shown = rig.get("/v2/positions/MU")
    assert (shown["qty"], shown["qty_available"]) == ("10", "0")


def test_either_exit_of_a_pair_is_replaced_with_the_shares_of_both() -> None:
    rig = rig_with_shares()
    old = rig.submit(**OCO, qty="10")
    stop = patch(rig, old["legs"][0]["id"], stop_price="95")
    new = patch(rig, old["id"], limit_price="105")
    assert [one["id"] for one in new["legs"]] == [stop["id"]]
    assert rig.get("/v2/positions/MU")["qty_available"] == "0"
    rig.ask("DELETE", f"/v2/orders/{new['id']}")
    assert rig.get(f"/v2/orders/{stop['id']}")["status"] == "canceled"


@pytest.mark.parametrize(
    ("trail", "new", "stop"),
    [({"trail_price": "10"}, "4", "101"), ({"trail_percent": "10"}, "2", "102.9")],
)
def test_a_new_trail_keeps_the_best_price(trail: dict[str, str], new: str, stop: str) -> None:
    rig = Rig(path("100", "105", "103"), opening=holding("MU", "2", "200"), at=START)
    old = rig.submit(side="sell", type="trailing_stop", time_in_force="gtc", **trail)
    rig.wait(minutes=2)
    shown = patch(rig, old["id"], trail=new)
    (name,) = trail
    assert (shown[name], shown["hwm"], shown["stop_price"]) == (new, "105", stop)
    assert refused(rig, shown["id"], stop_price="90")[0] == 422
    assert refused(rig, shown["id"], trail=new)[1]["message"] == "order parameters are not changed"
