"""GitHub's own description: what is served is held to it, and the checker finds what is off."""

from __future__ import annotations

import json

import pytest

from tests.forge import extract
from tests.forge.calls import Route, reading
from tests.forge.contract import Contract, description, request_errors
from tests.forge.messages import Request, Response
from tests.forge.rig import Rig


def test_the_extract_holds_every_operation_that_is_served() -> None:
    names = {f"{method} {template}" for template, method in extract.served()}
    assert names == set(description()["operations"])
    assert description()["version"]
    assert description()["license"] == "MIT"


def test_the_extract_is_made_of_a_description_as_it_stands() -> None:
    user = {"type": "object", "properties": {"title": {"type": "string", "nullable": True}}}
    answer = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/user"}}}}
    operation = {"responses": {"200": answer, "404": {"$ref": "#/components/responses/gone"}}}
    whole = {
        "paths": {},
        "components": {
            "schemas": {"user": {**user, "description": "words", "x-more": 1}},
            "responses": {"gone": {"description": "no"}},
        },
    }
    paths: dict[str, dict[str, object]] = {}
    for template, method in extract.served():
        paths.setdefault(template, {})[method.lower()] = operation
    made = extract.extract({**whole, "paths": paths}, "1.2.3")
    assert made["schemas"]["user"] == {
        "type": "object",
        "properties": {"title": {"type": ["string", "null"]}},
    }
    found = made["operations"]["GET /user"]
    assert found == {"request": None, "responses": {"200": {"$ref": "#/schemas/user"}, "404": None}}


@pytest.mark.parametrize(
    ("status", "content", "finds"),
    [
        (200, {"login": "x"}, True),
        (404, {"message": "Not Found", "documentation_url": "", "status": "404"}, False),
        (404, {"message": 4}, True),
        (500, {"message": "failed"}, True),
        (207, {}, True),
    ],
)
def test_what_is_not_as_described_is_found(status: int, content: object, finds: bool) -> None:
    contract = Contract()
    route = Route("GET", "/repos/{owner}/{repo}", lambda call: Response(200), reading())
    contract.watch(route, Request("GET", "/"), Response(status, json.dumps(content).encode()))
    assert bool(contract.wrong) is finds


def test_a_request_is_judged_too() -> None:
    name = "POST /repos/{owner}/{repo}/statuses/{sha}"
    assert not request_errors(name, {"state": "success"})
    assert request_errors(name, {"state": "green"}) == ["/state"]
    assert request_errors(name, {})


def test_what_github_does_not_have_is_found() -> None:
    contract = Contract()
    route = Route("GET", "/repos/{owner}/{repo}/nothing", lambda call: Response(200), reading())
    contract.watch(route, Request("GET", "/"), Response(200))
    assert contract.wrong == ["GET /repos/{owner}/{repo}/nothing: GitHub has no such operation"]


def whole_journey(rig: Rig) -> dict[str, str]:
    """Call every operation that writes; what to put into the paths of those that read."""
    owner, writer, actions = rig.owner, rig.api("writer"), rig.actions
    made = rig.pull({"plan.json": "{}\n"})
    owner.ok("PATCH", "", {"allow_merge_commit": True})
    owner.ok("PATCH", "pulls/1", {"title": "SELL 1", "body": "x"})
    writer.ok("POST", "pulls/1/requested_reviewers", {"reviewers": ["octo-owner"]})
    review = owner.ok("POST", "pulls/1/reviews", {"event": "APPROVE"})
    path = f"pulls/1/reviews/{review['id']}/dismissals"
    owner.ok("PUT", path, {"message": "no"})
    rig.mark(made["head"]["sha"], "plan/schema")
    comment = actions.ok("POST", "issues/1/comments", {"body": "x"})
    actions.ok("PATCH", f"issues/comments/{comment['id']}", {"body": "y"})
    owner.ok("POST", "labels", {"name": "plan"})
    owner.ok("PATCH", "labels/plan", {"color": "00ff00"})
    owner.ok("POST", "issues/1/labels", {"labels": ["plan", "other"]})
    owner.ok("DELETE", "issues/1/labels/other")
    owner.ok("PUT", "pulls/1/merge")
    actions.ok("POST", "issues", {"title": "Look"})
    actions.ok("PATCH", "issues/2", {"state": "closed"})
    actions.ok("POST", "git/refs", {"ref": "refs/heads/a", "sha": made["head"]["sha"]})
    actions.ok("PATCH", "git/refs/heads/a", {"sha": rig.main})
    actions.ok("DELETE", "git/refs/heads/a")
    dispatch = {"ref": "main", "inputs": {"pull_request": "1"}}
    actions.ok("POST", "actions/workflows/validate.yml/dispatches", dispatch)
    rules = [{"type": "deletion"}]
    conditions = {"ref_name": {"include": ["~ALL"], "exclude": []}}
    wanted = {"name": "history", "enforcement": "active", "conditions": conditions, "rules": rules}
    ruleset = owner.ok("POST", "rulesets", wanted)
    owner.ok("PUT", f"rulesets/{ruleset['id']}", wanted)
    policy = {"protected_branches": False, "custom_branch_policies": True}
    owner.ok("PUT", "environments/sim", {"deployment_branch_policy": policy})
    policies = "environments/sim/deployment-branch-policies"
    branch = owner.ok("POST", policies, {"name": "main"})
    owner.ok("DELETE", f"{policies}/{branch['id']}")
    owner.ok("POST", policies, {"name": "main"})
    for folder in ("actions", "environments/sim"):
        owner.ok("POST", f"{folder}/variables", {"name": "MODE", "value": "sim"})
        owner.ok("PATCH", f"{folder}/variables/MODE", {"value": "paper"})
    owner.ok("POST", "actions/variables", {"name": "OTHER", "value": "1"})
    owner.ok("DELETE", "actions/variables/OTHER")
    owner.ok("PUT", f"/sim/repos/{owner.name}/secrets/KEY", {"environment": "sim"})
    owner.ok("PUT", f"/sim/repos/{owner.name}/secrets/KEY", {})
    permissions = {"can_approve_pull_request_reviews": True}
    owner.ok("PUT", "actions/permissions/workflow", permissions)
    return {
        "account_id": "1001",
        "app_slug": "autoinvestor-app",
        "branch": "main",
        "comment_id": str(comment["id"]),
        "commit_sha": rig.main,
        "environment_name": "sim",
        "issue_number": "1",
        "name": "plan",
        "owner": "octo-owner",
        "path": "README.md",
        "pull_number": "1",
        "ref": "main",
        "repo": "invest",
        "ruleset_id": str(ruleset["id"]),
        "username": "octo-writer",
        "workflow_id": "validate.yml",
    }


def test_every_operation_answers_as_described(rig: Rig, contract: Contract) -> None:
    names = whole_journey(rig)
    for template, method in extract.served():
        if method != "GET":
            continue
        more = {"name": "MODE"} if "variables" in template else {}
        more |= {"ref": "heads/main"} if "/git/" in template else {}
        answer = rig.owner.send("GET", template.format(**{**names, **more}))
        # Pages are never set up here.
        assert answer.status_code == (404 if template.endswith("/pages") else 200), template
    called = {name for name, _ in contract.seen}
    assert called == set(description()["operations"])
    assert not contract.wrong


def test_a_merged_pull_request_of_a_gone_fork_is_a_known_deviation(
    rig: Rig, contract: Contract
) -> None:
    rig.owner.ok("POST", f"/sim/repos/{rig.owner.name}/forks", {"owner": "octo-stranger"})
    clone = rig.clone("stranger", "octo-stranger/invest")
    clone.write({"a": "1"})
    clone.push("HEAD:theirs")
    wanted = {"title": "a", "head": "octo-stranger:theirs", "base": "main"}
    rig.api("stranger").ok("POST", "pulls", wanted)
    rig.owner.ok("DELETE", "/sim/repos/octo-stranger/invest")
    assert rig.owner.get("pulls/1")["head"]["repo"] is None
    assert rig.owner.get("pulls?state=all")[0]["head"]["repo"] is None
    assert not contract.wrong
