"""Opening, listing, reviewing and merging pull requests."""

from __future__ import annotations

import pytest

from tests.forge.rig import Rig


def test_a_pull_request_is_opened_from_a_pushed_branch(rig: Rig) -> None:
    base = rig.main
    made = rig.pull({"plan.json": "{}\n"})
    shown = rig.owner.get(f"pulls/{made['number']}")
    assert shown["user"]["login"] == "octo-writer"
    assert shown["base"]["sha"] == base
    assert shown["mergeable_state"] == "clean"
    assert [one["filename"] for one in rig.owner.get("pulls/1/files")] == ["plan.json"]
    commits = rig.owner.get("pulls/1/commits")
    assert [one["sha"] for one in commits] == [shown["head"]["sha"]]
    assert commits[0]["author"]["login"] == "octo-writer"
    assert commits[0]["commit"]["verification"]["verified"] is False
    assert [one["number"] for one in rig.owner.get("pulls?state=open&base=main")] == [1]
    again = rig.api("writer").send("POST", "pulls", {"title": "a", "head": "plan", "base": "main"})
    assert again.status_code == 422
    assert "already exists" in again.text


def test_a_merge_is_a_commit_of_main_and_the_head(rig: Rig) -> None:
    base, made = rig.main, rig.pull({"plan.json": "{}\n"})
    done = rig.owner.ok("PUT", "pulls/1/merge", {"sha": made["head"]["sha"]})
    commit = rig.owner.get(f"commits/{done['sha']}")
    assert [one["sha"] for one in commit["parents"]] == [base, made["head"]["sha"]]
    assert commit["commit"]["message"] == "Merge pull request #1 from octo-owner/plan\n\nBUY 1"
    assert (commit["author"]["login"], commit["committer"]["login"]) == ("octo-owner", "web-flow")
    assert commit["commit"]["verification"]["verified"] is True
    assert rig.main == done["sha"]
    shown = rig.owner.get("pulls/1")
    assert (shown["merged"], shown["merged_by"]["login"]) == (True, "octo-owner")
    assert shown["merge_commit_sha"] == done["sha"]
    assert [one["number"] for one in rig.owner.get(f"commits/{done['sha']}/pulls")] == [1]
    names = [one["event"] for one in rig.owner.get("issues/1/timeline")]
    assert names == ["committed", "merged", "closed"]
    pushes = [one for one in rig.events("push") if one["payload"]["ref"] == "refs/heads/main"]
    assert pushes[-1]["payload"]["after"] == done["sha"]
    assert pushes[-1]["starts"]


@pytest.mark.parametrize(("method", "parents"), [("squash", 1), ("rebase", 1)])
def test_other_methods_leave_one_parent(rig: Rig, method: str, parents: int) -> None:
    rig.pull({"plan.json": "{}\n"})
    done = rig.owner.ok("PUT", "pulls/1/merge", {"merge_method": method})
    commit = rig.owner.get(f"commits/{done['sha']}")
    assert len(commit["parents"]) == parents
    assert commit["parents"][0]["sha"] != rig.owner.get("pulls/1")["head"]["sha"]


def test_a_merge_of_another_head_is_refused(rig: Rig) -> None:
    rig.pull({"plan.json": "{}\n"})
    answer = rig.owner.send("PUT", "pulls/1/merge", {"sha": "0" * 40})
    assert (answer.status_code, answer.json()["message"]) == (
        409,
        "Head branch was modified. Review and try the merge again.",
    )


def test_a_conflict_cannot_be_merged(rig: Rig) -> None:
    rig.pull({"README.md": "mine\n"})
    rig.push({"README.md": "yours\n"}, branch="main", who="owner")
    assert rig.owner.get("pulls/1")["mergeable"] is False
    assert rig.owner.send("PUT", "pulls/1/merge").status_code == 405


def test_reviews_keep_the_head_that_was_looked_at(rig: Rig) -> None:
    made = rig.pull({"plan.json": "{}\n"})
    own = rig.api("writer").send("POST", "pulls/1/reviews", {"event": "APPROVE"})
    assert own.status_code == 422
    rig.owner.ok("POST", "pulls/1/reviews", {"event": "APPROVE", "body": "fine"})
    rig.push({"plan.json": "[]\n"}, branch="plan", **{"from": "plan"})
    (review,) = rig.owner.get("pulls/1/reviews")
    assert (review["state"], review["commit_id"]) == ("APPROVED", made["head"]["sha"])
    assert rig.owner.get("pulls/1")["head"]["sha"] != made["head"]["sha"]
    names = [one["event"] for one in rig.owner.get("issues/1/timeline")]
    assert names == ["committed", "reviewed", "committed"]


def test_a_forced_push_is_in_the_timeline(rig: Rig) -> None:
    rig.pull({"plan.json": "{}\n"})
    clone = rig.clone("writer")
    clone.git("switch", "--quiet", "plan")
    clone.git("commit", "--quiet", "--amend", "--message", "other")
    clone.push("--force", "plan")
    events = rig.owner.get("issues/1/timeline")
    assert [one["event"] for one in events] == ["committed", "head_ref_force_pushed"]
    assert events[-1]["actor"]["login"] == "octo-writer"
    assert rig.events("pull_request")[-1]["action"] == "synchronize"


def test_a_push_that_holds_the_head_merges_too(rig: Rig) -> None:
    made = rig.pull({"plan.json": "{}\n"})
    clone = rig.clone("owner")
    clone.git("merge", "--quiet", "--no-ff", "--message", "by hand", made["head"]["sha"])
    clone.push("HEAD:main")
    shown = rig.owner.get("pulls/1")
    assert (shown["merged"], shown["merged_by"]["login"]) == (True, "octo-owner")
    assert shown["merge_commit_sha"] == rig.main


def test_a_closed_one_can_be_opened_again_unless_it_is_merged(rig: Rig) -> None:
    rig.pull({"plan.json": "{}\n"})
    assert rig.owner.ok("PATCH", "pulls/1", {"state": "closed"})["state"] == "closed"
    assert rig.owner.ok("PATCH", "pulls/1", {"state": "open"})["state"] == "open"
    rig.owner.ok("PUT", "pulls/1/merge")
    assert rig.owner.send("PATCH", "pulls/1", {"state": "open"}).status_code == 422


def test_a_branch_that_goes_closes_its_pull_request(rig: Rig) -> None:
    rig.pull({"plan.json": "{}\n"})
    rig.owner.ok("DELETE", "git/refs/heads/plan")
    assert rig.owner.get("pulls/1")["state"] == "closed"
    names = [one["event"] for one in rig.owner.get("issues/1/timeline")]
    assert names[-2:] == ["head_ref_deleted", "closed"]


def test_a_fork_may_ask_but_not_push(rig: Rig) -> None:
    rig.owner.ok("POST", f"/sim/repos/{rig.owner.name}/forks", {"owner": "octo-stranger"})
    clone = rig.clone("stranger", "octo-stranger/invest")
    clone.git("switch", "--quiet", "--create", "theirs")
    head = clone.write({"plan.json": "{}\n"})
    clone.push("theirs")
    wanted = {"title": "mine", "head": "octo-stranger:theirs", "base": "main"}
    made = rig.api("stranger").ok("POST", "pulls", wanted)
    assert made["head"]["repo"]["full_name"] == "octo-stranger/invest"
    assert rig.clone("owner").git("ls-remote", "origin", "refs/pull/1/head").split()[0] == head
    assert rig.api("stranger").send("PUT", "pulls/1/merge").status_code == 403
    rig.owner.ok("DELETE", "/sim/repos/octo-stranger/invest")
    assert rig.owner.get("pulls/1")["head"]["repo"] is None


def test_reviewers_are_asked(rig: Rig) -> None:
    rig.pull({"plan.json": "{}\n"})
    wanted = {"reviewers": ["octo-owner"]}
    made = rig.api("writer").ok("POST", "pulls/1/requested_reviewers", wanted)
    assert [one["login"] for one in made["requested_reviewers"]] == ["octo-owner"]
    stranger = {"reviewers": ["octo-stranger"]}
    refused = rig.api("writer").send("POST", "pulls/1/requested_reviewers", stranger)
    assert refused.status_code == 422
    assert rig.owner.get("issues/1/timeline")[-1]["event"] == "review_requested"


def test_pull_requests_of_a_commit(rig: Rig) -> None:
    made = rig.pull({"plan.json": "{}\n"})
    head = made["head"]["sha"]

    def numbers(commit: str) -> list[int]:
        return [one["number"] for one in rig.owner.get(f"commits/{commit}/pulls")]

    assert numbers(head) == [1]
    assert numbers(rig.main) == []
    rig.owner.ok("PATCH", "pulls/1", {"state": "closed"})
    assert numbers(head) == []
    rig.owner.ok("PATCH", "pulls/1", {"state": "open"})
    done = rig.owner.ok("PUT", "pulls/1/merge")
    assert numbers(head) == numbers(done["sha"]) == [1]
    rig.actions.commit("main", rig.main, additions={"result.json": "{}"})
    assert numbers(rig.main) == []


def test_a_merged_branch_goes_where_the_repository_says_so(rig: Rig) -> None:
    rig.owner.ok("PATCH", "", {"delete_branch_on_merge": True})
    rig.pull({"plan.json": "{}\n"})
    rig.owner.ok("PUT", "pulls/1/merge")
    assert rig.owner.send("GET", "git/ref/heads/plan").status_code == 404
    assert rig.owner.get("pulls/1")["merged"] is True
    assert rig.owner.get("pulls/1/files")[0]["filename"] == "plan.json"
    assert [one["payload"]["deleted"] for one in rig.events("push")][-1] is True


def test_a_draft_and_an_unknown_method_are_not_merged(rig: Rig) -> None:
    rig.push({"plan.json": "{}\n"}, branch="plan")
    wanted = {"title": "x", "head": "plan", "base": "main", "draft": True}
    rig.api("writer").ok("POST", "pulls", wanted)
    assert rig.owner.get("pulls/1")["mergeable_state"] == "draft"
    assert rig.owner.send("PUT", "pulls/1/merge").status_code == 405
    assert rig.owner.send("PUT", "pulls/1/merge", {"merge_method": "octopus"}).status_code == 422
    assert rig.api("reader").send("PUT", "pulls/1/merge").status_code == 403
    for content in (
        {"title": "x", "head": "nowhere", "base": "main"},
        {"title": "x", "head": "plan", "base": "nowhere"},
        {"title": "x", "head": "somebody:plan", "base": "main"},
        {"head": "plan", "base": "main"},
        {"title": "x", "head": "main", "base": "main"},
    ):
        assert rig.owner.send("POST", "pulls", content).status_code == 422
