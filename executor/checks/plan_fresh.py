"""A plan is good for the session of its approval, or until the end that it names."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from executor.model.context import Context
from executor.model.expiry import SESSIONS_MAX, expiry
from executor.model.facts import Moment
from executor.model.rule import EVERY_MOMENT, Finding, Rule, no, not_now, warn
from executor.model.words import instant

ODD: Final = timedelta(days=2)
"""How far a plan's own timestamp may lie from the present without a word."""


def judge(context: Context) -> Iterator[Finding]:
    """Compare the present with the plan's end.

    Before the approval only an end that the plan names can have passed: sessions are counted from
    the approval.
    """
    facts, plan = context.facts, context.plan
    if plan.valid_until is not None and facts.now > plan.valid_until:
        yield no(
            None,
            observed=f"it is {instant(facts.now)}",
            limit=f"valid until {instant(plan.valid_until)}",
            remedy="propose the plan again with a later `valid_until`, or without one",
            key="valid_until",
        )
        return
    yield from _odd_timestamp(context)
    if facts.moment in (Moment.FILE, Moment.PULL_REQUEST):
        return
    yield from _since_approval(context)


def _odd_timestamp(context: Context) -> Iterator[Finding]:
    """A plan made long before it came here, or after the present, is likely not what it says."""
    made, added = context.plan.timestamp, context.facts.added_at or context.facts.now
    if made is None:
        return
    if made > context.facts.now + ODD:
        yield warn(None, observed=f"made {instant(made)}, which is yet to come", key="timestamp")
    elif made < added - ODD:
        observed = f"made {instant(made)}, long before it came here, {instant(added)}"
        yield warn(None, observed=observed, remedy="decide again on today's facts", key="timestamp")


def _since_approval(context: Context) -> Iterator[Finding]:
    facts, plan = context.facts, context.plan
    valid = context.settings.execution.sessions_valid
    clock, added_at = facts.market_clock, facts.added_at
    if clock is None or added_at is None:
        missing = "sessions of the market" if added_at else "time of the approval"
        yield not_now(
            None,
            observed=f"the {missing} is not known, so neither is the plan's end",
            remedy="run again when it is known",
        )
        return
    end = expiry(plan, added_at, clock.sessions, valid)
    if end is None:
        yield not_now(
            None,
            observed=f"the known sessions do not reach from {instant(added_at)} to the plan's end",
            remedy="run again when the broker's calendar answers",
        )
    elif facts.now > end:
        count = valid if plan.valid_until is None else SESSIONS_MAX
        yield no(
            None,
            observed=f"approved {instant(added_at)}, it is {instant(facts.now)}",
            limit=f"{count} session{'s' if count > 1 else ''} from the approval: {instant(end)}",
            remedy="propose the plan again: a new approval starts a new session",
        )


RULE = Rule(id="plan_fresh", judge=judge, judges_exits=True, moments=EVERY_MOMENT)
