from __future__ import annotations

import pytest

from executor.checks.order_rate import RULE
from executor.model.facts import RecordFacts
from executor.model.verdict import Answer
from tests.checks.builders import (
    answers,
    bare_file,
    context,
    holding,
    judged,
    line,
    only,
    plan,
    position,
    settings,
)

FEW = settings(limits={"orders_a_plan_max": 3, "orders_a_day_max": 10})


def test_as_many_orders_as_allowed_pass_and_one_more_is_denied() -> None:
    assert answers(RULE, context(plan(*[line()] * 3), settings=FEW)) == [Answer.YES]
    verdict = only(RULE, context(plan(*[line()] * 4), settings=FEW))
    assert verdict.answer is Answer.NO
    assert verdict.pointer is None
    assert verdict.observed == "4 orders in this plan"
    assert verdict.limit == "3 orders a plan"
    assert verdict.remedy == "split it into plans of at most 3 orders"


def test_exits_count_with_the_openings_but_a_plan_of_exits_is_let_be() -> None:
    held = holding(position())
    sells = [line("SELL", quantity="1")] * 3
    result = judged(RULE, context(plan(*sells, line("BUY", "AMD")), positions=held, settings=FEW))
    assert result.denied == {3}
    assert result.exits == {0, 1, 2}
    exits = context(plan(*sells, *sells), positions=held, settings=FEW)
    assert answers(RULE, exits) == [Answer.YES]


def test_a_cancel_is_no_order_and_a_protect_is_one() -> None:
    cancel = line("CANCEL", client_order_id="other-1")
    protect = line("PROTECT", stop_price="300")
    assert answers(RULE, context(plan(*[line()] * 3, cancel), settings=FEW)) == [Answer.YES]
    assert answers(RULE, context(plan(*[line()] * 3, protect), settings=FEW)) == [Answer.NO]


@pytest.mark.parametrize(
    ("today", "remedy"),
    [
        (7, None),
        (8, "propose at most 2 orders today, the rest in the next session"),
        (10, "propose it in the next session"),
        (99, "propose it in the next session"),
    ],
)
def test_the_orders_of_the_session_count_too(today: int, remedy: str | None) -> None:
    record = RecordFacts(orders_today=today)
    verdict = only(RULE, context(plan(*[line()] * 3), settings=FEW, record=record))
    assert verdict.remedy == remedy
    if remedy:
        assert verdict.observed == f"{today} orders in this session, 3 in this plan"
        assert verdict.limit == "10 orders a session"
        fewer = plan(*[line()] * min(3, max(0, 10 - today)), instructions=[]) if today > 9 else None
        smaller = fewer or plan(*[line()] * (10 - today))
        assert answers(RULE, context(smaller, settings=FEW, record=record)) == [Answer.YES]


def test_without_the_record_it_waits_but_a_bare_file_is_judged_alone() -> None:
    assert answers(RULE, context(record=None)) == [Answer.NOT_NOW]
    assert answers(RULE, context(facts=bare_file())) == [Answer.YES]
    assert answers(RULE, context(plan(*[line()] * 4), settings=FEW, facts=bare_file())) == [
        Answer.NO
    ]
