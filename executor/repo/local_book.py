"""The book on one machine: main of a git repository, moved by compare-and-swap.

Without a remote the swap is an update of the ref; with one it is the push. Commits are made from
objects, so the work tree is never in the way; afterwards it is brought along where it can be.
"""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from executor.decisions.auditing import FileChange
from executor.errors import BookUnavailable, SwapLost, UsageError
from executor.model.evidence import PathChange
from executor.ports import Change, Clock, CommitInfo
from executor.repo.git import IDENTITY, Git, GitFailed
from executor.repo.trees import all_changes, changed_paths, write_blobs, write_tree
from executor.repo.work_tree import LARGE_INDEX, MAIN, WorkTree

REMOTE: Final = "origin"
REMOTE_MAIN: Final = f"refs/remotes/{REMOTE}/main"

_FORMAT: Final = "%H%x00%P%x00%ct%x00%s%x00%(trailers:only,unfold)"
_FIELDS: Final = 5

LAST_SECOND: Final = 253_402_300_799
"""9999-12-31T23:59:59Z: a commit may claim any later date, and none can be told."""


class LocalBook:
    """The `Book` port over the git program."""

    def __init__(self, folder: Path, clock: Clock, large_index: int = LARGE_INDEX) -> None:
        """Open the repository that holds a folder.

        Args:
            folder: in the work tree.
            clock: dates the commits.
            large_index: bytes from which on git's index is too large to be written at once.
        """
        self._git = Git(folder)
        self._clock = clock
        self._objects = self._git.open_batch()
        self._changes: dict[tuple[str, str], CommitInfo | None] = {}
        self._work_tree = WorkTree(self._git, self._objects, clock, large_index)
        self._has_remote = REMOTE in self._git.text("remote").split()

    @property
    def top(self) -> Path:
        """The work tree."""
        return self._git.top

    def close(self) -> None:
        """Let the index catch up, and let go of the reader's process."""
        self._work_tree.finish()
        self._objects.close()

    def __enter__(self) -> LocalBook:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def head(self) -> str:
        """The commit that main is at now."""
        if not self._has_remote:
            return self._ref(MAIN)
        remote = self._remote_main()
        local = self._ref(MAIN)
        if local != remote and not self._is_ancestor(local, remote):
            raise UsageError(
                "main here has commits that the remote's main lacks; push or drop them first"
            )
        return remote

    def _remote_main(self) -> str:
        """Main of the remote, read afresh."""
        self._fetch(f"+refs/heads/main:{REMOTE_MAIN}")
        return self._ref(REMOTE_MAIN)

    def _fetch(self, *what: str) -> None:
        *options, ref = what
        self._git.run("fetch", "--quiet", *options, REMOTE, ref)

    def _ref(self, name: str) -> str:
        try:
            return self._git.text("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        except GitFailed:
            raise UsageError(
                f"{self.top}: there is no {name.removeprefix('refs/heads/')} with a commit yet;"
                " commit autoinvestor.toml on a branch named main first"
            ) from None

    def _is_ancestor(self, older: str, newer: str) -> bool:
        try:
            self._git.run("merge-base", "--is-ancestor", older, newer)
        except GitFailed as error:
            if error.code == 1:
                return False
            raise
        return True

    def resolve(self, name: str) -> str:
        """The commit that a branch, tag or other name means.

        Raises:
            UsageError: it means none.
        """
        if name.startswith("-"):
            raise UsageError(f"{name}: not the name of a commit; name a branch or a commit")
        try:
            return self._git.text("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        except GitFailed:
            raise UsageError(f"{name}: no such commit; name a branch or a commit") from None

    def bring(self, ref: str) -> str:
        """Fetch a full ref of the remote; its commit."""
        if not self._has_remote:
            raise UsageError(f"{ref}: this repository has no remote named {REMOTE}; add one")
        assert ref.startswith("refs/"), "a full ref cannot be taken for an option"
        kept = f"refs/autoinvestor/{ref.removeprefix('refs/')}"
        try:
            self._fetch("--no-tags", f"+{ref}:{kept}")
        except GitFailed as error:
            if "couldn't find remote ref" in error.stderr:
                raise UsageError(f"{ref}: the remote has no such ref") from None
            raise
        return self._ref(kept)

    def vouches(self, commit: str) -> bool:
        """Always: whoever can write on this machine is trusted."""
        return True

    def read(self, path: str, at: str) -> bytes | None:
        """A file at a commit; None where there is none."""
        return self._objects.read(f"{at}:{path}")

    def read_folder(self, folder: str, at: str) -> Iterator[tuple[str, bytes]]:
        """Every file under a folder at a commit, by path."""
        listing = self._git.run("ls-tree", "-r", "-z", at, "--", f"{folder}/")
        for entry in listing.split(b"\0"):
            if not entry:
                continue
            about, path = entry.split(b"\t", 1)
            data = self._objects.read(about.split()[2].decode())
            if data is not None:
                yield path.decode("utf-8", "replace"), data

    def changed(self, folder: str, before: str, after: str) -> Mapping[str, str]:
        """What differs under a folder between two commits: `A`, `M` or `D` by path, as git says."""
        return {} if before == after else changed_paths(self._objects, before, after, (folder,))

    def differences(self, before: str, after: str) -> tuple[PathChange, ...]:
        """Every path that differs between two commits, by path, with the mode that it has after."""
        return all_changes(self._objects, before, after)

    def fork_point(self, one: str, other: str) -> str:
        """The newest commit that two commits have in common."""
        try:
            return self._git.text("merge-base", one, other)
        except GitFailed as error:
            if error.code != 1:
                raise
            raise UsageError(f"{other}: shares no history with {one}; branch off main") from None

    def is_on_line(self, commit: str, at: str) -> bool:
        """True where a commit is on the first-parent line of another one, or is that one."""
        arguments = ("rev-list", "--first-parent", "--parents", at, f"^{commit}")
        line = self._git.text(*arguments).split("\n")[-1].split()
        # Nothing is left where one is the other, or comes before it.
        return line[1] == commit if len(line) > 1 else commit == at

    def last_change(self, path: str, at: str) -> CommitInfo | None:
        """The newest first-parent commit that added, changed or removed a path."""
        # What is so at a commit stays so, and a run asks again whenever it reads main.
        if (path, at) not in self._changes:
            found = self._log("-1", at, "--", path)
            self._changes[path, at] = found[0] if found else None
        return self._changes[path, at]

    def with_trailer(
        self, key: str, value: str | None, at: str, most: int
    ) -> tuple[CommitInfo, ...]:
        """First-parent commits that carry a trailer, newest first."""
        pattern = f"^{key}: {value or ''}"
        found: list[CommitInfo] = []
        skipped = 0
        while True:
            # A body may quote the line without it being a trailer: look further until there is
            # enough or nothing is left.
            page = self._log(f"--grep={pattern}", f"--skip={skipped}", f"-{most + 8}", at)
            for commit in page:
                carried = commit.trailers.get(key)
                if carried is not None and value in (None, carried):
                    found.append(commit)
            skipped += len(page)
            if len(found) >= most or len(page) < most + 8:
                return tuple(found[:most])

    def _log(self, *arguments: str) -> tuple[CommitInfo, ...]:
        printed = self._git.run("log", "-z", "--first-parent", f"--format={_FORMAT}", *arguments)
        # NUL is the one character that no subject and no trailer can hold.
        fields = printed.decode("utf-8", "replace").split("\0")
        whole = range(0, len(fields) - _FIELDS + 1, _FIELDS)
        return tuple(_commit_info(*fields[start : start + _FIELDS]) for start in whole)

    def changes(self, folders: Sequence[str], at: str) -> Iterator[FileChange]:
        """Every path under some folders that a commit touched, against each of its parents.

        All parents count: a merge could otherwise bring a changed file along from a side branch.
        """
        printed = self._git.run(
            "log", "--full-history", "-m", "--no-renames", "--name-status", "-z",
            "--format=%x01%H", at, "--", *folders,
        )  # fmt: skip
        for record in printed.decode("utf-8", "replace").split("\x01")[1:]:
            commit, *pieces = (one.strip("\n") for one in record.split("\0"))
            names = [one for one in pieces if one]
            for kind, path in zip(names[::2], names[1::2], strict=True):
                yield FileChange(commit, kind[:1], path)

    def tidy(self) -> None:
        """Bring along a work tree that a killed run left behind; refuse uncommitted work of ours.

        A run that dies between moving main and updating the work tree leaves index and files at the
        commit before. That is told from a person's edit by comparing both with that commit.

        Raises:
            UsageError: a path of ours has uncommitted changes.
        """
        self._work_tree.refuse_other()
        if self._work_tree.is_on_main:
            self._work_tree.mend(self._finish_move(self._ref(MAIN)))

    def _finish_move(self, local: str) -> str:
        """Move the branch to where a killed run was bringing the work tree; where it is then."""
        if not self._has_remote:
            return local
        remote = self._ref(REMOTE_MAIN)
        if local == remote or not self._is_ancestor(local, remote):
            return local
        if not self._work_tree.has_begun(local, remote):
            return local
        self._git.run("update-ref", "-m", "autoinvestor", MAIN, remote, local)
        return remote

    def commit(self, change: Change, expected: str) -> str:
        """Commit on top of `expected` and move main to it."""
        new = self._write_commit(change, expected)
        local = self._ref(MAIN)
        with self._work_tree.moving(local):
            if self._has_remote:
                self._push(new, expected)
            else:
                self._move(MAIN, new, expected)
                local = expected
            self._bring_along(local, new, change, expected)
        return new

    def _tree_of(self, change: Change, parent: str) -> str:
        """Write the tree that a change makes of its parent's; its id."""
        blobs = write_blobs(self._git, change.writes)
        gone: dict[str, str | None] = dict.fromkeys(change.deletes)
        return write_tree(self._git, self._objects, parent, {**gone, **blobs})

    def _write_commit(self, change: Change, parent: str) -> str:
        tree = self._tree_of(change, parent)
        when = f"{int(self._clock.now().timestamp())} +0000"
        person = {
            f"GIT_{role}_{key}": value
            for role in ("AUTHOR", "COMMITTER")
            for key, value in (*IDENTITY.items(), ("DATE", when))
        }
        message = _message(change).encode()
        arguments = ("commit-tree", tree, "-p", parent)
        return self._git.run(*arguments, stdin=message, environment=person).decode().strip()

    def _move(self, ref: str, new: str, expected: str) -> None:
        try:
            self._git.run("update-ref", "-m", "autoinvestor", ref, new, expected)
        except GitFailed as error:
            if self._ref(ref) != expected:
                raise SwapLost("main moved meanwhile; run again") from None
            raise error from None

    def _push(self, new: str, expected: str) -> None:
        try:
            self._git.run(
                "push",
                "--quiet",
                f"--force-with-lease={MAIN}:{expected}",
                REMOTE,
                f"{new}:{MAIN}",
            )
        except BookUnavailable as error:
            # The answer may have been lost after the remote took the commit: only the remote knows.
            now = self._remote_main()
            if self._is_ancestor(new, now):
                return
            if now != expected:
                raise SwapLost("the remote's main moved meanwhile; run again") from None
            raise error from None
        self._git.run("update-ref", REMOTE_MAIN, new)

    def _bring_along(self, old: str, new: str, change: Change, parent: str) -> None:
        """Move branch and work tree to the new commit, where nothing of a person's is lost."""
        if self._work_tree.is_on_main:
            gone: dict[str, bytes | None] = dict.fromkeys(change.deletes)
            if old == parent:
                moved = self._work_tree.follow({**gone, **change.writes}, old, change.goes_on)
            else:
                moved = self._work_tree.follow_far(old, new)
            # Somebody's uncommitted work may be in the way; what is committed is not in danger.
            if not moved and self._has_remote:
                return
        if self._has_remote:
            self._move_branch(new, old)

    def _move_branch(self, new: str, old: str) -> None:
        """Let the branch follow the remote; where another run here was faster, it has."""
        try:
            self._git.run("update-ref", "-m", "autoinvestor", MAIN, new, old)
        except GitFailed:
            if self._ref(MAIN) == old:
                raise

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep other writers on this machine out; a process that dies lets go by dying."""
        path = self._git.git_folder / "autoinvestor.lock"
        with path.open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BookUnavailable(
                    "another autoinvestor is at work in this repository; run again when it is done"
                ) from None
            try:
                yield
            finally:
                self._work_tree.finish()


def _commit_info(commit: str, parents: str, when: str, subject: str, trailers: str) -> CommitInfo:
    pairs = (line.partition(": ") for line in trailers.splitlines())
    return CommitInfo(
        commit=commit,
        parents=tuple(parents.split()),
        committed_at=datetime.fromtimestamp(min(int(when), LAST_SECOND), UTC),
        subject=subject,
        trailers={key: value for key, mark, value in pairs if mark},
    )


def _message(change: Change) -> str:
    assert "\n" not in change.subject, "a subject is one line"
    for key, value in change.trailers.items():
        assert "\n" not in f"{key}{value}", "a trailer is one line"
    trailers = "".join(f"{key}: {value}\n" for key, value in change.trailers.items())
    return f"{change.subject}\n\n{trailers}" if trailers else f"{change.subject}\n"
