"""Rulesets: what they refuse over the API and over git."""

from __future__ import annotations

from typing import Any

from tests.forge.rig import Rig

MAIN = {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}}


def ruleset(*rules: dict[str, Any], name: str = "history", **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "target": "branch",
        "enforcement": "active",
        "conditions": MAIN,
        "rules": list(rules),
        **more,
    }


def checks(*contexts: str, app: int | None = None) -> dict[str, Any]:
    required = [
        {"context": one, **({} if app is None else {"integration_id": app})} for one in contexts
    ]
    parameters = {
        "strict_required_status_checks_policy": False,
        "required_status_checks": required,
    }
    return {"type": "required_status_checks", "parameters": parameters}


PULL_REQUEST = {
    "type": "pull_request",
    "parameters": {
        "required_approving_review_count": 1,
        "dismiss_stale_reviews_on_push": True,
        "require_code_owner_review": False,
        "require_last_push_approval": False,
        "required_review_thread_resolution": False,
        "allowed_merge_methods": ["merge"],
    },
}
HISTORY = ruleset({"type": "non_fast_forward"}, {"type": "deletion"})


def test_a_ruleset_is_made_read_and_replaced(rig: Rig) -> None:
    made = rig.owner.ok("POST", "rulesets", HISTORY)
    (listed,) = rig.actions.get("rulesets")
    assert "rules" not in listed
    assert rig.actions.get(f"rulesets/{made['id']}")["rules"] == HISTORY["rules"]
    assert "bypass_actors" not in rig.actions.get(f"rulesets/{made['id']}")
    assert rig.owner.get(f"rulesets/{made['id']}")["bypass_actors"] == []
    rig.owner.ok("PUT", f"rulesets/{made['id']}", {**HISTORY, "enforcement": "disabled"})
    assert rig.owner.get(f"rulesets/{made['id']}")["enforcement"] == "disabled"
    assert rig.owner.send("POST", "rulesets", HISTORY).status_code == 422
    assert rig.api("writer").send("POST", "rulesets", HISTORY).status_code == 403
    assert rig.owner.send("GET", "rulesets/1").status_code == 404


def test_the_actions_app_cannot_be_let_pass(rig: Rig) -> None:
    actor = {"actor_type": "Integration", "actor_id": 15368, "bypass_mode": "always"}
    refused = rig.owner.send("POST", "rulesets", {**HISTORY, "bypass_actors": [actor]})
    assert refused.status_code == 422


def test_a_rule_without_its_parameters_is_refused(rig: Rig) -> None:
    bare = {"type": "pull_request", "parameters": {"required_approving_review_count": 1}}
    refused = rig.owner.send("POST", "rulesets", ruleset(bare))
    assert (refused.status_code, refused.json()["message"][:16]) == (422, "Invalid request.")
    nameless = {key: value for key, value in HISTORY.items() if key != "name"}
    assert rig.owner.send("POST", "rulesets", nameless).status_code == 422


def test_a_private_free_repository_has_none(rig: Rig) -> None:
    rig.owner.ok("PUT", f"/sim/repos/{rig.owner.name}/plan", {"plan": "private_free"})
    for answer in (rig.owner.send("GET", "rulesets"), rig.owner.send("POST", "rulesets", HISTORY)):
        assert answer.status_code == 403
        assert answer.json()["message"].startswith("Upgrade to GitHub Pro")
    rig.owner.ok("PUT", f"/sim/repos/{rig.owner.name}/plan", {"plan": "private_paid"})
    rig.owner.ok("POST", "rulesets", HISTORY)


def test_history_cannot_be_rewritten_by_git_or_api(rig: Rig) -> None:
    rig.owner.ok("POST", "rulesets", HISTORY)
    clone = rig.clone("owner")
    old = clone.git("rev-parse", "HEAD")
    new = clone.write({"a": "1"})
    clone.push("HEAD:main")
    clone.git("reset", "--quiet", "--hard", old)
    clone.write({"a": "2"})
    printed = clone.push("--force", "HEAD:main", check=False)
    assert "GH013" in printed
    assert "Cannot force-push to this branch" in printed
    assert rig.main == new
    forced = rig.owner.send("PATCH", "git/refs/heads/main", {"sha": old, "force": True})
    assert forced.status_code == 422
    clone.push("HEAD:refs/heads/side")
    clone.git("commit", "--quiet", "--amend", "--message", "again")
    clone.push("--force", "HEAD:refs/heads/side")


def test_a_required_status_is_pinned_to_its_app(rig: Rig) -> None:
    rig.owner.ok("POST", "rulesets", ruleset(checks("plan/schema", app=15368), name="approval"))
    made = rig.pull({"plan.json": "{}\n"})
    head = made["head"]["sha"]
    assert rig.owner.get("pulls/1")["mergeable_state"] == "blocked"
    rig.mark(head, "plan/schema", who="writer")
    refused = rig.owner.send("PUT", "pulls/1/merge")
    assert refused.status_code == 405
    assert 'Required status check "plan/schema" is expected.' in refused.json()["message"]
    rig.mark(head, "plan/schema")
    rig.actions.ok("POST", f"statuses/{head}", {"state": "failure", "context": "plan/schema"})
    assert rig.owner.send("PUT", "pulls/1/merge").status_code == 405
    rig.mark(head, "plan/schema")
    rig.owner.ok("PUT", "pulls/1/merge")


def test_a_direct_push_is_refused_where_a_pull_request_is_required(rig: Rig) -> None:
    bypass = [{"actor_type": "RepositoryRole", "actor_id": 5, "bypass_mode": "always"}]
    rig.owner.ok("POST", "rulesets", ruleset(PULL_REQUEST, bypass_actors=bypass))
    clone = rig.clone("writer")
    clone.write({"a": "1"})
    assert "Changes must be made through a pull request" in clone.push("HEAD:main", check=False)
    owner = rig.clone("owner")
    owner.write({"b": "1"})
    owner.push("HEAD:main")
    rig.pull({"plan.json": "{}\n"})
    assert "approving review" in rig.api("writer").send("PUT", "pulls/1/merge").text
    rig.owner.ok("POST", "pulls/1/reviews", {"event": "REQUEST_CHANGES", "body": "no"})
    assert "Changes have been requested" in rig.api("writer").send("PUT", "pulls/1/merge").text
    rig.owner.ok("POST", "pulls/1/reviews", {"event": "APPROVE"})
    squashed = rig.api("writer").send("PUT", "pulls/1/merge", {"merge_method": "squash"})
    assert squashed.status_code == 405
    rig.api("writer").ok("PUT", "pulls/1/merge")
