"""Issues, comments, labels and timelines."""

from __future__ import annotations

from tests.forge.rig import Rig


def test_an_issue_is_opened_found_by_label_and_closed(rig: Rig) -> None:
    wanted = {"title": "Look", "body": "<!-- marker -->", "labels": ["needs-person"]}
    made = rig.actions.ok("POST", "issues", wanted)
    assert made["number"] == 1
    assert rig.actions.get("issues?labels=needs-person&state=open")[0]["title"] == "Look"
    assert rig.actions.get("issues?labels=needs-person,other") == []
    rig.actions.ok("PATCH", "issues/1", {"state": "closed"})
    assert rig.actions.get("issues?labels=needs-person&state=open") == []
    shown = rig.owner.get("issues/1")
    assert (shown["state"], shown["closed_by"]["id"]) == ("closed", 41898282)
    names = [one["event"] for one in rig.owner.get("issues/1/timeline")]
    assert names == ["labeled", "closed"]


def test_a_comment_is_kept_and_rewritten(rig: Rig) -> None:
    rig.pull({"plan.json": "{}\n"})
    made = rig.actions.ok("POST", "issues/1/comments", {"body": "<!-- sticky -->\nfirst"})
    rig.actions.ok("PATCH", f"issues/comments/{made['id']}", {"body": "second"})
    (shown,) = rig.owner.get("issues/1/comments")
    assert (shown["body"], shown["user"]["type"]) == ("second", "Bot")
    assert rig.owner.get(f"issues/comments/{made['id']}")["id"] == made["id"]
    other = rig.api("reader").send("PATCH", f"issues/comments/{made['id']}", {"body": "mine"})
    assert other.status_code == 403
    assert rig.owner.get("issues/1/timeline")[-1]["event"] == "commented"


def test_a_comment_has_a_limit(rig: Rig) -> None:
    rig.owner.ok("POST", "issues", {"title": "a"})
    rig.owner.ok("POST", "issues/1/comments", {"body": "x" * 65_536})
    assert rig.owner.send("POST", "issues/1/comments", {"body": "x" * 65_537}).status_code == 422
    assert rig.owner.send("POST", "issues/1/comments", {"body": " "}).status_code == 422
    assert rig.owner.send("POST", "issues/9/comments", {"body": "x"}).status_code == 404


def test_anybody_may_comment_in_public_and_nobody_unseen_in_private(rig: Rig) -> None:
    rig.owner.ok("POST", "issues", {"title": "a", "labels": ["plan"]})
    rig.api("stranger").ok("POST", "issues/1/comments", {"body": "/halt"})
    rig.api("stranger").ok("POST", "issues", {"title": "b", "labels": ["halt"]})
    assert rig.owner.get("issues/2")["labels"] == []
    told = rig.events("issue_comment")[-1]
    assert (told["payload"]["comment"]["body"], told["actor"]) == ("/halt", "octo-stranger")
    assert told["payload"]["comment"]["author_association"] == "NONE"
    rig.owner.ok("PUT", f"/sim/repos/{rig.owner.name}/plan", {"plan": "private_free"})
    hidden = rig.api("stranger").send("POST", "issues/1/comments", {"body": "/halt"})
    assert hidden.status_code == 404


def test_labels_are_made_set_and_told(rig: Rig) -> None:
    rig.owner.ok("POST", "labels", {"name": "halt", "color": "ff0000", "description": "Stop"})
    again = rig.owner.send("POST", "labels", {"name": "Halt"})
    assert again.json()["errors"][0]["code"] == "already_exists"
    rig.owner.ok("PATCH", "labels/halt", {"color": "00ff00"})
    assert rig.owner.get("labels/halt")["color"] == "00ff00"
    rig.owner.ok("POST", "issues", {"title": "a"})
    made = rig.owner.ok("POST", "issues/1/labels", {"labels": ["halt", "strategy: momentum"]})
    assert [one["name"] for one in made] == ["halt", "strategy: momentum"]
    assert len(rig.owner.get("labels")) == 2
    rig.owner.ok("POST", "issues", {"title": "b", "labels": ["halt"]})
    assert [one["action"] for one in rig.events("issues")[-2:]] == ["opened", "labeled"]
    told = [one for one in rig.events("issues") if one["action"] == "labeled"]
    assert told[0]["payload"]["label"]["name"] == "halt"
    assert rig.api("reader").send("POST", "issues/1/labels", {"labels": ["x"]}).status_code == 403
    rig.owner.ok("DELETE", "issues/1/labels/halt")
    gone = rig.owner.send("DELETE", "issues/1/labels/halt")
    assert (gone.status_code, gone.json()["message"]) == (404, "Label does not exist")
