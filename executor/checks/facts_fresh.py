"""A plan that opens is judged by an account, and made with a VIX, that are not old."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from executor.model.context import Context
from executor.model.fields import parse_timestamp
from executor.model.numbers import plain
from executor.model.rule import Finding, Rule, not_now
from executor.model.words import instant

TIME_KEYS = ("vix_at", "as_of")
"""Keys of `market_context` that say when the VIX was read."""


def judge(context: Context) -> Iterator[Finding]:
    """Compare the age of the account's facts and of the plan's VIX with their limits."""
    if not context.openings:
        return
    facts, limits = context.facts, context.limits
    assert facts.account is not None, "the check names `account` in its needs"
    minutes, days = limits.account_age_max_minutes, limits.vix_age_max_days
    assert minutes is not None, "settings are checked when they are read"
    assert days is not None, "settings are checked when they are read"
    if facts.now - facts.account.as_of > timedelta(minutes=float(minutes)):
        yield not_now(
            None,
            observed=f"the account's figures are of {instant(facts.account.as_of)},"
            f" it is {instant(facts.now)}",
            limit=f"at most {plain(minutes)} minutes old",
            remedy="run again when the broker answers",
        )
    if not _has_vix(context):
        return
    read_at = _vix_time(context)
    if read_at is None:
        yield not_now(
            None,
            observed="nothing says when the VIX was read",
            limit=f"at most {plain(days)} days old",
            remedy="propose the plan again with `vix_at` in its market_context",
            key="market_context",
        )
    elif read_at > facts.now + timedelta(days=1):
        yield not_now(
            None,
            observed=f"the VIX is of {instant(read_at)}, which is yet to come",
            limit=f"it is {instant(facts.now)}",
            remedy="propose the plan again with the time at which the VIX was read",
            key="market_context",
        )
    elif facts.now - read_at > timedelta(days=float(days)):
        yield not_now(
            None,
            observed=f"the VIX is of {instant(read_at)}, it is {instant(facts.now)}",
            limit=f"at most {plain(days)} days old",
            remedy="decide again with today's VIX and propose a new plan",
            key="market_context",
        )


def _has_vix(context: Context) -> bool:
    vix = (context.plan.market_context or {}).get("vix")
    return isinstance(vix, (int, float, Decimal)) and not isinstance(vix, bool)


def _vix_time(context: Context) -> datetime | None:
    market = context.plan.market_context or {}
    for key in TIME_KEYS:
        try:
            return parse_timestamp(str(market[key]))
        except (KeyError, ValueError):
            continue
    return context.plan.timestamp or context.facts.added_at


RULE = Rule(id="facts_fresh", judge=judge, needs=frozenset({"account"}))
