from __future__ import annotations

from typing import Any

import pytest

from executor.exchange.messages import Request
from tests.exchange.rig import HEADERS, Rig

TRAILING: dict[str, object] = {"type": "trailing_stop", "trail_price": "5"}
BRACKET: dict[str, object] = {
    "order_class": "bracket",
    "take_profit": {"limit_price": "400"},
    "stop_loss": {"stop_price": "300"},
}

REFUSED: list[tuple[str, dict[str, object], int, int, str]] = [
    ("no symbol", {"symbol": None}, 422, 40010001, "symbol is required"),
    ("unknown symbol", {"symbol": "NOPE"}, 422, 42210000, 'asset "NOPE" not found'),
    ("no side", {"side": None}, 422, 40010001, "side is required"),
    ("unknown side", {"side": "hold"}, 422, 40010001, "invalid side: hold"),
    ("no type", {"type": None}, 422, 40010001, "type is required"),
    ("unknown type", {"type": "vwap"}, 422, 40010001, "invalid type: vwap"),
    ("no time in force", {"time_in_force": None}, 422, 40010001, "time_in_force is required"),
    ("no size", {"qty": None}, 422, 40010001, "qty or notional is required"),
    ("two sizes", {"notional": "5"}, 422, 40010001, "only one of qty or notional is accepted"),
    ("zero", {"qty": "0"}, 422, 40010001, "qty must be > 0"),
    ("negative", {"qty": -1}, 422, 40010001, "qty must be > 0"),
    ("a word", {"qty": "many"}, 422, 40010001, "invalid qty: many"),
    ("underscores", {"qty": "1_0"}, 422, 40010001, "invalid qty: 1_0"),
    ("other digits", {"qty": "\u0661"}, 422, 40010001, "invalid qty: \u0661"),
    ("no number", {"qty": "e"}, 422, 40010001, "invalid qty: e"),
    ("a boolean", {"qty": True}, 422, 40010001, "invalid qty"),
    ("a list", {"qty": ["1"]}, 422, 40010001, "invalid qty"),
    ("ten decimals", {"qty": "0.1234567891"}, 422, 42210000, "qty must be limited to 9"),
    ("huge", {"qty": "1e400"}, 422, 42210000, "qty must be limited to 9"),
    ("three decimals", {"qty": None, "notional": "5.001"}, 422, 42210000, "2 decimal places"),
    ("under a dollar", {"qty": None, "notional": "0.99"}, 403, 40310000, "minimal amount"),
    ("a fraction under a dollar", {"qty": "0.001"}, 403, 40310000, "minimal amount of order 1"),
    ("id too long", {"client_order_id": "x" * 129}, 422, 40010001, "no more than 128"),
    ("id no text", {"client_order_id": 5}, 422, 40010001, "client_order_id must be a string"),
    ("id no text", {"client_order_id": "\ud800"}, 422, 40010001, "must be a string"),
    ("limit missing", {"type": "limit"}, 422, 42210000, "limit orders require a limit price"),
    ("stop missing", {"type": "stop"}, 422, 42210000, "stop orders require a stop price"),
    ("limit not asked", {"limit_price": "5"}, 422, 42210000, "must not have a limit price"),
    ("stop not asked", {"stop_price": "5"}, 422, 42210000, "must not have a stop price"),
    ("sub-penny", {"type": "limit", "limit_price": "5.001"}, 422, 42210000, "sub-penny"),
    ("sub-penny", {"type": "limit", "limit_price": "0.50001"}, 422, 42210000, "sub-penny"),
    ("fraction GTC", {"qty": "0.5", "time_in_force": "gtc"}, 422, 42210000, "must be DAY"),
    ("whole only", {"symbol": "ZFRAC", "qty": "0.5"}, 403, 40310000, "not fractionable"),
    ("whole only", {"symbol": "ZFRAC", "qty": None, "notional": "5"}, 403, 40310000, "not frac"),
    ("inactive", {"symbol": "ZDEAD"}, 422, 42210000, "is not active"),
    ("halted", {"symbol": "ZHALT"}, 422, 42210000, "is not tradable"),
    ("fok", {"time_in_force": "fok"}, 422, 42210000, "not supported by this exchange yet"),
    ("mleg", {"order_class": "mleg"}, 422, 42210000, "not supported by this exchange yet"),
    ("no trail", {**TRAILING, "trail_price": None}, 422, 40010001, "specify one of trail_price"),
    ("two trails", {**TRAILING, "trail_percent": 1}, 422, 40010001, "specify one of trail_price"),
    ("trail", {"trail_percent": "1"}, 422, 40010001, "market orders must not have trail_percent"),
    ("trail", {"trail_price": "1"}, 422, 40010001, "market orders must not have trail_price"),
    ("trail", {**TRAILING, "trail_price": "1.123"}, 422, 42210000, "sub-penny"),
    ("trail", {**TRAILING, "trail_price": "-1"}, 422, 40010001, "trail_price must be > 0"),
    ("trail", {**TRAILING, "stop_price": "1"}, 422, 42210000, "must not have a stop price"),
    ("trail", {**TRAILING, "qty": "1.5"}, 422, 42210000, "must be for whole shares"),
    ("trail", {**TRAILING, "qty": None, "notional": 5}, 422, 42210000, "must be for whole shares"),
    ("bracket", {"order_class": "bracket"}, 422, 40010001, "require take_profit.limit_price"),
    (
        "bracket",
        {"order_class": "bracket", "take_profit": {"limit_price": "400"}},
        422,
        40010001,
        "bracket orders require stop_loss.stop_price",
    ),
    (
        "bracket",
        {**BRACKET, "stop_loss": {"limit_price": "300"}},
        422,
        40010001,
        "bracket orders require stop_loss.stop_price",
    ),
    ("crossed", {**BRACKET, "stop_loss": {"stop_price": 400}}, 422, 42210000, "must be > stop"),
    ("sub-penny", {**BRACKET, "stop_loss": {"stop_price": "1.001"}}, 422, 42210000, "stop_loss.s"),
    ("no number", {**BRACKET, "take_profit": {"limit_price": "x"}}, 422, 40010001, "take_profit.l"),
    ("no object", {**BRACKET, "take_profit": "400"}, 422, 40010001, "invalid take_profit"),
    ("no object", {**BRACKET, "stop_loss": ["300"]}, 422, 40010001, "invalid stop_loss"),
    ("fraction", {**BRACKET, "qty": "1.5"}, 422, 42210000, "must be simple orders"),
    ("notional", {**BRACKET, "qty": None, "notional": "500"}, 422, 42210000, "must be simple"),
    (
        "bracket by stop",
        {**BRACKET, "type": "stop", "stop_price": "340"},
        422,
        40010001,
        "bracket orders must be market or limit orders",
    ),
    ("bracket trailing", {**BRACKET, **TRAILING}, 422, 40010001, "must be market or limit orders"),
    ("oto without", {"order_class": "oto"}, 422, 40010001, "either take_profit or stop_loss"),
    ("oto with both", {**BRACKET, "order_class": "oto"}, 422, 40010001, "either take_profit or"),
    (
        "oto with half a stop",
        {
            "order_class": "oto",
            "take_profit": {"limit_price": "400"},
            "stop_loss": {"limit_price": "300"},
        },
        422,
        40010001,
        "oto orders require stop_loss.stop_price",
    ),
    ("oco", {"order_class": "oco"}, 422, 40010001, "oco orders require take_profit.limit_price"),
    ("oco", {**BRACKET, "order_class": "oco"}, 422, 42210000, "oco orders must be limit orders"),
    (
        "oco to buy",
        {
            "order_class": "oco",
            "type": "limit",
            "take_profit": {"limit_price": "400"},
            "stop_loss": {"stop_price": "300"},
        },
        422,
        42210000,
        "take_profit.limit_price must be < stop_loss.stop_price",
    ),
    ("extended", {"extended_hours": True}, 422, 42210000, "not supported by this exchange yet"),
    ("class", {"order_class": "odd"}, 422, 40010001, "invalid order_class: odd"),
    ("legs", {"stop_loss": {"stop_price": "5"}}, 422, 40010001, "must not have take_profit"),
    ("intent", {"position_intent": "sell_to_close"}, 422, 40010001, "invalid position_intent"),
    ("intent", {"position_intent": "odd"}, 422, 40010001, "invalid position_intent: odd"),
]


@pytest.mark.parametrize(
    ("changes", "status", "code", "says"),
    [row[1:] for row in REFUSED],
    ids=[f"{index}-{row[0]}" for index, row in enumerate(REFUSED)],
)
def test_what_is_refused(changes: dict[str, object], status: int, code: int, says: str) -> None:
    rig = Rig()
    given, body = rig.refused(**changes)
    assert (given, body["code"]) == (status, code)
    assert says in body["message"]
    assert rig.get("/v2/orders", status="all") == []


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"qty": NaN}', b"\xff", b"[" * 100_000]
)
def test_a_body_that_is_no_object(body: bytes) -> None:
    response = Rig().exchange.handle(Request("POST", "/v2/orders", {}, HEADERS, body))
    assert response.status == 400
    assert response.json() == {"code": 40010000, "message": "request body format is invalid"}


ACCEPTED: list[tuple[dict[str, object], dict[str, Any]]] = [
    ({}, {"qty": "2", "type": "market", "order_class": ""}),
    ({"qty": 2.0}, {"qty": "2"}),
    ({"qty": 0.5}, {"qty": "0.5"}),
    ({"qty": "0.123456789"}, {"qty": "0.123456789"}),
    ({"qty": None, "notional": 10.25}, {"qty": None, "notional": "10.25"}),
    ({"type": "limit", "limit_price": 300.5}, {"limit_price": "300.5"}),
    ({"type": "limit", "limit_price": "0.1234"}, {"limit_price": "0.1234"}),
    ({"type": "stop", "stop_price": "400"}, {"stop_price": "400"}),
    (
        {"type": "stop_limit", "stop_price": "400", "limit_price": "401"},
        {"stop_price": "400", "limit_price": "401", "order_type": "stop_limit"},
    ),
    ({"time_in_force": "gtc"}, {"time_in_force": "gtc"}),
    ({"order_class": "simple"}, {"order_class": "simple"}),
    (
        {"type": "trailing_stop", "trail_price": "5"},
        {"trail_price": "5", "trail_percent": None, "hwm": "331.44", "stop_price": "336.44"},
    ),
    (
        {"type": "trailing_stop", "trail_percent": 2.5, "time_in_force": "gtc"},
        {"trail_percent": "2.5", "trail_price": None, "stop_price": "339.73"},
    ),
    ({"type": "trailing_stop", "trail_price": "0.1234"}, {"trail_price": "0.1234"}),
    (BRACKET, {"order_class": "bracket", "type": "market", "group_role": "entry"}),
    (
        {"order_class": "oto", "stop_loss": {"stop_price": "300", "limit_price": 299}},
        {"order_class": "oto", "group_role": "entry"},
    ),
    ({"order_class": "oto", "take_profit": {"limit_price": 400}, "stop_loss": {}}, {}),
    ({"position_intent": "buy_to_open"}, {"position_intent": "buy_to_open"}),
    ({"client_order_id": "x" * 128}, {"client_order_id": "x" * 128}),
    ({"extended_hours": False, "take_profit": None}, {"extended_hours": False}),
]


@pytest.mark.parametrize(("changes", "shown"), ACCEPTED)
def test_what_is_accepted(changes: dict[str, object], shown: dict[str, Any]) -> None:
    answer = Rig().submit(**changes)
    assert {name: answer[name] for name in shown} == shown
    assert answer["status"] == "pending_new"
    assert answer["filled_qty"] == "0"
    assert answer["filled_avg_price"] is None


def test_the_asset_id_may_stand_for_the_symbol() -> None:
    rig = Rig()
    asset = rig.get("/v2/assets/MU")
    assert rig.submit(symbol=asset["id"])["symbol"] == "MU"


def test_an_id_is_made_where_none_is_given() -> None:
    rig = Rig()
    made = {rig.submit(client_order_id=None)["client_order_id"] for _ in range(3)}
    assert len(made) == 3
    again = {Rig().submit(client_order_id=None)["client_order_id"] for _ in range(3)}
    assert len(again & made) == 1
