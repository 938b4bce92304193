from __future__ import annotations

from decimal import Decimal

from executor.checks.ledger_agrees import RULE
from executor.model.facts import RecordFacts
from executor.model.order import OrderStatus
from executor.model.verdict import Answer
from tests.checks.builders import (
    answers,
    context,
    holding,
    judged,
    line,
    only,
    order,
    plan,
    position,
)

HELD = holding(position(quantity="84.48"))
AGREES = RecordFacts(positions={"MU": Decimal("84.48"), "AMD": Decimal(0)})
ROTATION = plan(line("SELL"), line("BUY", "TSM"))


def test_a_record_that_explains_every_share_passes() -> None:
    assert answers(RULE, context(ROTATION, positions=HELD, record=AGREES)) == [Answer.YES]
    assert answers(RULE, context()) == [Answer.YES]


def test_a_difference_denies_every_opening_and_warns_of_the_exit() -> None:
    record = RecordFacts(positions={"MU": Decimal("42.24"), "NVDA": Decimal(3)})
    result = judged(RULE, context(ROTATION, positions=HELD, record=record))
    assert result.denied == {1}
    assert result.going == {0}
    assert not result.waits
    denial, warning = result.verdicts
    assert denial.observed == (
        "positions differ: MU (record 42.24 shares, broker 84.48 shares),"
        " NVDA (record 3 shares, broker 0 shares)"
    )
    assert denial.limit == "the record explains every share"
    assert warning.warning == denial.observed


def test_the_exact_quantity_counts() -> None:
    record = RecordFacts(positions={"MU": Decimal("84.480000001")})
    assert judged(RULE, context(positions=HELD, record=record)).denied == {0}


def test_many_differences_are_counted() -> None:
    record = RecordFacts(positions={f"A{letter}": Decimal(1) for letter in "ABCDEFG"})
    verdict = only(RULE, context(positions=HELD, record=record))
    assert (verdict.observed or "").endswith("broker 0 shares) and 3 more")


def test_an_empty_answer_is_never_proof_that_nothing_is_held() -> None:
    for one in (plan(line()), plan(line("SELL"))):
        result = judged(RULE, context(one, positions={}, record=AGREES))
        assert result.waits
        assert not result.denied
        assert result.verdicts[0].observed == (
            "the broker answers no position at all, the record holds MU"
        )


def test_once_orders_are_out_the_symbols_that_the_plan_moves_are_not_compared() -> None:
    everything = plan(line("SELL", quantity="all"), line("BUY", "TSM"))
    second = context(everything, positions={}, record=AGREES, already_sent=frozenset({0}))
    assert answers(RULE, second) == [Answer.YES]
    recovering = context(everything, positions={}, record=AGREES, already_sent=frozenset({0}))
    assert answers(RULE, recovering) == [Answer.YES]
    strange = holding(position("NVDA", "3", "180"))
    second = context(everything, positions=strange, record=AGREES, already_sent=frozenset({0}))
    assert answers(RULE, second) == [Answer.NO]


def test_an_order_that_no_commit_explains_denies_the_openings() -> None:
    verdict = only(RULE, context(open_orders=(order("NVDA"),)))
    assert verdict.answer is Answer.NO
    assert verdict.observed == "open orders that no commit explains: other-1"
    assert (verdict.remedy or "").startswith("cancel them at the broker, or acknowledge them")


def test_orders_that_are_explained_or_ended_do_no_harm() -> None:
    orders = (
        order("NVDA", client_order_id="known"),
        order("NVDA", client_order_id="own"),
        order("NVDA", client_order_id="gone", status=OrderStatus.CANCELED),
    )
    record = RecordFacts(positions={}, known_orders=frozenset({"known"}))
    subject = context(open_orders=orders, record=record, own_orders=frozenset({"own"}))
    assert answers(RULE, subject) == [Answer.YES]


def test_an_order_without_an_outcome_denies_the_openings() -> None:
    record = RecordFacts(positions={}, unresolved=("ai-1",))
    verdict = only(RULE, context(record=record))
    assert verdict.answer is Answer.NO
    assert verdict.observed == "orders without a known outcome: ai-1"


def test_a_record_that_is_not_folded_holds_the_openings_back_and_lets_exits_go() -> None:
    result = judged(RULE, context(ROTATION, positions=HELD, record=RecordFacts()))
    assert result.openings_wait
    assert not result.waits
    assert answers(RULE, context(record=None)) == [Answer.NOT_NOW]
