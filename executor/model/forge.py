"""What GitHub says of a repository: people, pull requests, statuses, reviews, runs.

Facts only, in GitHub's own words; what follows from them is decided elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

ACTIONS_ID: Final = 41898282
"""Account id of `github-actions[bot]`, who acts with the token of a workflow."""

ACTIONS_APP: Final = 15368
"""App id of GitHub Actions, by which a ruleset pins a required status."""

MARKS: Final = ("plan/schema", "plan/scope", "plan/capital")
"""The statuses that a plan's head carries before it may be merged."""

DIGEST_MARK: Final = "plan/schema"
"""The one of them whose description begins with the digest of the plan that was judged."""

DIGEST_SHOWN: Final = 32
"""Hexadecimal digits of a digest that a description has room for, as in an order's id."""

DESCRIPTION_MAX: Final = 140
"""Characters of a commit status's description."""

PLAN_LABEL, EXITS_LABEL = "plan", "exits only"
"""Labels of a pull request that carries a plan, and of one that opens nothing."""

RESULT_MARK: Final = "plan/result"
"""The status on a merged head that names the newest result, so that a cut history is seen."""


@dataclass(frozen=True, slots=True)
class Actor:
    """An account. Its number is who it is; a login may change hands."""

    id: int
    login: str
    kind: str = "User"
    """`User`, `Bot`, `Organization` or `Mannequin`."""

    @property
    def is_person(self) -> bool:
        """True for an account of a person."""
        return self.kind == "User"


@dataclass(frozen=True, slots=True)
class PullRequest:
    """One pull request into main, as it is now."""

    number: int
    title: str
    state: Literal["open", "closed"]
    author: Actor
    head_ref: str
    """The branch's name, as its author chose it: untrusted text."""
    head: str
    """The commit that is asked to be merged, or that was."""
    head_repository: str | None
    """`owner/name` where the branch lies; None where that repository is gone."""
    base_ref: str
    created_at: datetime
    is_draft: bool = False
    merged_at: datetime | None = None
    merged_by: Actor | None = None
    merge_commit: str | None = None
    """The commit on main; meaningful once merged."""
    closed_at: datetime | None = None
    auto_merge: bool = False
    """True where GitHub is to merge it by itself."""
    labels: tuple[str, ...] = ()

    @property
    def is_merged(self) -> bool:
        """True once it is on main."""
        return self.merged_at is not None


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """One path that a pull request touches."""

    path: str
    status: str
    """`added`, `modified`, `removed`, `renamed`, `copied`, `changed` or `unchanged`."""
    previous_path: str | None = None


@dataclass(frozen=True, slots=True)
class PullCommit:
    """One commit of a pull request, the oldest first."""

    commit: str
    parents: tuple[str, ...]
    author: Actor | None
    """The account that its e-mail address belongs to, by GitHub; None where none does."""
    committer: Actor | None = None


@dataclass(frozen=True, slots=True)
class Review:
    """One review of a pull request."""

    author: Actor | None
    """None where the account is gone."""
    state: str
    """`APPROVED`, `CHANGES_REQUESTED`, `COMMENTED`, `DISMISSED` or `PENDING`."""
    commit: str | None
    """The head that was looked at."""
    submitted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a pull request's timeline."""

    name: str
    """In GitHub's words: `merged`, `auto_merge_enabled`, `head_ref_force_pushed` and so on."""
    actor: Actor | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Mark:
    """One commit status."""

    context: str
    state: Literal["success", "failure", "error", "pending"]
    description: str
    """At most 140 characters."""
    creator: Actor | None = None
    created_at: datetime | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Signature:
    """Who made a commit, as far as GitHub can vouch for it."""

    is_verified: bool
    author: Actor | None
    committer: Actor | None


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment on a pull request or an issue."""

    id: int
    author: Actor | None
    body: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Issue:
    """One open issue."""

    number: int
    title: str
    body: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WorkflowRun:
    """One run of a workflow."""

    id: int
    workflow: str
    """File name, such as `tick.yml`."""
    event: str
    status: str
    """`queued`, `in_progress`, `completed` and so on."""
    conclusion: str | None
    created_at: datetime
    head: str
    title: str = ""
    """`run-name`, by which a dispatch is recognized."""


@dataclass(frozen=True, slots=True)
class RepositoryFacts:
    """The repository itself."""

    name: str
    """`owner/name`."""
    id: int
    is_private: bool
    default_branch: str
    owner: Actor
    permissions: Mapping[str, bool] = field(default_factory=dict)
    """What whoever asks may do."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """A pull request to open."""

    title: str
    """From our own template."""
    body: str
    branch: str
    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    """Logins that are asked for a review."""


def digest_words(plan_digest: str) -> str:
    """How the description of `plan/schema` begins: which plan was judged."""
    return f"digest {plan_digest[:DIGEST_SHOWN]}…"


def digest_told(description: str) -> str | None:
    """The digits of the digest that a description of `plan/schema` begins with; None: it has none.

    What a description says is believed only together with who set the status.
    """
    found = re.match(rf"digest ([0-9a-f]{{{DIGEST_SHOWN}}})…", description)
    return found[1] if found else None
