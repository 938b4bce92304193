"""From orders and the broker's answers to outcomes: what happened, instruction by instruction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from executor.model.intent import PlannedOrder
from executor.model.numbers import BASIS_POINTS, CENT, ZERO, nanos
from executor.model.order import OrderReport, OrderStatus
from executor.model.plan import TradingInstruction
from executor.model.position import Position, apply_fill, fill_notional
from executor.model.result import (
    ExecutionSummary,
    Fill,
    InstructionResult,
    Outcome,
    Protection,
    Refusal,
)


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
    report: OrderReport, before: Decimal, average_before: Decimal | None, seen_at: datetime
) -> tuple[Fill, ...]:
    """What filled beyond what earlier results hold, at the price that makes the totals agree.

    The broker's order tells the sum and the average only, so the part since is their difference.
    """
    quantity = report.filled_quantity - before
    if quantity <= 0 or report.average_fill_price is None:
        return ()
    spent = fill_notional(report.filled_quantity, report.average_fill_price)
    spent_before = fill_notional(before, average_before) if average_before is not None else ZERO
    price = (
        report.average_fill_price
        if before == 0
        else nanos(max(spent - spent_before, ZERO) / quantity)
    )
    at = report.filled_at or report.updated_at or seen_at
    return (Fill(quantity=quantity, price=price, at=at),)


def from_report(
    planned: PlannedOrder,
    report: OrderReport,
    *,
    arrival: Decimal | None,
    seen_at: datetime,
    earlier: InstructionResult | None = None,
) -> InstructionResult:
    """One instruction's result from the broker's report of its order."""
    before = earlier.filled_quantity if earlier else ZERO
    average_before = earlier.average_fill_price if earlier else None
    fills = new_fills(report, before, average_before, seen_at)
    return InstructionResult(
        **_identity(planned),
        broker_order_id=report.broker_order_id,
        submitted_at=report.submitted_at,
        outcome=outcome_of(report),
        filled_quantity=report.filled_quantity,
        average_fill_price=report.average_fill_price,
        arrival_price=arrival,
        slippage_bps=slippage_bps(planned.side, arrival, report.average_fill_price),
        fills=fills,
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
    return InstructionResult.model_validate(
        {"index": index, "ticker": instruction.ticker, "side": side, "outcome": outcome}
    )


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
        successful=count(Outcome.FILLED),
        failed=count(Outcome.REJECTED, Outcome.NOT_SENT, Outcome.CANCELED, Outcome.EXPIRED),
        partially_filled=count(Outcome.PARTIALLY_FILLED),
        open=count(Outcome.OPEN),
        denied=count(Outcome.DENIED),
        unknown=count(Outcome.UNKNOWN),
    )


def realized_by(
    results: Iterable[InstructionResult], held_before: Mapping[str, Position]
) -> Decimal:
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


def unprotected(
    instruction: TradingInstruction, result: InstructionResult
) -> tuple[Protection, ...]:
    """Name a holding that asked for a stop and has none."""
    if not (instruction.wants_stop and result.filled_quantity):
        return ()
    stop = None
    if instruction.stop_loss_pct is not None and result.average_fill_price is not None:
        left = (100 - instruction.stop_loss_pct) / 100
        stop = (result.average_fill_price * left).quantize(CENT, rounding=ROUND_HALF_UP)
    return (
        Protection(
            symbol=result.ticker,
            state="unprotected",
            quantity=result.filled_quantity,
            stop_price=stop if stop and stop > 0 else None,
            reason="this version places no stops at the broker; watch the price yourself",
        ),
    )
