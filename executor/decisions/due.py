"""What is due, by the clock and by what main, its record and its pull requests say.

Level-triggered: nothing here remembers what was started. A run that is under way, or that has done
what was asked, is found by its run-name, so a tick may come as often and as late as it likes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from executor.model.due import (
    DOCTOR,
    EXECUTE,
    REVIEW,
    SETTLE,
    VALIDATE,
    Held,
    OpenPull,
    Situation,
    Slot,
    Wanted,
)
from executor.model.forge import (
    ACTIONS_ID,
    DIGEST_MARK,
    MARKS,
    Mark,
    PullRequest,
    WorkflowRun,
)
from executor.model.market import Session
from executor.model.words import count, instant

STRATEGY_LABEL: Final = "strategy: "
"""Begins the label that says which book a plan's pull request belongs to."""

STALE_AFTER: Final = timedelta(hours=4)
"""In session, how old the answer about the account may be before a plan is judged again."""

LOST_AFTER: Final = timedelta(days=1)
"""A run that has been under way for longer is not coming back."""

TRIES: Final = 2
"""Runs of one name that may fail one after the other before there is a pause."""

PAUSE: Final = timedelta(hours=1)
"""How long that is."""

WEEK: Final = timedelta(days=7)

LATE: Final = timedelta(minutes=45)
"""A review that is started so long after its slot is said to be late."""

NAMED_MAX: Final = 6
"""Missed slots that are named one by one."""


def validate_title(number: int) -> str:
    """`validate #12`."""
    return f"validate #{number}"


def review_title(strategy: str, slot: str) -> str:
    """`review momentum 2026-01-14T14:30Z`."""
    return f"review {strategy} {slot}"


EXECUTE_TITLE: Final = "execute"
SETTLE_TITLE: Final = "settle"
DOCTOR_TITLE: Final = "doctor"


# Reviews by slot.


def slots_of(sessions: Sequence[Session], every: timedelta) -> tuple[Slot, ...]:
    """Every slot of some sessions: at the open, and then each interval until the close."""
    assert every > timedelta(0), "settings are checked when they are read"
    found = []
    for session in sessions:
        at = session.opens
        while at < session.closes:
            found.append(Slot(at, max(session.opens, at - every / 2)))
            at += every
    return tuple(found)


@dataclass(frozen=True, slots=True)
class ReviewDue:
    """A review to start, for one slot or two."""

    strategy: str
    slot: Slot
    """The slot that it is started for."""
    serves: tuple[Slot, ...]
    """Every slot that it serves."""
    missed: tuple[Slot, ...]
    """Slots before these that nobody served, and that are over."""


def review_due(
    strategy: str, slots: Sequence[Slot], made: Iterable[datetime], now: datetime
) -> ReviewDue | None:
    """The review that a book is due now; None where its newest slot is served.

    A slot is served late, by however much, until the next one comes. Within half an interval of
    that, one review serves both.

    Args:
        strategy: the book.
        slots: in order, with the next one where it is known.
        made: when its reviews were made.
        now: the present.
    """
    past = [one for one in slots if one.at <= now]
    if not past:
        return None
    newest = max(made, default=None)
    current = past[-1]
    if newest is not None and newest >= current.counts_from:
        return None
    following = next((one for one in slots if one.at > now), None)
    both = following is not None and following.counts_from <= now
    serves = (current, following) if following is not None and both else (current,)
    # Before its first review a book has missed nothing: it may have been set up just now.
    missed = [one for one in past[:-1] if newest is not None and one.counts_from > newest]
    return ReviewDue(strategy, serves[-1], serves, tuple(missed))


def review_wanted(due: ReviewDue, now: datetime) -> Wanted:
    """The run that a due review asks for; its reason says how late it is, and what was missed."""
    names = [review_title(due.strategy, one.name) for one in due.serves]
    first = due.serves[0]
    told = [f"scheduled review of {' and '.join(one.name for one in due.serves)}"]
    if now - first.at >= LATE:
        told.append(f"{_long(now - first.at)} late")
    if due.missed:
        listed = ", ".join(one.name for one in due.missed[-NAMED_MAX:])
        more = len(due.missed) - NAMED_MAX
        told.append(f"missed: {listed}" + (f" and {more} before" if more > 0 else ""))
    why = "; ".join(told)
    return Wanted(
        REVIEW,
        names[-1],
        why,
        {"strategy": due.strategy, "slot": due.slot.name, "reason": why},
        like=tuple(names[:-1]),
        unless_since=first.counts_from,
    )


def _long(time: timedelta) -> str:
    """`3 h 20 min`."""
    minutes = int(time.total_seconds()) // 60
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours else f"{rest} min"


def strategy_of(pull: PullRequest) -> str | None:
    """The book that a plan's pull request says it is of; None where it says none."""
    named = [one for one in pull.labels if one.startswith(STRATEGY_LABEL)]
    return named[0].removeprefix(STRATEGY_LABEL) if named else None


# Everything else.


def wanted(situation: Situation) -> tuple[Wanted, ...]:
    """Every run that is due by what was looked at, the most urgent first; reviews apart."""
    found = [*_execute(situation), *_settle(situation)]
    for one in situation.pulls:
        found += _validate(one, situation)
    week_ago = situation.now - WEEK
    found.append(Wanted(DOCTOR, DOCTOR_TITLE, "weekly look", unless_since=week_ago, any_end=True))
    return tuple(found)


def _execute(situation: Situation) -> Iterable[Wanted]:
    plan = situation.plan
    if plan is None:
        return
    name = f"plan {plan.digest[:8]}"
    if plan.half_executed:
        yield Wanted(EXECUTE, EXECUTE_TITLE, f"{name} is half executed")
    elif not plan.readable:
        yield Wanted(EXECUTE, EXECUTE_TITLE, f"{name} is none that may wait and is to be set aside")
    elif plan.expires_at is not None and situation.now > plan.expires_at:
        yield Wanted(EXECUTE, EXECUTE_TITLE, f"{name} is over since {instant(plan.expires_at)}")
    elif situation.session is not None:
        yield Wanted(EXECUTE, EXECUTE_TITLE, f"{name} waits on main")
    else:
        # Nothing is sent while closed; but the event that announces a merge may have been lost.
        why = f"{name} waits on main and was not looked at"
        yield Wanted(EXECUTE, EXECUTE_TITLE, why, unless_since=plan.added_at, any_end=True)


def _settle(situation: Situation) -> Iterable[Wanted]:
    closed = situation.closed_with_plan
    if closed:
        listed = ", ".join(f"#{one.number}" for one in closed)
        why = f"closed without a merge, to be archived: {listed}"
        last = max(one.closed_at or situation.now for one in closed)
        # What a run that came since could not archive is left to the others: no tick repeats it.
        yield Wanted(SETTLE, SETTLE_TITLE, why, unless_since=last)
    record = situation.record
    if record is None:
        return
    if record.entries_open and situation.session is not None:
        yield Wanted(SETTLE, SETTLE_TITLE, f"{count(record.entries_open, 'order')} still open")
        return
    if record.alone and not record.in_motion:
        return  # The exchange is a function of the record: nothing can have happened there.
    if situation.session is not None and record.in_motion:
        opened = situation.session.opens
        why = f"a session opened at {instant(opened)}: stops of a day are put back"
        yield Wanted(SETTLE, SETTLE_TITLE, why, unless_since=opened)
    elif situation.last_close is not None:
        why = f"a session closed at {instant(situation.last_close)}"
        yield Wanted(SETTLE, SETTLE_TITLE, why, unless_since=situation.last_close)


def _validate(one: OpenPull, situation: Situation) -> Iterable[Wanted]:
    newest = newest_marks(one.marks)
    lacking = [name for name in MARKS if name not in newest or newest[name].state == "pending"]
    number = one.pull.number
    title, inputs = validate_title(number), {"pull_request": str(number)}
    if lacking:
        why = f"#{number} lacks {', '.join(lacking)}"
        yield Wanted(VALIDATE, title, why, inputs)
    elif _tells_plan(newest[DIGEST_MARK]) and _is_stale(newest["plan/capital"], situation):
        why = f"#{number} was judged by an account of {_when(newest['plan/capital'])}"
        yield Wanted(VALIDATE, title, why, inputs)


def newest_marks(marks: Sequence[Mark]) -> Mapping[str, Mark]:
    """The newest status of each context, of those that GitHub Actions posted.

    Args:
        marks: the newest first; those of anybody else are as good as absent.
    """
    found: dict[str, Mark] = {}
    for one in marks:
        if one.creator is not None and one.creator.id == ACTIONS_ID:
            found.setdefault(one.context, one)
    return found


def _tells_plan(mark: Mark) -> bool:
    """True where the validator judged a plan: its description then begins with the digest."""
    return mark.description.startswith("digest ")


def _is_stale(mark: Mark, situation: Situation) -> bool:
    """True in session, where the account was looked at before it opened, or long ago."""
    session = situation.session
    if session is None or mark.created_at is None:
        return False
    return mark.created_at < max(session.opens, situation.now - STALE_AFTER)


def _when(mark: Mark) -> str:
    assert mark.created_at is not None, "a status without a time is never stale"
    return instant(mark.created_at)


# What is under way, or done.


def looked_back_to(asked: Sequence[Wanted], now: datetime) -> datetime:
    """Since when runs of a workflow have to be known to sift what is asked of it."""
    since = [one.unless_since for one in asked if one.unless_since is not None]
    return min([now - LOST_AFTER, *since])


def sift(
    asked: Sequence[Wanted], runs: Mapping[str, Sequence[WorkflowRun]], now: datetime
) -> tuple[tuple[Wanted, ...], tuple[Held, ...]]:
    """Part what is to be started from what is under way, done, or failing again and again.

    Args:
        asked: what is due.
        runs: by workflow, the newest first, as far back as `looked_back_to` says.
        now: the present.
    """
    going: list[Wanted] = []
    held: list[Held] = []
    for one in asked:
        names = {one.title, *one.like}
        known = [run for run in runs.get(one.workflow, ()) if run.title in names and _ran(run)]
        if _is_done(one, known) or any(other.title == one.title for other in going):
            continue
        why = _under_way(known, now) or _failing(known, now)
        if why is None:
            going.append(one)
        else:
            held.append(Held(one, why))
    return tuple(going), tuple(held)


def _ran(run: WorkflowRun) -> bool:
    """False for a run that did nothing: skipped (our own push, a comment), or never started."""
    return run.conclusion not in ("skipped", "cancelled")


def _is_done(one: Wanted, runs: Sequence[WorkflowRun]) -> bool:
    """True where a run has ended since that was of use."""
    if one.unless_since is None:
        return False
    for run in runs:
        ended = run.status == "completed" and (one.any_end or run.conclusion == "success")
        if ended and run.created_at >= one.unless_since:
            return True
    return False


def _under_way(runs: Sequence[WorkflowRun], now: datetime) -> str | None:
    for run in runs:
        if run.status != "completed" and now - run.created_at < LOST_AFTER:
            return f"under way since {instant(run.created_at)} ({run.status.replace('_', ' ')})"
    return None


def _failing(runs: Sequence[WorkflowRun], now: datetime) -> str | None:
    """A pause for what fails every time: a person is told by the failing run itself."""
    ended = [run for run in runs if run.status == "completed"][:TRIES]
    failed = [run for run in ended if run.conclusion != "success"]
    if len(failed) < TRIES:
        return None
    again = failed[0].created_at + PAUSE
    if now >= again:
        return None
    return f"failed {TRIES} times; again from {instant(again)} on"
