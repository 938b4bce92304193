"""The book on GitHub: read from the clone, moved by commits that GitHub makes and signs.

The clone is a runner's own: nobody works in it, so its branch and work tree stay as they were.
"""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from executor.decisions import commit_rights
from executor.errors import BookUnavailable, ForgeRefused, ForgeUnavailable, SwapLost
from executor.ports import Book, Change, Clock, CommitInfo, Forge
from executor.repo.git import GitFailed
from executor.repo.local_book import REMOTE, REMOTE_MAIN, LocalBook

LOOKS: Final = 5
"""How often main is fetched until it holds what GitHub has told us, before it counts as lagging."""

LOOK_SECONDS: Final = 1
"""Seconds before the second look; each further one waits twice as long: 15 s in all."""

WEB_FLOW: Final = 19864447
"""Account id of `web-flow`, the committer of what GitHub itself signs."""

Guard = Callable[[Change, Callable[[str], bool]], None]


def guard(change: Change, is_there: Callable[[str], bool]) -> None:
    """Hold a commit to the paths that its step may touch; anything else is our mistake."""
    problem = commit_rights.breach(change.trailers, change.writes, change.deletes, is_there)
    assert problem is None, f"{change.subject}: {problem}"


def header_for(server: str, token: str) -> Mapping[str, str]:
    """The setting by which git shows a token to one server and to no other."""
    shown = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    return {f"http.{server.rstrip('/')}/.extraheader": f"AUTHORIZATION: basic {shown}"}


class GitHubBook(LocalBook):
    """The `Book` port over a clone and the API."""

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        forge: Forge,
        *,
        bot: Callable[[Book, str], int],
        secrets: Mapping[str, str] | None = None,
        keep: Path | None = None,
        guard: Guard = guard,
    ) -> None:
        """Open the clone that holds a folder.

        Args:
            folder: in the work tree.
            clock: waits between two looks at a main that lags.
            forge: makes the commits.
            bot: the account id by whose hand our commits are, as main says at a commit.
            secrets: settings of git's that only a fetch is given.
            keep: where the files of each commit are written before it is made, so that they outlive
                a repository that cannot be reached.
            guard: what is asserted of each change before it leaves.
        """
        super().__init__(folder, clock)
        self._forge = forge
        self._bot = bot
        self._secrets = secrets or {}
        self._keep = keep
        self._guard = guard
        self._seen: str | None = None
        self._vouched: dict[str, bool] = {}

    def tidy(self) -> None:
        """There is no work tree of anybody's to bring along."""

    def head(self) -> str:
        """The commit that main is at now, never older than what this run has seen or made.

        Raises:
            BookUnavailable: GitHub does not answer, or lags behind itself.
        """
        return self._seen_through(self._seen)

    def _seen_through(self, known: str | None) -> str:
        """Fetch main until it holds a commit that it has to hold."""
        for look in range(LOOKS):
            if look:
                self._clock.sleep(LOOK_SECONDS * 2 ** (look - 1))
            main = self._remote_main()
            # A main that somebody has moved by force is not behind: it is another one.
            if known is None or main == known or not self._is_behind(main, known):
                self._seen = main
                return main
        raise BookUnavailable(
            "GitHub, fetch of main: lies behind what GitHub told before; run again"
        )

    def _is_behind(self, main: str, known: str) -> bool:
        try:
            return self._is_ancestor(main, known)
        except GitFailed:
            # The clone has no such commit yet: GitHub has made it, and its git side lags.
            return True

    def _fetch(self, *what: str) -> None:
        *options, ref = what
        environment = self._git.settings(self._secrets)
        self._git.run("fetch", "--quiet", *options, REMOTE, ref, environment=environment)

    def resolve(self, name: str) -> str:
        """The commit that a name means; main is GitHub's."""
        return super().resolve(REMOTE_MAIN if name == "main" else name)

    def vouches(self, commit: str) -> bool:
        """True where GitHub itself signed the commit, made by the account that makes ours.

        The signature alone says too little: whoever signs a commit may write any author into it.
        """
        if commit not in self._vouched:
            self._vouched[commit] = self._is_vouched(commit)
        return self._vouched[commit]

    def _is_vouched(self, commit: str) -> bool:
        made = self._log("-1", commit)[0]
        if not made.parents:
            return False
        try:
            found = self._forge.signature(commit)
            if found is None:
                # What was fetched from GitHub is there: its API lags, and that is no word against.
                raise ForgeUnavailable(f"GitHub, commits/{commit}: not known there yet; run again")
            by = found.author.id if found.author else None
            through = found.committer.id if found.committer else None
            # The settings before it: no commit may say itself whose hand counts.
            if (
                not found.is_verified
                or through != WEB_FLOW
                or by != self._bot(self, made.parents[0])
            ):
                return False
            # Squashed by a person, a pull request of the bot's is a commit of the bot's as well.
            pulls = self._forge.pull_requests_of(commit)
        except ForgeUnavailable as error:
            raise BookUnavailable(str(error)) from None
        return all(one.merge_commit != commit for one in pulls)

    def commit(self, change: Change, expected: str) -> str:
        """Commit on top of `expected` and move main to it, in one request."""
        self._guard(change, lambda path: self._is_there(f"{expected}:{path}"))
        self._keep_files(change)
        try:
            new = self._forge.commit_on("main", change, expected)
        except SwapLost:
            self._seen_through(self._seen)
            raise
        except ForgeRefused:
            # Whatever the words: on a main that has moved it could not have been made.
            if self._seen_through(self._seen) != expected:
                raise SwapLost("main moved meanwhile; run again") from None
            raise
        except ForgeUnavailable as error:
            new = self._settled(change, expected, error)
        self._seen_through(new)
        return new

    def _is_there(self, name: str) -> bool:
        """True for a file, and for a folder that stands where a file has to be."""
        return self._objects.read(name) is not None or self._objects.tree(name) is not None

    def _settled(self, change: Change, expected: str, error: ForgeUnavailable) -> str:
        """What became of a commit whose answer was lost: only main knows."""
        self._seen_through(self._seen)
        assert self._seen is not None, "it was fetched just now"
        if self._seen == expected:
            raise BookUnavailable(f"the commit may not have been made: {error}") from None
        child = self._child(expected, self._seen)
        if child is not None and self._is_ours(child, change, expected):
            return child.commit
        raise SwapLost("main moved meanwhile; run again")

    def _child(self, parent: str, main: str) -> CommitInfo | None:
        """The commit on main's first-parent line that stands right on another one."""
        if not self._is_ancestor(parent, main):
            return None
        line = self._git.text("rev-list", "--first-parent", f"{parent}..{main}").split()
        found = self._log("-1", line[-1])[0]
        return found if found.parents == (parent,) else None

    def _is_ours(self, child: CommitInfo, change: Change, parent: str) -> bool:
        """True where a commit says and does what a change of ours asked for.

        GitHub may add a trailer of its own, a sign-off where the repository wants one.
        """
        tree = self._git.text("rev-parse", "--verify", f"{child.commit}^{{tree}}")
        return (
            child.subject == change.subject
            and change.trailers.items() <= child.trailers.items()
            and tree == self._tree_of(change, parent)
        )

    def _keep_files(self, change: Change) -> None:
        if self._keep is None:
            return
        # A second copy that cannot be written must not cost the first one.
        with contextlib.suppress(OSError):
            for path, data in change.writes.items():
                file = self._keep / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(data)

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Nothing to hold: writers are kept apart by the swap, and by GitHub's `concurrency`."""
        yield
