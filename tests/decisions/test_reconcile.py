from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.decisions.ledger import fold
from executor.decisions.reconcile import (
    PIECES_MAX,
    from_report,
    never_planned,
    new_fills,
    outcome_of,
    realized_by,
    slippage_bps,
    summarize,
    without_report,
)
from executor.model.account import Mode
from executor.model.activity import Activity
from executor.model.order import OrderReport, OrderStatus
from executor.model.order_result import Fill, InstructionResult, Outcome, Refusal, StopTerms
from executor.model.plan import TradingInstruction
from executor.model.position import Position, fill_notional
from tests.checks.builders import line
from tests.decisions.record_builders import (
    NOW,
    fill,
    line_result,
    numbered,
    piece,
    planned,
    report,
    result,
)

ZERO = Decimal(0)
PRICES = st.decimals(Decimal("0.0001"), 10**4, places=4)


@pytest.mark.parametrize(
    ("status", "without", "with_a_fill"),
    [
        (OrderStatus.OPEN, Outcome.OPEN, Outcome.OPEN),
        (OrderStatus.FILLED, Outcome.FILLED, Outcome.FILLED),
        (OrderStatus.CANCELED, Outcome.CANCELED, Outcome.PARTIALLY_FILLED),
        (OrderStatus.REPLACED, Outcome.CANCELED, Outcome.PARTIALLY_FILLED),
        (OrderStatus.EXPIRED, Outcome.EXPIRED, Outcome.PARTIALLY_FILLED),
        (OrderStatus.REJECTED, Outcome.REJECTED, Outcome.PARTIALLY_FILLED),
    ],
)
def test_an_outcome_follows_from_status_and_fills(
    status: OrderStatus, without: Outcome, with_a_fill: Outcome
) -> None:
    assert outcome_of(report(status=status, filled_quantity=ZERO)) is without
    assert outcome_of(report(status=status, filled_quantity=Decimal(3))) is with_a_fill


def test_every_status_has_an_outcome() -> None:
    assert {outcome_of(report(status=one)) for one in OrderStatus} <= set(Outcome)


@given(st.sampled_from(("buy", "sell")), PRICES, PRICES)
def test_slippage_is_positive_where_the_fill_is_worse(
    side: str, arrival: Decimal, price: Decimal
) -> None:
    found = slippage_bps(side, arrival, price)
    assert found is not None
    worse = price > arrival if side == "buy" else price < arrival
    assert found > 0 if worse and found else found <= 0
    assert slippage_bps("sell" if side == "buy" else "buy", arrival, price) == -found


def test_slippage_is_told_in_basis_points_of_the_arrival_price() -> None:
    assert slippage_bps("buy", Decimal(100), Decimal("100.25")) == Decimal("25.00")
    assert slippage_bps("sell", Decimal(100), Decimal("100.25")) == Decimal("-25.00")


@pytest.mark.parametrize(
    ("arrival", "price"), [(None, Decimal(1)), (ZERO, Decimal(1)), (Decimal(1), None)]
)
def test_without_a_price_there_is_no_slippage(
    arrival: Decimal | None, price: Decimal | None
) -> None:
    assert slippage_bps("buy", arrival, price) is None


@st.composite
def histories(draw: st.DrawFn) -> list[OrderReport]:
    """One order as it fills, look by look: sum and average over its executions so far."""
    side = draw(st.sampled_from(("buy", "sell")))
    executions = draw(
        st.lists(
            st.tuples(st.decimals(Decimal("0.000000001"), 10**4, places=9), PRICES),
            min_size=1,
            max_size=6,
        )
    )
    order = planned(side=side, quantity=sum(quantity for quantity, _ in executions))
    looks = []
    quantity = spent = ZERO
    for at, (more, price) in enumerate(executions):
        quantity, spent = quantity + more, spent + more * price
        average = (spent / quantity).quantize(Decimal("0.000001"))
        if draw(st.booleans()) or at == len(executions) - 1:
            looks.append(
                report(
                    order,
                    filled_quantity=quantity,
                    average_fill_price=average,
                    status=OrderStatus.OPEN,
                )
            )
    return looks


def followed(looks: list[OrderReport], pieces: Sequence[Activity] = ()) -> list[InstructionResult]:
    """What each look at an order adds, as an execution and its settlements tell it."""
    results: list[InstructionResult] = []
    order = planned(side=looks[-1].side, quantity=looks[-1].quantity)
    for one in looks:
        before = results[-1] if results else None
        told = from_report(order, one, arrival=None, seen_at=NOW)
        fills = new_fills(
            one,
            before.filled_quantity if before else ZERO,
            before.average_fill_price if before else None,
            NOW,
            [piece for piece in pieces if piece.at <= (one.filled_at or NOW)],
        )
        results.append(told.model_copy(update={"fills": fills}))
    return results


@given(histories())
def test_following_an_order_adds_up_to_what_the_broker_says(looks: list[OrderReport]) -> None:
    ledger = fold(numbered([result(one) for one in followed(looks)]), Mode.SIM)
    last = looks[-1]
    assert last.average_fill_price is not None
    total = fill_notional(last.filled_quantity, last.average_fill_price)
    sign = -1 if last.side == "buy" else 1
    assert abs(ledger.cash_change - sign * total) <= monotone_excess(looks)
    held = ledger.positions["MU"].quantity if ledger.positions else ZERO
    assert held == -sign * last.filled_quantity


def monotone_excess(looks: list[OrderReport]) -> Decimal:
    """USD by which rounded averages ran backwards: money that was spent does not come back."""
    spent = [fill_notional(one.filled_quantity, one.average_fill_price or ZERO) for one in looks]
    return sum((max(one - after, ZERO) for one, after in itertools.pairwise(spent)), ZERO)


# Pieces: the broker's FILL activities.


@st.composite
def pieced(draw: st.DrawFn) -> tuple[list[OrderReport], list[Activity]]:
    """An order as it fills, its looks, and every execution of it."""
    executions = draw(
        st.lists(
            st.tuples(st.decimals(Decimal("0.000000001"), 10**4, places=9), PRICES),
            min_size=1,
            max_size=6,
        )
    )
    pieces = [piece(quantity, price, at) for at, (quantity, price) in enumerate(executions)]
    order = planned(quantity=sum(quantity for quantity, _ in executions))
    looks = []
    quantity = spent = ZERO
    for at, (more, price) in enumerate(executions):
        quantity, spent = quantity + more, spent + more * price
        if draw(st.booleans()) or at == len(executions) - 1:
            average = (spent / quantity).quantize(Decimal("0.000001"))
            looks.append(
                report(
                    order,
                    filled_quantity=quantity,
                    average_fill_price=average,
                    filled_at=NOW + timedelta(minutes=at),
                )
            )
    return looks, pieces


@given(pieced())
def test_with_its_pieces_an_order_is_booked_to_the_cent(
    order: tuple[list[OrderReport], list[Activity]],
) -> None:
    looks, pieces = order
    results = followed(looks, pieces)
    fills = [each for one in results for each in one.fills]
    assert [(one.quantity, one.price, one.at) for one in fills] == [
        (one.quantity, one.price, one.at) for one in pieces
    ]
    ledger = fold(numbered([result(one) for one in results]), Mode.SIM)
    assert ledger.cash_change == -sum(
        fill_notional(one.quantity or ZERO, one.price or ZERO) for one in pieces
    )


WHOLE = (fill("10", "331.44", NOW + timedelta(seconds=2)),)


def fills_of(*pieces: Activity, before: object = 0, **changes: Any) -> tuple[Fill, ...]:
    return new_fills(report(**changes), Decimal(str(before)), Decimal(330), NOW, pieces)


@pytest.mark.parametrize(
    "pieces",
    [
        (piece(4, 331),),
        (piece(4, 331), piece(7, 331, 1)),
        (piece(4, 331), piece(None, 331, 1)),
        (piece(4, 331), piece(-6, 331, 1), piece(6, 331, 1), piece(6, 331, 1)),
        (piece(4, 331), piece(6, None, 1)),
        (piece(4, 331), piece(6, -1, 1)),
        (piece(4, 331), piece(0, 331, 1), piece(6, 331, 1)),
    ],
    ids=["too few", "too many", "no size", "a negative size", "no price", "below 0", "size 0"],
)
def test_pieces_that_do_not_add_up_are_not_believed(pieces: tuple[Activity, ...]) -> None:
    assert fills_of(*pieces) == WHOLE


def test_a_piece_that_an_earlier_result_told_in_part_is_not_cut() -> None:
    (rest,) = fills_of(piece(6, 331), piece(4, 332, 1), before=4)
    assert rest.quantity == 6
    assert rest.price != 331


def test_pieces_after_what_is_known_are_taken_as_they_are() -> None:
    found = fills_of(piece(4, 330), piece(5, 332, 1), piece(1, "332.5", 2), before=4)
    assert [one.quantity for one in found] == [5, 1]
    assert [one.price for one in found] == [332, Decimal("332.5")]
    assert found[0].at == NOW + timedelta(minutes=1)


def test_very_many_pieces_are_told_as_their_sum() -> None:
    many = [piece("0.05", 331, at) for at in range(PIECES_MAX)]
    assert len(fills_of(*many)) == PIECES_MAX
    more = [piece("0.04", 331, at) for at in range(250)]
    assert fills_of(*more) == WHOLE


def test_a_fill_without_an_average_price_waits_for_one() -> None:
    assert fills_of(average_fill_price=None) == ()


def test_only_what_is_new_is_a_fill() -> None:
    whole = report()
    assert new_fills(whole, ZERO, None, NOW) == (fill("10", "331.44", NOW + timedelta(seconds=2)),)
    assert new_fills(whole, Decimal(10), Decimal("331.44"), NOW) == ()
    (rest,) = new_fills(whole, Decimal(4), Decimal(330), NOW)
    assert (rest.quantity, rest.price) == (Decimal(6), Decimal("332.4"))
    assert new_fills(report(filled_quantity=ZERO), ZERO, None, NOW) == ()


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({}, NOW + timedelta(seconds=2)),
        ({"filled_at": None}, NOW + timedelta(seconds=3)),
        ({"filled_at": None, "updated_at": None}, NOW + timedelta(minutes=1)),
    ],
)
def test_a_fill_is_of_the_time_that_the_broker_tells(changes: dict[str, Any], at: object) -> None:
    (found,) = new_fills(report(**changes), ZERO, None, NOW + timedelta(minutes=1))
    assert found.at == at


def test_a_report_becomes_a_result() -> None:
    order = planned(3, order_type="limit", limit_price="332")
    found = from_report(order, report(order), arrival=Decimal("331.40"), seen_at=NOW)
    assert found.model_dump(exclude={"fills"}) == line_result(
        3,
        quantity="10",
        limit_price="332",
        order_type="limit",
        broker_order_id="broker-3",
        arrival_price="331.40",
        average_fill_price="331.44",
        slippage_bps="1.21",
    ).model_copy(update={"filled_quantity": Decimal(10)}).model_dump(exclude={"fills"})
    assert [one.quantity for one in found.fills] == [Decimal(10)]


def test_without_a_report_there_is_no_fill() -> None:
    refusal = Refusal(status=403, code=40310000, body="{}")
    refused = without_report(planned(), Outcome.REJECTED, arrival=Decimal(331), refusal=refusal)
    assert (refused.refusal, refused.arrival_price) == (refusal, Decimal(331))
    assert refused.quantity == Decimal(10)
    assert without_report(planned(), Outcome.UNKNOWN).fills == ()
    with pytest.raises(AssertionError, match="no report, no fill"):
        without_report(planned(), Outcome.FILLED)


@pytest.mark.parametrize(
    ("action", "side"), [("BUY", "buy"), ("SELL", "sell"), ("CANCEL", None), ("PROTECT", None)]
)
def test_a_line_that_became_no_order_has_no_id(action: str, side: str | None) -> None:
    asked = TradingInstruction.model_validate(line(action))
    found = never_planned(2, asked, Outcome.DENIED)
    assert (found.index, found.ticker, found.side, found.outcome) == (2, "MU", side, Outcome.DENIED)
    assert found.client_order_id is None


@pytest.mark.parametrize("outcome", [Outcome.DONE, Outcome.NOT_SENT])
def test_a_protect_that_was_carried_out_tells_what_it_asked_for(outcome: Outcome) -> None:
    asked = TradingInstruction.model_validate(line("PROTECT", stop_price="300"))
    terms = StopTerms(stop_price=Decimal(300))
    expected = terms if outcome is Outcome.DONE else None
    assert never_planned(0, asked, outcome).stop == expected
    cancel = TradingInstruction.model_validate(line("CANCEL", client_order_id="one"))
    assert never_planned(0, cancel, outcome).stop is None


@given(st.lists(st.sampled_from(Outcome)))
def test_the_counts_sum_to_the_total(outcomes: list[Outcome]) -> None:
    summary = summarize(line_result(at, outcome=one) for at, one in enumerate(outcomes))
    counts = summary.model_dump()
    assert counts.pop("total_instructions") == len(outcomes) == sum(counts.values())
    assert summary.successful == sum(one in (Outcome.FILLED, Outcome.DONE) for one in outcomes)
    assert summary.unknown == outcomes.count(Outcome.UNKNOWN)


def test_what_fills_closed_is_counted_at_average_cost() -> None:
    held = {"MU": Position("MU", Decimal(10), Decimal(3000))}
    sale = line_result(side="sell", fills=[fill("4", "320"), fill("1", "310")])
    entry = line_result(1, ticker="AMD", fills=[fill("1", "200")])
    later = line_result(2, ticker="AMD", side="sell", fills=[fill("1", "190")])
    assert realized_by([sale], held) == Decimal("90.00")
    assert realized_by([sale, entry, later], held) == Decimal("80.00")
    assert held == {"MU": Position("MU", Decimal(10), Decimal(3000))}
    assert realized_by([], held) == 0
