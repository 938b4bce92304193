"""The holdings of a sector that the plan increases may not exceed a share of the account."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from executor.model.context import Context, Line
from executor.model.funds import at_most, open_costs, open_orders_of, proceeds
from executor.model.market import percent_of
from executor.model.numbers import HUNDRED, ZERO
from executor.model.rule import Finding, Rule, no, not_now, warn
from executor.model.words import percent, usd


def judge(context: Context) -> Iterator[Finding]:
    """Add holdings, open BUYs and the plan's lines, sector by sector; name what has no sector."""
    sectors = context.settings.sectors
    unknown = sorted({line.symbol for line in context.openings} - set(sectors))
    if unknown:
        yield warn(
            None,
            observed=f"no sector is known for {', '.join(unknown)}: counted in none",
            remedy="name it in the settings' [sectors] table",
        )
    openings = [line for line in context.openings if line.symbol in sectors]
    for sector in dict.fromkeys(sectors[line.symbol] for line in openings):
        yield from _judge_sector(
            context, sector, [line for line in openings if sectors[line.symbol] == sector]
        )


def _judge_sector(context: Context, sector: str, lines: list[Line]) -> Iterator[Finding]:
    share = context.limits.sector_max_pct
    assert share is not None, "a check without its limit is off and not asked"
    before, unpriced = _before(context, sector)
    unpriced |= {line.symbol for line in lines if line.worst_notional is None}
    added = sum((line.worst_notional or ZERO for line in lines), ZERO)
    most = context.equity * share / HUNDRED
    after = before + added
    if after <= most and not unpriced:
        return
    used = percent_of(after, context.equity)
    for line in lines:
        # With a price missing on the selling side the sector may still turn out smaller.
        if after <= most or unpriced:
            yield not_now(
                line,
                observed=f"{sector}: no price for {', '.join(sorted(unpriced))}",
                remedy="wait for a quote",
            )
        else:
            yield no(
                line,
                observed=f"{sector} would be worth {usd(after)}, {percent(used)} of equity",
                limit=f"{percent(share)} of equity, {usd(most)}",
                remedy=at_most(most - before, lines),
            )


def _before(context: Context, sector: str) -> tuple[Decimal, set[str]]:
    """USD in the sector besides the plan's openings, and the symbols that have no price."""
    sectors, positions = context.settings.sectors, context.facts.positions
    assert positions is not None, "`positions` is among the needs"
    held = sum(
        (abs(one.market_value) for one in positions.values() if sectors.get(one.symbol) == sector),
        ZERO,
    )
    orders = [one for one in open_orders_of(context, "buy") if sectors.get(one.symbol) == sector]
    bound, unpriced = open_costs(context, orders)
    sold = [
        (line.symbol, proceeds(line))
        for line in context.exits
        if line.side == "sell" and sectors.get(line.symbol) == sector
    ]
    missing = {order.symbol for order in unpriced}
    missing |= {symbol for symbol, amount in sold if amount is None}
    return held + bound - sum((amount or ZERO for _, amount in sold), ZERO), missing


RULE = Rule(
    id="sector_max",
    judge=judge,
    needs=frozenset({"account", "positions", "open_orders", "prices"}),
)
