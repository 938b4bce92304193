"""Where a run touches the world: every effect counted, and a schedule that acts around each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, TypeVar

from executor.brokers.transport import Answer, Base, Body, Method, Transport
from executor.exchange.engine import Exchange
from executor.exchange.messages import Request
from executor.exchange.orders import Order
from executor.model.evidence import PathChange
from executor.model.order_id import parse_order_id
from executor.model.state import TradingState
from executor.ports import Book, Change, Clock, CommitInfo

T = TypeVar("T")
Act = Callable[[], None]

CHANGES: Final = frozenset({"commit", "POST", "DELETE"})
"""What changes the world outside the process: the points that matter."""

EVERYTHING: Final = CHANGES | {"GET", "head", "sleep"}
"""Reads and waits as well: dying there is dying between two changes."""


PERSON: Final = {"APCA-API-KEY-ID": "person", "APCA-API-SECRET-KEY": "person"}
"""The keys of somebody else at the same account."""


class Died(BaseException):
    """The process is gone; nothing of it runs any more, so no handler of ours may catch it."""


def die() -> None:
    """End the run here."""
    raise Died


@dataclass(frozen=True, slots=True)
class Post:
    """One order as it left a run, and what the exchange then had."""

    run: int
    at: datetime
    main: str
    """Where this run had last seen main."""
    judged_at: datetime | None
    """When this run had asked for the hours of its last judgment, which asks for assets as well."""
    client_order_id: str
    symbol: str
    side: str
    order_type: str
    was_taken: bool
    """The exchange had an order of this id already."""
    accepted: bool
    """The exchange has a new order because of it."""
    shared: bool
    """Another run was at work on the same main meanwhile."""
    open_before: tuple[tuple[str, str, datetime], ...]
    """Id, side and time of submission of each order that was open at the exchange before."""
    beside: tuple[str, ...]
    """Ids of our stops and targets that stood in the symbol."""
    state: TradingState
    """The trading state on main at that moment, whatever the run had read."""


@dataclass
class Effects:
    """Counts one run's effects and does what a schedule asks for around them.

    Effect k has the points 2k, just before it, and 2k + 1, just after it.
    """

    run: int = 0
    acts: Mapping[int, Act] = field(default_factory=dict)
    """What happens at which point."""
    kinds: frozenset[str] = CHANGES
    """Which effects count."""
    done: list[str] = field(default_factory=list)
    """The effects so far, in words."""
    shared: bool = False
    """Another run was at work on the same main, until its end or death."""
    main: str = ""
    asked_hours_at: datetime | None = None
    judged_at: datetime | None = None

    @property
    def points(self) -> range:
        """Every point that the run has passed."""
        return range(2 * len(self.done))

    def around(self, kind: str, words: str, effect: Callable[[], T]) -> T:
        """Have an effect, with what the schedule wants before and after it."""
        if kind not in self.kinds:
            return effect()
        number = len(self.done)
        self.done.append(f"{kind} {words}")
        self._reach(2 * number)
        try:
            return effect()
        finally:
            # Also after an effect whose answer was lost or refused.
            self._reach(2 * number + 1)

    def _reach(self, point: int) -> None:
        act = self.acts.get(point)
        if act is not None:
            act()


@dataclass
class Outside:
    """What a run meets at the exchange, and what is remembered of it."""

    state: Callable[[], TradingState]
    """The trading state on main."""
    posts: list[Post] = field(default_factory=list)
    """Every order that left a run, in time."""
    cancels_after: float = 0
    """Seconds from a request to cancel to the order's end; it may fill meanwhile."""
    pieces_lost: bool = False
    """True once the broker gave no answer about activities: cash may then differ by cents."""
    _cancels: list[tuple[datetime, str]] = field(default_factory=list)

    def cancel_later(self, path: str, now: datetime) -> None:
        """Let an order end a while after that was asked for."""
        self._cancels.append((now + timedelta(seconds=self.cancels_after), path))

    def cancel_due(self, exchange: Exchange, now: datetime | None) -> None:
        """End what is due to end by now; without a time everything."""
        due = [one for one in self._cancels if now is None or one[0] <= now]
        self._cancels = [one for one in self._cancels if one not in due]
        for _, path in due:
            order = exchange.desk.orders.get(path.rsplit("/", 1)[-1])
            if order is not None and order.is_open:
                exchange.handle(Request("DELETE", path, {}, PERSON))


class CountedBook:
    """A book whose commits count."""

    def __init__(self, book: Book, effects: Effects) -> None:
        self._book = book
        self._effects = effects

    def tidy(self) -> None:
        self._book.tidy()

    def head(self) -> str:
        found = self._effects.around("head", "", self._book.head)
        self._effects.main = found
        return found

    def resolve(self, name: str) -> str:
        return self._book.resolve(name)

    def bring(self, ref: str) -> str:
        return self._book.bring(ref)

    def vouches(self, commit: str) -> bool:
        return self._book.vouches(commit)

    def read(self, path: str, at: str) -> bytes | None:
        return self._book.read(path, at)

    def read_folder(self, folder: str, at: str) -> Iterator[tuple[str, bytes]]:
        return self._book.read_folder(folder, at)

    def changed(self, folder: str, before: str, after: str) -> Mapping[str, str]:
        return self._book.changed(folder, before, after)

    def differences(self, before: str, after: str) -> tuple[PathChange, ...]:
        return self._book.differences(before, after)

    def fork_point(self, one: str, other: str) -> str:
        return self._book.fork_point(one, other)

    def is_on_line(self, commit: str, at: str) -> bool:
        return self._book.is_on_line(commit, at)

    def last_change(self, path: str, at: str) -> CommitInfo | None:
        return self._book.last_change(path, at)

    def with_trailer(
        self, key: str, value: str | None, at: str, most: int
    ) -> tuple[CommitInfo, ...]:
        return self._book.with_trailer(key, value, at, most)

    def commit(self, change: Change, expected: str) -> str:
        new = self._effects.around(
            "commit", change.subject, lambda: self._book.commit(change, expected)
        )
        self._effects.main = new
        return new

    def exclusive(self) -> AbstractContextManager[None]:
        return self._book.exclusive()


class CountedClock:
    """A clock whose sleeps count."""

    def __init__(self, clock: Clock, effects: Effects) -> None:
        self._clock = clock
        self._effects = effects

    def now(self) -> datetime:
        return self._clock.now()

    def sleep(self, seconds: float) -> None:
        self._effects.around("sleep", f"{seconds:g}", lambda: self._clock.sleep(seconds))


class CountedTransport:
    """A transport whose requests count, and that writes down every order which leaves."""

    concurrency = 1

    def __init__(
        self,
        transport: Transport,
        exchange: Exchange,
        clock: Clock,
        effects: Effects,
        outside: Outside,
    ) -> None:
        self._transport = transport
        self._exchange = exchange
        self._clock = clock
        self._effects = effects
        self._outside = outside

    def ask(
        self,
        base: Base,
        method: Method,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Body | None = None,
    ) -> Answer:
        def carry() -> Answer:
            self._outside.cancel_due(self._exchange, self._clock.now())
            if path == "/v2/clock":
                self._effects.asked_hours_at = self._clock.now()
            if path.startswith("/v2/assets"):
                self._effects.judged_at = self._effects.asked_hours_at
            if method == "POST" and path == "/v2/orders":
                return self._post(base, path, body or {})
            if method == "DELETE" and self._outside.cancels_after:
                self._outside.cancel_later(path, self._clock.now())
                return Answer(204, {}, b"")
            return self._transport.ask(base, method, path, query=query, body=body)

        words = path if body is None else f"{path} {body.get('side')} {body.get('symbol')}"
        answered = False
        try:
            answer = self._effects.around(method, words, carry)
            answered = answer.status == 200
            return answer
        finally:
            if path == "/v2/account/activities" and not answered:
                self._outside.pieces_lost = True

    def _post(self, base: Base, path: str, body: Body) -> Answer:
        desk = self._exchange.desk
        key, symbol, side = (str(body[one]) for one in ("client_order_id", "symbol", "side"))
        was_taken = key in desk.by_client_id
        before = tuple(_shown(one) for one in desk.open_orders.values())
        beside = tuple(
            one.client_order_id
            for one in desk.open_orders.values()
            if one.ticket.symbol == symbol and _protects(one, desk.orders)
        )
        # What leaves a run that stands in this one while it waits for its answer, leaves later.
        place, at = len(self._outside.posts), self._clock.now()
        try:
            return self._transport.ask(base, "POST", path, body=body)
        finally:
            self._outside.posts.insert(
                place,
                Post(
                    run=self._effects.run,
                    at=at,
                    main=self._effects.main,
                    judged_at=self._effects.judged_at,
                    client_order_id=key,
                    symbol=symbol,
                    side=side,
                    order_type=str(body["type"]),
                    was_taken=was_taken,
                    accepted=not was_taken and key in desk.by_client_id,
                    shared=self._effects.shared,
                    open_before=before,
                    beside=beside,
                    state=self._outside.state(),
                ),
            )


def _shown(order: Order) -> tuple[str, str, datetime]:
    return order.client_order_id, order.ticket.side, order.submitted_at


def _protects(order: Order, orders: Mapping[str, Order]) -> bool:
    """True for a stop or a target of ours that is in the market."""
    root = order
    while root.parent_id is not None:
        root = orders[root.parent_id]
    own = parse_order_id(root.client_order_id)
    if own is None or order.is_dormant:
        return False
    return own.leg != "entry" or order.parent_id is not None
