"""The person's work tree beside main: brought along after a commit, mended after a kill.

Only the paths that a commit touches are looked at, so a long history costs no more than a short
one. What a person has changed is never written over.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from executor.errors import SwapLost, UsageError
from executor.model.account import ACCOUNT_PATH
from executor.model.plan import PLAN_PATH
from executor.model.state import STATE_PATH
from executor.ports import Clock
from executor.repo.git import Git, GitFailed, ObjectReader
from executor.repo.trees import changed_paths

MAIN: Final = "refs/heads/main"

HISTORY_FOLDERS: Final = (
    "trading_instructions_history",
    "strategy_reviews",
    "execution_results",
)
OUR_PATHS: Final = (PLAN_PATH, ACCOUNT_PATH, *HISTORY_FOLDERS)
"""What the executor writes; a work tree may be dirty elsewhere."""

INDEX_TRIES: Final = 40
INDEX_PAUSE_SECONDS: Final = 0.05
"""How often, and how long apart, another git of this machine is waited for."""

MARK: Final = "autoinvestor.moving"
"""How the name of a file in git's folder begins that is there while main is being moved."""

LARGE_INDEX: Final = 4_000_000
"""Bytes: the index of some 30,000 files."""


class WorkTree:
    """Index and files of the folder that a person works in."""

    def __init__(
        self, git: Git, objects: ObjectReader, clock: Clock, large_index: int = LARGE_INDEX
    ) -> None:
        """Look at the work tree of a repository."""
        self._large = large_index
        self._git = git
        self._objects = objects
        self._clock = clock
        self._mark = git.git_folder / f"{MARK}.{os.getpid()}"
        self._left_behind: tuple[str, ...] = ()

    @property
    def is_on_main(self) -> bool:
        """True where main is what is checked out."""
        try:
            return self._git.text("symbolic-ref", "--quiet", "HEAD") == MAIN
        except GitFailed:
            return False

    def refuse_other(self) -> None:
        """Refuse to move main under another work tree: its next commit would undo ours.

        Raises:
            UsageError: main is checked out elsewhere.
        """
        there = self._git.text("for-each-ref", "--format=%(worktreepath)", MAIN)
        if there and Path(there).resolve() != self._git.top.resolve():
            raise UsageError(
                f"main is checked out in {there}; run there, or check out another branch there"
            )

    @contextlib.contextmanager
    def moving(self, base: str) -> Iterator[None]:
        """Leave a mark while main and the work tree are apart: a kill in between is mended.

        Args:
            base: the commit that index and files are on.
        """
        if not self._left_behind:
            self._mark.write_text(base, encoding="ascii")
        try:
            yield
        except SwapLost:
            self._unmark()
            raise
        self._unmark()

    def _unmark(self) -> None:
        if not self._left_behind:
            self._mark.unlink(missing_ok=True)

    def finish(self) -> None:
        """Let the index catch up with what it was left behind of."""
        if self._left_behind and self._update_index(self._left_behind):
            self._left_behind = ()
            self._unmark()

    def has_begun(self, old: str, new: str) -> bool:
        """Say whether a killed run had begun to bring this work tree from one commit to a later.

        With a remote the branch goes last: to git it looks like a person's uncommitted work.
        """
        ahead = sorted(changed_paths(self._objects, old, new, OUR_PATHS))
        states = self._states(ahead)
        commits = (old, new, *self._marked())
        versions = {path: self._versions(path, commits) for path in ahead}
        between = all(set(states[path]) <= set(versions[path]) for path in ahead)
        return between and any(versions[path][1] in states[path] for path in ahead)

    def mend(self, head: str) -> None:
        """Bring along what a killed run left at the commit before main, or on the way to it.

        Raises:
            UsageError: a path of ours has uncommitted changes.
        """
        marks = self._marks()
        touched = changed_paths(self._objects, f"{head}~1", head, OUR_PATHS)
        paths = sorted({PLAN_PATH, STATE_PATH, ACCOUNT_PATH, *touched})
        committed = {path: self._objects.read(f"{head}:{path}") for path in paths}
        # Without a mark nobody was killed, and the index, which takes long to read, needs no look.
        if not marks and all(self._lying(path) == committed[path] for path in paths):
            return
        self._mend(paths, head)
        for mark in marks:
            mark.unlink(missing_ok=True)

    def _mend(self, paths: Sequence[str], head: str) -> None:
        # What differs by a conversion of line ends is no difference to git, which knows best.
        printed = self._git.run(
            "status", "--porcelain", "-z", "--untracked-files=all", "--no-renames", "--", *paths
        )
        entries = [one for one in printed.decode("utf-8", "replace").split("\0") if one]
        dirty = sorted({entry[3:] for entry in entries})
        commits = (head, f"{head}~1", *self._marked())
        edited = [path for path in dirty if not self._is_between(path, commits)]
        if edited:
            raise UsageError(
                f"{', '.join(edited)}: uncommitted changes; commit them on main or put them away"
            )
        for path in dirty:
            if self._objects.read(f"{head}:{path}") is None:
                self._git.run("rm", "--quiet", "--force", "--ignore-unmatch", "--", path)
            else:
                self._git.run("checkout", "--quiet", "--force", head, "--", path)

    def _marks(self) -> list[Path]:
        return list(self._git.git_folder.glob(f"{MARK}.*"))

    def _marked(self) -> list[str]:
        """The commits that killed runs found the work tree on."""
        found = []
        for mark in self._marks():
            # Another run, which does not wait for our lock, may just be done with its own.
            with contextlib.suppress(FileNotFoundError):
                found.append(mark.read_text("ascii", "replace").strip() or "HEAD")
        return found

    def _is_between(self, path: str, commits: Iterable[str]) -> bool:
        """Say whether index and file each hold a path as one of some commits does."""
        return set(self._states([path])[path]) <= set(self._versions(path, commits))

    def _versions(self, path: str, commits: Iterable[str]) -> tuple[bytes | None, ...]:
        return tuple(self._objects.read(f"{one}:{path}") for one in commits)

    def _states(self, paths: Sequence[str]) -> dict[str, tuple[bytes | None, bytes | None]]:
        """What index and work tree hold of some paths; None where they have none."""
        staged = self._staged(paths) if paths else {}
        return {
            path: (
                self._objects.read(staged[path]) if path in staged else None,
                self._lying(path),
            )
            for path in paths
        }

    def _staged(self, paths: Iterable[str]) -> dict[str, str]:
        """The blobs of the index by path."""
        # The reader's process would go on seeing the index as it was when it first looked.
        listed = self._git.run("ls-files", "--stage", "-z", "--", *paths).decode("utf-8", "replace")
        entries = (entry.partition("\t") for entry in listed.split("\0") if entry)
        return {path: about.split()[1] for about, _, path in entries}

    def _lying(self, path: str) -> bytes | None:
        file = self._git.top / path
        return file.read_bytes() if file.is_file() and not file.is_symlink() else None

    def follow(self, changes: Mapping[str, bytes | None], old: str, goes_on: bool = False) -> bool:
        """Bring files and index from a commit to the one on top of it that makes these changes.

        Args:
            changes: new content by path; None takes a path away.
            old: the commit that they are on.
            goes_on: True leaves a large index behind, until the next commit or `finish`.

        Returns:
            False where a person's work is in the way; nothing was touched then.
        """
        for path, new in changes.items():
            # A new file that lies there already, as committed, is in nobody's way.
            before = self._objects.read(f"{old}:{path}")
            if not self._may_lie(path) or self._lying(path) not in (before, new):
                return False
        for path, new in changes.items():
            self._put(path, new)
        paths = tuple(dict.fromkeys((*self._left_behind, *changes)))
        if goes_on and self._is_large:
            self._left_behind = paths
            return True
        done = not paths or self._update_index(paths)
        self._left_behind = ()
        return done

    def _update_index(self, paths: Sequence[str]) -> bool:
        # Every change writes the whole index. Version 4 leaves out what neighboring paths have in
        # common (gitformat-index); every git since 2012 reads it.
        form = ("--index-version", "4") if self._is_large else ()
        return self._patiently("update-index", *form, "--add", "--remove", "--", *paths)

    @property
    def _is_large(self) -> bool:
        index = self._git.git_folder / "index"
        return index.is_file() and index.stat().st_size >= self._large

    def _may_lie(self, path: str) -> bool:
        """False where something that is no folder stands where the path needs one, or the like."""
        file = self._git.top / path
        above = [one for one in file.parents if one.is_relative_to(self._git.top)]
        return not file.is_dir() and not any(
            one.is_symlink() or (one.exists() and not one.is_dir()) for one in above[:-1]
        )

    def _put(self, path: str, content: bytes | None) -> None:
        file = self._git.top / path
        if content is None:
            file.unlink(missing_ok=True)
            self._remove_empty(file.parent)
        elif self._lying(path) != content:
            file.parent.mkdir(parents=True, exist_ok=True)
            # In one step: half a file would look like a person's edit.
            part = file.with_name(f".{file.name}.part")
            part.write_bytes(content)
            part.replace(file)

    def _remove_empty(self, folder: Path) -> None:
        """Take away folders that hold nothing any more, as git does."""
        while folder != self._git.top and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
            folder = folder.parent

    def follow_far(self, old: str, new: str) -> bool:
        """Bring index and files to any later commit; False where a person's work is in the way."""
        self.finish()
        return self._patiently("read-tree", "-m", "-u", old, new)

    def _patiently(self, *arguments: str) -> bool:
        """Run a git command that changes the index; False where git refuses.

        A halt does not wait for the run that holds our lock, so both may want git's at one moment.
        """
        for _ in range(INDEX_TRIES):
            try:
                self._git.run(*arguments)
            except GitFailed as error:
                if "index.lock" not in error.stderr:
                    return False
                self._clock.sleep(INDEX_PAUSE_SECONDS)
            else:
                return True
        return False
