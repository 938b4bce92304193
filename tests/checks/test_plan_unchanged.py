from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from executor.checks.plan_unchanged import RULE
from executor.model.facts import Moment
from executor.model.forge import MARKS, digest_words
from executor.model.intent import Intent, Owner
from executor.model.plan import PlanStatus
from executor.model.verdict import Answer
from tests.checks.approved import evidence, mark, marks
from tests.checks.builders import (
    NOW,
    answers,
    bare_file,
    context,
    judged,
    line,
    only,
    plan,
    readme_example,
    sentence,
    verdicts,
)

INTENT = Intent(owner=Owner(run="1", attempt=1), validated_at=NOW, orders=())


def test_a_pending_plan_passes_whether_it_says_so_or_not() -> None:
    assert answers(RULE, context()) == [Answer.YES]
    assert answers(RULE, context(plan(status="pending"))) == [Answer.YES]


@pytest.mark.parametrize("status", sorted(set(PlanStatus) - {PlanStatus.PENDING}))
def test_any_other_status_is_refused_as_a_bare_file_too(status: PlanStatus) -> None:
    verdict = only(RULE, context(plan(status=status), facts=bare_file()))
    assert verdict.answer is Answer.NO
    assert verdict.pointer == "/status"


def test_an_intent_is_refused() -> None:
    verdict = only(RULE, context(plan().model_copy(update={"intent": INTENT})))
    assert verdict.answer is Answer.NO
    assert verdict.pointer == "/intent"


def test_it_stops_exits_too_and_names_both() -> None:
    forged = plan(line("SELL"), status="validated").model_copy(update={"intent": INTENT})
    assert judged(RULE, context(forged)).rejected
    found = verdicts(RULE, context(forged))
    assert len(found) == 2
    assert sentence(found[0]) == readme_example(RULE)


# As it was reviewed.


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"plan_at_head": b"another"}, "the head cccccccccccc that was merged holds another plan"),
        ({"plan_at_head": None}, "the head cccccccccccc that was merged holds no plan"),
        (
            {"marks": (mark(MARKS[0], description=digest_words("b" * 64)), *marks()[1:])},
            "plan/schema names plan bbbbbbbbbbbb, and this is aaaaaaaaaaaa",
        ),
        (
            {"marks": (mark(MARKS[0], description="fine"), *marks()[1:])},
            "plan/schema names no plan by its digest, and this is aaaaaaaaaaaa",
        ),
    ],
)
def test_only_what_was_reviewed_is_executed(changes: dict[str, Any], told: str) -> None:
    subject = context(plan(line("SELL")), evidence=evidence(**changes))
    verdict = only(RULE, subject)
    assert (verdict.answer, verdict.observed) == (Answer.NO, told)
    assert judged(RULE, subject).rejected
    # Before the merge there is nothing to compare; after the intent it has been.
    before = context(evidence=evidence(**changes), moment=Moment.PULL_REQUEST)
    assert answers(RULE, before) == [Answer.YES]
    assert answers(RULE, replace(subject, facts=replace(subject.facts, intent_in="f" * 40))) == [
        Answer.YES
    ]


@pytest.mark.parametrize("changes", [{}, {"marks": None}, {"marks": ()}, {"parents": ()}])
def test_what_is_not_known_is_for_the_approval_to_wait_for(changes: dict[str, Any]) -> None:
    assert answers(RULE, context(evidence=evidence(**changes))) == [Answer.YES]
