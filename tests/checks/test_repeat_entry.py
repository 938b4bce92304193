from __future__ import annotations

from executor.checks.repeat_entry import RULE
from executor.model.context import Context
from executor.model.facts import RecordFacts
from executor.model.verdict import Answer
from tests.checks.builders import (
    answers,
    context,
    holding,
    judged,
    line,
    only,
    plan,
    position,
    settings,
)


def entered(times: int, *instructions: dict[str, object], book: str = "manual") -> Context:
    record = RecordFacts(entries_today={(book, "MU"): times})
    return context(plan(*instructions), record=record)


def test_the_third_entry_passes_and_the_fourth_is_denied() -> None:
    assert answers(RULE, entered(2)) == [Answer.YES]
    verdict = only(RULE, entered(3))
    assert verdict.answer is Answer.NO
    assert verdict.index == 0
    assert verdict.observed == "MU: entry 4 of book manual in this session"
    assert verdict.limit == "3 entries a symbol and session"
    assert verdict.remedy == "wait for the next session"


def test_waiting_for_the_next_session_helps() -> None:
    assert answers(RULE, entered(0)) == [Answer.YES]


def test_another_symbol_and_another_book_are_other_entries() -> None:
    assert answers(RULE, entered(3, line("BUY", "AMD"))) == [Answer.YES]
    assert answers(RULE, entered(3, book="momentum")) == [Answer.YES]


def test_the_plans_own_lines_are_counted_one_after_the_other() -> None:
    result = judged(RULE, entered(2, line(), line("BUY", "AMD"), line()))
    assert result.denied == {2}
    assert result.verdicts[0].remedy == "join the plan's entries into MU into one line"
    assert answers(RULE, entered(2, line(quantity="20"), line("BUY", "AMD"))) == [Answer.YES]


def test_none_at_all_may_be_allowed() -> None:
    never = settings(limits={"entries_a_symbol_a_day_max": 0})
    assert answers(RULE, context(settings=never)) == [Answer.NO]


def test_exits_are_no_entries() -> None:
    record = RecordFacts(entries_today={("manual", "MU"): 3})
    subject = context(plan(line("SELL")), record=record, positions=holding(position()))
    assert answers(RULE, subject) == [Answer.YES]


def test_without_the_record_it_waits() -> None:
    assert answers(RULE, context(record=None)) == [Answer.NOT_NOW]
