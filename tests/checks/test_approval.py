from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from executor.checks.approval import RULE
from executor.model.evidence import COMMITS_LISTED, Evidence, Merged
from executor.model.facts import Moment
from executor.model.forge import ACTIONS_ID, MARKS, Actor
from executor.model.settings import Settings
from executor.model.verdict import Answer, Verdict
from tests.checks.approved import (
    ALICE,
    BOB,
    BOT,
    CAROL,
    MERGED,
    OTHER,
    WEB,
    edit,
    event,
    evidence,
    mark,
    marks,
    request,
    review,
)
from tests.checks.builders import (
    answers,
    context,
    judged,
    line,
    only,
    plan,
    readme_example,
    sentence,
    settings,
    verdicts,
)

PAPER = settings(mode="paper")
REVIEW = settings(mode="live", approval={"policy": "review"})
LISTED = settings(mode="paper", approval={"approvers": (ALICE.id,)})
DAVE = Actor(4, "dave")
LATER = MERGED + timedelta(seconds=1)


def on(found: Evidence, chosen: Settings = PAPER) -> Verdict:
    """The one verdict on a piece of evidence."""
    return only(RULE, context(settings=chosen, evidence=found))


def test_a_merge_by_another_person_approves() -> None:
    assert on(evidence()).answer is Answer.YES
    assert on(evidence(), LISTED).answer is Answer.YES


# Refused: each with its own words.

BY_BOB = {"pull_request": request(author=BOB), "edits": (edit(writers=(BOB,), is_verified=False),)}
MORE = {"introduces": False, "before": plan(), "after": plan(line(quantity="11"))}
LESS = {"introduces": False, "before": plan(), "after": plan(line(quantity="9"))}

ARMED = (event("auto_merge_enabled", minutes=-9), event("merged"))
ONE, TWO = Actor(ACTIONS_ID + 1, "app[bot]", "Bot"), Actor(5, "eve")

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"parents": ("b" * 40,), "pull_request": None}, "and is no merge"),
    ({"parents": ()}, "squashed or rebased"),
    ({"parents": ("b" * 40,)}, "pull request #7 was squashed or rebased"),
    ({"pull_request": None, "is_old": True}, "was pushed to main: GitHub knows no pull request"),
    ({"parents": ("b" * 40, OTHER)}, "has the head cccccccccccc, and eeeeeeeeeeee was merged"),
    ({"timeline": (event("auto_merge_enabled", minutes=-9), event("merged"))},
     "alice left the merge to auto-merge"),
    ({"timeline": (event("auto_squash_enabled", None, -9), event("merged"))},
     "somebody left the merge to auto-merge"),
    ({"timeline": (event("added_to_merge_queue", minutes=-9),
                   event("removed_from_merge_queue", minutes=0), event("merged"))},
     "alice left the merge to the merge queue"),
    ({"timeline": (event("auto_merge_enabled", minutes=-9),
                   event("auto_merge_disabled", minutes=None), event("merged"))},
     "alice left the merge to auto-merge"),
    ({"pull_request": request(auto_merge=True)}, "auto-merge was on"),
    # Several pull requests of the same head: any of them may be the one that merged it.
    ({"twins": (Merged(request(number=8), ARMED),)}, "pull request #8: alice left the merge to"),
    ({"twins": (Merged(request(number=8, author=ALICE), (event("merged"),)),)},
     "merged by alice, proposed by alice as pull request #8, which has the same merge"),
    ({"twins": (Merged(request(number=8), (event("head_ref_force_pushed"), event("merged"))),)},
     "who had replaced its commits by a forced push"),
    # What the opener does not vouch for.
    (BY_BOB | {"is_one_commit": False}, "is not signed: nobody can say who wrote it"),
    (BY_BOB | {"timeline": (event("head_ref_force_pushed", BOT, -5), event("merged"))},
     "is not signed: nobody can say who wrote it"),
    (BY_BOB | {"timeline": (event("head_ref_restored", None, -5), event("merged"))},
     "is not signed: nobody can say who wrote it"),
    # A signature of anybody.
    ({"edits": (edit(writers=(CAROL, WEB)),)},
     "brought the plan, is by carol (account 3), who may not write here"),
    ({"edits": (edit(writers=(ONE, WEB)),)}, "who may not write here"),
    ({"edits": (edit(writers=(WEB,)),)}, "is not signed: nobody can say who wrote it"),
    ({"pull_request": request(merged_by=BOT)},
     "merged by github-actions[bot], an account of kind Bot"),
    ({"pull_request": request(merged_by=CAROL)}, "merged by carol (account 3), who may read here"),
    ({"pull_request": request(author=ALICE), "edits": (edit(writers=(ALICE,)),)},
     "merged by alice, proposed by alice"),
    ({"edits": (edit(writers=(BOT, ALICE)),)}, "whose commit cccccccccccc brought the plan"),
    ({"edits": (edit(), edit(commit=OTHER, writers=(ALICE, WEB), **MORE))},
     "whose commit eeeeeeeeeeee changed the plan: it instructions[0], BUY MU"),
    ({"edits": (edit(), edit(writers=(ALICE, WEB), introduces=False, before=None))},
     "changed the plan: it cannot be compared"),
    ({"edits": (edit(), edit(commit=OTHER, writers=(BOT,), is_verified=False, **MORE))},
     "commit eeeeeeeeeeee, which changed the plan"),
    ({"edits": (edit(is_verified=False),)}, "is not signed: nobody can say who wrote it"),
    (BY_BOB | {"edits": (edit(), edit(writers=(BOB,), is_verified=False, **MORE))},
     "is not signed: nobody can say who wrote it"),
    ({"timeline": (event("head_ref_force_pushed", minutes=-5), event("merged"))},
     "who had replaced its commits by a forced push"),
    ({"commit_count": COMMITS_LISTED}, "has 250 commits or more"),
    ({"marks": marks(created_at=LATER)}, "plan/capital was set after pull request #7 had been"),
    ({"marks": marks(created_at=None)}, "plan/capital was set after pull request #7 had been"),
    ({"marks": marks(creator=BOB)}, "plan/capital was set by bob"),
    ({"marks": marks(creator=None)}, "plan/capital was set by somebody whose account is gone"),
    ({"marks": marks(state="failure")}, "plan/capital was failure when pull request #7 was merged"),
    ({"marks": (mark(MARKS[2], creator=BOB), *marks(state="pending"))}, "plan/capital was pending"),
    ({"marks": marks()[:2], "is_old": True}, "pull request #7 has no status plan/capital"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "told"), REFUSED)
def test_each_way_around_the_approval_is_refused_in_its_own_words(
    changes: dict[str, Any], told: str
) -> None:
    subject = context(settings=PAPER, evidence=evidence(**changes))
    verdict = only(RULE, subject)
    assert verdict.answer is Answer.NO
    assert told in (verdict.observed or "")
    assert verdict.limit
    assert verdict.remedy
    assert judged(RULE, subject).rejected


def test_exits_are_judged_as_well() -> None:
    found = evidence(pull_request=request(merged_by=BOT))
    subject = context(plan(line("SELL")), settings=PAPER, evidence=found)
    assert judged(RULE, subject).rejected


def test_an_author_cannot_merge() -> None:
    verdict = on(evidence(pull_request=request(author=ALICE)))
    assert sentence(verdict) == readme_example(RULE)


def test_whoever_is_not_listed_may_not_approve() -> None:
    listed = settings(mode="paper", approval={"approvers": (BOB.id,)})
    verdict = on(evidence(), listed)
    assert verdict.answer is Answer.NO
    assert verdict.observed == "merged by alice (account 1)"
    assert verdict.limit == "merged by a person of [approval] approvers"


def test_a_login_that_changed_hands_is_another_person() -> None:
    other = Actor(99, "alice")
    assert on(evidence(pull_request=request(merged_by=other)), LISTED).answer is Answer.NO


# Not refused.


@pytest.mark.parametrize(
    "changes",
    [
        # An edit that only reduces makes nobody an author.
        {"edits": (edit(), edit(writers=(ALICE, WEB), **LESS))},
        {"edits": (edit(), edit(writers=(ALICE,), is_verified=False, **LESS))},
        # An edit by a third person, and the first commit of whoever opened the pull request.
        {"edits": (edit(), edit(writers=(BOB, WEB), **MORE))},
        BY_BOB,
        BY_BOB | {"timeline": (event("head_ref_force_pushed", BOB, -5), event("merged"))},
        {"twins": (Merged(request(number=8, author=BOB), (event("merged"),)),)},
        {"timeline": (event("head_ref_force_pushed", BOB, -5), event("merged"))},
        {"timeline": (event("head_ref_force_pushed", None, -5), event("merged"))},
        # Auto-merge that was taken back.
        {"timeline": (event("auto_merge_enabled", minutes=-9),
                      event("auto_merge_disabled", minutes=-8), event("merged"))},
        # Statuses that came later, or from elsewhere, beside ours.
        {"marks": (mark(MARKS[2], created_at=LATER, state="failure"), *marks())},
        {"marks": (mark(MARKS[2], creator=BOB, state="failure"), *marks())},
        {"marks": marks(created_at=MERGED)},
    ],
)  # fmt: skip
def test_what_is_no_breach_passes(changes: dict[str, Any]) -> None:
    assert on(evidence(**changes)).answer is Answer.YES


def test_a_plan_that_was_taken_out_and_put_back_counts_as_brought_again() -> None:
    gone = edit(writers=(ALICE, WEB), introduces=False, before=plan(), after=None)
    back = edit(commit=OTHER, writers=(ALICE, WEB), introduces=True)
    verdict = on(evidence(edits=(edit(), gone, back)))
    assert verdict.answer is Answer.NO


# Not known.


@pytest.mark.parametrize(
    "changes",
    [
        {"pull_request": None},
        {"pull_request": request(merged_at=None)},
        {"pull_request": request(merged_by=None)},
        {"timeline": None},
        {"twins": (Merged(request(number=8), None),)},
        {"edits": (edit(writers=(TWO, WEB)),)},
        {"rights": {}},
        {"edits": None},
        {"edits": ()},
        {"edits": None, "commit_count": None},
        {"marks": None},
        {"marks": marks()[:2]},
    ],
)
def test_what_github_does_not_tell_yet_waits(changes: dict[str, Any]) -> None:
    subject = context(plan(line("SELL")), settings=PAPER, evidence=evidence(**changes))
    assert only(RULE, subject).answer is Answer.NOT_NOW
    assert judged(RULE, subject).waits


def test_a_plan_that_is_brought_twice_has_to_be_signed_twice() -> None:
    """Taken out and put back, or brought by a side branch, in the name of whoever opened it."""
    unsigned = edit(writers=(BOB,), is_verified=False)
    again = edit(commit=OTHER, writers=(BOB,), is_verified=False)
    signed = edit(commit=OTHER, writers=(BOB,))
    opened = request(author=BOB)
    several = {"pull_request": opened, "commit_count": 2, "is_one_commit": False}
    assert on(evidence(pull_request=opened, edits=(unsigned,))).answer is Answer.YES
    assert on(evidence(**several, edits=(signed, signed))).answer is Answer.YES
    assert on(evidence(**several, edits=(unsigned, signed))).answer is Answer.NO
    both = context(settings=PAPER, evidence=evidence(**several, edits=(unsigned, again)))
    assert answers(RULE, both) == [Answer.NO, Answer.NO]


def test_all_that_is_wrong_is_told() -> None:
    found = evidence(
        pull_request=request(author=ALICE, auto_merge=True), marks=marks(creator=BOB), edits=None
    )
    told = [one.answer for one in verdicts(RULE, context(settings=PAPER, evidence=found))]
    assert told == [Answer.NO, Answer.NO, Answer.NO]


@pytest.mark.parametrize("mode", ["paper", "live"])
def test_where_nobody_can_be_asked_the_plan_waits_exits_too(mode: str) -> None:
    subject = context(plan(line("SELL")), settings=settings(mode=mode))
    assert only(RULE, subject).answer is Answer.NOT_NOW
    assert judged(RULE, subject).waits


# Policy `review`.


def test_a_review_of_the_head_by_another_person_approves() -> None:
    assert on(evidence(reviews=(review(),)), REVIEW).answer is Answer.YES
    # An edit that only reduces makes nobody an author.
    lessened = evidence(
        edits=(edit(), edit(writers=(BOB, WEB), **LESS)), reviews=(review(CAROL), review())
    )
    assert on(lessened, REVIEW).answer is Answer.YES


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"reviews": (review(ALICE),)}, "approved by alice, who merged it"),
        ({"reviews": (review(),), "edits": (edit(), edit(writers=(BOB, WEB), **MORE))},
         "approved by bob, who wrote in it"),
        ({"reviews": (review(),), "twins": (Merged(request(author=BOB), (event("merged"),)),)},
         "approved by bob, who proposed it"),
    ],
)  # fmt: skip
def test_one_persons_word_does_not_count_twice(changes: dict[str, Any], told: str) -> None:
    verdict = on(evidence(**changes), REVIEW)
    assert verdict.answer is Answer.NO
    assert verdict.observed == told
    assert "one person approve it by a review and another one merge it" in (verdict.remedy or "")
    # The remedy, applied.
    changes = changes | {"reviews": (*changes["reviews"], review(DAVE))}
    everybody = {1: "admin", 2: "write", 4: "write"}
    assert on(evidence(**changes, rights=everybody), REVIEW).answer is Answer.YES


@pytest.mark.parametrize(
    ("reviews", "told"),
    [
        ((), "no approving review of another person"),
        ((review(state="COMMENTED"),), "no approving review"),
        ((review(None),), "no approving review"),
        ((review(BOT),), "approved by github-actions[bot], who proposed it"),
        ((review(), review(state="CHANGES_REQUESTED")), "no approving review"),
        ((review(submitted_at=LATER),), "no approving review"),
        ((review(submitted_at=None),), "no approving review"),
        ((review(commit=OTHER),), "bob approved eeeeeeeeeeee, and cccccccccccc was merged"),
        ((review(commit=None),), "bob approved another comm, and cccccccccccc was merged"),
        ((review(CAROL),), "approved by carol, whose review does not count here"),
    ],
)
def test_anything_else_is_no_review(reviews: tuple[Any, ...], told: str) -> None:
    verdict = on(evidence(reviews=reviews), REVIEW)
    assert verdict.answer is Answer.NO
    assert told in (verdict.observed or "")
    # In policy `merge` nobody asks.
    assert on(evidence(reviews=reviews)).answer is Answer.YES


def test_a_review_of_the_author_is_none() -> None:
    found = evidence(**(BY_BOB | {"reviews": (review(BOB),)}))
    assert on(found, REVIEW).answer is Answer.NO


@pytest.mark.parametrize("changes", [{"reviews": None}, {"rights": {1: "admin"}}])
def test_a_review_that_is_not_known_waits(changes: dict[str, Any]) -> None:
    found = evidence(**({"reviews": (review(),)} | changes))
    assert on(found, REVIEW).answer is Answer.NOT_NOW


# Where it is not asked.


@pytest.mark.parametrize(
    "chosen", [settings(), settings(mode="paper", approval={"none_in_paper": True})]
)
def test_where_none_is_asked_none_is_needed(chosen: Settings) -> None:
    assert answers(RULE, context(settings=chosen)) == [Answer.YES]


def test_live_is_never_executed_without_an_approval() -> None:
    chosen = settings(mode="live", approval={"none_in_paper": True})
    assert only(RULE, context(settings=chosen)).answer is Answer.NOT_NOW


def test_an_intent_stands_for_the_approval_that_was_verified_before_it() -> None:
    assert answers(RULE, context(settings=PAPER, intent_in=OTHER)) == [Answer.YES]


@pytest.mark.parametrize("moment", sorted(set(Moment) - {Moment.EXECUTION, Moment.PULL_REQUEST}))
def test_without_a_pull_request_there_is_nothing_to_judge(moment: Moment) -> None:
    assert answers(RULE, context(settings=PAPER, moment=moment)) == [Answer.NOT_JUDGED_HERE]


# Before the merge.


def ahead(author: Actor, chosen: Settings) -> Verdict:
    """What the validator says of a pull request that somebody opened."""
    found = evidence(pull_request=request(author=author, merged_by=None))
    base = context(settings=chosen, evidence=found)
    return only(RULE, replace(base, facts=replace(base.facts, moment=Moment.PULL_REQUEST)))


def test_an_approver_who_opened_it_is_told_before_the_merge_that_it_will_not_count() -> None:
    verdict = ahead(ALICE, LISTED)
    assert verdict.answer is Answer.NO
    assert verdict.observed == (
        "opened by alice, whose own merge will not count, and nobody else is an approver"
    )
    assert "autoinvestor propose --remote --file trading_instructions.json" in str(verdict.remedy)
    # The remedy, applied: the bot opens it.
    assert ahead(BOT, LISTED) == Verdict(check="approval", answer=Answer.YES)


@pytest.mark.parametrize("approvers", [(), (ALICE.id, BOB.id), (BOB.id,)])
def test_where_others_may_be_there_the_author_is_warned(approvers: tuple[int, ...]) -> None:
    verdict = ahead(ALICE, settings(mode="paper", approval={"approvers": approvers}))
    assert verdict.answer is Answer.YES
    assert "another person has to merge it" in str(verdict.warning)
    assert "autoinvestor propose --remote" in str(verdict.remedy or verdict.warning)


def test_in_sim_and_without_evidence_nothing_is_said_before_the_merge() -> None:
    assert ahead(ALICE, settings()) == Verdict(check="approval", answer=Answer.YES)
    base = context(settings=LISTED)
    early = replace(base, facts=replace(base.facts, moment=Moment.PULL_REQUEST, evidence=None))
    assert answers(RULE, early) == [Answer.YES]
    unknown = evidence(pull_request=None)
    early = replace(early, facts=replace(early.facts, evidence=unknown))
    assert answers(RULE, early) == [Answer.YES]
