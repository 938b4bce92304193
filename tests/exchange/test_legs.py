"""Bracket, OTO and OCO orders: their shape, their life, and what they hold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from executor.exchange.opening import Opening
from executor.exchange.sessions import NyseSessions
from tests.exchange.rig import Rig, flat, holding, steps

START = datetime(2026, 1, 14, 15, 0, tzinfo=UTC)
PROFIT, LOSS = {"limit_price": "110"}, {"stop_price": "90"}
BRACKET: dict[str, Any] = {"order_class": "bracket", "take_profit": PROFIT, "stop_loss": LOSS}
OTO: dict[str, Any] = {"order_class": "oto", "stop_loss": LOSS}
OCO: dict[str, Any] = {**BRACKET, "order_class": "oco", "side": "sell", "type": "limit"}
GTC = {"time_in_force": "gtc"}


def path(*prices: str) -> Any:
    """Make MU cost this much, a price a minute."""
    return steps(MU=[(START + timedelta(minutes=i), price) for i, price in enumerate(prices)])


def legs(rig: Rig, name: str = "first") -> dict[str, Any]:
    """Give an order and its legs by role."""
    order = rig.order(name)
    return {one["group_role"]: one for one in [order, *order["legs"]]}


def statuses(rig: Rig, name: str = "first") -> dict[str, str]:
    return {role: one["status"] for role, one in legs(rig, name).items()}


def qty(rig: Rig) -> str:
    held = rig.get("/v2/positions")
    return str(held[0]["qty"]) if held else "0"


def test_an_answer_shows_the_legs() -> None:
    rig = Rig(flat("100"), at=START)
    stop_limit = {"stop_price": "90", "limit_price": "89"}
    shown = rig.submit(**{**BRACKET, "stop_loss": stop_limit}, **GTC)
    profit, loss = shown["legs"]
    keys = ("type", "side", "qty", "limit_price", "stop_price", "status", "order_class", "legs")
    assert [profit[key] for key in keys] == [
        *("limit", "sell", "2", "110", None, "held", "bracket", None)
    ]
    assert [loss[key] for key in keys] == [
        *("stop_limit", "sell", "2", "89", "90", "held", "bracket", None)
    ]
    assert {one["group_id"] for one in (shown, profit, loss)} == {shown["group_id"]}
    roles = [one["group_role"] for one in (shown, profit, loss)]
    assert roles == ["entry", "take_profit", "stop_loss"]
    assert {one["time_in_force"] for one in (profit, loss)} == {"gtc"}
    assert {one["position_intent"] for one in (profit, loss)} == {"sell_to_close"}
    assert rig.get(f"/v2/orders/{shown['id']}")["legs"][0]["id"] == profit["id"]
    assert rig.order(profit["client_order_id"])["id"] == profit["id"]


def test_a_simple_order_has_no_group() -> None:
    shown = Rig().submit()
    assert shown["legs"] is None
    assert not {"group_id", "group_role"} & set(shown)


def test_ids_of_legs_are_functions_of_the_parents() -> None:
    made = [Rig(flat("100"), at=START).submit(**BRACKET) for _ in range(2)]
    assert made[0] == made[1]
    other = Rig(flat("100"), at=START).submit(**BRACKET, client_order_id="other")
    ids = [one[key] for shown in (made[0], other) for one in shown["legs"] for key in ID]
    assert len(set(ids)) == 8


ID = ("id", "client_order_id")


@pytest.mark.parametrize(
    ("changes", "roles"),
    [
        (OTO, ["entry", "stop_loss"]),
        ({"order_class": "oto", "take_profit": PROFIT}, ["entry", "take_profit"]),
        (BRACKET, ["entry", "take_profit", "stop_loss"]),
        (OCO, ["take_profit", "stop_loss"]),
    ],
)
def test_which_legs_a_class_has(changes: dict[str, Any], roles: list[str]) -> None:
    rig = Rig(flat("100"), opening=holding("MU", "2", "200"), at=START)
    shown = rig.submit(**changes)
    assert [one["group_role"] for one in [shown, *shown["legs"]]] == roles
    assert {one["order_class"] for one in shown["legs"]} == {changes["order_class"]}


def test_lists_show_legs_flat_or_rolled_up() -> None:
    rig = Rig(flat("100"), at=START)
    rig.submit(client_order_id="simple", type="limit", limit_price="50")
    shown = rig.submit(**BRACKET)
    ids = [shown["id"], *(one["id"] for one in shown["legs"])]
    flat_list = rig.get("/v2/orders", status="all", direction="asc")
    assert [one["id"] for one in flat_list[1:]] == ids
    assert {one["legs"] is None for one in flat_list} == {True}
    assert [one["id"] for one in rig.get("/v2/orders")][:2] == ids[:0:-1]
    for status in ("open", "all"):
        rolled = rig.get("/v2/orders", status=status, nested="true")
        assert [one["client_order_id"] for one in rolled] == ["first", "simple"]
        assert [one["id"] for one in rolled[0]["legs"]] == ids[1:]
    closed = {"status": "closed", "direction": "asc"}
    assert [one["id"] for one in rig.get("/v2/orders", **closed)] == ids[:1]
    assert rig.get("/v2/orders", **closed, nested="true") == []
    rig.ask("DELETE", f"/v2/orders/{ids[1]}")
    assert [one["id"] for one in rig.get("/v2/orders", **closed)] == ids
    assert [one["id"] for one in rig.get("/v2/orders", **closed, nested="true")] == ids[:1]


def test_legs_wait_for_the_entry() -> None:
    rig = Rig(path("100", "89", "111", "94"), at=START)
    rig.submit(**BRACKET, type="limit", limit_price="95", **GTC)
    assert statuses(rig) == {"entry": "new", "take_profit": "held", "stop_loss": "held"}
    assert legs(rig)["take_profit"]["filled_at"] is None
    rig.wait(minutes=1)  # 89 fills the entry at 89.01, under the stop, which is triggered at once.
    assert statuses(rig) == {"entry": "filled", "take_profit": "canceled", "stop_loss": "filled"}
    shown = legs(rig)
    assert shown["entry"]["filled_avg_price"] == "89.01"
    assert shown["stop_loss"]["filled_avg_price"] == "88.99"
    assert shown["entry"]["filled_at"] == shown["stop_loss"]["filled_at"]
    assert shown["take_profit"]["canceled_at"] == shown["stop_loss"]["filled_at"]
    assert qty(rig) == "0"


@pytest.mark.parametrize(
    ("prices", "wins", "price"),
    [
        (["100", "105", "111", "80"], "take_profit", "110.99"),
        (["100", "89", "120"], "stop_loss", "88.99"),
    ],
)
def test_one_leg_fills_and_the_other_is_canceled(prices: list[str], wins: str, price: str) -> None:
    watched, alone = (Rig(path(*prices), at=START) for _ in range(2))
    for rig in (watched, alone):
        rig.submit(**BRACKET, **GTC)
    assert statuses(watched) == {"entry": "filled", "take_profit": "new", "stop_loss": "held"}
    for _ in prices:
        watched.wait(minutes=1)
        watched.get("/v2/account")
    alone.now = watched.now
    assert legs(watched) == legs(alone)
    shown = legs(alone)
    loses = "stop_loss" if wins == "take_profit" else "take_profit"
    assert (shown[wins]["status"], shown[wins]["filled_avg_price"]) == ("filled", price)
    assert (shown[loses]["status"], shown[loses]["filled_qty"]) == ("canceled", "0")
    assert qty(alone) == "0"


def test_the_single_leg_of_an_oto_order_is_new_once_it_lives() -> None:
    rig = Rig(path("100", "89"), at=START)
    rig.submit(**OTO, **GTC)
    assert statuses(rig) == {"entry": "filled", "stop_loss": "new"}
    rig.wait(minutes=1)
    assert statuses(rig) == {"entry": "filled", "stop_loss": "filled"}


def test_a_triggered_stop_limit_leg_rests_beside_the_take_profit() -> None:
    prices = ["100", "89", "87", "111"]
    rig = Rig(path(*prices), at=START)
    rig.submit(**{**BRACKET, "stop_loss": {"stop_price": "90", "limit_price": "89.5"}}, **GTC)
    rig.wait(minutes=2)
    assert statuses(rig) == {"entry": "filled", "take_profit": "new", "stop_loss": "held"}
    rig.wait(minutes=1)  # Both could fill; the take-profit came first.
    assert statuses(rig) == {"entry": "filled", "take_profit": "filled", "stop_loss": "canceled"}
    assert qty(rig) == "0"


@pytest.mark.parametrize("role", ["entry", "take_profit", "stop_loss"])
def test_canceling_one_order_of_a_group_that_waits_cancels_all(role: str) -> None:
    rig = Rig(flat("100"), at=START)
    rig.submit(**BRACKET, type="limit", limit_price="95")
    assert rig.ask("DELETE", f"/v2/orders/{legs(rig)[role]['id']}").status == 204
    assert set(statuses(rig).values()) == {"canceled"}
    again = rig.ask("DELETE", f"/v2/orders/{legs(rig)[role]['id']}")
    assert (again.status, again.json()["message"]) == (
        422,
        'order is already in "canceled" state',
    )


@pytest.mark.parametrize("role", ["take_profit", "stop_loss"])
def test_canceling_a_live_leg_cancels_the_other(role: str) -> None:
    rig = Rig(flat("100"), at=START)
    rig.submit(**BRACKET)
    rig.ask("DELETE", f"/v2/orders/{legs(rig)[role]['id']}")
    assert statuses(rig) == {
        "entry": "filled",
        "take_profit": "canceled",
        "stop_loss": "canceled",
    }
    assert qty(rig) == "2"


def test_canceling_all_counts_each_order_once() -> None:
    rig = Rig(flat("100"), opening=holding("MU", "2", "200"), at=START)
    shown = rig.submit(**OCO)
    rig.submit(**BRACKET, type="limit", limit_price="95", client_order_id="second")
    answer = rig.ask("DELETE", "/v2/orders").json()
    assert {one["status"] for one in answer} == {200}
    assert len({one["id"] for one in answer}) == len(answer) == 5
    assert answer[0]["id"] == shown["id"]
    assert rig.get("/v2/orders") == []


@pytest.mark.parametrize("ending", ["canceled", "expired"])
def test_an_entry_that_ends_after_a_partial_fill_takes_its_legs_along(ending: str) -> None:
    rig = Rig(flat("100"), at=START)
    rig.ask("POST", "/sim/faults", [{"kind": "partial_fill", "fraction": 0.4}])
    rig.submit(**BRACKET, qty="10")
    assert statuses(rig) == {
        "entry": "partially_filled",
        "take_profit": "held",
        "stop_loss": "held",
    }
    assert rig.get("/v2/positions/MU")["qty_available"] == "0"
    if ending == "canceled":
        rig.ask("DELETE", f"/v2/orders/{rig.order()['id']}")
    else:
        rig.wait(days=1)
    assert statuses(rig) == {"entry": ending, "take_profit": "canceled", "stop_loss": "canceled"}
    shown = rig.get("/v2/positions/MU")
    assert (shown["qty"], shown["qty_available"]) == ("4", "4")


def test_a_rejected_entry_takes_its_legs_along() -> None:
    rig = Rig(flat("100"), at=START)
    rig.ask("POST", "/sim/faults", [{"kind": "order_rejected"}])
    rig.submit(**BRACKET)
    assert statuses(rig) == {
        "entry": "rejected",
        "take_profit": "canceled",
        "stop_loss": "canceled",
    }


def test_a_late_entry_fill_makes_the_legs_live_then() -> None:
    rig = Rig(path("100", "80", "100", "89"), at=START)
    rig.ask("POST", "/sim/faults", [{"kind": "late_fill", "seconds": 120}])
    rig.submit(**BRACKET, **GTC)
    rig.wait(minutes=2)
    assert statuses(rig) == {"entry": "filled", "take_profit": "new", "stop_loss": "held"}
    rig.wait(minutes=1)
    assert statuses(rig)["stop_loss"] == "filled"


def test_day_legs_expire_with_the_session_and_gtc_legs_do_not() -> None:
    rig = Rig(flat("100"), NyseSessions(), at=START)
    rig.submit(**BRACKET)
    rig.submit(**BRACKET, **GTC, client_order_id="second")
    rig.submit(**BRACKET, type="limit", limit_price="95", client_order_id="third")
    assert legs(rig)["stop_loss"]["expires_at"] == "2026-01-14T21:00:00Z"
    rig.now = datetime(2026, 1, 14, 21, 0, tzinfo=UTC)
    live = {"entry": "filled", "take_profit": "new", "stop_loss": "held"}
    assert statuses(rig) == {**live, "take_profit": "expired", "stop_loss": "expired"}
    assert legs(rig)["stop_loss"]["expired_at"] == "2026-01-14T21:00:00Z"
    assert statuses(rig, "second") == live
    assert statuses(rig, "third") == {
        "entry": "expired",
        "take_profit": "canceled",
        "stop_loss": "canceled",
    }


def test_a_bracket_waits_for_the_open() -> None:
    night = datetime(2026, 1, 15, 3, 0, tzinfo=UTC)
    rig = Rig(flat("100"), NyseSessions(), at=night)
    shown = rig.submit(**BRACKET)
    assert [shown["status"], *(one["status"] for one in shown["legs"])] == [
        *("accepted", "held", "held")
    ]
    rig.now = datetime(2026, 1, 15, 14, 30, tzinfo=UTC)
    assert statuses(rig) == {"entry": "filled", "take_profit": "new", "stop_loss": "held"}


def test_a_pair_of_exits_holds_its_shares_once() -> None:
    rig = Rig(flat("100"), opening=holding("MU", "10", "1000"), at=START)
    shown = rig.submit(**OCO, qty="6")
    assert statuses(rig) == {"take_profit": "new", "stop_loss": "held"}
    assert rig.get("/v2/positions/MU")["qty_available"] == "4"
    status, body = rig.refused(side="sell", qty="5", client_order_id="second")
    assert (status, body["available"], body["held_for_orders"]) == (403, "4", "6")
    assert body["related_orders"] == [shown["id"]]
    rig.submit(**OCO, qty="4", client_order_id="third")
    assert rig.get("/v2/positions/MU")["qty_available"] == "0"
    closing = rig.ask("DELETE", "/v2/positions/MU")
    assert (closing.status, closing.json()["code"]) == (403, 40310000)
    every = rig.ask("DELETE", "/v2/positions", query={"cancel_orders": "true"})
    assert every.json()[0]["status"] == 200
    assert qty(rig) == "0"


def test_an_oco_order_needs_shares_that_are_free() -> None:
    rig = Rig(flat("100"), opening=holding("MU", "10", "1000"), at=START)
    status, body = rig.refused(**OCO, qty="11")
    assert (status, body["code"]) == (403, 40310000)
    assert body["message"] == (
        "insufficient qty available for order (requested: 11, available: 10)"
    )


def test_a_take_profit_that_fills_in_part_leaves_the_stop_the_rest() -> None:
    rig = Rig(path("100", "111", "105", "89"), opening=holding("MU", "10", "1000"), at=START)
    rig.ask("POST", "/sim/faults", [{"kind": "partial_fill", "fraction": 0.4}])
    rig.submit(**OCO, **GTC, qty="10")
    rig.wait(minutes=1)
    shown = legs(rig)
    assert (shown["take_profit"]["status"], shown["take_profit"]["filled_qty"]) == (
        "partially_filled",
        "4",
    )
    assert (shown["stop_loss"]["status"], shown["stop_loss"]["qty"]) == ("held", "6")
    assert rig.get("/v2/positions/MU")["qty_available"] == "0"
    rig.wait(minutes=2)
    shown = legs(rig)
    assert (shown["take_profit"]["status"], shown["stop_loss"]["status"]) == ("canceled", "filled")
    assert (shown["stop_loss"]["filled_qty"], qty(rig)) == ("6", "0")


def test_an_oco_order_is_its_own_take_profit() -> None:
    rig = Rig(path("100", "111"), opening=holding("MU", "2", "200"), at=START)
    shown = rig.submit(**OCO, limit_price="1", **GTC)
    assert (shown["limit_price"], shown["type"]) == ("110", "limit")
    rig.wait(minutes=1)
    assert statuses(rig) == {"take_profit": "filled", "stop_loss": "canceled"}


@pytest.mark.parametrize("changes", [{"side": "buy", "stop_loss": {"stop_price": "120"}}, {}])
def test_an_oco_order_is_for_an_exit(changes: dict[str, Any]) -> None:
    rig = Rig(flat("100"), at=START)
    assert rig.refused(**{**OCO, **changes}) == (
        422,
        {"code": 42210000, "message": "oco orders must be exit orders"},
    )


@pytest.mark.parametrize("changes", [BRACKET, OTO])
def test_bracket_and_oto_orders_are_for_entries(changes: dict[str, Any]) -> None:
    rig = Rig(flat("100"), opening=holding("MU", "10", "1000"), at=START)
    exits = {"take_profit": {"limit_price": "90"}, "stop_loss": {"stop_price": "110"}}
    asked = {**changes, **{name: exits[name] for name in exits if name in changes}}
    name = changes["order_class"]
    assert rig.refused(**asked, side="sell") == (
        422,
        {"code": 42210000, "message": f"{name} orders must be entry orders"},
    )


BELOW = "stop_loss.stop_price must be <= base_price - 0.01"
ABOVE = "take_profit.limit_price must be >= base_price + 0.01"


@pytest.mark.parametrize(
    ("changes", "says", "base"),
    [
        ({**OTO, "stop_loss": {"stop_price": "99.99"}}, "", ""),
        ({**OTO, "stop_loss": {"stop_price": "100"}}, BELOW, "100"),
        ({**OTO, "stop_loss": {"stop_price": "105"}}, BELOW, "100"),
        ({**OTO, "stop_loss": {"stop_price": "95"}, "limit_price": "95"}, BELOW, "95"),
        ({**OTO, "stop_loss": {"stop_price": "94.99"}, "limit_price": "95"}, "", ""),
        ({**OTO, "stop_loss": {"stop_price": "103"}, "limit_price": "105"}, BELOW, "100"),
        ({**BRACKET, "take_profit": {"limit_price": "100"}}, ABOVE, "100"),
        ({**BRACKET, "take_profit": {"limit_price": "100.01"}}, "", ""),
        ({**BRACKET, "take_profit": {"limit_price": "96"}, "limit_price": "95"}, "", ""),
        ({**BRACKET, "take_profit": {"limit_price": "95"}, "limit_price": "95"}, ABOVE, "95"),
        ({**OCO, "stop_loss": {"stop_price": "100"}}, BELOW, "100"),
        (
            {**OCO, "stop_loss": {"stop_price": "99"}, "take_profit": {"limit_price": "99.5"}},
            "",
            "",
        ),
        (
            {**OCO, "stop_loss": {"stop_price": "97"}, "take_profit": {"limit_price": "97.005"}},
            "invalid take_profit.limit_price 97.005. sub-penny increment does not fulfill minimum "
            "pricing criteria",
            None,
        ),
    ],
)
def test_prices_of_legs_are_held_to_the_base_price(
    changes: dict[str, Any], says: str, base: str | None
) -> None:
    rig = Rig(flat("100"), opening=holding("MU", "10", "1000"), at=START)
    kind = "limit" if "limit_price" in changes else changes.get("type", "market")
    asked = {**changes, "type": kind}
    if not says:
        rig.submit(**asked)
        return
    status, body = rig.refused(**asked)
    assert (status, body["code"], body["message"]) == (422, 42210000, says)
    assert body.get("base_price") == base


def test_a_simple_stop_beyond_the_price_is_accepted_and_triggered_at_once() -> None:
    rig = Rig(flat("100"), opening=holding("MU", "10", "1000"), at=START)
    rig.submit(side="sell", type="stop", stop_price="105")
    assert (rig.order()["status"], rig.order()["filled_avg_price"]) == ("filled", "99.99")


def test_legs_hold_no_buying_power() -> None:
    rig = Rig(flat("100"), opening=Opening(Decimal(1000), multiplier=1), at=START)
    rig.submit(**BRACKET, qty="5", type="limit", limit_price="95")
    assert rig.account()["buying_power"] == 1000 - 475
