"""Corporate actions that a client may look up before they happen."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.exchange.rig import Rig, flat, holding

START = datetime(2026, 1, 14, 15, 0, tzinfo=UTC)
NEW = "/v1/corporate-actions"
OLD = "/v2/corporate_actions/announcements"


def rig() -> Rig:
    one = Rig(flat("100", "MU", "AMD"), opening=holding("MU", "10", "900"), at=START)
    events = [
        {"kind": "dividend", "symbol": "MU", "per_share": "0.25"},
        {"kind": "transfer", "amount": "5"},
        {"kind": "split", "symbol": "AMD", "new_rate": 2, "old_rate": 1, "at": "2026-01-20"},
        {"kind": "symbol_change", "symbol": "MU", "new_symbol": "MUX", "at": "2026-01-21"},
    ]
    assert one.ask("POST", "/sim/events", events).status == 200
    return one


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ({}, ["cash_dividends"]),
        ({"end": "2026-02-01"}, ["cash_dividends", "forward_splits", "name_changes"]),
        ({"start": "2026-01-15", "end": "2026-01-20"}, ["forward_splits"]),
        ({"end": "2026-02-01", "symbols": "MUX"}, ["name_changes"]),
        ({"end": "2026-02-01", "types": "forward_split,redemption"}, ["forward_splits"]),
        ({"end": "2026-02-01", "limit": "1", "sort": "desc"}, ["name_changes"]),
    ],
)
def test_actions_by_date_type_and_symbol(query: dict[str, str], kinds: list[str]) -> None:
    assert list(rig().get(NEW, **query)["corporate_actions"]) == kinds


def test_pages_of_actions() -> None:
    one, seen, token = rig(), list[str](), ""
    while token is not None:
        page = one.get(NEW, end="2026-02-01", limit="1", page_token=token)
        seen += list(page["corporate_actions"])
        token = page["next_page_token"]
    assert seen == ["cash_dividends", "forward_splits", "name_changes"]


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ({"ca_types": "Dividend,Split"}, ["Dividend", "Split"]),
        ({"ca_types": "dividend"}, ["Dividend"]),
        ({"ca_types": "Merger"}, []),
        ({"ca_types": "Dividend,Split", "symbol": "AMD"}, ["Split"]),
        ({"ca_types": "Dividend,Split", "until": "2026-01-19"}, ["Dividend"]),
    ],
)
def test_announcements_of_the_former_endpoint(query: dict[str, str], kinds: list[str]) -> None:
    span = {"since": "2026-01-01", "until": "2026-02-01"}
    assert [one["ca_type"] for one in rig().get(OLD, **{**span, **query})] == kinds


@pytest.mark.parametrize(
    ("path", "query", "status", "message"),
    [
        (NEW, {"types": "bonus"}, 422, "invalid type: bonus"),
        (OLD, {"ca_types": "Split", "since": "2026-01-01"}, 422, "since and until are required"),
        (OLD, {"since": "2026-01-01", "until": "2026-02-01"}, 422, "ca_types, since and until"),
        (
            OLD,
            {"ca_types": "Split", "since": "2026-01-01", "until": "2026-05-01"},
            422,
            "limited to 90 days",
        ),
        (f"{OLD}/nobody", {}, 404, "announcement not found for nobody"),
    ],
)
def test_what_is_refused(path: str, query: dict[str, str], status: int, message: str) -> None:
    answer = rig().ask("GET", path, query=query)
    assert (answer.status, message in answer.json()["message"]) == (status, True)


def test_the_rate_limit_counts_them_as_market_data() -> None:
    one = Rig(flat("100"), at=START, rate_limit=1)
    assert one.ask("GET", "/v2/account").status == 200
    assert one.ask("GET", NEW).status == 200
    assert one.ask("GET", NEW).status == 429
