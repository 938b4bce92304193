"""Seeded schedules within the tests, and the tests of the simulator itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulation.schedule import Schedule
from tests.simulation.simulate import broken, failures, main

SEEDS = 80
"""`make simulate` plays as many as one has time for."""


@pytest.mark.parametrize("first", range(0, SEEDS, 20))
def test_schedules_hold_every_promise(first: int) -> None:
    found = [f"SEED={one.seed}: {sentence}" for one, sentence in failures(first, 20)]
    assert found == []


def test_a_seed_is_a_schedule() -> None:
    once, again = Schedule(7), Schedule(7)
    assert broken(once) is None
    assert broken(again) is None
    assert once.story == again.story
    assert once.sim.posts == again.sim.posts
    assert once.sim.origin.main == again.sim.origin.main
    assert Schedule(8).story != once.story[:1]


def test_a_failure_is_one_line_that_replays_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seeds", "2", "--seed", "3"]) == 0
    assert capsys.readouterr().out.startswith("2 schedules, 0 failed")


def test_every_file_of_the_simulator_says_what_it_is() -> None:
    for path in Path(__file__).parent.glob("*.py"):
        assert path.read_text(encoding="utf-8").startswith('"""'), path
