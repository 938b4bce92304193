"""Our commands as a runner of GitHub Actions runs them: real workflow files, the loopback GitHub.

Mode is sim, so the exchange lives in each run's own process and git is its only state. Time is the
story's, for commands, people and GitHub alike.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from executor.model.digest import plan_digest
from executor.model.fields import parse_timestamp, timestamp_text
from executor.model.forge import MARKS, digest_words
from executor.model.plan import PLAN_PATH
from executor.model.reading import read_document
from executor.model.writing import write_document
from tests.forge.faults import Fault
from tests.forge.server import ForgeServer
from tests.forge.state import State
from tests.scratch import IMPATIENT, NOW, Answer, Repository, autoinvestor, shipped

ROOT: Final = Path(__file__).parents[2]
NAME: Final = "octo-owner/invest"
WORKFLOWS: Final = ROOT / ".github" / "workflows"
OWNER: Final = {"id": 1001, "login": "octo-owner", "type": "User"}
STRANGER: Final = {"id": 1004, "login": "octo-stranger", "type": "User"}
TRIAGE: Final = {"id": 1005, "login": "octo-triage", "type": "User"}
ACTIONS: Final = {"id": 41898282, "login": "github-actions[bot]", "type": "Bot"}


class Hub:
    """What happens, one sentence a line."""

    def __init__(self, server: ForgeServer, folder: Path, clone: Repository) -> None:
        """Use what is there."""
        self.server = server
        self.folder = folder
        self.clone = clone
        self.now = parse_timestamp(NOW)
        self.summary = folder / "summary.md"
        self.follows: Callable[[str], None] | None = None
        """An exchange outside, whose time is set with ours."""
        self._branches = 0
        self.comes(NOW)

    # Time.

    def comes(self, moment: str | datetime) -> None:
        """Let time pass until a moment."""
        self.now = parse_timestamp(moment) if isinstance(moment, str) else moment
        self.server.call(lambda state: state.clock.set(self.now))
        if self.follows is not None:
            self.follows(timestamp_text(self.now))

    def passes(self, **time: float) -> None:
        """Let some time pass."""
        self.comes(self.now + timedelta(**time))

    # What runs.

    def run(self, verb: str, *arguments: str) -> Answer:
        """Run a command in the runner's clone, in the story's present; a minute passes first."""
        self.passes(minutes=1)
        story = () if verb == "propose" else ("--now", timestamp_text(self.now))
        return autoinvestor(verb, "--repo", str(self.clone.folder), *story, *arguments)

    def ticks(self, *arguments: str) -> list[str]:
        """Tick; what was started."""
        answer = self.run("tick", "--json", *arguments)
        assert answer.code == 0, answer.text
        return [one["title"] for one in answer.data["started"]]

    def asks(self, verb: str, event: Mapping[str, Any]) -> Answer:
        """Run a command on an event's payload."""
        path = self.folder / "event.json"
        path.write_text(json.dumps(event))
        return self.run(verb, "--event", str(path))

    # GitHub.

    def api(self, method: str, path: str, content: object = None, who: str = "owner") -> Any:
        """What somebody does on GitHub."""
        import requests

        answer = requests.request(
            method,
            f"{self.server.url}/repos/{NAME}/{path}",
            json=content,
            headers={"Authorization": f"token {who}-token"},
            timeout=20,
        )
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def proposes(self, tree: Mapping[str, Any] | bytes, who: str = "actions", **keys: Any) -> int:
        """Open a pull request that adds a plan; its number."""
        self._branches += 1
        branch = f"plan/{self._branches}"
        main = self.api("GET", "git/ref/heads/main")["object"]["sha"]
        self.api("POST", "git/refs", {"ref": f"refs/heads/{branch}", "sha": main}, who)
        data = tree if isinstance(tree, bytes) else write_document(tree)
        self._commit(branch, main, keys.get("path", PLAN_PATH), data, who)
        pull = {"title": "BUY 1", "head": branch, "base": "main"}
        number = int(self.api("POST", "pulls", pull, who)["number"])
        if "labels" in keys:
            self.api("POST", f"issues/{number}/labels", {"labels": keys["labels"]}, who)
        return number

    def _commit(self, branch: str, expected: str, path: str, data: bytes, who: str) -> None:
        import requests

        given = {
            "branch": {"repositoryNameWithOwner": NAME, "branchName": branch},
            "expectedHeadOid": expected,
            "message": {"headline": "Propose a plan"},
            "fileChanges": {
                "additions": [{"path": path, "contents": base64.b64encode(data).decode()}]
            },
        }
        query = (
            "mutation ($input: CreateCommitOnBranchInput!)"
            " { createCommitOnBranch(input: $input) { commit { oid } } }"
        )
        answer = requests.post(
            f"{self.server.url}/graphql",
            json={"query": query, "variables": {"input": given}},
            headers={"Authorization": f"token {who}-token"},
            timeout=20,
        ).json()
        assert "errors" not in answer, answer

    def judged(self, number: int, *contexts: str) -> None:
        """Post the validator's green statuses to a head."""
        head = self.api("GET", f"pulls/{number}")["head"]["sha"]
        digest = plan_digest(read_document(self._plan_at(head)))
        for one in contexts or MARKS:
            description = digest_words(digest) if one == "plan/schema" else "all well"
            mark = {"state": "success", "context": one, "description": description}
            self.api("POST", f"statuses/{head}", mark, "actions")

    def _plan_at(self, head: str) -> bytes:
        bare = self.server.call(_bare)
        return Repository(bare).git("cat-file", "blob", f"{head}:{PLAN_PATH}").encode()

    def merges(self, number: int) -> None:
        """Merge a pull request, as its approver does."""
        self.passes(minutes=1)
        self.api("PUT", f"pulls/{number}/merge", {"merge_method": "merge"})

    def closes(self, number: int, reason: str = "", who: str = "owner") -> None:
        """Close a pull request without a merge."""
        self.passes(minutes=1)
        if reason:
            self.api("POST", f"issues/{number}/comments", {"body": reason}, who)
        self.api("PATCH", f"pulls/{number}", {"state": "closed"}, who)

    def comments(self, number: int) -> list[str]:
        """What was said about a pull request or an issue."""
        return [one["body"] for one in self.api("GET", f"issues/{number}/comments")]

    def issues(self) -> list[Any]:
        """Open issues for a person."""
        return list(self.api("GET", "issues?labels=needs-person&state=open"))

    def marks(self, number: int, context: str = "plan/result") -> list[str]:
        """Descriptions of a context's statuses on a pull request's head, the newest first."""
        head = self.api("GET", f"pulls/{number}")["head"]["sha"]
        found = self.api("GET", f"commits/{head}/statuses?per_page=100")
        return [one["description"] for one in found if one["context"] == context]

    def dispatched(self) -> list[tuple[str, dict[str, Any]]]:
        """Every dispatch so far: workflow file and inputs."""

        def ask(state: State) -> list[tuple[str, dict[str, Any]]]:
            found = state.repository(NAME)
            assert found is not None
            return [(one.workflow, dict(one.inputs)) for one in found.dispatches]

        return self.server.call(ask)

    def runs_end(self, conclusion: str = "success") -> None:
        """Let every run that was dispatched end."""

        def end(state: State) -> None:
            found = state.repository(NAME)
            assert found is not None
            for one in found.runs:
                if one.status != "completed":
                    one.status, one.conclusion = "completed", conclusion

        self.server.call(end)

    def was_asked(self, since: int = 0) -> list[tuple[str, str]]:
        """Requests to the API, by method and path, from a number on."""
        return [
            (one[0], one[1])
            for one in self.server.forge.log[since:]
            if "git-upload-pack" not in one[1] and "info/refs" not in one[1]
        ]

    def fails(self, kind: str, match: Mapping[str, str], **keys: Any) -> None:
        """Let GitHub fail at a request."""
        fault = Fault(kind, dict(match), **keys)
        self.server.call(lambda _: self.server.forge.faults.add(fault))

    def heals(self) -> None:
        """Let it fail no more."""
        self.server.call(lambda _: self.server.forge.faults.clear())

    def audited(self) -> Answer:
        """The record on GitHub holds; what the audit says, as data."""
        self.clone.git("fetch", "--quiet", "origin", "main")
        where = ("--repo", str(self.clone.folder), "--ref", "origin/main")
        answer = autoinvestor("audit", *where, "--json")
        assert answer.code == 0, answer.text
        return answer

    @property
    def main(self) -> Repository:
        """The repository on GitHub, to be looked at."""
        return Repository(self.server.call(_bare))


def _bare(state: State) -> Path:
    found = state.repository(NAME)
    assert found is not None
    return found.git.path


@contextmanager
def hub(folder: Path, patch: pytest.MonkeyPatch, *settings: tuple[str, str]) -> Iterator[Hub]:
    """A repository on GitHub with our workflows, in mode sim unless told otherwise."""
    named = ('repository = "local"', f'repository = "{NAME}"')
    first = Repository.founded(folder / "first", shipped(named, *IMPATIENT, *settings))
    first.commit(
        {f".github/workflows/{one.name}": one.read_bytes() for one in WORKFLOWS.glob("*.yml")},
        "2026-01-14T12:30:00Z",
    )
    bare = folder / "bare.git"
    first.with_remote(bare)
    with ForgeServer(folder / "forge", path=bare) as server:
        server.call(_arrange)
        clone = folder / "runner"
        first.git("clone", "--quiet", server.git_url(), str(clone))
        for name, value in {
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": server.url,
            "GITHUB_SERVER_URL": server.url,
            "GITHUB_REPOSITORY": NAME,
            "GITHUB_TOKEN": "actions-token",
            "GITHUB_RUN_ID": "4711",
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
        }.items():
            patch.setenv(name, value)
        for name in ("ALPACA_API_KEY", "ALPACA_SECRET_KEY", "AUTOINVESTOR_EXCHANGE_URL"):
            patch.delenv(name, raising=False)
        yield Hub(server, folder, Repository(clone))


def _arrange(state: State) -> None:
    """What `setup` does that matters here: the bot may open pull requests."""
    found = state.repository(NAME)
    assert found is not None
    found.workflow_permissions["can_approve_pull_request_reviews"] = True
