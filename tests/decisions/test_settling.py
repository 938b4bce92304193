from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.decisions.settling import is_past, settled
from executor.model.ledger import Order
from executor.model.market import MarketClock
from executor.model.order import OrderStatus
from executor.model.order_result import InstructionResult, Outcome, Protection
from tests.checks.builders import clock
from tests.decisions.record_builders import NOW, PLAN_DIGEST, fill, line_result, piece, report

CLOSE = datetime.fromisoformat("2026-01-14T21:00:00+00:00")


def order(outcome: Outcome = Outcome.OPEN, **keys: Any) -> Order:
    return Order(
        told=line_result(outcome=outcome, **({"arrival_price": "331"} | keys)),
        plan_digest=PLAN_DIGEST,
        strategy="manual",
        first_result="execution_results/2026-01/result_0.json",
        seen_at=NOW,
    )


def at(moment: datetime) -> MarketClock:
    """The New York hours of the test's week, seen from a moment."""
    return replace(clock(NOW), as_of=moment)


def looked(
    one: Order, moment: datetime = NOW + timedelta(hours=1), **changes: Any
) -> InstructionResult | None:
    return settled(one, report(**changes), at(moment), moment)


def test_an_order_that_filled_is_news() -> None:
    found = looked(order())
    assert found is not None
    assert (found.outcome, found.filled_quantity) == (Outcome.FILLED, Decimal(10))
    assert found.fills == (fill("10", "331.44", NOW + timedelta(seconds=2)),)
    assert found.slippage_bps == Decimal("13.29")
    assert (found.broker_order_id, found.quantity) == ("broker-0", Decimal(10))


def test_only_what_filled_since_is_told() -> None:
    before = order(fills=[fill("4", "330")])
    found = looked(before)
    assert found is not None
    assert [(one.quantity, one.price) for one in found.fills] == [(Decimal(6), Decimal("332.4"))]
    assert found.filled_quantity == Decimal(10)


@given(st.sampled_from(("0", "4")))
def test_nothing_new_is_no_result(filled: str) -> None:
    fills = [fill(filled)] if filled != "0" else []
    same: dict[str, Any] = {"status": OrderStatus.OPEN, "filled_quantity": Decimal(filled)}
    assert looked(order(fills=fills), **same) is None


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (OrderStatus.CANCELED, Outcome.CANCELED),
        (OrderStatus.EXPIRED, Outcome.EXPIRED),
        (OrderStatus.REJECTED, Outcome.REJECTED),
    ],
)
def test_an_order_that_ended_without_a_fill_is_news(status: OrderStatus, outcome: Outcome) -> None:
    found = looked(order(), status=status, filled_quantity=Decimal(0), average_fill_price=None)
    assert found is not None
    assert (found.outcome, found.fills) == (outcome, ())


def test_an_order_that_ended_after_its_fills_is_news_without_one() -> None:
    found = looked(
        order(fills=[fill("4")]), status=OrderStatus.CANCELED, filled_quantity=Decimal(4)
    )
    assert found is not None
    assert (found.outcome, found.fills) == (Outcome.PARTIALLY_FILLED, ())


def test_an_order_without_an_answer_that_turns_up_is_news() -> None:
    unknown = order(Outcome.UNKNOWN, broker_order_id=None, submitted_at=None, side=None)
    found = looked(unknown, status=OrderStatus.OPEN, filled_quantity=Decimal(0))
    assert found is not None
    assert (found.outcome, found.broker_order_id) == (Outcome.OPEN, "broker-0")
    assert found.submitted_at == NOW


def test_what_the_broker_does_not_tell_again_is_kept() -> None:
    known = order(quantity="12", submitted_at=NOW - timedelta(minutes=1))
    found = looked(known, submitted_at=None, quantity=Decimal(99))
    assert found is not None
    assert (found.submitted_at, found.quantity) == (NOW - timedelta(minutes=1), Decimal(12))


def absent(one: Order, moment: datetime) -> InstructionResult | None:
    return settled(one, None, at(moment), moment)


def test_an_order_that_was_never_received_is_known_after_its_session() -> None:
    unknown = order(Outcome.UNKNOWN)
    assert absent(unknown, CLOSE - timedelta(seconds=1)) is None
    found = absent(unknown, CLOSE)
    assert found is not None
    assert (found.outcome, found.fills) == (Outcome.NOT_SENT, ())


@given(st.integers(0, 60 * 24 * 5))
def test_before_its_session_is_over_nothing_is_given_up(minutes: int) -> None:
    moment = NOW + timedelta(minutes=minutes)
    assert (absent(order(Outcome.UNKNOWN), moment) is None) == (moment < CLOSE)


def test_an_order_sent_while_closed_belongs_to_the_next_session() -> None:
    evening = replace(order(Outcome.UNKNOWN), seen_at=CLOSE + timedelta(hours=1))
    assert absent(evening, CLOSE + timedelta(hours=20)) is None
    assert absent(evening, CLOSE + timedelta(hours=24)) is not None


def test_an_order_that_outlives_its_session_is_never_given_up() -> None:
    forever = order(Outcome.UNKNOWN, time_in_force="gtc")
    assert absent(forever, CLOSE + timedelta(days=3)) is None


def test_without_a_calendar_nothing_is_given_up() -> None:
    unknown, moment = order(Outcome.UNKNOWN), CLOSE + timedelta(days=3)
    assert settled(unknown, None, MarketClock(moment, False), moment) is None


def test_an_order_that_the_broker_once_had_is_not_given_up() -> None:
    assert absent(order(Outcome.OPEN), CLOSE + timedelta(days=3)) is None


def test_the_pieces_of_what_filled_are_its_fills() -> None:
    found = settled(order(), report(), at(NOW), NOW, (piece(4, 331), piece(6, "331.7", 1)))
    assert found is not None
    assert [one.quantity for one in found.fills] == [4, 6]


def test_how_the_holding_stood_before_is_not_told_again() -> None:
    stood = Protection(symbol="MU", state="stop", quantity=Decimal(4))
    found = looked(order(protection=(stood,)))
    assert found is not None
    assert found.protection == ()


@given(st.integers(-5, 5), st.sampled_from(Outcome), st.sampled_from(("entry", "stop")))
def test_an_entry_that_rests_is_past_once_its_plan_is_over(
    minutes: int, outcome: Outcome, leg: Any
) -> None:
    until = NOW + timedelta(minutes=minutes)
    one = replace(order(outcome, valid_until=until), leg=leg)
    rests = outcome in (Outcome.OPEN, Outcome.UNKNOWN) and leg == "entry"
    assert is_past(one, NOW) is (rests and minutes < 0)


def test_an_entry_of_a_plan_without_an_end_is_never_past() -> None:
    assert not is_past(order(), NOW + timedelta(days=400))
