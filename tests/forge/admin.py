"""Environments, variables, secrets and permissions of Actions over REST."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from tests.forge.calls import Call, Need, Route, administering, reading, route
from tests.forge.messages import (
    Refusal,
    Response,
    invalid,
    json_response,
    not_found,
    nothing,
    stamp,
    text_of,
)
from tests.forge.records import Environment
from tests.forge.shapes import node_id, user

_UPGRADE: Final = "Upgrade to GitHub Pro or make this repository public to enable this feature."


def _environment_shape(call: Call, found: Environment) -> dict[str, Any]:
    repository = call.repository
    url = f"{call.base}/repos/{repository.full_name}/environments/{found.name}"
    rules: list[dict[str, Any]] = []

    def rule(kind: str, **facts: Any) -> None:
        number = found.id * 10 + len(rules)
        rules.append({"id": number, "node_id": node_id("Gate", number), "type": kind, **facts})

    if found.wait_timer:
        rule("wait_timer", wait_timer=found.wait_timer)
    if found.reviewers:
        people = [{"type": "User", "reviewer": user(call.base, one)} for one in found.reviewers]
        rule(
            "required_reviewers",
            prevent_self_review=found.prevent_self_review,
            reviewers=people,
        )
    if found.branch_policy is not None:
        rule("branch_policy")
    return {
        "id": found.id,
        "node_id": node_id("Environment", found.id),
        "name": found.name,
        "url": url,
        "html_url": f"{call.base}/{repository.full_name}/deployments/activity_log",
        "created_at": stamp(found.created_at),
        "updated_at": stamp(found.updated_at),
        "can_admins_bypass": True,
        "protection_rules": rules,
        "deployment_branch_policy": found.branch_policy,
    }


def _environment(call: Call) -> Environment:
    found = call.repository.environments.get(call.params["environment_name"].lower())
    if found is None or not call.repository.has_paid_features:
        raise not_found()
    return found


def _environments(call: Call) -> Response:
    found = list(call.repository.environments.values())
    if not call.repository.has_paid_features:
        found = []
    return call.counted("environments", found, lambda one: _environment_shape(call, one))


def _get_environment(call: Call) -> Response:
    return json_response(200, _environment_shape(call, _environment(call)))


def _put_environment(call: Call) -> Response:
    repository, content = call.repository, call.content
    if not repository.has_paid_features:
        raise Refusal(403, _UPGRADE)
    name = call.params["environment_name"]
    at = call.state.clock.now()
    policy = content.get("deployment_branch_policy")
    if policy is not None and policy.get("protected_branches") == policy.get(
        "custom_branch_policies"
    ):
        message = "protected_branches and custom_branch_policies cannot have the same value"
        raise Refusal(422, message)
    reviewers = content.get("reviewers") or []
    if reviewers and repository.is_private:
        raise Refusal(
            422,
            "Failed to create the environment protection rule. Please ensure the billing plan "
            "supports the required reviewers protection rule.",
        )
    found = repository.environments.get(name.lower())
    if found is None:
        found = Environment(call.state.next_id(), name, at, at)
        repository.environments[name.lower()] = found
    # What is not named goes back to its default: this is a PUT.
    found.updated_at = at
    found.wait_timer = int(content.get("wait_timer") or 0)
    found.prevent_self_review = bool(content.get("prevent_self_review", False))
    found.reviewers = [call.state.accounts[one["id"]] for one in reviewers]
    found.branch_policy = policy
    if policy is None or not policy["custom_branch_policies"]:
        found.policies.clear()
    return json_response(200, _environment_shape(call, found))


def _policy_shape(policy: tuple[int, str, str]) -> dict[str, Any]:
    number, name, kind = policy
    return {"id": number, "node_id": node_id("GateBranch", number), "name": name, "type": kind}


def _policies(call: Call) -> Response:
    return call.counted("branch_policies", _environment(call).policies, _policy_shape)


def _add_policy(call: Call) -> Response:
    found = _environment(call)
    if found.branch_policy is None or not found.branch_policy["custom_branch_policies"]:
        raise not_found()
    name = text_of(call.content, "name", "DeploymentBranchPolicy")
    kind = call.content.get("type", "branch")
    if any((name, kind) == (one[1], one[2]) for one in found.policies):
        return nothing(303)
    made = (call.state.next_id(), name, kind)
    found.policies.append(made)
    return json_response(200, _policy_shape(made))


def _drop_policy(call: Call) -> Response:
    found, number = _environment(call), call.number("branch_policy_id")
    if all(one[0] != number for one in found.policies):
        raise not_found()
    found.policies = [one for one in found.policies if one[0] != number]
    return nothing()


def _secrets_of(call: Call, secrets: Mapping[str, datetime]) -> Response:
    def show(one: tuple[str, datetime]) -> dict[str, Any]:
        return {"name": one[0], "created_at": stamp(one[1]), "updated_at": stamp(one[1])}

    return call.counted("secrets", sorted(secrets.items()), show)


def _environment_secrets(call: Call) -> Response:
    return _secrets_of(call, _environment(call).secrets)


def _repository_secrets(call: Call) -> Response:
    return _secrets_of(call, call.repository.secrets)


Variable = tuple[str, datetime, datetime]


def _variable_shape(name: str, variable: Variable) -> dict[str, Any]:
    value, created, updated = variable
    shown = {"name": name, "value": value}
    return {**shown, "created_at": stamp(created), "updated_at": stamp(updated)}


def _list_variables(call: Call, variables: Mapping[str, Variable]) -> Response:
    return call.counted("variables", sorted(variables.items()), lambda one: _variable_shape(*one))


def _held(call: Call) -> dict[str, Variable]:
    """The variables that the path is about: of an environment or of the repository."""
    if "environment_name" in call.params:
        return _environment(call).variables
    return call.repository.variables


def _variables(call: Call) -> Response:
    return _list_variables(call, _held(call))


def _add_variable(call: Call) -> Response:
    held = _held(call)
    name = text_of(call.content, "name", "Variable").upper()
    value = text_of(call.content, "value", "Variable")
    if not name.replace("_", "a").isalnum() or name[0].isdigit() or name.startswith("GITHUB_"):
        raise invalid("Variable", "name", "name is invalid", code="invalid")
    if name in held:
        raise Refusal(409, "Already exists - Variable already exists")
    at = call.state.clock.now()
    held[name] = (value, at, at)
    return json_response(201, {})


def _get_variable(call: Call) -> Response:
    name = call.params["name"].upper()
    found = _held(call).get(name)
    if found is None:
        raise not_found()
    return json_response(200, _variable_shape(name, found))


def _change_variable(call: Call) -> Response:
    name, held = call.params["name"].upper(), _held(call)
    found = held.get(name)
    if found is None:
        raise not_found()
    value = text_of(call.content, "value", "Variable", found[0])
    held[name] = (value, found[1], call.state.clock.now())
    return nothing()


def _drop_variable(call: Call) -> Response:
    if _held(call).pop(call.params["name"].upper(), None) is None:
        raise not_found()
    return nothing()


def _workflow_permissions(call: Call) -> Response:
    return json_response(200, call.repository.workflow_permissions)


def _set_workflow_permissions(call: Call) -> Response:
    known = call.repository.workflow_permissions
    for name, value in call.content.items():
        if name not in known:
            raise Refusal(422, f'Invalid request.\n\n"{name}" is not a permitted key.')
        known[name] = value
    return nothing()


def _actions_permissions(call: Call) -> Response:
    shown = {
        "enabled": call.repository.actions_enabled,
        "allowed_actions": "all",
        "sha_pinning_required": False,
    }
    return json_response(200, shown)


def _pages(call: Call) -> Response:
    raise not_found()


_ENVIRONMENT: Final = "environments/{environment_name}"
_POLICIES: Final = f"{_ENVIRONMENT}/deployment-branch-policies"
_VARIABLES: Final = Need("variables", "read", "write")
_SET_VARIABLES: Final = Need("variables", "write", "write")
_SECRETS: Final = Need("secrets", "read", "write")
_ENVIRONMENT_VARIABLES: Final = Need("environments", "read", "write")
_SET_ENVIRONMENT_VARIABLES: Final = Need("environments", "write", "write")
ROUTES: Final[tuple[Route, ...]] = (
    route("GET", "environments", _environments, reading("actions")),
    route("GET", _ENVIRONMENT, _get_environment, reading("actions")),
    route("PUT", _ENVIRONMENT, _put_environment, administering()),
    route("GET", f"{_ENVIRONMENT}/secrets", _environment_secrets, _SECRETS),
    route("GET", f"{_ENVIRONMENT}/variables", _variables, _ENVIRONMENT_VARIABLES),
    route("POST", f"{_ENVIRONMENT}/variables", _add_variable, _SET_ENVIRONMENT_VARIABLES),
    route("GET", f"{_ENVIRONMENT}/variables/{{name}}", _get_variable, _ENVIRONMENT_VARIABLES),
    route(
        "PATCH", f"{_ENVIRONMENT}/variables/{{name}}", _change_variable, _SET_ENVIRONMENT_VARIABLES
    ),
    route("GET", _POLICIES, _policies, reading("actions")),
    route("POST", _POLICIES, _add_policy, administering()),
    route("DELETE", f"{_POLICIES}/{{branch_policy_id}}", _drop_policy, administering()),
    route("GET", "actions/secrets", _repository_secrets, _SECRETS),
    route("GET", "actions/variables", _variables, _VARIABLES),
    route("POST", "actions/variables", _add_variable, _SET_VARIABLES),
    route("GET", "actions/variables/{name}", _get_variable, _VARIABLES),
    route("PATCH", "actions/variables/{name}", _change_variable, _SET_VARIABLES),
    route("DELETE", "actions/variables/{name}", _drop_variable, _SET_VARIABLES),
    route("GET", "actions/permissions", _actions_permissions, administering("read")),
    route("GET", "actions/permissions/workflow", _workflow_permissions, administering("read")),
    route("PUT", "actions/permissions/workflow", _set_workflow_permissions, administering()),
    route("GET", "pages", _pages, reading("pages")),
)
