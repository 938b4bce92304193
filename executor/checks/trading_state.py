"""Halted sends nothing, reduce-only sends exits only; a plan that resumes passes in every state."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from executor.model.context import Context
from executor.model.facts import Moment
from executor.model.rule import Finding, Rule, no, not_now
from executor.model.state import TradingState, TradingStateRecord
from executor.model.words import instant

RESUME: Final = (
    "resume first (`autoinvestor resume --reason TEXT` writes the plan), then propose this one"
    " again"
)
RESUME_TO_REDUCE: Final = (
    "resume to REDUCE_ONLY first (`autoinvestor resume --state REDUCE_ONLY --reason TEXT` writes"
    " the plan), then propose this one again"
)


def judge(context: Context) -> Iterator[Finding]:
    """Hold the plan against the trading state, which nothing but an approved plan loosens."""
    state = context.facts.trading_state
    assert state is not None, "the check names `trading_state` in its needs"
    if context.plan.trading_state is not None:
        yield from _changed_since(context, state)
        return
    observed = f"{state.state} since {instant(state.since)} by {state.by}: {state.reason}"
    if state.state is TradingState.HALTED:
        yield from _halted(context, observed)
    elif state.state is TradingState.REDUCE_ONLY:
        yield from _reduce_only(context, observed)
    elif context.facts.settings_fault is not None:
        for line in context.openings:
            yield not_now(
                line,
                observed=f"{line.symbol} {line.side} opens; the settings on main cannot be used:"
                f" {context.facts.settings_fault}",
                limit="exits only, judged by the last valid settings",
                remedy="repair autoinvestor.toml on main",
            )


def _halted(context: Context, observed: str) -> Iterator[Finding]:
    """Let nothing through but the end of what still might open something."""
    others = [*(line.index for line in context.lines), *(index for index, _ in context.protects)]
    if not others:
        return
    limit = "nothing but a CANCEL while halted"
    adds_risk = context.openings or any(one.loosens for _, one in context.protects)
    remedy = RESUME if adds_risk else RESUME_TO_REDUCE
    if not context.cancels:
        yield no(None, observed=observed, limit=limit, remedy=remedy)
        return
    for index in sorted(others):
        yield no(index, observed=observed, limit=limit, remedy=remedy)


def _reduce_only(context: Context, observed: str) -> Iterator[Finding]:
    for line in context.openings:
        yield no(
            line,
            observed=f"{line.symbol} {line.side} opens; {observed}",
            limit="exits only",
            remedy=RESUME,
        )
    for index, instruction in context.protects:
        if instruction.loosens:
            yield no(
                index,
                observed=f"{instruction.ticker} protect asks to loosen; {observed}",
                limit="stops only tighten",
                remedy=f"take `loosen` out, or {RESUME}",
                key="loosen",
            )


def _changed_since(context: Context, state: TradingStateRecord) -> Iterator[Finding]:
    """Refuse to loosen a state that was set after the approval: nobody has approved that."""
    known = context.facts.state_when_approved
    if context.facts.moment is Moment.EXECUTION and known != state:
        yield no(
            None,
            observed=f"{state.state} since {instant(state.since)} by {state.by}, after the plan"
            " was approved",
            limit="a plan sets the trading state that it was approved in",
            remedy="look why it was set, then write a new plan with `autoinvestor resume`",
            key="trading_state",
        )


RULE = Rule(id="trading_state", judge=judge, needs=frozenset({"trading_state"}), judges_exits=True)
