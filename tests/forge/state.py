"""What the loopback GitHub knows beside git: its clock, its repositories, what happened."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from executor.model.forge import ACTIONS_APP
from tests.forge.accounts import (
    ACTIONS_BOT,
    APP_BOT,
    APP_ID,
    OWNER,
    READER,
    ROLES,
    STRANGER,
    TOKENS,
    WEB_FLOW,
    WEB_FLOW_ID,
    WRITER,
    Account,
    Token,
)
from tests.forge.gitobjects import Git
from tests.forge.records import (
    AutoMerge,
    Comment,
    Dispatch,
    Environment,
    Happened,
    Issue,
    Label,
    Pull,
    Review,
    Ruleset,
    Run,
    Status,
    TimelineEvent,
)

__all__ = [
    "ACTIONS_BOT",
    "APP_BOT",
    "APP_ID",
    "OWNER",
    "READER",
    "ROLES",
    "STRANGER",
    "TOKENS",
    "WEB_FLOW",
    "WEB_FLOW_ID",
    "WRITER",
    "Account",
    "AutoMerge",
    "Clock",
    "Comment",
    "Dispatch",
    "Environment",
    "Happened",
    "Issue",
    "Label",
    "Pull",
    "Repository",
    "Review",
    "Ruleset",
    "Run",
    "State",
    "Status",
    "TimelineEvent",
    "Token",
    "default_settings",
]
"""With what tests elsewhere take from here."""


class Clock:
    """The time of the loopback GitHub: the machine's, moved, or one that stands still."""

    def __init__(self) -> None:
        """Start with the machine's time."""
        self._offset = timedelta()
        self._frozen: datetime | None = None

    def now(self) -> datetime:
        """Now, in UTC, in whole seconds as GitHub keeps them."""
        at = self._frozen or datetime.now(UTC) + self._offset
        return at.astimezone(UTC).replace(microsecond=0)

    def set(self, at: datetime) -> None:
        """Stand still at a time."""
        self._frozen = at

    def advance(self, seconds: float) -> None:
        """Go on by so much, whether it runs or stands still."""
        if self._frozen is not None:
            self._frozen += timedelta(seconds=seconds)
        else:
            self._offset += timedelta(seconds=seconds)


@dataclass(slots=True)
class Repository:
    """One repository: git and what GitHub keeps beside it."""

    id: int
    owner: Account
    name: str
    git: Git
    created_at: datetime
    is_private: bool = False
    plan: str = "free"
    """The owner's plan: `free` or `pro`."""
    parent: str | None = None
    """Where it is a fork: of what."""
    roles: dict[int, str] = field(default_factory=dict)
    """What each collaborator may, by account id; the owner is not among them."""
    settings: dict[str, Any] = field(default_factory=dict)
    issues: dict[int, Issue] = field(default_factory=dict)
    """Issues and pull requests by number."""
    comments: dict[int, Comment] = field(default_factory=dict)
    labels: dict[str, Label] = field(default_factory=dict)
    statuses: list[Status] = field(default_factory=list)
    rulesets: dict[int, Ruleset] = field(default_factory=dict)
    environments: dict[str, Environment] = field(default_factory=dict)
    variables: dict[str, tuple[str, datetime, datetime]] = field(default_factory=dict)
    secrets: dict[str, datetime] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    dispatches: list[Dispatch] = field(default_factory=list)
    workflow_permissions: dict[str, Any] = field(
        default_factory=lambda: {
            "default_workflow_permissions": "read",
            "can_approve_pull_request_reviews": False,
        }
    )
    actions_enabled: bool = True

    @property
    def full_name(self) -> str:
        """`owner/name`."""
        return f"{self.owner.login}/{self.name}"

    @property
    def default_branch(self) -> str:
        """The branch that workflows and clones use where none is named."""
        return str(self.settings.get("default_branch", "main"))

    @property
    def has_paid_features(self) -> bool:
        """Whether rulesets and protected environments are on this plan."""
        return not self.is_private or self.plan != "free"

    def role(self, account: Account | None) -> str:
        """What an account may here, by its role."""
        if account is not None and account.id == self.owner.id:
            return "admin"
        public = "none" if self.is_private else "read"
        return public if account is None else self.roles.get(account.id, public)

    def allows(self, account: Account | None, level: str) -> bool:
        """Whether an account has at least a role."""
        return ROLES.index(self.role(account)) >= ROLES.index(level)

    def pull(self, number: int) -> Pull | None:
        """One pull request; None where there is none of that number."""
        found = self.issues.get(number)
        return found if isinstance(found, Pull) else None

    def pulls(self) -> list[Pull]:
        """Every pull request, by number."""
        return [one for one in self.issues.values() if isinstance(one, Pull)]

    def open_pulls(self) -> list[Pull]:
        """Every open pull request, by number."""
        return [one for one in self.pulls() if one.state == "open"]


def default_settings() -> dict[str, Any]:
    """The settings of a new repository that a client may change."""
    return {
        "default_branch": "main",
        "description": None,
        "homepage": None,
        "has_issues": True,
        "has_projects": True,
        "has_wiki": True,
        "allow_merge_commit": True,
        "allow_squash_merge": True,
        "allow_rebase_merge": True,
        "allow_auto_merge": False,
        "allow_update_branch": False,
        "delete_branch_on_merge": False,
        "squash_merge_commit_title": "COMMIT_OR_PR_TITLE",
        "squash_merge_commit_message": "COMMIT_MESSAGES",
        "merge_commit_title": "MERGE_MESSAGE",
        "merge_commit_message": "PR_TITLE",
        "web_commit_signoff_required": False,
        "archived": False,
    }


class State:
    """Everything: accounts, tokens, repositories, what happened."""

    def __init__(self, folder: Path, events: Path | None = None) -> None:
        """Start without a repository.

        Args:
            folder: Where repositories that are made here lie, each in `owner/name.git`.
            events: Where payloads of events are written; nowhere if None.
        """
        self.folder = folder
        self.events_folder = events
        self.clock = Clock()
        self.accounts: dict[int, Account] = {}
        self.tokens: dict[str, Token] = {}
        self.apps: dict[str, tuple[int, Account]] = {
            "github-actions": (ACTIONS_APP, ACTIONS_BOT),
            "autoinvestor-app": (APP_ID, APP_BOT),
        }
        """Each App's id and bot, by its slug."""
        self.owner_of_apps = OWNER
        self.repositories: dict[str, Repository] = {}
        self.happened: list[Happened] = []
        self.base = "http://localhost"
        """The server's address, for the URLs inside payloads of events."""
        self.on_dispatch: Callable[[Dispatch], None] | None = None
        """Called in a thread of its own for every accepted dispatch."""
        self.threads: list[threading.Thread] = []
        self._ids: Iterator[int] = itertools.count(10_000)
        for account in (OWNER, WRITER, READER, STRANGER, APP_BOT, ACTIONS_BOT, WEB_FLOW):
            self.accounts[account.id] = account
        for token in TOKENS:
            self.tokens[token.value] = token

    def next_id(self) -> int:
        """An id that was never given."""
        return next(self._ids)

    def account(self, login: str) -> Account | None:
        """An account by its login, in any case."""
        wanted = login.lower()
        return next((one for one in self.accounts.values() if one.login.lower() == wanted), None)

    def account_of(self, email: str) -> Account | None:
        """The account that an address in a commit belongs to."""
        if email == "noreply@github.com":
            return WEB_FLOW
        return next((one for one in self.accounts.values() if one.email == email), None)

    def add_account(self, account: Account, token: Token | None = None) -> None:
        """Let another account exist, with a token."""
        self.accounts[account.id] = account
        if token is not None:
            self.tokens[token.value] = token

    def repository(self, full_name: str) -> Repository | None:
        """A repository by `owner/name`, in any case."""
        wanted = full_name.lower()
        return next((one for name, one in self.repositories.items() if name == wanted), None)

    def add_repository(
        self,
        name: str,
        owner: Account = OWNER,
        *,
        path: Path | None = None,
        is_private: bool = False,
        plan: str = "free",
        parent: str | None = None,
    ) -> Repository:
        """Let a repository exist, over a bare one that is there or a new one."""
        bare = path or self.folder / owner.login / f"{name}.git"
        git = Git(bare) if (bare / "HEAD").exists() else Git.create(bare)
        made = Repository(
            self.next_id(), owner, name, git, self.clock.now(), is_private, plan, parent
        )
        made.settings.update(default_settings())
        if parent is None:
            made.roles.update({WRITER.id: "write", READER.id: "read"})
            made.roles.update({APP_BOT.id: "write", ACTIONS_BOT.id: "write"})
        self.repositories[made.full_name.lower()] = made
        return made
