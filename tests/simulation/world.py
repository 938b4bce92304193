"""A small world: main, a clock and an exchange that outlive the runs which come and go."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Final

from executor.brokers.alpaca import AlpacaBroker
from executor.commands.execute import execute
from executor.commands.settle import settle
from executor.errors import AutoInvestorError
from executor.exchange.engine import Exchange
from executor.exchange.faults import Fault
from executor.exchange.opening import Opening
from executor.exchange.prices import SeededPrices
from executor.exchange.sessions import sessions_named
from executor.exchange.universe import INSTRUMENTS
from executor.main_state import MainState
from executor.model.account import Mode
from executor.model.intent import Owner
from executor.model.ledger import Ledger
from executor.model.market import Session
from executor.model.plan import PLAN_PATH
from executor.model.position import Position
from executor.model.reading import read_document
from executor.model.settings import SETTINGS_PATH, Settings
from executor.model.state import STATE_PATH, TradingState, TradingStateRecord
from executor.ports import Broker
from executor.reports.reply import Reply
from executor.settings import parse_settings
from executor.wiring import EXCHANGE_URL, World, sim_exchange
from tests.brokers.engine_transport import EngineTransport
from tests.fakes.clock import SimulatedClock
from tests.fakes.memory_book import MemoryBook, Origin
from tests.fakes.progress import Heard
from tests.simulation.documents import (
    OPENING_CASH,
    Holdings,
    opening_record,
    settings_file,
    spent_on,
)
from tests.simulation.effects import (
    Act,
    CountedBook,
    CountedClock,
    CountedTransport,
    Died,
    Effects,
    Outside,
    Post,
)

START: Final = datetime(2026, 1, 14, 15, 0, tzinfo=UTC)
"""A Wednesday, half an hour into New York's session, on the price path's quiet day."""

ADOPTED_BEFORE: Final = timedelta(days=2)
"""How long before the start the account was taken over: some activities tell only their day."""

ACCOUNT_NUMBER: Final = "SIM000001"


@cache
def prices(seed: int = 14) -> SeededPrices:
    """One price path for many worlds: it is a function of its seed and remembers nothing else."""
    return SeededPrices(seed)


class QuickBroker(AlpacaBroker):
    """The real adapter, but for questions that cost more than all the others together.

    Volumes bear on what may be sent, not on its being sent once; twenty daily bars a symbol are
    half a million prices a second of simulation. The calendar of a run is asked for once.
    """

    _calendar: tuple[tuple[date, date], tuple[Session, ...]] | None = None

    def average_volumes(self, symbols: Sequence[str]) -> Mapping[str, Decimal]:
        return {
            one: Decimal(INSTRUMENTS[one].daily_volume) for one in symbols if one in INSTRUMENTS
        }

    def _sessions(self, since: datetime, now: datetime) -> tuple[Session, ...]:
        days = since.date(), now.date()
        if self._calendar is None or self._calendar[0] != days:
            self._calendar = days, super()._sessions(since, now)
        return self._calendar[1]


@cache
def settings_of(data: bytes) -> Settings:
    """The settings of a file, read once for all worlds that have it."""
    return parse_settings(data)


@dataclass(frozen=True, slots=True)
class Setup:
    """What a world begins with."""

    mode: str = "sim"
    on_unknown: str = "stop"
    on_denied: str = "exits_go"
    calendar: str = "always"
    sessions_valid: int = 1
    embedded: bool = False
    """True: the exchange lives in the run's process and is folded from the record each time;
    False: it is elsewhere and remembers, whatever becomes of the run."""
    rate_limit: int = 0
    holdings: Holdings = field(default_factory=dict)
    start: datetime = START

    @property
    def settings(self) -> bytes:
        """The settings file."""
        return settings_file(
            self.mode, self.on_unknown, self.on_denied, self.calendar, self.sessions_valid
        )


@dataclass(frozen=True, slots=True)
class End:
    """How a run ended: one of the three."""

    effects: Effects
    reply: Reply | None = None
    error: AutoInvestorError | None = None
    died: bool = False

    @property
    def state(self) -> str:
        """In one word: `died`, the error's kind, or what the reply says."""
        if self.died:
            return "died"
        if self.error is not None:
            return type(self.error).__name__
        assert self.reply is not None, "a run ends in one of three ways"
        return str(self.reply.data.get("state", "done"))


@dataclass
class Simulation:
    """The world, and the runs that were made in it."""

    setup: Setup
    book: type[MemoryBook] = MemoryBook
    broker: type[QuickBroker] = QuickBroker
    """Other classes have a guard less: the tests of the tests."""
    foreign: set[str] = field(default_factory=set)
    """Client order ids of orders that somebody sent past us."""
    tampered: bool = False
    """True once somebody canceled an order of ours past us."""
    converted: set[str] = field(default_factory=set)
    """Symbols of which a share became another number of shares, or a share of another name."""
    runs: int = 0
    at_work: list[Effects] = field(default_factory=list)
    """The runs that have begun and not ended: more than one is a race."""
    racing: bool = False
    """True once there was one."""
    heard: Heard = field(default_factory=Heard)
    settled_at: list[datetime] = field(default_factory=list)
    """When a settling had come to its end."""
    dead: set[int] = field(default_factory=set)
    """The runs that died."""

    def __post_init__(self) -> None:
        """Settings on main, the account open."""
        self.clock = SimulatedClock(self.setup.start)
        self.origin = Origin(self.clock)
        self.machines = {name: self.book(self.origin) for name in ("one", "two")}
        mode = Mode(self.setup.mode)
        first = {
            SETTINGS_PATH: self.setup.settings,
            **opening_record(self.setup.holdings, mode, self.setup.start - ADOPTED_BEFORE),
        }
        self.origin.push(first, "Set up")
        self.outside = None if self.setup.embedded else self._outside()
        self.met = Outside(self._state)
        self._main: MainState | None = None
        self.inside: Exchange | None = None
        """The embedded exchange of the newest run."""

    def _outside(self) -> Exchange:
        held = self.setup.holdings
        opening = Opening(
            cash=OPENING_CASH - spent_on(held),
            positions=tuple(_position(symbol, *held[symbol]) for symbol in sorted(held)),
            account_number=ACCOUNT_NUMBER,
            last_equity=OPENING_CASH,
        )
        return Exchange(
            prices(),
            sessions_named(self.setup.calendar),
            self.clock.now,
            opening,
            rate_limit=self.setup.rate_limit,
        )

    def _state(self) -> TradingState:
        data = self.origin.commits[self.origin.main].tree.get(STATE_PATH)
        if data is None:
            return TradingState.ACTIVE
        return TradingStateRecord.model_validate(read_document(data)).state

    @property
    def posts(self) -> list[Post]:
        """Every order that left a run, in time."""
        return self.met.posts

    @property
    def settings(self) -> Settings:
        """The settings on main."""
        return settings_of(self.setup.settings)

    @property
    def exchange(self) -> Exchange:
        """The exchange that holds the account now."""
        if self.outside is not None:
            return self.outside
        if self.inside is None or self.racing:
            # Of two that raced each had its own; only what the record tells is the account.
            main = self.main
            self.inside = sim_exchange(main.settings, main.ledger, self.clock.now)
        return self.inside

    @property
    def main(self) -> MainState:
        """Main as it is now; read once a commit."""
        if self._main is None or self._main.head != self.origin.main:
            self._main = MainState(self.machines["one"], self.origin.main)
        return self._main

    def fork(self) -> Simulation:
        """The same world once more: what happens in one of them is not seen in the other."""
        path = prices()
        return deepcopy(self, {id(path): path})

    # What people do.

    def merge(self, plan: bytes, subject: str = "Merge a plan") -> str:
        """A plan comes to main as the merge of a pull request."""
        return self.origin.push({PLAN_PATH: plan}, subject, merged=True)

    def commit(self, writes: Mapping[str, bytes], subject: str = "Something else") -> None:
        """A person commits."""
        self.origin.push(writes, subject)

    def fault(self, *faults: Fault) -> None:
        """Let the exchange misbehave."""
        self.exchange.faults.add(*faults)

    # What runs.

    def execute(
        self,
        acts: Mapping[int, Act] | None = None,
        *,
        machine: str = "one",
        effects: Effects | None = None,
        faults: tuple[Fault, ...] = (),
    ) -> End:
        """Run `execute --submit` in a process of its own."""
        return self._run(
            lambda world: execute(world, self.heard, submit=True),
            effects or Effects(acts=acts or {}),
            machine,
            faults,
        )

    def settle(
        self,
        acts: Mapping[int, Act] | None = None,
        *,
        machine: str = "one",
        effects: Effects | None = None,
        faults: tuple[Fault, ...] = (),
    ) -> End:
        """Run `settle` in a process of its own."""
        end = self._run(
            lambda world: settle(world, self.heard),
            effects or Effects(acts=acts or {}),
            machine,
            faults,
        )
        if end.reply is not None:
            self.settled_at.append(self.clock.now())
        return end

    def _run(
        self,
        verb: Callable[[World], Reply],
        effects: Effects,
        machine: str,
        faults: tuple[Fault, ...],
    ) -> End:
        self.runs += 1
        effects.run = self.runs
        world = self.world(effects, machine, faults)
        self.at_work.append(effects)
        try:
            return End(effects, reply=verb(world))
        except AutoInvestorError as error:
            return End(effects, error=error)
        except Died:
            self.dead.add(effects.run)
            return End(effects, died=True)
        finally:
            self.at_work.remove(effects)

    def world(self, effects: Effects, machine: str, faults: tuple[Fault, ...] = ()) -> World:
        """The ports of one run."""
        clock = CountedClock(self.clock, effects)
        book = CountedBook(self.machines[machine], effects)

        @contextlib.contextmanager
        def connect(settings: Settings, ledger: Ledger) -> Iterator[Broker]:
            exchange = self.outside
            if exchange is None:
                exchange = self.inside = sim_exchange(settings, ledger, self.clock.now)
            exchange.faults.add(*faults)
            if len(self.at_work) > 1:
                # Whoever got as far as the broker is not kept out by the other one's lock.
                self.racing = True
                for one in self.at_work:
                    one.shared = True
            direct = EngineTransport(exchange, clock)
            transport = CountedTransport(direct, exchange, clock, effects, self.met)
            yield self.broker(transport, clock)

        return World(
            book=book,
            clock=clock,
            owner=Owner(run=f"{effects.run:016x}", attempt=1),
            connect=connect,
            environment={} if self.outside is None else {EXCHANGE_URL: "http://127.0.0.1"},
        )


def _position(symbol: str, quantity: str, price: str) -> Position:
    shares = Decimal(quantity)
    return Position(symbol, shares, spent_on({symbol: (quantity, price)}))
