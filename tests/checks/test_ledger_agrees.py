from __future__ import annotations

from decimal import Decimal

import pytest

from executor.checks.ledger_agrees import RULE
from executor.model.facts import RecordFacts
from executor.model.order import OrderStatus
from executor.model.order_id import client_order_id
from executor.model.plan import TradingInstructionSet
from executor.model.result import Observed
from executor.model.verdict import Answer
from tests.checks.builders import (
    answers,
    context,
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
    assert verdict.remedy == (
        "cancel them at the broker, or take them over (`autoinvestor ack other-1 --book BOOK`)"
    )


def test_what_was_observed_denies_the_openings_until_it_is_acknowledged() -> None:
    seen = Observed(kind="order", key="other-1", symbol="MU", side="buy", status="filled")
    cash = Observed(kind="cash", key="CASH", quantity=Decimal("12.5"), status="held")
    record = RecordFacts(positions={}, observed=(seen, cash))
    result = judged(RULE, context(record=record))
    assert result.denied == {0}
    [verdict] = result.verdicts
    assert verdict.observed == (
        "observed at the broker, and nobody has acknowledged it: other-1 (order), CASH (cash)"
    )
    assert verdict.remedy == "look what it is, then `autoinvestor ack other-1 --book BOOK`"


def test_shares_are_taken_over_one_by_one_or_with_the_account() -> None:
    known = RecordFacts(positions={}, known_orders=frozenset({"ai-1"}))
    for record in (known, RecordFacts(positions={"AMD": Decimal(3)})):
        positions = holding(position(), position("AMD", "3", "221.08"))
        found = judged(RULE, context(positions=positions, record=record)).verdicts[0]
        named = "MU" if record.positions else "AMD"
        assert f"`autoinvestor ack {named} --book BOOK`" in (found.remedy or "")
    new = only(RULE, context(positions=HELD, record=RecordFacts(positions={})))
    assert new.remedy == (
        "take over what the account held before the first plan (`autoinvestor adopt`)"
    )


def test_our_own_stops_are_explained_whoever_wrote_them_down() -> None:
    entry = client_order_id("local", "c" * 64, 0)
    stop = client_order_id("local", "c" * 64, 0, "stop", 2)
    told = (protective(client_order_id=stop),)
    by_order = RecordFacts(positions={}, known_orders=frozenset({entry}))
    by_lot = RecordFacts(positions={}, lots=(lot(),))
    for record in (by_order, by_lot):
        assert answers(RULE, context(open_orders=told, record=record)) == [Answer.YES]
    assert answers(RULE, context(open_orders=told)) == [Answer.NO]
    assert answers(RULE, context(open_orders=told, protective=frozenset({stop}))) == [Answer.YES]
    own = context(open_orders=told, own_orders=frozenset({entry}))
    assert answers(RULE, own) == [Answer.YES]
    strange = (protective(client_order_id=client_order_id("other", "c" * 64, 0, "stop")),)
    assert answers(RULE, context(open_orders=strange, record=by_order)) == [Answer.NO]


def test_a_leg_is_explained_with_the_order_that_it_hangs_on() -> None:
    leg = protective(client_order_id="of-the-broker", broker_status="held")
    entry = order("MU", "buy", client_order_id="known", legs=(leg,))
    record = RecordFacts(positions={}, known_orders=frozenset({"known"}))
    for orders in ((entry,), (entry, leg)):
        assert answers(RULE, context(open_orders=orders, record=record)) == [Answer.YES]
    assert answers(RULE, context(open_orders=(leg,), record=record)) == [Answer.NO]


@pytest.mark.parametrize(
    ("the_plan", "waits"),
    [
        (plan(line("CANCEL", client_order_id="other-1")), False),
        (plan(trading_state={"state": "ACTIVE", "reason": "found"}, instructions=[]), False),
        (plan(line("PROTECT", stop_price="300")), True),
        (plan(line("SELL")), True),
    ],
)
def test_an_empty_answer_holds_back_neither_a_cancel_nor_a_resume(
    the_plan: TradingInstructionSet, waits: bool
) -> None:
    assert judged(RULE, context(the_plan, positions={}, record=AGREES)).waits is waits


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
