from __future__ import annotations

import pytest

from executor.decisions.approving import approval_of, approval_told, login, trailers_of
from executor.model.forge import Actor
from executor.model.result import Approval
from tests.checks.approved import ALICE, BOB, BOT, MERGE, MERGED, evidence, request, review
from tests.checks.builders import NOW

FULL = Approval(
    policy="review",
    pull_request=7,
    author="github-actions[bot]",
    merged_by="alice",
    approved_by=("bob", "alice"),
    merge_commit=MERGE,
    merged_at=MERGED,
)


def test_the_result_says_who_proposed_approved_and_merged() -> None:
    found = evidence(reviews=(review(), review(ALICE)))
    # Alice merged it: her review would be the same person's word twice.
    assert approval_of(found, "review", (), MERGE, NOW) == FULL.model_copy(
        update={"approved_by": ("bob",)}
    )


def test_without_a_pull_request_the_commit_is_all_there_is() -> None:
    bare = Approval(policy="merge", merge_commit=MERGE, merged_at=NOW)
    assert approval_of(None, "merge", (), MERGE, NOW) == bare
    assert approval_of(evidence(pull_request=None), "merge", (), MERGE, NOW) == bare
    unmerged = evidence(pull_request=request(merged_at=None))
    assert approval_of(unmerged, "merge", (), MERGE, NOW) == bare


def test_who_merged_may_be_unknown() -> None:
    found = evidence(pull_request=request(merged_by=None))
    assert approval_of(found, "merge", (), MERGE, NOW).merged_by is None


def test_trailers_tell_it_and_a_later_run_reads_them_back() -> None:
    trailers = trailers_of(FULL)
    assert trailers == {
        "Pull-Request": "7",
        "Proposed-By": "github-actions[bot]",
        "Merged-By": "alice",
        "Approved-By": "bob, alice",
    }
    assert approval_told(trailers, "review", MERGE, MERGED) == FULL


def test_a_plan_that_was_refused_was_approved_by_nobody() -> None:
    assert trailers_of(FULL, approved=False) == {"Pull-Request": "7"}
    merged = FULL.model_copy(update={"approved_by": (), "author": None})
    assert trailers_of(merged) == {"Pull-Request": "7", "Merged-By": "alice"}


def test_where_nobody_was_asked_there_are_no_trailers() -> None:
    assert trailers_of(None) == {}
    assert trailers_of(Approval(policy="none", merge_commit=MERGE)) == {}
    told = approval_told({}, "none", MERGE, MERGED)
    assert told == Approval(policy="none", merge_commit=MERGE, merged_at=MERGED)


@pytest.mark.parametrize(
    "trailers",
    [
        {"Pull-Request": "#7"},
        {"Pull-Request": "0"},
        {"Merged-By": "a b"},
        {"Proposed-By": ""},
        {"Approved-By": "bob,alice"},
        {"Approved-By": "x" * 5_000},
    ],
)
def test_trailers_of_another_form_tell_nothing(trailers: dict[str, str]) -> None:
    assert approval_told(trailers, "merge", MERGE, MERGED) == approval_told(
        {}, "merge", MERGE, MERGED
    )


@pytest.mark.parametrize(
    ("actor", "told"),
    [
        (BOB, "bob"),
        (BOT, "github-actions[bot]"),
        (Actor(5, "skip ci]\nMerged-By: alice"), "account 5"),
        (Actor(5, ""), "account 5"),
    ],
)
def test_a_login_is_one_word_or_a_number(actor: Actor, told: str) -> None:
    assert login(actor) == told
    assert approval_told({"Merged-By": told}, "merge", MERGE, MERGED).merged_by == told
