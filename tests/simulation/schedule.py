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
from executor.model.state import STATE_PATH, TradingState
from tests.fakes.memory_book import MemoryBook
from tests.simulation.documents import Holdings, line, plan, trading_state
from tests.simulation.effects import CHANGES, EVERYTHING, Act, Effects, die
from tests.simulation.ending import finish
from tests.simulation.world import START, End, QuickBroker, Setup, Simulation

SYMBOLS: Final = {
    "MU": "331.44",
    "AAPL": "260.40",
    "KO": "71.20",
    "SPY": "692.10",
    "BAC": "54.20",
}
"""Symbols of the plans, and about what they cost on the first day."""

OF_QUESTIONS: Final = (
    "drop_before",
    "stall",
    "latency",
    "rate_limit_429",
    "html_502",
    "not_json_200",
)
"""Faults that questions have as well as orders."""

FAULTS: Final = (
    *OF_QUESTIONS,
    "accept_then_504",
    "accept_then_drop",
    "unknown_status",
    "partial_fill",
    "late_fill",
    "rejection",
    "order_rejected",
)
"""Every fault of the exchange's list."""

POINTS: Final = 9
"""Acts are drawn for the first so many points of a run; an ordinary one has eight."""

DEPTH: Final = 2
"""How many executors may stand in one another."""


def _order_fault(rng: Random, kind: str, **parameters: object) -> Fault:
    match = {"method": "POST", "path": "/v2/orders"}
    if rng.random() < 0.5:
        match["side"] = rng.choice(["buy", "sell"])
    times = rng.choice([1, 1, 1, 2, 0])
    return Fault(kind, match, rng.choice([1, 1, 2]), times, parameters)


def _ask_fault(rng: Random, kind: str, **parameters: object) -> Fault:
    path = rng.choice(["/v2/*", "/v2/orders*", "/v2/positions", "/v2/account", "/v2/stocks/*"])
    match = {"method": "GET", "path": path}
    return Fault(kind, match, rng.randint(1, 8), rng.choice([1, 2, 5]), parameters)


def random_fault(rng: Random) -> Fault:
    """One fault of the exchange's list, of an order or of a question."""
    yes = rng.random() < 0.5
    kind = rng.choice(FAULTS)
    known: Mapping[str, Mapping[str, object]] = {
        "stall": {"seconds": 30, "accepted": yes},
        "rate_limit_429": {"reset_seconds": rng.choice([1, 2, 40])},
        "html_502": {"accepted": yes},
        "not_json_200": {"accepted": yes},
        "late_fill": _rest(rng, "seconds", "polls"),
        "latency": {"ms": rng.choice([300, 5000])},
        "partial_fill": {
            "fraction": rng.choice(["0.1", "0.5", "0.93"]),
            **_rest(rng, "rest_seconds", "rest_polls"),
        },
    }
    parameters = known.get(kind, {})
    if kind == "unknown_status":
        return Fault(kind, nth=rng.randint(1, 6), times=rng.choice([1, 2, 5]))
    if kind in OF_QUESTIONS and rng.random() < 0.4:
        return _ask_fault(rng, kind, **parameters)
    return _order_fault(rng, kind, **parameters)


def _rest(rng: Random, seconds: str, polls: str) -> Mapping[str, object]:
    return rng.choice([{seconds: rng.choice([2, 8, 20, 400])}, {polls: rng.choice([1, 2, 4])}, {}])


def random_setup(rng: Random) -> Setup:
    """Mode, policies and what is held; about half of it the ordinary case."""
    holdings: dict[str, tuple[str, str]] = {}
    for symbol in rng.sample(sorted(SYMBOLS), rng.choice([0, 1, 2, 2])):
        holdings[symbol] = (rng.choice(["10", "25.5", "40"]), SYMBOLS[symbol])
    kind = rng.choice(["sim", "sim", "embedded", "paper", "paper", "paper_resend"])
    return Setup(
        mode="paper" if kind.startswith("paper") else "sim",
        on_unknown="resend_same_id" if kind == "paper_resend" else "stop",
        on_denied=rng.choice(["exits_go", "plan_stops", "rest_goes"]),
        calendar=rng.choice(["always", "always", "nyse"]),
        sessions_valid=rng.choice([1, 1, 2]),
        embedded=kind == "embedded",
        rate_limit=rng.choice([0, 0, 0, 0, 60]),
        holdings=holdings,
        start=START + timedelta(minutes=rng.choice([0, 0, 0, 357, 540, 1000])),
    )


def random_plan(rng: Random, held: Holdings, now: str) -> bytes:
    """A plan: mostly sound, sometimes with a line that is denied, sometimes no plan at all."""
    if rng.random() < 0.06:
        return rng.choice(
            [b"{", b"[]", plan(line("BUY", "MU", "-1")), plan(), plan(line("HOLD", "MU", "1"))]
        )
    symbols = rng.sample(sorted(SYMBOLS), rng.choice([1, 1, 2, 2, 3]))
    lines = [_line(rng, symbol, symbol in held) for symbol in symbols]
    if rng.random() < 0.08:
        lines.append(rng.choice([line("BUY", "ZDEAD", "1"), line("BUY", "MU", "90000")]))
    keys: dict[str, object] = {}
    if rng.random() < 0.7:
        keys["timestamp"] = now
    return plan(*lines, **keys)


def _line(rng: Random, symbol: str, is_held: bool) -> dict[str, object]:
    price = float(SYMBOLS[symbol])
    if is_held and rng.random() < 0.7:
        quantity = rng.choice(["all", "3", "5.5", "9"])
        if rng.random() < 0.2:
            # Above the market: it rests, and holds its shares back.
            limit = f"{price * 1.03:.2f}"
            return line("SELL", symbol, "4", order_type="limit", limit_price=limit)
        return line("SELL", symbol, quantity)
    roll = rng.random()
    if roll < 0.3:
        return line("BUY", symbol, notional=rng.choice(["50", "333.33", "2000.01"]))
    if roll < 0.45:
        limit = f"{price * rng.choice([0.97, 1.02]):.2f}"
        force = rng.choice(["day", "gtc"])
        return line("BUY", symbol, "3", order_type="limit", limit_price=limit, time_in_force=force)
    return line("BUY", symbol, rng.choice(["1", "7", "2.123456789"]))


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
        self._tell(f"world: {self.setup}")

    def breaches(self) -> Iterator[str]:
        """Play it to its end; every sentence says what does not hold."""
        for _ in range(self.rng.choice([1, 1, 2, 3])):
            self._plan()
            for _ in range(self.rng.choice([1, 1, 2, 2, 3])):
                self._any_run("one")
                self._pause()
        yield from finish(self.sim)

    def _plan(self) -> None:
        """A plan comes to main, sometimes one that was there before, sometimes over another."""
        rng = self.rng
        if self.plans and rng.random() < 0.15:
            data = rng.choice(self.plans)
        else:
            data = random_plan(rng, self.setup.holdings, self.sim.clock.now().isoformat())
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
        if roll < 0.72:
            return self._pause
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
        self.sim.commit({STATE_PATH: trading_state(state, self.sim.clock.now())}, f"State {state}")
        self._tell(f"the trading state is {state}")

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
