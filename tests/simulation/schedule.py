"""A schedule from a seed: an account, plans, faults, deaths, races, and a main that moves."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Final

from executor.exchange.faults import Fault
from executor.model.plan import PLAN_PATH
from executor.model.state import TradingState
from tests.fakes.memory_book import MemoryBook
from tests.simulation.drawing import SYMBOLS, Author, random_fault, random_setup
from tests.simulation.effects import CHANGES, EVERYTHING, Act, Effects, die
from tests.simulation.ending import finish
from tests.simulation.people import (
    cancels_by_hand,
    commits_state,
    happens,
    orders_by_hand,
    price_moves,
)
from tests.simulation.world import End, QuickBroker, Simulation

POINTS: Final = 14
"""Acts are drawn for the first so many points of a run; an ordinary one has eight to twenty."""

DEPTH: Final = 2
"""How many executors may stand in one another."""


@dataclass
class Schedule:
    """Everything that a seed decides, told as it happens."""

    seed: int
    book: type[MemoryBook] = MemoryBook
    broker: type[QuickBroker] = QuickBroker
    story: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Draw the world."""
        self.rng = Random(self.seed)
        self.setup = random_setup(self.rng)
        self.sim = Simulation(self.setup, self.book, self.broker)
        self.depth = 0
        self.plans: list[bytes] = []
        self.strangers = self.rng.random() < 0.15
        self._tell(f"world: {self.setup}")

    def breaches(self) -> Iterator[str]:
        """Play it to its end; every sentence says what does not hold."""
        rng = self.rng
        for _ in range(rng.choice([1, 2, 2, 3])):
            self._plan()
            for _ in range(rng.choice([1, 1, 2, 2, 3])):
                self._any_run("one")
                self._pause()
                if rng.random() < 0.3:
                    self._stirs()
        yield from finish(self.sim)

    def _plan(self) -> None:
        """A plan comes to main, sometimes one that was there before, sometimes over another."""
        rng = self.rng
        if self.plans and rng.random() < 0.15:
            data = rng.choice(self.plans)
        else:
            data = Author(rng, self.sim).plan()
            if rng.random() < 0.1:
                data = self._ending_soon(data)
        self.plans.append(data)
        self.sim.merge(data)
        self._tell(f"merged: {data.decode()}")
        if rng.random() < 0.5:
            faults = [self._fault() for _ in range(rng.choice([1, 1, 2, 4]))]
            self.faults = tuple(faults)
            self._tell(f"faults: {faults}")
        else:
            self.faults = ()
        if not self.setup.embedded:
            self.sim.fault(*self.faults)
            self.faults = ()

    def _fault(self) -> Fault:
        """A fault, but none that the embedded exchange cannot have: it reads its own words."""
        while True:
            fault = random_fault(self.rng)
            if not (self.setup.embedded and fault.kind == "unknown_status"):
                return fault

    def _ending_soon(self, data: bytes) -> bytes:
        """The same plan with an end in the next seconds or minutes."""
        try:
            tree = json.loads(data)
        except ValueError:
            return data
        if not isinstance(tree, dict):
            return data
        seconds = self.rng.choice([-5, 1, 4, 15, 120])
        ends = self.sim.clock.now() + timedelta(seconds=seconds)
        return json.dumps(tree | {"valid_until": ends.isoformat()}).encode()

    def _any_run(self, machine: str) -> End:
        rng = self.rng
        effects = Effects(kinds=EVERYTHING if rng.random() < 0.15 else CHANGES)
        most = 60 if effects.kinds is EVERYTHING else POINTS
        effects.acts = {
            rng.randrange(most): self._act() for _ in range(rng.choice([0, 1, 1, 2, 2, 3]))
        }
        verb = self.sim.settle if rng.random() < 0.2 else self.sim.execute
        end = verb(effects=effects, machine=machine, faults=self.faults)
        self._tell(f"{verb.__name__} on {machine}: {end.state} {end.error or ''}; {effects.done}")
        return end

    def _act(self) -> Act:
        rng = self.rng
        roll = rng.random()
        if roll < 0.42:
            return die
        if roll < 0.54:
            return lambda: self._commits({"notes.txt": str(rng.random()).encode()})
        if roll < 0.64:
            state = rng.choice(list(TradingState))
            return lambda: self._state(state)
        if roll < 0.69:
            return self._pause
        if roll < 0.72:
            return self._stirs
        if roll < 0.76:
            return lambda: self._removes()
        if roll < 0.79:
            return self._plan
        machine = rng.choice(["one", "two", "two"])
        return lambda: self._race(machine)

    def _commits(self, writes: Mapping[str, bytes]) -> None:
        self.sim.commit(writes)
        self._tell(f"a person commits {', '.join(writes)}")

    def _state(self, state: TradingState) -> None:
        commits_state(self.sim, state)
        self._tell(f"the trading state is {state}")

    def _stirs(self) -> None:
        """Something happens to the account or to a price, where the exchange is elsewhere."""
        rng, sim = self.rng, self.sim
        if sim.outside is None:
            return
        symbol = rng.choice(sorted(sim.outside.desk.positions) or sorted(SYMBOLS))
        roll = rng.random()
        if roll < 0.45:
            factor = rng.choice(["0.9", "0.97", "0.992", "1.02"])
            price_moves(sim, symbol, factor)
            self._tell(f"{symbol} costs {factor} times what it did")
        elif roll < 0.6:
            sim.met.cancels_after = rng.choice([0, 2, 5, 10, 20])
            self._tell(f"a cancel takes {sim.met.cancels_after} seconds")
        elif roll < 0.85 or not self.strangers:
            kind, keys = rng.choice(_events(symbol, len(sim.converted)))
            self._tell(f"the broker books {kind} {keys}: {happens(sim, kind, **keys)}")
        elif roll < 0.92:
            self._tell(f"somebody cancels {symbol}: {cancels_by_hand(sim, symbol)}")
        else:
            side, quantity = rng.choice(["buy", "sell"]), rng.choice(["1", "2", "0.5"])
            price = sim.outside.desk.last_price(symbol, sim.clock.now())
            keys = {}
            if price is not None and rng.random() < 0.5:
                keys = {"limit_price": f"{float(price) * rng.choice([0.9, 1.1]):.2f}"}
            taken = orders_by_hand(sim, side, symbol, quantity, **keys)
            self._tell(f"somebody sends {side} {quantity} {symbol} {keys}: {taken}")

    def _removes(self) -> None:
        """A person takes the plan's file away, whatever its state."""
        if self.sim.origin.commits[self.sim.origin.main].tree.get(PLAN_PATH) is not None:
            self.sim.origin.push({}, "Take the plan away", deletes=(PLAN_PATH,))
            self._tell("a person takes the plan away")

    def _race(self, machine: str) -> None:
        """Another executor runs from its start to its end, here and now."""
        if self.depth >= DEPTH:
            return
        self.depth += 1
        self._tell(f"meanwhile, on {machine}:")
        self._any_run(machine)
        self.depth -= 1

    def _pause(self) -> None:
        seconds = self.rng.choice([0, 0, 1, 8, 30, 400, 3600, 20_000, 90_000])
        if seconds:
            self.sim.clock.move_to(self.sim.clock.now() + timedelta(seconds=seconds))
            self._tell(f"{seconds} seconds pass")

    def _tell(self, what: str) -> None:
        self.story.append(f"{self.sim.clock.now():%m-%d %H:%M:%S} {what}")


def _events(symbol: str, number: int) -> list[tuple[str, dict[str, str]]]:
    """What a broker may book for an account that holds a symbol."""
    return [
        ("dividend", {"symbol": symbol, "per_share": "0.37"}),
        ("interest", {"amount": "-1.13"}),
        ("fee", {"amount": "-0.07"}),
        ("transfer", {"amount": "1500"}),
        ("transfer", {"amount": "-900"}),
        ("split", {"symbol": symbol, "new_rate": "2", "old_rate": "1"}),
        ("split", {"symbol": symbol, "new_rate": "1", "old_rate": "3"}),
        ("symbol_change", {"symbol": symbol, "new_symbol": f"NEW{'ABCDEFGH'[number]}"}),
        ("merger", {"symbol": symbol, "cash": "99"}),
        ("spin_off", {"symbol": symbol, "new_symbol": "SPUN", "rate": "0.5", "price": "4"}),
    ]
