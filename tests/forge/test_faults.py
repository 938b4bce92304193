"""Faults that are asked for, as a client sees them."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.forge.rig import Rig


def arm(rig: Rig, kind: str, **more: Any) -> None:
    rig.owner.ok("POST", "/sim/faults", {"kind": kind, **more})


def test_an_act_may_be_done_or_not_behind_a_bad_gateway(rig: Rig) -> None:
    rig.owner.ok("POST", "issues", {"title": "a"})
    for kind, count in (("bad_gateway_before", 0), ("bad_gateway_after", 1)):
        arm(rig, kind, match={"method": "POST", "path": "*/comments"})
        lost = rig.owner.send("POST", "issues/1/comments", {"body": kind})
        assert (lost.status_code, lost.headers["Content-Type"]) == (502, "text/html")
        assert len(rig.owner.get("issues/1/comments")) == count
    shown = rig.owner.get("/sim/faults")
    assert [(one["seen"], one["fired"]) for one in shown] == [(2, 1), (1, 1)]
    rig.owner.ok("DELETE", "/sim/faults")
    assert rig.owner.get("/sim/faults") == []


def test_a_commit_may_be_lost_after_it_was_made(rig: Rig) -> None:
    head = rig.main
    arm(rig, "drop_after", match={"body": "*createCommitOnBranch*"})
    with pytest.raises(requests.ConnectionError):
        rig.actions.commit("main", head, additions={"a": "1"})
    assert rig.owner.get(f"commits/{rig.main}")["parents"][0]["sha"] == head
    arm(rig, "drop_before", match={"body": "*createCommitOnBranch*"})
    before = rig.main
    with pytest.raises(requests.ConnectionError):
        rig.actions.commit("main", before, additions={"a": "2"})
    assert rig.main == before


def test_a_race_that_is_lost_at_the_last_moment_has_its_own_words(rig: Rig) -> None:
    head = rig.main
    arm(rig, "lost_race")
    (error,) = rig.actions.commit("main", head, additions={"a": "1"})["errors"]
    assert "but expected" in error["message"]
    assert error["type"] != "STALE_DATA"
    assert rig.main == head


def test_an_answer_may_come_too_late_or_torn(rig: Rig) -> None:
    arm(rig, "timeout_after", seconds=5, match={"method": "POST"})
    with pytest.raises(requests.Timeout):
        rig.owner.send("POST", "issues", {"title": "a"}, timeout=0.3)
    assert len(rig.owner.get("issues")) == 1
    for kind in ("truncated", "not_json"):
        arm(rig, kind)
        torn = rig.owner.send("GET", "issues")
        assert torn.status_code == 200
        with pytest.raises(requests.JSONDecodeError):
            torn.json()


def test_limits_are_told_with_when_to_come_back(rig: Rig) -> None:
    arm(rig, "secondary_rate_limit", seconds=7, times=2, nth=2)
    assert rig.owner.send("GET", "issues").status_code == 200
    for _ in range(2):
        limited = rig.owner.send("GET", "issues")
        assert (limited.status_code, limited.headers["Retry-After"]) == (403, "7")
        assert "secondary rate limit" in limited.json()["message"]
    assert rig.owner.send("GET", "issues").status_code == 200
    arm(rig, "rate_limit")
    assert rig.owner.send("GET", "issues").headers["X-RateLimit-Remaining"] == "0"
    arm(rig, "server_error", match={"token": "actions-*"})
    assert rig.owner.send("GET", "issues").status_code == 200
    assert rig.actions.send("GET", "issues").status_code == 500


def test_a_merge_is_noticed_late(rig: Rig) -> None:
    made = rig.pull({"plan.json": "{}\n"})
    rig.mark(made["head"]["sha"], "plan/schema")
    done = rig.owner.ok("PUT", "pulls/1/merge")
    arm(rig, "lag_commit_pulls", times=2)
    arm(rig, "lag_merged", times=2)
    arm(rig, "lag_statuses")
    seen = [len(rig.owner.get(f"commits/{done['sha']}/pulls")) for _ in range(3)]
    assert seen == [0, 0, 1]
    shown = [rig.owner.get("pulls/1") for _ in range(3)]
    assert [one["merged"] for one in shown] == [False, False, True]
    assert [one["merge_commit_sha"] for one in shown] == [None, None, done["sha"]]
    path = f"commits/{made['head']['sha']}/statuses"
    assert [len(rig.owner.get(path)) for _ in range(2)] == [0, 1]


def test_a_fault_that_is_not_known_is_refused(rig: Rig) -> None:
    for wrong in ({"kind": "earthquake"}, {"kind": "latency", "ms": 3}, {"nth": 0}):
        assert rig.owner.send("POST", "/sim/faults", wrong).status_code == 422
