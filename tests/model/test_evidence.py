from __future__ import annotations

from datetime import timedelta

import pytest

from executor.model.evidence import Evidence
from executor.model.forge import MARKS, digest_told, digest_words
from tests.checks.approved import (
    ALICE,
    BOB,
    BOT,
    CAROL,
    MERGED,
    evidence,
    mark,
    marks,
    request,
    review,
)

LATER = MERGED + timedelta(seconds=1)


def test_a_word_counts_by_number_or_by_right() -> None:
    found = evidence(rights={ALICE.id: "maintain", CAROL.id: "triage"})
    assert found.counts(ALICE, ()) is True
    assert found.counts(CAROL, ()) is False
    assert found.counts(BOB, ()) is None
    assert found.counts(BOB, (BOB.id,)) is True
    assert found.counts(ALICE, (BOB.id,)) is False
    assert found.counts(BOT, (BOT.id,)) is False


def test_the_status_at_the_merge_is_our_newest_before_it() -> None:
    newest = mark(MARKS[2], description="newest")
    later = mark(MARKS[2], created_at=LATER)
    others = mark(MARKS[2], creator=BOB), mark(MARKS[2], creator=None)
    undated = mark(MARKS[2], created_at=None)
    assert (
        evidence(marks=(later, *others, undated, newest, *marks())).mark_at_merge(MARKS[2])
        is newest
    )
    assert evidence(marks=None).mark_at_merge(MARKS[2]) is None
    assert evidence(pull_request=None).mark_at_merge(MARKS[2]) is None
    assert evidence(pull_request=request(merged_at=None)).mark_at_merge(MARKS[2]) is None


def test_what_a_person_says_last_counts() -> None:
    first, last = review(), review(state="CHANGES_REQUESTED")
    assert evidence(reviews=(first, last, review(state="COMMENTED"))).last_reviews() == (last,)
    assert evidence(reviews=(review(submitted_at=LATER),)).last_reviews() == ()
    before = evidence(reviews=(review(submitted_at=LATER),), pull_request=request(merged_at=None))
    assert len(before.last_reviews()) == 1
    without = evidence(reviews=(first,), pull_request=None)
    assert without.last_reviews() == (first,)
    assert evidence(reviews=None).last_reviews() == ()


def test_only_approvals_of_the_head_by_others_count() -> None:
    approving = review()
    assert evidence(reviews=(approving,)).approvals(()) == (approving,)
    assert evidence(reviews=(approving,)).approvals((ALICE.id,)) == ()
    assert evidence(reviews=(review(commit="e" * 40),)).approvals(()) == ()
    assert evidence(reviews=(approving,), pull_request=request(author=BOB)).approvals(()) == ()


@pytest.mark.parametrize("parents", [(), ("a",), ("a", "b", "c")])
def test_a_merge_has_two_parents(parents: tuple[str, ...]) -> None:
    assert not evidence(parents=parents).is_merge
    found: Evidence = evidence()
    assert found.is_merge
    assert found.number == "pull request #7"


def test_a_digest_is_told_and_read_back() -> None:
    words = digest_words("0123456789abcdef" * 4)
    assert words == "digest 0123456789abcdef0123456789abcdef…"
    assert digest_told(f"{words} in good form") == "0123456789abcdef" * 2
    for other in ("", f"plan {words}", "digest 0123…", words.removesuffix("…"), words.upper()):
        assert digest_told(other) is None
