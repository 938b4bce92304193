"""How a plan came to main, or would: gathered from git and from GitHub, judged by the checks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeVar

from executor.errors import ForgeUnavailable
from executor.main_state import MainState, PlanOnMain, plan_of
from executor.model.evidence import Edit, Evidence, Merged, PlanBefore
from executor.model.forge import Actor, Event, PullCommit, PullRequest
from executor.model.plan import PLAN_PATH, PlanStatus
from executor.ports import Book, CommitInfo, Forge

LAG_MAX: Final = timedelta(minutes=10)
"""How long GitHub may take to know what it has merged; after that its silence is an answer."""

LOOKED_BACK: Final = timedelta(hours=1)
"""How long before a merge its pull request may have been updated last, clocks being as they are."""

REVIEWERS_MAX: Final = 20
"""People who approved, or who wrote, that are asked about; nobody needs more."""

TWINS_MAX: Final = 10
"""Pull requests merged by one commit whose timelines are read; of any more it is not known."""

BACK_OFF: Final = (2.0, 5.0)
"""Seconds before a question that had no usable answer is asked a second and a third time."""

AGAIN_MAX: Final = 6
"""Questions of one gathering that are repeated; where GitHub is down, the next run asks."""

A = TypeVar("A")


def at_once(_seconds: float) -> None:
    """Ask again without a wait."""


class _Asking:
    """Ask a question up to three times: one bad gateway must not hold an exit up."""

    def __init__(self, sleep: Callable[[float], None]) -> None:
        self._sleep = sleep
        self._left = AGAIN_MAX

    def __call__(self, ask: Callable[[], A]) -> A:
        for seconds in BACK_OFF:
            try:
                return ask()
            except ForgeUnavailable:
                if not self._left:
                    raise
                self._left -= 1
                self._sleep(seconds)
        return ask()

    def or_none(self, ask: Callable[[], A]) -> A | None:
        try:
            return self(ask)
        except ForgeUnavailable:
            return None


def evidence_of(
    book: Book,
    forge: Forge | None,
    main: MainState,
    plan: PlanOnMain,
    now: datetime,
    sleep: Callable[[float], None] = at_once,
) -> Evidence | None:
    """How the plan on main came there; None where the policy asks nothing, or nobody can be asked.

    What GitHub does not answer is missing in it, and the checks wait for it.

    Args:
        book: the repository.
        forge: GitHub; None where nobody can be asked.
        main: what main holds.
        plan: the plan on it.
        now: the present instant.
        sleep: waits so many seconds before a question is asked again.

    Raises:
        ForgeRefused: GitHub refuses to answer, for instance for want of a right.
        BookUnavailable: git does not answer.
    """
    if main.settings.approval_policy() == "none" or forge is None:
        return None
    added = plan.added
    found = _from_git(book, added, is_old=now - added.committed_at > LAG_MAX)
    asking = _Asking(sleep)
    try:
        repository = asking(forge.repository).name
        request, twins = _merged_as(forge, asking, added, repository)
    except ForgeUnavailable:
        # Silence proves nothing, however old the commit is.
        return replace(found, is_old=False)
    found = replace(found, pull_request=request, repository=repository)
    if request is None or not found.is_merge or not request.is_merged:
        return found
    if request.head != found.parents[1]:
        return found
    found = replace(found, twins=_timelines(forge, asking, twins))
    of_main = book.read(PLAN_PATH, found.parents[0])
    found = _of_commits(book, forge, asking, found, request, of_main)
    return _of_people(forge, asking, found, request, main.settings.approval.approvers)


def evidence_before_merge(
    book: Book, forge: Forge, main: MainState, number: int
) -> Evidence | None:
    """What a pull request would bring to main; None where there is none of that number.

    Raises:
        ForgeUnavailable, ForgeRefused, BookUnavailable: somebody does not answer, or lags behind.
        UsageError: the remote has no such pull request, or it shares no history with main.
    """
    request = forge.pull_request(number)
    if request is None:
        return None
    head = book.bring(f"refs/pull/{number}/head")
    if head != request.head:
        raise ForgeUnavailable(f"pull request #{number}: its head moved meanwhile; run again")
    fork = book.fork_point(main.head, head)
    waiting = main.plan
    return Evidence(
        added_in=None,
        parents=(),
        added_at=None,
        repository=_Asking(at_once).or_none(lambda: forge.repository().name),
        is_old=False,
        pull_request=request,
        changes=book.differences(fork, head),
        before=_before(waiting),
        plan_at_head=book.read(PLAN_PATH, head),
        had_file=book.read(PLAN_PATH, fork) is not None,
    )


def _from_git(book: Book, added: CommitInfo, *, is_old: bool) -> Evidence:
    """The part that nobody has to be asked for."""
    first = added.parents[0] if added.parents else None
    merged = added.parents[1] if len(added.parents) == 2 else None
    return Evidence(
        added_in=added.commit,
        parents=added.parents,
        added_at=added.committed_at,
        repository=None,
        is_old=is_old,
        pull_request=None,
        changes=book.differences(first, added.commit) if first else (),
        before=_before(MainState(book, first).plan) if first else None,
        plan_at_head=book.read(PLAN_PATH, merged) if merged else None,
        plan_on_main=book.read(PLAN_PATH, added.commit),
        had_file=first is not None and book.read(PLAN_PATH, first) is not None,
    )


def _before(plan: PlanOnMain | None) -> PlanBefore | None:
    if plan is None:
        return None
    return PlanBefore(plan.digest, is_pending=plan.status is not PlanStatus.VALIDATED)


def _merged_as(
    forge: Forge, asking: _Asking, added: CommitInfo, repository: str
) -> tuple[PullRequest | None, tuple[PullRequest, ...]]:
    """The pull request that a commit merged, None where GitHub knows none (yet); and its twins.

    By the commit, and by the list of those closed lately, which knows of a merge earlier. Several
    may have the same head. Those of a fork say nothing where there is one of this repository:
    anybody may open them.
    """
    known = asking(lambda: forge.pull_requests_of(added.commit))
    known = tuple(one for one in known if one.base_ref == "main")
    since = added.committed_at - LOOKED_BACK
    lately = asking(lambda: forge.pull_requests("closed", since=since))
    by_number = {one.number: one for one in (*lately, *known) if one.merge_commit == added.commit}
    own = [
        one
        for one in by_number.values()
        if (one.head_repository or "").casefold() == repository.casefold()
    ]
    found = own or list(by_number.values())
    if not found:
        # A rebase leaves several commits on main, of which GitHub names the last one.
        found = [one for one in known if one.is_merged][:1]
    if not found:
        return None, ()
    # A head that lies below the one that was merged counts as merged along with it.
    head = added.parents[-1] if added.parents else None
    first, *others = sorted(found, key=lambda one: (one.head != head, one.number))
    # Lists leave out who merged.
    request = asking(lambda: forge.pull_request(first.number))
    return request, tuple(others) if own else ()


def _timelines(forge: Forge, asking: _Asking, twins: Sequence[PullRequest]) -> tuple[Merged, ...]:
    return tuple(
        Merged(one, _timeline(forge, asking, one.number) if index < TWINS_MAX else None)
        for index, one in enumerate(twins)
    )


def _timeline(forge: Forge, asking: _Asking, number: int) -> tuple[Event, ...] | None:
    """What happened to a pull request that was merged; None where GitHub lags or is silent."""
    found = asking.or_none(lambda: forge.timeline(number))
    if found is not None and not any(one.name == "merged" for one in found):
        return None
    return found


def _of_commits(
    book: Book,
    forge: Forge,
    asking: _Asking,
    found: Evidence,
    request: PullRequest,
    of_main: bytes | None,
) -> Evidence:
    """Who wrote what was merged; what GitHub does not tell is left out."""
    commits = asking.or_none(lambda: forge.commits(request.number))
    if commits is None or request.head not in {one.commit for one in commits}:
        return found
    try:
        edits = _edits(book, forge, asking, commits, of_main)
    except ForgeUnavailable:
        edits = None
    return replace(
        found,
        edits=edits,
        commit_count=len(commits),
        is_one_commit=_is_one(book, commits, found.parents[0]),
    )


def _of_people(
    forge: Forge,
    asking: _Asking,
    found: Evidence,
    request: PullRequest,
    approvers: Sequence[int],
) -> Evidence:
    """Who judged and merged what was merged; what GitHub does not tell is left out."""
    number = request.number
    found = replace(
        found,
        reviews=asking.or_none(lambda: forge.reviews(number)),
        marks=asking.or_none(lambda: forge.marks(request.head)),
        timeline=_timeline(forge, asking, number),
    )
    asked = _writing(found)
    if not approvers:
        asked += [request.merged_by, *_approving(found, request)]
    rights: dict[int, str] = {}
    for one in asked:
        if one is None or not one.is_person or one.id in rights:
            continue
        right = asking.or_none(partial(forge.permission, one.login))
        if right is not None:
            rights[one.id] = right
    return replace(found, rights=rights)


def _writing(found: Evidence) -> list[Actor | None]:
    """Who signed a commit that adds to the plan, and is not known to write here already."""
    people: dict[int, Actor | None] = {
        one.id: one
        for edit in found.edits or ()
        if edit.is_verified and edit.added() is not None
        for one in edit.people
        if found.may_write(one) is None
    }
    return list(people.values())[:REVIEWERS_MAX]


def _approving(found: Evidence, request: PullRequest) -> list[Actor]:
    """Who approved the head that was merged."""
    people = [
        one.author
        for one in found.last_reviews()
        if one.state == "APPROVED" and one.commit == request.head and one.author is not None
    ]
    return people[:REVIEWERS_MAX]


def _is_one(book: Book, commits: Sequence[PullCommit], main: str) -> bool:
    """Whether it is one commit on top of main's own line; merges of main into it aside."""
    listed = {one.commit for one in commits}
    own = [one for one in commits if not _takes_main_in(book, one, listed, main)]
    return len(own) == 1 and len(own[0].parents) == 1 and book.is_on_line(own[0].parents[0], main)


def _takes_main_in(book: Book, one: PullCommit, listed: Collection[str], main: str) -> bool:
    """Whether a commit merges main, as the button does, and leaves the plan as it was."""
    if len(one.parents) != 2:
        return False
    ours, theirs = one.parents
    return (
        ours in listed
        and book.is_on_line(theirs, main)
        and book.read(PLAN_PATH, one.commit) == book.read(PLAN_PATH, ours)
    )


def _edits(
    book: Book,
    forge: Forge,
    asking: _Asking,
    commits: Sequence[PullCommit],
    of_main: bytes | None,
) -> tuple[Edit, ...] | None:
    """The commits that change the plan, with what GitHub vouches for; None where it lags."""
    listed = {one.commit for one in commits}
    edits = []
    for one in commits:
        after = book.read(PLAN_PATH, one.commit)
        sides = [(parent, book.read(PLAN_PATH, parent)) for parent in one.parents]
        # Any plan that ever lay in main's history may be taken over from there: only what waits on
        # main, and what this pull request holds already, was there before.
        known = [data for parent, data in sides if parent in listed or data in (None, of_main)]
        if after in known or (after is None and not known):
            continue
        signature = asking(partial(forge.signature, one.commit))
        if signature is None:
            return None
        before = known[0] if known else None
        told = (one.author, one.committer, signature.author, signature.committer)
        writers = {actor.id: actor for actor in told if actor is not None}
        edits.append(
            Edit(
                commit=one.commit,
                writers=tuple(writers.values()),
                is_verified=signature.is_verified,
                introduces=before is None or before == of_main,
                before=plan_of(before),
                after=plan_of(after),
            )
        )
    return tuple(edits)
