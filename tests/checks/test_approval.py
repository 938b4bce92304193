from __future__ import annotations

from typing import Any

import pytest

from executor.checks.approval import RULE
from executor.model.facts import Moment
from executor.model.result import Approval
from executor.model.settings import Settings
from executor.model.verdict import Answer
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
)

PAPER = settings(mode="paper")
REVIEW = settings(mode="live", approval={"policy": "review"})


def approval(**changes: Any) -> Approval:
    document: dict[str, Any] = {
        "policy": "merge",
        "pull_request": 7,
        "author": "autoinvestor[bot]",
        "merged_by": "alice",
    }
    return Approval.model_validate(document | changes)


@pytest.mark.parametrize(
    "chosen", [settings(), settings(mode="paper", approval={"none_in_paper": True})]
)
def test_where_none_is_asked_none_is_needed(chosen: Settings) -> None:
    assert answers(RULE, context(settings=chosen)) == [Answer.YES]


def test_a_merge_by_another_person_approves() -> None:
    assert answers(RULE, context(settings=PAPER, approval=approval())) == [Answer.YES]


def test_a_review_is_more_than_a_merge() -> None:
    reviewed = approval(policy="review", approved_by=("bob",))
    assert answers(RULE, context(settings=PAPER, approval=reviewed)) == [Answer.YES]
    assert answers(RULE, context(settings=REVIEW, approval=reviewed)) == [Answer.YES]


@pytest.mark.parametrize("mode", ["paper", "live"])
def test_an_approval_that_cannot_be_verified_waits_exits_too(mode: str) -> None:
    subject = context(plan(line("SELL")), settings=settings(mode=mode))
    assert only(RULE, subject).answer is Answer.NOT_NOW
    assert judged(RULE, subject).waits


def test_live_is_never_executed_without_an_approval() -> None:
    chosen = settings(mode="live", approval={"none_in_paper": True})
    subject = context(settings=chosen, approval=approval(policy="none"))
    assert only(RULE, subject).answer is Answer.NO
    assert judged(RULE, subject).rejected


def test_a_merge_is_not_enough_where_a_review_is_asked() -> None:
    assert only(RULE, context(settings=REVIEW, approval=approval())).answer is Answer.NO


@pytest.mark.parametrize("approved_by", [(), ("autoinvestor[bot]",)])
def test_an_author_cannot_approve_by_review(approved_by: tuple[str, ...]) -> None:
    given = approval(policy="review", approved_by=approved_by)
    verdict = only(RULE, context(settings=REVIEW, approval=given))
    assert verdict.answer is Answer.NO
    assert "review" in (verdict.remedy or "")


def test_an_author_cannot_merge() -> None:
    verdict = only(RULE, context(settings=PAPER, approval=approval(author="alice")))
    assert verdict.answer is Answer.NO
    assert sentence(verdict) == readme_example(RULE)


def test_nobody_did_not_merge() -> None:
    given = Approval(policy="merge", author="alice")
    verdict = only(RULE, context(settings=PAPER, approval=given))
    assert verdict.observed == "merged by nobody, proposed by alice"


@pytest.mark.parametrize("moment", sorted(set(Moment) - {Moment.EXECUTION}))
def test_before_the_merge_there_is_nothing_to_judge(moment: Moment) -> None:
    assert answers(RULE, context(settings=PAPER, moment=moment)) == [Answer.NOT_JUDGED_HERE]
