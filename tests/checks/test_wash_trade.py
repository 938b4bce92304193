from __future__ import annotations

import pytest

from executor.checks.wash_trade import RULE
from executor.model.facts import Moment, RecordFacts
from executor.model.order import OrderStatus
from executor.model.verdict import Answer
from tests.checks.builders import (
    answers,
    bare_file,
    context,
    facts,
    holding,
    judged,
    line,
    lot,
    only,
    order,
    plan,
    position,
    protective,
)

BOTH = plan(line("SELL"), line(), line("BUY", "AMD"))
HELD = holding(position())


def test_one_side_of_each_symbol_passes() -> None:
    rotation = plan(line("SELL"), line("BUY", "AMD"), line("BUY", "AMD"))
    assert answers(RULE, context(rotation, positions=HELD)) == [Answer.YES]


def test_both_sides_in_a_plan_deny_the_opening_and_let_the_exit_go() -> None:
    result = judged(RULE, context(BOTH, positions=HELD))
    assert result.denied == {1}
    assert result.exits == {0}
    assert result.verdicts[0].observed == "MU: the plan both buys and sells it"
    assert result.going == {0}


def test_a_bare_file_is_judged_for_both_sides_and_its_open_orders_are_silence() -> None:
    verdict = only(RULE, context(BOTH, facts=bare_file()))
    assert (verdict.answer, verdict.index) == (Answer.NO, 1)
    assert answers(RULE, context(facts=bare_file())) == [Answer.YES]


def test_where_nothing_is_held_both_lines_open_and_both_are_denied() -> None:
    assert judged(RULE, context(BOTH)).denied == {0, 1}


def test_the_second_wave_still_sees_both_sides() -> None:
    assert judged(RULE, context(BOTH, already_sent=frozenset({0}))).denied == {1}


def test_an_open_order_on_the_other_side_denies_the_line_exit_or_not() -> None:
    verdict = only(RULE, context(open_orders=(order("MU", "sell"),)))
    assert verdict.answer is Answer.NO
    assert verdict.observed == "MU buy: the open order other-1 is a sell"
    assert verdict.remedy == "cancel other-1 first, or leave the line out"
    selling = context(plan(line("SELL")), positions=HELD, open_orders=(order("MU", "buy"),))
    assert judged(RULE, selling).denied == {0}


def test_orders_that_do_not_oppose_the_line() -> None:
    harmless = (
        order("MU", "buy"),
        order("AMD", "sell"),
        order("MU", "sell", status=OrderStatus.FILLED),
        order("MU", "sell", client_order_id="ours"),
    )
    subject = context(open_orders=harmless, own_orders=frozenset({"ours"}))
    assert answers(RULE, subject) == [Answer.YES]


def test_our_own_stops_are_no_other_side_and_those_of_others_are() -> None:
    stopped = context(open_orders=(protective(),))
    assert answers(RULE, stopped) == [Answer.NO]
    ours = context(open_orders=(protective(),), protective=frozenset({"stop-1"}))
    assert answers(RULE, ours) == [Answer.YES]


def test_an_order_that_the_plan_withdraws_first_is_no_other_side() -> None:
    record = RecordFacts(positions={}, known_orders=frozenset({"other-1"}))
    resting = (order("MU", "sell"),)
    both = plan(line(), line("CANCEL", client_order_id="other-1"))
    assert answers(RULE, context(both, open_orders=resting, record=record)) == [Answer.YES]
    # What cannot be withdrawn still stands, and so does what was to be withdrawn and is open.
    assert answers(RULE, context(both, open_orders=resting)) == [Answer.NO]
    done = context(both, open_orders=resting, record=record, already_sent=frozenset({1}))
    assert answers(RULE, done) == [Answer.NO]


@pytest.mark.parametrize(
    ("keys", "warned"),
    [
        ({}, False),
        ({"order_type": "limit", "limit_price": "330"}, True),
        ({"order_type": "stop", "stop_price": "340"}, True),
        ({"ticker": "AMD", "order_type": "limit", "limit_price": "220"}, False),
    ],
)
def test_a_buy_that_may_rest_beside_a_stop_is_a_warning(keys: dict[str, str], warned: bool) -> None:
    record = RecordFacts(positions={}, lots=(lot(),))
    subject = context(plan(line(**keys)), record=record)
    verdict = only(RULE, subject)
    assert verdict.answer is Answer.YES
    assert ("is canceled" in (verdict.warning or "")) == warned
    assert only(RULE, context(plan(line(**keys)), record=None)).warning is None


def test_without_the_open_orders_it_waits() -> None:
    for moment in (Moment.PULL_REQUEST, Moment.EXECUTION):
        subject = context(facts=facts(moment), open_orders=None)
        assert answers(RULE, subject) == [Answer.NOT_NOW]
        nothing = context(plan(instructions=[]), facts=facts(moment), open_orders=None)
        assert answers(RULE, nothing) == [Answer.YES]
