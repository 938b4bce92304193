"""One order, sent and recorded, against the shortest correct script on the same SDK."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from executor.exchange.engine import Exchange
from executor.exchange.prices import SeededPrices
from executor.exchange.server import ThreadedServer
from executor.exchange.sessions import AlwaysOpen
from tests.bench.material import SHARES, SYMBOL, repository
from tests.bench.measure import Figure, Run, Size, all_in_turn, process, program

HERE = Path(__file__).parent
SHORTEST, LEANEST = HERE / "shortest_script.py", HERE / "leanest_script.py"


def measure(size: Size) -> Iterator[Figure]:
    """Both as whole processes on an exchange of this process, which forgets between two runs."""
    prices = SeededPrices()
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        template = repository(Path(scratch) / "template")

        def ours() -> Run:
            folder = Path(scratch) / "run"
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(template, folder)
            with _exchange(prices) as url:
                there = {"AUTOINVESTOR_EXCHANGE_URL": url}
                return process([*program("autoinvestor"), "execute", "--submit"], folder, there)

        def script(path: Path) -> Run:
            with _exchange(prices) as url:
                return process([sys.executable, path, url, SYMBOL, SHARES], Path(scratch))

        yardsticks = [lambda: script(SHORTEST), lambda: script(LEANEST)]
        pair, lean = all_in_turn(ours, yardsticks, size)
    yield Figure(
        "submit",
        "1 order judged, sent and recorded / shortest script",
        pair.wall,
        "x",
        target=1.3,
        aim=1.1,
        detail=pair.detail(),
    )
    yield Figure(
        "submit",
        "the same / a script on the SDK's bare client",
        lean.wall,
        "x",
        detail=lean.detail(),
    )


@contextmanager
def _exchange(prices: SeededPrices) -> Iterator[str]:
    """A fresh exchange; afterwards it has filled exactly one order."""
    exchange = Exchange(prices, AlwaysOpen(), lambda: datetime.now(UTC), rate_limit=0)
    with ThreadedServer(exchange) as server:
        yield server.url
    fills = exchange.fills()
    assert len(fills) == 1, f"one order was to be filled, not {len(fills)}"
