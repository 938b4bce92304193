"""What the default schedule costs: Actions minutes a month, from the files and stated assumptions.

GitHub rounds each job up to a whole minute. Every job of ours is assumed to take less than one:
checking out, installing the core from wheels and running a verb that waits for nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from executor.decisions.due import slots_of
from executor.model.market import Session
from executor.settings import parse_settings
from tests.scratch import TEMPLATE
from tests.workflows.files import Workflow

LIMIT: Final = 700
"""Minutes a month that the default schedule may take; a private repository has 2,000."""

WEEKDAYS: Final = 23
"""Days from Monday to Friday in the longest month; holidays are not taken off."""

WEEKS: Final = 5
"""Beginnings of a week in the longest month."""

PLANS: Final = 1
"""Plans a session, every one merged: more than a person wants to read."""

JUDGED: Final = 2
"""How often a plan is judged: when it is opened, and again when its account has become old."""

SETTLED: Final = 2
"""Settlings a session: after the open for what lasts a day, and after the close."""

SESSION: Final = Session(
    datetime(2026, 1, 14, 14, 30, tzinfo=UTC), datetime(2026, 1, 14, 21, 0, tzinfo=UTC)
)
"""A whole session of the New York Stock Exchange."""


@dataclass(frozen=True, slots=True)
class Row:
    """Runs of one workflow in a month."""

    workflow: str
    why: str
    runs: int
    jobs: int

    @property
    def minutes(self) -> int:
        return self.runs * self.jobs


def rows(files: dict[str, Workflow]) -> tuple[Row, ...]:
    """Every workflow that runs by itself, with its runs in the longest month."""
    ticks = sum(firings(one["cron"]) for one in files["tick"].triggers["schedule"])
    hours = parse_settings(TEMPLATE.encode()).reviews.every_hours
    reviews = len(slots_of([SESSION], timedelta(hours=hours))) if hours else 0

    def row(name: str, why: str, runs: int) -> Row:
        return Row(name, why, runs, len(files[name].jobs))

    return (
        row("tick", f"{ticks} a weekday", ticks * WEEKDAYS),
        row("review", f"{reviews} a session, every {hours} hours", reviews * WEEKDAYS),
        row("validate", f"{JUDGED} a plan, {PLANS} plan a session", JUDGED * PLANS * WEEKDAYS),
        row("execute", f"{PLANS} plan a session", PLANS * WEEKDAYS),
        row("settle", f"{SETTLED} a session", SETTLED * WEEKDAYS),
        row("doctor", "weekly", WEEKS),
    )


def firings(cron: str) -> int:
    """How often a schedule fires on a weekday.

    Raises:
        ValueError: it is of another form than minutes and hours, from Monday to Friday.
    """
    minutes, hours, *days = cron.split()
    if days != ["*", "*", "1-5"]:
        raise ValueError(f"{cron}: not every Monday to Friday")
    return len(_numbers(minutes, 60)) * len(_numbers(hours, 24))


def _numbers(field: str, size: int) -> set[int]:
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        if span == "*":
            found |= set(range(0, size, int(step or 1)))
        else:
            found |= set(range(int(first), int(last or first) + 1, int(step or 1)))
    return found


def table(files: dict[str, Workflow]) -> str:
    """The README's table."""
    lines = ["| workflow | how often | runs a month | jobs | minutes |", "|---|---|--:|--:|--:|"]
    found = rows(files)
    lines += [
        f"| {one.workflow} | {one.why} | {one.runs} | {one.jobs} | {one.minutes} |" for one in found
    ]
    lines.append(f"| **together** | | | | **{sum(one.minutes for one in found)}** |")
    return "\n".join(lines)
