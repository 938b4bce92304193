"""What starts workflows and what does not; dispatches and runs."""

from __future__ import annotations

import json
from pathlib import Path

from tests.forge.records import Dispatch
from tests.forge.rig import Clone, Rig
from tests.forge.server import ForgeServer


def test_what_a_workflows_token_does_starts_no_workflow_but_a_dispatch(rig: Rig) -> None:
    rig.actions.commit("main", rig.main, additions={"a": "1"})
    rig.owner.ok("POST", "issues", {"title": "x"})
    rig.actions.ok("POST", "issues/1/comments", {"body": "done"})
    rig.actions.ok(
        "POST",
        "actions/workflows/validate.yml/dispatches",
        {
            "ref": "main",
            "inputs": {"pull_request": "7"},
        },
    )
    found = [(one["event"], one["starts"], one["by_token"]) for one in rig.events()]
    assert found == [
        ("push", False, True),
        ("issues", True, False),
        ("issue_comment", False, True),
        ("workflow_dispatch", True, True),
    ]


def test_a_merge_by_a_workflows_token_starts_nothing(rig: Rig) -> None:
    rig.pull({"plan.json": "{}\n"})
    before = rig.events()[-1]["id"]
    rig.actions.ok("PUT", "pulls/1/merge")
    after = rig.events(after=before)
    assert {one["event"] for one in after} == {"pull_request", "push"}
    assert not any(one["starts"] for one in after)


def test_a_pull_request_of_a_workflows_token_waits_for_a_person(rig: Rig) -> None:
    rig.actions.ok("POST", "git/refs", {"ref": "refs/heads/plan", "sha": rig.main})
    rig.actions.commit("plan", rig.main, additions={"plan.json": "{}"})
    wanted = {"title": "BUY 1", "head": "plan", "base": "main"}
    refused = rig.actions.send("POST", "pulls", wanted)
    assert refused.json()["message"] == (
        "GitHub Actions is not permitted to create or approve pull requests."
    )
    allowed = {"default_workflow_permissions": "read", "can_approve_pull_request_reviews": True}
    rig.owner.ok("PUT", "actions/permissions/workflow", allowed)
    rig.actions.ok("POST", "pulls", wanted)
    opened = rig.events("pull_request")[-1]
    assert (opened["starts"], opened["why_not"]) == (
        False,
        "waits until a person approves the run",
    )
    rig.actions.ok("PATCH", "pulls/1", {"state": "closed"})
    rig.api("app").ok("POST", "pulls", wanted)
    assert rig.events("pull_request")[-1]["starts"]


def test_words_in_a_commit_message_suppress_workflows(rig: Rig) -> None:
    rig.pull({"plan.json": "{}\n"}, title="a plan [skip ci]")
    rig.owner.ok("PUT", "pulls/1/merge")
    push = rig.events("push")[-1]
    assert push["payload"]["head_commit"]["message"].endswith("[skip ci]")
    assert (push["starts"], push["why_not"]) == (False, "the commit message skips workflows")


def test_a_push_is_told_as_github_tells_it(rig: Rig) -> None:
    old = rig.main
    clone = rig.clone("writer")
    new = clone.write({"a.txt": "1", "README.md": "two\n"}, "subject\n\nbody")
    clone.push("HEAD:main")
    (push,) = rig.events("push")
    payload = push["payload"]
    assert (payload["ref"], payload["before"], payload["after"]) == ("refs/heads/main", old, new)
    assert (payload["created"], payload["deleted"], payload["forced"]) == (False, False, False)
    (commit,) = payload["commits"]
    assert (commit["added"], commit["modified"]) == (["a.txt"], ["README.md"])
    assert commit["author"]["username"] == "octo-writer"
    assert payload["pusher"]["name"] == payload["sender"]["login"] == "octo-writer"


def test_a_dispatch_is_held_to_the_inputs_of_its_file(rig: Rig) -> None:
    path = "actions/workflows/validate.yml/dispatches"
    cases: list[tuple[dict[str, object], str]] = [
        ({"ref": "main", "inputs": {"pull_request": "7", "x": "1"}}, "Unexpected inputs provided"),
        ({"ref": "main"}, "Required input 'pull_request' not provided"),
        ({"ref": "nowhere", "inputs": {"pull_request": "7"}}, "No ref found for: nowhere"),
        ({"ref": "main", "inputs": {"pull_request": "x" * 65_536}}, "inputs are too large"),
    ]
    for content, message in cases:
        refused = rig.actions.send("POST", path, content)
        assert refused.status_code == 422
        assert message in refused.json()["message"]
    assert rig.actions.send("POST", path.replace("validate", "no"), cases[0][0]).status_code == 404
    wanted = {"ref": "main", "inputs": {"pull_request": "7"}}
    assert rig.api("reader").send("POST", path, wanted).status_code == 403
    assert rig.owner.get("/sim/dispatches") == []


def test_a_dispatch_is_recorded_run_and_found_by_its_name(rig: Rig) -> None:
    heard: list[Dispatch] = []
    rig.server.state.on_dispatch = heard.append
    path = "actions/workflows/validate.yml"
    wanted = {"ref": "main", "inputs": {"pull_request": "7"}, "return_run_details": True}
    made = rig.actions.ok("POST", f"{path}/dispatches", wanted)
    rig.server.settle()
    assert [(one.workflow, one.inputs) for one in heard] == [
        ("validate.yml", {"pull_request": "7"})
    ]
    found = rig.actions.get(f"{path}/runs?created=%3E=2020-01-01T00:00:00Z")
    (run,) = found["workflow_runs"]
    assert (run["id"], run["display_title"]) == (made["workflow_run_id"], "validate #7")
    assert (run["status"], run["event"]) == ("queued", "workflow_dispatch")
    change = {"status": "completed", "conclusion": "success"}
    rig.owner.ok("PATCH", f"/sim/repos/{rig.owner.name}/runs/{run['id']}", change)
    assert rig.actions.get(f"{path}/runs?status=queued")["total_count"] == 0
    assert rig.actions.get(f"{path}/runs?created=%3C2020-01-01")["total_count"] == 0
    assert rig.actions.get(path)["name"] == "validate"
    assert rig.actions.get("actions/workflows")["total_count"] == 1
    payload = rig.events("workflow_dispatch")[-1]["payload"]
    assert payload["inputs"] == {"pull_request": "7"}


def test_payloads_are_written_for_what_starts_workflows(tmp_path: Path) -> None:
    events = tmp_path / "events"
    with ForgeServer(tmp_path, events=events) as server:
        who = ("Olivia", "olivia@example.com")
        clone = Clone(server.git_url(), tmp_path / "work", "owner-token", who)
        clone.write({"a": "1"})
        clone.push("HEAD:main")
        clone.write({"a": "2"}, "quiet [no ci]")
        clone.push("HEAD:main")
    (path,) = events.glob("*.json")
    assert path.name == "0001-push.json"
    assert json.loads(path.read_text())["created"] is True
    lines = [json.loads(one) for one in (events / "events.jsonl").read_text().splitlines()]
    assert [(one["starts"], one["file"]) for one in lines] == [(True, path.name), (False, "")]
