"""What GitHub keeps of a repository beside git, a record a kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.forge.accounts import OWNER, Account, Token


@dataclass(slots=True)
class Label:
    """One label of the repository."""

    id: int
    name: str
    color: str = "ededed"
    description: str | None = None


@dataclass(slots=True)
class Comment:
    """One comment on an issue or a pull request."""

    id: int
    number: int
    author: Account
    body: str
    created_at: datetime
    updated_at: datetime
    app: int | None = None


@dataclass(slots=True)
class Review:
    """One review."""

    id: int
    author: Account
    state: str
    body: str
    commit: str
    submitted_at: datetime


@dataclass(slots=True)
class TimelineEvent:
    """One event of an issue or pull request that is kept; comments and reviews join when shown."""

    id: int
    name: str
    actor: Account | None
    at: datetime
    facts: dict[str, Any] = field(default_factory=dict)
    commit: str | None = None


@dataclass(slots=True)
class AutoMerge:
    """A merge that GitHub does by itself once the rules are met."""

    enabled_by: Account
    token: Token
    method: str
    title: str
    message: str


@dataclass(slots=True)
class Issue:
    """One issue; a pull request is one too."""

    id: int
    number: int
    title: str
    body: str | None
    author: Account
    created_at: datetime
    updated_at: datetime
    state: str = "open"
    closed_at: datetime | None = None
    closed_by: Account | None = None
    state_reason: str | None = None
    labels: list[str] = field(default_factory=list)
    events: list[TimelineEvent] = field(default_factory=list)
    app: int | None = None


@dataclass(slots=True)
class Pull(Issue):
    """One pull request."""

    head_repository: str = ""
    """`owner/name`."""
    head_owner: Account = OWNER
    head_ref: str = ""
    head: str = ""
    base_ref: str = "main"
    base: str = ""
    """The tip of the base when it was opened, pushed to or merged."""
    is_draft: bool = False
    merged_at: datetime | None = None
    merged_by: Account | None = None
    merge_commit: str | None = None
    auto_merge: AutoMerge | None = None
    reviews: list[Review] = field(default_factory=list)
    requested: list[Account] = field(default_factory=list)
    test_merge: tuple[str, str, str | None] | None = None
    """Base, head and what merging them would make; None in the last place is a conflict."""


@dataclass(slots=True)
class Status:
    """One commit status."""

    id: int
    commit: str
    context: str
    state: str
    description: str | None
    url: str | None
    creator: Account
    app: int | None
    created_at: datetime


@dataclass(slots=True)
class Environment:
    """One environment."""

    id: int
    name: str
    created_at: datetime
    updated_at: datetime
    wait_timer: int = 0
    prevent_self_review: bool = False
    reviewers: list[Account] = field(default_factory=list)
    branch_policy: dict[str, bool] | None = None
    policies: list[tuple[int, str, str]] = field(default_factory=list)
    """Id, name pattern and `branch` or `tag`."""
    secrets: dict[str, datetime] = field(default_factory=dict)
    variables: dict[str, tuple[str, datetime, datetime]] = field(default_factory=dict)


@dataclass(slots=True)
class Ruleset:
    """One ruleset, its content as it was posted."""

    id: int
    content: dict[str, Any]
    created_at: datetime
    updated_at: datetime


@dataclass(slots=True)
class Run:
    """One run of a workflow."""

    id: int
    workflow: str
    """The file's name."""
    event: str
    head: str
    branch: str
    title: str
    actor: Account
    created_at: datetime
    updated_at: datetime
    status: str = "queued"
    conclusion: str | None = None
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Dispatch:
    """One accepted `workflow_dispatch`."""

    workflow: str
    ref: str
    inputs: Mapping[str, str]
    actor: Account
    run: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Happened:
    """One event of a kind that can start workflows."""

    number: int
    name: str
    """`push`, `pull_request`, `issue_comment`, `issues`, `workflow_dispatch` and so on."""
    payload: Mapping[str, Any]
    """As GitHub sends it."""
    starts: bool
    """Whether GitHub starts workflows for it at once."""
    by_token: bool = False
    """Whether a workflow's own token caused it."""
    why_not: str = ""
    """What keeps workflows from starting, where something does."""

    @property
    def action(self) -> str:
        """`opened`, `synchronize`, `created` and so on; empty for a push or a dispatch."""
        return str(self.payload.get("action", ""))
