"""A plan that raises gross exposure may not raise it over a multiple of equity."""

from __future__ import annotations

from collections.abc import Iterator

from executor.model.context import Context
from executor.model.funds import at_most, flow, open_costs, open_orders_of
from executor.model.numbers import ZERO, plain
from executor.model.rule import Finding, Rule, no, not_now
from executor.model.words import usd


def judge(context: Context) -> Iterator[Finding]:
    """Compare holdings, open BUYs and the plan's lines with a multiple of equity."""
    factor = context.limits.exposure_max_x
    assert factor is not None, "a check without its limit is off and not asked"
    positions = context.facts.positions
    assert positions is not None, "`positions` is among the needs"
    money = flow(context)
    for line in money.unpriced_openings:
        yield not_now(
            line,
            observed=f"{line.symbol} {line.side}: no price to value the order by",
            remedy="wait for a quote, or give the order a limit price",
        )
    if money.cost <= money.proceeds:
        return
    held = sum((abs(one.market_value) for one in positions.values()), ZERO)
    bound, unpriced = open_costs(context, open_orders_of(context, "buy"))
    most = context.equity * factor
    after = held + bound + money.cost - money.proceeds
    if after > most and not money.unpriced_exits:
        # What does not raise the exposure is never refused, however high it is already.
        room = max(most - held - bound, ZERO) + money.proceeds
        yield no(
            None,
            observed=f"gross exposure would be {usd(after)}",
            limit=f"{plain(factor)} x equity, {usd(most)}",
            remedy=at_most(room, context.openings),
        )
    elif after > most or unpriced:
        names = {line.symbol for line in money.unpriced_exits} | {one.symbol for one in unpriced}
        yield not_now(
            None,
            observed=f"gross exposure cannot be told: no price for {', '.join(sorted(names))}",
            limit=f"{plain(factor)} x equity, {usd(most)}",
            remedy="wait for a quote",
        )


RULE = Rule(
    id="exposure_max",
    judge=judge,
    needs=frozenset({"account", "positions", "open_orders", "prices"}),
)
