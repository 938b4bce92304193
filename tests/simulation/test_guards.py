"""Guards have teeth: with one of them off, the simulation fails."""

from __future__ import annotations

import pytest

from tests.fakes.memory_book import MemoryBook
from tests.simulation.guards import BOOKS, BROKERS
from tests.simulation.schedule import Schedule
from tests.simulation.simulate import all_broken
from tests.simulation.world import QuickBroker

SEEDS = 300


@pytest.mark.parametrize("guard", BOOKS)
def test_a_book_without_it_is_found_out(guard: str) -> None:
    book, words = BOOKS[guard]
    assert first_found(words, book=book) is not None


@pytest.mark.parametrize("guard", BROKERS)
def test_a_broker_without_it_is_found_out(guard: str) -> None:
    broker, words = BROKERS[guard]
    assert first_found(words, broker=broker) is not None


def first_found(
    words: str, book: type[MemoryBook] = MemoryBook, broker: type[QuickBroker] = QuickBroker
) -> str | None:
    """The first seed that notices, with what it noticed."""
    for seed in range(SEEDS):
        for sentence in all_broken(Schedule(seed, book, broker)):
            if words in sentence:
                return f"{seed}: {sentence}"
    return None
