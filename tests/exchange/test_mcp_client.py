"""A second client that is not ours: Alpaca's own MCP server, run as the program that it is.

It has a setting for the address of market data, and none for that of trading: the launcher below
puts the exchange's address in the place of the paper account's. Nothing else of it is touched.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import anyio
import pytest
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

from executor.exchange.server import ThreadedServer
from tests.exchange.rig import Rig, flat, holding

START = datetime(2026, 1, 14, 15, 0, tzinfo=UTC)

LAUNCHER = """
import sys
from alpaca_mcp_server import cli, server
server.TRADING_API_BASE_URLS["paper"] = sys.argv.pop()
cli.main()
"""

BUY = {"symbol": "MU", "side": "buy", "qty": "2", "type": "market", "time_in_force": "day"}
BRACKET = {
    "symbol": "AMD",
    "side": "buy",
    "qty": "3",
    "type": "market",
    "time_in_force": "gtc",
    "order_class": "bracket",
    "take_profit_limit_price": "130",
    "stop_loss_stop_price": "90",
    "client_order_id": "bracket",
}

SCRIPT: list[tuple[str, str, Mapping[str, Any]]] = [
    ("account", "get_account_info", {}),
    ("clock", "get_clock", {}),
    ("asset", "get_asset", {"symbol_or_asset_id": "MU"}),
    ("bought", "place_stock_order", {**BUY, "client_order_id": "one"}),
    ("again", "place_stock_order", {**BUY, "client_order_id": "one"}),
    ("bracket", "place_stock_order", BRACKET),
    ("order", "get_order_by_client_id", {"client_order_id": "one"}),
    ("orders", "get_orders", {"status": "all", "nested": True, "limit": 50}),
    ("positions", "get_all_positions", {}),
    ("position", "get_open_position", {"symbol_or_asset_id": "MU"}),
    ("activities", "get_account_activities", {"direction": "asc"}),
    ("fills", "get_account_activities_by_type", {"activity_type": "FILL", "page_size": 1}),
    ("history", "get_portfolio_history", {"period": "1W", "timeframe": "1D"}),
    ("snapshot", "get_stock_snapshot", {"symbols": "MU,AMD"}),
    ("bars", "get_stock_bars", {"symbols": "MU", "timeframe": "1Day", "start": "2026-01-10"}),
    ("actions", "get_corporate_actions", {"symbols": "MU"}),
    ("canceled", "cancel_all_orders", {}),
    ("nothing", "get_open_position", {"symbol_or_asset_id": "KO"}),
]


@dataclass(frozen=True)
class Told:
    """What the MCP server answered."""

    tools: frozenset[str]
    answers: Mapping[str, Any]
    errors: Mapping[str, str]


@contextmanager
def nowhere() -> Iterator[TextIO]:
    with Path(os.devnull).open("w", encoding="utf-8") as sink:
        yield sink


async def play(url: str) -> Told:
    """Start the server, list its tools, and call the script's."""
    environment = {
        "ALPACA_API_KEY": "key",
        "ALPACA_SECRET_KEY": "secret",
        "ALPACA_PAPER_TRADE": "true",
        "DATA_API_URL": url,
        "FASTMCP_SHOW_SERVER_BANNER": "false",
        "FASTMCP_CHECK_FOR_UPDATES": "off",
    }
    parameters = StdioServerParameters(
        command=sys.executable, args=["-c", LAUNCHER, url], env=environment
    )
    answers: dict[str, Any] = {}
    errors: dict[str, str] = {}
    with nowhere() as sink:
        async with (
            stdio_client(parameters, errlog=sink) as (read, write),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            tools = frozenset(one.name for one in (await session.list_tools()).tools)
            for name, tool, arguments in SCRIPT:
                result = await session.call_tool(tool, dict(arguments))
                if result.isError:
                    errors[name] = "".join(getattr(one, "text", "") for one in result.content)
                else:
                    assert result.structuredContent is not None, f"{tool} answers with an envelope"
                    data = result.structuredContent["data"]
                    answers[name] = data["result"] if set(data) == {"result"} else data
    return Told(tools, answers, errors)


@pytest.fixture(scope="module")
def told() -> Told:
    rig = Rig(flat("100", "MU", "AMD"), opening=holding("MU", "10", "900"), at=START)
    dividend = {"kind": "dividend", "symbol": "MU", "per_share": "0.25"}
    assert rig.ask("POST", "/sim/events", dividend).status == 200
    with ThreadedServer(rig.exchange) as server:
        return anyio.run(play, server.url)


def test_its_tools_are_there(told: Told) -> None:
    assert {tool for _, tool, _ in SCRIPT} <= told.tools


def test_only_what_the_exchange_refuses_is_an_error(told: Told) -> None:
    assert set(told.errors) == {"nothing"}
    assert "40410000" in told.errors["nothing"]
    assert set(told.answers) == {name for name, _, _ in SCRIPT} - {"nothing"}


def test_the_account(told: Told) -> None:
    account = told.answers["account"]
    assert (account["account_number"], account["cash"]) == ("SIM000001", "100002.5")
    assert told.answers["clock"]["is_open"] is True
    assert told.answers["asset"]["symbol"] == "MU"


def test_an_order_and_its_repetition(told: Told) -> None:
    assert told.answers["bought"]["status"] == "pending_new"
    assert "must be unique" in str(told.answers["again"])
    assert (told.answers["order"]["status"], told.answers["order"]["filled_qty"]) == ("filled", "2")


def test_a_bracket_with_its_legs(told: Told) -> None:
    shown = {one["client_order_id"]: one for one in told.answers["orders"]}
    assert set(shown) == {"one", "bracket"}
    legs = {one["type"]: one for one in shown["bracket"]["legs"]}
    assert (legs["limit"]["limit_price"], legs["stop"]["stop_price"]) == ("130", "90")
    assert {one["side"] for one in legs.values()} == {"sell"}
    assert {one["id"] for one in told.answers["canceled"]} <= {one["id"] for one in legs.values()}


def test_positions_after_the_fills(told: Told) -> None:
    assert {one["symbol"]: one["qty"] for one in told.answers["positions"]} == {
        "AMD": "3",
        "MU": "12",
    }
    assert told.answers["position"]["qty"] == "12"


def test_activities(told: Told) -> None:
    kinds = [one["activity_type"] for one in told.answers["activities"]]
    assert kinds == ["DIV", "FILL", "FILL"]
    assert told.answers["activities"][0]["net_amount"] == "2.5"
    (last,) = told.answers["fills"]
    assert (last["symbol"], last["order_status"], last["leaves_qty"]) == ("AMD", "filled", "0")


def test_history_and_market_data(told: Told) -> None:
    history = told.answers["history"]
    assert history["timeframe"] == "1D"
    assert len(history["equity"]) == len(history["timestamp"]) == 7
    assert history["equity"][0] == 101_000
    assert told.answers["snapshot"]["MU"]["latestTrade"]["p"] == 100
    assert told.answers["snapshot"]["AMD"]["dailyBar"]["c"] == 100
    assert len(told.answers["bars"]["bars"]["MU"]) == 5
    (dividend,) = told.answers["actions"]["corporate_actions"]["cash_dividends"]
    assert (dividend["symbol"], dividend["rate"]) == ("MU", 0.25)
