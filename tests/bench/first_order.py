"""From a merge to the first order, on a loopback GitHub, against the bare import of both SDKs."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from executor.exchange.engine import Exchange
from executor.exchange.messages import Request, Response
from executor.exchange.opening import Opening
from executor.exchange.prices import SeededPrices
from executor.exchange.server import ThreadedServer
from executor.exchange.sessions import AlwaysOpen
from executor.model.reading import read_document
from tests.attacks.scene import BOT, NAME, Scene
from tests.bench.material import one_order
from tests.bench.measure import Figure, Run, Size, in_turn, process, program
from tests.forge.server import ForgeServer

REDIRECT = Path(__file__).parents[1] / "workflows" / "acting" / "elsewhere"
"""Leads Alpaca's addresses to the exchange of this process."""

IMPORT = "import github; from alpaca.trading.client import TradingClient"


def measure(size: Size) -> Iterator[Figure]:
    """A run of mode paper with a merge to verify, as a workflow starts it, up to its first POST."""
    prices = SeededPrices()
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:

        def ours() -> Run:
            with tempfile.TemporaryDirectory(dir=scratch) as folder:
                return _first_order(Path(folder), prices)

        def bare() -> Run:
            return process([sys.executable, "-c", IMPORT], Path(scratch))

        pair = in_turn(ours, bare, size)
    yield Figure(
        "first_order",
        "merge verified, judged, intent committed, first order / import of both SDKs",
        pair.wall,
        "x",
        target=1.5,
        detail=pair.detail(),
    )


class Watched(Exchange):
    """An exchange that remembers when the first order arrived."""

    first_order: float | None = None

    def handle(self, request: Request) -> Response:
        if self.first_order is None and (request.method, request.path) == ("POST", "/v2/orders"):
            self.first_order = time.perf_counter()
        return super().handle(request)


def _first_order(folder: Path, prices: SeededPrices) -> Run:
    """A whole run; its seconds are those until the first order arrived at the exchange."""
    exchange = Watched(
        prices,
        AlwaysOpen(),
        lambda: datetime.now(UTC),
        Opening(account_number="PA0000001"),
        rate_limit=0,
    )
    with ForgeServer(folder) as forge, ThreadedServer(exchange) as market:
        scene = Scene(forge, folder)
        scene.clock.move_to(datetime.now(UTC) - timedelta(minutes=10))
        number = scene.proposes(read_document(one_order()))
        scene.judged(number)
        scene.merges(number)
        environment = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": forge.url,
            "GITHUB_SERVER_URL": forge.url,
            "GITHUB_REPOSITORY": NAME,
            "GITHUB_TOKEN": BOT,
            "GITHUB_RUN_ID": "1",
            "GITHUB_RUN_ATTEMPT": "1",
            "ALPACA_API_KEY": "paper-key",
            "ALPACA_SECRET_KEY": "paper-secret",
            "STANDIN_MARKET": market.url,
            "PYTHONPATH": str(REDIRECT),
        }
        started = time.perf_counter()
        run = process(
            [*program("autoinvestor"), "execute", "--submit"], folder / "runner", environment
        )
        scene.close()
    assert exchange.first_order is not None, f"no order was sent:\n{run.output}"
    return replace(run, seconds=exchange.first_order - started)
