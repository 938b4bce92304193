"""Statuses, refs, commits, files and the repository itself."""

from __future__ import annotations

from tests.forge.rig import Rig


def test_statuses_are_kept_newest_first_with_their_creator(rig: Rig) -> None:
    head = rig.main
    for state in ("pending", "failure", "success"):
        wanted = {"state": state, "context": "plan/schema", "description": state}
        rig.actions.ok("POST", f"statuses/{head}", wanted)
    rig.api("writer").ok("POST", f"statuses/{head}", {"state": "error", "context": "plan/scope"})
    found = rig.owner.get(f"commits/{head}/statuses?per_page=100")
    assert [one["state"] for one in found] == ["error", "success", "failure", "pending"]
    assert [one["creator"]["id"] for one in found] == [1002, *[41898282] * 3]
    combined = rig.owner.get("commits/main/status")
    assert combined["state"] == "failure"
    assert {one["context"] for one in combined["statuses"]} == {"plan/schema", "plan/scope"}


def test_a_status_has_limits(rig: Rig) -> None:
    head = rig.main
    long = {"state": "success", "context": "a", "description": "x" * 141}
    refused = rig.actions.send("POST", f"statuses/{head}", long)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "description"
    rig.actions.ok("POST", f"statuses/{head}", {**long, "description": "x" * 140})
    assert rig.actions.send("POST", f"statuses/{head}", {"state": "green"}).status_code == 422
    nowhere = rig.actions.send("POST", f"statuses/{'0' * 40}", {"state": "success"})
    assert "No commit found for SHA" in nowhere.text


def test_a_person_without_write_may_not_set_a_status(rig: Rig) -> None:
    answer = rig.api("reader").send("POST", f"statuses/{rig.main}", {"state": "success"})
    assert answer.status_code == 403
    assert rig.api("reader").get("")["permissions"]["push"] is False
    assert "allow_merge_commit" not in rig.api("reader").get("")


def test_branches_come_move_and_go(rig: Rig) -> None:
    head = rig.main
    made = rig.actions.ok("POST", "git/refs", {"ref": "refs/heads/plan/one", "sha": head})
    assert made["object"]["sha"] == head
    again = rig.actions.send("POST", "git/refs", {"ref": "refs/heads/plan/one", "sha": head})
    assert (again.status_code, again.json()["message"]) == (422, "Reference already exists")
    assert rig.owner.get("git/ref/heads/plan/one")["object"]["sha"] == head
    assert rig.owner.send("GET", "git/ref/heads/plan").status_code == 404
    assert len(rig.owner.get("git/matching-refs/heads/plan")) == 1
    assert rig.owner.get("branches/plan/one")["commit"]["sha"] == head
    rig.actions.ok("DELETE", "git/refs/heads/plan/one")
    gone = rig.actions.send("DELETE", "git/refs/heads/plan/one")
    assert gone.json()["message"] == "Reference does not exist"


def test_a_ref_moves_forward_only_unless_forced(rig: Rig) -> None:
    clone = rig.clone("owner")
    first = rig.main
    second = clone.write({"a": "1"})
    clone.push("HEAD:refs/heads/side")
    rig.owner.ok("PATCH", "git/refs/heads/main", {"sha": second})
    back = rig.owner.send("PATCH", "git/refs/heads/main", {"sha": first})
    assert (back.status_code, back.json()["message"]) == (422, "Update is not a fast forward")
    rig.owner.ok("PATCH", "git/refs/heads/main", {"sha": first, "force": True})
    assert rig.main == first


def test_commits_and_files_are_read(rig: Rig) -> None:
    clone = rig.clone("writer")
    clone.write({"a b.txt": "1\n", "README.md": "Two\nlines\n"})
    clone.git("mv", "a b.txt", "c.txt")
    clone.git("commit", "--quiet", "--message", "rename")
    clone.push("HEAD:main")
    whole = rig.owner.get("commits/main")
    assert whole["files"][0]["previous_filename"] == "a b.txt"
    assert (whole["files"][0]["filename"], whole["files"][0]["status"]) == ("c.txt", "renamed")
    assert len(rig.owner.get("commits?per_page=2")) == 2
    assert rig.owner.get("contents/README.md?ref=main")["size"] == 10
    assert rig.owner.send("GET", "contents/nothing").status_code == 404
    assert rig.owner.send("GET", f"commits/{'1' * 40}").status_code == 422


def test_lists_come_in_pages_with_links(rig: Rig) -> None:
    head = rig.main
    for number in range(5):
        rig.mark(head, f"c{number}")
    first = rig.owner.send("GET", f"commits/{head}/statuses?per_page=2")
    assert [one["context"] for one in first.json()] == ["c4", "c3"]
    assert first.links["next"]["url"].endswith("per_page=2&page=2")
    last = rig.owner.send("GET", f"commits/{head}/statuses?per_page=2&page=3")
    assert [one["context"] for one in last.json()] == ["c0"]
    assert set(last.links) == {"prev", "first"}


def test_settings_are_changed_by_an_administrator_only(rig: Rig) -> None:
    wanted = {"allow_squash_merge": False, "delete_branch_on_merge": True}
    assert rig.owner.ok("PATCH", "", wanted)["allow_squash_merge"] is False
    assert rig.api("writer").send("PATCH", "", wanted).status_code == 403
    refused = rig.actions.send("PATCH", "", wanted)
    assert refused.json()["message"] == "Resource not accessible by integration"
    rig.pull({"plan.json": "{}\n"})
    off = rig.owner.send("PUT", "pulls/1/merge", {"merge_method": "squash"})
    assert (off.status_code, off.json()["message"]) == (
        405,
        "Squash merges are not allowed on this repository.",
    )
    rig.owner.ok("PUT", "pulls/1/merge")
    assert rig.owner.send("GET", "branches/plan").status_code == 404
