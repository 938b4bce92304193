"""Orders that stand beside a plan's own: what protects a holding, and what a run ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from executor.decisions.protection import Role
from executor.decisions.reconcile import new_fills, outcome_of, slippage_bps
from executor.model.activity import Activity
from executor.model.ledger import Order
from executor.model.numbers import ZERO
from executor.model.order import OrderReport, OrderRequest
from executor.model.order_result import LegResult, OrderResult, Outcome, Refusal


def leg_result(
    role: Role,
    report: OrderReport,
    *,
    seen_at: datetime,
    strategy: str | None,
    earlier: OrderResult | None = None,
    pieces: Sequence[Activity] = (),
) -> LegResult:
    """What became of an order that protects, or of an earlier plan's order.

    Args:
        role: what it stands for.
        report: the broker's account of it.
        seen_at: the present.
        strategy: the book that owns it.
        earlier: what the record says of it so far.
        pieces: its FILL activities.
    """
    before = earlier.filled_quantity if earlier else ZERO
    average_before = earlier.average_fill_price if earlier else None
    priced = report.stop_price or report.limit_price
    return LegResult(
        index=role.key.index,
        leg=role.leg,
        plan_digest=role.key.plan_digest,
        parent=role.parent,
        strategy=strategy or None,
        ticker=report.symbol,
        side=report.side,
        quantity=report.quantity,
        notional=report.notional,
        order_type=report.order_type,
        order_class=None if report.order_class in ("simple", "") else report.order_class,
        limit_price=report.limit_price,
        stop_price=report.stop_price,
        trail_percent=report.trail_percent,
        time_in_force=report.time_in_force,
        client_order_id=report.client_order_id,
        broker_order_id=report.broker_order_id,
        submitted_at=report.submitted_at or (earlier.submitted_at if earlier else None),
        outcome=outcome_of(report),
        filled_quantity=report.filled_quantity,
        average_fill_price=report.average_fill_price,
        arrival_price=earlier.arrival_price if earlier else priced,
        slippage_bps=slippage_bps(
            report.side, earlier.arrival_price if earlier else priced, report.average_fill_price
        ),
        fills=new_fills(report, before, average_before, seen_at, pieces),
    )


def unsent_leg(
    role: Role,
    request: OrderRequest,
    outcome: Outcome,
    *,
    strategy: str | None,
    refusal: Refusal | None = None,
) -> LegResult:
    """A protective order that the broker refused, or of which nobody knows."""
    return LegResult(
        index=role.key.index,
        leg=role.leg,
        plan_digest=role.key.plan_digest,
        strategy=strategy or None,
        ticker=request.symbol,
        side=request.side,
        quantity=request.quantity,
        order_type=request.order_type,
        order_class=None if request.order_class == "simple" else request.order_class,
        limit_price=request.limit_price or request.take_profit_price,
        stop_price=request.stop_price or request.stop_loss_price,
        trail_percent=request.trail_percent,
        time_in_force=request.time_in_force,
        client_order_id=request.client_order_id,
        outcome=outcome,
        refusal=refusal,
    )


def never_arrived(order: Order) -> LegResult:
    """A protective order without an answer of which the broker knows nothing: it is none."""
    told = {name: getattr(order.told, name) for name in OrderResult.model_fields}
    return LegResult(
        **{**told, "outcome": Outcome.NOT_SENT},
        leg=order.leg,
        plan_digest=order.plan_digest,
        parent=order.parent,
        strategy=order.strategy or None,
    )


def is_news(told: OrderResult, earlier: OrderResult | None) -> bool:
    """True where a result says more of an order than the record does."""
    if earlier is None or told.fills:
        return True
    if told.outcome is not earlier.outcome or told.broker_order_id != earlier.broker_order_id:
        return True
    before = earlier.refusal
    return told.refusal is not None and (before is None or told.refusal.code != before.code)
