"""The three books that keep one contract, each with a person beside it who moves main."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from executor.ports import Book
from executor.repo.local_book import LocalBook
from tests.fakes.clock import SimulatedClock
from tests.fakes.memory_book import MemoryBook, Origin

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


def _first(folder: Path) -> None:
    (folder / "autoinvestor.toml").write_text("first\n", encoding="utf-8")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "First")
