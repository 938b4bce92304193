"""How a plan came to main, or would: gathered from git and from GitHub, judged by the checks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeVar

from executor.errors import ForgeUnavailable
from executor.main_state import MainState, PlanOnMain, plan_of
from executor.model.evidence import Edit, Evidence, PlanBefore
from executor.model.forge import Actor, PullCommit, PullRequest
from executor.model.plan import PLAN_PATH, PlanStatus
from executor.ports import Book, CommitInfo, Forge

LAG_MAX: Final = timedelta(minutes=10)
"""How long GitHub may take to know what it has merged; after that its silence is an answer."""

LOOKED_BACK: Final = timedelta(hours=1)
"""How long before a merge its pull request may have been updated last, clocks being as they are."""

REVIEWERS_MAX: Final = 20
"""People who approved that are asked about; nobody needs more."""

A = TypeVar("A")


def evidence_of(
    book: Book, forge: Forge | None, main: MainState, plan: PlanOnMain, now: datetime
) -> Evidence | None:
    """How the plan on main came there; None where the policy asks nothing, or nobody can be asked.

    What GitHub does not answer is missing in it, and the checks wait for it.

    Raises:
        ForgeRefused: GitHub refuses to answer, for instance for want of a right.
        BookUnavailable: git does not answer.
    """
    if main.settings.approval_policy() == "none" or forge is None:
        return None
    added = plan.added
    found = _from_git(book, added, is_old=now - added.committed_at > LAG_MAX)
    try:
        request = _merged_as(forge, added)
    except ForgeUnavailable:
        # Silence proves nothing, however old the commit is.
        return replace(found, is_old=False)
    found = replace(found, pull_request=request)
    if request is None or not found.is_merge or not request.is_merged:
        return found
    if request.head != found.parents[1]:
        return found
    of_main = book.read(PLAN_PATH, found.parents[0])
    return _of_people(book, forge, found, request, of_main, main.settings.approval.approvers)


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
        repository=_or_none(lambda: forge.repository().name),
        is_old=False,
        pull_request=request,
        changes=book.differences(fork, head),
        before=_before(waiting),
        plan_at_head=book.read(PLAN_PATH, head),
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
    )


def _before(plan: PlanOnMain | None) -> PlanBefore | None:
    if plan is None:
        return None
    return PlanBefore(plan.digest, is_pending=plan.status is not PlanStatus.VALIDATED)


def _merged_as(forge: Forge, added: CommitInfo) -> PullRequest | None:
    """The pull request that a commit merged; None where GitHub knows none (yet).

    By the commit first; the list of those closed lately knows of a merge earlier.
    """
    known = [one for one in forge.pull_requests_of(added.commit) if one.base_ref == "main"]
    found = next((one for one in known if one.merge_commit == added.commit), None)
    if found is None:
        lately = forge.pull_requests("closed", since=added.committed_at - LOOKED_BACK)
        found = next((one for one in lately if one.merge_commit == added.commit), None)
    if found is None:
        # A rebase leaves several commits on main, of which GitHub names the last one.
        found = next((one for one in known if one.is_merged), None)
    # Lists leave out who merged.
    return forge.pull_request(found.number) if found is not None else None


def _of_people(
    book: Book,
    forge: Forge,
    found: Evidence,
    request: PullRequest,
    of_main: bytes | None,
    approvers: Sequence[int],
) -> Evidence:
    """Who wrote, judged and merged what was merged; what GitHub does not tell is left out."""
    number = request.number
    commits = _or_none(lambda: forge.commits(number))
    if commits is not None and request.head not in {one.commit for one in commits}:
        commits = None
    timeline = _or_none(lambda: forge.timeline(number))
    if timeline is not None and not any(one.name == "merged" for one in timeline):
        timeline = None
    found = replace(
        found,
        repository=_or_none(lambda: forge.repository().name),
        edits=_or_none(lambda: _edits(book, forge, commits, of_main)) if commits else None,
        commit_count=len(commits) if commits is not None else None,
        reviews=_or_none(lambda: forge.reviews(number)),
        marks=_or_none(lambda: forge.marks(request.head)),
        timeline=timeline,
    )
    if approvers:
        return found
    rights: dict[int, str] = {}
    for one in (request.merged_by, *_approving(found, request)):
        if one is None or not one.is_person or one.id in rights:
            continue
        right = _or_none(partial(forge.permission, one.login))
        if right is not None:
            rights[one.id] = right
    return replace(found, rights=rights)


def _approving(found: Evidence, request: PullRequest) -> list[Actor]:
    """Who approved the head that was merged."""
    people = [
        one.author
        for one in found.last_reviews()
        if one.state == "APPROVED" and one.commit == request.head and one.author is not None
    ]
    return people[:REVIEWERS_MAX]


def _edits(
    book: Book, forge: Forge, commits: Sequence[PullCommit], of_main: bytes | None
) -> tuple[Edit, ...] | None:
    """The commits that change the plan, with what GitHub vouches for; None where it lags."""
    edits = []
    for one in commits:
        after = book.read(PLAN_PATH, one.commit)
        before = [book.read(PLAN_PATH, parent) for parent in one.parents] or [None]
        # A merge that takes the plan over from one of its sides changes nothing.
        if after in before:
            continue
        signature = forge.signature(one.commit)
        if signature is None:
            return None
        told = (one.author, one.committer, signature.author, signature.committer)
        writers = {actor.id: actor for actor in told if actor is not None}
        edits.append(
            Edit(
                commit=one.commit,
                writers=tuple(writers.values()),
                is_verified=signature.is_verified,
                introduces=before[0] is None or before[0] == of_main,
                before=plan_of(before[0]),
                after=plan_of(after),
            )
        )
    return tuple(edits)


def _or_none(ask: Callable[[], A]) -> A | None:
    try:
        return ask()
    except ForgeUnavailable:
        return None
