"""What a tick found and started, for a person."""

from __future__ import annotations

from collections.abc import Sequence

from executor.errors import ExitCode
from executor.model.due import Held, Situation, Wanted
from executor.model.words import count, instant
from executor.reports.blocks import Block, Line
from executor.reports.reply import Reply


def report_tick(
    situation: Situation,
    started: Sequence[Wanted],
    held: Sequence[Held],
    *,
    notes: Sequence[str] = (),
    problems: Sequence[str] = (),
    only_shown: bool = False,
    exit_code: ExitCode = ExitCode.DONE,
) -> Reply:
    """Say what is due, what was started and what was not, with the reason of each.

    Args:
        situation: what was looked at.
        started: runs that were asked for, or would be.
        held: runs that are due and were not asked for.
        notes: what a person should know beside them.
        problems: what could not be looked at or asked for.
        only_shown: True where nothing was asked for.
        exit_code: how the command ends.
    """
    blocks: list[Block] = [_market_line(situation)]
    verb = "would start" if only_shown else "started"
    blocks += [Line(f"{verb}: {one.title}: {one.why}", "good") for one in started]
    blocks += [Line(f"not started: {one.wanted.title}: {one.why}", "waiting") for one in held]
    if not started and not held:
        blocks.append(Line("nothing is due"))
    blocks += [Line(one, "waiting") for one in notes]
    blocks += [Line(one, "bad") for one in problems]
    data = {
        "now": instant(situation.now),
        "is_open": situation.session is not None,
        "shown_only": only_shown,
        "started": [_as_data(one) for one in started],
        "held": [{**_as_data(one.wanted), "held": one.why} for one in held],
        "notes": list(notes),
        "problems": list(problems),
    }
    return Reply(exit_code, data, tuple(blocks))


def _market_line(situation: Situation) -> Line:
    session = situation.session
    hours = f"open until {instant(session.closes)}" if session is not None else "closed"
    if session is None:
        following = [one.opens for one in situation.sessions if one.opens > situation.now]
        hours += f" until {instant(following[0])}" if following else ""
    waits = count(len(situation.pulls), "open pull request")
    return Line(f"{instant(situation.now)}: the market is {hours}; {waits}")


def _as_data(one: Wanted) -> dict[str, object]:
    return {
        "workflow": one.workflow,
        "title": one.title,
        "why": one.why,
        "inputs": dict(one.inputs),
    }
