"""Every kind of answer, held to Alpaca's own OpenAPI documents.

They are in the wheel of `alpaca-mcp-server` and are read from there; nothing of it is imported.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import files
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from executor.exchange.messages import Response
from executor.exchange.sessions import NyseSessions
from tests.exchange.rig import Rig, flat, holding

START = datetime(2026, 1, 14, 15, 0, 5, 250_000, tzinfo=UTC)
DOCUMENTS = {"/v2/stocks": "market-data-api.json", "/v2": "trading-api.json"}

# Known defects of the documents, each with what it makes us do.
NOT_DESCRIBED = {
    404: "bodies of 404 are not described: code and message are asked for instead",
    422: "bodies of 422 are not described: code and message are asked for instead",
    403: "bodies of 403 are not described: code and message are asked for instead",
}
MORE_THAN_DESCRIBED = {
    "Account": {"crypto_tier", "effective_buying_power", "position_market_value"},
    "AccountConfigurations": {"dtbp_check"},
    "Order": {"source", "subtag"},
    "OrderLeg": {"expires_at", "source", "subtag"},
    "Assets": {"easy_to_borrow"},
}
"""Keys that Alpaca's own examples or its SDK's required fields have and the schemas lack."""

formats = FormatChecker()


@formats.checks("date-time", raises=ValueError)
def is_date_time(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@formats.checks("decimal", raises=ValueError)
def is_decimal(value: object) -> bool:
    return not isinstance(value, str) or float(value) is not None


@cache
def document(name: str) -> Any:
    """Read one of Alpaca's documents; a missing one is a failure, never a skip."""
    found = [one for one in files("alpaca-mcp-server") or [] if one.name == name]
    assert len(found) == 1, f"alpaca-mcp-server 2.4.0 brings one {name}, not {len(found)}"
    return json.loads(found[0].read_text(encoding="utf-8"))


@cache
def registry() -> Any:
    resources = [
        (f"urn:{name}", Resource.from_contents(document(name), default_specification=DRAFT202012))
        for name in DOCUMENTS.values()
    ]
    return Registry().with_resources(resources)


def schema_of(method: str, template: str, status: int) -> str:
    """Give the reference to the schema of a described answer."""
    name = next(name for prefix, name in DOCUMENTS.items() if template.startswith(prefix))
    responses = document(name)["paths"][template][method.lower()]["responses"]
    assert "content" in responses[str(status)], (method, template, status)
    escaped = template.replace("~", "~0").replace("/", "~1")
    return (
        f"urn:{name}#/paths/{escaped}/{method.lower()}/responses/{status}"
        "/content/application~1json/schema"
    )


def errors_of(reference: str, content: object) -> list[str]:
    validator = Draft202012Validator(
        {"$ref": reference}, registry=registry(), format_checker=formats
    )
    return [f"{list(one.path)}: {one.message}" for one in validator.iter_errors(content)]


# A request and the path of the documents that describes it.
Case = tuple[str, str, dict[str, str], object, str, int]

LIST = {"status": "all", "limit": "500"}
BUY = {"symbol": "MU", "side": "buy", "type": "market", "time_in_force": "day"}
LEGS = {"take_profit": {"limit_price": "120"}, "stop_loss": {"stop_price": "80"}}
STOP_LIMIT = {"stop_price": "80", "limit_price": "79"}
SELL_AMD = {**BUY, "symbol": "AMD", "side": "sell", "qty": "3"}
CASES: list[Case] = [
    ("GET", "/v2/account", {}, None, "", 200),
    ("GET", "/v2/account/configurations", {}, None, "", 200),
    ("PATCH", "/v2/account/configurations", {}, {"max_margin_multiplier": "1"}, "", 200),
    ("GET", "/v2/positions", {}, None, "", 200),
    ("GET", "/v2/positions/MU", {}, None, "/v2/positions/{symbol_or_asset_id}", 200),
    ("GET", "/v2/positions/KO", {}, None, "/v2/positions/{symbol_or_asset_id}", 404),
    ("DELETE", "/v2/positions/AMD", {}, None, "/v2/positions/{symbol_or_asset_id}", 200),
    ("DELETE", "/v2/positions", {"cancel_orders": "true"}, None, "", 207),
    ("GET", "/v2/orders", LIST, None, "", 200),
    ("GET", "/v2/orders:by_client_order_id", {"client_order_id": "a"}, None, "", 200),
    ("GET", "/v2/orders:by_client_order_id", {"client_order_id": "?"}, None, "", 404),
    ("POST", "/v2/orders", {}, {**BUY, "qty": "1"}, "", 200),
    ("POST", "/v2/orders", {}, {**BUY, "notional": "10.50"}, "", 200),
    ("POST", "/v2/orders", {}, {**BUY, "qty": "1", "type": "limit", "limit_price": 9}, "", 200),
    ("POST", "/v2/orders", {}, {**BUY, **LEGS, "qty": "1", "order_class": "bracket"}, "", 200),
    (
        "POST",
        "/v2/orders",
        {},
        {**BUY, "qty": "1", "order_class": "oto", "stop_loss": STOP_LIMIT},
        "",
        200,
    ),
    (
        "POST",
        "/v2/orders",
        {},
        {**SELL_AMD, **LEGS, "type": "limit", "order_class": "oco"},
        "",
        200,
    ),
    ("POST", "/v2/orders", {}, {**SELL_AMD, "type": "trailing_stop", "trail_price": 5}, "", 200),
    ("POST", "/v2/orders", {}, {**SELL_AMD, "type": "trailing_stop", "trail_percent": 5}, "", 200),
    ("POST", "/v2/orders", {}, {**BUY, "qty": "1", "order_class": "bracket"}, "", 422),
    ("GET", "/v2/orders", {**LIST, "nested": "true"}, None, "", 200),
    ("GET", "/v2/orders:by_client_order_id", {"client_order_id": "bracket"}, None, "", 200),
    ("POST", "/v2/orders", {}, {**BUY, "qty": "9000"}, "", 403),
    ("POST", "/v2/orders", {}, {**BUY, "qty": "x"}, "", 422),
    ("DELETE", "/v2/orders", {}, None, "", 207),
    ("GET", "/v2/assets", {}, None, "", 200),
    ("GET", "/v2/assets/MU", {}, None, "/v2/assets/{symbol_or_asset_id}", 200),
    ("GET", "/v2/assets/X", {}, None, "/v2/assets/{symbol_or_asset_id}", 404),
    ("GET", "/v2/clock", {}, None, "", 200),
    ("GET", "/v2/calendar", {}, None, "", 200),
    ("GET", "/v2/stocks/quotes/latest", {"symbols": "MU,AMD"}, None, "", 200),
    ("GET", "/v2/stocks/MU/quotes/latest", {}, None, "/v2/stocks/{symbol}/quotes/latest", 200),
    ("GET", "/v2/stocks/trades/latest", {"symbols": "MU,X"}, None, "", 200),
    ("GET", "/v2/stocks/MU/trades/latest", {}, None, "/v2/stocks/{symbol}/trades/latest", 200),
    ("GET", "/v2/stocks/bars", {"symbols": "MU", "timeframe": "1Hour"}, None, "", 200),
    ("GET", "/v2/stocks/bars", {"symbols": "X", "timeframe": "1Day"}, None, "", 200),
    (
        "GET",
        "/v2/stocks/MU/bars",
        {"timeframe": "1Day", "limit": "2", "start": "2026-01-01"},
        None,
        "/v2/stocks/{symbol}/bars",
        200,
    ),
]


def rigs() -> Iterator[Rig]:
    """An account with orders in every status that the exchange gives, open and closed."""
    for sessions in (None, NyseSessions()):
        for hours in (0, 14):
            rig = Rig(
                flat("100", "MU", "AMD"),
                sessions,
                holding("AMD", "3.5", "300"),
                at=START,
                rate_limit=200,
            )
            resting = {"type": "limit", "limit_price": "90"}
            rig.submit(client_order_id="expires", **resting)
            rig.submit(client_order_id="rests", **resting, time_in_force="gtc")
            canceled = rig.submit(client_order_id="canceled", **resting)
            rig.ask("DELETE", f"/v2/orders/{canceled['id']}")
            rig.ask("POST", "/sim/faults", [{"kind": "order_rejected"}])
            rig.submit(client_order_id="rejected")
            rig.submit(client_order_id="a", qty="1.25")
            rig.submit(client_order_id="bracket", order_class="bracket", **LEGS, **resting)
            kept = rig.submit(client_order_id="replaced", **resting, time_in_force="gtc")
            rig.ask("PATCH", f"/v2/orders/{kept['id']}", {"limit_price": "91"})
            rig.wait(hours=hours)
            rig.ask("POST", "/sim/faults", [{"kind": "partial_fill"}])
            rig.submit(client_order_id="partial", qty="10", type="limit", limit_price="101")
            yield rig


def judge(answer: Response, method: str, template: str, status: int) -> None:
    assert answer.status == status, answer.body
    content = json.loads(answer.body)
    if status in NOT_DESCRIBED:
        assert isinstance(content["code"], int)
        assert isinstance(content["message"], str)
        return
    assert errors_of(schema_of(method, template, status), content) == []


@pytest.mark.parametrize("case", CASES, ids=[f"{one[0]} {one[1]} {one[5]}" for one in CASES])
def test_an_answer_is_as_alpaca_describes_it(case: Case) -> None:
    method, path, query, body, template, status = case
    for rig in rigs():
        judge(rig.ask(method, path, body, query), method, template or path, status)


def test_every_status_of_an_order_is_covered() -> None:
    seen = {
        one["status"]
        for rig in rigs()
        for one in [*rig.get("/v2/orders", **LIST), rig.submit(client_order_id="last")]
    }
    assert seen == {
        "accepted",
        "canceled",
        "expired",
        "filled",
        "held",
        "new",
        "partially_filled",
        "pending_new",
        "rejected",
        "replaced",
    }


def test_one_order_and_its_cancel() -> None:
    rig = Rig(flat("100"), at=START)
    order_id = rig.submit(type="limit", limit_price="9")["id"]
    path, template = f"/v2/orders/{order_id}", "/v2/orders/{order_id}"
    judge(rig.ask("GET", path), "GET", template, 200)
    assert rig.ask("DELETE", path).status == 204
    judge(rig.ask("DELETE", path), "DELETE", template, 422)


def test_an_order_with_legs_and_its_replacement() -> None:
    rig = Rig(flat("100"), at=START)
    order = rig.submit(order_class="bracket", **LEGS, type="limit", limit_price="90")
    described = document("trading-api.json")["components"]["schemas"]
    for shown, schema in ((order, "Order"), (order["legs"][0], "OrderLeg")):
        known = set(described[schema]["properties"]) | MORE_THAN_DESCRIBED[schema]
        assert set(shown) <= known
    template = "/v2/orders/{order_id}"
    for one, changes in (
        (order["legs"][1], {"stop_price": "81"}),
        (order, {"limit_price": "91"}),
    ):
        path = f"/v2/orders/{one['id']}"
        judge(rig.ask("PATCH", path, changes), "PATCH", template, 200)
        judge(rig.ask("PATCH", path, changes), "PATCH", template, 422)
        judge(rig.ask("GET", path), "GET", template, 200)


@pytest.mark.parametrize(
    ("path", "schema", "name"),
    [
        ("/v2/account", "Account", ""),
        ("/v2/account/configurations", "AccountConfigurations", ""),
        ("/v2/orders", "Order", "first"),
        ("/v2/positions", "Position", "first"),
        ("/v2/assets", "Assets", "first"),
        ("/v2/clock", "legacy_clock", ""),
        ("/v2/calendar", "legacy_calendar_day", "first"),
    ],
)
def test_no_key_is_our_own(path: str, schema: str, name: str) -> None:
    rig = next(rigs())
    content = rig.get(path)
    shown: Mapping[str, object] = content[0] if name else content
    described = document("trading-api.json")["components"]["schemas"][schema]["properties"]
    assert set(shown) - set(described) <= MORE_THAN_DESCRIBED.get(schema, set())


def test_the_judge_sees_what_is_wrong() -> None:
    rig = next(rigs())
    good = rig.get("/v2/orders", **LIST)
    reference = schema_of("GET", "/v2/orders", 200)
    for wrong in ({"status": "odd"}, {"qty": 5}, {"created_at": "now"}, {"id": 7}, {"type": "x"}):
        assert errors_of(reference, [{**good[0], **wrong}]) != [], wrong
