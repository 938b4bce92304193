"""An order may not be worth more than a share of the account."""

from __future__ import annotations

from collections.abc import Iterator

from executor.model.context import Context
from executor.model.funds import at_most
from executor.model.market import percent_of
from executor.model.numbers import HUNDRED
from executor.model.rule import Finding, Rule, no, not_now
from executor.model.words import percent, usd


def judge(context: Context) -> Iterator[Finding]:
    """Compare the worst cost of each opening order with a percentage of equity."""
    limit = context.limits.order_notional_max_pct
    assert limit is not None, "this limit cannot be turned off"
    for line in context.openings:
        worst = line.worst_notional
        if worst is None:
            yield not_now(
                line,
                observed=f"{line.symbol} {line.side}: no price to value the order by",
                remedy="wait for a quote, or give the order a limit price",
            )
            continue
        used = percent_of(worst, context.equity)
        if used > limit:
            yield no(
                line,
                observed=f"{line.symbol} {line.side}: worst-case notional {usd(worst)},"
                f" {percent(used)} of equity",
                limit=f"{percent(limit)} of equity, {usd(context.equity * limit / 100)}",
                remedy=at_most(context.equity * limit / HUNDRED, [line]),
            )


RULE = Rule(id="order_notional_max", judge=judge, needs=frozenset({"account", "prices"}))
