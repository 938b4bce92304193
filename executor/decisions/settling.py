"""What is new about an order that an earlier result left open."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from executor.decisions.reconcile import new_fills, outcome_of, slippage_bps
from executor.model.activity import Activity
from executor.model.ledger import Order
from executor.model.market import MarketClock
from executor.model.order import OrderReport
from executor.model.order_result import InstructionResult, Outcome


def settled(
    order: Order,
    report: OrderReport | None,
    clock: MarketClock,
    now: datetime,
    pieces: Sequence[Activity] = (),
) -> InstructionResult | None:
    """The newer result of a plan's own order; None where nothing is new.

    A DAY order whose submission had no answer, and that the broker does not know after its session
    has ended, was never received.
    """
    earlier = order.told
    assert isinstance(earlier, InstructionResult), "an order of a plan has an instruction"
    if report is None:
        never = earlier.outcome is Outcome.UNKNOWN and _session_is_over(order, clock)
        return (
            earlier.model_copy(update={"outcome": Outcome.NOT_SENT, "fills": ()}) if never else None
        )
    outcome = outcome_of(report)
    fills = new_fills(report, earlier.filled_quantity, earlier.average_fill_price, now, pieces)
    if outcome is earlier.outcome and not fills:
        return None
    side = earlier.side or report.side
    return earlier.model_copy(
        update={
            "broker_order_id": report.broker_order_id,
            "submitted_at": report.submitted_at or earlier.submitted_at,
            "quantity": earlier.quantity or report.quantity,
            "outcome": outcome,
            "filled_quantity": report.filled_quantity,
            "average_fill_price": report.average_fill_price,
            "slippage_bps": slippage_bps(side, earlier.arrival_price, report.average_fill_price),
            "fills": fills,
            "protection": (),
        }
    )


def is_past(order: Order, now: datetime) -> bool:
    """True for an entry that rests although its plan is over: it is withdrawn."""
    until = order.valid_until
    return order.leg == "entry" and order.is_open and until is not None and now > until


def _session_is_over(order: Order, clock: MarketClock) -> bool:
    """True where the session in which the order was sent has closed, by the broker's calendar."""
    if order.told.time_in_force != "day":
        return False
    sent_in = [one for one in clock.sessions if one.closes > order.seen_at]
    return bool(sent_in) and clock.as_of >= sent_in[0].closes
