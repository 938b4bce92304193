"""The account side's answers, held to Alpaca's own OpenAPI documents."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from executor.exchange.messages import Response
from executor.exchange.sessions import NyseSessions
from tests.exchange.rig import Rig, flat, holding
from tests.exchange.test_contract import document, errors_of, registry, schema_of

START = datetime(2026, 1, 14, 15, 0, 5, 250_000, tzinfo=UTC)

EVENTS: list[dict[str, Any]] = [
    {"kind": "dividend", "symbol": "MU", "per_share": "0.25"},
    {"kind": "interest", "amount": "1.25"},
    {"kind": "fee", "amount": "-0.25"},
    {"kind": "transfer", "amount": "100"},
    {"kind": "transfer", "amount": "-10"},
    {"kind": "transfer", "amount": "5", "journal": True},
    {"kind": "split", "symbol": "MU", "new_rate": 2, "old_rate": 1},
    {"kind": "split", "symbol": "AMD", "new_rate": 1, "old_rate": 2},
    {"kind": "spin_off", "symbol": "MU", "new_symbol": "MUX", "rate": "0.5", "price": "20"},
    {"kind": "symbol_change", "symbol": "AMD", "new_symbol": "AMX"},
    {"kind": "merger", "symbol": "AMX", "cash": "30"},
    {"kind": "merger", "symbol": "KO", "new_symbol": "MU", "rate": "0.5"},
    {"kind": "merger", "symbol": "MUX", "new_symbol": "MU", "rate": "0.5", "cash": "1"},
    {"kind": "dividend", "symbol": "MU", "per_share": "0.5", "at": "2026-02-14T15:00:00Z"},
]
"""One of every kind and shape; the last is only announced."""

MORE_THAN_DESCRIBED = {"description", "price", "activity_sub_type"}
"""Keys of non-trade activities that Alpaca's SDK reads or its examples have, the schema lacks."""


def rig() -> Rig:
    one = Rig(flat("100", "MU", "AMD", "KO"), opening=holding("MU", "10", "900"), at=START)
    one.ask("POST", "/sim/positions", {"symbol": "AMD", "qty": 4})
    one.ask("POST", "/sim/positions", {"symbol": "KO", "qty": 4})
    one.ask("POST", "/sim/faults", {"kind": "partial_fill", "rest_polls": 1})
    one.submit(qty="4")
    one.order()
    answer = one.ask("POST", "/sim/events", EVENTS)
    assert answer.status == 200, answer.body
    return one


def content_of(answer: Response) -> Any:
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


def component(name: str) -> Draft202012Validator:
    formats = FormatChecker(["uuid"])
    reference = {"$ref": f"urn:trading-api.json#/components/schemas/{name}"}
    return Draft202012Validator(reference, registry=registry(), format_checker=formats)


def test_activities_are_of_the_described_kind() -> None:
    one = rig()
    reference = schema_of("GET", "/v2/account/activities", 200)
    told = content_of(one.ask("GET", "/v2/account/activities"))
    kinds = {shown["activity_type"] for shown in told}
    assert kinds == {
        *("FILL", "DIV", "INT", "FEE", "CSD", "CSW", "JNLC", "SPLIT", "SPIN", "NC", "MA"),
    }
    # The documents type `date` as date-time; their example has a date, as Alpaca has.
    timed = [
        {**shown, "date": f"{shown['date']}T00:00:00Z"} if "date" in shown else shown
        for shown in told
    ]
    assert errors_of(reference, timed) == []
    schemas = document("trading-api.json")["components"]["schemas"]
    for shown in told:
        name = "TradingActivities" if shown["activity_type"] == "FILL" else "NonTradeActivities"
        more = set(shown) - set(schemas[name]["properties"])
        assert more <= MORE_THAN_DESCRIBED, shown
        if name == "TradingActivities":
            assert set(shown) == set(schemas[name]["properties"])


def test_activities_of_one_type_are_of_the_described_kind() -> None:
    one = rig()
    # The documents say oneOf, which a fill matches twice: none of the two has a required key.
    for kind, name in (("FILL", "TradingActivities"), ("DIV", "NonTradeActivities")):
        told = content_of(one.ask("GET", f"/v2/account/activities/{kind}"))
        assert told
        for shown in told:
            assert list(component(name).iter_errors(shown)) == []


def test_the_judge_of_activities_sees_what_is_wrong() -> None:
    (shown, *_) = rig().get("/v2/account/activities/FILL")
    for wrong in ({"type": "some"}, {"qty": 5}, {"order_status": "odd"}, {"order_id": 7}):
        assert list(component("TradingActivities").iter_errors({**shown, **wrong})), wrong


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"period": "1D", "cashflow_types": "ALL"},
        {"period": "1W", "timeframe": "1D", "cashflow_types": "ALL"},
        {"start": "2026-01-10T12:00:00Z", "end": "2026-01-11T12:00:00Z"},
    ],
)
def test_histories(query: Mapping[str, str]) -> None:
    path = "/v2/account/portfolio/history"
    for sessions in (None, NyseSessions()):
        one = Rig(flat("100"), sessions, holding("MU", "10", "900"), at=START)
        one.ask("POST", "/sim/events", EVENTS[:6])
        shown = content_of(one.ask("GET", path, query=query))
        assert errors_of(schema_of("GET", path, 200), shown) == []
        described = document("trading-api.json")["components"]["schemas"]["PortfolioHistory"]
        assert set(shown) <= set(described["properties"])
        assert len({len(shown[name]) for name in ("timestamp", "equity", "profit_loss")}) == 1


@pytest.mark.parametrize(
    ("path", "query", "template"),
    [
        ("/v2/stocks/snapshots", {"symbols": "MU,AMD,NOPE"}, ""),
        ("/v2/stocks/MU/snapshot", {"feed": "iex"}, "/v2/stocks/{symbol}/snapshot"),
    ],
)
@pytest.mark.parametrize("hour", [15, 23])
def test_snapshots(path: str, query: dict[str, str], template: str, hour: int) -> None:
    for sessions in (None, NyseSessions()):
        one = Rig(flat("100", "MU", "AMD"), sessions, at=START.replace(hour=hour))
        shown = content_of(one.ask("GET", path, query=query))
        assert errors_of(schema_of("GET", template or path, 200), shown) == []


def test_corporate_actions() -> None:
    one = rig()
    query = {"start": "2026-01-01", "end": "2026-12-31"}
    shown = content_of(one.ask("GET", "/v1/corporate-actions", query=query))
    reference = "urn:market-data-api.json#/components/schemas/corporate_actions_resp"
    assert errors_of(reference, shown) == []
    assert set(shown["corporate_actions"]) == {
        *("cash_dividends", "forward_splits", "reverse_splits", "spin_offs", "name_changes"),
        *("cash_mergers", "stock_mergers", "stock_and_cash_mergers"),
    }
    schemas = document("market-data-api.json")["components"]["schemas"]
    for kind, actions in shown["corporate_actions"].items():
        for action in actions:
            assert set(action) <= set(schemas[kind.removesuffix("s")]["properties"])


def test_announcements() -> None:
    one = rig()
    query = {
        "ca_types": "Dividend,Split,Spinoff,Merger",
        "since": "2026-01-01",
        "until": "2026-03-01",
    }
    path = "/v2/corporate_actions/announcements"
    shown = content_of(one.ask("GET", path, query=query))
    assert len(shown) == 8
    assert errors_of(schema_of("GET", path, 200), shown) == []
    (again,) = [content_of(one.ask("GET", f"{path}/{shown[0]['id']}"))]
    assert again == shown[0]
    template = "/v2/corporate_actions/announcements/{id}"
    assert errors_of(schema_of("GET", template, 200), again) == []
