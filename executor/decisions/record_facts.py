"""What the checks may know of the record, from the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from executor.model.facts import RecordFacts
from executor.model.ledger import SENT, Ledger, Order
from executor.model.numbers import ZERO
from executor.model.order import EquityPoint, OrderReport
from executor.model.order_result import Outcome
from executor.model.result import ExecutionResult


def record_facts(
    ledger: Ledger,
    *,
    executed: str | None,
    orders_at_broker: tuple[str, ...],
    session_opened: datetime,
    day_started: datetime | None = None,
    newer: Iterable[OrderReport] = (),
    history: Sequence[EquityPoint] = (),
) -> RecordFacts:
    """Say what the checks may know of the record.

    Args:
        ledger: the fold.
        executed: path of the archived plan with the digest in question, where it was executed.
        orders_at_broker: orders of the plan that the broker knows and no intent explains.
        session_opened: orders since then count as today's.
        day_started: the last close, which the broker's equity of the day's start is of; absent, the
            session's open.
        newer: what the broker says now of orders that the record left open or that this run sent;
            a commit explains them, so their fills are no difference.
        history: the broker's own equity, at the close of each session.
    """
    positions = {symbol: one.quantity for symbol, one in ledger.positions.items()}
    for report in newer:
        booked = ledger.orders.get(report.client_order_id)
        filled = report.filled_quantity - (booked.told.filled_quantity if booked else ZERO)
        signed = filled if report.side == "buy" else -filled
        positions[report.symbol] = positions.get(report.symbol, ZERO) + signed
    # A stop that was put back is no further order of a plan.
    entries = [one for one in ledger.orders.values() if one.leg == "entry"]
    today = [one for one in entries if _since(one, session_opened)]
    bought: dict[tuple[str, str], int] = {}
    for one in today:
        if one.told.side == "buy":
            key = (one.strategy, one.told.ticker)
            bought[key] = bought.get(key, 0) + 1
    return RecordFacts(
        executed=executed,
        orders_at_broker=orders_at_broker,
        positions={symbol: quantity for symbol, quantity in positions.items() if quantity},
        known_orders=frozenset(ledger.orders) | frozenset(ledger.acknowledged),
        observed=tuple(ledger.observed.values()),
        lots=tuple(ledger.lots.values()),
        orders_today=len(today),
        entries_today=bought,
        stop_outs=ledger.stop_outs,
        peak_equity=_peak(ledger, history),
        transferred_today=ledger.transferred_since(day_started or session_opened),
        unresolved=tuple(
            key for key, one in ledger.orders.items() if one.told.outcome is Outcome.UNKNOWN
        ),
    )


def _peak(ledger: Ledger, history: Sequence[EquityPoint]) -> Decimal | None:
    """USD: the highest equity of record and broker, as if today's capital had been there then."""
    broker = (one.equity + ledger.transferred_since(one.at) for one in history)
    known = [one for one in (ledger.peak_equity, *broker) if one is not None]
    return max(known, default=None)


def _since(order: Order, opened: datetime) -> bool:
    submitted = order.told.submitted_at
    return submitted is not None and submitted >= opened


def executed_as(results: Iterable[tuple[str, ExecutionResult]], plan_digest: str) -> str | None:
    """Path of the archived plan that completed, or had an order sent, under a digest."""
    for path, result in results:
        if result.plan_digest != plan_digest or result.kind != "execution":
            continue
        sent = any(one.outcome in SENT for one in result.instructions)
        if sent or result.plan_status == "completed":
            return result.archived_as or path
    return None
