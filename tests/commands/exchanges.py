"""Exchanges outside the process that executes: a real server, and servers that are none."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar

import pytest

from executor.exchange.engine import Exchange
from executor.exchange.faults import read_fault
from executor.exchange.opening import Opening
from executor.exchange.orders import Order
from executor.exchange.prices import DEFAULT_SEED, PriceSource, SeededPrices
from executor.exchange.server import ThreadedServer
from executor.exchange.sessions import sessions_named
from executor.model.fields import parse_timestamp
from executor.wiring import EXCHANGE_URL
from tests.scratch import NOW

T = TypeVar("T")


class Outside:
    """An exchange that outlives the runs of a test; its time stands still until it is set."""

    def __init__(self, server: ThreadedServer) -> None:
        self._server = server

    def ask(self, question: Callable[[Exchange], T]) -> T:
        """Ask something of the exchange itself, between two of its answers."""
        return self._server.call(question)

    @property
    def orders(self) -> list[tuple[str, str]]:
        """Symbol and status of every order that it ever had."""
        return self._server.call(
            lambda one: [(order.ticket.symbol, order.status) for order in one.desk.orders.values()]
        )

    @property
    def open_orders(self) -> list[Order]:
        """Every order that may still trade, the oldest first."""

        def ask(one: Exchange) -> list[Order]:
            one.desk.advance(one.clock.now())
            return [order for order in one.desk.orders.values() if order.is_open]

        return self._server.call(ask)

    @property
    def cash(self) -> Decimal:
        """USD in the account."""
        return self._server.call(lambda one: one.desk.cash)

    @property
    def held(self) -> dict[str, Decimal]:
        """Shares by symbol."""
        return self._server.call(
            lambda one: {name: held.quantity for name, held in one.desk.positions.items()}
        )

    def move_to(self, moment: str) -> None:
        """Set its time."""
        self._server.call(lambda one: one.clock.set(parse_timestamp(moment)))

    def fails(self, kind: str, **parameters: Any) -> None:
        """Let a fault wait for the requests to come."""
        self._server.call(lambda one: one.faults.add(read_fault({"kind": kind, **parameters})))

    def heals(self) -> None:
        """Forget the faults."""
        self._server.call(lambda one: one.faults.clear())

    def block(self, name: str, value: object) -> None:
        """Block the account in one of the broker's ways."""
        self._server.call(lambda one: setattr(one.desk.flags, name, value))


@contextlib.contextmanager
def outside(
    monkeypatch: pytest.MonkeyPatch,
    *,
    keys: tuple[str, str] | None = None,
    prices: PriceSource | None = None,
) -> Iterator[Outside]:
    """Serve an exchange that stands at `NOW`, and point mode sim at it."""
    exchange = Exchange(
        prices or SeededPrices(DEFAULT_SEED),
        sessions_named("always"),
        lambda: parse_timestamp(NOW),
        Opening(),
        keys=keys,
        rate_limit=0,
    )
    with ThreadedServer(exchange) as server:
        monkeypatch.setenv(EXCHANGE_URL, server.url)
        yield Outside(server)


def nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Point mode sim at a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv(EXCHANGE_URL, f"http://127.0.0.1:{port}")


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"<!DOCTYPE html><title>Welcome</title>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def somebody_else_there(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Point mode sim at a server that answers everything with a web page."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Page) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setenv(EXCHANGE_URL, f"http://127.0.0.1:{server.server_port}")
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
