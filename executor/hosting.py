"""The set-up on GitHub, put together: what main says of it, and what a token can read of it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from executor.decisions.enforcing import APPROVAL, HISTORY
from executor.decisions.keys import unprotected_live
from executor.decisions.setup import CODEOWNERS_PATH, OnMain
from executor.errors import UsageError
from executor.model.account import Mode
from executor.model.hosting import Hosting
from executor.model.settings import SETTINGS_PATH, Settings
from executor.ports import Book
from executor.repo.github_admin import GitHubAdmin, plan_tier
from executor.repo.github_api import GitHubApi
from executor.settings import parse_settings
from executor.wiring import REPOSITORY, TOKEN, open_api

RULESET_PATH: Final = ".github/rulesets/{name}.json"

ADMINISTRATOR: Final = (
    "a person's token with the right Administration (with the GitHub CLI:"
    " `GITHUB_TOKEN=$(gh auth token)`)"
)


@contextlib.contextmanager
def open_github(environment: Mapping[str, str], settings: Settings | None) -> Iterator[GitHubApi]:
    """The API of this repository, with the token of the environment.

    Args:
        environment: `GITHUB_TOKEN`, and `GITHUB_REPOSITORY` where the settings do not name it.
        settings: those of main, where they can be read.

    Raises:
        UsageError: no token, or no name.
    """
    told = settings.repository if settings is not None and "/" in settings.repository else ""
    if not environment.get(TOKEN):
        raise UsageError(f"{TOKEN} is not set; set it to {ADMINISTRATOR}")
    name = environment.get(REPOSITORY) or told
    api = open_api({**environment, REPOSITORY: name})
    if api is None:
        raise UsageError(f"{REPOSITORY} is not set; set it to the repository's owner/name")
    with contextlib.closing(api):
        yield api


def read_main(book: Book) -> OnMain:
    """What main's own files say about the set-up."""
    head = book.head()
    text = book.read(SETTINGS_PATH, head)
    settings, fault = None, None
    try:
        settings = parse_settings(text) if text is not None else None
    except UsageError as error:
        fault = str(error).splitlines()[0]
    owners = book.read(CODEOWNERS_PATH, head)
    return OnMain(
        settings=settings,
        fault=fault,
        settings_text=(text or b"").decode("utf-8", "replace"),
        codeowners=None if owners is None else owners.decode("utf-8", "replace"),
        rulesets={name: _ruleset(book, name, head) for name in (HISTORY, APPROVAL)},
    )


def look(admin: GitHubAdmin, main: OnMain) -> Hosting:
    """What GitHub says, with the accounts that main's settings name."""
    if main.settings is None:
        return admin.read()
    return admin.read(main.settings.approval.approvers, main.settings.github.bot_id)


def _ruleset(book: Book, name: str, head: str) -> Mapping[str, Any] | None:
    data = book.read(RULESET_PATH.format(name=name), head)
    try:
        found = json.loads(data or b"null")
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def live_refusal(settings: Settings, environment: Mapping[str, str]) -> str | None:
    """Why live may not trade with keys that GitHub holds; None where it may.

    Outside live, and on a machine that knows no repository on GitHub, nothing is asked: the keys
    are not GitHub's to protect then.

    Raises:
        ForgeUnavailable: GitHub does not answer; run again.
        ForgeRefused: the repository cannot be read.
    """
    api = open_api(environment) if settings.mode is Mode.LIVE else None
    if api is None:
        return None
    with contextlib.closing(api):
        name, tier = plan_tier(api)
    return unprotected_live(name, tier, settings.github.acknowledged_unprotected)
