"""Orders go out while the market is open, away from its first and last minutes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from executor.model.context import Context
from executor.model.market import Session
from executor.model.numbers import plain
from executor.model.rule import Finding, Rule, not_now
from executor.model.words import instant

ALL_DAY: Final = timedelta(hours=23, minutes=59)
"""A session at least this long never really opens or closes, so it has no edges."""


def judge(context: Context) -> Iterator[Finding]:
    """Say when orders can go where they cannot go now; a plan without orders may go any time."""
    clock = context.facts.market_clock
    minutes = context.limits.session_edge_minutes
    assert clock is not None, "the check names `market_clock` in its needs"
    assert minutes is not None, "settings are checked when they are read"
    if not context.lines:
        return
    edge = timedelta(minutes=float(minutes))
    now, running = clock.as_of, clock.current
    later = next((_first(one, edge) for one in clock.sessions if one.opens > now), None)
    if not clock.is_open:
        yield _wait("the market is closed", now, "an open market", later)
    elif running is None:
        yield _wait("the hours of the running session are not known", now, "known hours", None)
    elif now < _first(running, edge):
        limit = f"{plain(minutes)} minutes after the open"
        yield _wait(f"open since {instant(running.opens)}", now, limit, _first(running, edge))
    elif now >= _last(running, edge):
        limit = f"{plain(minutes)} minutes before the close"
        yield _wait(f"the market closes {instant(running.closes)}", now, limit, later)


def _first(session: Session, edge: timedelta) -> datetime:
    return session.opens if _is_all_day(session) else session.opens + edge


def _last(session: Session, edge: timedelta) -> datetime:
    return session.closes if _is_all_day(session) else session.closes - edge


def _is_all_day(session: Session) -> bool:
    return session.closes - session.opens >= ALL_DAY


def _wait(why: str, now: datetime, limit: str, later: datetime | None) -> Finding:
    when = f"possible from {instant(later)}" if later else "run again when the market is open"
    return not_now(None, observed=f"{why}; it is {instant(now)}", limit=limit, remedy=when)


RULE = Rule(id="session", judge=judge, needs=frozenset({"market_clock"}), judges_exits=True)
