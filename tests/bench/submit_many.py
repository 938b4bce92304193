"""Many orders, sent and recorded, against a bare script that sends as many at a time."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from executor.brokers.sdk import CONCURRENCY
from executor.exchange.engine import Exchange
from executor.exchange.messages import Request, Response, json_response, stamp
from executor.exchange.prices import PriceSource
from executor.exchange.server import ThreadedServer
from executor.exchange.sessions import AlwaysOpen
from tests.bench.material import many_orders, repository, symbols, wide_settings
from tests.bench.measure import Figure, Run, Size, in_turn, process, program

ORDERS = 200
LATENCY_SECONDS = 0.05
"""How much later each answer of the exchange is; requests under way together wait together."""

PRICE, VOLUME = Decimal(50), 10_000_000

SCRIPT = Path(__file__).parent / "concurrent_script.py"


def measure(size: Size) -> Iterator[Figure]:
    """Both as whole processes on an exchange of this process, which forgets between two runs."""
    tickers = symbols(size.of(ORDERS))
    prices = StillPrices(tickers)
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        document, settings = many_orders(tickers), wide_settings(len(tickers))
        template = repository(Path(scratch) / "template", document, settings)

        def ours() -> Run:
            folder = Path(scratch) / "run"
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(template, folder)
            with _exchange(prices, len(tickers)) as url:
                there = {"AUTOINVESTOR_EXCHANGE_URL": url}
                return process([*program("autoinvestor"), "execute", "--submit"], folder, there)

        def script() -> Run:
            with _exchange(prices, len(tickers)) as url:
                arguments: list[str | Path] = [
                    sys.executable,
                    SCRIPT,
                    url,
                    str(CONCURRENCY),
                    *tickers,
                ]
                return process(arguments, Path(scratch))

        pair = in_turn(ours, script, size)
    yield Figure(
        "submit_many",
        f"{len(tickers)} orders judged, sent and recorded / bare script",
        pair.wall,
        "x",
        target=1.3,
        detail=f"{CONCURRENCY} at a time, {LATENCY_SECONDS * 1_000:g} ms an answer; "
        + pair.detail(),
    )


class StillPrices(PriceSource):
    """50 USD a share of everything, at any time: the exchange's own work is not measured."""

    def __init__(self, tickers: list[str]) -> None:
        self._tickers = frozenset(tickers)

    def price(self, symbol: str, at: datetime) -> Decimal | None:
        return PRICE if symbol in self._tickers else None

    def symbols(self) -> tuple[str, ...]:
        return tuple(sorted(self._tickers))

    def daily_volume(self, symbol: str, day: datetime) -> int:
        return VOLUME


class QuickBars(Exchange):
    """An exchange that has its daily bars ready, as a market data server does."""

    def handle(self, request: Request) -> Response:
        if request.path != "/v2/stocks/bars":
            return super().handle(request)
        today = self.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        days = [stamp(today - timedelta(days=age)) for age in range(28, 0, -1)]
        bars = [{"t": day, "v": VOLUME} for day in days]
        told = dict.fromkeys(request.query["symbols"].split(","), bars)
        return json_response(200, {"bars": told, "next_page_token": None})


@contextmanager
def _exchange(prices: StillPrices, orders: int) -> Iterator[str]:
    """A fresh exchange; afterwards it has filled exactly that many orders."""
    exchange = QuickBars(prices, AlwaysOpen(), lambda: datetime.now(UTC), rate_limit=0)
    with ThreadedServer(exchange, latency_seconds=LATENCY_SECONDS) as server:
        yield server.url
    fills = exchange.fills()
    assert len(fills) == orders, f"{orders} orders were to be filled, not {len(fills)}"
