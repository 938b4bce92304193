"""A plan may not cost more than is there once its own SELLs have filled."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from executor.model.context import Context
from executor.model.funds import at_most, flow, open_costs, open_orders_of
from executor.model.rule import Finding, Rule, no, not_now
from executor.model.words import usd


def judge(context: Context) -> Iterator[Finding]:
    """Compare the worst cost of all openings with what may be spent on them."""
    if not context.openings:
        return
    money = flow(context)
    for line in money.unpriced_openings:
        yield not_now(
            line,
            observed=f"{line.symbol} {line.side}: no price to value the order by",
            remedy="wait for a quote, or give the order a limit price",
        )
    there = _there(context)
    room = there + money.proceeds
    if money.cost <= room:
        return
    if money.unpriced_exits:
        symbols = ", ".join(line.symbol for line in money.unpriced_exits)
        yield not_now(
            None,
            observed=f"the openings cost at worst {usd(money.cost)}; no price for what the SELLs of"
            f" {symbols} bring",
            limit=f"{usd(room)} without them",
            remedy="wait for a quote",
        )
        return
    yield no(
        None,
        observed=f"the openings cost at worst {usd(money.cost)}",
        limit=f"{usd(there)} {_kind(context)}, and {usd(money.proceeds)} from the plan's SELLs",
        remedy=at_most(room, context.openings),
    )


def _on_margin(context: Context) -> bool:
    return context.settings.margin.allowed and context.plan.use_margin


def _there(context: Context) -> Decimal:
    """USD that may be spent now. The broker's buying powers are net of open BUYs, cash is not.

    Paper accounts start with a multiplier of 4, so `buying_power` counts only where margin is both
    allowed and asked for.
    """
    account = context.facts.account
    assert account is not None, "`account` is among the needs"
    if _on_margin(context):
        return account.buying_power
    # An open BUY without a price is still in the broker's figure, which then is the lower one.
    bound, _unpriced = open_costs(context, open_orders_of(context, "buy"))
    return min(account.cash - bound, account.non_marginable_buying_power)


def _kind(context: Context) -> str:
    return "of buying power" if _on_margin(context) else "of cash without margin"


RULE = Rule(id="buying_power", judge=judge, needs=frozenset({"account", "open_orders", "prices"}))
