"""The person's work tree beside main: brought along after a commit, mended after a kill.

Only the paths that a commit touches are looked at, so a long history costs no more than a short
one. What a person has changed is never written over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from executor.errors import UsageError
from executor.model.account import ACCOUNT_PATH
from executor.model.plan import PLAN_PATH
from executor.model.state import STATE_PATH
from executor.ports import Clock
from executor.repo.git import Git, GitFailed, ObjectReader

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

LARGE_INDEX: Final = 4_000_000
"""Bytes: the index of some 30,000 files."""


class WorkTree:
    """Index and files of the folder that a person works in."""

    def __init__(self, git: Git, objects: ObjectReader, clock: Clock) -> None:
        """Look at the work tree of a repository."""
        self._git = git
        self._objects = objects
        self._clock = clock

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

    def has_begun(self, old: str, new: str) -> bool:
        """Say whether a killed run had begun to bring this work tree from one commit to a later.

        With a remote the branch goes last: to git it looks like a person's uncommitted work.
        """
        ahead = self._touched("diff-tree", "-r", "-z", "--name-only", "--no-renames", old, new)
        states = self._states(ahead)
        versions = {path: self._versions(path, (old, new)) for path in ahead}
        between = all(set(states[path]) <= set(versions[path]) for path in ahead)
        return between and any(versions[path][1] in states[path] for path in ahead)

    def mend(self, head: str) -> None:
        """Bring along what a killed run left at the commit before main, or on the way from it.

        Raises:
            UsageError: a path of ours has uncommitted changes.
        """
        touched = self._touched(
            "diff-tree", "-r", "-z", "--no-commit-id", "--name-only", "--no-renames", "--root",
            "-m", "--first-parent", head,
        )  # fmt: skip
        paths = sorted({PLAN_PATH, STATE_PATH, ACCOUNT_PATH, *touched})
        states = self._states(paths)
        if all(states[path] == self._versions(path, (head, head)) for path in paths):
            return
        # What differs by a conversion of line ends is no difference to git, which knows best.
        printed = self._git.run(
            "status", "--porcelain", "-z", "--untracked-files=all", "--no-renames", "--", *paths
        )
        entries = [one for one in printed.decode("utf-8", "replace").split("\0") if one]
        dirty = sorted({entry[3:] for entry in entries})
        edited = [path for path in dirty if not self._is_between(path, f"{head}~1", head)]
        if edited:
            raise UsageError(
                f"{', '.join(edited)}: uncommitted changes; commit them on main or put them away"
            )
        for path in dirty:
            if self._objects.read(f"{head}:{path}") is None:
                self._git.run("rm", "--quiet", "--force", "--ignore-unmatch", "--", path)
            else:
                self._git.run("checkout", "--quiet", "--force", head, "--", path)

    def _touched(self, *arguments: str) -> list[str]:
        """Those of our paths that a git command names."""
        printed = self._git.run(*arguments, "--", *OUR_PATHS)
        return [one for one in printed.decode("utf-8", "replace").split("\0") if one]

    def _is_between(self, path: str, old: str, new: str) -> bool:
        """Say whether index and file each hold a path as one of two commits does."""
        return set(self._states([path])[path]) <= set(self._versions(path, (old, new)))

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

    def follow(self, changes: Mapping[str, bytes | None], old: str) -> bool:
        """Bring files and index from a commit to the one on top of it that makes these changes.

        Args:
            changes: new content by path; None takes a path away.
            old: the commit that they are on.

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
        return not changes or self._patiently(
            "update-index", *self._form(), "--add", "--remove", "--", *changes
        )

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

    def _form(self) -> tuple[str, ...]:
        """Write a large index in the form that leaves out what paths have in common.

        Every change writes all of it, with its checksum (gitformat-index, version 4).
        """
        index = self._git.git_folder / "index"
        large = index.is_file() and index.stat().st_size > LARGE_INDEX
        return ("--index-version", "4") if large else ()

    def follow_far(self, old: str, new: str) -> bool:
        """Bring index and files to any later commit; False where a person's work is in the way."""
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
