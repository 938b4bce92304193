"""People, environments, variables, secrets and permissions."""

from __future__ import annotations

from tests.forge.rig import NAME, Api, Rig


def test_who_asks_is_told_unless_it_is_an_installation(rig: Rig) -> None:
    assert rig.owner.get("/user")["id"] == 1001
    refused = rig.actions.send("GET", "/user")
    assert refused.json()["message"] == "Resource not accessible by integration"
    assert rig.actions.get("/user/1002")["login"] == "octo-writer"
    assert rig.actions.send("GET", "/user/999").status_code == 404
    assert rig.actions.get("/users/octo-reader")["id"] == 1003
    assert rig.actions.get("/apps/autoinvestor-app")["id"] == 3001
    nobody = Api(rig.server.url, "wrong")
    assert nobody.send("GET", "").json()["message"] == "Bad credentials"


def test_rights_of_people(rig: Rig) -> None:
    def permission(login: str) -> str:
        return str(rig.actions.get(f"collaborators/{login}/permission")["permission"])

    roles = {one: permission(f"octo-{one}") for one in ("owner", "writer", "reader", "stranger")}
    assert roles == {"owner": "admin", "writer": "write", "reader": "read", "stranger": "read"}
    rig.owner.ok("PUT", f"/sim/repos/{NAME}/roles/octo-writer", {"role": "maintain"})
    shown = rig.actions.get("collaborators/octo-writer/permission")
    assert (shown["permission"], shown["role_name"]) == ("write", "maintain")
    rig.owner.ok("PUT", f"/sim/repos/{NAME}/plan", {"plan": "private_free"})
    assert permission("octo-stranger") == "none"
    assert rig.actions.send("GET", "collaborators/nobody/permission").status_code == 404
    listed = {one["login"]: one["role_name"] for one in rig.owner.get("collaborators")}
    assert listed == {"octo-owner": "admin", "octo-writer": "maintain", "octo-reader": "read"}


def test_an_environment_is_limited_to_main(rig: Rig) -> None:
    assert rig.owner.send("GET", "environments/sim").status_code == 404
    policy = {"protected_branches": False, "custom_branch_policies": True}
    made = rig.owner.ok("PUT", "environments/sim", {"deployment_branch_policy": policy})
    assert made["deployment_branch_policy"] == policy
    policies = "environments/sim/deployment-branch-policies"
    one = rig.owner.ok("POST", policies, {"name": "main"})
    assert rig.owner.send("POST", policies, {"name": "main"}).status_code == 303
    assert [each["name"] for each in rig.actions.get(policies)["branch_policies"]] == ["main"]
    reviewers = {"reviewers": [{"type": "User", "id": 1001}], "wait_timer": 5}
    both = {"deployment_branch_policy": policy, **reviewers}
    rules = rig.owner.ok("PUT", "environments/sim", both)["protection_rules"]
    assert [each["type"] for each in rules] == ["wait_timer", "required_reviewers", "branch_policy"]
    rig.owner.ok("DELETE", f"{policies}/{one['id']}")
    assert rig.owner.get(policies)["total_count"] == 0
    assert rig.owner.get("environments")["total_count"] == 1
    assert rig.api("writer").send("PUT", "environments/live", {}).status_code == 403


def test_secrets_are_listed_by_name_only(rig: Rig) -> None:
    rig.owner.ok("PUT", "environments/sim", {})
    secrets = f"/sim/repos/{NAME}/secrets"
    rig.owner.ok("PUT", f"{secrets}/ALPACA_API_KEY", {"environment": "sim"})
    rig.owner.ok("PUT", f"{secrets}/OTHER", {})
    inside = rig.owner.get("environments/sim/secrets")["secrets"]
    assert [(one["name"], "value" in one) for one in inside] == [("ALPACA_API_KEY", False)]
    assert rig.owner.get("actions/secrets")["secrets"][0]["name"] == "OTHER"
    refused = rig.actions.send("GET", "environments/sim/secrets")
    assert refused.status_code == 403


def test_variables_of_repository_and_environment(rig: Rig) -> None:
    rig.owner.ok("PUT", "environments/live", {})
    for folder in ("actions", "environments/live"):
        rig.owner.ok("POST", f"{folder}/variables", {"name": "MODE", "value": "sim"})
        again = rig.owner.send("POST", f"{folder}/variables", {"name": "MODE", "value": "x"})
        assert again.status_code == 409
        rig.owner.ok("PATCH", f"{folder}/variables/MODE", {"name": "MODE", "value": "paper"})
        assert rig.owner.get(f"{folder}/variables/MODE")["value"] == "paper"
        assert rig.owner.get(f"{folder}/variables")["total_count"] == 1
        assert rig.actions.send("GET", f"{folder}/variables").status_code == 403
    bad = {"name": "GITHUB_X", "value": "1"}
    assert rig.owner.send("POST", "actions/variables", bad).status_code == 422
    rig.owner.ok("DELETE", "actions/variables/MODE")
    assert rig.owner.send("GET", "actions/variables/MODE").status_code == 404


def test_permissions_of_actions(rig: Rig) -> None:
    shown = rig.owner.get("actions/permissions/workflow")
    assert shown == {
        "default_workflow_permissions": "read",
        "can_approve_pull_request_reviews": False,
    }
    wrong = rig.owner.send("PUT", "actions/permissions/workflow", {"everything": True})
    assert wrong.status_code == 422
    assert rig.owner.get("actions/permissions")["enabled"] is True
    assert rig.actions.send("GET", "actions/permissions").status_code == 403
    assert rig.owner.send("GET", "pages").status_code == 404


def test_a_private_free_repository_has_no_environments(rig: Rig) -> None:
    rig.owner.ok("PUT", f"/sim/repos/{NAME}/plan", {"plan": "private_free"})
    refused = rig.owner.send("PUT", "environments/live", {})
    assert (refused.status_code, refused.json()["message"][:21]) == (403, "Upgrade to GitHub Pro")
    assert rig.owner.send("GET", "environments/live").status_code == 404
    assert rig.owner.get("environments")["total_count"] == 0


def test_a_stranger_sees_nothing_of_a_private_repository(rig: Rig) -> None:
    rig.owner.ok("PUT", f"/sim/repos/{NAME}/plan", {"plan": "private_paid"})
    for who in (rig.api("stranger"), Api(rig.server.url, None)):
        for path in ("", "pulls", "commits/main/statuses", "rulesets"):
            assert who.send("GET", path).status_code == 404
    made = {"id": 7001, "login": "octo-new", "token": "new-token"}
    rig.owner.ok("POST", "/sim/accounts", made)
    rig.owner.ok("PUT", f"/sim/repos/{NAME}/roles/octo-new", {"role": "triage"})
    assert Api(rig.server.url, "new-token").get("")["permissions"]["triage"] is True


def test_a_token_may_less_than_its_account(rig: Rig) -> None:
    scopes = {"contents": "read", "metadata": "read"}
    token = {"id": 41898282, "login": "github-actions[bot]", "type": "Bot", "app": 15368}
    rig.owner.ok("POST", "/sim/accounts", {**token, "token": "weak", "scopes": scopes})
    weak = Api(rig.server.url, "weak")
    assert weak.get("pulls") == []
    refused = weak.send("POST", f"statuses/{rig.main}", {"state": "success"})
    assert (refused.status_code, refused.json()["message"]) == (
        403,
        "Resource not accessible by integration",
    )
    rig.owner.ok("PUT", f"/sim/repos/{NAME}/plan", {"plan": "private_paid"})
    assert weak.send("GET", "pulls").status_code == 403


def test_a_comment_on_a_pull_request_takes_either_right(rig: Rig) -> None:
    rig.pull({"plan.json": "{}\n"})
    rig.owner.ok("POST", "issues", {"title": "a"})
    scopes = {"pull_requests": "write", "metadata": "read"}
    token = {"id": 41898282, "login": "github-actions[bot]", "type": "Bot", "app": 15368}
    rig.owner.ok("POST", "/sim/accounts", {**token, "token": "half", "scopes": scopes})
    half = Api(rig.server.url, "half")
    made = half.ok("POST", "issues/1/comments", {"body": "x"})
    half.ok("PATCH", f"issues/comments/{made['id']}", {"body": "y"})
    half.ok("POST", "issues/1/labels", {"labels": ["plan"]})
    assert half.send("POST", "issues/2/comments", {"body": "x"}).status_code == 403
