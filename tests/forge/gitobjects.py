"""The real git repository under the loopback GitHub: commits, trees, merges, refs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from tests.forge.commitobjects import (
    CommitObject,
    FileChange,
    Person,
    parse_commit,
    read_counts,
    sign,
)

Result = TypeVar("Result")

ZERO: Final = "0" * 40
_SHA: Final = re.compile(r"[0-9a-f]{40}")
_TIMEOUT_SECONDS: Final = 60
_QUIET: Final = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}


class GitFailed(Exception):
    """The git program ended with an error, which is the message."""


class Git:
    """A bare repository, used through the git program."""

    def __init__(self, path: Path) -> None:
        """Use the bare repository at a path, which exists."""
        self.path = path
        self._commits: dict[str, CommitObject] = {}
        self._known: dict[tuple[str, ...], Any] = {}
        """What git said of commits by their full ids: it never says anything else."""

    @classmethod
    def create(cls, path: Path) -> Git:
        """Make an empty bare repository whose default branch is main."""
        path.mkdir(parents=True, exist_ok=True)
        git = cls(path)
        git.run("init", "--quiet", "--bare", "--initial-branch=main")
        return git

    def run(
        self, *arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None
    ) -> bytes:
        """Run git and give what it prints.

        Raises:
            GitFailed: it ended with an error.
        """
        done = self._process(arguments, stdin, env)
        if done.returncode:
            raise GitFailed(done.stderr.decode("utf-8", "replace").strip())
        return done.stdout

    def succeeds(self, *arguments: str) -> bool:
        """Whether git ends without an error."""
        return self._process(arguments, b"", None).returncode == 0

    def _process(
        self, arguments: Sequence[str], stdin: bytes, env: Mapping[str, str] | None
    ) -> subprocess.CompletedProcess[bytes]:
        clean = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
        return subprocess.run(
            ["git", "-C", str(self.path), *arguments],
            input=stdin,
            capture_output=True,
            check=False,
            timeout=_TIMEOUT_SECONDS,
            env={**clean, **_QUIET, **(env or {})},
        )

    def resolve(self, name: str) -> str | None:
        """The commit that a name means; None where it means none."""
        if name.startswith("-"):
            return None
        if _SHA.fullmatch(name) and name in self._commits:
            return name
        done = self._process(("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"), b"", None)
        return done.stdout.decode().strip() if done.returncode == 0 else None

    def ref(self, name: str) -> str | None:
        """What a full ref points at; None where there is none."""
        done = self._process(("rev-parse", "--verify", "--quiet", name), b"", None)
        return done.stdout.decode().strip() if done.returncode == 0 else None

    def branch(self, name: str) -> str | None:
        """The commit of a branch; None where there is none."""
        return self.ref(f"refs/heads/{name}")

    def refs(self, prefix: str = "refs/heads/") -> dict[str, str]:
        """Every ref under a prefix with what it points at."""
        lines = self.run("for-each-ref", "--format=%(refname) %(objectname)", prefix)
        return dict(line.split(" ", 1) for line in lines.decode().splitlines())

    def move(self, ref: str, new: str | None, old: str | None) -> bool:
        """Compare-and-swap of a ref, None being its absence; False where it was elsewhere."""
        if new is None:
            return self.succeeds("update-ref", "-d", ref, old or ZERO)
        return self.succeeds("update-ref", ref, new, old or ZERO)

    def set(self, ref: str, new: str) -> None:
        """Move a ref of our own, whatever it pointed at."""
        self.run("update-ref", ref, new)

    def is_ancestor(self, old: str, new: str) -> bool:
        """Whether one commit is reached from another."""
        return self._once(
            ("ancestor", old, new),
            lambda: self.succeeds("merge-base", "--is-ancestor", old, new),
        )

    def _once(self, key: tuple[str, ...], ask: Callable[[], Result]) -> Result:
        """Ask git, or remember its answer where only full ids of commits are asked about."""
        if not all(_SHA.fullmatch(one) for one in key[1:]):
            return ask()
        if key not in self._known:
            self._known[key] = ask()
        found: Result = self._known[key]
        return found

    def merge_base(self, one: str, other: str) -> str | None:
        """The best common ancestor; None where there is none."""

        def ask() -> str | None:
            done = self._process(("merge-base", one, other), b"", None)
            return done.stdout.decode().split("\n")[0] if done.returncode == 0 else None

        return self._once(("base", one, other), ask)

    def between(self, base: str, head: str, most: int) -> list[str]:
        """Commits that head adds to base, the oldest first."""

        def ask() -> list[str]:
            lines = self.run("rev-list", "--topo-order", "--reverse", f"{base}..{head}")
            return lines.decode().split()

        return self._once(("between", base, head), ask)[:most]

    def first_parents(self, base: str, head: str) -> list[str]:
        """The first-parent line that head adds to base, the oldest first."""
        return (
            self.run("rev-list", "--first-parent", "--reverse", f"{base}..{head}").decode().split()
        )

    def count_between(self, base: str, head: str) -> int:
        """How many commits head adds to base."""
        return len(self.between(base, head, sys.maxsize))

    def log(self, start: str, most: int, path: str = "") -> list[str]:
        """Commits from one on, the newest first."""
        limit = ("--", path) if path else ()
        return self.run("rev-list", f"--max-count={most}", start, *limit).decode().split()

    def commit(self, sha: str) -> CommitObject:
        """One commit by its full id."""
        known = self._commits.get(sha)
        if known is None:
            known = parse_commit(sha, self.run("cat-file", "commit", sha))
            self._commits[sha] = known
        return known

    def write_commit(
        self,
        tree: str,
        parents: Sequence[str],
        author: Person,
        committer: Person,
        message: str,
        *,
        signed: bool,
    ) -> str:
        """Write a commit; signed as GitHub signs what it makes itself."""
        head = [f"tree {tree}", *(f"parent {one}" for one in parents)]
        head += [f"author {author.line()}", f"committer {committer.line()}"]
        body = f"\n\n{message}" if message.endswith("\n") else f"\n\n{message}\n"
        whole = "\n".join(head) + body
        if signed:
            folded = sign(whole).rstrip("\n").replace("\n", "\n ")
            whole = "\n".join((*head, f"gpgsig {folded}")) + body
        made = self.run("hash-object", "-t", "commit", "-w", "--stdin", stdin=whole.encode())
        return made.decode().strip()

    def read(self, commit: str, path: str) -> bytes | None:
        """A file at a commit; None where there is none."""
        done = self._process(("cat-file", "blob", f"{commit}:{path}"), b"", None)
        return done.stdout if done.returncode == 0 else None

    def listing(self, commit: str, path: str = "") -> list[tuple[str, str, str, str]]:
        """Entries of a folder at a commit: mode, kind, id and name."""
        lines = self.run("ls-tree", "-z", f"{commit}:{path}").decode()
        return [
            (*entry.split("\t", 1)[0].split(" "), entry.split("\t", 1)[1])  # type: ignore[misc]
            for entry in lines.split("\0")
            if entry
        ]

    def tree_with(
        self, base: str | None, additions: Mapping[str, bytes], deletions: Sequence[str]
    ) -> str:
        """The tree of a commit with some files written and others gone.

        Raises:
            GitFailed: a path cannot be written, such as one below a file.
        """
        with tempfile.TemporaryDirectory() as folder:
            index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            self.run("read-tree", *((base,) if base else ("--empty",)), env=index)
            modes = self._modes(base, list(additions))
            lines = [f"0 {ZERO}\t{path}" for path in deletions]
            for path, content in additions.items():
                blob = self.run("hash-object", "-w", "--stdin", stdin=content).decode().strip()
                lines.append(f"{modes.get(path, '100644')} {blob}\t{path}")
            entries = "".join(f"{line}\0" for line in lines).encode()
            self.run("update-index", "-z", "--index-info", stdin=entries, env=index)
            return self.run("write-tree", env=index).decode().strip()

    def _modes(self, base: str | None, paths: Sequence[str]) -> dict[str, str]:
        if not base or not paths:
            return {}
        lines = self.run("ls-tree", "-z", base, "--", *paths).decode().split("\0")
        found = {line.split("\t", 1)[1]: line.split(" ", 1)[0] for line in lines if line}
        return {path: mode for path, mode in found.items() if mode.startswith("100")}

    def merge_tree(self, ours: str, theirs: str) -> str | None:
        """The tree of a merge; None where there is a conflict."""
        done = self._process(("merge-tree", "--write-tree", ours, theirs), b"", None)
        if done.returncode > 1:
            raise GitFailed(done.stderr.decode("utf-8", "replace"))
        return done.stdout.decode().split("\n")[0] if done.returncode == 0 else None

    def rebase(self, base: str, head: str, committer: Person) -> str | None:
        """Play the commits of head again on base; the new head, None where there is a conflict."""
        author = {"GIT_COMMITTER_NAME": committer.name, "GIT_COMMITTER_EMAIL": committer.email}
        with tempfile.TemporaryDirectory() as folder:
            work = str(Path(folder) / "work")
            self.run("worktree", "add", "--quiet", "--detach", work, base)
            try:
                inside = Git(Path(work))
                picked = self.between(base, head, 10_000)
                for commit in picked:
                    try:
                        inside.run("cherry-pick", "--allow-empty", commit, env=author)
                    except GitFailed:
                        return None
                return inside.resolve("HEAD")
            finally:
                self.run("worktree", "remove", "--force", work)

    def changes(self, base: str, head: str) -> list[FileChange]:
        """What differs between two commits, by path, renames found."""
        return list(self._once(("changes", base, head), lambda: self._changes(base, head)))

    def _changes(self, base: str, head: str) -> list[FileChange]:
        raw = self.run("diff", "--raw", "-z", "-M", "--no-abbrev", base, head).decode()
        numbers = self.run("diff", "--numstat", "-z", "-M", base, head).decode()
        counts = read_counts(numbers)
        fields = iter(raw.split("\0"))
        found = []
        for head_of in fields:
            if not head_of:
                break
            *_, old_sha, new_sha, letter = head_of[1:].split(" ")
            path = next(fields)
            previous = None
            if letter[0] in "RC":
                previous, path = path, next(fields)
            added, removed = counts.get(path, (0, 0))
            sha = old_sha if letter == "D" else new_sha
            found.append(FileChange(path, letter[0], previous, sha, added, removed))
        return sorted(found, key=lambda change: change.path)

    def bring(self, other: Path, source: str, ref: str) -> None:
        """Fetch a commit or ref of another repository on this machine into a ref of ours."""
        allow = ("-c", "uploadpack.allowAnySHA1InWant=true")
        self.run(*allow, "fetch", "--quiet", "--no-tags", str(other), f"+{source}:{ref}")
