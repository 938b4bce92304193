from __future__ import annotations

from datetime import timedelta

import pytest

from executor.checks.trading_state import RULE
from executor.model.state import TradingState
from executor.model.verdict import Answer
from tests.checks.builders import (
    NOW,
    answers,
    context,
    holding,
    judged,
    line,
    only,
    plan,
    position,
    readme_example,
    sentence,
    state,
)

BOTH = plan(line("SELL", "MU"), line("BUY", "AMD"))
HELD = holding(position("MU"))


def test_active_lets_everything_pass() -> None:
    assert answers(RULE, context(BOTH, positions=HELD)) == [Answer.YES]


def test_halted_sends_nothing() -> None:
    halted = state(TradingState.HALTED, since=NOW - timedelta(hours=1), reason="news")
    subject = context(BOTH, positions=HELD, trading_state=halted)
    assert judged(RULE, subject).rejected
    assert sentence(only(RULE, subject)) == readme_example(RULE)


def test_reduce_only_sends_exits() -> None:
    reducing = state(TradingState.REDUCE_ONLY)
    judgment = judged(RULE, context(BOTH, positions=HELD, trading_state=reducing))
    assert judgment.denied == {1}
    assert judgment.going == {0}


@pytest.mark.parametrize("value", list(TradingState))
def test_a_resume_is_refused_in_every_state_while_nothing_carries_it_out(
    value: TradingState,
) -> None:
    resume = plan(trading_state={"state": "ACTIVE", "reason": "found"}, instructions=[])
    verdict = only(RULE, context(resume, trading_state=state(value)))
    assert (verdict.answer, verdict.pointer) == (Answer.NO, "/trading_state")


def test_with_settings_that_cannot_be_used_openings_wait_and_exits_go() -> None:
    judgment = judged(RULE, context(BOTH, positions=HELD, settings_fault="line 3: not TOML"))
    assert judgment.openings_wait
    assert not judgment.waits
    assert 0 in judgment.going
    verdict = only(RULE, context(settings_fault="line 3: not TOML"))
    assert verdict.answer is Answer.NOT_NOW
    assert "line 3: not TOML" in (verdict.observed or "")


def test_a_state_that_cannot_be_read_holds_everything() -> None:
    subject = context(BOTH, positions=HELD, trading_state=None)
    assert answers(RULE, subject) == [Answer.NOT_NOW]
    assert judged(RULE, subject).waits
