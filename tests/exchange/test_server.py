"""The exchange over a real socket, asked by the official SDK; each fault as a client meets it."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests
from alpaca.common.exceptions import APIError
from alpaca.data.historical import StockHistoricalDataClient
from alpaca.data.requests import (
    StockBarsRequest,
    StockLatestQuoteRequest,
    StockLatestTradeRequest,
)
from alpaca.data.timeframe import TimeFrame
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import OrderClass, OrderSide, OrderStatus, QueryOrderStatus, TimeInForce
from alpaca.trading.requests import (
    GetAssetsRequest,
    GetCalendarRequest,
    GetOrdersRequest,
    LimitOrderRequest,
    MarketOrderRequest,
    ReplaceOrderRequest,
    StopLimitOrderRequest,
    StopLossRequest,
    StopOrderRequest,
    TakeProfitRequest,
    TrailingStopOrderRequest,
)

from executor.errors import UsageError
from executor.exchange.messages import Request, Response
from executor.exchange.opening import Opening
from executor.exchange.server import ThreadedServer
from executor.model.position import Position
from tests.exchange.rig import HEADERS, Rig, flat

START = datetime(2026, 1, 14, 15, 0, tzinfo=UTC)


@pytest.fixture
def rig() -> Rig:
    opening = Opening(positions=(Position("MU", Decimal(10), Decimal(800)),))
    return Rig(flat("100", "MU", "AMD"), opening=opening, at=START, rate_limit=200)


@pytest.fixture
def server(rig: Rig) -> Iterator[ThreadedServer]:
    with ThreadedServer(rig.exchange) as running:
        yield running


@pytest.fixture
def client(server: ThreadedServer) -> Iterator[TradingClient]:
    made = TradingClient("key", "secret", url_override=server.url)
    made._retry = 0
    yield made
    made._session.close()


@pytest.fixture
def data(server: ThreadedServer) -> Iterator[StockHistoricalDataClient]:
    made = StockHistoricalDataClient("key", "secret", url_override=server.url)
    yield made
    made._session.close()


def market(**changes: Any) -> MarketOrderRequest:
    asked = {
        "symbol": "MU",
        "qty": 2,
        "side": OrderSide.BUY,
        "time_in_force": TimeInForce.DAY,
        "client_order_id": "first",
    }
    return MarketOrderRequest(**{**asked, **changes})


def test_the_sdk_reads_the_account_and_its_surroundings(client: TradingClient) -> None:
    account: Any = client.get_account()
    assert (account.equity, account.buying_power) == ("101000", "201000")
    assert account.status.value == "ACTIVE"
    clock: Any = client.get_clock()
    assert (clock.is_open, clock.timestamp) == (True, START)
    (position,) = client.get_all_positions()
    assert position.unrealized_pl == "200"  # type: ignore[union-attr]
    assert client.get_open_position("MU") == position
    assets = client.get_all_assets(GetAssetsRequest())
    assert {asset.symbol for asset in assets} >= {"MU", "SPY"}  # type: ignore[union-attr]
    assert client.get_asset("MU").fractionable  # type: ignore[union-attr]
    asked = GetCalendarRequest(start=date(2026, 1, 14), end=date(2026, 1, 15))
    assert [day.date.day for day in client.get_calendar(asked)] == [14, 15]  # type: ignore[union-attr]


def test_the_sdk_trades(client: TradingClient, rig: Rig) -> None:
    sent: Any = client.submit_order(market())
    assert sent.status is OrderStatus.PENDING_NEW
    filled: Any = client.get_order_by_client_id("first")
    assert (filled.status, filled.filled_avg_price) == (OrderStatus.FILLED, "100.01")
    assert client.get_order_by_id(sent.id) == filled
    fraction: Any = client.submit_order(market(qty=0.25, client_order_id=None))
    notional: Any = client.submit_order(market(qty=None, notional=25.5, client_order_id=None))
    assert (fraction.qty, notional.notional) == ("0.25", "25.5")
    shared = {"symbol": "MU", "qty": 1, "side": OrderSide.SELL, "time_in_force": TimeInForce.GTC}
    for request in (
        LimitOrderRequest(limit_price=120.5, **shared),
        StopOrderRequest(stop_price=80, **shared),
        StopLimitOrderRequest(stop_price=80, limit_price=79, **shared),
    ):
        client.submit_order(request)
    resting: Any = client.get_orders(GetOrdersRequest(symbols=["MU"]))
    assert [one.type.value for one in resting] == ["stop_limit", "stop", "limit"]
    client.cancel_order_by_id(resting[0].id)
    assert [one.status for one in client.cancel_orders()] == [200, 200]  # type: ignore[union-attr]
    every: Any = client.get_orders(GetOrdersRequest(status=QueryOrderStatus.ALL))
    statuses = [one.status.value for one in every]
    assert statuses == ["canceled"] * 3 + ["filled"] * 3
    closed: Any = client.close_all_positions()
    assert [one.status for one in closed] == [200]
    assert client.get_all_positions() == []


def test_the_sdk_trades_with_legs(client: TradingClient) -> None:
    shared = {"symbol": "MU", "qty": 2, "time_in_force": TimeInForce.GTC}
    profit, loss = TakeProfitRequest(limit_price=120), StopLossRequest(stop_price=80)
    bracket = MarketOrderRequest(
        **shared,
        side=OrderSide.BUY,
        order_class=OrderClass.BRACKET,
        take_profit=profit,
        stop_loss=loss,
        client_order_id="first",
    )
    sent: Any = client.submit_order(bracket)
    assert [leg.status.value for leg in sent.legs] == ["held", "held"]
    live: Any = client.get_order_by_client_id("first")
    assert [leg.status.value for leg in live.legs] == ["new", "held"]
    higher = ReplaceOrderRequest(stop_price=85)
    stop: Any = client.replace_order_by_id(live.legs[1].id, higher)
    assert (stop.stop_price, stop.replaces) == ("85", live.legs[1].id)
    oco = LimitOrderRequest(
        **shared,
        side=OrderSide.SELL,
        order_class=OrderClass.OCO,
        take_profit=profit,
        stop_loss=loss,
    )
    pair: Any = client.submit_order(oco)
    assert (pair.limit_price, pair.legs[0].stop_price) == ("120", "80")
    trailing = TrailingStopOrderRequest(**shared, side=OrderSide.SELL, trail_percent=5)
    trail: Any = client.submit_order(trailing)
    assert (trail.hwm, trail.stop_price) == ("100", "95")
    rolled: Any = client.get_orders(GetOrdersRequest(nested=True))
    assert [len(one.legs or []) for one in rolled] == [0, 1, 2]
    assert len(client.cancel_orders()) == 5
    configured: Any = client.get_account_configurations()
    configured.fractional_trading = False
    assert client.set_account_configurations(configured) == configured


def test_the_sdk_reads_market_data(data: StockHistoricalDataClient, rig: Rig) -> None:
    symbols = ["MU", "AMD"]
    quotes: Any = data.get_stock_latest_quote(StockLatestQuoteRequest(symbol_or_symbols=symbols))
    assert {name: quote.ask_price for name, quote in quotes.items()} == {
        "MU": 100.01,
        "AMD": 100.01,
    }
    trades: Any = data.get_stock_latest_trade(StockLatestTradeRequest(symbol_or_symbols="MU"))
    assert trades["MU"].price == 100.0
    asked = StockBarsRequest(
        symbol_or_symbols=symbols, timeframe=TimeFrame.Day, start=START - timedelta(days=9)
    )
    bars: Any = data.get_stock_bars(asked)
    assert [len(bars[symbol]) for symbol in symbols] == [9, 9]
    minutes = StockBarsRequest(
        symbol_or_symbols="MU", timeframe=TimeFrame.Minute, start=START - timedelta(days=8)
    )
    more: Any = data.get_stock_bars(minutes)
    assert len(more["MU"]) == 8 * 24 * 60 + 1  # over the page limit of 10,000


def test_a_refusal_reaches_the_sdk_with_its_code(client: TradingClient) -> None:
    with pytest.raises(APIError) as raised:
        client.submit_order(market(qty=10**6))
    assert (raised.value.status_code, raised.value.code) == (403, 40310000)
    with pytest.raises(APIError) as raised:
        client.get_order_by_client_id("nobody's")
    assert (raised.value.status_code, raised.value.code) == (404, 40410000)


def test_a_wrong_key_is_refused() -> None:
    with ThreadedServer(Rig(keys=("key", "other")).exchange) as server:
        client = TradingClient("key", "secret", url_override=server.url)
        with pytest.raises(APIError) as raised:
            client.get_account()
        assert raised.value.status_code == 401
        client._session.close()


def inject(server: ThreadedServer, *faults: dict[str, Any]) -> None:
    answer = requests.post(f"{server.url}/sim/faults", json=list(faults), timeout=5)
    assert answer.status_code == 200, answer.text


def there(client: TradingClient) -> bool:
    every: Any = client.get_orders(GetOrdersRequest(status=QueryOrderStatus.ALL))
    return [one.client_order_id for one in every] == ["first"]


@pytest.mark.parametrize(
    ("kind", "status", "accepted"),
    [
        ("accept_then_504", 504, True),
        ("html_502", 502, False),
        ("rate_limit_429", 429, False),
        ("rejection", 403, False),
    ],
)
def test_a_fault_that_answers(
    server: ThreadedServer, client: TradingClient, kind: str, status: int, accepted: bool
) -> None:
    inject(server, {"kind": kind})
    with pytest.raises(APIError) as raised:
        client.submit_order(market())
    assert raised.value.status_code == status
    assert there(client) is accepted


@pytest.mark.parametrize(("kind", "accepted"), [("accept_then_drop", True), ("drop_before", False)])
def test_a_connection_that_is_cut(
    server: ThreadedServer, client: TradingClient, kind: str, accepted: bool
) -> None:
    inject(server, {"kind": kind})
    with pytest.raises(requests.ConnectionError):
        client.submit_order(market())
    assert there(client) is accepted


@pytest.mark.parametrize("accepted", [True, False])
def test_a_stall_outlasts_the_clients_patience_while_others_are_served(
    server: ThreadedServer, client: TradingClient, accepted: bool
) -> None:
    inject(server, {"kind": "stall", "seconds": 600, "accepted": accepted})
    body = {**BODY, "client_order_id": "first"}
    with pytest.raises(requests.ReadTimeout):
        requests.post(f"{server.url}/v2/orders", json=body, headers=HEADERS, timeout=(3, 0.2))
    assert there(client) is accepted


BODY = {"symbol": "MU", "qty": "2", "side": "buy", "type": "market", "time_in_force": "day"}


def test_latency_only_delays(server: ThreadedServer, client: TradingClient) -> None:
    inject(server, {"kind": "latency", "ms": 20})
    assert client.get_account().equity == "101000"  # type: ignore[union-attr]


def test_a_server_may_answer_later_and_lets_the_waits_overlap(rig: Rig) -> None:
    """Each request is taken although no answer to the ones before it has gone out."""
    taken = threading.Semaphore(0)
    handle = rig.exchange.handle

    def count(request: Request) -> Response:
        taken.release()
        return handle(request)

    rig.exchange.handle = count  # type: ignore[method-assign]
    unanswered: list[int] = []

    def send(url: str, number: int) -> None:
        body = {**BODY, "client_order_id": f"one-{number}"}
        try:
            requests.post(f"{url}/v2/orders", json=body, headers=HEADERS, timeout=30)
        except requests.ConnectionError:
            unanswered.append(number)

    with ThreadedServer(rig.exchange, latency_seconds=60) as server:
        threads = [threading.Thread(target=send, args=(server.url, one)) for one in range(4)]
        for thread in threads:
            thread.start()
        assert all(taken.acquire(timeout=20) for _ in threads)
    for thread in threads:
        thread.join()
    assert sorted(unanswered) == [0, 1, 2, 3]


def test_answers_that_the_sdk_cannot_read_hide_an_order(
    server: ThreadedServer, client: TradingClient
) -> None:
    inject(server, {"kind": "not_json_200"}, {"kind": "unknown_status"})
    with pytest.raises(requests.JSONDecodeError):
        client.submit_order(market())
    with pytest.raises(ValueError, match="awaiting_allocation"):
        client.get_order_by_client_id("first")
    assert there(client)


def test_the_sdks_hidden_retry_meets_its_own_order(
    server: ThreadedServer, client: TradingClient
) -> None:
    client._retry, client._retry_wait = 1, 0
    inject(server, {"kind": "accept_then_504"})
    with pytest.raises(APIError, match="client_order_id must be unique"):
        client.submit_order(market())
    assert there(client)


@pytest.mark.parametrize("kind", ["partial_fill", "late_fill", "order_rejected"])
def test_what_becomes_of_an_order_is_seen_by_polling(
    server: ThreadedServer, client: TradingClient, kind: str
) -> None:
    more = {"partial_fill": {"rest_polls": 2}, "late_fill": {"polls": 2}, "order_rejected": {}}
    inject(server, {"kind": kind, **more[kind]})
    client.submit_order(market())
    seen: list[Any] = [client.get_order_by_client_id("first") for _ in range(2)]
    assert [one.status.value for one in seen] == {
        "partial_fill": ["partially_filled", "filled"],
        "late_fill": ["new", "filled"],
        "order_rejected": ["rejected", "rejected"],
    }[kind]


def test_the_time_is_set_over_http(server: ThreadedServer, client: TradingClient) -> None:
    later = {"now": "2026-01-20T12:00:00Z"}
    requests.put(f"{server.url}/sim/clock", json=later, timeout=5).raise_for_status()
    clock: Any = client.get_clock()
    assert clock.timestamp == datetime(2026, 1, 20, 12, tzinfo=UTC)


def test_many_clients_are_served_one_after_the_other(server: ThreadedServer, rig: Rig) -> None:
    def send(number: int) -> None:
        body = {**BODY, "client_order_id": f"one-{number % 20}"}
        requests.post(f"{server.url}/v2/orders", json=body, headers=HEADERS, timeout=10).close()

    threads = [threading.Thread(target=send, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    fills = server.call(lambda exchange: exchange.fills())
    assert sorted(fill.client_order_id for fill in fills) == sorted(f"one-{n}" for n in range(20))


def test_a_server_leaves_nothing_behind() -> None:
    before = set(threading.enumerate())
    for _ in range(5):
        with ThreadedServer(Rig().exchange) as server:
            assert requests.get(f"{server.url}/sim/clock", timeout=5).status_code == 200
    assert set(threading.enumerate()) == before
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{server.url}/sim/clock", timeout=5)


def test_a_taken_port_is_named(server: ThreadedServer) -> None:
    port = int(server.url.rsplit(":", 1)[1])
    before = set(threading.enumerate())
    with pytest.raises(UsageError, match=f"port {port} on 127.0.0.1 cannot be used"):
        ThreadedServer(Rig().exchange, port=port).__enter__()
    assert set(threading.enumerate()) == before


def test_a_body_beyond_all_measure_is_refused(server: ThreadedServer) -> None:
    answer = requests.post(
        f"{server.url}/v2/orders", data=b" " * 5_000_000, headers=HEADERS, timeout=10
    )
    assert (answer.status_code, answer.json()) == (413, {"message": "request body is too large"})


def test_escaped_paths_and_queries_arrive(server: ThreadedServer, client: TradingClient) -> None:
    name = "ai-1/2 ü&3"
    client.submit_order(market(client_order_id=name))
    assert client.get_order_by_client_id(name).client_order_id == name  # type: ignore[union-attr]
    missing = requests.get(f"{server.url}/v2/assets/A%20B", headers=HEADERS, timeout=5)
    assert missing.json()["message"] == "asset not found for A B"


FOREGROUND = """
from datetime import UTC, datetime
from executor.exchange.engine import Exchange
from executor.exchange.prices import SeededPrices
from executor.exchange.server import run
from executor.exchange.sessions import AlwaysOpen
run(Exchange(SeededPrices(), AlwaysOpen(), lambda: datetime.now(UTC)), 0,
    lambda url: print(url, flush=True))
print("ended", flush=True)
"""


@pytest.mark.parametrize("signal_number", [2, 15])
def test_in_the_foreground_a_signal_ends_it(signal_number: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", FOREGROUND], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        answer = requests.get(f"{url}/v2/clock", headers=HEADERS, timeout=5)
        assert answer.json()["is_open"] is True
        process.send_signal(signal_number)
        assert process.stdout.read() == "ended\n"
    assert process.returncode == 0
