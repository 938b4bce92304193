"""How the set-up stands: drifts, who could trade, who sees it, and what was not read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from executor.decisions.access import Power
from executor.decisions.heartbeats import Silence
from executor.errors import ExitCode
from executor.model.forge import ACTIONS_APP
from executor.model.hosting import Drift, Hosting
from executor.model.words import count, instant
from executor.reports.blocks import Block, Line, Table
from executor.reports.reply import Reply
from executor.reports.setup import Unreads, drift_blocks, drift_data, unread_blocks

PIN_UNPROVEN: Final = (
    "not proven: that the pin of the ruleset `approval` to GitHub Actions (integration_id"
    f" {ACTIONS_APP}) holds against a commit status of somebody else. To try it, with an App and"
    " that ruleset in force: open a pull request from a branch, post `plan/schema`, `plan/scope`"
    " and `plan/capital` as green to its head with a token of your own, and look whether GitHub"
    " still waits for them. Nothing rests on it: `execute` asks who posted each status"
)
"""GitHub documents the pin for check runs; nowhere is it said of statuses."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """What became of the schedule's heartbeats."""

    silences: tuple[Silence, ...] = ()
    not_looked: str | None = None
    """Why they were not looked at; None where they were."""
    interval: timedelta | None = None
    """Between two runs, as the workflow says."""
    sessions: int = 0
    """How many sessions were looked at."""


@dataclass(frozen=True, slots=True)
class Health:
    """Everything that `doctor` found."""

    hosting: Hosting
    drifts: tuple[Drift, ...]
    unread: Unreads
    powers: tuple[Power, ...]
    kept: Sequence[str]
    """What stands between a push and a trade."""
    seen_by: Sequence[str]
    pulse: Pulse
    trading: str
    """Whether trading is enabled, in a sentence."""


def report_health(health: Health) -> Reply:
    """Drifts first, then who could do what, then what nobody looked at."""
    hosting, pulse = health.hosting, health.pulse
    blocks: list[Block] = [
        Line(f"{hosting.name}: {hosting.tier}; {health.trading}"),
        *drift_blocks(hosting.name, health.drifts),
        *_pulse(pulse),
        Line("who could trade:"),
        *(Line(f"  {one}") for one in health.kept),
    ]
    rows = tuple(
        (one.member.actor.login, str(one.member.actor.id), one.member.access, "; ".join(one.may))
        for one in health.powers
    )
    if rows:
        blocks.append(Table("", ("login", "number", "access", "may"), rows, frozenset({"number"})))
    else:
        blocks.append(Line("  who can write was not read, or is nobody", "waiting"))
    blocks.append(Line("who sees plans, positions and results:"))
    blocks += [Line(f"  {one}") for one in health.seen_by]
    blocks += unread_blocks(health.unread)
    blocks.append(Line(PIN_UNPROVEN, "faint"))
    data = {
        "repository": hosting.name,
        "tier": hosting.tier.value,
        "trading": health.trading,
        "drifts": drift_data(health.drifts),
        "silences": [
            {
                "session": one.session.opens,
                "runs": one.runs,
                "longest_minutes": int(one.longest.total_seconds() // 60),
                "since": one.since,
            }
            for one in pulse.silences
        ],
        "heartbeats_not_looked_at": pulse.not_looked,
        "who_could_trade": [
            {
                "login": one.member.actor.login,
                "id": one.member.actor.id,
                "access": one.member.access,
                "may": list(one.may),
            }
            for one in health.powers
        ],
        "kept": list(health.kept),
        "seen_by": list(health.seen_by),
        "not_read": [{"what": what, "why": why} for what, why in health.unread],
        "not_proven": [PIN_UNPROVEN],
    }
    is_wrong = bool(health.drifts or pulse.silences)
    return Reply(ExitCode.REFUSED if is_wrong else ExitCode.DONE, data, tuple(blocks))


def _pulse(pulse: Pulse) -> list[Line]:
    if pulse.not_looked is not None:
        return [Line(f"heartbeats of `tick`: not looked at, {pulse.not_looked}", "waiting")]
    sessions = count(pulse.sessions, "session")
    if not pulse.silences:
        return [Line(f"heartbeats of `tick`: none missed in {sessions}", "good")]
    wanted = "" if pulse.interval is None else f"; wanted: a run every {minutes(pulse.interval)}"
    blocks = [
        Line(
            f"heartbeats of `tick`: missed in {len(pulse.silences)} of {sessions}{wanted};"
            " look at Actions → tick, and let something outside GitHub dispatch it as well",
            "bad",
        )
    ]
    blocks += [
        Line(
            f"  session of {one.session.opens:%Y-%m-%d}: {count(one.runs, 'run')}, silent for"
            f" {minutes(one.longest)} from {instant(one.since)}",
            "bad",
        )
        for one in pulse.silences
    ]
    return blocks


def drift_lines(health: Health) -> tuple[str, ...]:
    """Everything that is not as it should be, a line each."""
    pulse = [one.text for one in _pulse(health.pulse)]
    missed = pulse if health.pulse.silences else []
    return (*(one.sentence() for one in health.drifts), *(one.strip() for one in missed))


def minutes(time: timedelta) -> str:
    """`2 h 10 min`, `30 min`."""
    hours, rest = divmod(int(time.total_seconds() // 60), 60)
    if not hours:
        return f"{rest} min"
    return f"{hours} h {rest} min" if rest else f"{hours} h"
