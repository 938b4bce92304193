"""The end of every schedule: faults over, time passes, and whatever was due is done or named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Final

from executor.exchange.limits import RateLimit
from executor.exchange.orders import Treatment
from executor.model.state import TradingState
from tests.simulation.documents import line, plan
from tests.simulation.invariants import breaches
from tests.simulation.people import acknowledges, tidies_up
from tests.simulation.protected import unprotected
from tests.simulation.world import End, Simulation

EDGE: Final = timedelta(minutes=30)
"""From the open to where orders go again, whatever the calendar."""

PATIENCE: Final = 4
"""Settlings, where each of them waits for orders to fill."""

PROBE_USD: Final = Decimal(5)
PROBED: Final = "TSM"
"""A symbol that no schedule has anything to do with."""


def finish(sim: Simulation, *, probe: bool = True) -> Iterator[str]:
    """Bring the world to rest and say what does not hold.

    One further run a plan has to be enough for whatever is not waiting for a better hour. After
    that a session passes; then nothing may be open, waiting or changing any more, and a new plan
    goes through.
    """
    _end_faults(sim)
    yield from _executes(sim)
    yield from _settles(sim)
    if _is_settled(sim):
        yield from unprotected(sim)
    tidies_up(sim)
    for _ in range(4):
        if _due(sim):
            _next_session(sim)
            yield from _executes(sim)
    _next_session(sim)
    yield from _settles(sim)
    acknowledges(sim)
    for verb in (sim.execute, sim.settle):
        yield from _does_nothing(sim, verb)
    if probe:
        yield from _goes_on(sim)
    yield from breaches(sim)


def heal(sim: Simulation) -> Iterator[str]:
    """Say what does not hold after one further run, in the same session.

    Where that waits for a person or for a better hour, everything that `finish` does is done.
    """
    _end_faults(sim)
    yield from _executes(sim)
    yield from _settles(sim)
    if _is_settled(sim) and not sim.main.ledger.unknown:
        yield from breaches(sim)
    else:
        yield from finish(sim, probe=False)


def _is_settled(sim: Simulation) -> bool:
    """True where one further run is enough: no person has to do anything first."""
    state, desk = sim.main.trading_state, sim.exchange.desk
    strange = any(one in sim.foreign for one in desk.by_client_id)
    halted = state is None or state.state is TradingState.HALTED
    return not (strange or halted or sim.main.ledger.observed or _due(sim))


def _end_faults(sim: Simulation) -> None:
    """No more faults and no rate limit; what waited for a look that may never come fills now."""
    if sim.outside is not None:
        sim.outside._limit = RateLimit(0)  # Time would pass while a run waits for it.
    sim.exchange.faults.clear()
    sim.met.cancels_after = 0
    sim.met.cancel_due(sim.exchange, None)
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
    """One run brings everything up to date; another one at the same moment has nothing to do."""
    for _ in range(PATIENCE):
        began, first = sim.clock.now(), sim.settle()
        if first.error is not None:
            yield f"settle does not go on: {type(first.error).__name__}: {first.error}"
        if sim.clock.now() == began:
            break
    yield from _does_nothing(sim, sim.settle)


def _does_nothing(sim: Simulation, verb: Callable[[], End]) -> Iterator[str]:
    began, end = sim.clock.now(), verb()
    if end.error is not None:
        yield f"a run with nothing due does not go on: {type(end.error).__name__}: {end.error}"
    # Where it had to wait, something may have happened meanwhile.
    if end.effects.done and sim.clock.now() == began:
        yield f"a run with nothing due did {', '.join(end.effects.done)}"


def _next_session(sim: Simulation) -> None:
    sessions = sim.exchange.desk.sessions
    sim.clock.move_to(sessions.following(sim.clock.now()).opens + EDGE)


def _goes_on(sim: Simulation) -> Iterator[str]:
    """A fresh plan is executed: nothing blocks it but an order that policy leaves unknown."""
    if sim.main.ledger.unknown or _rests(sim, PROBED) or sim.exchange.desk.cash < 2 * PROBE_USD:
        return
    buy = line("BUY", PROBED, notional=PROBE_USD)
    sim.merge(plan(buy, timestamp=sim.clock.now().isoformat(), reason="a probe"))
    end = sim.execute()
    state = sim.main.trading_state
    if state is not None and state.by in ("daily_loss", "drawdown"):
        return  # The account has lost too much for anything new.
    if end.state != "completed" or end.reply is None or end.reply.exit_code:
        told = end.reply.data.get("errors") if end.reply else end.error
        yield f"a fresh plan does not go through afterwards: {end.state}: {told}"


def _rests(sim: Simulation, symbol: str) -> bool:
    """True where an entry is open in a symbol: nothing is traded beside it."""
    orders = sim.main.ledger.open_orders
    return any(one.leg == "entry" and one.told.ticker == symbol for one in orders)
