from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.checks.stop_out_cooldown import RULE
from executor.model.context import Context
from executor.model.facts import RecordFacts
from executor.model.verdict import Answer
from tests.checks.builders import (
    NOW,
    answers,
    context,
    holding,
    judged,
    line,
    plan,
    position,
    settings,
)

DAY = timedelta(days=1)


def stopped(*outs: tuple[str, str, float], most: int = 3, days: int = 5) -> Context:
    record = RecordFacts(
        stop_outs=tuple((book, symbol, NOW - ago * DAY) for book, symbol, ago in outs)
    )
    limits = {"stop_outs_max": most, "stop_out_window_days": days}
    return context(record=record, settings=settings(limits=limits))


def test_two_stop_outs_pass_and_the_third_cools_the_symbol_down() -> None:
    outs = [("other", "MU", 1.0), ("other", "MU", 2.0), ("more", "MU", 4.0)]
    assert answers(RULE, stopped(*outs[:2])) == [Answer.YES]
    result = judged(RULE, stopped(*outs))
    assert result.denied == {0}
    [verdict] = result.verdicts
    assert verdict.observed == "MU: 3 stop-outs in 5 days"
    assert verdict.limit == "fewer than 3"
    assert verdict.remedy == "wait until 2026-01-15T15:00:01Z"


def test_the_book_cools_down_over_all_its_symbols() -> None:
    outs = [("manual", symbol, 1.0) for symbol in ("AMD", "TSM", "NVDA")]
    [verdict] = judged(RULE, stopped(*outs)).verdicts
    assert verdict.observed == "book manual: 3 stop-outs in 5 days"
    assert len(judged(RULE, stopped(*[("manual", "MU", 1.0)] * 3)).verdicts) == 2


def test_other_symbols_of_other_books_and_old_ones_do_not_count() -> None:
    assert answers(RULE, stopped(*[("other", "AMD", 1.0)] * 9)) == [Answer.YES]
    assert answers(RULE, stopped(*[("manual", "MU", 5.0)] * 9)) == [Answer.YES]


@pytest.mark.parametrize(("outs", "answer"), [(0, Answer.YES), (1, Answer.NO)])
def test_a_limit_of_none_denies_at_the_first(outs: int, answer: Answer) -> None:
    assert answers(RULE, stopped(*[("other", "MU", 0.5)] * outs, most=0, days=1)) == [answer]


def test_one_day_is_written_in_the_singular() -> None:
    [verdict] = judged(RULE, stopped(*[("other", "MU", 0.5)] * 3, days=1)).verdicts
    assert verdict.observed == "MU: 3 stop-outs in 1 day"


def test_exits_go_on() -> None:
    record = RecordFacts(stop_outs=(("manual", "MU", NOW),) * 9)
    subject = context(plan(line("SELL")), record=record, positions=holding(position()))
    assert answers(RULE, subject) == [Answer.YES]


def test_without_the_record_it_waits() -> None:
    assert answers(RULE, context(record=None)) == [Answer.NOT_NOW]


@given(
    seconds=st.lists(st.floats(0, 6 * 86_400), max_size=8),
    most=st.integers(0, 4),
    days=st.integers(0, 6),
)
def test_its_remedy_is_true(seconds: list[float], most: int, days: int) -> None:
    outs = tuple(("manual", "MU", NOW - timedelta(seconds=one)) for one in seconds)
    rules = settings(limits={"stop_outs_max": most, "stop_out_window_days": days})

    def remedies(now: datetime) -> list[str]:
        subject = context(record=RecordFacts(stop_outs=outs), settings=rules, now=now)
        result = judged(RULE, subject)
        return [one.remedy or "" for one in result.verdicts if one.answer is Answer.NO]

    found = remedies(NOW)
    if found:
        until = max(datetime.fromisoformat(one.removeprefix("wait until ")) for one in found)
        assert until.tzinfo == UTC
        assert not remedies(until)
