"""What these tests stand on: a clock by hand, an exchange that remembers, scripted answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from executor.brokers.alpaca import AlpacaBroker
from executor.brokers.sdk import SdkTransport
from executor.brokers.transport import Answer, Base, Body, Method, NoAnswer, Transport
from executor.exchange.engine import Exchange
from executor.exchange.faults import read_fault
from executor.exchange.messages import Request, Response
from executor.exchange.opening import Opening
from executor.exchange.prices import SeededPrices
from executor.exchange.server import ThreadedServer
from executor.exchange.sessions import sessions_named
from executor.model.account import Mode
from executor.model.order import OrderRequest
from executor.model.position import Side
from tests.brokers.engine_transport import EngineTransport

KEY = "PKTESTKEY0123456789"
SECRET = "topsecretvalue0123456789abcdefghij"
NOON = datetime(2026, 1, 14, 17, 0, tzinfo=UTC)
"""A Wednesday, in session in New York."""

Kind = Literal["http", "engine"]


class ManualClock:
    """Time that moves only when somebody sleeps."""

    def __init__(self, now: datetime = NOON) -> None:
        self._now = now
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.slept.append(seconds)
        self._now += timedelta(seconds=seconds)


class RecordingExchange(Exchange):
    """An exchange that remembers every request which reached it."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.requests: list[Request] = []
        self.statuses: list[int] = []

    def handle(self, request: Request) -> Response:
        self.requests.append(request)
        response = super().handle(request)
        self.statuses.append(response.status)
        return response

    def posts(self) -> list[Request]:
        return [one for one in self.requests if one.method == "POST"]


@dataclass(frozen=True)
class Rig:
    """A broker and what stands behind it."""

    broker: AlpacaBroker
    transport: Transport
    exchange: RecordingExchange
    clock: ManualClock

    def fault(self, kind: str, **fields: object) -> None:
        self.exchange.faults.add(read_fault({"kind": kind, **fields}))


@contextmanager
def rig(
    kind: Kind,
    *,
    calendar: str = "always",
    opening: Opening | None = None,
    rate_limit: int = 0,
    keys: tuple[str, str] | None = None,
    read_seconds: float = 20.0,
    secret: str = SECRET,
) -> Iterator[Rig]:
    """An exchange with a broker on it, over sockets and the SDK or straight into the core."""
    clock = ManualClock()
    exchange = RecordingExchange(
        SeededPrices(),
        sessions_named(calendar),
        clock.now,
        opening,
        keys=keys,
        rate_limit=rate_limit,
    )
    if kind == "engine":
        direct = EngineTransport(exchange, clock, keys=(KEY, secret), read_seconds=read_seconds)
        yield Rig(AlpacaBroker(direct, clock), direct, exchange, clock)
        return
    with (
        ThreadedServer(exchange) as server,
        SdkTransport(Mode.SIM, KEY, secret, server.url, read_seconds=read_seconds) as transport,
    ):
        yield Rig(AlpacaBroker(transport, clock), transport, exchange, clock)


def buy(
    client_order_id: str = "ai-1", symbol: str = "MU", quantity: str = "2", side: Side = "buy"
) -> OrderRequest:
    """A market order."""
    return OrderRequest(client_order_id, symbol, side, "market", "day", Decimal(quantity))


@dataclass
class Scripted:
    """A transport that gives what it was told to, in turn, the last one for ever."""

    script: Sequence[Answer | NoAnswer]
    asked: list[tuple[Base, Method, str, dict[str, Any]]] = field(default_factory=list)
    concurrency: int = 1

    def ask(
        self,
        base: Base,
        method: Method,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Body | None = None,
    ) -> Answer:
        turn = self.script[min(len(self.asked), len(self.script) - 1)]
        self.asked.append((base, method, path, dict(body or query or {})))
        if isinstance(turn, NoAnswer):
            raise turn
        return turn


def answer(content: object, status: int = 200, **headers: str) -> Answer:
    """An answer with JSON, or with bytes as they are; `X_Y` names the header X-Y."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def scripted(*script: Answer | NoAnswer) -> tuple[AlpacaBroker, Scripted, ManualClock]:
    """A broker on scripted answers."""
    transport, clock = Scripted(script), ManualClock()
    return AlpacaBroker(transport, clock), transport, clock


ORDER: Mapping[str, object] = {
    "id": "0d4b2f0c-0000-4000-8000-000000000001",
    "client_order_id": "ai-1",
    "symbol": "MU",
    "side": "buy",
    "type": "market",
    "time_in_force": "day",
    "status": "accepted",
    "qty": "2",
    "notional": None,
    "filled_qty": "0",
    "filled_avg_price": None,
    "limit_price": None,
    "stop_price": None,
    "submitted_at": "2026-01-14T17:00:00.123456789Z",
    "filled_at": None,
    "updated_at": "2026-01-14T17:00:00.123456789Z",
}
"""An order as Alpaca answers it, nanoseconds and all."""

ACCOUNT: Mapping[str, object] = {
    "account_number": "PA1234567890",
    "status": "ACTIVE",
    "cash": "-100.25",
    "equity": "1000",
    "last_equity": "990.5",
    "buying_power": "500",
    "non_marginable_buying_power": "0",
    "multiplier": "2",
    "trading_blocked": False,
    "account_blocked": False,
    "trade_suspended_by_user": False,
}

Question = Callable[[AlpacaBroker], object]
