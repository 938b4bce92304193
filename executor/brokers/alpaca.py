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
from executor.brokers.activities import all_activities
from executor.brokers.canceling import cancel_all
from executor.brokers.carrying import Carrier
from executor.brokers.equity import equity_history
from executor.brokers.listing import all_orders
from executor.brokers.parsing import Row, Unreadable, rows_of
from executor.brokers.questions import Question, Questions
from executor.brokers.submitting import Submitter
from executor.brokers.transport import Transport
from executor.brokers.volumes import average_volumes
from executor.errors import BrokerUnavailable
from executor.model.activity import Activity
from executor.model.facts import AccountFacts, PositionFacts
from executor.model.fields import timestamp_text
from executor.model.market import Asset, MarketClock, Session, SymbolPrices
from executor.model.order import (
    Cancellation,
    EquityPoint,
    OrderReport,
    OrderRequest,
    Submission,
)
from executor.ports import Clock

SYMBOLS_A_REQUEST: Final = 100
"""Symbols in one address: long before servers find it too long."""

ASSETS_ONE_BY_ONE: Final = 20
"""Above that many the whole list is one request and cheaper than the rate limit."""

DAYS_BACK: Final = timedelta(days=10)
"""Longer than any stretch without a session since 1933."""

DAYS_AHEAD: Final = timedelta(days=14)

DAYS_APART: Final = timedelta(days=1)
"""Between two clocks that mean the same present."""

WITH_LEGS: Final = ("oto", "bracket", "oco")
"""Classes of orders that others hang on."""

A = TypeVar("A")
B = TypeVar("B")


class AlpacaBroker:
    """One account at Alpaca, or at anything that speaks its API; the `Broker` port."""

    def __init__(self, transport: Transport, clock: Clock, *, feed: str = "iex") -> None:
        """Talk through a transport.

        Args:
            transport: Carries the requests; its addresses make this sim, paper or live.
            clock: Every wait goes through it: pauses between tries and the rate limit's.
            feed: Source of quotes, trades and bars; the free plan has `iex`.
        """
        self._is_parallel = transport.concurrency > 1
        self._clock = clock
        self._feed = feed
        self._carrier = Carrier(transport, clock)
        self._questions = Questions(self._carrier, clock)
        self._submitter = Submitter(self._carrier, self.order, self._with_legs)

    def at_once(self, first: Callable[[], A], second: Callable[[], B]) -> tuple[A, B]:
        """Ask two things at the same time, where the transport can; what each of them gives.

        Where one raises, the other one is waited for, and the first that raised is heard.
        """
        if not self._is_parallel:
            return first(), second()
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(1, "broker") as pool:
            other = pool.submit(second)
            return first(), other.result()

    def market_clock(self, since: datetime) -> MarketClock:
        """Ask for the clock and the calendar: sessions from the last that opened by `since` on."""
        now = self._clock.now()
        clock, told = self.at_once(self._market_clock, lambda: self._sessions(since, now))
        if abs(clock.as_of - now) > DAYS_APART:
            # The broker lives in another time than we do, as an exchange may whose time was set.
            told = self._sessions(since, clock.as_of)
        return replace(clock, sessions=_from(told, min(since, clock.as_of)))

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
        """Ask for one order by our id, with its legs."""
        query = {"client_order_id": client_order_id}
        report = self._questions.find(
            "an order", "/v2/orders:by_client_order_id", query, shapes.order_report
        )
        return None if report is None else self._with_legs(report)

    def submit_all(self, requests: Sequence[OrderRequest]) -> tuple[Submission, ...]:
        """Send each exactly once, as many at a time as transport and rate limit allow."""
        return self._submitter.submit_all(requests)

    def cancel_all(self, broker_order_ids: Sequence[str]) -> tuple[Cancellation, ...]:
        """Ask for the end of each, as many at a time as transport and rate limit allow."""
        return cancel_all(self._carrier, broker_order_ids)

    def activities(self, after: datetime) -> tuple[Activity, ...]:
        """Ask for every activity that the broker noted after an instant."""
        return all_activities(self._questions, after)

    def equity_history(self, since: datetime) -> tuple[EquityPoint, ...]:
        """Ask for the equity at each close since an instant."""
        return equity_history(self._questions, since, self._clock.now())

    def prices(self, symbols: Sequence[str]) -> Mapping[str, SymbolPrices]:
        """Ask for the latest quotes and trades."""
        chunks = list(_chunks(symbols))
        quotes = [self._latest("quotes", one, _with_quote) for one in chunks]
        trades = [self._latest("trades", one, _with_trade) for one in chunks]
        found: dict[str, SymbolPrices] = {}
        for told in self._questions.ask_all([*quotes, *trades]):
            for symbol, one in told.items():
                before = found.get(symbol, SymbolPrices(None, None))
                found[symbol] = SymbolPrices(one.quote or before.quote, one.trade or before.trade)
        return dict(sorted(found.items()))

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
        now = self._clock.now()
        return average_volumes(self._questions, list(_chunks(symbols)), now, self._feed)

    def _market_clock(self) -> MarketClock:
        return self._questions.ask("the market clock", "trading", "/v2/clock", None, _clock)

    def _sessions(self, since: datetime, now: datetime) -> tuple[Session, ...]:
        first, last = min(since, now) - DAYS_BACK, max(since, now) + DAYS_AHEAD
        query = {"start": first.date().isoformat(), "end": last.date().isoformat()}
        return self._questions.ask(
            "the market calendar", "trading", "/v2/calendar", query, _sessions
        )

    def _with_legs(self, report: OrderReport) -> OrderReport:
        """Ask for the legs of an order that has some and was told without them."""
        if report.legs or report.order_class not in WITH_LEGS:
            return report
        path = f"/v2/orders/{quoted(report.broker_order_id, safe='')}"
        whole = self._questions.ask(
            "an order's legs", "trading", path, {"nested": "true"}, shapes.order_report
        )
        if whole.broker_order_id != report.broker_order_id:
            raise BrokerUnavailable(
                "an order's legs, broker: told of another order; run the same command again"
            )
        return whole

    def _assets_one_by_one(self, symbols: Sequence[str]) -> Iterator[tuple[str, Asset | None]]:
        paths = [f"/v2/assets/{quoted(one, safe='')}" for one in symbols]
        found = self._questions.find_each("an asset", paths, shapes.asset)
        for symbol, asset in zip(symbols, found, strict=True):
            # One symbol without an answer is a fact missing for its own lines only.
            if not isinstance(asset, BrokerUnavailable):
                yield symbol, asset

    def _latest(
        self, what: str, symbols: list[str], read: Callable[[object], SymbolPrices]
    ) -> Question[dict[str, SymbolPrices]]:
        return Question(
            f"latest {what}",
            "data",
            f"/v2/stocks/{what}/latest",
            {"symbols": ",".join(symbols), "feed": self._feed},
            partial(_by_symbol, key=what, symbols=symbols, read=read),
        )


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


def _with_quote(tree: object) -> SymbolPrices:
    return SymbolPrices(shapes.quote(tree), None)


def _with_trade(tree: object) -> SymbolPrices:
    return SymbolPrices(None, shapes.trade(tree))


def _by_symbol(
    tree: object, key: str, symbols: list[str], read: Callable[[object], SymbolPrices]
) -> dict[str, SymbolPrices]:
    table = Row(tree, "the answer").raw(key)
    if not isinstance(table, dict):
        raise Unreadable(f"`{key}` of the answer is no object")
    return {one: read(table[one]) for one in symbols if table.get(one) is not None}
