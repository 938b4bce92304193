"""A SELL may not exceed what is held and not yet on sale: nothing is sold short."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from executor.model.context import Context, Line
from executor.model.facts import PositionFacts
from executor.model.numbers import ZERO
from executor.model.order import OrderReport
from executor.model.rule import Finding, Rule, no, not_now, warn
from executor.model.words import shares


def judge(context: Context) -> Iterator[Finding]:
    """Compare the plan's SELLs of each symbol, added up, with the shares that are free.

    What our own stops hold is free: the executor cancels these before it sells.
    """
    together: dict[str, list[Line]] = {}
    for line in context.lines:
        if line.side == "sell":
            together.setdefault(line.symbol, []).append(line)
    for symbol, lines in together.items():
        position = context.position(symbol)
        if position is not None and position.quantity > 0:
            yield from _judge_holding(context, position, lines)
            continue
        for line in lines:
            yield no(
                line,
                observed=f"{symbol} sell: {shares(position.quantity if position else ZERO)} held",
                limit="nothing is sold short",
                remedy="leave it out",
            )


def _judge_holding(
    context: Context, position: PositionFacts, lines: list[Line]
) -> Iterator[Finding]:
    symbol, held = position.symbol, position.quantity
    resting = [one for one in context.in_the_way(symbol) if one.side == "sell"]
    free = context.free_to_sell(symbol)
    wanted = sum((line.quantity or ZERO for line in lines), ZERO)
    if wanted > free or free == 0:
        what = shares(wanted) if wanted else "all"
        orders = f" (open SELL {', '.join(one.client_order_id for one in resting)})"
        there = f"{shares(held)} held"
        if free < held:
            there += f", {shares(free)} of them free{orders if resting else ''}"
        for line in lines:
            yield no(
                line,
                observed=f"{symbol} sell: {what} in this plan",
                limit=there,
                remedy=_remedy(free, resting, lines),
                key="quantity" if line.instruction.notional is None else "notional",
            )
        return
    for line in lines:
        if line.instruction.quantity == "all" and free < held:
            yield warn(
                line,
                observed=f"{symbol} sell: all means {shares(free)} of {shares(held)} held",
                remedy="the rest is held back by an open order",
            )
        elif line.quantity is None and line.instruction.notional is not None:
            yield not_now(
                line,
                observed=f"{symbol} sell: no price to work out the shares by",
                remedy="wait for a quote, or say how many shares",
            )


def _remedy(free: Decimal, resting: list[OrderReport], lines: list[Line]) -> str:
    if free > 0 and len(lines) > 1:
        return f"sell at most {shares(free)} of it in all"
    if free > 0:
        return f"sell at most {shares(free)}, or all"
    if resting:
        return f"cancel {', '.join(one.client_order_id for one in resting)} first, or leave it out"
    return "leave it out until the broker frees the shares"


RULE = Rule(
    id="oversell", judge=judge, needs=frozenset({"positions", "open_orders"}), judges_exits=True
)
