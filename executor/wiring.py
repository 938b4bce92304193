"""A name in the settings becomes a concrete port: clock, book and broker of this machine."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from executor.errors import UsageError
from executor.model.account import Mode
from executor.model.fields import parse_timestamp, timestamp_text
from executor.model.intent import Owner
from executor.model.ledger import Ledger, Order
from executor.model.numbers import plain
from executor.model.order_result import Outcome
from executor.model.settings import Settings
from executor.ports import Book, Broker, Clock
from executor.repo.local_book import LocalBook

if TYPE_CHECKING:
    from executor.exchange.engine import Exchange

EXCHANGE_URL: Final = "AUTOINVESTOR_EXCHANGE_URL"
"""An exchange that runs elsewhere, for sim; absent, one runs in this process."""

KEY, SECRET = "ALPACA_API_KEY", "ALPACA_SECRET_KEY"

SAME_MOMENT: Final = timedelta(minutes=1)
"""A `--now` that lies so little before the last result means the moment of that one."""

Connect = Callable[[Settings, Ledger], AbstractContextManager[Broker]]


@dataclass(frozen=True, slots=True)
class World:
    """Every port that a verb needs."""

    book: Book
    clock: Clock
    owner: Owner
    """Who this run is; a random token on one machine."""
    connect: Connect
    """Opens the broker of the settings' mode; in sim the account is the ledger."""
    environment: Mapping[str, str]


class SystemClock:
    """The machine's time, or a story's: a start that moves on with the machine's seconds."""

    def __init__(self, start: datetime | None = None) -> None:
        """Tell the machine's time, or from `start` on."""
        self._offset = start - datetime.now(UTC) if start else timedelta(0)

    def now(self) -> datetime:
        """The present instant, in UTC."""
        return datetime.now(UTC) + self._offset

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def go_on_from(self, moment: datetime) -> None:
        """Tell no time before this one: a story that is told twice goes on where it was."""
        self._offset += max(timedelta(0), moment - self.now())


def read_clock(now: str | None, settings_mode: Mode | None = None) -> SystemClock:
    """The clock of a command; `--now` is for sim and for bare files.

    Raises:
        UsageError: not a timestamp, or a mode that only knows the present.
    """
    if now is None:
        return SystemClock()
    if settings_mode not in (None, Mode.SIM):
        raise UsageError(f"--now is for sim only, and the settings say {settings_mode}; drop it")
    try:
        return SystemClock(parse_timestamp(now))
    except ValueError as error:
        raise UsageError(f"--now {now}: {error}") from None


@contextlib.contextmanager
def open_world(folder: Path, now: str | None = None) -> Iterator[World]:
    """Open the ports of this machine for a repository."""
    clock = read_clock(now)
    environment = dict(os.environ)
    with LocalBook(folder, clock) as book:
        yield World(
            book=book,
            clock=clock,
            owner=Owner(run=secrets.token_hex(8), attempt=1),
            connect=connector(clock, environment, story=clock if now is not None else None),
            environment=environment,
        )


def connector(
    clock: Clock, environment: Mapping[str, str], *, story: SystemClock | None = None
) -> Connect:
    """How to reach the broker of a mode.

    Args:
        clock: time, for waiting and for the embedded exchange.
        environment: where keys and addresses come from.
        story: the clock where it was set, which only sim may follow.
    """

    @contextlib.contextmanager
    def connect(settings: Settings, ledger: Ledger) -> Iterator[Broker]:
        if story is not None and settings.mode is not Mode.SIM:
            raise UsageError(
                f"--now is for sim only, and the settings say {settings.mode}; drop it"
            )
        if story is not None and ledger.as_of is not None:
            if ledger.as_of - clock.now() > SAME_MOMENT:
                last = timestamp_text(ledger.as_of)
                raise UsageError(
                    f"--now lies before the last result, written {last}; take a later time"
                )
            story.go_on_from(ledger.as_of)
        with contextlib.ExitStack() as stack:
            if settings.mode is not Mode.SIM:
                key, secret = environment.get(KEY), environment.get(SECRET)
                if not key or not secret:
                    raise UsageError(f"mode {settings.mode}: set {KEY} and {SECRET}")
                yield stack.enter_context(_alpaca(clock, settings.mode, key, secret, None))
                return
            url = environment.get(EXCHANGE_URL)
            if not url:
                url = stack.enter_context(_embedded(settings, ledger, clock))
            key, secret = _sim_keys(url, environment)
            yield stack.enter_context(_alpaca(clock, settings.mode, key, secret, url))

    return connect


def _sim_keys(url: str, environment: Mapping[str, str]) -> tuple[str, str]:
    """Keys for an exchange: the broker's own go to this machine only, never to another one."""
    if urlsplit(url).hostname not in ("127.0.0.1", "localhost", "::1"):
        return "sim", "sim"
    return environment.get(KEY) or "sim", environment.get(SECRET) or "sim"


@contextlib.contextmanager
def _alpaca(clock: Clock, mode: Mode, key: str, secret: str, url: str | None) -> Iterator[Broker]:
    from executor.brokers.alpaca import AlpacaBroker
    from executor.brokers.sdk import SdkTransport

    with SdkTransport(mode, key, secret, url) as transport:
        yield AlpacaBroker(transport, clock)


@contextlib.contextmanager
def _embedded(settings: Settings, ledger: Ledger, clock: Clock) -> Iterator[str]:
    """An exchange in a thread of this process, its account folded from the record."""
    from executor.exchange.server import ThreadedServer

    with ThreadedServer(sim_exchange(settings, ledger, clock.now, rate_limit=0)) as server:
        yield server.url


def sim_exchange(
    settings: Settings, ledger: Ledger, now: Callable[[], datetime], *, rate_limit: int = 0
) -> Exchange:
    """The exchange of mode sim: the settings' price path and hours, the record's account."""
    from executor.exchange.engine import Exchange
    from executor.exchange.opening import Opening
    from executor.exchange.prices import SeededPrices
    from executor.exchange.sessions import sessions_named

    cash = ledger.cash
    opening = Opening(
        cash=settings.sim.opening_cash + ledger.cash_change if cash is None else cash,
        positions=tuple(one for one in ledger.positions.values() if one.quantity),
        orders=_orders(ledger),
    )
    return Exchange(
        SeededPrices(settings.sim.seed),
        sessions_named(settings.sim.calendar),
        now,
        opening,
        rate_limit=rate_limit,
    )


_STATUS: Final = {
    Outcome.FILLED: "filled",
    Outcome.PARTIALLY_FILLED: "canceled",
    Outcome.OPEN: "accepted",
    Outcome.CANCELED: "canceled",
    Outcome.EXPIRED: "expired",
    Outcome.REJECTED: "rejected",
}
"""The record's outcomes in the broker's words, for orders that the broker confirmed."""


def _orders(ledger: Ledger) -> tuple[Mapping[str, object], ...]:
    """The record's orders as the exchange knew them, each with the legs that hang on it."""
    # What the exchange refused never was an order there.
    known = {key: one for key, one in ledger.orders.items() if one.told.broker_order_id is not None}
    legs: dict[str, list[Order]] = {}
    for one in known.values():
        if one.parent in known:
            legs.setdefault(one.parent or "", []).append(one)
    return tuple(
        _as_alpaca(one, legs.get(key, ())) for key, one in known.items() if one.parent not in known
    )


def _as_alpaca(order: Order, legs: Sequence[Order] = ()) -> Mapping[str, object]:
    one = order.told
    shown: dict[str, object] = {
        "id": one.broker_order_id,
        "client_order_id": one.client_order_id,
        "symbol": one.ticker,
        "side": one.side,
        "type": one.order_type,
        "order_class": one.order_class or "",
        "time_in_force": one.time_in_force,
        "qty": _text(one.quantity),
        "notional": _text(one.notional),
        "limit_price": _text(one.limit_price),
        "stop_price": _text(one.stop_price),
        "trail_percent": _text(one.trail_percent),
        "filled_qty": plain(one.filled_quantity),
        "filled_avg_price": _text(one.average_fill_price),
        "status": _STATUS[one.outcome],
        "submitted_at": timestamp_text(one.submitted_at or order.seen_at),
        "processed_through": timestamp_text(order.seen_at),
    }
    if one.fills:
        shown["filled_at"] = timestamp_text(one.fills[-1].at)
    if legs:
        # A leg was not in the market before its entry filled, whenever it was told last itself.
        seen = [replace(leg, seen_at=max(leg.seen_at, order.seen_at)) for leg in legs]
        shown["legs"] = [_as_alpaca(leg) for leg in seen]
    return shown


def _text(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)
