"""Scratch repositories: real git, the shipped settings, and our command line on top of them."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from executor.cli import run
from executor.model.plan import PLAN_PATH
from executor.model.reading import read_document
from executor.model.settings import SETTINGS_PATH
from executor.model.writing import write_document

TEMPLATE: Final = (Path(__file__).parents[1] / SETTINGS_PATH).read_text()

FOUNDED: Final = "2026-01-14T12:00:00Z"
ADDED: Final = "2026-01-14T14:50:00Z"
"""When plans are committed."""
NOW: Final = "2026-01-14T15:00:00Z"
"""The present of most tests: a Wednesday, half an hour after the exchanges open."""

HISTORY: Final = "trading_instructions_history"
RESULTS: Final = "execution_results"


def shipped(*changes: tuple[str, str]) -> str:
    """The shipped settings with some texts replaced; each must be there."""
    text = TEMPLATE
    for old, new in changes:
        assert old in text, f"the shipped settings do not say {old!r}"
        text = text.replace(old, new)
    return text


IMPATIENT: Final = (
    ("fill_deadline_seconds = 60", "fill_deadline_seconds = 0.1"),
    ("poll_interval_seconds = 0.5", "poll_interval_seconds = 0.05"),
    ("lookup_deadline_seconds = 30", "lookup_deadline_seconds = 0.1"),
)
"""Deadlines for tests in which something does not come: an order that rests, a lost answer."""


def line(action: str = "BUY", ticker: str = "MU", **keys: Any) -> dict[str, Any]:
    """One instruction: ten shares at the market unless told otherwise."""
    document: dict[str, Any] = {"action": action, "ticker": ticker, "reason": "a reason"}
    if action in ("BUY", "SELL") and not {"quantity", "notional"} & set(keys):
        document["quantity"] = 10
    return document | keys


def plan(*instructions: dict[str, Any], **keys: Any) -> dict[str, Any]:
    """A plan; without arguments it buys ten shares of MU."""
    document: dict[str, Any] = {
        "timestamp": "2026-01-14T14:45:00Z",
        "strategy_type": "test",
        "reason": "a reason",
        "instructions": list(instructions) or [line()],
    }
    return document | keys


@dataclass(frozen=True)
class Answer:
    """What one command came to."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err

    @property
    def data(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found


def autoinvestor(*arguments: str) -> Answer:
    """Run a command line in this process, on streams of its own."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(arguments)
    return Answer(int(code), out.getvalue(), err.getvalue())


class Repository:
    """A git repository in a scratch folder, with `main` and settings on it."""

    def __init__(self, folder: Path) -> None:
        """Use a repository that is there."""
        self.folder = folder

    @classmethod
    def founded(cls, folder: Path, settings: str = TEMPLATE) -> Repository:
        """Make one that holds nothing but settings."""
        folder.mkdir(parents=True, exist_ok=True)
        made = cls(folder)
        made.git("init", "--quiet", "--initial-branch=main")
        made.commit({SETTINGS_PATH: settings.encode()}, FOUNDED)
        return made

    def cloned(self, folder: Path) -> Repository:
        """Clone it."""
        self.git("clone", "--quiet", str(self.folder), str(folder))
        return Repository(folder)

    def with_remote(self, folder: Path) -> Repository:
        """Give it a bare remote, `origin`, that holds what it holds."""
        self.git("init", "--quiet", "--bare", "--initial-branch=main", str(folder))
        self.git("remote", "add", "origin", str(folder))
        self.git("push", "--quiet", "origin", "main")
        return Repository(folder)

    def git(self, *arguments: str, when: str | None = None) -> str:
        """Run git and return what it printed, stripped."""
        person = {
            f"GIT_{role}_{key}": value
            for role in ("AUTHOR", "COMMITTER")
            for key, value in (("NAME", "Alice"), ("EMAIL", "alice@example.com"))
        }
        if when is not None:
            person |= {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env={**os.environ, **person},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr}"
        return done.stdout.strip()

    def commit(
        self,
        writes: Mapping[str, bytes],
        when: str = ADDED,
        *,
        removes: tuple[str, ...] = (),
        message: str = "Change files",
    ) -> str:
        """Commit files by hand, as a person would; the new commit."""
        for path, data in writes.items():
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_bytes(data)
            self.git("add", "--force", "--", path)
        for path in removes:
            self.git("rm", "--quiet", "--", path)
        self.git("commit", "--quiet", "--no-verify", "--message", message, when=when)
        return self.head

    def commit_plan(self, tree: Mapping[str, Any] | bytes, when: str = ADDED) -> str:
        """Put a plan on main."""
        data = tree if isinstance(tree, bytes) else write_document(tree)
        return self.commit({PLAN_PATH: data}, when, message="Add a plan")

    @property
    def head(self) -> str:
        return self.git("rev-parse", "main")

    @property
    def subjects(self) -> list[str]:
        """The subjects of main's commits, newest first."""
        return self.git("log", "--first-parent", "--format=%s", "main").splitlines()

    def paths(self, folder: str = "") -> list[str]:
        """Files on main below a folder."""
        where = ("--", folder) if folder else ()
        return self.git("ls-tree", "-r", "--name-only", "main", *where).splitlines()

    def read(self, path: str) -> dict[str, Any]:
        """A document on main."""
        return read_document(self.git("cat-file", "blob", f"main:{path}").encode())

    @property
    def plan(self) -> dict[str, Any] | None:
        """The plan on main, where there is one that can be read."""
        return self.read(PLAN_PATH) if PLAN_PATH in self.paths() else None

    @property
    def has_plan(self) -> bool:
        return PLAN_PATH in self.paths()

    @property
    def results(self) -> list[dict[str, Any]]:
        """Every result on main, first to newest."""
        found = [self.read(path) for path in self.paths(RESULTS) if "result_" in path]
        return sorted(found, key=lambda one: str(one["timestamp"]))

    @property
    def archived(self) -> list[dict[str, Any]]:
        """Every archived plan on main, by name."""
        return [self.read(path) for path in self.paths(HISTORY) if path.endswith(".json")]

    def run(self, verb: str, *arguments: str) -> Answer:
        """Run a verb of ours in it."""
        return autoinvestor(verb, "--repo", str(self.folder), *arguments)

    def execute(self, *arguments: str, now: str | None = NOW) -> Answer:
        """`execute --submit`, in the story's present unless told otherwise."""
        story = () if now is None else ("--now", now)
        return self.run("execute", "--submit", *story, *arguments)

    def settle(self, *arguments: str, now: str | None = NOW) -> Answer:
        """`settle`, in the story's present unless told otherwise."""
        story = () if now is None else ("--now", now)
        return self.run("settle", *story, *arguments)
