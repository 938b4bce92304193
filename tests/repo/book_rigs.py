"""The books that keep one contract, each with a person beside it who moves main."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from executor.model.forge import ACTIONS_ID
from executor.ports import Book, Change, Forge
from executor.repo.github_api import GitHubApi
from executor.repo.github_book import GitHubBook, guard, header_for
from executor.repo.github_forge import GitHubForge
from executor.repo.local_book import LocalBook
from tests.fakes.clock import SimulatedClock
from tests.fakes.memory_book import MemoryBook, Origin
from tests.forge.faults import Fault
from tests.forge.server import ForgeServer
from tests.forge.state import Clock, Repository, State

NOON = datetime(2026, 1, 14, 17, 0, tzinfo=UTC)


def git(folder: Path, *arguments: str, at: datetime = NOON) -> str:
    """Git as a person runs it."""
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false"]
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(folder.parent),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_DATE": at.isoformat(),
        "GIT_COMMITTER_DATE": at.isoformat(),
    }
    done = subprocess.run(
        ["git", *who, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr}"
    return done.stdout.strip()


class Rig(Protocol):
    """A book, its clock, and a person."""

    clock: SimulatedClock

    @property
    def book(self) -> Book: ...

    def another(self) -> Book:
        """The book as another process on the same machine opens it."""
        ...

    def push(
        self, writes: Mapping[str, str], *, deletes: Sequence[str] = (), merged: bool = False
    ) -> str:
        """A person moves main."""
        ...


class MemoryRig:
    """In memory."""

    def __init__(self) -> None:
        self.clock = SimulatedClock(NOON)
        self.origin = Origin(self.clock)
        self.book: Book = MemoryBook(self.origin)
        self.push({"autoinvestor.toml": "first\n"})

    def another(self) -> Book:
        return self.book

    def push(
        self, writes: Mapping[str, str], *, deletes: Sequence[str] = (), merged: bool = False
    ) -> str:
        content = {path: text.encode() for path, text in writes.items()}
        return self.origin.push(content, "A person's commit", deletes=deletes, merged=merged)


@dataclass
class LocalRig:
    """A repository, with a bare remote or without; the person works in it, or in a clone."""

    folder: Path
    person: Path
    clock: SimulatedClock
    has_remote: bool

    def __post_init__(self) -> None:
        """Open the book."""
        self.book = LocalBook(self.folder, self.clock)
        self.opened = [self.book]

    def another(self) -> LocalBook:
        book = LocalBook(self.folder, self.clock)
        self.opened.append(book)
        return book

    def close(self) -> None:
        for one in self.opened:
            one.close()

    def push(
        self, writes: Mapping[str, str], *, deletes: Sequence[str] = (), merged: bool = False
    ) -> str:
        at = self.clock.now()
        if self.has_remote:
            git(self.person, "pull", "--quiet", "--ff-only", "origin", "main")
        if merged:
            git(self.person, "checkout", "--quiet", "-b", "branch")
        for path, text in writes.items():
            file = self.person / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
            git(self.person, "add", "--", path)
        for path in deletes:
            git(self.person, "rm", "--quiet", "--", path)
        git(self.person, "commit", "--quiet", "-m", "A person's commit", at=at)
        if merged:
            git(self.person, "checkout", "--quiet", "main")
            git(self.person, "merge", "--quiet", "--no-ff", "-m", "Merge", "branch", at=at)
            git(self.person, "branch", "--quiet", "-D", "branch")
        if self.has_remote:
            git(self.person, "push", "--quiet", "origin", "main")
        return git(self.person, "rev-parse", "main")


def local_rig(folder: Path, *, has_remote: bool) -> LocalRig:
    """Make a repository with one commit."""
    folder.mkdir(parents=True, exist_ok=True)
    ours, person = folder / "ours", folder / "ours"
    if has_remote:
        git(folder, "init", "--quiet", "--bare", "-b", "main", "remote.git")
        person = folder / "person"
        person.mkdir()
        git(person, "init", "--quiet", "-b", "main")
        git(person, "remote", "add", "origin", str(folder / "remote.git"))
        _first(person)
        git(person, "push", "--quiet", "origin", "main")
        git(folder, "clone", "--quiet", "remote.git", "ours")
    else:
        ours.mkdir()
        git(ours, "init", "--quiet", "-b", "main")
        _first(ours)
    return LocalRig(ours, person, SimulatedClock(NOON), has_remote)


NAME = "octo-owner/invest"
TOKEN = "actions-token"


class Following(Clock):
    """The time of the loopback GitHub is the clock of the test."""

    def __init__(self, clock: SimulatedClock) -> None:
        super().__init__()
        self._clock = clock

    def now(self) -> datetime:
        return self._clock.now().astimezone(UTC).replace(microsecond=0)


@dataclass
class GitHubRig(LocalRig):
    """A clone of a repository on the loopback GitHub, as a runner has it; the person pushes."""

    server: ForgeServer

    def __post_init__(self) -> None:
        """Open the book, and let it commit anything: the contract is about no path of ours."""
        self.api = GitHubApi(NAME, TOKEN, self.server.url)
        self.forge = GitHubForge(self.api)
        self.book: GitHubBook = self.open(guard=_anything)
        self.opened = [self.book]

    def open(
        self,
        *,
        forge: Forge | None = None,
        bot: int = ACTIONS_ID,
        token: str = TOKEN,
        keep: Path | None = None,
        guard: Callable[[Change, Callable[[str], bool]], None] = guard,
    ) -> GitHubBook:
        """A book over the same clone."""
        return GitHubBook(
            self.folder,
            self.clock,
            forge or self.forge,
            bot=lambda book, commit: bot,
            secrets=header_for(self.server.url, token),
            keep=keep,
            guard=guard,
        )

    def another(self) -> LocalBook:
        book = self.open(guard=_anything)
        self.opened.append(book)
        return book

    def close(self) -> None:
        super().close()
        self.api.close()

    @staticmethod
    def repository_in(state: State) -> Repository:
        """What the loopback GitHub knows of it; to be asked between two requests."""
        found = state.repository(NAME)
        assert found is not None, "it was made with the server"
        return found

    def fault(self, kind: str, nth: int = 1, times: int = 1, **match: str) -> None:
        """Let requests fail from the nth that matches on."""
        made = Fault(kind, match, nth, times)
        self.server.call(lambda state: self.server.forge.faults.add(made))

    def sent(self, method: str, path: str = "") -> list[tuple[str, str, int]]:
        """The requests of a method that reached the server, and what became of them."""
        return [one for one in self.server.forge.log if one[0] == method and path in one[1]]


def _anything(change: Change, is_there: Callable[[str], bool]) -> None:
    """Every change is allowed."""


@contextlib.contextmanager
def github_rig(folder: Path) -> Iterator[GitHubRig]:
    """Start a loopback GitHub with one commit, and clone it."""
    folder.mkdir(parents=True, exist_ok=True)
    clock = SimulatedClock(NOON)
    with ForgeServer(folder / "forge") as server:
        person, ours = folder / "person", folder / "ours"

        def follow(state: State) -> Path:
            state.clock = Following(clock)
            return GitHubRig.repository_in(state).git.path

        bare = server.call(follow)
        person.mkdir()
        git(person, "init", "--quiet", "-b", "main")
        git(person, "remote", "add", "origin", str(bare))
        _first(person)
        git(person, "push", "--quiet", "origin", "main")
        git(folder, "clone", "--quiet", server.git_url(NAME), str(ours))
        rig = GitHubRig(ours, person, clock, has_remote=True, server=server)
        try:
            yield rig
        finally:
            rig.close()


def _first(folder: Path) -> None:
    (folder / "autoinvestor.toml").write_text("first\n", encoding="utf-8")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "First")
