"""What other programs do to the account at an exchange, and no commit tells."""

from __future__ import annotations

import json
import os
import urllib.request
from typing import Any, Final

from executor.exchange.engine import Exchange
from executor.wiring import EXCHANGE_URL
from tests.commands.exchanges import Outside
from tests.scratch import Repository

PERSON: Final = "Alice <alice@example.com>"


def named(repository: Repository) -> Repository:
    """Say in a repository's own settings who works in it."""
    repository.git("config", "user.name", "Alice")
    repository.git("config", "user.email", "alice@example.com")
    return repository


def ask(method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """Ask the exchange as any program may."""
    request = urllib.request.Request(
        f"{os.environ[EXCHANGE_URL]}{path}",
        data=json.dumps(body).encode() if body is not None else None,
        method=method,
        headers={
            "APCA-API-KEY-ID": "any",
            "APCA-API-SECRET-KEY": "any",
            "Content-Type": "application/json",
        },
    )
    with urllib.request.urlopen(request) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def orders(key: str, symbol: str = "AMD", quantity: int = 5, **keys: Any) -> Any:
    """Order with an id of another program's form; a market buy unless told otherwise."""
    body = {
        "client_order_id": key,
        "symbol": symbol,
        "qty": str(quantity),
        "side": "buy",
        "type": "market",
        "time_in_force": "day",
    }
    return ask("POST", "/v2/orders", {**body, **keys})


def holds(symbol: str, quantity: object, price: object = "100") -> None:
    """Let the account hold so many shares, without an order and without an activity."""
    body = {"symbol": symbol, "qty": str(quantity), "average_entry_price": str(price)}
    ask("POST", "/sim/positions", body)


def pays(exchange: Outside, amount: int) -> None:
    """Let cash come, or go, without an activity."""

    def move(one: Exchange) -> None:
        one.desk.cash += amount

    exchange._server.call(move)


def status_of(key: str) -> str:
    """The exchange's word for an order."""
    found = ask("GET", f"/v2/orders:by_client_order_id?client_order_id={key}")
    return str(found["status"])
