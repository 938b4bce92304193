"""Guards have teeth: with one of them off, the simulation fails."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.simulation.guards import GUARDS, Without
from tests.simulation.schedule import Schedule
from tests.simulation.simulate import all_broken

SEEDS = 100


@pytest.mark.parametrize("guard", GUARDS)
def test_a_world_without_it_is_found_out(guard: str) -> None:
    without = GUARDS[guard]
    assert any(without.words in sentence for sentence in _sentences(without))


def _sentences(without: Without) -> Iterator[str]:
    """What breaks, in the scene that is made for it or in schedules."""
    if without.scene is not None:
        yield from without.scene()
        return
    for seed in range(SEEDS):
        yield from all_broken(Schedule(seed, without.book, without.broker))
