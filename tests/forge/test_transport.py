"""git over HTTP: who may clone and push, and what a push does."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.forge.rig import NAME, Clone, Rig


def test_anybody_clones_in_public_and_only_friends_in_private(rig: Rig) -> None:
    url = rig.server.git_url()
    Clone(url, rig.folder / "anonymous", None, ("A", "a@example.com"))
    rig.owner.ok("PUT", f"/sim/repos/{NAME}/plan", {"plan": "private_paid"})
    rig.clone("reader")
    with pytest.raises(AssertionError, match="not found"):
        rig.clone("stranger")
    with pytest.raises(AssertionError, match=r"(?i)authentication|username"):
        Clone(url, rig.folder / "unknown", None, ("A", "a@example.com"))
    with pytest.raises(AssertionError, match=r"(?i)authentication|username"):
        Clone(url, rig.folder / "wrong", "no-token", ("A", "a@example.com"))


def test_only_who_may_write_pushes(rig: Rig) -> None:
    for who in ("reader", "stranger"):
        clone = rig.clone(who)
        clone.write({"a": who})
        assert "403" in clone.push("HEAD:main", check=False)
    rig.clone("writer").push("HEAD:refs/heads/side")
    assert rig.owner.get("git/ref/heads/side")["object"]["sha"] == rig.main


def test_a_push_in_the_way_of_another_is_refused(rig: Rig) -> None:
    first, second = rig.clone("owner"), rig.clone("writer")
    first.write({"a": "1"})
    first.push("HEAD:main")
    second.write({"b": "1"})
    assert "rejected" in second.push("HEAD:main", check=False)
    second.git("fetch", "--quiet")
    second.git("rebase", "--quiet", "origin/main")
    second.push("HEAD:main")


def test_a_workflows_token_cannot_push_workflow_files(rig: Rig) -> None:
    clone = rig.clone("actions")
    clone.write({".github/workflows/evil.yml": "on: push\n"})
    printed = clone.push("HEAD:main", check=False)
    assert "without `workflows` permission" in printed
    clone.git("reset", "--quiet", "--hard", "origin/main")
    clone.write({"a": "1"})
    clone.push("HEAD:main")
    assert rig.events("push")[-1]["why_not"] == "caused by GITHUB_TOKEN"


def test_nobody_pushes_to_where_pull_requests_lie_or_drops_main(rig: Rig) -> None:
    clone = rig.clone("owner")
    assert "read-only" in clone.push("HEAD:refs/pull/1/head", check=False)
    assert "current branch" in clone.push(":main", check=False)
    assert rig.main


def test_a_large_push_arrives_whole(rig: Rig) -> None:
    clone = rig.clone("writer")
    noise = os.urandom(1_500_000).hex()
    clone.write({"noise.txt": noise})
    clone.push("HEAD:main")
    fresh = rig.clone("reader")
    assert (fresh.path / "noise.txt").read_text() == noise


def test_the_repository_is_sound_after_all_this(rig: Rig) -> None:
    rig.pull({"plan.json": "{}\n"})
    rig.actions.commit("main", rig.main, additions={"a": "1"})
    rig.owner.ok("PUT", "pulls/1/merge")
    bare = rig.folder / "invest.git"
    done = subprocess.run(
        ["git", "-C", str(bare), "fsck", "--strict"], capture_output=True, check=False, text=True
    )
    assert done.returncode == 0, done.stderr


def test_a_push_without_a_clone_is_a_push(rig: Rig) -> None:
    old = rig.main
    new = rig.push({"a": "1", "README.md": None}, branch="main")
    assert rig.main == new
    payload = rig.events("push")[-1]["payload"]
    assert (payload["before"], payload["after"]) == (old, new)
    assert payload["head_commit"]["removed"] == ["README.md"]
    refused = {"token": "reader-token", "branch": "main", "files": {"b": "1"}}
    assert rig.owner.send("POST", f"/sim/repos/{NAME}/pushes", refused).status_code == 403
