"""The ledger: positions, cash and open orders, folded from the results of one mode and account.

The sim account, the checks and the audit read the same fold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from executor.model.account import Mode
from executor.model.facts import RecordFacts
from executor.model.numbers import ZERO
from executor.model.order import OrderReport
from executor.model.position import Position, apply_fill
from executor.model.result import ExecutionResult, InstructionResult, Outcome

STILL_OPEN = frozenset({Outcome.OPEN, Outcome.UNKNOWN})
"""Outcomes that a later result may change."""

SENT = frozenset(Outcome) - {Outcome.DENIED, Outcome.NOT_SENT}
"""Outcomes of orders that may have reached the broker."""


@dataclass(frozen=True, slots=True)
class Order:
    """One order of the record, as its newest result tells it."""

    instruction: InstructionResult
    plan_digest: str
    strategy: str
    first_result: str
    """The execution result that it comes from."""
    seen_at: datetime
    """When the newest result about it was written."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the results add up to."""

    cash_change: Decimal = ZERO
    """USD that all fills moved, to the cent."""
    realized_pl: Decimal = ZERO
    """USD that all fills closed."""
    positions: Mapping[str, Position] = field(default_factory=dict)
    """Holdings by symbol; a closed one is absent."""
    orders: Mapping[str, Order] = field(default_factory=dict)
    """Every order that may have reached the broker, by client order id."""
    peak_equity: Decimal | None = None
    """USD: the highest equity of any result since the peak was last rebased."""
    through: str | None = None
    """The last result that is included."""
    as_of: datetime | None = None
    """When that one was written."""

    @property
    def unknown(self) -> int:
        """Orders that were sent and cannot be found."""
        return sum(one.instruction.outcome is Outcome.UNKNOWN for one in self.orders.values())

    @property
    def open_orders(self) -> tuple[Order, ...]:
        """Orders that a later result may change."""
        return tuple(one for one in self.orders.values() if one.instruction.outcome in STILL_OPEN)


def fold(
    results: Iterable[tuple[str, ExecutionResult]], mode: Mode, account: str | None = None
) -> Ledger:
    """Add up results in the order of the chain, those of one mode (and account) only.

    Args:
        results: path and result, first to newest.
        mode: other modes' results are passed over.
        account: last four characters as `…1234`; None takes every account of the mode.
    """
    cash = realized = ZERO
    positions: dict[str, Position] = {}
    orders: dict[str, Order] = {}
    peak: Decimal | None = None
    through: str | None = None
    as_of: datetime | None = None
    for path, result in results:
        if result.mode is not mode or (account is not None and result.account != account):
            continue
        through, as_of = path, result.timestamp
        for instruction in result.instructions:
            for fill in instruction.fills:
                assert instruction.side is not None, f"{path}: a fill has a side"
                held = positions.get(instruction.ticker, Position(instruction.ticker))
                effect = apply_fill(held, instruction.side, fill.quantity, fill.price)
                positions[instruction.ticker] = effect.position
                cash += effect.cash_change
                realized += effect.realized_pl
            key = instruction.client_order_id
            if key is not None and instruction.outcome in SENT:
                orders[key] = _order(path, result, instruction)
            elif key is not None:
                # An order that had no answer, and of which it is known now that it never arrived.
                orders.pop(key, None)
        equity = result.final_portfolio.total_value
        peak = equity if peak is None else max(peak, equity)
        if result.state is not None and result.state.peak_equity_rebased_at is not None:
            peak = equity
    return Ledger(
        cash_change=cash,
        realized_pl=realized,
        positions={symbol: one for symbol, one in sorted(positions.items()) if one.quantity},
        orders=orders,
        peak_equity=peak,
        through=through,
        as_of=as_of,
    )


def _order(path: str, result: ExecutionResult, instruction: InstructionResult) -> Order:
    return Order(
        instruction=instruction,
        plan_digest=result.plan_digest or "",
        strategy=result.strategy or "",
        first_result=result.first_result or path,
        seen_at=result.timestamp,
    )


def record_facts(
    ledger: Ledger,
    *,
    executed: str | None,
    orders_at_broker: tuple[str, ...],
    session_opened: datetime,
    newer: Iterable[OrderReport] = (),
) -> RecordFacts:
    """Say what the checks may know of the record.

    Args:
        ledger: the fold.
        executed: path of the archived plan with the digest in question, where it was executed.
        orders_at_broker: orders of the plan that the broker knows and no intent explains.
        session_opened: orders since then count as today's.
        newer: what the broker says now of orders that the record left open or that this run sent;
            a commit explains them, so their fills are no difference.
    """
    positions = {symbol: one.quantity for symbol, one in ledger.positions.items()}
    for report in newer:
        booked = ledger.orders.get(report.client_order_id)
        filled = report.filled_quantity - (booked.instruction.filled_quantity if booked else ZERO)
        signed = filled if report.side == "buy" else -filled
        positions[report.symbol] = positions.get(report.symbol, ZERO) + signed
    today = [one for one in ledger.orders.values() if _since(one, session_opened)]
    entries: dict[tuple[str, str], int] = {}
    for one in today:
        if one.instruction.side == "buy":
            key = (one.strategy, one.instruction.ticker)
            entries[key] = entries.get(key, 0) + 1
    return RecordFacts(
        executed=executed,
        orders_at_broker=orders_at_broker,
        positions={symbol: quantity for symbol, quantity in positions.items() if quantity},
        known_orders=frozenset(ledger.orders),
        orders_today=len(today),
        entries_today=entries,
        stop_outs=tuple(_stop_outs(ledger)),
        peak_equity=ledger.peak_equity,
        unresolved=tuple(
            key for key, one in ledger.orders.items() if one.instruction.outcome is Outcome.UNKNOWN
        ),
    )


def _since(order: Order, opened: datetime) -> bool:
    submitted = order.instruction.submitted_at
    return submitted is not None and submitted >= opened


def _stop_outs(ledger: Ledger) -> Iterable[tuple[str, str, datetime]]:
    for one in ledger.orders.values():
        is_stop = one.instruction.order_type in ("stop", "trailing_stop")
        if is_stop and one.instruction.side == "sell" and one.instruction.filled_quantity:
            # The newest result holds no fill where an earlier one told all of them.
            fills = one.instruction.fills
            yield one.strategy, one.instruction.ticker, fills[-1].at if fills else one.seen_at


def executed_as(results: Iterable[tuple[str, ExecutionResult]], plan_digest: str) -> str | None:
    """Path of the archived plan that completed, or had an order sent, under a digest."""
    for path, result in results:
        if result.plan_digest != plan_digest or result.kind != "execution":
            continue
        sent = any(one.outcome in SENT for one in result.instructions)
        if sent or result.plan_status == "completed":
            return result.archived_as or path
    return None
