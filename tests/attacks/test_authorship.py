"""Each way to trade in somebody else's name: twins, vouching, history, strangers' signatures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from executor.model.plan import PLAN_PATH
from executor.model.writing import write_document
from executor.ports import Change
from executor.repo.github_forge import GitHubForge
from tests.attacks.scene import (
    BOT,
    NAME,
    OWNER,
    STRANGER,
    STRANGER_ID,
    WRITER,
    Scene,
    buying,
    on_github,
)
from tests.scratch import line, plan

BIGGER = buying(11)
UNSIGNED = "is not signed: nobody can say who wrote it"


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with on_github(tmp_path) as made:
        yield made


@pytest.fixture
def reviewing(tmp_path: Path) -> Iterator[Scene]:
    with on_github(tmp_path, ('policy = "merge"', 'policy = "review"')) as made:
        yield made


def ready(scene: Scene) -> int:
    """A plan of the bot's that waits for its merge, all its statuses green."""
    number = scene.proposes(buying())
    scene.judged(number)
    return number


def proposed(scene: Scene, branch: str = "laptop") -> int:
    """A plan in one commit that nobody signed, pushed and proposed by the writer."""
    scene.branch_off(branch)
    scene.commit({PLAN_PATH: write_document(buying())})
    scene.push(branch, by=WRITER)
    return scene.opens(branch, by=WRITER)


def forked(scene: Scene, branch: str) -> GitHubForge:
    """Push the branch that a person is on to a stranger's fork; the stranger's API of it."""
    name = NAME.partition("/")[2]
    scene.server.call(
        lambda state: state.add_repository(name, state.accounts[STRANGER_ID], parent=NAME)
    )
    fork = f"octo-stranger/{name}"
    scene.push(branch, by=STRANGER, name=fork)
    return GitHubForge(scene.api(STRANGER, fork))


# Several pull requests of one head.


def test_auto_merge_that_was_armed_on_a_twin(scene: Scene) -> None:
    """The first one of the same head is clean; GitHub merged the second one, in a name."""
    first = ready(scene)
    scene.branch_off("twin", "plan/1")
    scene.push("twin", by=WRITER)
    second = scene.opens("twin", by=WRITER)
    scene.arms(second, by=OWNER)
    scene.merges_by_itself(second)
    assert first < second
    scene.refused("approval", f"pull request #{second}: octo-owner left the merge to auto-merge")


def test_the_mergers_own_pull_request_behind_somebody_elses(scene: Scene) -> None:
    scene.branch_off("a")
    scene.commit({PLAN_PATH: write_document(BIGGER)}, author="octo-writer")
    scene.push("a", by=OWNER)
    scene.opens("a", by=WRITER)
    scene.push("b", by=OWNER)
    own = scene.opens("b", by=OWNER)
    scene.judged(own)
    scene.merges(own)
    scene.refused("approval", f"proposed by octo-owner as pull request #{own}")


def test_a_twin_of_a_fork_holds_nobody_up(scene: Scene) -> None:
    """Anybody may ask to merge the same commit, and so must not be able to stop it."""
    scene.branch_off("laptop")
    scene.commit({PLAN_PATH: write_document(buying())})
    scene.opens_from_a_fork("twin")
    scene.push("laptop", by=WRITER)
    number = scene.opens("laptop", by=WRITER)
    scene.judged(number)
    scene.merges(number)
    assert scene.executed()["approval"]["pull_request"] == number


# What the opener vouches for.


def test_a_plan_that_the_merger_pushed_into_somebody_elses_pull_request(scene: Scene) -> None:
    scene.branch_off("docs")
    scene.commit({"README.md": b"fixed\n"})
    scene.push("docs", by=WRITER)
    number = scene.opens("docs", by=WRITER)
    scene.commit({"README.md": b"A repository\n"}, author="octo-writer")
    scene.commit({PLAN_PATH: write_document(BIGGER)}, author="octo-writer")
    scene.push("docs", by=OWNER)
    scene.judged(number)
    scene.merges(number)
    scene.refused("approval", UNSIGNED)


def test_a_plan_on_top_of_a_commit_that_came_to_main_meanwhile(scene: Scene) -> None:
    """Its pull request lists one commit, which is not the one that was there when it opened."""
    scene.branch_off("docs")
    scene.commit({"README.md": b"fixed\n"})
    scene.push("docs", by=WRITER)
    number = scene.opens("docs", by=WRITER)
    docs = scene.git("rev-parse", "HEAD")
    scene.commit({PLAN_PATH: write_document(BIGGER)}, author="octo-writer")
    scene.push("docs", by=OWNER)
    scene.git("switch", "--quiet", "--force-create", "other", docs)
    scene.push("other", by=OWNER)
    scene.merges(scene.opens("other", by=OWNER))
    scene.judged(number)
    scene.merges(number)
    scene.refused("approval", UNSIGNED)


def test_a_plan_that_a_workflow_put_in_by_a_forced_push(scene: Scene) -> None:
    number = proposed(scene)
    scene.branch_off("laptop")
    scene.commit({PLAN_PATH: write_document(BIGGER)}, author="octo-writer")
    scene.push("laptop", "--force", by=BOT)
    scene.judged(number)
    scene.merges(number)
    scene.refused("approval", UNSIGNED)


def test_the_opener_may_replace_the_commit_and_main_may_be_taken_in(scene: Scene) -> None:
    number = proposed(scene)
    scene.branch_off("laptop")
    scene.commit({PLAN_PATH: write_document(BIGGER)})
    scene.push("laptop", "--force", by=WRITER)
    scene.branch_off("main")
    scene.commit({"README.md": b"More\n"})
    scene.push("main")
    takes_main_in(scene, "laptop")
    scene.judged(number)
    scene.merges(number)
    assert scene.executed()["instructions"][0]["filled_quantity"] == 11


def takes_main_in(scene: Scene, branch: str) -> None:
    """Merge main into a branch, as the button does."""
    scene.branch_off(branch, branch)
    scene.git("fetch", "--quiet", scene.server.git_url(NAME), "main")
    scene.git("merge", "--quiet", "--no-ff", "--message", "Take main in", "FETCH_HEAD")
    scene.push(branch, by=OWNER)


# What lay in history.


def lay_in_history(scene: Scene) -> str:
    """The owner's code brings a plan and takes it away again; the commit that held it."""
    scene.branch_off("code")
    scene.commit({PLAN_PATH: write_document(BIGGER)}, author="octo-owner")
    held = scene.git("rev-parse", "HEAD")
    scene.commit({"README.md": b"new\n"}, removes=(PLAN_PATH,), author="octo-owner")
    scene.push("code", by=OWNER)
    scene.merges(scene.opens("code", by=OWNER))
    return held


@pytest.mark.parametrize("swapped", [False, True])
def test_a_merge_that_takes_a_plan_over_from_history(scene: Scene, swapped: bool) -> None:
    held = lay_in_history(scene)
    number = ready(scene)
    scene.branch_off("mine", "plan/1")
    head = scene.git("rev-parse", "HEAD")
    scene.git("checkout", held, "--", PLAN_PATH)
    tree = scene.git("write-tree")
    one, other = (held, head) if swapped else (head, held)
    made = scene.git("commit-tree", tree, "-p", one, "-p", other, "-m", "Merge")
    scene.git("reset", "--hard", "--quiet", made)
    scene.push("plan/1", by=OWNER)
    scene.judged(number)
    scene.merges(number)
    scene.refused("approval", UNSIGNED)


def test_a_plan_of_history_that_was_only_reduced(scene: Scene) -> None:
    """Less than a plan that nobody approved is no reduction."""
    held = lay_in_history(scene)
    number = ready(scene)
    scene.git("switch", "--quiet", "--force-create", "less", held)
    scene.commit({PLAN_PATH: write_document(buying(10.5))})
    less = scene.git("rev-parse", "HEAD")
    scene.branch_off("mine", "plan/1")
    scene.git("checkout", less, "--", PLAN_PATH)
    tree, head = scene.git("write-tree"), scene.git("rev-parse", "HEAD")
    made = scene.git("commit-tree", tree, "-p", head, "-p", less, "-m", "Merge")
    scene.git("reset", "--hard", "--quiet", made)
    scene.push("plan/1", by=OWNER)
    scene.judged(number)
    scene.merges(number)
    scene.refused("approval", UNSIGNED)


# Whose signature.


def test_a_signature_of_a_stranger(scene: Scene) -> None:
    number = ready(scene)
    scene.branch_off("mine", "plan/1")
    fork = forked(scene, "mine")
    change = Change("Change", {PLAN_PATH: write_document(BIGGER)})
    made = fork.commit_on("mine", change, scene.git("rev-parse", "HEAD"))
    scene.git("fetch", "--quiet", scene.server.git_url("octo-stranger/invest"), "mine")
    scene.git("reset", "--hard", "--quiet", made)
    scene.push("plan/1", by=OWNER)
    scene.judged(number)
    scene.merges(number)
    scene.refused("approval", "is by octo-stranger (account 1004), who may not write here")


def test_an_edit_on_the_web_by_somebody_who_may_write(scene: Scene) -> None:
    number = ready(scene)
    scene.edits(number, BIGGER, by=WRITER)
    scene.judged(number)
    scene.merges(number)
    assert scene.executed()["instructions"][0]["filled_quantity"] == 11


# One person's word, twice.


def test_a_review_by_whoever_merged(reviewing: Scene) -> None:
    number = ready(reviewing)
    reviewing.approves(number, by=OWNER)
    reviewing.merges(number)
    reviewing.refused("approval", "approved by octo-owner, who merged it")


def test_a_review_by_whoever_wrote(reviewing: Scene) -> None:
    number = ready(reviewing)
    reviewing.edits(number, BIGGER, by=WRITER)
    reviewing.judged(number)
    reviewing.approves(number, by=WRITER)
    reviewing.merges(number)
    reviewing.refused("approval", "approved by octo-writer, who wrote in it")


# What lies in the plan's place.


def test_a_link_to_a_repository_in_the_plans_place_costs_no_exit(scene: Scene) -> None:
    scene.merges(ready(scene))
    scene.executed()
    scene.branch_off("odd")
    head = scene.git("rev-parse", "HEAD")
    scene.git("update-index", "--add", "--cacheinfo", f"160000,{head},{PLAN_PATH}")
    scene.git("commit", "--quiet", "--message", "A link")
    scene.push("main")
    scene.branch_off("exit")
    scene.git("rm", "--cached", "--quiet", PLAN_PATH)
    scene.commit({PLAN_PATH: write_document(plan(line("SELL"), reason="out"))})
    scene.push("exit", by=WRITER)
    number = scene.opens("exit", by=WRITER)
    scene.judged(number)
    scene.merges(number)
    assert scene.executed()["instructions"][0]["filled_quantity"] == 10


# A bad gateway.


@pytest.mark.parametrize("path", ["*/pulls", "*/timeline", "*/commits", "*/permission"])
def test_one_bad_gateway_does_not_hold_a_plan_up(scene: Scene, path: str) -> None:
    scene.merges(ready(scene))
    fault: dict[str, Any] = {"kind": "bad_gateway_before", "match": {"path": path}, "times": 1}
    scene.lets(fault)
    assert scene.executed()["execution_summary"]["successful"] == 1
