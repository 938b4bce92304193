"""The git program: one call at a time, quiet, never asking a person anything."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from executor.errors import BookUnavailable, UsageError

PLAIN: Final = {
    "log.showSignature": "false",
    "i18n.logOutputEncoding": "UTF-8",
    "i18n.commitEncoding": "UTF-8",
    "grep.patternType": "basic",
    "trailer.separators": ":",
    "commit.gpgSign": "false",
}
"""A person's own settings must not change what git answers us."""

TIMEOUT_SECONDS: Final = 120
"""A git call that takes longer, such as a push to a remote that stalls, has failed."""

IDENTITY: Final = {"NAME": "AutoInvestor", "EMAIL": "autoinvestor@localhost"}
"""Who the executor's own commits are by; a person's commits keep that person's name."""

_REASONS: Final = ("fatal:", "error:", "remote:", "! ")
"""How the lines start in which git says why."""


class GitFailed(BookUnavailable):
    """A git call ended with an error."""

    def __init__(self, arguments: Sequence[str], code: int, stderr: bytes) -> None:
        """Keep the first line that says what is wrong; credentials never stand in it."""
        self.code = code
        self.stderr = stderr.decode("utf-8", "replace").strip()
        lines = [line.strip() for line in self.stderr.splitlines() if line.strip()]
        # A push that is refused names the remote first.
        reasons = [line for line in lines if line.startswith(_REASONS)]
        said = next(iter(reasons or lines), f"exit code {code}")
        super().__init__(f"git {arguments[0]}: {said}; mend that and run again")


def create_repository(folder: Path) -> None:
    """Make a repository with a branch named main.

    Raises:
        BookUnavailable: git refused.
    """
    done = subprocess.run(
        ["git", "init", "--quiet", "--initial-branch=main", str(folder)],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise GitFailed(("init",), done.returncode, done.stderr)


class Git:
    """The git program in one repository."""

    def __init__(self, folder: Path) -> None:
        """Use the repository that holds a folder.

        Raises:
            UsageError: there is no git program, no such folder, or no repository.
        """
        self._environment = {
            **os.environ,
            "GIT_TERMINAL_PROMPT": "0",
            "LC_ALL": "C",
            "GIT_OPTIONAL_LOCKS": "0",
            # A replaced commit would show a history that is not the one that others have.
            "GIT_NO_REPLACE_OBJECTS": "1",
        }
        self._environment |= _with_settings(self._environment, PLAIN)
        # A hook that calls us hands down variables that would turn our calls to its repository.
        for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
            self._environment.pop(name, None)
        self._folder = folder
        if not folder.is_dir():
            raise UsageError(f"{folder}: no such folder; name one with --repo DIR")
        try:
            # Where git says `safe.directory`, its own sentence is the better remedy.
            found = self.run(
                "rev-parse",
                "--path-format=absolute",
                "--show-toplevel",
                "--git-common-dir",
                "--is-shallow-repository",
            )
        except GitFailed as error:
            raise UsageError(
                f"{folder}: not usable as a git repository ({error.stderr.splitlines()[0]});"
                " run `git init -b main` there, or name another with --repo DIR"
            ) from None
        top, git_folder, is_shallow = found.decode().splitlines()
        if is_shallow == "true":
            # Approvals, intents and the chain are read from the whole history.
            raise UsageError(f"{folder}: a shallow clone; run `git fetch --unshallow` there first")
        self._folder = Path(top)
        self.git_folder = Path(git_folder)

    @property
    def top(self) -> Path:
        """The work tree."""
        return self._folder

    def run(
        self,
        *arguments: str,
        stdin: bytes | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> bytes:
        """Run one git command and return what it printed.

        Raises:
            GitFailed: it ended with an error.
            BookUnavailable: it did not end in time.
        """
        try:
            done = subprocess.run(
                ["git", *arguments],
                cwd=self._folder,
                env={**self._environment, **(environment or {})},
                input=stdin,
                stdin=subprocess.DEVNULL if stdin is None else None,
                capture_output=True,
                timeout=TIMEOUT_SECONDS,
                check=False,
            )
        except FileNotFoundError:
            raise UsageError("the git program is not installed; install git") from None
        except subprocess.TimeoutExpired:
            raise BookUnavailable(
                f"git {arguments[0]}: no answer within {TIMEOUT_SECONDS} s; run again"
            ) from None
        if done.returncode:
            raise GitFailed(arguments, done.returncode, done.stderr)
        return done.stdout

    def settings(self, added: Mapping[str, str]) -> dict[str, str]:
        """Further settings for one call, as its `environment`: no other process sees them."""
        return _with_settings(self._environment, added)

    def text(self, *arguments: str) -> str:
        """Run one git command and return its output as text, stripped."""
        return self.run(*arguments).decode("utf-8", "replace").strip()

    def open_batch(self) -> ObjectReader:
        """Start a process that reads many objects."""
        return ObjectReader(self.open_process("cat-file", "--batch"))

    def open_process(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a git command that is written to and read from."""
        return subprocess.Popen(
            ["git", *arguments],
            cwd=self._folder,
            env=dict(self._environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )


def _with_settings(environment: Mapping[str, str], settings: Mapping[str, str]) -> dict[str, str]:
    """Settings as variables, after those that the environment brings already."""
    given = environment.get("GIT_CONFIG_COUNT", "0")
    first = int(given) if given.isdecimal() else 0
    added = {"GIT_CONFIG_COUNT": str(first + len(settings))}
    for number, (key, value) in enumerate(settings.items(), first):
        added |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return added


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a folder."""

    mode: str
    """Git's mode: `100644` is a file, `40000` a folder."""
    object_id: str


class ObjectReader:
    """`git cat-file --batch`: one process for any number of objects."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        """Read from a process that was started."""
        self._process = process

    def read(self, name: str) -> bytes | None:
        """A blob by its id or as `commit:path`; None where there is none."""
        found = self._object(name)
        return found[1] if found is not None and found[0] == b"blob" else None

    def tree(self, name: str) -> dict[str, Entry] | None:
        """The entries of a folder, named as `commit:path`; None where there is no such folder."""
        found = self._object(name)
        if found is None or found[0] != b"tree":
            return None
        _, data, digits = found
        entries, at = {}, 0
        while at < len(data):
            end = data.index(b"\0", at)
            mode, _, file = data[at:end].partition(b" ")
            at = end + 1 + digits // 2
            name = file.decode("utf-8", "surrogateescape")
            entries[name] = Entry(mode.decode(), data[end + 1 : at].hex())
        return entries

    def _object(self, name: str) -> tuple[bytes, bytes, int] | None:
        """Kind and content of an object, and how many digits an id has."""
        assert "\n" not in name, "a name is one line"
        sent, received = self._pipes()
        try:
            sent.write(name.encode() + b"\n")
            sent.flush()
            header = received.readline()
        except OSError:
            header = b""
        if not header:
            raise BookUnavailable("git cat-file ended early; run again")
        fields = header.split()
        if fields[-1] in (b"missing", b"ambiguous"):
            return None
        data = received.read(int(fields[-1]))
        received.read(1)
        return fields[-2], data, len(fields[-3])

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        sent, received = self._process.stdin, self._process.stdout
        assert sent is not None, "it was opened as a pipe"
        assert received is not None, "it was opened as a pipe"
        return sent, received

    def close(self) -> None:
        """End the process."""
        sent, received = self._pipes()
        sent.close()
        received.close()
        self._process.wait(timeout=TIMEOUT_SECONDS)
