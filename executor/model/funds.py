"""What a plan costs at worst, what it brings, and how much of it still fits under a limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from executor.model.context import Context, Line
from executor.model.numbers import CENT, HUNDRED, ZERO
from executor.model.order import OrderReport
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
        cost=sum((usd for _, usd in costs if usd is not None), ZERO),
        proceeds=sum((usd for _, usd in sells if usd is not None), ZERO),
        unpriced_openings=tuple(line for line, usd in costs if usd is None),
        unpriced_exits=tuple(line for line, usd in sells if usd is None),
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


def open_buy_cost(context: Context, order: OrderReport) -> Decimal | None:
    """USD that an open BUY may still cost; None where there is no price. Needs `prices`."""
    if order.quantity is None:
        filled = order.filled_quantity * (order.average_fill_price or ZERO)
        return max(ZERO, (order.notional or ZERO) - filled)
    if order.limit_price is not None:
        return order.open_quantity * order.limit_price
    found = context.reference(order.symbol, "buy")
    if found is None:
        return None
    price = max(found.price, order.stop_price or ZERO) * (1 + found.pad_pct / HUNDRED)
    return order.open_quantity * price


def open_buys(context: Context) -> tuple[OrderReport, ...]:
    """Give the open BUY orders that are not this plan's own. Needs `open_orders`."""
    orders = context.facts.open_orders
    assert orders is not None, "the check did not name `open_orders` in its needs"
    return tuple(
        order
        for order in orders
        if order.side == "buy"
        and not order.status.is_terminal
        and order.client_order_id not in context.facts.own_orders
    )


def open_buys_cost(
    context: Context, orders: Sequence[OrderReport]
) -> tuple[Decimal, tuple[OrderReport, ...]]:
    """Add up what open BUYs may still cost, USD; those without a price are left out and named."""
    costs = [(order, open_buy_cost(context, order)) for order in orders]
    total = sum((usd for _, usd in costs if usd is not None), ZERO)
    return total, tuple(order for order, usd in costs if usd is None)


def at_most(room: Decimal, lines: Sequence[Line]) -> str:
    """Say how much of these lines fits into `room` USD; rounded down, so that it is true.

    One line by quantity is told in shares, anything else in USD with the pad included.
    """
    if len(lines) == 1 and lines[0].instruction.notional is None:
        quantity, worst = lines[0].quantity, lines[0].worst_notional
        if quantity and worst:
            most = shares_down(room * quantity / worst)
            return f"reduce it to at most {shares(most)}" if most > 0 else "leave it out"
    most = room.quantize(CENT, rounding=ROUND_DOWN)
    if most <= 0:
        return "leave it out"
    return f"reduce the cost to at most {usd(most)} in all, pad included"


def shares_down(quantity: Decimal) -> Decimal:
    """Round shares down to two decimals: fine enough for advice."""
    return quantity.quantize(CENT, rounding=ROUND_DOWN)
