"""Halted sends nothing, reduce-only sends exits only."""

from __future__ import annotations

from collections.abc import Iterator

from executor.model.context import Context
from executor.model.rule import Finding, Rule, no, not_now
from executor.model.state import TradingState
from executor.model.words import instant

RESUME = "resume by an approved plan with `trading_state` ACTIVE, then propose again"


def judge(context: Context) -> Iterator[Finding]:
    """Hold the plan against the trading state; a plan that only asks for a state passes."""
    state = context.facts.trading_state
    assert state is not None, "the check names `trading_state` in its needs"
    observed = f"{state.state} since {instant(state.since)} by {state.by}: {state.reason}"
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
