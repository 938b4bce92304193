"""Who there is: accounts, tokens and what each may."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from executor.model.forge import ACTIONS_APP, ACTIONS_ID
from tests.forge.commitobjects import Person

WEB_FLOW_ID: Final = 19864447
"""Account id of `web-flow`, who commits what people do on the web."""

ROLES: Final = ("none", "read", "triage", "write", "maintain", "admin")
"""From the least to the most."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account. Its number is who it is."""

    id: int
    login: str
    kind: str = "User"
    name: str = ""

    @property
    def email(self) -> str:
        """The address by which GitHub maps a commit to the account."""
        return f"{self.id}+{self.login}@users.noreply.github.com"

    def person(self, at: datetime) -> Person:
        """As the author of a commit."""
        return Person(self.name or self.login, self.email, at)


@dataclass(frozen=True, slots=True)
class Token:
    """What a request authenticates with."""

    value: str
    account: Account
    scopes: Mapping[str, str] | None = None
    """Rights of an installation's token (`contents: write`); None: all that a person may."""
    app: int | None = None
    """The App behind it; None for a person's."""

    @property
    def is_of_actions(self) -> bool:
        """True for a workflow's own `GITHUB_TOKEN`: what it causes starts no workflow."""
        return self.app == ACTIONS_APP

    def grants(self, scope: str, level: str) -> bool:
        """Whether the token itself allows an act, whatever its account may."""
        if self.scopes is None:
            return True
        # Every installation may read what a repository is.
        held = self.scopes.get(scope, "read" if scope == "metadata" else "none")
        return ROLES.index(held) >= ROLES.index(level)


OWNER: Final = Account(1001, "octo-owner", name="Olivia Owner")
WRITER: Final = Account(1002, "octo-writer", name="William Writer")
READER: Final = Account(1003, "octo-reader", name="Rita Reader")
STRANGER: Final = Account(1004, "octo-stranger", name="Sam Stranger")
APP_BOT: Final = Account(2001, "autoinvestor-app[bot]", "Bot")
ACTIONS_BOT: Final = Account(ACTIONS_ID, "github-actions[bot]", "Bot")
WEB_FLOW: Final = Account(WEB_FLOW_ID, "web-flow", name="GitHub")
APP_ID: Final = 3001
"""App id of the App whose bot is `APP_BOT`."""

_WORKFLOW_SCOPES: Final = {
    "actions": "write",
    "contents": "write",
    "issues": "write",
    "metadata": "read",
    "pull_requests": "write",
    "statuses": "write",
}
TOKENS: Final = (
    Token("owner-token", OWNER),
    Token("writer-token", WRITER),
    Token("reader-token", READER),
    Token("stranger-token", STRANGER),
    Token("app-token", APP_BOT, {**_WORKFLOW_SCOPES, "workflows": "none"}, APP_ID),
    Token("actions-token", ACTIONS_BOT, _WORKFLOW_SCOPES, ACTIONS_APP),
)
"""The tokens that every loopback GitHub starts with."""
