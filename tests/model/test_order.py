from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.decisions.plan import request_of
from executor.model.order import OrderReport, OrderStatus, Submission
from executor.model.order_result import Refusal
from tests.decisions.record_builders import planned, report

REQUEST = request_of(planned())
REFUSAL = Refusal(status=422, code=None, body="")


@pytest.mark.parametrize("status", list(OrderStatus))
def test_only_an_open_order_may_still_trade(status: OrderStatus) -> None:
    assert status.is_terminal == (status is not OrderStatus.OPEN)


@given(st.integers(1, 100), st.integers(0, 100), st.sampled_from(OrderStatus))
def test_what_is_open_and_what_filled_is_what_was_ordered(
    ordered: int, percent: int, status: OrderStatus
) -> None:
    filled = Decimal(ordered) * percent / 100
    one = report(status=status, quantity=Decimal(ordered), filled_quantity=filled)
    if status is OrderStatus.OPEN:
        assert one.open_quantity + filled == ordered
    else:
        assert one.open_quantity == 0


def test_an_order_by_notional_has_no_open_quantity() -> None:
    assert report(status=OrderStatus.OPEN, quantity=None).open_quantity == 0


def test_an_order_that_stands_alone_has_no_legs() -> None:
    assert report().legs == ()
    assert report().order_class == REQUEST.order_class == "simple"


@pytest.mark.parametrize(
    ("answer", "refusal", "ambiguous"),
    [(report(), None, None), (None, REFUSAL, None), (None, None, "no answer")],
)
def test_a_submission_has_one_outcome(
    answer: OrderReport | None, refusal: Refusal | None, ambiguous: str | None
) -> None:
    found = Submission(REQUEST, answer, refusal, ambiguous)
    assert (found.report, found.refusal, found.ambiguous) == (answer, refusal, ambiguous)


@pytest.mark.parametrize(
    ("answer", "refusal", "ambiguous"),
    [(None, None, None), (report(), REFUSAL, None), (None, REFUSAL, "no answer")],
)
def test_no_outcome_or_two_are_our_mistake(
    answer: OrderReport | None, refusal: Refusal | None, ambiguous: str | None
) -> None:
    with pytest.raises(AssertionError, match="one outcome"):
        Submission(REQUEST, answer, refusal, ambiguous)
