"""A plan may raise the debit only where margin is allowed, asked for, and within its limit."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from executor.model.context import Context
from executor.model.funds import Flow, at_most, flow, open_costs, open_orders_of
from executor.model.market import percent_of
from executor.model.numbers import HUNDRED, ZERO
from executor.model.rule import Finding, Rule, no, not_now
from executor.model.words import percent, usd


def judge(context: Context) -> Iterator[Finding]:
    """Compare the debit after the plan with the one before it; lowering it is never refused."""
    if not context.openings:
        return
    account = context.facts.account
    assert account is not None, "`account` is among the needs"
    money = flow(context)
    for line in money.unpriced_openings:
        yield not_now(
            line,
            observed=f"{line.symbol} {line.side}: no price to value the order by",
            remedy="wait for a quote, or give the order a limit price",
        )
    bound, unpriced = open_costs(context, open_orders_of(context, "buy"))
    cash = account.cash - bound
    if money.cost > money.proceeds:
        found = _raised(context, cash, money)
        if found is not None:
            yield found
        elif unpriced:
            symbols = ", ".join(order.symbol for order in unpriced)
            yield not_now(
                None,
                observed=f"no price for the open BUYs of {symbols}",
                remedy="wait for a quote, or cancel these orders",
            )


def _raised(context: Context, cash: Decimal, money: Flow) -> Finding | None:
    """Say what stands against the debit that `money` leaves, where it is a higher one."""
    debit = money.cost - money.proceeds - cash
    if debit <= 0:
        return None
    share = context.limits.margin_use_max_pct
    assert share is not None, "a check without its limit is off and not asked"
    most = context.equity * share / HUNDRED
    without_debit = max(ZERO, cash) + money.proceeds
    remedy = at_most(without_debit, context.openings)
    if not context.settings.margin.allowed:
        limit = "margin is not allowed by the settings"
    elif debit > most:
        limit = f"{percent(share)} of equity, {usd(most)}"
        if context.plan.use_margin:
            # A debit that is over the limit already may stay, so that is the least that fits.
            remedy = at_most(max(most + cash + money.proceeds, without_debit), context.openings)
    elif not context.plan.use_margin:
        limit = "the plan does not ask for margin"
        remedy = f"set use_margin to true, or {remedy}"
    else:
        return None
    used = percent_of(debit, context.equity)
    observed = f"the debit would be {usd(debit)}, {percent(used)} of equity"
    if money.unpriced_exits:
        symbols = ", ".join(line.symbol for line in money.unpriced_exits)
        return not_now(
            None,
            observed=f"{observed}; no price for what the SELLs of {symbols} bring",
            limit=limit,
            remedy="wait for a quote",
        )
    return no(None, observed=observed, limit=limit, remedy=remedy)


RULE = Rule(id="margin_use", judge=judge, needs=frozenset({"account", "open_orders", "prices"}))
