"""What a plan costs at worst, what it brings, and how much of it still fits under a limit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from executor.model.context import Context, Line, trigger
from executor.model.numbers import HUNDRED, ZERO, cents_down
from executor.model.order import OrderReport
from executor.model.position import Side
from executor.model.standing import working
from executor.model.words import shares, usd


@dataclass(frozen=True, slots=True)
class Flow:
    """The money that moves when every line of the plan fills."""

    cost: Decimal
    """USD that the openings cost at worst; those without a price are left out."""
    proceeds: Decimal
    """USD that the reducing SELLs bring; those without a price are left out."""
    unpriced_openings: tuple[Line, ...]
    """Openings without a price: with one of these, `cost` is only the least that is needed."""
    unpriced_exits: tuple[Line, ...]
    """Reducing SELLs without a price: with one of these, `proceeds` is only the least."""


def flow(context: Context) -> Flow:
    """Add up what the plan costs and brings; in the second wave its SELLs are in the account."""
    costs = [(line, line.worst_notional) for line in context.openings]
    sells = [(line, proceeds(line)) for line in context.exits if line.side == "sell"]
    return Flow(
        cost=sum((amount for _, amount in costs if amount is not None), ZERO),
        proceeds=sum((amount for _, amount in sells if amount is not None), ZERO),
        unpriced_openings=tuple(line for line, amount in costs if amount is None),
        unpriced_exits=tuple(line for line, amount in sells if amount is None),
    )


def proceeds(line: Line) -> Decimal | None:
    """USD that a SELL brings soon; None where there is no price.

    A stop, or a limit above the reference, rests: what it may bring one day pays for nothing now.
    """
    instruction = line.instruction
    if instruction.order_type not in ("market", "limit"):
        return ZERO
    if instruction.limit_price is not None and line.reference is not None:
        if instruction.limit_price > line.reference.price:
            return ZERO
        return line.quantity * instruction.limit_price if line.quantity is not None else None
    return line.worst_notional


def open_orders_of(context: Context, side: Side) -> tuple[OrderReport, ...]:
    """Give the open orders of one side, this plan's own among them. Needs `open_orders`.

    An order of this plan stands for a line that was sent, which is asked about no more: it counts
    here or nowhere. What protects a holding is a SELL, so it costs nothing.
    """
    orders = context.facts.open_orders
    assert orders is not None, "the check did not name `open_orders` in its needs"
    return tuple(one for one in working(orders) if one.side == side)


def open_cost(context: Context, order: OrderReport) -> Decimal | None:
    """USD that an open order may still come to; None where there is no price. Needs `prices`."""
    if order.quantity is None:
        filled = order.filled_quantity * (order.average_fill_price or ZERO)
        return max(ZERO, (order.notional or ZERO) - filled)
    if order.limit_price is not None:
        return order.open_quantity * order.limit_price
    found = context.reference(order.symbol, order.side)
    if found is None:
        return None
    # A trailing stop at the broker tells where it is now.
    trail = order.trail_percent if order.stop_price is None else None
    price = trigger(found.price, order.stop_price, trail)
    return order.open_quantity * price * (1 + found.pad_pct / HUNDRED)


def open_costs(
    context: Context, orders: Iterable[OrderReport]
) -> tuple[Decimal, tuple[OrderReport, ...]]:
    """Add up what open orders may still come to, USD; those without a price are named instead."""
    costs = [(order, open_cost(context, order)) for order in orders]
    total = sum((amount for _, amount in costs if amount is not None), ZERO)
    return total, tuple(order for order, amount in costs if amount is None)


def at_most(room: Decimal, lines: Sequence[Line]) -> str:
    """Say how much of these lines fits into `room` USD; rounded down, so that it is true.

    One line by quantity is told in shares, anything else in USD with the pad included.
    """
    if len(lines) == 1 and lines[0].instruction.notional is None:
        line = lines[0]
        if line.quantity and line.worst_notional:
            most = cents_down(room * line.quantity / line.worst_notional)
            return f"reduce it to at most {shares(most)}" if most > 0 else "leave it out"
    most = cents_down(room)
    them, in_all = ("it", "") if len(lines) == 1 else ("them", " in all")
    if most <= 0:
        return f"leave {them} out"
    return f"reduce {them} to at most {usd(most)}{in_all}, pad included"
