"""A small client for the tests of the loopback GitHub, over HTTP and git as anybody uses it."""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import requests

from tests.forge.server import ForgeServer

NAME: Final = "octo-owner/invest"
_QUIET: Final = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
WORKFLOW: Final = """\
name: validate
run-name: "validate #${{ inputs.pull_request }}"
on:
  workflow_dispatch:
    inputs:
      pull_request: {required: true, type: string}
jobs: {}
"""


@dataclass(frozen=True)
class Api:
    """The REST API of one repository, as one account."""

    url: str
    token: str | None
    name: str = NAME

    def send(
        self, method: str, path: str, content: object = None, *, timeout: float = 20
    ) -> requests.Response:
        """Send one request; a path without a slash before it is below the repository."""
        whole = path if path.startswith("/") else f"/repos/{self.name}/{path}".rstrip("/")
        headers = {} if self.token is None else {"Authorization": f"token {self.token}"}
        return requests.request(
            method, self.url + whole, json=content, headers=headers, timeout=timeout
        )

    def ok(self, method: str, path: str, content: object = None) -> Any:
        """Send one request that has to be accepted; its JSON."""
        answer = self.send(method, path, content)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def get(self, path: str) -> Any:
        """Read something that is there."""
        return self.ok("GET", path)

    def graphql(self, query: str, variables: Mapping[str, object]) -> Any:
        """Send one query; the whole answer."""
        return self.ok("POST", "/graphql", {"query": query, "variables": variables})

    def commit(self, branch: str, expected: str, **changes: Any) -> Any:
        """`createCommitOnBranch`; the whole answer."""
        given = {
            "branch": {"repositoryNameWithOwner": self.name, "branchName": branch},
            "expectedHeadOid": expected,
            "message": changes.get("message", {"headline": "Validate plan"}),
            "fileChanges": {
                "additions": [
                    {"path": path, "contents": base64.b64encode(content.encode()).decode()}
                    for path, content in changes.get("additions", {}).items()
                ],
                "deletions": [{"path": path} for path in changes.get("deletions", [])],
            },
        }
        query = (
            "mutation Q($input: CreateCommitOnBranchInput!) "
            "{ createCommitOnBranch(input: $input) { commit { oid url } } }"
        )
        return self.graphql(query, {"input": given})


class Clone:
    """A work tree that is cloned over HTTP and pushes with a token."""

    def __init__(self, url: str, path: Path, token: str | None, account: tuple[str, str]) -> None:
        """Clone, or begin where there is nothing yet."""
        self.path = path
        self._token = token
        self._account = account
        self.git("clone", "--quiet", url, str(path), where=path.parent)

    def git(self, *arguments: str, where: Path | None = None, check: bool = True) -> str:
        """Run git; what it prints, errors too."""
        name, email = self._account
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("GIT_")},
            **_QUIET,
            "GIT_AUTHOR_NAME": name,
            "GIT_AUTHOR_EMAIL": email,
            "GIT_COMMITTER_NAME": name,
            "GIT_COMMITTER_EMAIL": email,
        }
        if self._token is not None:
            login = base64.b64encode(f"x-access-token:{self._token}".encode()).decode()
            environment |= {
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": "http.extraheader",
                "GIT_CONFIG_VALUE_0": f"Authorization: basic {login}",
            }
        done = subprocess.run(
            ["git", *arguments],
            cwd=where or self.path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        printed = done.stdout + done.stderr
        assert not check or done.returncode == 0, f"git {' '.join(arguments)}: {printed}"
        return printed.strip()

    def write(self, files: Mapping[str, str], message: str = "a change") -> str:
        """Commit some files; the commit."""
        for name, content in files.items():
            target = self.path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD")

    def push(self, *arguments: str, check: bool = True) -> str:
        """Push to where it was cloned from."""
        return self.git("push", "origin", *arguments, check=check)


@dataclass(frozen=True)
class Rig:
    """A server with a first commit on main, and everybody's API."""

    server: ForgeServer
    folder: Path

    def api(self, who: str) -> Api:
        """The API as one of the first accounts: owner, writer, reader, stranger, app, actions."""
        return Api(self.server.url, f"{who}-token")

    @property
    def owner(self) -> Api:
        """The repository's owner."""
        return self.api("owner")

    @property
    def actions(self) -> Api:
        """A workflow's own token."""
        return self.api("actions")

    @property
    def main(self) -> str:
        """The commit that main is at."""
        return str(self.owner.get("git/ref/heads/main")["object"]["sha"])

    def clone(self, who: str, name: str = NAME) -> Clone:
        """A fresh clone as one of the first accounts."""
        token = next(
            one for one in self.server.state.tokens.values() if one.value == f"{who}-token"
        )
        account = (token.account.name or token.account.login, token.account.email)
        number = len(list(self.folder.glob("clone-*")))
        path = self.folder / f"clone-{number}"
        return Clone(self.server.git_url(name), path, token.value, account)

    def pull(
        self,
        files: Mapping[str, str],
        *,
        branch: str = "plan",
        who: str = "writer",
        title: str = "BUY 1",
    ) -> Any:
        """Push a branch with one commit and open a pull request for it."""
        self.push(files, branch=branch, who=who)
        return self.api(who).ok("POST", "pulls", {"title": title, "head": branch, "base": "main"})

    def push(
        self, files: Mapping[str, str | None], *, branch: str, who: str = "writer", **more: str
    ) -> str:
        """Commit and push without a clone (None: the file goes); the commit."""
        wanted = {"token": f"{who}-token", "branch": branch, "files": files, **more}
        return str(self.owner.ok("POST", f"/sim/repos/{NAME}/pushes", wanted)["sha"])

    def mark(self, commit: str, *contexts: str, who: str = "actions") -> None:
        """Set statuses to success."""
        for context in contexts:
            self.api(who).ok("POST", f"statuses/{commit}", {"state": "success", "context": context})

    def events(self, name: str = "", *, after: int = 0) -> list[Any]:
        """What could have started a workflow, of one kind."""
        found = self.owner.get(f"/sim/events?after={after}")
        return [one for one in found if not name or one["event"] == name]
