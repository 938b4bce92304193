from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.decisions.chain import Chain, Link, order
from tests.decisions.record_builders import NOW, chained, result


def links_of(count: int) -> tuple[Link, ...]:
    return chained(result(timestamp=NOW + timedelta(minutes=at)) for at in range(count))


CHAIN = links_of(6)


def naming(link: Link, previous: str | None) -> Link:
    named = link.result.model_copy(update={"previous_result_digest": previous})
    return replace(link, result=named)


@given(st.permutations(CHAIN), st.integers(0, len(CHAIN)))
def test_any_order_of_a_chain_is_put_back(shuffled: list[Link], length: int) -> None:
    kept = [link for link in shuffled if link in CHAIN[:length]]
    assert order(kept) == Chain(CHAIN[:length])


def test_the_newest_is_the_last() -> None:
    assert order(CHAIN).newest == CHAIN[-1]
    assert order(()).newest is None


@given(st.permutations(CHAIN), st.integers(0, len(CHAIN) - 2))
def test_a_link_that_is_gone_is_missed_by_the_one_after_it(shuffled: list[Link], gone: int) -> None:
    chain = order(link for link in shuffled if link != CHAIN[gone])
    assert chain.breaches == (
        f"{CHAIN[gone + 1].path}: names result {CHAIN[gone].digest}, which is not there",
    )
    assert chain.links == CHAIN[:gone]


@given(st.permutations(CHAIN), st.integers(1, len(CHAIN) - 1))
def test_a_link_that_was_edited_is_missed_by_the_one_after_it(
    shuffled: list[Link], edited: int
) -> None:
    changed = [
        replace(link, digest="e" * 64) if link == CHAIN[edited - 1] else link for link in shuffled
    ]
    (breach,) = order(changed).breaches
    assert breach.startswith(f"{CHAIN[edited].path}: names result {CHAIN[edited - 1].digest}")


def test_two_that_name_the_same_one_are_a_fork() -> None:
    fork = replace(naming(CHAIN[3], CHAIN[1].digest), path="execution_results/fork.json")
    chain = order((*CHAIN[:3], fork))
    assert chain.breaches == (
        f"{CHAIN[2].path}, execution_results/fork.json: all name {CHAIN[1].path}"
        " as the one before them",
    )


def test_two_first_results_are_a_fork() -> None:
    (breach,) = order((CHAIN[0], naming(CHAIN[1], None))).breaches
    assert breach == (
        f"{CHAIN[0].path}, {CHAIN[1].path}: all name no result as the one before them"
    )


def test_the_same_document_at_two_paths_is_a_fork() -> None:
    copied = replace(CHAIN[0], path="execution_results/copy.json")
    assert len(order((*CHAIN, copied)).breaches) == 1


@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_circle_is_named(length: int) -> None:
    circle = [
        naming(link, CHAIN[(at - 1) % length].digest) for at, link in enumerate(CHAIN[:length])
    ]
    chain = order(circle)
    assert chain.breaches == ("the results name each other in a circle",)
    assert chain.links == ()


@given(st.permutations(CHAIN), st.integers(1, len(CHAIN)))
def test_a_chain_goes_on_from_a_known_result(shuffled: list[Link], known: int) -> None:
    later = [link for link in shuffled if link in CHAIN[known:]]
    assert order(later, CHAIN[known - 1].digest) == Chain(CHAIN[known:])


def test_what_does_not_go_on_from_the_known_result_is_a_breach() -> None:
    known = CHAIN[2].digest
    assert order((CHAIN[4],), known).breaches == (
        f"{CHAIN[4].path}: names result {CHAIN[3].digest}, which is not there",
    )
    assert order((CHAIN[3], naming(CHAIN[4], None)), known).breaches == (
        f"{CHAIN[4].path}: names no result",
    )
    assert order((CHAIN[3], naming(CHAIN[4], known)), known).breaches == (
        f"{CHAIN[3].path}, {CHAIN[4].path}: all name result {known} as the one before them",
    )
