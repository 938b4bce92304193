"""Die before and after every effect, and again in the recovery; one further run has to heal it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import pytest

from executor.exchange.faults import Fault
from tests.simulation.documents import line, plan
from tests.simulation.effects import EVERYTHING, Effects, die
from tests.simulation.ending import finish, heal
from tests.simulation.scenarios import BUY_AAPL, KINDS, MADE, SCENARIOS, SELL_MU
from tests.simulation.world import Simulation

TWICE = ("sell_and_buy", "sell_all", "partial", "denied_line", "never_arrives", "refused")
"""Scenarios that are died through twice; the others have fewer effects or the same ones."""

IN_PAPER = ("sell_and_buy", "never_arrives", "partial")
"""Those of them for which it matters that a lost order stops the plan; the others in sim."""

WHOLE: list[str] = []


def after_each(points: range) -> Iterator[int]:
    """Before the first effect and after each: in between a run only reads."""
    yield from (0, *points[1::2]) if points else ()


@pytest.mark.parametrize(
    ("name", "kind"), [(name, kind) for name, one in SCENARIOS.items() for kind in one.kinds]
)
def test_a_run_that_dies_anywhere_is_healed_by_the_next(name: str, kind: str) -> None:
    scenario = SCENARIOS[name]
    whole = scenario.begin(kind)
    points = whole.execute(faults=scenario.faults).effects.points
    assert points, "there is something to die around"
    assert list(finish(whole)) == WHOLE
    for point in after_each(points):
        sim = scenario.begin(kind)
        assert sim.execute({point: die}, faults=scenario.faults).died
        assert list(heal(sim)) == WHOLE, f"died at point {point}"


@pytest.mark.parametrize("name", TWICE)
def test_a_recovery_that_dies_anywhere_is_healed_by_the_next(name: str) -> None:
    scenario, kind = SCENARIOS[name], "paper" if name in IN_PAPER else "sim"
    points = scenario.begin(kind).execute(faults=scenario.faults).effects.points
    for first in after_each(points):
        once = scenario.begin(kind)
        once.execute({first: die}, faults=scenario.faults)
        for second in after_each(once.fork().execute().effects.points):
            sim = once.fork()
            sim.execute({second: die})
            assert list(heal(sim)) == WHOLE, f"died at {first}, then at {second}"


def test_dying_between_any_two_questions_is_no_different() -> None:
    scenario = SCENARIOS["sell_and_buy"]
    effects = Effects(kinds=EVERYTHING)
    scenario.begin("paper").execute(effects=effects)
    for point in effects.points:
        sim = scenario.begin("paper")
        assert sim.execute(effects=Effects(acts={point: die}, kinds=EVERYTHING)).died
        assert list(heal(sim)) == WHOLE, f"died at {effects.done[point // 2]}"


def open_orders(kind: str) -> Simulation:
    """Two executed plans whose orders go on filling afterwards, in pieces."""
    sim = Simulation(KINDS[kind])
    for one, fraction in ((SELL_MU, "0.3"), (BUY_AAPL, "0.7")):
        part = Fault("partial_fill", parameters={"fraction": fraction, "rest_seconds": 600})
        sim.merge(plan(one, line("BUY", "BAC", "3"), timestamp=MADE))
        sim.execute(faults=(part,))
    sim.clock.move_to(sim.clock.now() + timedelta(seconds=700))
    return sim


@pytest.mark.parametrize("kind", KINDS)
def test_a_settlement_that_dies_anywhere_is_healed_by_the_next(kind: str) -> None:
    begun = open_orders(kind)
    points = begun.fork().settle().effects.points
    assert points
    for first in after_each(points):
        once = begun.fork()
        assert once.settle({first: die}).died
        for second in after_each(once.fork().settle().effects.points):
            sim = once.fork()
            sim.settle({second: die})
            assert list(heal(sim)) == WHOLE, f"died at {first}, then at {second}"
        assert list(finish(once)) == WHOLE, f"died at {first}"


@pytest.mark.parametrize("seconds", [1, 600, 90_000])
@pytest.mark.parametrize("kind", ["embedded", "paper"])
def test_it_does_not_matter_when_the_next_run_comes(kind: str, seconds: int) -> None:
    for point in after_each(SCENARIOS["sell_and_buy"].begin(kind).execute().effects.points):
        sim = SCENARIOS["sell_and_buy"].begin(kind)
        sim.execute({point: die})
        sim.clock.move_to(sim.clock.now() + timedelta(seconds=seconds))
        assert list(heal(sim)) == WHOLE, f"died at {point}"


def test_main_may_move_around_every_effect() -> None:
    for point in SCENARIOS["sell_and_buy"].begin("paper").execute().effects.points:
        sim = SCENARIOS["sell_and_buy"].begin("paper")
        moves = partial(sim.commit, {"notes.txt": b"x"})
        assert sim.execute({0: moves, point: moves}).state == "completed"
        assert [one.side for one in sim.posts] == ["sell", "buy"]
        assert list(finish(sim)) == WHOLE


def test_the_same_plan_gets_the_same_ids_in_every_run() -> None:
    ids = []
    for point in (2, 3, 4):
        sim = SCENARIOS["sell_and_buy"].begin("sim")
        sim.execute({point: die})
        sim.execute()
        ids.append({one.client_order_id for one in sim.posts})
    assert ids[0] == ids[1] == ids[2]
    assert len(ids[0]) == 2
