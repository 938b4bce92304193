"""GitHub's part: which event starts which workflow, with which token, and what comes of it."""

from __future__ import annotations

import fnmatch
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from executor.model.forge import ACTIONS_APP
from tests.forge.actions import add_run
from tests.forge.server import ForgeServer
from tests.forge.shapes import user
from tests.forge.state import (
    ACTIONS_BOT,
    OWNER,
    Account,
    Dispatch,
    Happened,
    Repository,
    Run,
    State,
    Token,
)
from tests.workflows.acting.runner import Asked, Ran, Runner
from tests.workflows.files import Workflow

REPOSITORY: Final = "octo-owner/invest"

RUNS_MAX: Final = 30
"""Runs that one act of a person may set off before the test says that they never end."""

NOT_RUN: Final = frozenset({"ci.yml"})
"""The gate is seen to start, and not run: it would run these tests."""

DEFAULT_TYPES: Final = {"pull_request": ("opened", "synchronize", "reopened")}
"""Activity types where the file names none."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A run that came to its end."""

    workflow: str
    title: str
    ran: Ran

    @property
    def told(self) -> tuple[str, str]:
        """Its name and how it ended."""
        return self.title, self.ran.conclusion


@dataclass
class Hub:
    """Takes what the forge recorded and runs what GitHub would run, one after the other."""

    server: ForgeServer
    runner: Runner
    finished: list[Finished] = field(default_factory=list)
    started_only: list[str] = field(default_factory=list)
    """Workflows that would have started and are not run here."""
    _seen: int = 0
    _dispatched: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def settle(self, *, lose: str | None = None) -> list[Finished]:
        """Run everything that has been set off, and what that sets off; what was run.

        Args:
            lose: An event that GitHub loses: nothing is started for it.
        """
        done: list[Finished] = []
        while True:
            waiting = self._waiting(lose)
            if not waiting:
                return done
            for run, payload in waiting:
                assert len(done) < RUNS_MAX, [one.told for one in done]
                done += self._perform(run, payload)

    def tick(self) -> list[Finished]:
        """The schedule fires; what came of it, the tick's own run first."""
        payload = self.server.call(
            lambda state: {
                "schedule": "7,37 9-16 * * 1-5",
                "sender": user(state.base, _owner(state)),
            }
        )
        run = self._record("tick.yml", "schedule", OWNER, "tick")
        return [*self._perform(run, payload), *self.settle()]

    def logs(self) -> str:
        """Everything that was run, for a test that failed."""
        return "\n\n".join(
            f"=== {one.workflow} {one.title}: {one.ran.conclusion}\n{one.ran.log}"
            for one in self.finished
        )

    def _waiting(self, lose: str | None) -> list[tuple[Run, Mapping[str, Any]]]:
        happened, dispatches = self.server.call(self._news)
        found: list[tuple[Run, Mapping[str, Any]]] = []
        for one in happened:
            if one.name == "workflow_dispatch":
                dispatch = dispatches.pop(0)
                found.append((self._run_of(dispatch), one.payload))
            elif one.starts and one.name != lose:
                found += [(run, one.payload) for run in self._set_off(one)]
        return found

    def _news(self, state: State) -> tuple[list[Happened], list[Dispatch]]:
        repository = state.repository(REPOSITORY)
        assert repository is not None, "the forge was set up with it"
        happened = state.happened[self._seen :]
        dispatches = repository.dispatches[self._dispatched :]
        self._seen += len(happened)
        self._dispatched += len(dispatches)
        return happened, dispatches

    def _run_of(self, dispatch: Dispatch) -> Run:
        return self.server.call(
            lambda state: next(one for one in _repository(state).runs if one.id == dispatch.run)
        )

    def _set_off(self, event: Happened) -> Iterator[Run]:
        """A run for each workflow that listens to an event."""
        ref = event.payload["pull_request"]["head"]["sha"] if _of_pull(event) else "main"
        for name, workflow in self._workflows(ref).items():
            if not self._listens(workflow, event):
                continue
            file = f"{name}.yml"
            if file in NOT_RUN:
                self.started_only.append(file)
                continue
            title = str(workflow.keys["run-name"])
            if _of_pull(event):
                title = f"{name} #{event.payload['number']}"
            actor = event.payload["sender"]["login"]
            yield self._record(file, event.name, self._account(actor), title, ref)

    def _account(self, login: str) -> Account:
        found = self.server.call(lambda state: state.account(login))
        assert found is not None, f"{login} has an account"
        return found

    def _workflows(self, ref: str) -> dict[str, Workflow]:
        def read(state: State) -> dict[str, Workflow]:
            git = _repository(state).git
            files = git.run("ls-tree", "--name-only", ref, ".github/workflows/").decode().split()
            return {
                path.split("/")[-1].removesuffix(".yml"): Workflow.of(
                    path.split("/")[-1].removesuffix(".yml"),
                    git.run("cat-file", "blob", f"{ref}:{path}").decode(),
                )
                for path in files
            }

        return self.server.call(read)

    def _listens(self, workflow: Workflow, event: Happened) -> bool:
        if event.name not in workflow.triggers:
            return False
        how = workflow.triggers[event.name]
        types = how.get("types", DEFAULT_TYPES.get(event.name))
        if types is not None and event.action not in types:
            return False
        if event.name == "push":
            if event.payload["ref"] not in [f"refs/heads/{one}" for one in how.get("branches", ())]:
                return False
            touched = self._touched(event.payload["before"], event.payload["after"])
            return _matches(touched, how.get("paths", ["**"]))
        if event.name == "pull_request":
            pull = event.payload["pull_request"]
            if pull["base"]["ref"] not in how.get("branches", [pull["base"]["ref"]]):
                return False
            touched = self._touched(pull["base"]["sha"], pull["head"]["sha"])
            ignored = how.get("paths-ignore", [])
            return not all(_matches([one], ignored) for one in touched)
        return True

    def _touched(self, before: str, after: str) -> list[str]:
        def read(state: State) -> list[str]:
            git = _repository(state).git
            return (
                git.run("diff", "--name-only", "--no-renames", f"{before}...{after}")
                .decode()
                .splitlines()
            )

        return self.server.call(read)

    def _record(
        self, workflow: str, event: str, actor: Account, title: str, ref: str = "main"
    ) -> Run:
        def record(state: State) -> Run:
            repository = _repository(state)
            head = repository.git.branch("main") if ref == "main" else ref
            assert head is not None, "main is there"
            return add_run(state, repository, workflow, event, head, title, actor)

        return self.server.call(record)

    def _perform(self, run: Run, payload: Mapping[str, Any]) -> list[Finished]:
        ref = run.head if run.event == "pull_request" else "main"
        workflow = self._workflows(ref)[run.workflow.removesuffix(".yml")]
        token = f"workflow-{run.id}"
        self.server.call(lambda state: _begin(state, run, Token(token, *_rights(workflow))))
        secrets = {**self.runner.secrets, "GITHUB_TOKEN": token}
        ran = Runner(
            self.runner.folder, self.runner.environment, self.runner.variables, secrets
        ).run(Asked(run.workflow, workflow.text, run.event, payload, run.id, run.actor.login))
        self.server.call(lambda state: _end(state, run, token, ran.conclusion))
        finished = Finished(run.workflow, run.title, ran)
        with self._lock:
            self.finished.append(finished)
        return [finished]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account, at the forge's API."""

    server: ForgeServer
    token: str

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """One request below the repository; what it answered.

        Raises:
            AssertionError: it was refused.
        """
        status, answer = self.tries(method, path, body)
        assert status < 300, f"{method} {path}: {status} {answer}"
        return answer

    def tries(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> tuple[int, Any]:
        """One request below the repository: status and answer."""
        request = urllib.request.Request(
            f"{self.server.url}/repos/{REPOSITORY}/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                content = response.read()
                return response.status, json.loads(content) if content else None
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def merge(self, number: int) -> None:
        """Press the button."""
        self.ask("PUT", f"pulls/{number}/merge", {"merge_method": "merge"})

    def close(self, number: int) -> None:
        """Decline."""
        self.ask("PATCH", f"pulls/{number}", {"state": "closed"})

    def comment(self, number: int, text: str) -> None:
        """Say something."""
        self.ask("POST", f"issues/{number}/comments", {"body": text})

    def dispatch(self, workflow: str, **inputs: str) -> None:
        """Press "Run workflow"."""
        body = {"ref": "main", "inputs": inputs}
        self.ask("POST", f"actions/workflows/{workflow}/dispatches", body)


def _of_pull(event: Happened) -> bool:
    return event.name == "pull_request"


def _matches(paths: list[str], patterns: list[str]) -> bool:
    return any(
        fnmatch.fnmatchcase(path, one.replace("**", "*")) for path in paths for one in patterns
    )


def _repository(state: State) -> Repository:
    found = state.repository(REPOSITORY)
    assert found is not None, "the forge was set up with it"
    return found


def _owner(state: State) -> Account:
    return _repository(state).owner


def _rights(workflow: Workflow) -> tuple[Account, Mapping[str, str], int]:
    """A workflow's own token: what its jobs list together, and nothing else."""
    scopes = {"metadata": "read"}
    for job in workflow.jobs:
        for name, level in job.permissions.items():
            key = name.replace("-", "_")
            if scopes.get(key) != "write":
                scopes[key] = level
    return ACTIONS_BOT, scopes, ACTIONS_APP


def _begin(state: State, run: Run, token: Token) -> None:
    state.tokens[token.value] = token
    run.status = "in_progress"


def _end(state: State, run: Run, token: str, conclusion: str) -> None:
    del state.tokens[token]
    run.status, run.conclusion = "completed", conclusion
    run.updated_at = state.clock.now()
