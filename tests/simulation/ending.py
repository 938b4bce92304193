"""The end of every schedule: faults over, time passes, and whatever was due is done or named."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Final

from executor.exchange.orders import Treatment
from executor.model.state import STATE_PATH, TradingState
from tests.simulation.documents import line, plan, trading_state
from tests.simulation.invariants import breaches, is_beyond_us
from tests.simulation.world import Simulation

EDGE: Final = timedelta(minutes=30)
"""From the open to where orders go again, whatever the calendar."""

PROBE_USD: Final = Decimal(5)


def finish(sim: Simulation, *, probe: bool = True) -> Iterator[str]:
    """Bring the world to rest and say what does not hold.

    One further run a plan has to be enough for whatever is not waiting for a better hour. After
    that a session passes; then nothing may be open, waiting or changing any more, and a new plan
    goes through.
    """
    _end_faults(sim)
    yield from _executes(sim)
    yield from _settles(sim)
    for _ in range(4):
        if _due(sim):
            _next_session(sim)
            yield from _executes(sim)
    _next_session(sim)
    yield from _settles(sim)
    for end in (sim.execute(), sim.settle()):
        if end.effects.done:
            yield f"a run with nothing due did {', '.join(end.effects.done)}"
    if probe:
        yield from _goes_on(sim)
    yield from breaches(sim)


def _end_faults(sim: Simulation) -> None:
    """No more faults, and what waited for a look that may never come fills now."""
    sim.exchange.faults.clear()
    for order in sim.exchange.desk.open_orders.values():
        if order.treatment.polls is not None:
            order.treatment = Treatment()


def _due(sim: Simulation) -> int:
    """Plans that wait for an end: one that an earlier run began, and the one on main."""
    main = sim.main
    found = (main.unfinished, main.plan)
    return len({one.digest for one in found if one is not None})


def _executes(sim: Simulation) -> Iterator[str]:
    for _ in range(_due(sim)):
        due = _due(sim)
        if not due:
            return  # one run ends a plan and the one that waited behind it
        end = sim.execute()
        if end.error is not None:
            yield f"execute does not go on: {type(end.error).__name__}: {end.error}"
        elif end.state != "waiting" and _due(sim) == due:
            yield f"one further run ended `{end.state}` and left the plan"


def _settles(sim: Simulation) -> Iterator[str]:
    first, second = sim.settle(), sim.settle()
    for end in (first, second):
        if end.error is not None:
            yield f"settle does not go on: {type(end.error).__name__}: {end.error}"
    if second.effects.done:
        yield f"a second settle did {', '.join(second.effects.done)}"


def _next_session(sim: Simulation) -> None:
    sessions = sim.exchange.desk.sessions
    sim.clock.move_to(sessions.following(sim.clock.now()).opens + EDGE)


def _goes_on(sim: Simulation) -> Iterator[str]:
    """A fresh plan is executed: nothing blocks it but an order that policy leaves unknown."""
    if is_beyond_us(sim) or sim.main.ledger.open_orders or sim.exchange.desk.cash < 2 * PROBE_USD:
        return
    active = trading_state(TradingState.ACTIVE, sim.clock.now())
    sim.commit({STATE_PATH: active}, "Resume")
    buy = line("BUY", "KO", notional=PROBE_USD)
    sim.merge(plan(buy, timestamp=sim.clock.now().isoformat(), reason="a probe"))
    end = sim.execute()
    if end.state != "completed" or end.reply is None or end.reply.exit_code:
        told = end.reply.data.get("errors") if end.reply else end.error
        yield f"a fresh plan does not go through afterwards: {end.state}: {told}"
