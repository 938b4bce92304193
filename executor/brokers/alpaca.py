"""The broker: Alpaca's API over a transport, one adapter for sim, paper and live."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Final, TypeVar
from urllib.parse import quote as quoted

from executor.brokers import shapes
from executor.brokers.listing import all_orders
from executor.brokers.pace import Pace
from executor.brokers.parsing import Row, Unreadable, rows_of
from executor.brokers.questions import Questions
from executor.brokers.submitting import Submitter
from executor.brokers.transport import Base, Transport
from executor.brokers.volumes import average_volumes
from executor.errors import BrokerUnavailable
from executor.model.facts import AccountFacts, PositionFacts
from executor.model.fields import timestamp_text
from executor.model.market import Asset, MarketClock, Session, SymbolPrices
from executor.model.order import OrderReport, OrderRequest, Submission
from executor.ports import Clock

SYMBOLS_A_REQUEST: Final = 100
"""Symbols in one address: long before servers find it too long."""

ASSETS_ONE_BY_ONE: Final = 20
"""Above that many the whole list is one request and cheaper than the rate limit."""

DAYS_BACK: Final = timedelta(days=10)
"""Longer than any stretch without a session since 1933."""

DAYS_AHEAD: Final = timedelta(days=14)

T = TypeVar("T")


class AlpacaBroker:
    """One account at Alpaca, or at anything that speaks its API; the `Broker` port."""

    def __init__(self, transport: Transport, clock: Clock, *, feed: str = "iex") -> None:
        """Talk through a transport.

        Args:
            transport: Carries the requests; its addresses make this sim, paper or live.
            clock: Every wait goes through it: pauses between tries and the rate limit's.
            feed: Source of quotes, trades and bars; the free plan has `iex`.
        """
        # Two hosts, each with a rate limit of its own.
        paces: Mapping[Base, Pace] = {"trading": Pace(clock), "data": Pace(clock)}
        self._clock = clock
        self._feed = feed
        self._questions = Questions(transport, clock, paces)
        self._submitter = Submitter(transport, paces["trading"], self.order)

    def market_clock(self, since: datetime) -> MarketClock:
        """Ask for the clock and the calendar: sessions from the last that opened by `since` on."""
        clock = self._questions.ask("the market clock", "trading", "/v2/clock", None, _clock)
        first = min(since, clock.as_of) - DAYS_BACK
        last = max(since, clock.as_of) + DAYS_AHEAD
        query = {"start": first.date().isoformat(), "end": last.date().isoformat()}
        sessions = self._questions.ask(
            "the market calendar", "trading", "/v2/calendar", query, _sessions
        )
        return replace(clock, sessions=_from(sessions, min(since, clock.as_of)))

    def account(self) -> AccountFacts:
        """Ask for cash, equity and the account's gates."""
        return self._questions.ask(
            "the account",
            "trading",
            "/v2/account",
            None,
            lambda tree: shapes.account_facts(tree, self._clock.now()),
        )

    def positions(self) -> tuple[PositionFacts, ...]:
        """Ask for every holding."""
        return self._questions.ask("positions", "trading", "/v2/positions", None, _positions)

    def open_orders(self) -> tuple[OrderReport, ...]:
        """Ask for every order that may still trade."""
        return all_orders(self._questions, "open orders", {"status": "open"})

    def orders_since(self, after: datetime) -> tuple[OrderReport, ...]:
        """Ask for every order submitted after an instant."""
        query = {"status": "all", "after": timestamp_text(after)}
        return all_orders(self._questions, "orders", query)

    def order(self, client_order_id: str) -> OrderReport | None:
        """Ask for one order by our id."""
        query = {"client_order_id": client_order_id}
        return self._questions.find(
            "an order", "/v2/orders:by_client_order_id", query, shapes.order_report
        )

    def submit_all(self, requests: Sequence[OrderRequest]) -> tuple[Submission, ...]:
        """Send one after the other, each exactly once."""
        return tuple(self._submitter.submit(request) for request in requests)

    def prices(self, symbols: Sequence[str]) -> Mapping[str, SymbolPrices]:
        """Ask for the latest quotes and trades."""
        quotes = self._latest(symbols, "quotes", shapes.quote)
        trades = self._latest(symbols, "trades", shapes.trade)
        return {
            symbol: SymbolPrices(quotes.get(symbol), trades.get(symbol))
            for symbol in sorted(quotes.keys() | trades.keys())
        }

    def assets(self, symbols: Sequence[str]) -> Mapping[str, Asset | None]:
        """Ask what each symbol is."""
        wanted = sorted(set(symbols))
        if len(wanted) <= ASSETS_ONE_BY_ONE:
            return dict(self._assets_one_by_one(wanted))
        query = {"asset_class": "us_equity"}
        listed = self._questions.ask(
            "the assets", "trading", "/v2/assets", query, lambda tree: _assets(tree, set(wanted))
        )
        return {symbol: listed.get(symbol) for symbol in wanted}

    def average_volumes(self, symbols: Sequence[str]) -> Mapping[str, Decimal]:
        """Ask for daily bars and average the shares of the last 20 that are complete."""
        averages: dict[str, Decimal] = {}
        for some in _chunks(symbols):
            averages |= average_volumes(self._questions, some, self._clock.now(), self._feed)
        return averages

    def _assets_one_by_one(self, symbols: Sequence[str]) -> Iterator[tuple[str, Asset | None]]:
        for symbol in symbols:
            try:
                yield symbol, self._asset(symbol)
            except BrokerUnavailable:
                # One symbol without an answer is a fact missing for its own lines only.
                continue

    def _asset(self, symbol: str) -> Asset | None:
        path = f"/v2/assets/{quoted(symbol, safe='')}"
        return self._questions.find("an asset", path, None, shapes.asset)

    def _latest(
        self, symbols: Sequence[str], what: str, read: Callable[[object], T]
    ) -> dict[str, T]:
        found: dict[str, T] = {}
        for some in _chunks(symbols):
            found |= self._questions.ask(
                f"latest {what}",
                "data",
                f"/v2/stocks/{what}/latest",
                {"symbols": ",".join(some), "feed": self._feed},
                partial(_by_symbol, key=what, symbols=some, read=read),
            )
        return found


def _chunks(symbols: Sequence[str]) -> Iterator[list[str]]:
    wanted = sorted(set(symbols))
    for start in range(0, len(wanted), SYMBOLS_A_REQUEST):
        yield wanted[start : start + SYMBOLS_A_REQUEST]


def _clock(tree: object) -> MarketClock:
    row = Row(tree, "the clock")
    return MarketClock(row.time("timestamp"), row.flag("is_open"))


def _sessions(tree: object) -> tuple[Session, ...]:
    days = [shapes.session(one) for one in rows_of(tree, "calendar days")]
    return tuple(sorted(days, key=lambda one: one.opens))


def _from(sessions: tuple[Session, ...], since: datetime) -> tuple[Session, ...]:
    """Drop the sessions before the last one that had opened by an instant."""
    opened = sum(one.opens <= since for one in sessions)
    return sessions[max(0, opened - 1) :]


def _positions(tree: object) -> tuple[PositionFacts, ...]:
    held = [shapes.position_facts(one) for one in rows_of(tree, "positions")]
    return tuple(sorted(held, key=lambda one: one.symbol))


def _assets(tree: object, wanted: set[str]) -> dict[str, Asset]:
    """Read the wanted ones of all assets; an active one wins over an old one of the same symbol."""
    found: dict[str, Asset] = {}
    for one in rows_of(tree, "assets"):
        symbol = one.get("symbol") if isinstance(one, dict) else None
        if not isinstance(symbol, str) or symbol not in wanted:
            continue
        asset = shapes.asset(one)
        if asset.symbol not in found or asset.status == "active":
            found[asset.symbol] = asset
    return found


def _by_symbol(
    tree: object, key: str, symbols: list[str], read: Callable[[object], T]
) -> dict[str, T]:
    table = Row(tree, "the answer").raw(key)
    if not isinstance(table, dict):
        raise Unreadable(f"`{key}` of the answer is no object")
    return {one: read(table[one]) for one in symbols if table.get(one) is not None}
