"""Plans and circumstances for the crash matrix, each with what makes it hard."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from executor.exchange.faults import Fault
from tests.simulation.documents import line, plan
from tests.simulation.world import START, Setup, Simulation

MADE: Final = (START - timedelta(hours=1)).isoformat()

HELD: Final = {"MU": ("40.5", "330.00"), "SPY": ("10", "690.00")}


_BEGUN: Final[dict[tuple[int, str], Simulation]] = {}
"""Worlds as scenarios begin, by scenario and kind: each is made once."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One plan in its circumstances."""

    remark: str
    plan: bytes
    before: tuple[bytes, ...] = ()
    """Plans that were executed before."""
    faults: tuple[Fault, ...] = ()
    """What the exchange does to the first run."""
    on_denied: str = "exits_go"
    later: timedelta = timedelta(0)
    """How long after its merge the plan is first executed."""
    prepare: Callable[[Simulation], object] = lambda _sim: None
    """What happens between its merge and its execution."""
    worlds: tuple[str, ...] = ()
    """Where it is played; empty: wherever policy makes a difference."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """The worlds in which it is worth dying: what policy decides only where it is asked."""
        other = ("paper_resend",) if self.faults else ()
        return self.worlds or ("embedded", "paper", *other)

    def begin(self, kind: str) -> Simulation:
        """The world just before the plan is executed for the first time."""
        if (id(self), kind) not in _BEGUN:
            _BEGUN[id(self), kind] = self._begun(kind)
        return _BEGUN[id(self), kind].fork()

    def _begun(self, kind: str) -> Simulation:
        sim = Simulation(replace(KINDS[kind], on_denied=self.on_denied))
        for earlier in self.before:
            sim.merge(earlier)
            assert sim.execute().reply is not None, "what came before ended"
        sim.merge(self.plan)
        sim.clock.move_to(sim.clock.now() + self.later)
        self.prepare(sim)
        return sim


KINDS: Final[Mapping[str, Setup]] = {
    "sim": Setup(holdings=HELD),
    "embedded": Setup(holdings=HELD, embedded=True),
    "paper": Setup(holdings=HELD, mode="paper", calendar="nyse"),
    "paper_resend": Setup(holdings=HELD, mode="paper", on_unknown="resend_same_id"),
}
"""Sim with the exchange elsewhere, sim proper, paper where a lost order stops, and where not."""


def _fault(kind: str, side: str, *, times: int = 1, **parameters: object) -> Fault:
    return Fault(kind, {"side": side}, times=times, parameters=parameters)


SELL_MU: Final = line("SELL", "MU", "20")
BUY_AAPL: Final = line("BUY", "AAPL", "10")
BUY_KO: Final = line("BUY", "KO", notional="250.50")
MIXED: Final = plan(SELL_MU, BUY_AAPL, timestamp=MADE)

SCENARIOS: Final[Mapping[str, Scenario]] = {
    "sell_and_buy": Scenario("the ordinary plan", MIXED),
    "two_buys": Scenario("one wave of two orders", plan(BUY_AAPL, BUY_KO, timestamp=MADE)),
    "no_timestamp": Scenario("the commit's time stands in", plan(SELL_MU, BUY_AAPL)),
    "sell_all": Scenario(
        "the plan leaves the quantity to the broker",
        plan(line("SELL", "MU", "all"), BUY_KO, timestamp=MADE),
    ),
    "rests": Scenario(
        "a limit that does not fill",
        plan(
            SELL_MU,
            line("BUY", "AAPL", "10", order_type="limit", limit_price="251"),
            timestamp=MADE,
        ),
    ),
    "sell_rests": Scenario(
        "a SELL that is open at the deadline, then the BUY",
        plan(
            line("SELL", "MU", "20", order_type="limit", limit_price="345"), BUY_KO, timestamp=MADE
        ),
    ),
    "denied_line": Scenario(
        "one BUY is too large, the rest goes",
        plan(SELL_MU, line("BUY", "TSM", "120"), BUY_KO, timestamp=MADE),
        on_denied="rest_goes",
    ),
    "exits_go": Scenario(
        "one BUY is too large, so only the SELL goes",
        plan(SELL_MU, line("BUY", "TSM", "5000"), BUY_KO, timestamp=MADE),
    ),
    "rejected": Scenario("every line is denied", plan(line("BUY", "TSM", "5000"), timestamp=MADE)),
    "expired": Scenario(
        "it says when it ends",
        plan(SELL_MU, valid_until=START.isoformat()),
        later=timedelta(hours=1),
    ),
    "expires_between": Scenario(
        "it ends while its first wave is waited for",
        plan(
            SELL_MU,
            BUY_AAPL,
            timestamp=MADE,
            valid_until=(START + timedelta(seconds=5)).isoformat(),
        ),
        faults=(_fault("late_fill", "sell", seconds=9),),
    ),
    "duplicate": Scenario("executed before", MIXED, before=(MIXED,)),
    "again": Scenario(
        "rejected before, and proposed again with the same digest",
        plan(line("BUY", "ZDEAD", "3"), timestamp=MADE),
        before=(plan(line("BUY", "ZDEAD", "3"), timestamp=MADE),),
    ),
    "invalid": Scenario("a gate refuses it", plan(line("BUY", "AAPL", "-3"))),
    "unreadable": Scenario("no JSON at all", b'{"instructions": ['),
    "lost_answer": Scenario(
        "accepted, and the answer lost, on both sides",
        MIXED,
        faults=(_fault("accept_then_504", "sell"), _fault("accept_then_drop", "buy")),
    ),
    "never_arrives": Scenario(
        "no SELL ever arrives, and nothing says so",
        MIXED,
        faults=(_fault("drop_before", "sell", times=0),),
    ),
    "refused": Scenario(
        "the exchange refuses the SELL", MIXED, faults=(_fault("rejection", "sell"),)
    ),
    "rejected_there": Scenario(
        "accepted, then rejected", MIXED, faults=(_fault("order_rejected", "buy"),)
    ),
    "partial": Scenario(
        "half of both is open at the deadline",
        MIXED,
        faults=(
            _fault("partial_fill", "sell", fraction="0.3", rest_seconds=100),
            _fault("partial_fill", "buy", fraction="0.7", rest_seconds=200),
        ),
    ),
}
