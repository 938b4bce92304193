"""What a path of the repository is, for whoever judges a change: plan, review, history, rules."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from executor.model.plan import PLAN_PATH
from executor.model.settings import SETTINGS_PATH


class PathKind(StrEnum):
    """What a path is."""

    PLAN = "plan"
    """The plan that is asked for."""
    REVIEW = "review"
    """A strategy review: a plan brings its own along; those that are there never change."""
    HISTORY = "history"
    """What the executor wrote: plans, results, account, trading state. Nobody else's to touch."""
    SETTINGS = "settings"
    """The limits, and who approves."""
    CODE = "code"
    """What judges and executes, and what that is built from."""
    WORKFLOWS = "workflows"
    """When it runs, with which rights."""
    OWNERS = "owners"
    """Who is asked about which file, and how git treats it."""
    OTHER = "other"
    """Documents and tests: nothing that is run when orders are sent."""


RULES: Final = frozenset({PathKind.SETTINGS, PathKind.CODE, PathKind.WORKFLOWS, PathKind.OWNERS})
"""A change of these changes the rules by which plans are judged or executed."""

RULE_PATHS: Final = (
    SETTINGS_PATH,
    "executor",
    "schemas",
    ".github",
    "pyproject.toml",
    "requirements.txt",
)
"""Where the rules lie: what is looked at when changes since an execution are listed."""

_FOLDERS: Final = {
    "trading_instructions_history": PathKind.HISTORY,
    "execution_results": PathKind.HISTORY,
    "strategy_reviews": PathKind.REVIEW,
    "executor": PathKind.CODE,
    "schemas": PathKind.CODE,
    ".github": PathKind.WORKFLOWS,
    ".ci": PathKind.WORKFLOWS,
    "tests": PathKind.OTHER,
}

_NAMES: Final = {
    PLAN_PATH: PathKind.PLAN,
    SETTINGS_PATH: PathKind.SETTINGS,
    "pyproject.toml": PathKind.CODE,
    "CODEOWNERS": PathKind.OWNERS,
    ".github/CODEOWNERS": PathKind.OWNERS,
    ".gitattributes": PathKind.OWNERS,
    ".gitmodules": PathKind.CODE,
}


def kind_of(path: str) -> PathKind:
    """Sort one path. A name that only looks like one of ours (other case) is code, to be looked at.

    What Python would run from the top folder is code as well, whatever it is called.
    """
    folder, slash, rest = path.partition("/")
    if path in _NAMES:
        return _NAMES[path]
    if slash and folder in _FOLDERS:
        known = _FOLDERS[folder]
        # A folder's README explains it; it is no record.
        is_page = known in (PathKind.HISTORY, PathKind.REVIEW) and rest == "README.md"
        return PathKind.OTHER if is_page else known
    if slash or path.casefold() in {one.casefold() for one in _NAMES}:
        return PathKind.CODE
    is_document = path.endswith(".md") or path in ("LICENSE", ".gitignore", ".editorconfig")
    return PathKind.OTHER if is_document else PathKind.CODE
