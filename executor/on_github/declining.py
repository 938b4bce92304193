"""Archives plans that were declined: the No is part of the record, with who and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from executor.decisions.declined import (
    CLOSED_AT,
    CLOSED_BACK,
    carries_plan,
    declined,
    digest_and_time,
    is_told,
    may_be_archived,
)
from executor.decisions.notes import SUPERSEDED
from executor.decisions.results import archive_name
from executor.errors import AutoInvestorError, BookUnavailable, SwapLost, UsageError
from executor.main_state import MainState
from executor.model.forge import ACTIONS_ID, PullRequest
from executor.model.plan import PLAN_PATH
from executor.model.reading import SIZE_LIMIT
from executor.ports import Book, Change, Forge, Progress
from executor.record import free_path
from executor.wiring import World

CLOSED_MAX: Final = 20
"""Closed pull requests that one run looks into."""

TOLD_MAX: Final = 1_000
"""Commits of declined plans that are looked at."""

SWAP_TRIES: Final = 8
"""How often main may move under us before we leave it to the next run."""

REPOSITORY: Final = "GITHUB_REPOSITORY"


Heard = Callable[[AutoInvestorError], None]
"""Is told what cannot be read; the other pull requests are looked at all the same."""


def archive_declined(world: World, progress: Progress) -> None:
    """Archive each plan whose pull request was closed without a merge, once.

    What cannot be archived is left to the next run: anybody's pull request may be one that cannot
    be read, so nothing that trades waits for this or fails with it.

    Args:
        world: the ports.
        progress: who is told.
    """
    if world.forge is None:
        return

    def left(error: AutoInvestorError) -> None:
        progress.say(f"not every declined plan is archived yet: {error}")

    try:
        closed = closed_without_merge(world, world.forge, world.book.head(), left)
    except AutoInvestorError as error:
        left(error)
        return
    for pull in closed:
        try:
            _archive(world, world.forge, pull, progress)
        except AutoInvestorError as error:
            left(error)


def closed_without_merge(
    world: World, forge: Forge, head: str, left: Heard
) -> tuple[PullRequest, ...]:
    """Pull requests that were closed without a merge, carried a plan, and are not archived.

    Args:
        world: the ports.
        forge: GitHub.
        head: main.
        left: is told of each whose files cannot be listed; it is not among what is returned.

    Raises:
        ForgeUnavailable: GitHub does not list them.
    """
    now, here = world.clock.now(), _here(world, head)
    closed = forge.pull_requests("closed", now - CLOSED_BACK)
    found = [one for one in closed if may_be_archived(one, here, now)]
    if not found:
        return ()
    untold = [one for one in found if not _is_told(world.book, one, head)]
    return tuple(one for one in untold[:CLOSED_MAX] if _carries_plan(forge, one, left))


def _carries_plan(forge: Forge, pull: PullRequest, left: Heard) -> bool:
    try:
        return carries_plan(forge.files(pull.number))
    except AutoInvestorError as error:
        left(error)
        return False


def _here(world: World, head: str) -> str:
    return world.environment.get(REPOSITORY) or MainState(world.book, head).settings.repository


def _is_told(book: Book, pull: PullRequest, head: str) -> bool:
    commits = book.with_trailer(CLOSED_AT, None, head, TOLD_MAX)
    return is_told(pull, (one.trailers for one in commits))


def _archive(world: World, forge: Forge, pull: PullRequest, progress: Progress) -> None:
    data = _plan_of(world.book, pull)
    if data is None:
        progress.say(f"#{pull.number}: no plan at its head that could be archived")
        return
    known = {ACTIONS_ID, MainState(world.book, world.book.head()).settings.github.bot_id}
    told = declined(forge.timeline(pull.number), forge.comments(pull.number), known - {0})
    digest, made_at = digest_and_time(data, pull.created_at)
    verb = "Supersede" if told.step == SUPERSEDED else "Decline"
    for _ in range(SWAP_TRIES):
        head = world.book.head()
        if _is_told(world.book, pull, head):
            return
        path = free_path(world.book, head, archive_name(made_at), lambda: digest)
        change = Change(
            subject=f"{verb} plan {digest[:8]}",
            writes={path: data},
            trailers=told.trailers(pull, digest),
        )
        try:
            world.book.commit(change, head)
        except SwapLost:
            continue
        progress.say(f"#{pull.number}: {told.step} by {told.by}, archived as {path}")
        return
    raise BookUnavailable(f"main moved {SWAP_TRIES} times under this run; run again")


def _plan_of(book: Book, pull: PullRequest) -> bytes | None:
    """The plan at the pull request's head; None where it moved meanwhile, or holds none."""
    try:
        brought = book.bring(f"refs/pull/{pull.number}/head")
    except UsageError:
        return None
    data = book.read(PLAN_PATH, brought) if brought == pull.head else None
    return data if data is not None and len(data) <= SIZE_LIMIT else None
