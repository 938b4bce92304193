from __future__ import annotations

from typing import Any

import pytest

from executor.checks.cancel_own import RULE
from executor.model.context import Context
from executor.model.facts import Moment, RecordFacts
from executor.model.order import OrderStatus
from executor.model.order_id import client_order_id
from executor.model.verdict import Answer
from tests.checks.builders import (
    answers,
    bare_file,
    context,
    judged,
    line,
    only,
    order,
    plan,
    protective,
    readme_example,
    sentence,
)

KNOWN = RecordFacts(positions={}, known_orders=frozenset({"other-1", "stop-1"}))
HOME = "local"
"""The `repository` of the shipped settings."""


def withdrawing(*ids: str, ticker: str = "MU", **changes: Any) -> Context:
    lines = [line("CANCEL", ticker, client_order_id=one) for one in ids]
    base: dict[str, Any] = {"open_orders": (order(),), "record": KNOWN}
    return context(plan(*lines), **(base | changes))


def test_an_open_order_of_ours_may_be_withdrawn() -> None:
    assert answers(RULE, withdrawing("other-1")) == [Answer.YES]
    assert answers(RULE, context()) == [Answer.YES]


def test_an_id_of_this_repository_is_ours_before_any_result_tells_it() -> None:
    own = client_order_id(HOME, "c" * 64, 3)
    resting = (order("MU", "buy", client_order_id=own),)
    assert answers(RULE, withdrawing(own, open_orders=resting)) == [Answer.YES]
    strange = client_order_id("other", "c" * 64, 3)
    resting = (order("MU", "buy", client_order_id=strange),)
    assert answers(RULE, withdrawing(strange, open_orders=resting)) == [Answer.NO]


def test_an_order_that_is_not_open_is_denied() -> None:
    ended = (order(status=OrderStatus.FILLED),)
    for orders in ((), ended):
        verdict = only(RULE, withdrawing("other-1", open_orders=orders))
        assert verdict.answer is Answer.NO
        assert verdict.observed == "MU cancel: other-1 is not open at the broker"
        assert verdict.pointer == "/instructions/0/client_order_id"


def test_an_order_of_another_symbol_is_denied() -> None:
    verdict = only(RULE, withdrawing("other-1", ticker="AMD"))
    assert verdict.pointer == "/instructions/0/ticker"
    assert answers(RULE, withdrawing("other-1")) == [Answer.YES]


@pytest.mark.parametrize("name", ["stop-1", client_order_id(HOME, "c" * 64, 0, "fraction", 1)])
def test_what_protects_is_left_to_a_line_that_says_so(name: str) -> None:
    stop = (protective(client_order_id=name),)
    verdict = only(RULE, withdrawing(name, open_orders=stop, protective=frozenset({"stop-1"})))
    assert verdict.observed == f"MU cancel: {name} protects a holding"
    assert verdict.remedy == "use a PROTECT with `protect` none and `loosen` true"


def test_a_leg_of_the_brokers_making_protects_too() -> None:
    leg = protective(client_order_id="leg", broker_status="held")
    entry = order("MU", "buy", legs=(leg,))
    for orders in ((entry,), (entry, leg)):
        verdict = only(RULE, withdrawing("leg", open_orders=orders))
        assert verdict.observed == "MU cancel: leg protects a holding"
    assert answers(RULE, withdrawing("other-1", open_orders=(entry,))) == [Answer.YES]


def test_an_order_of_somebody_else_is_not_ours_to_withdraw() -> None:
    verdict = only(RULE, withdrawing("other-1", record=RecordFacts(positions={})))
    assert verdict.answer is Answer.NO
    assert sentence(verdict) == readme_example(RULE)


def test_one_order_is_withdrawn_once() -> None:
    result = judged(RULE, withdrawing("other-1", "other-1"))
    assert result.denied == {1}
    assert result.verdicts[0].remedy == "take one of them out"
    assert result.going == {0}


def test_a_line_without_an_order_is_not_judged_and_one_that_is_done_neither() -> None:
    assert answers(RULE, context(plan(line("CANCEL")))) == [Answer.YES]
    done = withdrawing("gone", already_sent=frozenset({0}))
    assert answers(RULE, done) == [Answer.YES]


def test_without_its_facts_it_waits_and_a_bare_file_is_not_judged() -> None:
    without = (withdrawing("other-1", open_orders=None), withdrawing("other-1", record=None))
    for subject in without:
        assert answers(RULE, subject) == [Answer.NOT_NOW]
    file = context(plan(line("CANCEL", client_order_id="a")), facts=bare_file())
    assert answers(RULE, file) == [Answer.NOT_JUDGED_HERE]
    assert Moment.FILE not in RULE.moments
