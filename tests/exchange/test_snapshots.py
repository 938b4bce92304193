from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from alpaca.data.historical import StockHistoricalDataClient
from alpaca.data.historical.corporate_actions import CorporateActionsClient
from alpaca.data.requests import CorporateActionsRequest, StockSnapshotRequest
from alpaca.trading.client import TradingClient
from alpaca.trading.requests import GetPortfolioHistoryRequest

from executor.exchange.server import ThreadedServer
from executor.exchange.sessions import NyseSessions
from tests.exchange.rig import Rig, flat, holding, steps

START = datetime(2026, 1, 14, 15, 0, 20, tzinfo=UTC)
"""Half an hour into the session of New York."""


def rig(at: datetime = START) -> Rig:
    days = [(START - timedelta(days=day), str(100 - day)) for day in (3, 2, 1)]
    opens = [(START.replace(hour=14, minute=30), "101"), (START.replace(second=0), "103")]
    return Rig(steps(MU=[*days, *opens]), NyseSessions(), at=at)


def test_what_a_snapshot_shows_in_session() -> None:
    shown = rig().get("/v2/stocks/MU/snapshot")
    assert shown["symbol"] == "MU"
    assert (shown["latestTrade"]["p"], shown["latestTrade"]["t"]) == (103, "2026-01-14T15:00:00Z")
    assert (shown["latestQuote"]["bp"], shown["latestQuote"]["ap"]) == (
        Decimal("102.99"),
        Decimal("103.01"),
    )
    bars = {name: (shown[name]["t"], shown[name]["o"], shown[name]["c"]) for name in BARS}
    assert bars == {
        "minuteBar": ("2026-01-14T15:00:00Z", 103, 103),
        "dailyBar": ("2026-01-14T05:00:00Z", 101, 103),
        "prevDailyBar": ("2026-01-13T05:00:00Z", 98, 99),
    }


BARS = ("minuteBar", "dailyBar", "prevDailyBar")


def test_the_bars_of_a_snapshot_are_those_of_the_bars() -> None:
    one = rig()
    shown = one.get("/v2/stocks/MU/snapshot")
    for name, timeframe in (("minuteBar", "1Min"), ("dailyBar", "1Day"), ("prevDailyBar", "1Day")):
        query = {"timeframe": timeframe, "start": shown[name]["t"], "limit": "1"}
        (bar,) = one.get("/v2/stocks/MU/bars", **query)["bars"]
        assert bar == shown[name], name


def test_what_a_snapshot_shows_while_closed() -> None:
    shown = rig(START.replace(hour=23)).get("/v2/stocks/MU/snapshot")
    assert shown["minuteBar"]["t"] == shown["latestTrade"]["t"] == "2026-01-14T20:59:00Z"
    assert shown["dailyBar"]["t"] == "2026-01-14T05:00:00Z"
    before = rig(START.replace(hour=12)).get("/v2/stocks/MU/snapshot")
    assert before["dailyBar"]["t"] == "2026-01-13T05:00:00Z"
    assert before["prevDailyBar"]["t"] == "2026-01-12T05:00:00Z"


def test_unknown_symbols_and_bars_before_the_first_price() -> None:
    one = Rig(steps(MU=[(START, "100")]), NyseSessions(), at=START)
    shown = one.get("/v2/stocks/snapshots", symbols="MU,NOPE,KO")
    assert list(shown) == ["MU"]
    assert "prevDailyBar" not in shown["MU"]
    answer = one.ask("GET", "/v2/stocks/NOPE/snapshot")
    assert (answer.status, answer.json()) == (404, {"message": "no snapshot found for NOPE"})
    assert one.ask("GET", "/v2/stocks/snapshots").status == 400


@pytest.fixture
def url() -> Iterator[str]:
    one = Rig(flat("100", "MU"), opening=holding("MU", "10", "900"), at=START)
    events = [
        {"kind": "dividend", "symbol": "MU", "per_share": "0.5"},
        {"kind": "split", "symbol": "MU", "new_rate": 2, "old_rate": 1},
    ]
    assert one.ask("POST", "/sim/events", events).status == 200
    with ThreadedServer(one.exchange) as server:
        yield server.url


def test_the_sdk_reads_the_account_side(url: str) -> None:
    trading = TradingClient("key", "secret", url_override=url)
    wanted = GetPortfolioHistoryRequest(period="1W", timeframe="1D", cashflow_types="ALL")
    history: Any = trading.get_portfolio_history(wanted)
    assert history.equity[-1] == 101_005
    assert history.cashflow
    told: Any = trading.get("/account/activities", {"activity_types": "DIV,SPLIT"})
    assert [one["activity_type"] for one in told] == ["SPLIT", "DIV"]
    trading._session.close()


def test_the_sdk_reads_snapshots_and_corporate_actions(url: str) -> None:
    data = StockHistoricalDataClient("key", "secret", url_override=url)
    shown: Any = data.get_stock_snapshot(StockSnapshotRequest(symbol_or_symbols=["MU"]))
    assert (shown["MU"].latest_trade.price, shown["MU"].previous_daily_bar.close) == (50, 100)
    data._session.close()
    actions = CorporateActionsClient("key", "secret", url_override=url)
    day = START.date()
    found: Any = actions.get_corporate_actions(CorporateActionsRequest(start=day, end=day))
    assert {kind: len(ones) for kind, ones in found.data.items()} == {
        "cash_dividends": 1,
        "forward_splits": 1,
    }
    actions._session.close()
