from __future__ import annotations

from decimal import Decimal

from executor.checks.daily_loss import RULE
from executor.model.context import Context
from executor.model.verdict import Answer
from tests.checks.builders import account, answers, context, holding, judged, line, plan, position


def after(equity: str, *instructions: dict[str, object], start: str = "100000") -> Context:
    return context(
        plan(*instructions),
        account=account(equity=Decimal(equity), last_equity=Decimal(start)),
        positions=holding(position("AMD", "10", "221.08")),
    )


def test_a_small_loss_and_a_gain_pass() -> None:
    assert answers(RULE, after("95000.01")) == [Answer.YES]
    assert answers(RULE, after("105000")) == [Answer.YES]


def test_at_the_limit_nothing_is_opened_and_exits_go() -> None:
    result = judged(RULE, after("95000", line("SELL", "AMD"), line()))
    assert result.denied == {1}
    assert result.going == {0}
    verdict = result.verdicts[0]
    assert verdict.observed == "equity 95,000.00 USD is 5 % under the day's start, 100,000.00 USD"
    assert verdict.limit == "less than 5 %"
    assert verdict.remedy == "wait for the next session, or propose exits only"


def test_exits_only_and_the_next_session_help() -> None:
    assert answers(RULE, after("95000", line("SELL", "AMD"))) == [Answer.YES]
    assert answers(RULE, after("95000", start="95000")) == [Answer.YES]


def test_an_account_without_a_day_before_has_lost_nothing() -> None:
    assert answers(RULE, after("100000", start="0")) == [Answer.YES]


def test_without_the_account_it_waits() -> None:
    assert answers(RULE, context(account=None)) == [Answer.NOT_NOW]
