"""Halted sends nothing, reduce-only sends exits only."""

from __future__ import annotations

from collections.abc import Iterator

from executor.model.context import Context
from executor.model.rule import Finding, Rule, no, not_now
from executor.model.state import TradingState
from executor.model.words import instant

RESUME = (
    "set ACTIVE in execution_results/trading_state.json by a reviewed commit, then propose again"
)


def judge(context: Context) -> Iterator[Finding]:
    """Hold the plan against the trading state; a request that nothing carries out is refused."""
    state = context.facts.trading_state
    assert state is not None, "the check names `trading_state` in its needs"
    observed = f"{state.state} since {instant(state.since)} by {state.by}: {state.reason}"
    if context.plan.trading_state is not None:
        yield no(
            None,
            observed=f"asks for the trading state {context.plan.trading_state.state}",
            limit="this version does not change the trading state by a plan",
            remedy="take `trading_state` out and add the instructions that are meant",
            key="trading_state",
        )
        return
    if state.state is TradingState.HALTED and context.plan.instructions:
        yield no(None, observed=observed, limit="nothing is sent while halted", remedy=RESUME)
        return
    for line in context.openings:
        if state.state is TradingState.REDUCE_ONLY:
            yield no(
                line,
                observed=f"{line.symbol} {line.side} opens; {observed}",
                limit="exits only",
                remedy=RESUME,
            )
        elif context.facts.settings_fault is not None:
            yield not_now(
                line,
                observed=f"{line.symbol} {line.side} opens; the settings on main cannot be used:"
                f" {context.facts.settings_fault}",
                limit="exits only, judged by the last valid settings",
                remedy="repair autoinvestor.toml on main",
            )


RULE = Rule(id="trading_state", judge=judge, needs=frozenset({"trading_state"}), judges_exits=True)
