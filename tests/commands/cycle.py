"""A runner's checkout beside the loopback GitHub: our command line as a workflow runs it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from executor.model.fields import parse_timestamp
from executor.model.settings import SETTINGS_PATH
from executor.model.writing import write_document
from tests.forge.rig import NAME, Clone, Rig
from tests.forge.server import ForgeServer
from tests.scratch import NOW, Answer, autoinvestor, shipped

FOUNDED: Final = "2026-01-14T12:00:00Z"

WORKFLOW: Final = """\
name: {name}
on:
  workflow_dispatch:
    inputs:
      pull_request: {{type: string}}
      what: {{type: string}}
      proposal: {{type: string}}
jobs: {{}}
"""


@dataclass(frozen=True)
class Cycle:
    """The repository on GitHub, and one clone of it that runs our commands."""

    rig: Rig
    folder: Path
    monkeypatch: pytest.MonkeyPatch

    def runs(self, verb: str, *arguments: str, now: str = NOW) -> Answer:
        """Run a verb of ours as the workflow's bot, in the story's present."""
        self.rig.server.state.clock.set(parse_timestamp(now))
        return autoinvestor(verb, "--repo", str(self.folder), "--now", now, *arguments)

    def handed(self, tree: object, name: str = "proposal.json") -> str:
        """A document as an agent leaves it; its path."""
        path = self.rig.folder / "artifact" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(write_document(tree))
        return str(path)

    def proposes(self, tree: object, *arguments: str, now: str = NOW) -> Answer:
        """Propose a document."""
        return self.runs("propose", "--artifact", self.handed(tree), *arguments, now=now)

    def validates(self, number: int, *arguments: str, now: str = NOW) -> Answer:
        """Validate a pull request and post the answer."""
        return self.runs("validate", "--pull-request", str(number), "--post", *arguments, now=now)

    def pulls(self, state: str = "open") -> list[Any]:
        found: list[Any] = self.rig.owner.get(f"pulls?state={state}")
        return found

    def marks(self, commit: str) -> dict[str, tuple[str, str]]:
        """State and description of the newest status of each context."""
        found = self.rig.owner.get(f"commits/{commit}/statuses")
        return {one["context"]: (one["state"], one["description"]) for one in reversed(found)}

    def comments(self, number: int) -> list[str]:
        return [one["body"] for one in self.rig.owner.get(f"issues/{number}/comments")]

    def dispatched(self) -> list[tuple[str, dict[str, str]]]:
        """Workflow file and inputs of every dispatch so far."""
        found = self.rig.owner.get("/sim/dispatches")
        return [
            (Path(one["workflow"]).name, {key: text for key, text in one["inputs"].items() if text})
            for one in found
        ]

    def read(self, path: str, ref: str = "main") -> Any:
        """A document on a branch, as the server has it."""
        clone = self.rig.clone("owner")
        clone.git("fetch", "--quiet", "origin", ref)
        return json.loads(clone.git("cat-file", "blob", f"FETCH_HEAD:{path}"))

    def merge(self, number: int) -> None:
        """A person merges it."""
        self.rig.owner.ok("PUT", f"pulls/{number}/merge", {"merge_method": "merge"})


@contextlib.contextmanager
def cycle(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *changes: tuple[str, str]
) -> Iterator[Cycle]:
    """Found a repository on the loopback GitHub, with the shipped settings."""
    settings = shipped(('repository = "local"', f'repository = "{NAME}"'), *changes)
    with ForgeServer(folder / "forge") as server:
        rig = Rig(server, folder)
        server.state.clock.set(parse_timestamp(FOUNDED))
        monkeypatch.setenv("GIT_AUTHOR_DATE", FOUNDED)
        monkeypatch.setenv("GIT_COMMITTER_DATE", FOUNDED)
        owner = rig.clone("owner")
        files = {SETTINGS_PATH: settings, "README.md": "A book.\n"}
        for name in ("validate", "propose"):
            files[f".github/workflows/{name}.yml"] = WORKFLOW.format(name=name)
        owner.write(files, "Begin")
        owner.push("HEAD:main")
        allowed = {"default_workflow_permissions": "read", "can_approve_pull_request_reviews": True}
        rig.owner.ok("PUT", "actions/permissions/workflow", allowed)
        for name, value in {
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": server.url,
            "GITHUB_REPOSITORY": NAME,
            "GITHUB_TOKEN": "actions-token",
            "GITHUB_RUN_ID": "1",
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_SERVER_URL": server.url,
        }.items():
            monkeypatch.setenv(name, value)
        for name in ("ALPACA_API_KEY", "ALPACA_SECRET_KEY", "AUTOINVESTOR_EXCHANGE_URL"):
            monkeypatch.delenv(name, raising=False)
        runner = rig.clone("owner")
        yield Cycle(rig, runner.path, monkeypatch)


__all__ = ["Clone", "Cycle", "cycle"]
