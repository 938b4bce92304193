"""`createCommitOnBranch` as a compare-and-swap, and merges that are armed."""

from __future__ import annotations

from tests.forge.rig import Rig
from tests.forge.test_rulesets import PULL_REQUEST

ARM = (
    "mutation Q($input: EnablePullRequestAutoMergeInput!) { enablePullRequestAutoMerge"
    "(input: $input) { pullRequest { number autoMergeRequest { enabledBy { login } } } } }"
)
DISARM = (
    "mutation Q($input: DisablePullRequestAutoMergeInput!) { disablePullRequestAutoMerge"
    "(input: $input) { clientMutationId } }"
)
CHECKS = {
    "name": "approval",
    "enforcement": "active",
    "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}},
    "rules": [
        {
            "type": "required_status_checks",
            "parameters": {
                "strict_required_status_checks_policy": False,
                "required_status_checks": [{"context": "plan/schema"}],
            },
        }
    ],
}


def test_a_commit_is_signed_by_github_and_authored_by_who_asks(rig: Rig) -> None:
    head = rig.main
    words = {"headline": "Validate plan", "body": "Plan-Digest: ab"}
    done = rig.actions.commit("main", head, additions={"a/b.json": "{}\n"}, message=words)
    commit = done["data"]["createCommitOnBranch"]["commit"]
    assert set(commit) == {"oid", "url"}
    shown = rig.owner.get(f"commits/{commit['oid']}")
    assert [one["sha"] for one in shown["parents"]] == [head]
    assert (shown["author"]["id"], shown["committer"]["login"]) == (41898282, "web-flow")
    assert shown["commit"]["verification"]["verified"] is True
    assert shown["commit"]["message"] == "Validate plan\n\nPlan-Digest: ab"
    assert rig.main == commit["oid"]
    clone = rig.clone("reader")
    assert (clone.path / "a" / "b.json").read_text() == "{}\n"
    assert "github-actions[bot]" in clone.git("log", "-1", "--format=%an")


def test_a_copied_signature_is_no_signature(rig: Rig) -> None:
    rig.actions.commit("main", rig.main, additions={"a": "1"})
    clone = rig.clone("owner")
    raw = clone.git("cat-file", "commit", "HEAD")
    forged = raw.replace("Validate plan", "Complete plan") + "\n"
    (clone.path / "forged").write_text(forged)
    sha = clone.git("hash-object", "-t", "commit", "-w", "forged")
    clone.push(f"{sha}:refs/heads/forged")
    checked = rig.owner.get(f"commits/{sha}")["commit"]["verification"]
    assert (checked["verified"], checked["reason"]) == (False, "unknown_key")


def test_a_stale_head_changes_nothing(rig: Rig) -> None:
    head = rig.main
    rig.actions.commit("main", head, additions={"a": "1"})
    moved = rig.main
    done = rig.actions.commit("main", head, additions={"a": "2"})
    assert done["data"] == {"createCommitOnBranch": None}
    (error,) = done["errors"]
    assert error["type"] == "STALE_DATA"
    assert error["message"] == (
        f'Expected branch to point to "{head}" but it did not.  Pull and try again.'
    )
    assert rig.main == moved


def test_deletions_must_be_there_and_paths_be_sound(rig: Rig) -> None:
    head = rig.main
    gone = rig.actions.commit("main", head, deletions=["nothing.json"])
    assert "requested for deletion which does not exist" in gone["errors"][0]["message"]
    for path in ("../a", "/a", "a//b", ".git/config", "README.md/inside"):
        assert "errors" in rig.actions.commit("main", head, additions={path: "x"})
    done = rig.actions.commit("main", head, deletions=["README.md"], additions={"b": "1"})
    assert "errors" not in done
    files = rig.owner.get(f"commits/{rig.main}")["files"]
    assert {one["filename"]: one["status"] for one in files} == {
        "README.md": "removed",
        "b": "added",
    }


def test_who_may_not_write_may_not_commit(rig: Rig) -> None:
    head = rig.main
    reader = rig.api("reader").commit("main", head, additions={"a": "1"})
    assert reader["errors"][0]["type"] == "FORBIDDEN"
    missing = rig.actions.commit("nowhere", head, additions={"a": "1"})
    assert missing["errors"][0]["type"] == "NOT_FOUND"
    path = ".github/workflows/validate.yml"
    workflow = rig.actions.commit("main", head, additions={path: "on: push"})
    assert "without `workflows` permission" in workflow["errors"][0]["message"]
    assert rig.main == head


def test_rules_hold_for_commits_too_except_for_who_is_let_pass(rig: Rig) -> None:
    bypass = [{"actor_type": "Integration", "actor_id": 3001, "bypass_mode": "always"}]
    rig.owner.ok("POST", "rulesets", {**CHECKS, "rules": [PULL_REQUEST], "bypass_actors": bypass})
    refused = rig.actions.commit("main", rig.main, additions={"a": "1"})
    assert "Changes must be made through a pull request." in refused["errors"][0]["message"]
    assert "errors" not in rig.api("app").commit("main", rig.main, additions={"a": "1"})


def test_an_armed_merge_happens_by_itself_in_the_name_of_who_armed_it(rig: Rig) -> None:
    rig.owner.ok("PATCH", "", {"allow_auto_merge": True})
    rig.owner.ok("POST", "rulesets", CHECKS)
    made = rig.pull({"plan.json": "{}\n"})
    armed = rig.owner.graphql(ARM, {"input": {"pullRequestId": made["node_id"]}})
    assert "errors" not in armed
    assert rig.owner.get("pulls/1")["auto_merge"]["enabled_by"]["login"] == "octo-owner"
    unseen = rig.push({"plan.json": "[]\n"}, branch="plan", **{"from": "plan"})
    rig.mark(unseen, "plan/schema")
    shown = rig.owner.get("pulls/1")
    assert (shown["merged"], shown["merged_by"]["login"]) == (True, "octo-owner")
    names = [one["event"] for one in rig.owner.get("issues/1/timeline")]
    assert names == ["committed", "auto_merge_enabled", "committed", "merged", "closed"]


def test_an_armed_merge_can_be_taken_back(rig: Rig) -> None:
    rig.owner.ok("PATCH", "", {"allow_auto_merge": True})
    made = rig.pull({"plan.json": "{}\n"})
    wanted = {"input": {"pullRequestId": made["node_id"]}}
    assert "clean status" in rig.owner.graphql(ARM, wanted)["errors"][0]["message"]
    rig.owner.ok("POST", "rulesets", CHECKS)
    rig.owner.graphql(ARM, wanted)
    rig.owner.graphql(DISARM, wanted)
    rig.mark(made["head"]["sha"], "plan/schema")
    shown = rig.owner.get("pulls/1")
    assert (shown["merged"], shown["auto_merge"]) == (False, None)


def test_what_is_not_served_is_an_error(rig: Rig) -> None:
    viewer = rig.owner.graphql("query { viewer { login } }", {})
    assert viewer == {"data": {"viewer": {"login": "octo-owner"}}}
    for query in ("{ viewer { shoeSize } }", "{ everything { id } }", "{ viewer"):
        assert "errors" in rig.owner.graphql(query, {})
