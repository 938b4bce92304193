from __future__ import annotations

import pytest

from executor.checks.plan_unchanged import RULE
from executor.model.intent import Intent, Owner
from executor.model.plan import PlanStatus
from executor.model.verdict import Answer
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
