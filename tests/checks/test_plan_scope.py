from __future__ import annotations

from typing import Any

import pytest

from executor.checks.plan_scope import RULE
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
    readme_example,
    sentence,
)

WAITING = "b" * 64
HELD = holding(position(), position("AMD", "-10", "221.08"))


def test_where_nothing_waited_any_plan_passes() -> None:
    assert answers(RULE, context()) == [Answer.YES]


@pytest.mark.parametrize(
    "lines",
    [
        [line("SELL")],
        [line("SELL", quantity="all"), line("BUY", "AMD", quantity="10")],
        [line("CANCEL", client_order_id="other-1")],
        [line("PROTECT", stop_price="300"), line("SELL")],
    ],
)
def test_a_plan_of_exits_replaces_one_that_waits(lines: list[dict[str, Any]]) -> None:
    subject = context(plan(*lines), positions=HELD, replaces=WAITING)
    assert judged(RULE, subject).is_clean


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        ([line("SELL"), line("BUY", "TSM")], "buys TSM"),
        ([line("BUY", "AMD", quantity="11")], "buys AMD"),
        ([line("PROTECT", protect="none", loosen=True)], "loosens the stop of MU"),
        ([], "has no instructions"),
    ],
)
def test_any_other_plan_is_refused_as_a_whole(lines: list[dict[str, Any]], what: str) -> None:
    resume = {} if lines else {"trading_state": {"state": "ACTIVE", "reason": "found"}}
    asked = plan(**{"instructions": lines, **resume})
    result = judged(RULE, context(asked, positions=HELD, replaces=WAITING))
    assert result.rejected
    assert (result.verdicts[0].observed or "").endswith(what)
    assert judged(RULE, context(asked, positions=HELD)).is_clean


def test_a_sell_of_nothing_is_for_another_check_to_refuse() -> None:
    assert answers(RULE, context(plan(line("SELL")), replaces=WAITING)) == [Answer.YES]


def test_the_example_of_the_page() -> None:
    assert sentence(only(RULE, context(replaces=WAITING))) == readme_example(RULE)
