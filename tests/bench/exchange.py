"""Order cycles a second of the embedded exchange: an order, and its report by our id."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.client import HTTPConnection
from itertools import count
from urllib.parse import urlsplit

from executor.exchange.engine import Exchange
from executor.exchange.messages import Request
from executor.exchange.prices import SeededPrices
from executor.exchange.server import ThreadedServer
from executor.exchange.sessions import AlwaysOpen
from tests.bench.measure import Figure, Size, Spread, a_second

HEADERS = {"APCA-API-KEY-ID": "key", "APCA-API-SECRET-KEY": "secret"}

Ask = Callable[[str, str, dict[str, str], bytes], bytes]


def measure(size: Size) -> Iterator[Figure]:
    """In process, and over one kept connection."""
    seconds = 0.2 * min(1.0, size.scale)
    inside, outside = _new(), _new()

    def in_process(method: str, path: str, query: dict[str, str], body: bytes) -> bytes:
        return inside.handle(Request(method, path, query, HEADERS, body)).body

    with ThreadedServer(outside) as server:
        connection = HTTPConnection(urlsplit(server.url).netloc)

        def over_http(method: str, path: str, query: dict[str, str], body: bytes) -> bytes:
            question = "?" + "&".join(f"{key}={value}" for key, value in query.items())
            connection.request(method, path + (question if query else ""), body, HEADERS)
            return connection.getresponse().read()

        direct, remote = _cycle(in_process), _cycle(over_http)
        rates = [
            (a_second(direct, atleast_seconds=seconds), a_second(remote, atleast_seconds=seconds))
            for _ in range(size.rounds + 1)
        ][1:]
        connection.close()
    yield Figure("exchange", "order cycles in process", Spread(tuple(a for a, _ in rates)), "/s")
    yield Figure("exchange", "order cycles over HTTP", Spread(tuple(b for _, b in rates)), "/s")


def _new() -> Exchange:
    return Exchange(SeededPrices(), AlwaysOpen(), lambda: datetime.now(UTC), rate_limit=0)


def _cycle(ask: Ask) -> Callable[[], None]:
    """Buy and sell a share in turn, each order under an id of its own."""
    numbers = count()

    def once() -> None:
        number = next(numbers)
        name = f"bench-{number}"
        order = {
            "symbol": "MU",
            "qty": "1",
            "side": "sell" if number % 2 else "buy",
            "type": "market",
            "time_in_force": "day",
            "client_order_id": name,
        }
        ask("POST", "/v2/orders", {}, json.dumps(order).encode())
        report = json.loads(
            ask("GET", "/v2/orders:by_client_order_id", {"client_order_id": name}, b"")
        )
        assert report["status"] == "filled", report

    return once
