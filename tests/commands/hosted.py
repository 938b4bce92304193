"""A template's copy on the loopback GitHub, as somebody has it who has just made it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from executor.model.forge import Proposed
from executor.ports import Change
from executor.repo.github_api import GitHubApi
from executor.repo.github_forge import GitHubForge
from tests.forge.faults import Fault
from tests.forge.server import ForgeServer
from tests.forge.state import APP_BOT, APP_ID, OWNER, WRITER, State
from tests.scratch import Answer, Repository, autoinvestor, shipped

ROOT: Final = Path(__file__).parents[2]
NAME: Final = "octo-owner/invest"
TICK: Final = (ROOT / ".github" / "workflows" / "tick.yml").read_bytes()

NAMED: Final = ('repository = "local"', f'repository = "{NAME}"')
PAPER: Final = (
    ('mode = "sim"', 'mode = "paper"'),
    ('number_ends_with = ""', 'number_ends_with = "1234"'),
)
LIVE: Final = (
    ('mode = "sim"', 'mode = "live"'),
    ('number_ends_with = ""', 'number_ends_with = "1234"'),
)
WITH_APP: Final = ("bot_id = 0", f"bot_id = {APP_BOT.id}")


class Hosted:
    """A repository on GitHub, and its owner's clone."""

    def __init__(self, server: ForgeServer, clone: Repository, patch: pytest.MonkeyPatch) -> None:
        """Use what is there."""
        self.server = server
        self.clone = clone
        self._patch = patch
        patch.setenv("GITHUB_API_URL", server.url)
        patch.setenv("GITHUB_REPOSITORY", NAME)
        patch.delenv("GITHUB_ACTIONS", raising=False)
        self.acts("owner-token")

    def acts(self, token: str) -> None:
        """From now on commands run with another token."""
        self._patch.setenv("GITHUB_TOKEN", token)

    def run(self, *arguments: str) -> Answer:
        """Run a command in the clone."""
        verb, *flags = arguments
        return autoinvestor(verb, "--repo", str(self.clone.folder), *flags)

    def data(self, *arguments: str) -> dict[str, Any]:
        """The answer of a command as data."""
        return self.run(*arguments, "--json").data

    def drifts(self, *arguments: str) -> list[str]:
        """Where the drifts are that `doctor` finds."""
        return [one["where"] for one in self.data("doctor", *arguments)["drifts"]]

    def commit(self) -> None:
        """Commit what lies in the clone, as a person does, and push it."""
        self.clone.git("add", "--all")
        self.clone.git("commit", "--quiet", "--message", "Set up")
        self.clone.git("push", "--quiet", "origin", "main")

    def arrange(self, change: Any) -> None:
        """Change the repository on GitHub, as a person does on its pages."""

        def act(state: State) -> None:
            found = state.repository(NAME)
            assert found is not None
            change(found)

        self.server.call(act)

    def api(self, token: str) -> GitHubApi:
        """The API as somebody uses it."""
        return GitHubApi(NAME, token, self.server.url)

    def forge(self, token: str) -> GitHubForge:
        """The port as somebody uses it."""
        return GitHubForge(self.api(token))

    def adding(self, path: str, data: bytes) -> Change:
        """A commit that adds a file, as the web makes it."""
        return Change(f"Create {path}", {path: data})

    def opens(self, branch: str, token: str = "owner-token") -> int:
        """Open a pull request of a branch; its number."""
        return self.forge(token).propose(Proposed("A plan", "", branch)).number

    def pushing(self, token: str) -> str:
        """The address that somebody's git pushes to."""
        return self.server.git_url(NAME).replace("://", f"://x-access-token:{token}@")

    def on_a_runner(self, token: str) -> None:
        """From now on commands run in a job, with a checkout of main and its token."""
        self.acts(token)
        for key, value in (("ACTIONS", "true"), ("RUN_ID", "17"), ("RUN_ATTEMPT", "1")):
            self._patch.setenv(f"GITHUB_{key}", value)
        self.clone.git("remote", "set-url", "origin", self.server.git_url(NAME))

    def fails(self, kind: str, match: dict[str, str], **parameters: Any) -> None:
        """Let GitHub fail once at a request."""
        fault = Fault(kind, match, parameters=parameters)
        self.server.call(lambda _: self.server.forge.faults.add(fault))

    def calls(self, *methods: str) -> list[tuple[str, str]]:
        """The requests so far, by method and path."""
        return [(one[0], one[1]) for one in self.server.forge.log if one[0] in methods]


@contextmanager
def hosted(folder: Path, patch: pytest.MonkeyPatch, *settings: tuple[str, str]) -> Iterator[Hosted]:
    """A fresh copy; its settings say what is given."""
    clone = Repository.founded(folder / "clone", shipped(*settings))
    files = {".github/workflows/tick.yml": TICK}
    for name in ("history", "approval"):
        path = f".github/rulesets/{name}.json"
        files[path] = (ROOT / path).read_bytes()
    clone.commit(files)
    bare = folder / "bare.git"
    clone.with_remote(bare)
    with ForgeServer(folder / "forge", path=bare) as server:
        made = Hosted(server, clone, patch)
        made.arrange(lambda found: found.roles.update({WRITER.id: "write"}))
        yield made


__all__ = ["APP_ID", "LIVE", "NAME", "NAMED", "OWNER", "PAPER", "WITH_APP", "Hosted", "hosted"]
