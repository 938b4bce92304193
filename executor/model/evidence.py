"""What is known about how a plan came to main: from git, and from what GitHub alone could write.

A piece that is None is not known (GitHub does not answer, or lags behind), never a guess.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal

from executor.model.forge import ACTIONS_ID, Actor, Event, Mark, PullRequest, Review

if TYPE_CHECKING:
    from executor.model.plan import TradingInstructionSet

PLAIN_FILE: Final = "100644"
"""Git's mode of a file that is neither a link nor a program."""

MAY_MERGE: Final = frozenset({"write", "maintain", "admin"})
"""Rights of those who may merge, in GitHub's words."""

WEB_FLOW_ID: Final = 19864447
"""Account id of `web-flow`, by which GitHub signs what is done on its pages and through its API."""

COMMITS_LISTED: Final = 250
"""Commits of a pull request that GitHub lists at most; of a longer one not all can be seen."""


@dataclass(frozen=True, slots=True)
class PathChange:
    """One path that differs between two commits."""

    path: str
    kind: Literal["A", "M", "D"]
    """Added, modified, removed, as git says."""
    mode: str | None
    """Git's mode of what is there afterwards; None where nothing is."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A commit of a pull request that changes the plan."""

    commit: str
    writers: tuple[Actor, ...]
    """Author and committer by GitHub. Unless verified that is what the commit says of itself."""
    is_verified: bool
    """True where GitHub vouches for who made it."""
    introduces: bool
    """True where it brings the plan, false where it changes one that was in the pull request."""
    before: TradingInstructionSet | None = None
    """The plan before; None where there was none or it could not be read."""
    after: TradingInstructionSet | None = None
    """The plan after it; None where it is gone or cannot be read."""

    @property
    def people(self) -> tuple[Actor, ...]:
        """Its writers, GitHub's own signature aside."""
        return tuple(one for one in self.writers if one.id != WEB_FLOW_ID)

    def added(self) -> str | None:
        """What it did that makes its writer an author; None where it only took away."""
        from executor.model.lessening import added_risk

        if self.introduces:
            return "brought the plan"
        if self.after is None:
            # It took the plan out, or broke it: whatever follows is judged by itself.
            return None
        if self.before is None:
            return "changed the plan: it cannot be compared with what was there"
        risk = added_risk(self.before, self.after)
        return f"changed the plan: it {risk}" if risk is not None else None


@dataclass(frozen=True, slots=True)
class Merged:
    """A pull request of this repository, merged by the commit that brought the plan."""

    pull_request: PullRequest
    timeline: tuple[Event, ...] | None

    @property
    def number(self) -> str:
        """As it is told to people."""
        return f"pull request #{self.pull_request.number}"


@dataclass(frozen=True, slots=True)
class PlanBefore:
    """The plan that lay on main when another one came, or is about to come."""

    digest: str
    is_pending: bool
    """False for one that was validated, so that orders of it may be at the broker."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """How a plan came to main, or how it would."""

    added_in: str | None
    """The commit that brought the plan to main; None before the merge."""
    parents: tuple[str, ...]
    """That commit's parents, in its order: main before, and the head that was merged."""
    added_at: datetime | None
    """When, by the commit's own date, which its maker could choose."""
    repository: str | None
    """`owner/name` of this repository by GitHub."""
    is_old: bool
    """True where GitHub has had time enough to know the commit."""
    pull_request: PullRequest | None
    """The pull request; None where GitHub knows of none."""
    changes: tuple[PathChange, ...]
    """What it brings to main, by path."""
    before: PlanBefore | None = None
    """The plan on main before; None where there was none."""
    plan_at_head: bytes | None = None
    """The plan as it lies at the head that was merged; None where none lies there."""
    plan_on_main: bytes | None = None
    """The plan as it came to main; None before the merge."""
    edits: tuple[Edit, ...] | None = None
    """The commits that change the plan, the oldest first."""
    commit_count: int | None = None
    """How many commits GitHub lists."""
    reviews: tuple[Review, ...] | None = None
    marks: tuple[Mark, ...] | None = None
    """Every status of the head, the newest first."""
    timeline: tuple[Event, ...] | None = None
    rights: Mapping[int, str] = field(default_factory=dict)
    """What people may do here, by account number; one who is absent was not asked about."""
    twins: tuple[Merged, ...] = ()
    """Other pull requests of this repository that the same commit merged: any may have done it."""
    is_one_commit: bool = False
    """True where it is one commit on top of main's own line; what takes main in is not counted."""
    had_file: bool = True
    """True where a file lay in the plan's place before, and not a link to a repository."""

    @property
    def is_merge(self) -> bool:
        """True where the commit has the form of a merge: main before, and one head."""
        return len(self.parents) == 2

    @property
    def number(self) -> str:
        """The pull request as it is told to people; only where there is one."""
        assert self.pull_request is not None, "the caller has looked whether there is one"
        return f"pull request #{self.pull_request.number}"

    @property
    def merged(self) -> tuple[Merged, ...]:
        """Every pull request that the commit merged; only where there is one."""
        assert self.pull_request is not None, "the caller has looked whether there is one"
        return (Merged(self.pull_request, self.timeline), *self.twins)

    def part_of(self, actor: Actor) -> str | None:
        """What somebody had to do with the plan; None where that was nothing but to look."""
        if any(one.pull_request.author.id == actor.id for one in self.merged):
            return "who proposed it"
        merger = self.pull_request.merged_by if self.pull_request else None
        if merger is not None and merger.id == actor.id:
            return "who merged it"
        wrote = any(
            one.id == actor.id
            for edit in self.edits or ()
            if edit.added() is not None
            for one in edit.writers
        )
        return "who wrote in it" if wrote else None

    def may_write(self, actor: Actor) -> bool | None:
        """Whether somebody whose account signed a commit may write here; None: not known."""
        assert self.pull_request is not None, "the caller has looked whether there is one"
        if actor.id in (ACTIONS_ID, self.pull_request.author.id):
            return True
        if not actor.is_person:
            return False
        right = self.rights.get(actor.id)
        return None if right is None else right in MAY_MERGE

    def counts(self, actor: Actor, approvers: Collection[int]) -> bool | None:
        """Whether somebody's word counts here; None where GitHub has not told the right.

        Args:
            actor: who.
            approvers: numbers of those whose word counts; empty: every person who may write here.
        """
        if not actor.is_person:
            return False
        if approvers:
            return actor.id in approvers
        right = self.rights.get(actor.id)
        return None if right is None else right in MAY_MERGE

    def marks_of(self, context: str) -> tuple[Mark, ...]:
        """Every status of a name, the newest first; none where they are not known."""
        return tuple(one for one in self.marks or () if one.context == context)

    def mark_at_merge(self, context: str) -> Mark | None:
        """The status that our validator had set last when the merge was made."""
        merged_at = self.pull_request.merged_at if self.pull_request else None
        for one in self.marks_of(context):
            is_ours = one.creator is not None and one.creator.id == ACTIONS_ID
            if is_ours and merged_at and one.created_at and one.created_at <= merged_at:
                return one
        return None

    def last_reviews(self) -> tuple[Review, ...]:
        """What each person said last before the merge, a comment aside."""
        merged_at = self.pull_request.merged_at if self.pull_request else None
        last: dict[int, Review] = {}
        for one in self.reviews or ():
            given = one.submitted_at is not None and (
                merged_at is None or one.submitted_at <= merged_at
            )
            if one.author is not None and given and one.state not in ("COMMENTED", "PENDING"):
                last[one.author.id] = one
        return tuple(last.values())

    def approvals(self, approvers: Collection[int]) -> tuple[Review, ...]:
        """Approving reviews of the very head by people whose word counts.

        Whoever proposed, wrote or merged it is none of them: that would be one person's word twice.
        """
        assert self.pull_request is not None, "the caller has looked whether there is one"
        head = self.pull_request.head
        return tuple(
            one
            for one in self.last_reviews()
            if one.state == "APPROVED"
            and one.commit == head
            and one.author is not None
            and self.part_of(one.author) is None
            and self.counts(one.author, approvers)
        )
