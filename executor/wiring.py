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
from executor.model.forge import ACTIONS_ID
from executor.model.intent import Owner
from executor.model.ledger import Ledger, Order
from executor.model.numbers import plain
from executor.model.order_result import Outcome
from executor.model.settings import Settings
from executor.ports import Book, Broker, Clock, Forge
from executor.repo.git import Git, GitFailed
from executor.repo.local_book import LocalBook

if TYPE_CHECKING:
    from executor.exchange.engine import Exchange
    from executor.repo.github_api import GitHubApi

EXCHANGE_URL: Final = "AUTOINVESTOR_EXCHANGE_URL"
"""An exchange that runs elsewhere, for sim; absent, one runs in this process."""

KEY, SECRET = "ALPACA_API_KEY", "ALPACA_SECRET_KEY"

ACTIONS: Final = "GITHUB_ACTIONS"
TOKEN, REPOSITORY = "GITHUB_TOKEN", "GITHUB_REPOSITORY"
API_URL, SERVER_URL = "GITHUB_API_URL", "GITHUB_SERVER_URL"
"""What a runner tells a job about the repository; on a laptop a person may set the same."""

KEEP: Final = "AUTOINVESTOR_KEEP"
"""A folder that gets a copy of each file before it is committed on GitHub."""

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
    forge: Forge | None = None
    """The repository on GitHub; None where nothing says which one, or with whose token."""


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
    with contextlib.ExitStack() as stack:
        forge = _open_forge(folder, environment, stack)
        book = stack.enter_context(_open_book(folder, clock, environment, forge))
        yield World(
            book=book,
            clock=clock,
            owner=_owner(environment),
            connect=connector(clock, environment, story=clock if now is not None else None),
            environment=environment,
            forge=forge,
        )


def open_api(environment: Mapping[str, str]) -> GitHubApi | None:
    """GitHub's API for the repository that the environment names; None where it names none.

    Nothing is loaded or sent before the first question.

    Raises:
        UsageError: what it names cannot be one.
    """
    token, repository = environment.get(TOKEN), environment.get(REPOSITORY)
    if not token or not repository:
        return None
    from executor.repo.github_api import DEFAULT_URL, GitHubApi

    return GitHubApi(repository, token, environment.get(API_URL) or DEFAULT_URL)


def is_on_runner(environment: Mapping[str, str]) -> bool:
    """True in a job of GitHub Actions that has a token: there GitHub makes our commits."""
    names = (TOKEN, REPOSITORY)
    return environment.get(ACTIONS) == "true" and all(environment.get(name) for name in names)


def _open_forge(
    folder: Path, environment: Mapping[str, str], stack: contextlib.ExitStack
) -> Forge | None:
    api = open_api(environment)
    if api is None or not _is_clone_of(folder, api.repository):
        return None
    from executor.repo.github_forge import GitHubForge

    stack.callback(api.close)
    return GitHubForge(api)


def _is_clone_of(folder: Path, repository: str) -> bool:
    """True where git's origin is the repository on GitHub.

    A job may well run a demonstration in a scratch repository: none of it belongs on GitHub.
    """
    try:
        url = Git(folder).text("config", "--get", "remote.origin.url")
    except GitFailed:
        return False
    path = url.lower().removesuffix("/").removesuffix(".git").replace(":", "/")
    return path.endswith(f"/{repository.lower()}")


def _open_book(
    folder: Path, clock: Clock, environment: Mapping[str, str], forge: Forge | None
) -> LocalBook:
    if forge is None or not is_on_runner(environment):
        return LocalBook(folder, clock)
    from executor.repo.github_book import GitHubBook, header_for

    keep = environment.get(KEEP)
    server = environment.get(SERVER_URL) or "https://github.com"
    return GitHubBook(
        folder,
        clock,
        forge,
        bot=_expected_bot,
        secrets=header_for(server, environment[TOKEN]),
        keep=Path(keep) if keep else None,
    )


def _expected_bot(book: Book, commit: str) -> int:
    """The account that makes our commits, as the settings in force at a commit say."""
    from executor.main_state import MainState

    return MainState(book, commit).settings.github.bot_id or ACTIONS_ID


def _owner(environment: Mapping[str, str]) -> Owner:
    """This run: the workflow's own number and attempt, or a random token."""
    run, attempt = environment.get("GITHUB_RUN_ID", ""), environment.get("GITHUB_RUN_ATTEMPT", "")
    if is_on_runner(environment) and run.isdecimal() and attempt.isdecimal():
        return Owner(run=run, attempt=int(attempt))
    return Owner(run=secrets.token_hex(8), attempt=1)


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
