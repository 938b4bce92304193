"""The book in memory: commits as values, main moved by compare-and-swap, no git and no files."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from typing import Final, Literal

from executor.decisions.auditing import FileChange
from executor.errors import BookUnavailable, SwapLost, UsageError
from executor.model.evidence import PLAIN_FILE, PathChange
from executor.ports import Change, Clock, CommitInfo

Tree = Mapping[str, bytes]

_KINDS: Final[Mapping[str, Literal["A", "M", "D"]]] = {"A": "A", "M": "M", "D": "D"}


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit: what git would hold of it, and its whole tree."""

    info: CommitInfo
    tree: Tree
    touched: Mapping[str, str]
    """By path what it did against its first parent, as git says: A, M, D."""


@dataclass
class Origin:
    """Main as every clone sees it: the commits, and where main is."""

    clock: Clock
    commits: dict[str, Commit] = field(default_factory=dict)
    main: str = ""
    pushed: list[str] = field(default_factory=list)
    """What people brought to main; none of it may ever be lost."""
    refs: dict[str, str] = field(default_factory=dict)
    """Where other full refs are, such as `refs/pull/7/head`."""
    forged: set[str] = field(default_factory=set)
    """Commits that look like ours and are not."""

    def __post_init__(self) -> None:
        """Begin with an empty commit, so that there is always a head."""
        self.main = self.add({}, (), "Begin", {})

    def add(
        self, tree: Tree, parents: Sequence[str], subject: str, trailers: Mapping[str, str]
    ) -> str:
        """Store a commit; its name is a digest of all of it, as git's is."""
        when = self.clock.now().astimezone(UTC).replace(microsecond=0)
        before = self.commits[parents[0]].tree if parents else {}
        digest = hashlib.sha1(usedforsecurity=False)
        for part in (*parents, subject, str(when), *map(str, trailers.items())):
            digest.update(part.encode() + b"\0")
        touched = _touched(before, tree)
        for path in sorted(touched):
            digest.update(path.encode() + b"\0" + tree.get(path, b"-") + b"\0")
        name = digest.hexdigest()
        info = CommitInfo(name, tuple(parents), when, subject, dict(trailers))
        self.commits[name] = Commit(info, dict(tree), touched)
        return name

    def line(self, at: str) -> Iterator[Commit]:
        """The first-parent line, newest first."""
        commit: Commit | None = self.commits[at]
        while commit is not None:
            yield commit
            parents = commit.info.parents
            commit = self.commits[parents[0]] if parents else None

    def push(
        self,
        writes: Mapping[str, bytes],
        subject: str,
        *,
        deletes: Sequence[str] = (),
        merged: bool = False,
    ) -> str:
        """Move main as a person does: a commit on top of it, or the merge of a branch of one."""
        tree = _changed(self.commits[self.main].tree, writes, deletes)
        if merged:
            head = self.add(tree, (self.main,), f"{subject} (branch)", {})
            self.main = self.add(tree, (self.main, head), subject, {})
        else:
            self.main = self.add(tree, (self.main,), subject, {})
        self.pushed.append(self.main)
        return self.main

    def swap(self, change: Change, expected: str) -> str:
        """Commit on top of `expected` if main is there."""
        tree = _changed(self.commits[expected].tree, change.writes, change.deletes)
        new = self.add(tree, (expected,), change.subject, change.trailers)
        if self.main != expected:
            raise SwapLost("main moved meanwhile; run again")
        self.main = new
        return new


def _changed(tree: Tree, writes: Mapping[str, bytes], deletes: Sequence[str]) -> Tree:
    gone = frozenset(deletes)
    return {**{path: data for path, data in tree.items() if path not in gone}, **writes}


def _touched(before: Tree, after: Tree) -> dict[str, str]:
    touched = {path: "D" for path in before if path not in after}
    for path, data in after.items():
        if path not in before:
            touched[path] = "A"
        elif before[path] is not data and before[path] != data:
            touched[path] = "M"
    return touched


class MemoryBook:
    """The `Book` port over an origin, as one machine sees it.

    Runs on one machine share one of these, and with it the lock that keeps them apart. A run that
    dies lets go of the lock, as a process does.
    """

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self._held = False

    def tidy(self) -> None:
        """There is no work tree to bring along."""

    def head(self) -> str:
        return self.origin.main

    def resolve(self, name: str) -> str:
        if name in self.origin.commits:
            return name
        if name in ("main", "HEAD"):
            return self.origin.main
        raise UsageError(f"{name}: no such commit; name a branch or a commit")

    def bring(self, ref: str) -> str:
        if ref == "refs/heads/main":
            return self.origin.main
        if ref in self.origin.refs:
            return self.origin.refs[ref]
        raise UsageError(f"{ref}: the remote has no such ref")

    def vouches(self, commit: str) -> bool:
        return commit not in self.origin.forged

    def read(self, path: str, at: str) -> bytes | None:
        return self.origin.commits[at].tree.get(path)

    def read_folder(self, folder: str, at: str) -> Iterator[tuple[str, bytes]]:
        tree = self.origin.commits[at].tree
        yield from sorted((path, tree[path]) for path in tree if path.startswith(f"{folder}/"))

    def changed(self, folder: str, before: str, after: str) -> Mapping[str, str]:
        touched = _touched(self.origin.commits[before].tree, self.origin.commits[after].tree)
        return {path: kind for path, kind in touched.items() if path.startswith(f"{folder}/")}

    def differences(self, before: str, after: str) -> tuple[PathChange, ...]:
        touched = _touched(self.origin.commits[before].tree, self.origin.commits[after].tree)
        return tuple(
            PathChange(path, _KINDS[kind], None if kind == "D" else PLAIN_FILE)
            for path, kind in sorted(touched.items())
        )

    def fork_point(self, one: str, other: str) -> str:
        ancestors = self._ancestors(one)
        for name in self._ancestors(other):
            if name in ancestors:
                return name
        raise UsageError(f"{other}: shares no history with {one}; branch off main")

    def is_on_line(self, commit: str, at: str) -> bool:
        return any(one.info.commit == commit for one in self.origin.line(at))

    def _ancestors(self, at: str) -> dict[str, None]:
        """A commit and all before it, the nearest first."""
        found: dict[str, None] = {}
        names = [at]
        while names:
            name = names.pop(0)
            if name not in found:
                found[name] = None
                names += self.origin.commits[name].info.parents
        return found

    def last_change(self, path: str, at: str) -> CommitInfo | None:
        return next((one.info for one in self.origin.line(at) if path in one.touched), None)

    def with_trailer(
        self, key: str, value: str | None, at: str, most: int
    ) -> tuple[CommitInfo, ...]:
        found: list[CommitInfo] = []
        for one in self.origin.line(at):
            carried = one.info.trailers.get(key)
            if carried is not None and value in (None, carried):
                found.append(one.info)
            if len(found) >= most:
                break
        return tuple(found)

    def changes(self, folders: Sequence[str], at: str) -> Iterator[FileChange]:
        """What each first-parent commit did under some folders, newest commit first."""
        for one in self.origin.line(at):
            for path, kind in sorted(one.touched.items()):
                if path.startswith(tuple(f"{folder}/" for folder in folders)):
                    yield FileChange(one.info.commit, kind, path, one.info.trailers)

    def commit(self, change: Change, expected: str) -> str:
        return self.origin.swap(change, expected)

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        if self._held:
            raise BookUnavailable(
                "another autoinvestor is at work in this repository; run again when it is done"
            )
        self._held = True
        try:
            yield
        finally:
            self._held = False
