"""Alpaca's table of potential wash trades, row by row."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from executor.exchange.sessions import NyseSessions
from tests.exchange.rig import Rig, flat, holding

START = datetime(2026, 1, 14, 15, 0, tzinfo=UTC)
NIGHT = datetime(2026, 1, 15, 3, 0, tzinfo=UTC)

MARKET = {"type": "market"}
# At 100, none of these fills: BUYs wait below or for a rise, SELLs above or for a fall.
REST: dict[str, dict[str, dict[str, object]]] = {
    "buy": {
        "limit": {"type": "limit", "limit_price": "95"},
        "stop": {"type": "stop", "stop_price": "110"},
        "stop_limit": {"type": "stop_limit", "stop_price": "110", "limit_price": "112"},
        "trailing_stop": {"type": "trailing_stop", "trail_price": "10"},
    },
    "sell": {
        "limit": {"type": "limit", "limit_price": "105"},
        "stop": {"type": "stop", "stop_price": "90"},
        "stop_limit": {"type": "stop_limit", "stop_price": "90", "limit_price": "88"},
        "trailing_stop": {"type": "trailing_stop", "trail_price": "10"},
    },
}
LIMITED = ("limit", "stop_limit")
OTHER = {"buy": "sell", "sell": "buy"}


def rig_with_shares() -> Rig:
    return Rig(flat("100", "MU", "AMD"), opening=holding("MU", "100", "8000"), at=START)


def asked(side: str, kind: str) -> dict[str, object]:
    return {"side": side, **(MARKET if kind == "market" else REST[side][kind])}


@pytest.mark.parametrize("side", ["buy", "sell"])
@pytest.mark.parametrize("resting", ["limit", "stop", "stop_limit", "trailing_stop"])
@pytest.mark.parametrize("coming", ["market", "limit", "stop", "stop_limit"])
def test_the_table(side: str, resting: str, coming: str) -> None:
    rig = rig_with_shares()
    first = rig.submit(**asked(side, resting))
    new = asked(OTHER[side], coming)
    if resting in LIMITED and coming in LIMITED:
        bought, sold = (first, new) if side == "buy" else (new, first)
        crosses = float(str(bought["limit_price"])) >= float(str(sold["limit_price"]))
        if not crosses:
            rig.submit(**new, client_order_id="second")
            return
    status, body = rig.refused(**new, client_order_id="second")
    assert (status, body["code"]) == (403, 40310000)
    assert body["message"] == "potential wash trade detected. use complex orders"
    assert body["existing_order_id"] == first["id"]
    if resting not in LIMITED:
        assert body["reject_reason"] == "opposite side market/stop order exists"
    elif coming not in LIMITED:
        assert body["reject_reason"] == "opposite side limit order exists"
    rig.ask("DELETE", "/v2/orders")
    rig.submit(**new, client_order_id="second")


def test_a_market_order_that_waits_for_the_open_is_in_the_way_too() -> None:
    rig = Rig(flat("100"), NyseSessions(), holding("MU", "100", "8000"), at=NIGHT)
    rig.submit()
    sell = {"side": "sell", "type": "limit", "limit_price": "105", "client_order_id": "second"}
    assert rig.refused(**sell)[1]["reject_reason"] == "opposite side market/stop order exists"


@pytest.mark.parametrize(
    ("side", "limit", "crossing", "apart", "says"),
    [
        ("buy", "95", "95", "95.01", "buy order exists, sell limit price should be greater than "),
        ("sell", "105", "105", "104.99", "sell order exists, buy limit price should be less than "),
    ],
)
def test_limits_that_cross(side: str, limit: str, crossing: str, apart: str, says: str) -> None:
    rig = rig_with_shares()
    first = rig.submit(side=side, type="limit", limit_price=limit)
    new: dict[str, Any] = {"side": OTHER[side], "type": "limit", "client_order_id": "second"}
    status, body = rig.refused(**new, limit_price=crossing)
    assert status == 403
    assert body == {
        "code": 40310000,
        "message": "potential wash trade detected. use complex orders",
        "existing_order_id": first["id"],
        "reject_reason": f"{says}existing {side} limit price",
        "buy_limit_price": limit,
        "sell_limit_price": limit,
    }
    rig.submit(**new, limit_price=apart)


def test_the_same_side_and_other_symbols_are_free() -> None:
    rig = rig_with_shares()
    rig.submit(**asked("sell", "limit"))
    rig.submit(**asked("sell", "limit"), client_order_id="second")
    rig.submit(side="buy", symbol="AMD", client_order_id="third")


BRACKET: dict[str, object] = {
    "order_class": "bracket",
    "take_profit": {"limit_price": "120"},
    "stop_loss": {"stop_price": "80"},
}
OCO: dict[str, object] = {**BRACKET, "order_class": "oco", "side": "sell", "type": "limit"}


@pytest.mark.parametrize(
    ("resting", "coming"),
    [
        (asked("sell", "stop"), {"side": "buy", **BRACKET}),
        (asked("sell", "limit"), {"side": "buy", **BRACKET}),
        (asked("buy", "limit"), OCO),
        (asked("buy", "stop"), OCO),
        (asked("buy", "limit"), asked("sell", "trailing_stop")),
        (asked("sell", "stop"), asked("buy", "trailing_stop")),
    ],
)
def test_complex_orders_and_trailing_stops_are_let_in(
    resting: dict[str, object], coming: dict[str, object]
) -> None:
    rig = rig_with_shares()
    rig.submit(**resting)
    rig.submit(**coming, client_order_id="second")


def test_legs_that_wait_are_in_nobodys_way_and_live_ones_are() -> None:
    rig = rig_with_shares()
    rig.submit(type="limit", limit_price="95", **BRACKET)
    rig.submit(type="limit", limit_price="90", client_order_id="more")
    sell = {"side": "sell", "client_order_id": "second"}
    assert rig.refused(**sell)[1]["existing_order_id"] == rig.order()["id"]
    rig.ask("DELETE", "/v2/orders")
    live = rig.submit(client_order_id="live", **BRACKET)
    refused = rig.refused(client_order_id="second")[1]
    assert refused["existing_order_id"] == live["legs"][0]["id"]
