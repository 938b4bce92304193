"""Two executors at once, and people who change main between a run's steps: schedules by hand."""

from __future__ import annotations

import json
from collections.abc import Callable

from executor.exchange.faults import Fault
from executor.model.plan import PLAN_PATH
from executor.model.state import TradingState
from tests.simulation.documents import plan
from tests.simulation.effects import EVERYTHING, Effects, die
from tests.simulation.ending import finish, heal
from tests.simulation.people import commits_state
from tests.simulation.protection_scenarios import BUY_FRACTION
from tests.simulation.scenarios import BUY_AAPL, BUY_KO, KINDS, MADE, MIXED, SCENARIOS, SELL_MU
from tests.simulation.world import Simulation

OTHER = plan(BUY_KO, timestamp=MADE)


def mixed(kind: str = "paper") -> Simulation:
    """A world with the ordinary plan on main."""
    return SCENARIOS["sell_and_buy"].begin(kind)


def in_turn(*acts: Callable[[], object]) -> Callable[[], None]:
    """Several things at one point of a run."""

    def act() -> None:
        for one in acts:
            one()

    return act


def state(sim: Simulation, to: TradingState) -> Callable[[], None]:
    """A person, or `halt`, commits another trading state."""
    return lambda: commits_state(sim, to)


def other_machine(sim: Simulation, point: int | None = None) -> Callable[[], None]:
    """Another clone's executor runs, to its end or to its death."""

    def act() -> None:
        sim.execute({} if point is None else {point: die}, machine="two")

    return act


def assert_whole(sim: Simulation) -> None:
    assert list(finish(sim)) == []


def assert_healed(sim: Simulation) -> None:
    assert list(heal(sim)) == []


def test_one_machine_runs_one_at_a_time() -> None:
    sim = mixed()
    ends: list[str] = []
    sim.execute({3: lambda: ends.append(sim.execute().state)})
    assert ends == ["BookUnavailable"]
    assert_whole(sim)


def test_each_may_be_at_work_while_the_other_is_anywhere() -> None:
    for point in range(8):
        sim = mixed()
        sim.execute({point: other_machine(sim)})
        assert_whole(sim)


def test_one_that_dies_is_taken_over_by_one_that_waited_within_it() -> None:
    for point in range(8):
        for inner in range(8):
            sim = mixed()
            sim.execute({point: other_machine(sim, inner)})
            assert_healed(sim)


def test_a_rejection_does_not_end_a_plan_that_another_validated_meanwhile() -> None:
    sim = mixed()
    state(sim, TradingState.HALTED)()
    sim.execute({0: in_turn(state(sim, TradingState.ACTIVE), other_machine(sim, 3))})
    assert [one.side for one in sim.posts] == ["sell", "buy"]
    assert_whole(sim)


def test_a_plan_that_ended_meanwhile_does_not_end_twice_while_the_next_one_runs() -> None:
    sim = mixed()
    last = len(mixed().execute().effects.points) - 2
    sim.execute(
        {
            last: in_turn(
                other_machine(sim),
                lambda: sim.merge(OTHER),
                other_machine(sim, 3),
            )
        }
    )
    assert_whole(sim)


def test_a_plan_that_ended_meanwhile_and_was_merged_again_does_not_end_twice() -> None:
    sim = mixed()
    sim.execute({6: in_turn(other_machine(sim), lambda: sim.merge(MIXED))})
    assert_whole(sim)


def test_what_a_slow_run_sends_after_the_other_has_denied_it_is_recorded() -> None:
    sim = mixed()
    sim.execute({4: in_turn(state(sim, TradingState.REDUCE_ONLY), other_machine(sim))})
    assert [one.side for one in sim.posts] == ["sell", "buy"]
    assert_whole(sim)


def test_what_a_slow_run_sends_and_does_not_live_to_tell_is_settled() -> None:
    sim = Simulation(KINDS["paper"])
    sim.merge(plan(SELL_MU, BUY_FRACTION, timestamp=MADE))
    acts = in_turn(state(sim, TradingState.REDUCE_ONLY), other_machine(sim))
    assert sim.execute({4: acts, 5: die}).died
    assert [one.side for one in sim.posts] == ["sell", "buy"]
    assert_healed(sim)
    assert len(sim.posts) == 4, "the stop of the whole shares, and that of the fraction"


def test_an_order_that_was_refused_here_and_taken_from_a_run_that_died_is_settled() -> None:
    sim = Simulation(KINDS["paper"])
    sim.merge(plan(BUY_FRACTION, timestamp=MADE))
    sim.fault(Fault("rejection"))
    assert sim.execute({4: other_machine(sim, 6)}).state == "completed"
    assert [one.accepted for one in sim.posts] == [False, True, True, True]
    assert_healed(sim)


def test_two_that_settle_at_once_write_each_fill_once() -> None:
    for point in range(4):
        sim = mixed()
        sim.merge(OTHER)
        for one in (plan(SELL_MU, timestamp=MADE), plan(BUY_AAPL, timestamp=MADE)):
            sim.merge(one)
            sim.execute(faults=(Fault("late_fill", parameters={"seconds": 60}),))
        sim.clock.sleep(100)
        sim.settle({point: lambda sim=sim: sim.settle(machine="two")})  # type: ignore[misc]
        assert_whole(sim)


def test_a_person_who_edits_a_validated_plan_does_not_hide_its_orders() -> None:
    for change in ({"reason": "another"}, {"status": "completed"}, {"strategy_type": "x"}):
        sim = mixed()
        sim.execute({3: die})
        data = sim.origin.commits[sim.origin.main].tree[PLAN_PATH]
        sim.commit({PLAN_PATH: json.dumps(json.loads(data) | change).encode()})
        assert_whole(sim)


def test_a_person_who_takes_a_validated_plan_away_does_not_hide_its_orders() -> None:
    for point in (1, 2, 3, 4, 5, 6):
        sim = mixed()
        sim.execute({point: lambda sim=sim: sim.origin.push({}, "x", deletes=(PLAN_PATH,))})  # type: ignore[misc]
        assert_whole(sim)
        sim = mixed()
        sim.execute({point: die})
        sim.origin.push({}, "Take it away", deletes=(PLAN_PATH,))
        assert_whole(sim)


def test_an_order_that_another_run_sends_while_this_one_denies_it_is_recorded() -> None:
    for point in range(2, 40):
        sim = mixed()
        sim.execute({3: die})
        acts = in_turn(other_machine(sim, 1), state(sim, TradingState.REDUCE_ONLY))
        sim.execute(effects=Effects(acts={point: acts}, kinds=EVERYTHING))
        assert_healed(sim)


def test_an_order_that_is_refused_because_another_run_has_sent_it_is_recorded() -> None:
    sim = mixed()
    sim.fault(Fault("rejection", nth=2))
    sim.execute({1: other_machine(sim, 1)})
    assert [one.was_taken for one in sim.posts] == [False, True, False]
    assert_whole(sim)
