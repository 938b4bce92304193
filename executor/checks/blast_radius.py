"""One plan may not buy too much at once; one that closes much is shown to the reviewer."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from executor.model.context import Context
from executor.model.funds import at_most, flow
from executor.model.market import percent_of
from executor.model.numbers import HUNDRED, ZERO
from executor.model.rule import Finding, Rule, no, not_now, warn
from executor.model.words import percent, usd


def judge(context: Context) -> Iterator[Finding]:
    """Compare the openings with equity, and the positions that close with all positions."""
    share = context.limits.buys_max_pct
    assert share is not None, "a check without its limit is off and not asked"
    money = flow(context)
    most = context.equity * share / HUNDRED
    if context.openings and money.cost > most:
        yield no(
            None,
            observed=f"the openings cost at worst {usd(money.cost)},"
            f" {percent(percent_of(money.cost, context.equity))} of equity",
            limit=f"{percent(share)} of equity a plan, {usd(most)}",
            remedy=at_most(most, context.openings),
        )
    for line in money.unpriced_openings:
        yield not_now(
            line,
            observed=f"{line.symbol} {line.side}: no price to value the order by",
            remedy="wait for a quote, or give the order a limit price",
        )
    yield from _closing(context)


def _closing(context: Context) -> Iterator[Finding]:
    share = context.limits.positions_closed_warning_pct
    assert share is not None, "a check without its limit is off and not asked"
    positions = context.facts.positions
    assert positions is not None, "`positions` is among the needs"
    leaving: dict[str, Decimal] = {}
    for line in context.exits:
        leaving[line.symbol] = leaving.get(line.symbol, ZERO) + (line.quantity or ZERO)
    closed = [one for one in leaving if leaving[one] >= abs(positions[one].quantity)]
    used = percent_of(Decimal(len(closed)), Decimal(len(positions)))
    if used > share:
        yield warn(
            None,
            observed=f"the plan closes {len(closed)} of {len(positions)} positions",
            limit=f"{percent(share)} without a warning",
        )


RULE = Rule(id="blast_radius", judge=judge, needs=frozenset({"account", "positions", "prices"}))
