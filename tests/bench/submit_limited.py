"""More orders than the broker takes in a minute: none turned away, no minute left unused."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from executor.exchange.messages import Request, Response
from executor.exchange.server import ThreadedServer
from executor.exchange.sessions import AlwaysOpen
from tests.bench.material import many_orders, repository, symbols, wide_settings
from tests.bench.measure import Figure, Size, Spread, process, program
from tests.bench.submit_many import LATENCY_SECONDS, QuickBars, StillPrices

ORDERS = 300
LIMIT = 200
"""Requests a minute, questions among them; market data is another host with a limit of its own."""

MINUTE = 60
ROOM_SECONDS = 20
"""A run that starts later in a minute than that before its end waits for the next one."""


class Counted(QuickBars):
    """An exchange that counts in real time and remembers how."""

    def __init__(self, prices: StillPrices) -> None:
        super().__init__(
            prices, AlwaysOpen(), lambda: datetime.now(UTC), rate_limit=LIMIT, pace=time.time
        )
        self.minutes: Counter[int] = Counter()
        self.refused = 0

    def handle(self, request: Request) -> Response:
        response = super().handle(request)
        if not request.path.startswith("/v2/stocks"):
            self.minutes[int(time.time()) // MINUTE] += 1
        self.refused += response.status == 429
        return response


def measure(size: Size) -> Iterator[Figure]:
    """One run of the whole process: it takes more than a minute, and has no yardstick."""
    tickers = symbols(size.of(ORDERS))
    left = MINUTE - time.time() % MINUTE
    if len(tickers) > LIMIT and left < ROOM_SECONDS:
        time.sleep(left)
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        settings = wide_settings(len(tickers))
        folder = repository(Path(scratch) / "run", many_orders(tickers), settings)
        exchange = Counted(StillPrices(tickers))
        with ThreadedServer(exchange, latency_seconds=LATENCY_SECONDS) as server:
            there = {"AUTOINVESTOR_EXCHANGE_URL": server.url}
            run = process([*program("autoinvestor"), "execute", "--submit"], folder, there)
    fills = len(exchange.fills())
    assert fills == len(tickers), f"{len(tickers)} orders were to be filled, not {fills}"
    # In the last minute the work ended before the minute did.
    *whole, last = [count for _, count in sorted(exchange.minutes.items())]
    unused = 100 - 100 * sum(whole) / (LIMIT * len(whole)) if whole else 0.0
    told = ", ".join(str(one) for one in (*whole, last))
    yield Figure(
        "submit_limited",
        f"{len(tickers)} orders at {LIMIT} requests a minute, turned away",
        Spread((float(exchange.refused),)),
        "",
        target=0,
        detail=f"requests in each minute: {told}; {run.seconds:.1f} s in all",
    )
    yield Figure(
        "submit_limited",
        "the same, unused share of the minutes with work to do",
        Spread((unused,)),
        "%",
        target=5,
        detail=f"{len(whole)} of {len(whole) + 1} minutes; in the last one the work ended",
    )
