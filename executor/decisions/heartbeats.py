"""Whether the one schedule keeps coming: its runs held against the market's sessions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from executor.model.market import Session

SILENT_INTERVALS: Final = 2
"""Intervals of the schedule without a run that are a missed heartbeat: one may come late."""

_CRON: Final = re.compile(r"""(?m)^\s*-?\s*cron:\s*["']?([^"'#\n]+)""")
_DAY: Final = 24 * 60


@dataclass(frozen=True, slots=True)
class Silence:
    """A session in which the schedule was silent for too long."""

    session: Session
    runs: int
    """Runs within the session."""
    longest: timedelta
    since: datetime
    """When the longest silence began."""


def silences(
    runs: Iterable[datetime], sessions: Sequence[Session], now: datetime, allowed: timedelta
) -> tuple[Silence, ...]:
    """Each session, up to now, with a silence that was longer than allowed.

    Args:
        runs: when runs of the schedule were started.
        sessions: those to look at.
        now: the present; a session that is under way counts up to it.
        allowed: how long a silence may be.
    """
    known = sorted(runs)
    found = []
    for session in sessions:
        ends = min(session.closes, now)
        if ends <= session.opens:
            continue
        within = [one for one in known if session.opens <= one <= ends]
        marks = [session.opens, *within, ends]
        gaps = [(after - before, before) for before, after in pairwise(marks)]
        longest, since = max(gaps, key=lambda one: one[0])
        if longest > allowed:
            found.append(Silence(session, len(within), longest, since))
    return tuple(found)


def interval_of(workflow: str) -> timedelta | None:
    """The longest time between two runs within a day that a workflow file's schedule names.

    None where it has no `cron` whose minutes and hours are numbers, lists, ranges or steps.
    """
    times: set[int] = set()
    for cron in _CRON.findall(workflow):
        fields = cron.split()
        if len(fields) != 5:
            return None
        minutes, hours = _numbers(fields[0], 60), _numbers(fields[1], 24)
        if not minutes or not hours:
            return None
        times |= {hour * 60 + minute for hour in hours for minute in minutes}
    ordered = sorted(times)
    if not ordered:
        return None
    if len(ordered) == 1:
        return timedelta(minutes=_DAY)
    return timedelta(minutes=max(after - before for before, after in pairwise(ordered)))


def _numbers(field: str, end: int) -> list[int]:
    """The numbers below `end` that one field of a schedule names; none where it is none."""
    found: list[int] = []
    for part in field.split(","):
        told = re.fullmatch(r"(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:/(\d{1,2}))?", part)
        if told is None or told[3] == "0":
            return []
        first = int(told[1] or 0)
        last = end - 1 if told[1] is None or (told[3] and not told[2]) else int(told[2] or first)
        found += [one for one in range(first, last + 1, int(told[3] or 1)) if one < end]
    return found
