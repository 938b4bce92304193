"""A holding that the plan increases may not be worth more than a share of the account."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from executor.model.context import Context, Line
from executor.model.funds import at_most, open_costs
from executor.model.market import percent_of
from executor.model.numbers import HUNDRED, ZERO
from executor.model.rule import Finding, Rule, no, not_now
from executor.model.words import percent, usd


def judge(context: Context) -> Iterator[Finding]:
    """Add holding, open orders and the plan's own lines, symbol by symbol."""
    together: dict[tuple[str, str], list[Line]] = {}
    for line in context.openings:
        together.setdefault((line.symbol, line.side), []).append(line)
    for lines in together.values():
        yield from _judge_symbol(context, lines)


def _judge_symbol(context: Context, lines: list[Line]) -> Iterator[Finding]:
    share = context.limits.position_max_pct
    assert share is not None, "a check without its limit is off and not asked"
    before, unpriced = _before(context, lines[0])
    missing = [line for line in lines if line.worst_notional is None]
    added = sum((line.worst_notional or ZERO for line in lines), ZERO)
    most = context.equity * share / HUNDRED
    after = before + added
    if after > most:
        used = percent_of(after, context.equity)
        for line in lines:
            yield no(
                line,
                observed=f"{line.symbol} would be worth {usd(after)}, {percent(used)} of equity",
                limit=f"{percent(share)} of equity, {usd(most)}",
                remedy=at_most(most - before, lines),
            )
        return
    for line in lines if unpriced else missing:
        yield not_now(
            line,
            observed=f"{line.symbol}: no price to value the holding by",
            remedy="wait for a quote",
        )


def _before(context: Context, line: Line) -> tuple[Decimal, bool]:
    """USD on the line's side before the plan, open orders counted; whether one has no price.

    A holding of the other side counts against it: a BUY first covers what is short.
    """
    held = context.position(line.symbol)
    value = held.market_value if held else ZERO
    orders = [one for one in context.working_orders(line.symbol) if one.side == line.side]
    bound, unpriced = open_costs(context, orders)
    return (value if line.side == "buy" else -value) + bound, bool(unpriced)


RULE = Rule(
    id="position_max",
    judge=judge,
    needs=frozenset({"account", "positions", "open_orders", "prices"}),
)
