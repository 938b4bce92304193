from __future__ import annotations

from executor.checks.already_executed import RULE
from executor.model.facts import RecordFacts
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
)

PATH = "trading_instructions_history/2026-01/instructions_2026-01-14T13-45-00.json"


def test_a_new_plan_passes() -> None:
    assert answers(RULE, context()) == [Answer.YES]


def test_an_executed_plan_is_refused_with_its_path() -> None:
    verdict = only(RULE, context(record=RecordFacts(executed=PATH)))
    assert verdict.answer is Answer.NO
    assert sentence(verdict) == readme_example(RULE)


def test_orders_that_git_does_not_know_are_for_a_person() -> None:
    verdict = only(RULE, context(record=RecordFacts(orders_at_broker=("ai-1", "ai-2"))))
    assert verdict.answer is Answer.NO
    assert (verdict.observed or "").endswith("ai-1, ai-2")
    assert "a person looks" in (verdict.remedy or "")


def test_of_many_such_orders_three_are_named() -> None:
    known = tuple(f"ai-{number}" for number in range(1, 6))
    verdict = only(RULE, context(record=RecordFacts(orders_at_broker=known)))
    assert (verdict.observed or "").endswith("ai-1, ai-2, ai-3 and 2 more")


def test_exits_are_not_sent_twice_either() -> None:
    subject = context(plan(line("SELL")), record=RecordFacts(executed=PATH))
    assert judged(RULE, subject).rejected


def test_without_a_record_it_waits() -> None:
    assert answers(RULE, context(record=None)) == [Answer.NOT_NOW]
