"""Facts that change while they are read, and answers that stay away: no plan is lost for it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from executor.exchange.faults import Fault
from executor.model.state import TradingState
from tests.simulation.documents import line, plan
from tests.simulation.effects import die
from tests.simulation.ending import finish, heal
from tests.simulation.guards import fills_between_questions
from tests.simulation.people import commits_state, price_moves
from tests.simulation.protection_scenarios import ALL, to_settle
from tests.simulation.scenarios import BUY_AAPL, BUY_KO, KINDS, MADE, MIXED, SCENARIOS
from tests.simulation.world import Simulation

WAITS = plan(line("BUY", "MU", "3"), timestamp=MADE)


@pytest.mark.parametrize("polls", range(1, 20))
def test_an_earlier_order_that_fills_while_the_facts_are_read_blocks_nothing(polls: int) -> None:
    sim = Simulation(KINDS["paper"])
    sim.fault(Fault("late_fill", parameters={"polls": polls}))
    sim.merge(WAITS)
    sim.execute()
    sim.merge(plan(BUY_AAPL, BUY_KO, timestamp=MADE))
    end = sim.execute()
    assert end.reply is not None
    assert (end.state, end.reply.data.get("errors")) == ("completed", [])
    assert list(finish(sim)) == []


def test_an_order_that_fills_between_two_questions_of_a_settling_is_no_difference() -> None:
    assert list(fills_between_questions(range(0, 80, 2))) == []


def test_an_account_that_stops_answering_after_a_recovery_costs_no_fill() -> None:
    for silent_from in (1, 2, 3):
        sim = SCENARIOS["sell_and_buy"].begin("paper")
        sim.execute({5: die})
        sim.fault(Fault("drop_before", {"path": "/v2/account"}, nth=silent_from, times=0))
        sim.execute()
        assert list(finish(sim)) == []


def test_a_run_without_an_answer_may_be_repeated() -> None:
    for nth in range(1, 30):
        sim = SCENARIOS["sell_and_buy"].begin("paper")
        sim.fault(Fault("html_502", {"method": "GET", "path": "*"}, nth=nth, times=4))
        sim.execute()
        assert list(finish(sim)) == [], nth


def test_a_lost_answer_and_a_silent_broker_leave_an_order_unknown_until_it_is_found() -> None:
    sim = SCENARIOS["sell_and_buy"].begin("paper")
    sim.fault(
        Fault("accept_then_drop", times=0),
        Fault("drop_before", {"path": "/v2/orders:by_client_order_id"}, times=0),
    )
    end = sim.execute()
    assert end.reply is not None
    assert end.reply.exit_code == 5
    assert [one.side for one in sim.posts] == ["sell"], "no BUY after a SELL that nobody knows of"
    assert list(finish(sim)) == []


def test_a_plan_may_come_again_after_it_was_executed() -> None:
    sim = SCENARIOS["sell_and_buy"].begin("sim")
    for _ in range(3):
        assert sim.execute().state in ("completed", "duplicate")
        sim.merge(MIXED)
    assert len(sim.posts) == 2
    assert list(finish(sim)) == []


def test_a_plan_of_which_nothing_was_sent_is_not_executed_and_may_come_again() -> None:
    sim = SCENARIOS["sell_and_buy"].begin("paper")
    sim.execute({1: die})
    commits_state(sim, TradingState.HALTED)
    assert sim.execute().state == "rejected"
    assert sim.posts == []
    commits_state(sim, TradingState.ACTIVE)
    sim.merge(MIXED)
    assert sim.execute().state == "completed"
    assert [one.side for one in sim.posts] == ["sell", "buy"]
    assert list(finish(sim)) == []


@pytest.mark.parametrize("year", ["1971", "2025", "2098"])
def test_any_timestamp_is_only_a_name(year: str) -> None:
    sim = Simulation(KINDS["paper"])
    sim.merge(plan(BUY_KO, timestamp=f"{year}-01-01T00:00:00Z"))
    assert sim.execute({2: die}).died
    assert list(finish(sim)) == []


def days_with_other_results(sim: Simulation, days: int) -> None:
    """Time passes, and something that asks no broker is written on each day."""
    for _ in range(days):
        sim.clock.move_to(sim.clock.now() + timedelta(days=1))
        commits_state(sim, TradingState.ACTIVE)


def test_a_stop_that_a_dead_run_placed_and_that_sold_days_later_is_found() -> None:
    for point in (3, 5, 7, 9):
        sim = to_settle("split")
        assert sim.settle({point: die}).died
        days_with_other_results(sim, 2)
        price_moves(sim, "AAPL", "0.8")
        days_with_other_results(sim, 2)
        assert list(heal(sim)) == [], f"died at {point}"


def test_what_a_checkpoint_has_forgotten_is_no_order_of_a_stranger() -> None:
    sim = ALL["oto_sold"].begin("paper")
    assert sim.execute().state == "completed"
    for _ in range(8):
        days_with_other_results(sim, 1)
        sim.settle()
    assert list(finish(sim)) == []
