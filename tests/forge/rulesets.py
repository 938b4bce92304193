"""Rulesets: what they refuse, whom they let pass, and the calls that read and write them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, Final

from executor.model.forge import ACTIONS_APP
from tests.forge.accounts import Token
from tests.forge.calls import Call, Route, administering, reading, route
from tests.forge.contract import request_errors
from tests.forge.messages import Refusal, Response, json_response, not_found, stamp
from tests.forge.records import Pull, Ruleset
from tests.forge.shapes import node_id
from tests.forge.state import Repository

_ROLE_IDS: Final = {2: "maintain", 4: "write", 5: "admin"}
_RULES: Final = (
    "creation",
    "update",
    "deletion",
    "required_linear_history",
    "required_signatures",
    "pull_request",
    "required_status_checks",
    "non_fast_forward",
)
"""Rules that are enforced here; another one is refused, since it would silently do nothing."""

Rule = Mapping[str, Any]


def rules_of(
    repository: Repository, ref: str, token: Token | None, *, merging: bool = False
) -> Iterator[Rule]:
    """Rules that hold for a ref and for whoever acts."""
    for ruleset in repository.rulesets.values():
        content = ruleset.content
        if content["enforcement"] != "active" or not _covers(repository, content, ref):
            continue
        if token is not None and _lets_pass(repository, content, token, merging=merging):
            continue
        yield from content.get("rules", [])


def _covers(repository: Repository, content: Mapping[str, Any], ref: str) -> bool:
    kind = "refs/tags/" if content.get("target") == "tag" else "refs/heads/"
    if not ref.startswith(kind):
        return False
    names = (content.get("conditions") or {}).get("ref_name") or {}

    def named(pattern: str) -> bool:
        if pattern == "~ALL":
            return True
        if pattern == "~DEFAULT_BRANCH":
            return ref == f"refs/heads/{repository.default_branch}"
        return fnmatchcase(ref, pattern)

    included = any(named(one) for one in names.get("include", []))
    return included and not any(named(one) for one in names.get("exclude", []))


def _lets_pass(
    repository: Repository, content: Mapping[str, Any], token: Token, *, merging: bool
) -> bool:
    for actor in content.get("bypass_actors", []):
        if actor.get("bypass_mode", "always") == "pull_request" and not merging:
            continue
        kind, number = actor["actor_type"], actor.get("actor_id")
        if kind == "Integration" and token.app == number:
            return True
        if kind == "User" and token.app is None and token.account.id == number:
            return True
        role = _ROLE_IDS.get(number or 0)
        is_role = kind == "RepositoryRole" and role is not None and token.app is None
        if is_role and role is not None and repository.allows(token.account, role):
            return True
    return False


def refusals(
    repository: Repository,
    ref: str,
    old: str | None,
    new: str | None,
    token: Token | None,
    *,
    forced: bool = False,
) -> list[str]:
    """What the rules say against moving a ref outside a pull request; nothing where they agree.

    Args:
        repository: Whose ref.
        ref: In full.
        old: Where it was; None: it comes.
        new: Where it goes; None: it goes away. A commit that is made by the call is empty.
        token: Who acts.
        forced: Whether the old commit is left behind.
    """
    found = []
    for rule in rules_of(repository, ref, token):
        kind = rule["type"]
        if kind == "deletion" and new is None:
            found.append("Cannot delete this branch")
        elif kind == "creation" and old is None:
            found.append("Cannot create ref due to creations being restricted.")
        elif kind == "update" and old is not None and new is not None:
            found.append("Cannot update this protected ref.")
        elif kind == "non_fast_forward" and forced:
            found.append("Cannot force-push to this branch")
        elif kind == "pull_request" and old is not None and new is not None:
            found.append("Changes must be made through a pull request.")
        elif kind == "required_status_checks" and new is not None and old is not None:
            missing = missing_checks(repository, rule, new)
            found += [f'Required status check "{context}" is expected.' for context in missing]
    return found


def missing_checks(repository: Repository, rule: Rule, commit: str) -> list[str]:
    """Required statuses that a commit has not, or not from the App that they are pinned to."""
    latest = {}
    for status in repository.statuses:
        if status.commit == commit:
            latest[status.context, status.app] = status
    missing = []
    for check in rule["parameters"]["required_status_checks"]:
        pinned = check.get("integration_id")
        found = [
            one
            for (context, app), one in latest.items()
            if context == check["context"] and pinned in (None, app)
        ]
        newest = max(found, key=lambda one: one.id, default=None)
        if newest is None or newest.state != "success":
            missing.append(str(check["context"]))
    return missing


def merge_refusals(
    repository: Repository, pull: Pull, token: Token | None, method: str
) -> list[str]:
    """What the rules say against merging a pull request; nothing where they agree."""
    found = []
    ref = f"refs/heads/{pull.base_ref}"
    for rule in rules_of(repository, ref, token, merging=True):
        kind, parameters = rule["type"], rule.get("parameters") or {}
        if kind == "update":
            found.append("Cannot update this protected ref.")
        elif kind == "required_linear_history" and method == "merge":
            found.append("This branch must not contain merge commits.")
        elif kind == "required_status_checks":
            missing = missing_checks(repository, rule, pull.head)
            found += [f'Required status check "{context}" is expected.' for context in missing]
            tip = repository.git.branch(pull.base_ref) or ""
            strict = parameters.get("strict_required_status_checks_policy")
            if strict and not repository.git.is_ancestor(tip, pull.head):
                found.append("Head branch is not up to date with the base branch")
        elif kind == "pull_request":
            found += _review_refusals(repository, pull, parameters, method)
    return found


def _review_refusals(
    repository: Repository, pull: Pull, parameters: Mapping[str, Any], method: str
) -> list[str]:
    allowed = parameters.get("allowed_merge_methods")
    if allowed and method not in allowed:
        return [f"Merge method {method} is not allowed by the repository's rules."]
    verdicts = {}
    for review in pull.reviews:
        if review.state in ("APPROVED", "CHANGES_REQUESTED", "DISMISSED") and repository.allows(
            review.author, "write"
        ):
            verdicts[review.author.id] = review
    if any(one.state == "CHANGES_REQUESTED" for one in verdicts.values()):
        return ["Changes have been requested by a reviewer with write access."]
    approved = [one for one in verdicts.values() if one.state == "APPROVED"]
    if parameters.get("dismiss_stale_reviews_on_push"):
        approved = [one for one in approved if one.commit == pull.head]
    needed = int(parameters.get("required_approving_review_count", 0))
    if len(approved) < needed:
        plural = "" if needed == 1 else "s"
        return [
            f"At least {needed} approving review{plural} is required "
            "by reviewers with write access."
        ]
    return []


def violation(messages: list[str]) -> str:
    """The rules' refusals as the API words them."""
    return "Repository rule violations found\n\n" + "\n\n".join(messages) + "\n\n"


def _shape(call: Call, ruleset: Ruleset, *, whole: bool = True) -> dict[str, Any]:
    repository = call.repository
    url = f"{call.base}/repos/{repository.full_name}/rulesets/{ruleset.id}"
    content = ruleset.content
    shown = {
        "id": ruleset.id,
        "name": content["name"],
        "target": content.get("target", "branch"),
        "source_type": "Repository",
        "source": repository.full_name,
        "enforcement": content["enforcement"],
        "node_id": node_id("RepositoryRuleset", ruleset.id),
        "created_at": stamp(ruleset.created_at),
        "updated_at": stamp(ruleset.updated_at),
        "_links": {
            "self": {"href": url},
            "html": {"href": f"{call.base}/{repository.full_name}/rules/{ruleset.id}"},
        },
    }
    if whole:
        shown["conditions"] = content.get("conditions") or {"ref_name": {}}
        shown["rules"] = content.get("rules", [])
        is_admin = call.token is not None and (
            call.token.grants("administration", "write")
            if call.token.scopes is not None
            else repository.allows(call.account, "admin")
        )
        # GitHub shows the bypass list to nobody else.
        if is_admin:
            shown["bypass_actors"] = content.get("bypass_actors", [])
            shown["current_user_can_bypass"] = "never"
    return shown


def _require_plan(call: Call) -> None:
    if not call.repository.has_paid_features:
        raise Refusal(
            403, "Upgrade to GitHub Pro or make this repository public to enable this feature."
        )


def _find(call: Call) -> Ruleset:
    found = call.repository.rulesets.get(call.number("ruleset_id"))
    if found is None:
        raise not_found()
    return found


def _validated(call: Call, own: int | None = None) -> dict[str, Any]:
    content = dict(call.content)
    operation = "POST /repos/{owner}/{repo}/rulesets"
    if own is not None:
        operation = "PUT /repos/{owner}/{repo}/rulesets/{ruleset_id}"
    wrong = request_errors(operation, content)
    if wrong:
        places = "\n\n".join(f"Invalid property {one}" for one in wrong)
        raise Refusal(422, f"Invalid request.\n\n{places}")
    for rule in content.get("rules", []):
        if rule.get("type") not in _RULES:
            raise Refusal(422, "Validation Failed", [f"Invalid rule '{rule.get('type')}': "])
    for actor in content.get("bypass_actors", []):
        if actor.get("actor_type") == "Integration" and actor.get("actor_id") == ACTIONS_APP:
            raise Refusal(
                422,
                "Validation Failed",
                [
                    "Actor GitHub Actions integration must be part of the ruleset source or owner "
                    "organization"
                ],
            )
    taken = [
        one
        for one in call.repository.rulesets.values()
        if one.content["name"] == content.get("name") and one.id != own
    ]
    if taken:
        raise Refusal(422, "Validation Failed", ["Name must be unique"])
    return content


def _list(call: Call) -> Response:
    _require_plan(call)
    return call.page(
        list(call.repository.rulesets.values()), lambda one: _shape(call, one, whole=False)
    )


def _get(call: Call) -> Response:
    _require_plan(call)
    return json_response(200, _shape(call, _find(call)))


def _create(call: Call) -> Response:
    _require_plan(call)
    content = {"target": "branch", "rules": [], **_validated(call)}
    at = call.state.clock.now()
    made = Ruleset(call.state.next_id(), content, at, at)
    call.repository.rulesets[made.id] = made
    return json_response(201, _shape(call, made))


def _replace(call: Call) -> Response:
    _require_plan(call)
    found = _find(call)
    found.content = {**found.content, **_validated(call, found.id)}
    found.updated_at = call.state.clock.now()
    return json_response(200, _shape(call, found))


ROUTES: Final[tuple[Route, ...]] = (
    route("GET", "rulesets", _list, reading()),
    route("POST", "rulesets", _create, administering()),
    route("GET", "rulesets/{ruleset_id}", _get, reading()),
    route("PUT", "rulesets/{ruleset_id}", _replace, administering()),
)
