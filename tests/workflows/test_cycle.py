"""The whole cycle: the real workflow files under act, on the loopback GitHub and the exchange.

Mode paper with its approval; the repository is private, so each job's token may do what the job
lists and nothing else.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from executor.commands.propose import pack
from executor.model.plan import PLAN_PATH
from tests.forge.state import APP_BOT
from tests.scratch import line, plan
from tests.workflows.acting.story import KEYS, Story, review, story

pytestmark = pytest.mark.act

GREEN = {"plan/schema": "success", "plan/scope": "success", "plan/capital": "success"}


UNASKED = ("every_hours = 4", "every_hours = 0")
"""No review is due: the tick starts what the test is about."""
OF_THE_APP = ("bot_id = 0", f"bot_id = {APP_BOT.id}")


@pytest.fixture
def tale(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Story]:
    changes = getattr(request, "param", (UNASKED,))
    with story(tmp_path, *changes) as one:
        try:
            yield one
        finally:
            # Where a test failed, this says what every job printed.
            (tmp_path / "log").write_text(one.hub.logs())


def buys(ticker: str = "MU", **keys: Any) -> dict[str, Any]:
    """A plan of this moment that no check objects to."""
    made = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return plan(line("BUY", ticker, quantity=10, **keys), timestamp=made)


def judged(tale: Story, document: dict[str, Any], branch: str) -> int:
    """The pull request of a plan that a person pushed, and that the validator found good."""
    number = tale.pushes(f"plan/{branch}", {PLAN_PATH: json.dumps(document)}, f"Plan {branch}")
    told = [one.told for one in tale.hub.settle()]
    assert told == [(f"pull-request #{number}", "success"), (f"validate #{number}", "success")]
    assert tale.marks(number) == GREEN
    return number


def holds_no_secret(tale: Story) -> None:
    """What the agent's job was given: a folder, and an environment without a key or a token."""
    seen = (tale.folder / "calls.environment").read_text()
    assert "GITHUB_RUN_ID=" in seen
    for secret in (*KEYS.values(), "workflow-", "GITHUB_TOKEN", "ALPACA"):
        assert secret not in seen
    given = (tale.folder / "calls.agent").read_text()
    assert given.split() == ["portfolio.json", "scheduled_review_needed.json"]


@pytest.mark.parametrize("tale", [()], ids=["reviews"], indirect=True)
def test_from_the_tick_to_the_result_once(tale: Story) -> None:
    tale.agent_proposes(buys(stop_loss_pct=8.0))
    tick, review, validate = tale.hub.tick()
    assert tick.told == ("tick", "success")
    assert review.title.startswith("review manual 20")
    assert (review.ran.conclusion, review.ran.jobs) == ("success", ("gather", "agent", "propose"))
    assert validate.told == ("validate #1", "success")
    (pull,) = tale.open_pulls
    assert pull["user"]["login"] == "github-actions[bot]"
    assert tale.marks(1) == GREEN
    assert len(tale.comments(1)) == 1
    holds_no_secret(tale)

    tale.owner.merge(1)
    assert [one.told for one in tale.hub.settle()] == [("execute", "success")]
    assert [one[:2] for one in tale.orders] == [("MU", "buy"), ("MU", "sell")]
    (result,) = tale.results
    assert result["execution_summary"]["successful"] == 1
    assert result["approval"]["merged_by"]
    assert tale.subjects[0].startswith("Complete plan ")
    assert tale.paths(PLAN_PATH) == []
    assert tale.marks(1)["plan/result"] == "success"
    assert len(tale.comments(1)) == 2

    kept = (tale.folder / "artifacts").glob("*/result-1/execution_results/*/result_*.json")
    assert [json.loads(one.read_text())["kind"] for one in kept] == ["execution"]

    head = tale.subjects
    tale.owner.dispatch("execute.yml")
    assert [one.told for one in tale.hub.settle()] == [("execute", "success")]
    again = [one.told for one in tale.hub.tick()]
    assert set(again) <= {("tick", "success"), ("settle", "success")}
    assert (tale.subjects, len(tale.orders)) == (head, 2)
    assert tale.hub.started_only == []


def test_the_built_in_agent_holds_and_that_is_committed(tale: Story) -> None:
    tale.agent_proposes(None)
    assert [one.ran.conclusion for one in tale.review()] == ["success"]
    assert tale.open_pulls == []
    (path,) = tale.paths("strategy_reviews/")
    assert tale.read(path)["decision"].startswith("HOLD")


def test_two_plans_at_once(tale: Story) -> None:
    first, second = judged(tale, buys("MU"), "mu"), judged(tale, buys("AMD"), "amd")
    tale.owner.merge(first)
    status, answer = tale.owner.tries("PUT", f"pulls/{second}/merge", {})
    assert (status, "not mergeable" in answer) == (405, True)
    assert [one.told for one in tale.hub.settle()] == [("execute", "success")]
    tale.owner.merge(second)
    assert [one.told for one in tale.hub.settle()] == [("execute", "success")]
    assert [one[0] for one in tale.orders] == ["MU", "AMD"]
    assert [one["execution_summary"]["successful"] for one in tale.results] == [1, 1]


def test_a_merge_while_another_one_executes(tale: Story) -> None:
    rests = buys(order_type="limit", limit_price=50, time_in_force="gtc")
    number = judged(tale, rests, "rests")
    other = tale.pushes("notes", {"README.md": "# Ours\n"}, "Say whose it is")
    tale.hub.settle()
    tale.owner.merge(number)
    runs = threading.Thread(target=tale.hub.settle)
    runs.start()
    give_up = time.monotonic() + 60
    while not tale.subjects[0].startswith("Validate plan "):
        assert time.monotonic() < give_up, "the intent was never committed"
        time.sleep(0.05)
    tale.owner.merge(other)
    runs.join()
    newest = tale.subjects
    assert newest[0].startswith("Complete plan ")
    assert newest[1].startswith(f"Merge pull request #{other} ")
    assert newest[2].startswith("Validate plan ")
    assert len(tale.orders) == 1
    assert tale.results[0]["execution_summary"]["open"] == 1


def test_a_push_that_no_event_announced_is_healed_by_the_tick(tale: Story) -> None:
    tale.owner.merge(judged(tale, buys(), "quiet"))
    assert tale.hub.settle(lose="push") == []
    assert tale.orders == []
    told = [one.told for one in tale.hub.tick()]
    assert told == [("tick", "success"), ("execute", "success")]
    assert [one[0] for one in tale.orders] == ["MU"]


def test_a_pull_request_that_edits_the_validator_is_judged_by_main_s(tale: Story) -> None:
    forged = {
        "executor/__main__.py": 'import os\nopen(os.environ["STANDIN_CALLS"] + ".forged", "w")\n',
        ".github/workflows/validate.yml": "name: validate\non: workflow_dispatch\njobs: {}\n",
        PLAN_PATH: json.dumps(buys()),
    }
    number = tale.pushes("forged", forged, "Tidy up")
    told = [one.told for one in tale.hub.settle()]
    assert told == [(f"pull-request #{number}", "success"), (f"validate #{number}", "success")]
    assert tale.marks(number)["plan/scope"] == "failure"
    assert not (tale.folder / "calls.forged").exists()
    assert tale.hub.started_only == ["ci.yml"]


def test_a_halted_book_opens_nothing(tale: Story) -> None:
    number = judged(tale, buys(), "late")
    tale.owner.comment(number, "/halt the news are bad")
    assert [one.told for one in tale.hub.settle()] == [("halt", "success"), ("settle", "skipped")]
    assert tale.read("execution_results/trading_state.json")["state"] == "REDUCE_ONLY"
    tale.owner.merge(number)
    (execute,) = tale.hub.settle()
    assert execute.title == "execute"
    assert tale.orders == []
    archived = [tale.read(one) for one in tale.paths("trading_instructions_history/")]
    assert [one["status"] for one in archived] == ["rejected"]


def test_a_declined_plan_is_archived_with_who_and_why(tale: Story) -> None:
    number = judged(tale, buys(), "unwanted")
    tale.owner.comment(number, "Not before the earnings.")
    tale.owner.close(number)
    tale.hub.settle()
    told = [one.told for one in tale.hub.tick()]
    assert told == [("tick", "success"), ("settle", "success")]
    (path,) = tale.paths("trading_instructions_history/")
    assert tale.read(path)["instructions"][0]["ticker"] == "MU"
    message = tale.message
    assert "octo-owner" in message
    assert "Not before the earnings." in message
    assert tale.orders == []


def test_a_laptop_s_proposal_is_opened_by_the_bot(tale: Story) -> None:
    document = buys()
    packed = pack(
        json.dumps({"plan": document, "review": review(document)}).encode(), is_plan=False
    )
    tale.owner.dispatch("propose.yml", what="propose", proposal=packed)
    told = [one.told for one in tale.hub.settle()]
    assert told == [("propose", "success"), ("validate #1", "success")]
    (pull,) = tale.open_pulls
    assert pull["user"]["login"] == "github-actions[bot]"


def test_a_waiting_plan_is_withdrawn(tale: Story) -> None:
    tale.owner.merge(judged(tale, buys(), "regretted"))
    tale.hub.settle(lose="push")
    reason = 'too early "$(touch owned)" `id`'
    tale.owner.dispatch("propose.yml", what="withdraw", reason=reason)
    assert [one.told for one in tale.hub.settle()] == [("withdraw", "success")]
    assert (tale.paths(PLAN_PATH), tale.orders) == ([], [])
    assert len(tale.paths("trading_instructions_history/")) == 1
    assert "$(touch owned)" in tale.message


def test_what_people_say_is_heard_from_those_who_may(tale: Story) -> None:
    ringing = {"title": "Stop", "body": "", "labels": ["halt"]}
    issue = int(tale.writer.ask("POST", "issues", {**ringing, "labels": []})["number"])
    tale.reader.comment(issue, "/halt just because")
    assert ("halt", "failure") in [one.told for one in tale.hub.settle()]
    assert tale.paths("execution_results/") == []
    tale.writer.ask("POST", f"issues/{issue}/labels", {"labels": ["halt"]})
    assert [one.told for one in tale.hub.settle()] == [("halt", "success")]
    assert tale.read("execution_results/trading_state.json")["state"] == "REDUCE_ONLY"
    tale.order_by_hand("MU", "by-hand")
    tale.owner.comment(issue, "/ack by-hand")
    assert ("settle", "success") in [one.told for one in tale.hub.settle()]
    assert tale.results[-1]["kind"] == "observed"


def test_the_doctor_reads_what_its_token_may(tale: Story) -> None:
    tale.owner.dispatch("doctor.yml")
    (doctor,) = tale.hub.settle()
    # Nobody has set this repository up: it finds drifts, and the audit runs in spite of them.
    assert doctor.ran.conclusion == "failure"
    assert "drifts" in doctor.ran.log
    assert tale.calls == ["doctor", "audit"]
    assert "a mistake of ours" not in doctor.ran.log


def test_a_fresh_copy_does_nothing(tale: Story) -> None:
    del tale.hub.runner.variables["TRADING_ENABLED"]
    assert [one.told for one in tale.hub.tick()] == [("tick", "skipped")]
    tale.owner.dispatch("execute.yml")
    tale.owner.dispatch("halt.yml", reason="try")
    told = [one.told for one in tale.hub.settle()]
    assert told == [("execute", "skipped"), ("halt", "skipped")]


def test_switched_off_it_can_still_be_halted(tale: Story) -> None:
    tale.hub.runner.variables["TRADING_ENABLED"] = "false"
    tale.owner.dispatch("halt.yml", state="HALTED", reason="over the weekend")
    assert [one.told for one in tale.hub.settle()] == [("halt", "success")]
    assert tale.read("execution_results/trading_state.json")["state"] == "HALTED"


@pytest.mark.parametrize("tale", [(UNASKED, OF_THE_APP)], ids=["app"], indirect=True)
def test_with_an_app_its_own_pushes_execute_nothing(tale: Story) -> None:
    tale.hub.runner.variables["APP_CLIENT_ID"] = "Iv23"
    tale.owner.merge(judged(tale, buys(), "app"))
    told = [one.told for one in tale.hub.settle()]
    # The merge; then the App's own commits and its comment, which GitHub does announce.
    assert told[0] == ("execute", "success")
    assert told.count(("execute", "skipped")) == 2
    assert {conclusion for _, conclusion in told[1:]} == {"skipped"}
    assert [one[0] for one in tale.orders] == ["MU"]
