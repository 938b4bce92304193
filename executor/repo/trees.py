"""Compares and writes trees: only folders that differ are read, only those that change written."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Literal

from executor.errors import BookUnavailable
from executor.model.evidence import PathChange
from executor.repo.git import TIMEOUT_SECONDS, Entry, Git, ObjectReader

FILE, FOLDER = "100644", "40000"
"""Git's modes of what we write."""

KIND: Final = {FOLDER: "tree", "160000": "commit"}
"""What a mode says that an entry is; every other one is a blob."""


def write_blobs(git: Git, files: Mapping[str, bytes]) -> dict[str, str]:
    """Write contents as blobs, in one call of git; their ids by path."""
    if not files:
        return {}
    with tempfile.TemporaryDirectory(prefix="autoinvestor-") as folder:
        names = []
        for number, data in enumerate(files.values()):
            file = Path(folder) / str(number)
            file.write_bytes(data)
            names.append(str(file))
        printed = git.run("hash-object", "-w", "--no-filters", "--", *names)
    return dict(zip(files, printed.decode().split(), strict=True))


def write_tree(
    git: Git, objects: ObjectReader, parent: str, changes: Mapping[str, str | None]
) -> str:
    """Write the tree of a commit with some paths changed; its id.

    Args:
        git: the repository.
        objects: reads the trees that are there.
        parent: the commit.
        changes: a blob's id by path; None takes the path away.
    """
    with _TreeWriter(git) as writer:
        found = _folder(objects, writer, f"{parent}:", changes)
        return found or writer.write({})


def _folder(
    objects: ObjectReader, writer: _TreeWriter, name: str, changes: Mapping[str, str | None]
) -> str | None:
    """Write one folder and those below it; None where nothing is left in it."""
    entries = dict(objects.tree(name) or {})
    below: dict[str, dict[str, str | None]] = {}
    for path, blob in changes.items():
        first, slash, rest = path.partition("/")
        if slash:
            below.setdefault(first, {})[rest] = blob
        elif blob is None:
            entries.pop(first, None)
        else:
            entries[first] = Entry(FILE, blob)
    for first, inner in below.items():
        at = f"{name}{first}" if name.endswith(":") else f"{name}/{first}"
        tree = _folder(objects, writer, at, inner)
        if tree is None:
            entries.pop(first, None)
        else:
            entries[first] = Entry(FOLDER, tree)
    return writer.write(entries) if entries else None


def changed_paths(
    objects: ObjectReader, before: str, after: str, under: Collection[str]
) -> dict[str, str]:
    """What differs between two commits, at some paths and below them: `A`, `M` or `D` by path.

    A commit that is not there (the parent of the first one) counts as empty.
    """

    def is_asked(path: str) -> bool:
        return any(
            path == one or path.startswith(f"{one}/") or one.startswith(f"{path}/") for one in under
        )

    found = _differing(objects, before, after, is_asked)
    return {path: _kind(was, now) for path, was, now in found}


def all_changes(objects: ObjectReader, before: str, after: str) -> tuple[PathChange, ...]:
    """Every path that differs between two commits, by path."""
    return tuple(
        # A name that is no UTF-8 is shown as well as it goes: nobody may bring one.
        PathChange(
            path.encode("utf-8", "replace").decode(), _kind(was, now), now.mode if now else None
        )
        for path, was, now in _differing(objects, before, after, lambda _: True)
    )


Differing = tuple[str, Entry | None, Entry | None]
"""A path with what it was and what it is, where that is no folder."""


def _kind(was: Entry | None, now: Entry | None) -> Literal["A", "M", "D"]:
    if was is None:
        return "A"
    return "D" if now is None else "M"


def _differing(
    objects: ObjectReader, before: str, after: str, is_asked: Callable[[str], bool]
) -> list[Differing]:
    def inside(entry: Entry | None) -> dict[str, Entry] | None:
        is_folder = entry is not None and entry.mode == FOLDER
        return objects.tree(entry.object_id) if entry is not None and is_folder else None

    found: list[Differing] = []

    def compare(folder: str, old: Mapping[str, Entry], new: Mapping[str, Entry]) -> None:
        for name in sorted({name for name, _ in old.items() ^ new.items()}):
            path = f"{folder}{name}"
            if not is_asked(path):
                continue
            was, now = old.get(name), new.get(name)
            below, above = inside(was), inside(now)
            compare(f"{path}/", below or {}, above or {})
            was_file = was if below is None else None
            now_file = now if above is None else None
            if was_file or now_file:
                found.append((path, was_file, now_file))

    compare("", objects.tree(f"{before}:") or {}, objects.tree(f"{after}:") or {})
    return found


class _TreeWriter:
    """`git mktree --batch`: one process for the trees of a commit."""

    def __init__(self, git: Git) -> None:
        self._process = git.open_process("mktree", "--batch", "--missing", "-z")

    def __enter__(self) -> _TreeWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None, "it was opened as a pipe"
        assert self._process.stdout is not None, "it was opened as a pipe"
        self._process.stdin.close()
        self._process.stdout.close()
        try:
            self._process.wait(timeout=TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def write(self, entries: Mapping[str, Entry]) -> str:
        """Write one tree."""
        lines = [
            f"{one.mode} {KIND.get(one.mode, 'blob')} {one.object_id}\t{name}\0"
            for name, one in entries.items()
        ]
        assert self._process.stdin is not None, "it was opened as a pipe"
        assert self._process.stdout is not None, "it was opened as a pipe"
        try:
            self._process.stdin.write(("".join(lines) + "\0").encode("utf-8", "surrogateescape"))
            self._process.stdin.flush()
            written = self._process.stdout.readline().decode().strip()
        except OSError:
            written = ""
        if not written:
            raise BookUnavailable("git mktree ended early; run again")
        return written
