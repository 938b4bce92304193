"""Stories: one repository, one exchange that outlives every run, and a price that a test sets."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from executor.exchange.events import read_event
from executor.exchange.orders import Order
from executor.exchange.prices import PriceSource, floor_minute
from executor.model.fields import parse_timestamp, timestamp_text
from executor.model.order_id import parse_order_id
from tests.commands.exchanges import Outside, outside
from tests.commands.strangers import ask
from tests.scratch import IMPATIENT, NOW, Answer, Repository, line, plan, shipped

MOMENT: Final = parse_timestamp(NOW)
START: Final = Decimal(100)
"""USD a share of every symbol until a story says otherwise; the spread is a cent to each side."""

NEXT_DAY: Final = "2026-01-15T15:00:00Z"
"""A session of the exchange that is always open is the UTC day."""


class SetPrices(PriceSource):
    """Prices that a test sets from a moment on; volumes are large."""

    def __init__(self) -> None:
        self._set: dict[str, list[tuple[datetime, Decimal]]] = {}

    def put(self, symbol: str, price: object, since: datetime) -> None:
        self._set.setdefault(symbol, []).append((floor_minute(since), Decimal(str(price))))

    def price(self, symbol: str, at: datetime) -> Decimal | None:
        known = [price for since, price in self._set.get(symbol, ()) if since <= at]
        return known[-1] if known else START

    def crossing(
        self, symbol: str, start: datetime, end: datetime, level: Decimal, falling: bool
    ) -> datetime | None:
        steps = [since for since, _ in self._set.get(symbol, ()) if start < since <= end]
        for at in [floor_minute(start), *steps]:
            price = self.price(symbol, at) or START
            if price <= level if falling else price >= level:
                return at
        return None


class Story:
    """What happens, one sentence a line."""

    def __init__(self, repository: Repository, exchange: Outside, prices: SetPrices) -> None:
        self.repository = repository
        self.exchange = exchange
        self.prices = prices
        self.now = MOMENT
        self._plans = 0

    # What people and the market do.

    def comes(self, moment: str) -> None:
        """Let time pass until a moment."""
        self.now = max(self.now, parse_timestamp(moment))
        self.exchange.move_to(timestamp_text(self.now))

    def passes(self, **time: float) -> None:
        """Let some time pass."""
        self.comes(timestamp_text(self.now + timedelta(**time)))

    def moves(self, symbol: str, price: object) -> None:
        """Let the price be another one from the next minute on."""
        self.prices.put(symbol, price, self.now + timedelta(minutes=1))
        self.passes(minutes=1)

    def plans(self, *lines: dict[str, Any], **keys: Any) -> None:
        """Put a plan on main."""
        self._plans += 1
        document = plan(*lines, **({"reason": f"plan {self._plans}"} | keys))
        document["timestamp"] = timestamp_text(self.now - timedelta(seconds=2))
        when = timestamp_text((self.now - timedelta(seconds=1)).replace(microsecond=0))
        self.repository.commit_plan(document, when)

    def executes(self, *lines: dict[str, Any], code: int = 0, **keys: Any) -> Answer:
        """Execute a plan of these lines, or the one that waits; a minute passes first."""
        self.passes(minutes=1)
        if lines:
            self.plans(*lines, **keys)
        answer = self.repository.execute(now=timestamp_text(self.now))
        assert answer.code == code, answer.text
        return answer

    def settles(self, *arguments: str, code: int = 0) -> Answer:
        """Settle; a minute passes first."""
        self.passes(minutes=1)
        answer = self.repository.settle(*arguments, now=timestamp_text(self.now))
        assert answer.code == code, answer.text
        return answer

    def rests(self) -> None:
        """Nothing is new: settling again writes nothing."""
        head, stands = self.repository.head, self.stands
        answer = self.settles()
        assert self.repository.head == head, answer.text
        assert self.stands == stands

    def happens(self, kind: str, **keys: Any) -> None:
        """Something happens to the account without an order."""
        event = read_event({"kind": kind, **keys}, self.now)
        assert event.at == self.now
        ask("POST", "/sim/events", {"kind": kind, **keys})

    def cancels(self, key: str) -> None:
        """Somebody cancels an order at the broker."""
        found = ask("GET", f"/v2/orders:by_client_order_id?client_order_id={key}")
        ask("DELETE", f"/v2/orders/{found['id']}")

    # What can be seen.

    @property
    def stands(self) -> list[str]:
        """Every order that may still trade, in a few words, sorted."""
        return sorted(told(one) for one in self.exchange.open_orders)

    @property
    def keys(self) -> dict[str, str]:
        """Client order ids of open orders, by the same words."""
        return {told(one): one.client_order_id for one in self.exchange.open_orders}

    @property
    def legs(self) -> list[str]:
        """Leg and number of every open order that has an id of ours."""
        found = []
        for one in self.exchange.open_orders:
            own = parse_order_id(one.client_order_id)
            if own is not None:
                found.append(own.leg + (f".{own.number}" if own.number else ""))
        return sorted(found)

    @property
    def newest(self) -> dict[str, Any]:
        """The newest result on main."""
        return self.repository.results[-1]

    @property
    def protection(self) -> list[tuple[str, Any]]:
        """What the newest result says of how its lines stand."""
        return [
            (one["state"], one["quantity"])
            for told in self.newest["instructions"]
            for one in told.get("protection", ())
        ]

    def audited(self) -> None:
        """The record holds, and the record and the exchange hold the same."""
        assert self.repository.run("audit").code == 0


def told(order: Order) -> str:
    """`sell 10 MU stop 92 gtc`; a leg that waits for its entry is in brackets."""
    ticket = order.ticket
    price = ticket.limit_price if ticket.order_type == "limit" else order.stop_price
    if ticket.trails:
        price = None
    size = ticket.quantity if ticket.quantity is not None else ticket.notional
    trail = f" {ticket.trail_percent}%" if ticket.trails else ""
    words = [ticket.side, str(size), ticket.symbol, ticket.order_type]
    words += [str(price)] if price is not None else []
    text = " ".join(words) + f"{trail} {ticket.time_in_force}"
    return f"({text})" if order.is_dormant else text


@contextlib.contextmanager
def told_at(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *changes: tuple[str, str]
) -> Iterator[Story]:
    """A repository and an exchange at which every price stands still."""
    for name in ("ALPACA_API_KEY", "ALPACA_SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    repository = Repository.founded(folder / "repository", shipped(*IMPATIENT, *changes))
    prices = SetPrices()
    with outside(monkeypatch, prices=prices) as exchange:
        yield Story(repository, exchange, prices)


def buy(quantity: object = 10, ticker: str = "MU", **keys: Any) -> dict[str, Any]:
    """A BUY that asks for a stop 8 % under its price."""
    return line("BUY", ticker, quantity=quantity, **({"stop_loss_pct": 8} | keys))


def at_limit(price: object, quantity: object = 10, ticker: str = "MU", **keys: Any) -> Any:
    """A BUY that rests at its limit until it is canceled."""
    base = {"order_type": "limit", "limit_price": price, "time_in_force": "gtc"}
    return buy(quantity, ticker, **(base | keys))
