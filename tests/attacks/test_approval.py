"""Each way around the approval, over the real client, a loopback GitHub and the exchange."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from executor.errors import ExitCode, PersonNeeded
from executor.model.digest import plan_digest
from executor.model.forge import MARKS, Mark
from executor.model.order_id import client_order_id
from executor.model.plan import PLAN_PATH
from executor.model.settings import SETTINGS_PATH
from executor.model.writing import write_document
from executor.ports import Change
from tests.attacks.scene import (
    APP,
    BOT,
    NAME,
    OWNER,
    READER,
    WRITER,
    WRITER_ID,
    Scene,
    buying,
    on_github,
)
from tests.scratch import HISTORY, line, plan

REVIEW = ('policy = "merge"', 'policy = "review"')
BIGGER, SMALLER = buying(11), buying(9)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with on_github(tmp_path) as made:
        yield made


@pytest.fixture
def reviewing(tmp_path: Path) -> Iterator[Scene]:
    with on_github(tmp_path, REVIEW) as made:
        yield made


def ready(scene: Scene, by: str = BOT) -> int:
    """A plan that waits for its merge, all its statuses green."""
    number = scene.proposes(buying(), by=by)
    scene.judged(number)
    return number


# How it should be.


def test_a_plan_that_was_proposed_judged_and_merged_is_executed_once(scene: Scene) -> None:
    number = ready(scene)
    merge = scene.merges(number)
    result = scene.executed()
    assert result["execution_summary"]["successful"] == 1
    assert result["approval"] == {
        "policy": "merge",
        "pull_request": number,
        "author": "github-actions[bot]",
        "merged_by": "octo-owner",
        "approved_by": [],
        "merge_commit": merge,
        "merged_at": result["approval"]["merged_at"],
    }
    for back in (0, 1):
        trailers = scene.trailers(back)
        assert trailers["Pull-Request"] == str(number)
        assert trailers["Merged-By"] == "octo-owner"
        assert trailers["Proposed-By"] == "github-actions[bot]"
    assert "result" not in scene.executes().data
    assert len(scene.orders) == 1


def test_a_person_proposes_from_a_laptop_and_another_one_merges(scene: Scene) -> None:
    scene.branch_off("laptop")
    scene.commit({PLAN_PATH: write_document(buying())})
    scene.push("laptop", by=WRITER)
    number = scene.opens("laptop", by=WRITER)
    scene.judged(number)
    scene.merges(number)
    assert scene.executed()["approval"]["author"] == "octo-writer"


def test_an_edit_by_the_merger_that_only_reduces_is_no_authorship(scene: Scene) -> None:
    number = ready(scene)
    scene.edits(number, SMALLER, by=OWNER)
    scene.judged(number)
    scene.merges(number)
    assert scene.executed()["instructions"][0]["filled_quantity"] == 9


def test_a_review_and_a_merge_where_both_are_asked(reviewing: Scene) -> None:
    number = ready(reviewing)
    reviewing.approves(number)
    reviewing.merges(number)
    result = reviewing.executed()
    assert result["approval"]["approved_by"] == ["octo-writer"]
    assert reviewing.trailers()["Approved-By"] == "octo-writer"


# Past the pull request.


def test_a_direct_push(scene: Scene) -> None:
    scene.branch_off("main")
    scene.commit({PLAN_PATH: write_document(buying())})
    scene.push("main")
    result = scene.refused("approval", "brought the plan to main and is no merge")
    assert "pull_request" not in result["approval"]
    assert "Merged-By" not in scene.trailers()


def test_a_merge_that_was_pushed_without_a_pull_request(scene: Scene) -> None:
    scene.branch_off("side")
    scene.commit({PLAN_PATH: write_document(buying())})
    scene.branch_off("main")
    scene.git("merge", "--quiet", "--no-ff", "--message", "Merge pull request #1", "side")
    scene.push("main")
    # Just pushed: GitHub might not know the pull request yet.
    scene.waits()
    scene.passes(minutes=10)
    scene.refused("approval", "GitHub knows no pull request of it")


def test_a_squash_merge(scene: Scene) -> None:
    scene.merges(ready(scene), method="squash")
    scene.refused("approval", "pull request #1 was squashed or rebased")


def test_a_rebase_merge(scene: Scene) -> None:
    number = ready(scene)
    scene.branch_off("main")
    scene.commit({"README.md": b"More\n"})
    scene.push("main")
    scene.merges(number, method="rebase")
    scene.refused("approval", "pull request #1 was squashed or rebased")


def test_a_pushed_merge_of_more_than_was_reviewed(scene: Scene) -> None:
    number = ready(scene)
    scene.branch_off("side", "plan/1")
    scene.commit({PLAN_PATH: write_document(BIGGER)})
    scene.branch_off("main")
    scene.git("merge", "--quiet", "--no-ff", "--message", f"Merge pull request #{number}", "side")
    scene.push("main")
    scene.refused("approval", "pull request #1 has the head", "was merged")


def test_a_merge_commit_that_changes_the_plan_itself(scene: Scene) -> None:
    number = ready(scene)
    scene.branch_off("side", "plan/1")
    scene.branch_off("main")
    scene.git("merge", "--quiet", "--no-ff", "--no-commit", "side")
    scene.commit({PLAN_PATH: write_document(BIGGER)}, f"Merge pull request #{number}")
    scene.push("main")
    scene.refused("plan_unchanged", "holds another plan", "and this is")


# Whose word.


def test_self_approval(scene: Scene) -> None:
    scene.merges(ready(scene, by=OWNER))
    scene.refused("approval", "merged by octo-owner, proposed by octo-owner")


def test_an_edit_by_the_merger_that_adds_risk(scene: Scene) -> None:
    number = ready(scene)
    scene.edits(number, BIGGER, by=OWNER)
    scene.judged(number)
    scene.merges(number)
    scene.refused("approval", "merged by octo-owner, whose commit", "changed the plan")


def test_an_edit_in_the_name_of_the_bot(scene: Scene) -> None:
    number = ready(scene)
    scene.branch_off("mine", "plan/1")
    scene.commit({PLAN_PATH: write_document(BIGGER)}, author="github-actions[bot]")
    scene.push("plan/1", by=OWNER)
    scene.judged(number)
    scene.merges(number)
    scene.refused("approval", "is not signed: nobody can say who wrote it")


def test_a_plan_that_the_merger_took_out_and_put_back_in_the_authors_name(scene: Scene) -> None:
    scene.branch_off("laptop")
    scene.commit({PLAN_PATH: write_document(buying())})
    scene.push("laptop", by=WRITER)
    number = scene.opens("laptop", by=WRITER)
    scene.commit({}, removes=(PLAN_PATH,))
    scene.commit({PLAN_PATH: write_document(BIGGER)}, author="octo-writer")
    scene.push("laptop", by=OWNER)
    scene.judged(number)
    scene.merges(number)
    scene.refused("approval", "is not signed: nobody can say who wrote it")


def test_commits_that_the_merger_replaced_by_a_forced_push(scene: Scene) -> None:
    scene.branch_off("laptop")
    scene.commit({PLAN_PATH: write_document(buying())})
    scene.push("laptop", by=WRITER)
    number = scene.opens("laptop", by=WRITER)
    scene.branch_off("laptop")
    scene.commit({PLAN_PATH: write_document(BIGGER)})
    scene.push("laptop", "--force", by=OWNER)
    scene.judged(number)
    scene.merges(number)
    scene.refused("approval", "who had replaced its commits by a forced push")


def test_the_merge_of_a_bot(scene: Scene) -> None:
    scene.merges(ready(scene), by=APP)
    scene.refused("approval", "merged by autoinvestor-app[bot], an account of kind Bot")


def test_a_merger_without_the_right(tmp_path: Path) -> None:
    with on_github(tmp_path, ("approvers = []", f"approvers = [{WRITER_ID}]")) as scene:
        scene.merges(ready(scene))
        scene.refused("approval", "merged by octo-owner (account 1001)", "[approval] approvers")


def test_a_merger_who_has_lost_the_right(scene: Scene) -> None:
    scene.merges(ready(scene), by=WRITER)
    scene.takes_away(WRITER_ID)
    scene.refused("approval", "merged by octo-writer (account 1002), who may read here")


def test_auto_merge(scene: Scene) -> None:
    number = scene.proposes(buying())
    scene.arms(number)
    scene.judged(number)
    scene.merges_by_itself(number)
    scene.refused("approval", "octo-owner left the merge to auto-merge")


# What was seen.


def test_statuses_that_came_after_the_merge(scene: Scene) -> None:
    number = scene.proposes(buying())
    scene.merges(number)
    scene.judged(number)
    scene.refused("approval", "plan/schema was set after pull request #1 had been merged")


def test_a_status_that_was_red(scene: Scene) -> None:
    number = scene.proposes(buying())
    scene.judged(number, capital="failure")
    scene.merges(number)
    scene.refused("approval", "plan/capital was failure when pull request #1 was merged")


def test_green_statuses_of_somebody_else(scene: Scene) -> None:
    number = scene.proposes(buying())
    scene.judged(number, by=WRITER)
    scene.merges(number)
    scene.refused("approval", "plan/schema was set by octo-writer")


def test_a_green_status_of_somebody_else_over_a_red_one(scene: Scene) -> None:
    number = scene.proposes(buying())
    scene.judged(number, scope="failure")
    scene.passes(seconds=1)
    scene.forge(OWNER).mark(scene.head(number), Mark(MARKS[1], "success", "fine"))
    scene.merges(number)
    scene.refused("approval", "plan/scope was failure")


def test_a_status_whose_digest_is_of_another_plan(scene: Scene) -> None:
    number = scene.proposes(buying())
    scene.judged(number, of=SMALLER)
    scene.merges(number)
    scene.refused("plan_unchanged", f"plan/schema names plan {plan_digest(SMALLER)[:12]}")


def test_a_push_after_the_statuses(scene: Scene) -> None:
    number = ready(scene)
    scene.edits(number, BIGGER, by=WRITER)
    scene.merges(number)
    scene.passes(minutes=10)
    scene.refused("approval", "pull request #1 has no status plan/schema")


def test_a_push_after_the_approval(reviewing: Scene) -> None:
    number = ready(reviewing)
    reviewing.approves(number)
    reviewing.edits(number, BIGGER, by=WRITER)
    reviewing.judged(number)
    reviewing.merges(number)
    reviewing.refused("approval", "octo-writer approved", "was merged")


def test_an_approval_by_somebody_who_may_only_read(reviewing: Scene) -> None:
    number = ready(reviewing)
    reviewing.approves(number, by=READER)
    reviewing.merges(number)
    reviewing.refused("approval", "approved by octo-reader, whose review does not count here")


# What was brought.


def test_a_fork(scene: Scene) -> None:
    scene.branch_off("fork")
    scene.commit({PLAN_PATH: write_document(buying())}, author="octo-stranger")
    number = scene.opens_from_a_fork("fork")
    scene.judged(number)
    scene.merges(number)
    scene.refused("plan_scope", "comes from octo-stranger/invest")


@pytest.mark.parametrize("path", [SETTINGS_PATH, f"{HISTORY}/2026-01/a.json", ".gitattributes"])
def test_something_that_rides_along(scene: Scene, path: str) -> None:
    number = scene.proposes(buying(), also={path: b"# something else\n"})
    scene.judged(number)
    scene.merges(number)
    # Settings that cannot be read do not judge: the last valid ones do.
    scene.refused("plan_scope", f"touches {path}")


def test_a_program_in_the_place_of_a_file(scene: Scene) -> None:
    scene.branch_off("laptop")
    scene.commit({PLAN_PATH: write_document(buying())})
    scene.git("update-index", "--chmod=+x", PLAN_PATH)
    scene.git("commit", "--quiet", "--amend", "--no-edit")
    scene.push("laptop", by=WRITER)
    number = scene.opens("laptop", by=WRITER)
    scene.judged(number)
    scene.merges(number)
    scene.refused("plan_scope", f"{PLAN_PATH} has the mode 100755")


def test_a_second_plan_that_opens_on_top_of_a_pending_one(scene: Scene) -> None:
    first, second = ready(scene), scene.proposes(buying(5, "AMD", reason="another"))
    scene.judged(second)
    scene.merges(first)
    scene.branch_off("plan/2", "plan/2")
    scene.git("fetch", "--quiet", scene.server.git_url(NAME), "main")
    scene.git("merge", "--quiet", "--strategy", "ours", "--message", "Take main in", "FETCH_HEAD")
    scene.push("plan/2", by=WRITER)
    scene.judged(second)
    scene.merges(second)
    scene.refused("plan_scope", "it replaces the plan", "buys AMD")


def test_exits_replace_a_pending_plan(scene: Scene) -> None:
    scene.merges(ready(scene))
    scene.executed()
    waiting = scene.proposes(buying(5, "AMD", reason="another"))
    scene.judged(waiting)
    scene.merges(waiting)
    exits = scene.proposes(plan(line("SELL"), reason="out"))
    scene.judged(exits)
    scene.merges(exits)
    result = scene.executed()
    assert result["approval"]["pull_request"] == exits
    assert not scene.exchange.desk.positions or not any(
        one.quantity for one in scene.exchange.desk.positions.values()
    )


def test_a_revert_that_brings_an_old_plan_back(scene: Scene) -> None:
    scene.merges(ready(scene))
    scene.executed()
    sent = len(scene.orders)
    scene.branch_off("revert")
    scene.git("revert", "--no-edit", "HEAD", author="octo-writer")
    scene.push("revert", by=WRITER)
    number = scene.opens("revert", by=WRITER)
    scene.judged(number)
    scene.merges(number)
    error = scene.fails_to_execute()
    assert error.exit_code is ExitCode.PERSON
    assert "is not on main any more" in str(error)
    assert len(scene.orders) == sent


def test_a_revert_that_brings_back_the_plan_alone(scene: Scene) -> None:
    scene.merges(ready(scene))
    scene.executed()
    scene.branch_off("revert")
    scene.git("revert", "--no-commit", "HEAD")
    scene.git("checkout", "HEAD", "--", "execution_results", HISTORY)
    scene.commit({}, "Revert")
    scene.push("revert", by=WRITER)
    number = scene.opens("revert", by=WRITER)
    scene.judged(number)
    scene.merges(number)
    assert scene.executes().data["state"] == "duplicate"
    assert len(scene.orders) == 1


def test_a_plan_that_was_executed_before_comes_again_by_itself(scene: Scene) -> None:
    scene.merges(ready(scene))
    scene.executed()
    again = scene.proposes(buying())
    scene.judged(again)
    scene.merges(again)
    assert scene.executes().data["state"] == "duplicate"
    assert len(scene.orders) == 1


# What belongs to the executor.


def test_a_plan_that_arrives_as_validated(scene: Scene) -> None:
    number = scene.proposes({**buying(), "status": "validated"})
    scene.judged(number)
    scene.merges(number)
    scene.refused("plan_unchanged", "status validated")


def test_an_intent_that_somebody_else_committed(scene: Scene) -> None:
    """The trailers are right and the parent holds the plan as pending: only the bot is missing."""
    number = scene.proposes(buying())
    scene.merges(number)
    digest = plan_digest(buying())
    owner = {"run": "1", "attempt": 1}
    intent = {"owner": owner, "validated_at": "2026-01-14T15:00:00Z", "orders": [], "lines": []}
    forged = {**buying(), "status": "validated", "intent": intent}
    change = Change(
        "Validate plan",
        {PLAN_PATH: write_document(forged)},
        trailers={"Plan-Digest": digest, "Step": "validated", "Owner": "1/1"},
    )
    scene.forge(OWNER).commit_on("main", change, scene.main)
    scene.refused("plan_unchanged", "status validated")


def test_a_tampered_intent(scene: Scene) -> None:
    scene.merges(ready(scene))
    scene.dies_after_the_intent()
    document = scene.read(PLAN_PATH)
    document["intent"]["orders"][0]["quantity"] = 1_000
    scene.rewrites_the_intent(document)
    error = scene.fails_to_execute()
    assert isinstance(error, PersonNeeded)
    assert "the intent on main is not what the plan says" in str(error)
    assert not scene.orders


def test_a_run_that_died_after_the_intent_keeps_its_approval(scene: Scene) -> None:
    number = ready(scene)
    scene.merges(number)
    scene.dies_after_the_intent()
    assert scene.read(PLAN_PATH)["status"] == "validated"
    result = scene.executed()
    assert result["approval"]["pull_request"] == number
    assert result["approval"]["merged_by"] == "octo-owner"
    assert len(scene.orders) == 1


# On a laptop nobody signs commits: the approval is verified through the API all the same.


def test_a_laptop_verifies_the_approval_as_well(scene: Scene) -> None:
    number = ready(scene)
    scene.merges(number)
    reply = scene.executes_on_a_laptop()
    assert reply.data["state"] == "completed"
    assert reply.data["result"]["approval"]["pull_request"] == number


def test_a_direct_push_is_refused_on_a_laptop(scene: Scene) -> None:
    scene.branch_off("main")
    scene.commit({PLAN_PATH: write_document(buying())})
    scene.push("main")
    assert scene.executes_on_a_laptop().data["state"] == "rejected"
    assert not scene.orders


def forges_an_intent(scene: Scene) -> None:
    """Push a pending plan, then an intent as the executor would write it."""
    scene.branch_off("main")
    scene.commit({PLAN_PATH: write_document(buying())})
    digest = plan_digest(buying())
    order = {
        "index": 0,
        "leg": "entry",
        "client_order_id": client_order_id(NAME, digest, 0),
        "side": "buy",
        "symbol": "MU",
        "quantity": 10,
        "order_type": "market",
        "time_in_force": "day",
    }
    owner = {"run": "1", "attempt": 1}
    when = "2026-01-14T15:00:00Z"
    intent = {"owner": owner, "validated_at": when, "orders": [order], "lines": []}
    forged = {**buying(), "status": "validated", "intent": intent}
    trailers = f"Plan-Digest: {digest}\nStep: validated\nOwner: 1/1\n"
    scene.commit({PLAN_PATH: write_document(forged)}, f"Validate plan\n\n{trailers}")
    scene.push("main")


def test_a_forged_intent_is_believed_nowhere(scene: Scene) -> None:
    forges_an_intent(scene)
    scene.passes(minutes=10)
    reply = scene.executes_on_a_laptop()
    assert not scene.orders
    assert reply.data["state"] == "rejected"
    assert "brought the plan to main and is no merge" in str(reply.data["result"]["verdicts"])


def test_a_forged_intent_waits_on_a_laptop_while_github_is_silent(scene: Scene) -> None:
    forges_an_intent(scene)
    scene.lets({"kind": "bad_gateway_before", "match": {"path": "*/pulls*"}, "times": 0})
    scene.passes(minutes=10)
    scene.executes_on_a_laptop()
    assert not scene.orders


def test_a_forged_intent_is_a_plan_that_arrived_as_validated_in_a_workflow(scene: Scene) -> None:
    forges_an_intent(scene)
    scene.refused("plan_unchanged", "status validated")


# GitHub lags, or is silent: not now, and the next run finds it.


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "lag_merged", "times": 0},
        {"kind": "lag_statuses", "times": 0},
        {"kind": "bad_gateway_before", "match": {"path": "*/timeline"}, "times": 0},
        {"kind": "bad_gateway_before", "match": {"path": "*/pulls"}, "times": 0},
        {"kind": "bad_gateway_before", "match": {"path": "*/pulls/*/commits"}, "times": 0},
        {"kind": "bad_gateway_before", "match": {"path": "*/permission"}, "times": 0},
        {"kind": "bad_gateway_before", "match": {"path": "/repos/octo-owner/invest"}, "times": 0},
        {"kind": "truncated", "match": {"path": "*/statuses"}, "times": 0},
    ],
)
def test_what_github_does_not_tell_waits_for_the_next_run(
    scene: Scene, fault: dict[str, object]
) -> None:
    scene.merges(ready(scene))
    scene.lets(fault)
    scene.waits()
    scene.lets()
    assert scene.executed()["execution_summary"]["successful"] == 1


def test_a_commit_of_which_github_knows_no_pull_request_yet_is_found_in_the_list(
    scene: Scene,
) -> None:
    scene.merges(ready(scene))
    scene.lets({"kind": "lag_commit_pulls", "times": 0})
    assert scene.executed()["approval"]["merged_by"] == "octo-owner"
