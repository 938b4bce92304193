"""Protective orders through crashes, faults and races: one further run heals whatever happened."""

from __future__ import annotations

from functools import partial

import pytest

from executor.model.state import TradingState
from tests.simulation.effects import EVERYTHING, Effects, die
from tests.simulation.ending import finish, heal
from tests.simulation.people import commits_state
from tests.simulation.protection_scenarios import (
    ALL,
    FAULTY,
    SETTLED,
    to_settle,
)
from tests.simulation.test_crash_matrix import WHOLE, after_each

TWICE = ("sell_half", "protects_rest", "fills_while_withdrawn")
"""Scenarios that are died through twice; `make simulate` draws such deaths for all of them."""

SETTLED_TWICE = ("split", "sold_by_hand")


@pytest.mark.parametrize(
    ("name", "kind"), [(name, kind) for name in ALL for kind in ALL[name].kinds]
)
def test_a_run_that_dies_anywhere_leaves_no_holding_without_its_stop(name: str, kind: str) -> None:
    scenario = ALL[name]
    whole = scenario.begin(kind)
    points = whole.execute(faults=scenario.faults).effects.points
    assert list(finish(whole)) == WHOLE
    for point in after_each(points) if kind == "paper" else ():
        sim = scenario.begin(kind)
        assert sim.execute({point: die}, faults=scenario.faults).died
        assert list(heal(sim)) == WHOLE, f"died at point {point}"


@pytest.mark.parametrize("name", TWICE)
def test_a_recovery_that_dies_anywhere_leaves_none_either(name: str) -> None:
    scenario = ALL[name]
    for first in after_each(scenario.begin("paper").execute().effects.points):
        once = scenario.begin("paper")
        once.execute({first: die})
        for second in after_each(once.fork().execute().effects.points):
            sim = once.fork()
            sim.execute({second: die})
            assert list(heal(sim)) == WHOLE, f"died at {first}, then at {second}"


def test_dying_between_any_two_questions_is_no_different() -> None:
    scenario = ALL["sell_half"]
    effects = Effects(kinds=EVERYTHING)
    scenario.begin("paper").execute(effects=effects)
    for point in after_each(effects.points):
        sim = scenario.begin("paper")
        assert sim.execute(effects=Effects(acts={point: die}, kinds=EVERYTHING)).died
        assert list(heal(sim)) == WHOLE, f"died at {effects.done[point // 2]}"


@pytest.mark.parametrize("name", SETTLED)
def test_a_settlement_that_dies_anywhere_leaves_no_holding_without_its_stop(name: str) -> None:
    whole = to_settle(name)
    points = whole.settle().effects.points
    assert list(finish(whole)) == WHOLE
    for point in after_each(points):
        sim = to_settle(name)
        assert sim.settle({point: die}).died
        again = sim.settle({} if name not in SETTLED_TWICE else {point: die})
        assert list(heal(sim)) == WHOLE, f"died at {point}, {again.state}"


@pytest.mark.parametrize("name", FAULTY)
def test_a_stop_that_meets_a_fault_stands_in_the_end(name: str) -> None:
    scenario = FAULTY[name]
    sim = scenario.begin("paper")
    assert sim.execute(faults=scenario.faults).state == "completed"
    assert list(heal(sim)) == WHOLE


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("rotation", TradingState.HALTED),
        ("sell_half", TradingState.REDUCE_ONLY),
        ("through_at_once", TradingState.HALTED),
    ],
)
def test_trading_may_be_halted_between_any_two_effects(name: str, state: TradingState) -> None:
    scenario = ALL[name]
    for point in after_each(scenario.begin("paper").execute(faults=scenario.faults).effects.points):
        sim = scenario.begin("paper")
        sim.execute({point: partial(commits_state, sim, state)}, faults=scenario.faults)
        assert list(heal(sim)) == WHOLE, f"{state} at {point}"


@pytest.mark.parametrize(
    ("name", "verb"),
    [
        ("sell_half", "execute"),
        ("sell_half", "settle"),
        ("buy_more", "settle"),
        ("tightens", "execute"),
        ("stopped_unseen", "settle"),
    ],
)
def test_two_machines_may_be_at_work_around_every_effect(name: str, verb: str) -> None:
    scenario = ALL[name]
    for point in after_each(scenario.begin("paper").execute().effects.points):
        sim = scenario.begin("paper")
        other = partial(getattr(sim, verb), machine="two")
        sim.execute({point: other})
        assert list(heal(sim)) == WHOLE, f"{verb} at {point}"


def test_two_machines_may_settle_at_once() -> None:
    for point in after_each(to_settle("split").settle().effects.points):
        sim = to_settle("split")
        sim.settle({point: lambda sim=sim: sim.settle(machine="two")})  # type: ignore[misc]
        assert list(heal(sim)) == WHOLE, f"at {point}"
