"""Workflows, their runs and dispatches over REST."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from tests.forge.accounts import Account
from tests.forge.calls import Call, Route, newest_first, reading, route, writing
from tests.forge.events import emit
from tests.forge.messages import (
    Refusal,
    Response,
    json_response,
    not_found,
    nothing,
    stamp,
    text_of,
)
from tests.forge.records import Dispatch, Run
from tests.forge.shapes import commit_message, git_user, minimal_repository, node_id, user
from tests.forge.state import Repository, State

FOLDER: Final = ".github/workflows"
_INPUTS_LIMIT: Final = 25
_PAYLOAD_LIMIT: Final = 65_535
"""Characters of all inputs together."""
_EXPRESSION: Final = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")


@dataclass(slots=True)
class WorkflowFile:
    """One workflow as its file on a branch has it."""

    file: str
    name: str
    run_name: str
    inputs: Mapping[str, Mapping[str, Any]] | None
    """What a dispatch may give; None where it cannot be dispatched."""
    triggers: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> int:
        """A number that stays the same for a file."""
        return 700_000 + sum(number * ord(one) for number, one in enumerate(self.file, 1))

    @property
    def path(self) -> str:
        """Where it lies."""
        return f"{FOLDER}/{self.file}"


def read_workflow(repository: Repository, file: str, commit: str) -> WorkflowFile | None:
    """A workflow by its file's name; None where there is none that can be read."""
    raw = repository.git.read(commit, f"{FOLDER}/{file}")
    if raw is None or "/" in file:
        return None
    try:
        content = YAML(typ="safe", pure=True).load(raw.decode())
    except (YAMLError, UnicodeDecodeError):
        return None
    if not isinstance(content, dict):
        return None
    # YAML 1.1 reads `on` as true.
    on = content.get("on", content.get(True)) or {}
    if isinstance(on, str):
        on = {on: None}
    triggers = dict.fromkeys(on) if isinstance(on, list) else dict(on)
    inputs = None
    if "workflow_dispatch" in triggers:
        inputs = dict((triggers["workflow_dispatch"] or {}).get("inputs") or {})
    name = str(content.get("name") or f"{FOLDER}/{file}")
    return WorkflowFile(file, name, str(content.get("run-name") or ""), inputs, triggers)


def _workflow(call: Call) -> WorkflowFile:
    wanted = call.params["workflow_id"]
    for one in _all(call):
        if wanted in (one.file, str(one.id)):
            return one
    raise not_found()


def _all(call: Call) -> list[WorkflowFile]:
    repository = call.repository
    commit = repository.git.branch(repository.default_branch)
    if commit is None or not repository.git.succeeds("cat-file", "-e", f"{commit}:{FOLDER}"):
        return []
    files = [one[3] for one in repository.git.listing(commit, FOLDER)]
    found = (
        read_workflow(repository, one, commit) for one in files if one.endswith((".yml", ".yaml"))
    )
    return [one for one in found if one is not None]


def _workflow_shape(call: Call, found: WorkflowFile) -> dict[str, Any]:
    root = f"{call.base}/repos/{call.repository.full_name}/actions/workflows"
    at = stamp(call.repository.created_at)
    return {
        "id": found.id,
        "node_id": node_id("Workflow", found.id),
        "name": found.name,
        "path": found.path,
        "state": "active",
        "created_at": at,
        "updated_at": at,
        "url": f"{root}/{found.id}",
        "html_url": f"{call.base}/{call.repository.full_name}/blob/main/{found.path}",
        "badge_url": f"{call.base}/{call.repository.full_name}/workflows/{found.file}/badge.svg",
    }


def _list(call: Call) -> Response:
    return call.counted("workflows", _all(call), lambda one: _workflow_shape(call, one))


def _get(call: Call) -> Response:
    return json_response(200, _workflow_shape(call, _workflow(call)))


def run_shape(call: Call, workflow: WorkflowFile, run: Run) -> dict[str, Any]:
    """One run of a workflow."""
    repository = call.repository
    root = f"{call.base}/repos/{repository.full_name}/actions"
    url = f"{root}/runs/{run.id}"
    commit = repository.git.commit(run.head)
    mini = minimal_repository(call.base, repository)
    numbered = [one.id for one in repository.runs if one.workflow == run.workflow]
    author, committer = git_user(commit.author), git_user(commit.committer)
    return {
        "id": run.id,
        "name": workflow.name,
        "node_id": node_id("WorkflowRun", run.id),
        "check_suite_id": run.id,
        "check_suite_node_id": node_id("CheckSuite", run.id),
        "head_branch": run.branch,
        "head_sha": run.head,
        "path": workflow.path,
        "display_title": run.title,
        "run_number": numbered.index(run.id) + 1,
        "run_attempt": run.attempt,
        "event": run.event,
        "status": run.status,
        "conclusion": run.conclusion,
        "workflow_id": workflow.id,
        "url": url,
        "html_url": f"{call.base}/{repository.full_name}/actions/runs/{run.id}",
        "pull_requests": [],
        "created_at": stamp(run.created_at),
        "updated_at": stamp(run.updated_at),
        "run_started_at": stamp(run.created_at),
        "actor": user(call.base, run.actor),
        "triggering_actor": user(call.base, run.actor),
        "jobs_url": f"{url}/jobs",
        "logs_url": f"{url}/logs",
        "check_suite_url": f"{call.base}/repos/{repository.full_name}/check-suites/{run.id}",
        "artifacts_url": f"{url}/artifacts",
        "cancel_url": f"{url}/cancel",
        "rerun_url": f"{url}/rerun",
        "workflow_url": f"{root}/workflows/{workflow.id}",
        "head_commit": {
            "id": run.head,
            "tree_id": commit.tree,
            "message": commit_message(commit),
            "timestamp": committer["date"],
            "author": {"name": author["name"], "email": author["email"]},
            "committer": {"name": committer["name"], "email": committer["email"]},
        },
        "repository": mini,
        "head_repository": mini,
    }


def _created_within(query: str, run: Run) -> bool:
    at = stamp(run.created_at)
    if not query:
        return True
    if ".." in query:
        start, end = query.split("..", 1)
        return (start == "*" or _whole(start) <= at) and (end == "*" or at <= _whole(end))
    for sign, holds in (
        (">=", at >= _whole(query[2:])),
        ("<=", at <= _whole(query[2:])),
        (">", at > _whole(query[1:])),
        ("<", at < _whole(query[1:])),
    ):
        if query.startswith(sign):
            return holds
    return at.startswith(query)


def _whole(text: str) -> str:
    """A day or an instant as an instant in UTC."""
    day = text.replace(" ", "+").replace("+00:00", "Z")
    return day if "T" in day else f"{day}T00:00:00Z"


def _runs(call: Call) -> Response:
    workflow, query = _workflow(call), call.request.query
    wanted = query.get("status")
    found = [
        one
        for one in call.repository.runs
        if one.workflow == workflow.file
        and _created_within(query.get("created", ""), one)
        and query.get("event", one.event) == one.event
        and query.get("branch", one.branch) == one.branch
        and query.get("head_sha", one.head) == one.head
        and (wanted is None or wanted in (one.status, one.conclusion))
    ]
    return call.counted(
        "workflow_runs", newest_first(found), lambda one: run_shape(call, workflow, one)
    )


def add_run(
    state: State,
    repository: Repository,
    workflow: str,
    event: str,
    head: str,
    title: str,
    actor: Account,
) -> Run:
    """Record a run of a workflow."""
    at = state.clock.now()
    run = Run(
        state.next_id(),
        workflow,
        event,
        head,
        repository.default_branch,
        title,
        actor,
        at,
        at,
    )
    repository.runs.append(run)
    return run


def _title(workflow: WorkflowFile, inputs: Mapping[str, str], actor: str) -> str:
    """The `run-name` with its inputs filled in; only these few expressions are understood."""

    def fill(match: re.Match[str]) -> str:
        for part in match.group(1).split("||"):
            value = part.strip()
            if value.startswith("'") and value.endswith("'"):
                return value[1:-1]
            if value in ("github.actor", "github.triggering_actor"):
                return actor
            for prefix in ("inputs.", "github.event.inputs."):
                if value.startswith(prefix) and inputs.get(value.removeprefix(prefix)):
                    return inputs[value.removeprefix(prefix)]
            called = re.fullmatch(r"format\('([^']*)', ?github\.actor\)", value)
            if called:
                return called.group(1).replace("{0}", actor)
        return ""

    return _EXPRESSION.sub(fill, workflow.run_name) or workflow.name


def _checked_inputs(workflow: WorkflowFile, given: Mapping[str, Any]) -> dict[str, str]:
    known = workflow.inputs
    if known is None:
        raise Refusal(422, "Workflow does not have 'workflow_dispatch' trigger")
    unknown = sorted(set(given) - set(known))
    if unknown:
        listed = ", ".join(f'"{one}"' for one in unknown)
        raise Refusal(422, f"Unexpected inputs provided: [{listed}]")
    if len(given) > _INPUTS_LIMIT:
        raise Refusal(422, f"you may only define up to {_INPUTS_LIMIT} inputs")
    if sum(len(str(one)) for one in given.values()) > _PAYLOAD_LIMIT:
        raise Refusal(422, "inputs are too large.")
    inputs: dict[str, str] = {}
    for name, facts in known.items():
        facts = facts or {}
        value = given.get(name, facts.get("default"))
        if value is None or value == "":
            if facts.get("required"):
                raise Refusal(422, f"Required input '{name}' not provided")
            value = ""
        text = str(value).lower() if isinstance(value, bool) else str(value)
        options = facts.get("options")
        if options and text not in [str(one) for one in options]:
            message = (
                f"Provided value '{text}' for input '{name}' not in the list of allowed values"
            )
            raise Refusal(422, message)
        inputs[name] = text
    return inputs


def _dispatch(call: Call) -> Response:
    state, repository, actor = call.state, call.repository, call.actor
    wanted = text_of(call.content, "ref", "Workflow")
    ref = wanted if wanted.startswith("refs/") else f"refs/heads/{wanted}"
    head = repository.git.ref(ref)
    found = _workflow(call)
    if head is None:
        raise Refusal(422, f"No ref found for: {wanted}")
    workflow = read_workflow(repository, found.file, head)
    if workflow is None:
        raise not_found()
    inputs = _checked_inputs(workflow, call.content.get("inputs") or {})
    title = _title(workflow, inputs, actor.login)
    run = add_run(state, repository, workflow.file, "workflow_dispatch", head, title, actor)
    run.branch = ref.removeprefix("refs/heads/")
    made = Dispatch(workflow.file, ref, inputs, actor, run.id, state.clock.now())
    repository.dispatches.append(made)
    content = {"inputs": inputs, "ref": ref, "workflow": workflow.path}
    emit(state, repository, call.acting, "workflow_dispatch", content)
    if state.on_dispatch is not None:
        # In a thread of its own: what it starts calls this server.
        started = threading.Thread(target=state.on_dispatch, args=(made,), daemon=True)
        state.threads.append(started)
        started.start()
    if not call.content.get("return_run_details"):
        return nothing()
    shown = {
        "workflow_run_id": run.id,
        "run_url": f"{call.base}/repos/{repository.full_name}/actions/runs/{run.id}",
        "html_url": f"{call.base}/{repository.full_name}/actions/runs/{run.id}",
    }
    return json_response(200, shown)


_WORKFLOW: Final = "actions/workflows/{workflow_id}"
ROUTES: Final[tuple[Route, ...]] = (
    route("GET", "actions/workflows", _list, reading("actions")),
    route("GET", _WORKFLOW, _get, reading("actions")),
    route("GET", f"{_WORKFLOW}/runs", _runs, reading("actions")),
    route("POST", f"{_WORKFLOW}/dispatches", _dispatch, writing("actions")),
)
