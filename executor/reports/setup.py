"""What the set-up on GitHub lacks, what was done about it and what is left, for a person."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from executor.errors import ExitCode
from executor.model.hosting import Call, Drift
from executor.model.words import count
from executor.reports.blocks import Block, Line
from executor.reports.reply import Reply

Unreads = Sequence[tuple[str, str]]
"""What could not be read, and why."""


@dataclass(frozen=True, slots=True)
class Done:
    """What `--apply` came to."""

    sent: tuple[Call, ...] = ()
    written: tuple[str, ...] = ()
    """Files of the work tree, for a person to commit."""
    in_the_way: tuple[str, ...] = ()
    """Files that were not written, as somebody has changed them."""
    stopped_at: Call | None = None
    why: str | None = None
    """GitHub's answer to the call that it stopped at."""
    exit_code: ExitCode = ExitCode.DONE


def report_shown(name: str, drifts: Sequence[Drift], unread: Unreads) -> Reply:
    """The drifts, and what `--apply` would do; nothing was changed."""
    blocks = [*drift_blocks(name, drifts), *unread_blocks(unread)]
    for one in drifts:
        blocks += [Line(f"  would {_sent(call)}", "faint") for call in one.calls]
        blocks += [Line(f"  would write {path}", "faint") for path in one.writes]
    if any(one.calls or one.writes for one in drifts):
        blocks.append(Line("nothing was changed; `autoinvestor setup --apply` does it", "waiting"))
    code = ExitCode.REFUSED if drifts else ExitCode.DONE
    return Reply(code, _data(name, drifts, unread), tuple(blocks))


def report_applied(name: str, drifts: Sequence[Drift], unread: Unreads, done: Done) -> Reply:
    """What was done, where it stopped, and what is left.

    Args:
        name: the repository.
        drifts: those that are left.
        unread: what could not be read.
        done: what was done.
    """
    blocks: list[Block] = [Line(f"done: {_sent(call)}", "good") for call in done.sent]
    blocks += [Line(f"written, commit it: {path}", "good") for path in done.written]
    blocks += [
        Line(f"not written, you have changed it: {path}; commit that first", "waiting")
        for path in done.in_the_way
    ]
    if done.stopped_at is not None:
        blocks.append(Line(f"stopped at: {done.stopped_at.words()}", "bad"))
        blocks.append(Line(f"  {done.why}", "bad"))
    blocks += drift_blocks(name, drifts, left=True)
    blocks += unread_blocks(unread)
    data = _data(name, drifts, unread) | {
        "done": [asdict(call) for call in done.sent],
        "written": list(done.written),
        "in_the_way": list(done.in_the_way),
        "stopped_at": None if done.stopped_at is None else asdict(done.stopped_at),
        "why": done.why,
    }
    return Reply(done.exit_code, data, tuple(blocks))


def drift_blocks(name: str, drifts: Sequence[Drift], *, left: bool = False) -> list[Block]:
    """Each drift in a line, or that there is none."""
    if not drifts:
        told = "nothing is left" if left else "as it should be, as far as it was read"
        return [Line(f"{name}: {told}", "good")]
    heading = f"{name}: {count(len(drifts), 'drift')}{' left' if left else ''}"
    return [Line(heading, "bad"), *(Line(f"  {one.sentence()}", "bad") for one in drifts)]


def unread_blocks(unread: Unreads) -> list[Block]:
    """What could not be read, so that nobody takes it as fine."""
    if not unread:
        return []
    heading = "not read with this token, so nothing is said of it:"
    return [
        Line(heading, "waiting"),
        *(Line(f"  {what}: {why}", "waiting") for what, why in unread),
    ]


def drift_data(drifts: Iterable[Drift]) -> list[dict[str, Any]]:
    """The drifts as data."""
    return [asdict(one) for one in drifts]


def _data(name: str, drifts: Sequence[Drift], unread: Unreads) -> dict[str, Any]:
    return {
        "repository": name,
        "drifts": drift_data(drifts),
        "not_read": [{"what": what, "why": why} for what, why in unread],
    }


def _sent(call: Call) -> str:
    return call.words() if call.body is None else f"{call.words()} {json.dumps(call.body)}"
