"""Somebody asks for something on GitHub: read as data, judged by their right, answered once."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, Final, Literal

from executor.decisions.commands_in_comments import (
    GRAMMAR,
    AckAsked,
    Ask,
    HaltAsked,
    NotOurs,
    NotUnderstood,
    read_event,
    refusal,
)
from executor.decisions.notes import one_line
from executor.errors import AutoInvestorError, ExitCode, UsageError
from executor.main_state import MainState
from executor.model.forge import Actor
from executor.ports import Forge, Progress
from executor.reports.blocks import Line
from executor.reports.reply import Reply
from executor.reports.telling import answer, answer_marker, ended, short_answer
from executor.wiring import World

EVENT_MAX: Final = 4 * 1024 * 1024
"""Bytes of an event; a comment and its issue have 64 Ki characters each at most."""

Act = Callable[[Ask], Reply]


def asked_by(actor: Actor) -> str:
    """How whoever asked stands in the record: `alice (GitHub 1001)`."""
    return one_line(f"{actor.login} (GitHub {actor.id})", 200)


def carry_out(
    world: World, progress: Progress, event: Path, verb: Literal["halt", "ack"], act: Act
) -> Reply:
    """Do what an event asks of a verb, where it does and whoever asks may; then answer.

    Args:
        world: the ports.
        progress: who is told.
        event: the file with the event's payload.
        verb: what may be asked for.
        act: does it.

    Raises:
        UsageError: no such file, or no JSON.
        AutoInvestorError: as the act itself; it was answered.
    """
    ask = read_event(_payload(event))
    if isinstance(ask, NotOurs):
        return _not_ours(ask.why)
    wanted = HaltAsked if verb == "halt" else (AckAsked, NotUnderstood)
    if not isinstance(ask.what, wanted):
        return _not_ours("it asks for something else")
    answering = _Answering(world, progress, ask)
    # A halt only tightens, so it is carried out however often it is asked for.
    if not isinstance(ask.what, HaltAsked) and answering.is_answered():
        return _not_ours("it was answered by an earlier run")
    permission = answering.permission()
    approvers = () if isinstance(ask.what, HaltAsked) else _approvers(world)
    why = refusal(ask, permission, approvers)
    if why is not None:
        # Strangers get no answer: anybody could have the bot write for ever.
        if permission not in ("read", "none"):
            answering.say(short_answer(ask.comment, _not_done(ask), why))
        return _refused(f"{asked_by(ask.who)}: {why}")
    if isinstance(ask.what, NotUnderstood):
        problem = f"/{ask.what.verb} {ask.what.problem}"
        answering.say(short_answer(ask.comment, f"Not understood: write {GRAMMAR}", problem))
        return _refused(f"{problem}; write {GRAMMAR}")
    try:
        reply = act(ask)
    except AutoInvestorError as error:
        # Without the comment's marker: a run that comes again is to try it again.
        answering.say(short_answer(None, _not_done(ask), str(error)))
        raise
    title = reply.data.get("title", f"{ended(reply).capitalize()}: taken over")
    is_over = reply.exit_code in (ExitCode.DONE, ExitCode.REFUSED)
    key = ask.comment if is_over else None
    answering.say(answer(key, reply, title, reply.data.get("words", "")))
    return reply


def _approvers(world: World) -> Collection[int]:
    """Whose word the settings on main ask for; nobody: everybody's who may write."""
    return MainState(world.book, world.book.head()).settings.approval.approvers


def _payload(event: Path) -> Any:
    try:
        with event.open("rb") as stream:
            data = stream.read(EVENT_MAX + 1)
    except OSError as error:
        raise UsageError(f"--event {event}: {error.strerror or error}") from None
    if len(data) > EVENT_MAX:
        raise UsageError(f"--event {event}: more than {EVENT_MAX:,} bytes; no event is that large")
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise UsageError(f"--event {event}: no JSON; give the file of an event") from None


def _not_done(ask: Ask) -> str:
    return "NOT halted" if isinstance(ask.what, HaltAsked) else "Not done"


def _not_ours(why: str) -> Reply:
    text = f"nothing to do: {why}"
    return Reply(ExitCode.DONE, {"state": "not_ours", "why": why}, (Line(text),))


def _refused(why: str) -> Reply:
    return Reply(ExitCode.REFUSED, {"state": "refused", "why": why}, (Line(why, "bad"),))


class _Answering:
    """The right of whoever asks, and the answer to them; no lack of GitHub stops a halt."""

    def __init__(self, world: World, progress: Progress, ask: Ask) -> None:
        self._forge: Forge | None = world.forge
        self._progress = progress
        self._ask = ask

    def permission(self) -> str | None:
        """What whoever asks may do here; None where GitHub does not answer."""
        if self._forge is None or self._ask.how == "dispatch":
            return None
        try:
            return self._forge.permission(self._ask.who.login)
        except AutoInvestorError as error:
            self._progress.say(f"GitHub does not say what {self._ask.who.login} may do: {error}")
            return None

    def is_answered(self) -> bool:
        """True where a run before this one has answered the same comment."""
        number, comment = self._ask.number, self._ask.comment
        if self._forge is None or number is None or comment is None:
            return False
        try:
            said = self._forge.comments(number)
        except AutoInvestorError as error:
            self._progress.say(f"GitHub does not list the comments of #{number}: {error}")
            return False
        marker = answer_marker(comment)
        return any(
            one.author is not None
            and one.author.kind == "Bot"
            and one.body.rstrip().endswith(marker)
            for one in said
        )

    def say(self, body: str) -> None:
        """Answer where somebody reads it; what fails is only said in the log."""
        if self._forge is None or self._ask.number is None:
            return
        try:
            self._forge.say(self._ask.number, body)
        except AutoInvestorError as error:
            self._progress.say(f"not answered on GitHub: {error}")
