"""An exchange in this process with a time that a test sets, and short ways to ask it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from executor.exchange.engine import Exchange
from executor.exchange.messages import Request, Response
from executor.exchange.opening import Opening
from executor.exchange.prices import ANCHOR, PriceSource, SeededPrices
from executor.exchange.recorded import RecordedPrices
from executor.exchange.sessions import AlwaysOpen, Sessions
from executor.model.position import Position

HEADERS = {"APCA-API-KEY-ID": "key", "APCA-API-SECRET-KEY": "secret"}

BUY_MU = {
    "symbol": "MU",
    "qty": "2",
    "side": "buy",
    "type": "market",
    "time_in_force": "day",
    "client_order_id": "first",
}


def order(**changes: object) -> dict[str, object]:
    """Change the ordinary order; None leaves a key out."""
    merged = {**BUY_MU, **changes}
    return {name: value for name, value in merged.items() if value is not None}


def steps(**prices: list[tuple[datetime, str]]) -> RecordedPrices:
    """Record prices, each with the time from which it holds."""
    recorded = {
        symbol: [[at.isoformat(), price] for at, price in series]
        for symbol, series in prices.items()
    }
    return RecordedPrices({"prices": recorded})


def flat(price: str = "100", *symbols: str) -> RecordedPrices:
    """Record one price that never changes."""
    series = [(datetime.fromisoformat("2020-01-01T00:00:00+00:00"), price)]
    return steps(**dict.fromkeys(symbols or ("MU",), series))


class Rig:
    """The exchange, its time, and the requests that tests make most."""

    def __init__(
        self,
        prices: PriceSource | None = None,
        sessions: Sessions | None = None,
        opening: Opening | None = None,
        *,
        at: datetime = ANCHOR,
        **options: Any,
    ) -> None:
        self.now = at
        self.exchange = Exchange(
            prices or SeededPrices(),
            sessions or AlwaysOpen(),
            lambda: self.now,
            opening,
            **{"rate_limit": 0, **options},
        )

    def ask(
        self, method: str, path: str, body: object = None, query: Mapping[str, str] | None = None
    ) -> Response:
        """Make a request with a pair of keys."""
        raw = b"" if body is None else json.dumps(body).encode()
        return self.exchange.handle(Request(method, path, query or {}, HEADERS, raw))

    def get(self, path: str, **query: str) -> Any:
        """Get a body that has to come with a 200."""
        response = self.ask("GET", path, query=query)
        assert response.status == 200, response.body
        return response.json()

    def submit(self, **changes: object) -> Any:
        """Submit the ordinary order with changes; it has to be accepted."""
        response = self.ask("POST", "/v2/orders", order(**changes))
        assert response.status == 200, response.body
        return response.json()

    def refused(self, **changes: object) -> tuple[int, dict[str, Any]]:
        """Submit the ordinary order with changes; it has to be refused."""
        response = self.ask("POST", "/v2/orders", order(**changes))
        assert response.status >= 400, response.body
        body = response.json()
        assert isinstance(body, dict)
        return response.status, body

    def order(self, client_order_id: str = "first") -> Any:
        """Look an order up."""
        return self.get("/v2/orders:by_client_order_id", client_order_id=client_order_id)

    def account(self) -> dict[str, Decimal]:
        """Give the account's figures as numbers."""
        shown = self.get("/v2/account")
        names = ("cash", "equity", "last_equity", "buying_power", "long_market_value")
        more = ("regt_buying_power", "non_marginable_buying_power", "initial_margin")
        return {name: Decimal(shown[name]) for name in names + more}

    def wait(self, **time: float) -> None:
        """Let time pass."""
        self.now += timedelta(**time)


def holding(symbol: str, quantity: str, cost: str) -> Opening:
    """Open with 100,000 USD and one position."""
    return Opening(positions=(Position(symbol, Decimal(quantity), Decimal(cost)),))
