"""From orders and the broker's answers to outcomes: what happened, instruction by instruction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from executor.decisions.plan import stop_terms
from executor.model.activity import Activity
from executor.model.intent import PlannedOrder
from executor.model.numbers import BASIS_POINTS, CENT, ZERO, nanos
from executor.model.order import OrderReport, OrderStatus
from executor.model.order_result import Fill, InstructionResult, OrderResult, Outcome, Refusal
from executor.model.plan import TradingInstruction
from executor.model.position import Position, apply_fill, fill_notional
from executor.model.result import ExecutionSummary

PIECES_MAX: Final = 200
"""Fills of one order that a result tells one by one; more are told as their sum."""


def outcome_of(report: OrderReport) -> Outcome:
    """Read an order's outcome from its report; an ended order that holds fills is partial."""
    if report.status is OrderStatus.FILLED:
        return Outcome.FILLED
    if report.status is OrderStatus.OPEN:
        return Outcome.OPEN
    if report.filled_quantity:
        return Outcome.PARTIALLY_FILLED
    return {
        OrderStatus.CANCELED: Outcome.CANCELED,
        OrderStatus.REPLACED: Outcome.CANCELED,
        OrderStatus.EXPIRED: Outcome.EXPIRED,
        OrderStatus.REJECTED: Outcome.REJECTED,
    }[report.status]


def slippage_bps(side: str, arrival: Decimal | None, fill: Decimal | None) -> Decimal | None:
    """Basis points by which a fill is worse than the price at its sending; negative is better."""
    if not arrival or fill is None:
        return None
    worse = fill - arrival if side == "buy" else arrival - fill
    return (worse / arrival * BASIS_POINTS).quantize(CENT, rounding=ROUND_HALF_UP)


def new_fills(
    report: OrderReport,
    before: Decimal,
    average_before: Decimal | None,
    seen_at: datetime,
    pieces: Sequence[Activity] = (),
) -> tuple[Fill, ...]:
    """What filled beyond what earlier results hold.

    The broker's order tells the sum and the average only, so the part since is their difference, at
    the price that makes the totals agree. Where the broker's activities tell every piece of it,
    they are taken as they are: cash then agrees to the cent, as each piece is rounded by itself.

    Args:
        report: the order.
        before: shares that earlier results hold.
        average_before: USD a share of these.
        seen_at: the present, for an order without any time of its own.
        pieces: FILL activities of the order, the oldest first.
    """
    quantity = report.filled_quantity - before
    if quantity <= 0 or report.average_fill_price is None:
        return ()
    exact = _pieces_since(pieces, before, report.filled_quantity)
    if exact and len(exact) <= PIECES_MAX:
        return exact
    spent = fill_notional(report.filled_quantity, report.average_fill_price)
    spent_before = fill_notional(before, average_before) if average_before is not None else ZERO
    price = (
        report.average_fill_price
        if before == 0
        else nanos(max(spent - spent_before, ZERO) / quantity)
    )
    at = report.filled_at or report.updated_at or seen_at
    return (Fill(quantity=quantity, price=price, at=at),)


def _pieces_since(pieces: Sequence[Activity], before: Decimal, filled: Decimal) -> tuple[Fill, ...]:
    """The pieces after the first `before` shares; none where they do not add up to the whole."""
    told, since = ZERO, []
    for one in pieces:
        if not one.quantity or one.quantity < 0 or one.price is None or one.price < 0:
            return ()
        told += one.quantity
        if told > before:
            since.append(Fill(quantity=one.quantity, price=one.price, at=one.at))
    new = sum((one.quantity for one in since), ZERO)
    return tuple(since) if told == filled and new == filled - before else ()


def from_report(
    planned: PlannedOrder,
    report: OrderReport,
    *,
    arrival: Decimal | None,
    seen_at: datetime,
    pieces: Sequence[Activity] = (),
) -> InstructionResult:
    """One instruction's result from the broker's report of its order."""
    return InstructionResult(
        **_identity(planned),
        broker_order_id=report.broker_order_id,
        submitted_at=report.submitted_at,
        outcome=outcome_of(report),
        filled_quantity=report.filled_quantity,
        average_fill_price=report.average_fill_price,
        arrival_price=arrival,
        slippage_bps=slippage_bps(planned.side, arrival, report.average_fill_price),
        fills=new_fills(report, ZERO, None, seen_at, pieces),
    )


def without_report(
    planned: PlannedOrder,
    outcome: Outcome,
    *,
    arrival: Decimal | None = None,
    refusal: Refusal | None = None,
) -> InstructionResult:
    """One instruction's result where the broker holds no order for it, or nobody knows."""
    assert outcome in (Outcome.REJECTED, Outcome.NOT_SENT, Outcome.UNKNOWN), "no report, no fill"
    return InstructionResult(
        **_identity(planned), outcome=outcome, arrival_price=arrival, refusal=refusal
    )


def never_planned(
    index: int, instruction: TradingInstruction, outcome: Outcome
) -> InstructionResult:
    """One instruction's result where no order was made of it."""
    side = {"BUY": "buy", "SELL": "sell"}.get(instruction.action)
    told = {"index": index, "ticker": instruction.ticker, "side": side, "outcome": outcome}
    if instruction.action == "PROTECT" and outcome is Outcome.DONE:
        told["stop"] = stop_terms(instruction)
    return InstructionResult.model_validate(told)


def _identity(planned: PlannedOrder) -> dict[str, Any]:
    return {
        "index": planned.index,
        "ticker": planned.symbol,
        "side": planned.side,
        "quantity": planned.quantity,
        "notional": planned.notional,
        "order_type": planned.order_type,
        "limit_price": planned.limit_price,
        "stop_price": planned.stop_price,
        "trail_percent": planned.trail_percent,
        "order_class": None if planned.order_class == "simple" else planned.order_class,
        "time_in_force": planned.time_in_force,
        "client_order_id": planned.client_order_id,
    }


def summarize(results: Iterable[InstructionResult]) -> ExecutionSummary:
    """Count outcomes; every instruction counts once."""
    outcomes = [one.outcome for one in results]

    def count(*wanted: Outcome) -> int:
        return sum(outcome in wanted for outcome in outcomes)

    return ExecutionSummary(
        total_instructions=len(outcomes),
        successful=count(Outcome.FILLED, Outcome.DONE),
        failed=count(Outcome.REJECTED, Outcome.NOT_SENT, Outcome.CANCELED, Outcome.EXPIRED),
        partially_filled=count(Outcome.PARTIALLY_FILLED),
        open=count(Outcome.OPEN),
        denied=count(Outcome.DENIED),
        unknown=count(Outcome.UNKNOWN),
    )


def realized_by(results: Iterable[OrderResult], held_before: Mapping[str, Position]) -> Decimal:
    """USD of profit or loss that the fills of these results closed, at average cost."""
    positions = dict(held_before)
    realized = ZERO
    for one in results:
        for fill in one.fills:
            assert one.side is not None, "a fill has a side"
            held = positions.get(one.ticker, Position(one.ticker))
            effect = apply_fill(held, one.side, fill.quantity, fill.price)
            positions[one.ticker] = effect.position
            realized += effect.realized_pl
    return realized
