from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from executor.checks.trading_state import RULE
from executor.model.state import TradingState, TradingStateRecord
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
    verdicts,
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


def test_halted_lets_a_cancel_through_and_nothing_beside_it() -> None:
    halted = state(TradingState.HALTED)
    cancel = line("CANCEL", client_order_id="other-1")
    assert judged(RULE, context(plan(cancel), trading_state=halted)).going == {0}
    mixed = plan(line("SELL"), cancel, line("PROTECT", stop_price="300"), line("BUY", "AMD"))
    result = judged(RULE, context(mixed, positions=HELD, trading_state=halted))
    assert result.denied == {0, 2, 3}
    assert result.going == {1}


def test_halted_sends_exits_and_stops_only_after_a_resume_that_is_enough_for_them() -> None:
    halted = state(TradingState.HALTED)

    def remedy(*lines: dict[str, Any]) -> str:
        return only(RULE, context(plan(*lines), positions=HELD, trading_state=halted)).remedy or ""

    assert "--state REDUCE_ONLY" in remedy(line("SELL"))
    assert "--state REDUCE_ONLY" in remedy(line("PROTECT", stop_price="300"))
    assert "--state" not in remedy(line())
    assert "--state" not in remedy(line("PROTECT", protect="none", loosen=True))


def test_reduce_only_lets_stops_tighten_and_never_loosen() -> None:
    reducing = state(TradingState.REDUCE_ONLY)
    both = plan(
        line("PROTECT", stop_price="300"),
        line("PROTECT", "AMD", stop_price="200", loosen=True),
        line("CANCEL", client_order_id="other-1"),
    )
    result = judged(RULE, context(both, trading_state=reducing))
    assert result.denied == {1}
    assert result.going == {0, 2}
    assert result.verdicts[0].pointer == "/instructions/1/loosen"
    assert judged(RULE, context(both)).going == {0, 1, 2}


@pytest.mark.parametrize("value", list(TradingState))
@pytest.mark.parametrize("fault", [None, "line 3: not TOML"])
def test_a_resume_passes_in_every_state(value: TradingState, fault: str | None) -> None:
    resume = plan(trading_state={"state": "ACTIVE", "reason": "found"}, instructions=[])
    held = state(value)
    subject = context(resume, trading_state=held, state_when_approved=held, settings_fault=fault)
    assert answers(RULE, subject) == [Answer.YES]


@pytest.mark.parametrize("before", [None, state(TradingState.REDUCE_ONLY)])
def test_a_resume_does_not_undo_what_was_set_after_its_approval(
    before: TradingStateRecord | None,
) -> None:
    resume = plan(trading_state={"state": "ACTIVE", "reason": "found"}, instructions=[])
    subject = context(resume, trading_state=state(TradingState.HALTED), state_when_approved=before)
    (verdict,) = verdicts(RULE, subject)
    assert (verdict.answer, verdict.pointer) == (Answer.NO, "/trading_state")
    assert "autoinvestor resume" in (verdict.remedy or "")


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
