"""What only a test may ask of the loopback GitHub, under `/sim`."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from tests.forge import transport
from tests.forge.accounts import ROLES, Account, Token
from tests.forge.actions import add_run
from tests.forge.calls import Call, Route, route
from tests.forge.faults import FaultPlan, read_fault
from tests.forge.merging import merge_armed
from tests.forge.messages import Refusal, Response, json_response, not_found, nothing
from tests.forge.moving import moved
from tests.forge.records import Happened
from tests.forge.rulesets import refusals, violation
from tests.forge.state import Repository

PLANS: Final = ("public", "private_free", "private_paid")


class Sim:
    """The test's own paths; they need no token."""

    def __init__(self, faults: FaultPlan) -> None:
        """Arm and show these faults."""
        self._faults = faults

    def routes(self) -> tuple[Route, ...]:
        """Every path of its own."""
        return (
            route("GET", "/sim/faults", self._show_faults),
            route("POST", "/sim/faults", self._add_faults),
            route("DELETE", "/sim/faults", self._clear_faults),
            route("GET", "/sim/events", _events),
            route("GET", "/sim/dispatches", _dispatches),
            route("POST", "/sim/clock", _set_clock),
            route("GET", "/sim/clock", _clock),
            route("POST", "/sim/accounts", _add_account),
            route("PUT", "/sim/repos/{owner}/{repo}/roles/{username}", _set_role),
            route("PUT", "/sim/repos/{owner}/{repo}/plan", _set_plan),
            route("POST", "/sim/repos/{owner}/{repo}/forks", _fork),
            route("POST", "/sim/repos/{owner}/{repo}/pushes", _push),
            route("DELETE", "/sim/repos/{owner}/{repo}", _drop_repository),
            route("PUT", "/sim/repos/{owner}/{repo}/secrets/{name}", _set_secret),
            route("POST", "/sim/repos/{owner}/{repo}/runs", _add_run),
            route("PATCH", "/sim/repos/{owner}/{repo}/runs/{run_id}", _change_run),
        )

    def _show_faults(self, call: Call) -> Response:
        return json_response(200, self._faults.as_json())

    def _add_faults(self, call: Call) -> Response:
        raw = call.content
        wanted = raw.get("faults", [raw])
        self._faults.add(*(read_fault(one) for one in wanted))
        return json_response(201, self._faults.as_json())

    def _clear_faults(self, call: Call) -> Response:
        self._faults.clear()
        return nothing()


def _repository(call: Call) -> Repository:
    found = call.state.repository(f"{call.params['owner']}/{call.params['repo']}")
    if found is None:
        raise not_found()
    return found


def event_shape(happened: Happened) -> dict[str, Any]:
    """One event with all that is known of it."""
    return {
        "id": happened.number,
        "event": happened.name,
        "action": happened.action,
        "payload": happened.payload,
        "actor": happened.payload["sender"]["login"],
        "starts": happened.starts,
        "why_not": happened.why_not,
        "by_token": happened.by_token,
        "workflow": str(happened.payload.get("workflow", "")).rpartition("/")[2],
        "repository": happened.payload["repository"]["full_name"],
    }


def _events(call: Call) -> Response:
    after = int(call.request.query.get("after", "0"))
    only = call.request.query.get("starts", "")
    found = [
        event_shape(one)
        for one in call.state.happened[after:]
        if not only or one.starts == (only == "true")
    ]
    return json_response(200, found)


def _dispatches(call: Call) -> Response:
    found = [
        {
            "workflow": one.workflow,
            "ref": one.ref,
            "inputs": dict(one.inputs),
            "actor": one.actor.login,
            "run": one.run,
            "repository": repository.full_name,
        }
        for repository in call.state.repositories.values()
        for one in repository.dispatches
    ]
    return json_response(200, found)


def _set_clock(call: Call) -> Response:
    if "at" in call.content:
        call.state.clock.set(datetime.fromisoformat(call.content["at"].replace("Z", "+00:00")))
    call.state.clock.advance(float(call.content.get("advance_seconds", 0)))
    return _clock(call)


def _clock(call: Call) -> Response:
    return json_response(200, {"now": call.state.clock.now().isoformat()})


def _add_account(call: Call) -> Response:
    content = call.content
    account = Account(
        int(content["id"]), content["login"], content.get("type", "User"), content.get("name", "")
    )
    token = None
    if "token" in content:
        token = Token(content["token"], account, content.get("scopes"), content.get("app"))
    call.state.add_account(account, token)
    return json_response(201, {"id": account.id, "login": account.login})


def _set_role(call: Call) -> Response:
    account, role = call.state.account(call.params["username"]), call.content.get("role")
    if account is None:
        raise not_found()
    if role not in ROLES:
        raise Refusal(422, f"role {role!r}; known are {', '.join(ROLES)}")
    repository = _repository(call)
    repository.roles.pop(account.id, None)
    if role != "none":
        repository.roles[account.id] = role
    return nothing()


def _set_plan(call: Call) -> Response:
    plan, repository = call.content.get("plan"), _repository(call)
    if plan not in PLANS:
        raise Refusal(422, f"plan {plan!r}; known are {', '.join(PLANS)}")
    repository.is_private = plan != "public"
    repository.plan = "pro" if plan == "private_paid" else "free"
    return nothing()


def _fork(call: Call) -> Response:
    source = _repository(call)
    account = call.state.account(str(call.content.get("owner", "")))
    if account is None:
        raise not_found()
    made = call.state.add_repository(
        source.name, account, is_private=source.is_private, parent=source.full_name
    )
    for ref, sha in source.git.refs().items():
        made.git.bring(source.git.path, sha, ref)
    return json_response(201, {"full_name": made.full_name})


def _push(call: Call) -> Response:
    """Commit and push as somebody with a clone would, without the clone."""
    repository, content, state = _repository(call), call.content, call.state
    token = state.tokens.get(str(content.get("token", "owner-token")))
    start = repository.git.branch(content.get("from", repository.default_branch))
    if token is None or start is None:
        raise not_found()
    files: dict[str, str | None] = content["files"]
    tree = repository.git.tree_with(
        start,
        {path: text.encode() for path, text in files.items() if text is not None},
        [path for path, text in files.items() if text is None],
    )
    person = token.account.person(state.clock.now())
    message = str(content.get("message", "a change"))
    made = repository.git.write_commit(tree, (start,), person, person, message, signed=False)
    ref = f"refs/heads/{content['branch']}"
    old = repository.git.ref(ref)
    forced = old is not None and not repository.git.is_ancestor(old, made)
    refused = refusals(repository, ref, old, made, token, forced=forced)
    if refused or not transport.may_push(repository, token):
        raise Refusal(403, violation(refused) if refused else "denied")
    repository.git.set(ref, made)
    moved(state, repository, ref, old, made, token)
    merge_armed(state, repository)
    return json_response(201, {"sha": made})


def _drop_repository(call: Call) -> Response:
    call.state.repositories.pop(_repository(call).full_name.lower())
    return nothing()


def _set_secret(call: Call) -> Response:
    repository, name = _repository(call), call.params["name"]
    environment = call.content.get("environment")
    at = call.state.clock.now()
    if environment is None:
        repository.secrets[name] = at
    elif environment.lower() in repository.environments:
        repository.environments[environment.lower()].secrets[name] = at
    else:
        raise not_found()
    return nothing()


def _add_run(call: Call) -> Response:
    repository, content = _repository(call), call.content
    account = call.state.account(content.get("actor", repository.owner.login))
    head = repository.git.branch(content.get("branch", repository.default_branch))
    if account is None or head is None:
        raise not_found()
    run = add_run(
        call.state,
        repository,
        content["workflow"],
        content.get("event", "schedule"),
        head,
        content.get("title", content["workflow"]),
        account,
    )
    run.status = content.get("status", "completed")
    run.conclusion = content.get("conclusion", "success" if run.status == "completed" else None)
    return json_response(201, {"id": run.id})


def _change_run(call: Call) -> Response:
    for run in _repository(call).runs:
        if run.id == call.number("run_id"):
            run.status = call.content.get("status", run.status)
            run.conclusion = call.content.get("conclusion", run.conclusion)
            run.updated_at = call.state.clock.now()
            return nothing()
    raise not_found()
