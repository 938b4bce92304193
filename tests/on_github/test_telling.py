"""What people are told on GitHub after a run, over the real client and the loopback GitHub."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from executor.errors import ExitCode, PersonNeeded
from executor.on_github.telling import told
from executor.reports.reply import Reply
from executor.reports.telling import digest_marked, told_in
from executor.wiring import open_world
from tests.commands.exchanges import Outside, nobody_there, outside
from tests.commands.hub import Hub, hub
from tests.commands.strangers import ask, orders
from tests.fakes.progress import Heard
from tests.scratch import Repository, line, plan


@pytest.fixture
def story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with hub(tmp_path, monkeypatch) as made:
        yield made


@pytest.fixture
def exchange(monkeypatch: pytest.MonkeyPatch, story: Hub) -> Iterator[Outside]:
    with outside(monkeypatch) as found:
        story.follows = found.move_to
        yield found


def executes(story: Hub, **keys: Any) -> int:
    """Merge a plan and execute it; the pull request's number."""
    number = story.proposes(plan(**keys))
    story.judged(number)
    story.merges(number)
    answer = story.run("execute", "--submit")
    assert answer.code == 0, answer.text
    return number


def newest(story: Hub) -> str:
    """Digest of the newest result, by the audit."""
    return str(story.audited().data["newest_digest"])


def test_an_execution_is_told_under_its_pull_request_once(story: Hub) -> None:
    number = executes(story)
    (said,) = story.comments(number)
    assert said.startswith("**Executed: 1 of 1 filled** (sim) · slippage at worst")
    assert "| BUY | MU | filled | 10 |" in said
    assert told_in(said) == newest(story)
    (marked,) = story.marks(number)
    assert digest_marked(marked) == newest(story)
    assert "### autoinvestor execute: done" in story.summary.read_text()
    assert story.issues() == []
    # Nothing new: nothing is told.
    assert story.run("execute", "--submit").code == 0
    assert story.run("settle").code == 0
    assert (len(story.comments(number)), len(story.marks(number))) == (1, 1)


def test_a_run_that_could_not_tell_is_made_up_for(story: Hub) -> None:
    story.fails("bad_gateway_before", {"method": "POST", "path": "*/comments"})
    number = executes(story)
    assert story.comments(number) == []
    assert story.marks(number) == []
    assert story.run("settle").code == 0
    assert len(story.comments(number)) == 1
    assert len(story.marks(number)) == 1


def test_a_comment_whose_answer_was_lost_is_not_repeated(story: Hub) -> None:
    story.fails("bad_gateway_after", {"method": "POST", "path": "*/comments"})
    number = executes(story)
    assert (len(story.comments(number)), story.marks(number)) == (1, [])
    assert story.run("settle").code == 0
    assert (len(story.comments(number)), len(story.marks(number))) == (1, 1)


def test_a_comment_of_a_person_that_imitates_ours_tells_nothing(story: Hub) -> None:
    story.fails("bad_gateway_before", {"method": "POST", "path": "*/comments"})
    number = executes(story)
    marker = f"<!-- autoinvestor:result {newest(story)} -->"
    story.api("POST", f"issues/{number}/comments", {"body": marker})
    assert story.run("settle").code == 0
    assert len(story.comments(number)) == 2


def test_what_fails_in_telling_changes_no_exit_code(story: Hub) -> None:
    for path in ("*/comments*", "*/issues?*", "*/issues", "*/statuses*"):
        story.fails("bad_gateway_before", {"path": path}, times=0)
    number = story.proposes(plan())
    story.merges(number)
    answer = story.run("execute", "--submit")
    assert answer.code == 0, answer.text
    assert "not told on GitHub yet, the next run does" in answer.err


def test_a_later_fill_is_told_under_the_same_pull_request(story: Hub, exchange: Outside) -> None:
    number = story.proposes(plan(line(order_type="limit", limit_price="300", time_in_force="gtc")))
    story.merges(number)
    assert story.run("execute", "--submit").code == 0
    (order,) = exchange.open_orders
    ask("DELETE", f"/v2/orders/{order.id}")
    assert story.run("settle").code == 0
    first, second = story.comments(number)
    assert first.startswith("**Sent: 0 of 1 filled, 1 open** (sim)")
    assert second.startswith("**Settled: MU canceled** (sim)")
    assert [digest_marked(one) for one in story.marks(number)] == [told_in(second), told_in(first)]


def test_two_plans_are_told_each_under_its_own(story: Hub) -> None:
    first = executes(story)
    second = executes(story, reason="more")
    assert (len(story.comments(first)), len(story.comments(second))) == (1, 1)
    assert digest_marked(story.marks(second)[0]) == newest(story)


def test_a_plan_without_a_pull_request_is_told_nowhere(story: Hub) -> None:
    person = Repository(story.folder / "first")
    person.commit_plan(plan())
    person.git("push", "--quiet", "origin", "main")
    assert story.run("execute", "--submit").code == 0
    assert story.issues() == []


def test_a_foreign_order_is_an_issue_until_somebody_takes_it_over(
    story: Hub, exchange: Outside
) -> None:
    executes(story)
    orders("somebody-else")
    assert story.run("settle").code == 5
    (issue,) = story.issues()
    assert issue["title"] == "The account holds what no commit explains"
    assert "`order somebody-else buy 5 AMD`" in issue["body"]
    assert story.run("settle").code == 5
    assert (len(story.issues()), story.comments(issue["number"])) == (1, [])
    # One more: the same issue says so.
    orders("another")
    assert story.run("settle").code == 5
    assert len(story.issues()) == 1
    (update,) = story.comments(issue["number"])
    assert "another" in update
    assert story.run("settle").code == 5
    assert len(story.comments(issue["number"])) == 1
    for key in ("somebody-else", "another"):
        answer = story.run("ack", key)
        assert answer.code == 0, answer.text
    assert story.run("settle").code == 0
    assert story.issues() == []
    assert story.comments(issue["number"])[-1] == "`settle` found this over."


def test_a_run_that_stops_for_a_person_is_an_issue_until_one_gets_through(story: Hub) -> None:
    executes(story)
    person = Repository(story.folder / "first")
    person.git("pull", "--quiet", "origin", "main")
    path = "execution_results/2026-01/result_2026-01-14T13-00-00.json"
    person.commit({path: b"{}\n"}, message="Break it")
    person.git("push", "--quiet", "origin", "main")
    person.commit_plan(plan(reason="more"), "2026-01-14T15:20:00Z")
    person.git("push", "--quiet", "origin", "main")
    assert story.run("execute", "--submit").code == 5
    (issue,) = story.issues()
    assert issue["title"] == "`execute` stopped for a person to look"
    assert "a result that cannot be read" in issue["body"]
    assert "not done" in story.summary.read_text()
    person.git("revert", "--no-edit", "HEAD~1")
    person.git("push", "--quiet", "origin", "main")
    answer = story.run("execute", "--submit")
    assert story.issues() == [], answer.text


def test_a_mistake_of_ours_in_telling_costs_nothing(
    story: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(story.folder))
    heard = Heard()
    with open_world(story.clone.folder) as world:
        reply = told(world, heard, "settle", lambda: Reply(ExitCode.DONE))
    assert reply.exit_code is ExitCode.DONE
    assert any(
        one.startswith("a mistake of ours in telling: IsADirectoryError") for one in heard.lines
    )


def test_the_works_own_error_comes_through(story: Hub) -> None:
    def stops() -> Reply:
        raise PersonNeeded("look")

    with (
        open_world(story.clone.folder) as world,
        pytest.raises(PersonNeeded, match="look"),
    ):
        told(world, Heard(), "settle", stops)
    assert [one["title"] for one in story.issues()] == ["`settle` stopped for a person to look"]


def test_a_merge_that_github_does_not_name_yet_is_told_later(story: Hub) -> None:
    first = executes(story)
    story.fails("lag_commit_pulls", {}, times=0)
    second = executes(story, reason="more")
    assert story.comments(second) == []
    story.heals()
    assert story.run("settle").code == 0
    assert (len(story.comments(first)), len(story.comments(second))) == (1, 1)
    assert digest_marked(story.marks(second)[0]) == newest(story)


def test_a_run_that_has_nothing_to_tell_asks_little(story: Hub) -> None:
    executes(story)
    executes(story, reason="more")
    since = len(story.server.forge.log)
    assert story.run("execute", "--submit").code == 0
    asked = [path.split("/")[-1].split("?")[0] for _, path in story.was_asked(since)]
    assert asked == ["pulls", "statuses", "issues"]


def test_shares_without_their_stop_are_an_issue_until_settle_has_put_one_back(story: Hub) -> None:
    def tells(verb: str, code: ExitCode = ExitCode.PERSON, **data: Any) -> list[str]:
        with open_world(story.clone.folder) as world:
            heard = Heard()
            told(world, heard, verb, lambda: Reply(code, data))
        assert not [one for one in heard.lines if "mistake" in one]
        return [one["title"] for one in story.issues()]

    title = "Shares are held without their stop"
    bare: dict[str, Any] = {"unprotected": ["5 MU"], "without_stop": ["5 MU"]}
    calm: dict[str, Any] = {"unprotected": [], "without_stop": [], "held_without_a_stop": []}
    assert tells("execute", **bare) == [title]
    # Another execution may not have looked, so it cannot say that it is over.
    assert tells("execute", ExitCode.DONE, unprotected=[], without_stop=[]) == [title]
    assert tells("execute", **calm_but_before(bare)) == [title]
    assert tells("halt", settled={**calm, **bare}) == [title]
    # What was approved is nobody's turn, and stays told until it is over.
    assert tells("settle", ExitCode.DONE, **{**calm, "without_stop": ["5 MU"]}) == [title]
    assert tells("settle", ExitCode.DONE, **calm) == []


def calm_but_before(data: dict[str, Any]) -> dict[str, Any]:
    """Two plans executed one after the other, of which the first left something to tell."""
    return {"unprotected": [], "without_stop": [], "before": data}


def test_a_sell_that_rests_where_the_stop_was_is_told_until_a_stop_stands(
    story: Hub, exchange: Outside
) -> None:
    executes(story, instructions=[line(stop_loss_pct=40)])
    far = line("SELL", order_type="limit", limit_price="900", time_in_force="gtc")
    number = story.proposes(plan(far, reason="sell it"))
    story.merges(number)
    answer = story.run("execute", "--submit")
    assert answer.code == 0, answer.text
    assert answer.out.count("MU (10 shares) is without its stop at ") == 1
    assert "⚠️ MU (10 shares) is without its stop at" in story.comments(number)[0].splitlines()[0]
    (issue,) = story.issues()
    assert "while the SELL rests; if it does not fill, settle puts the stop back" in issue["body"]
    for _ in range(2):
        answer = story.run("settle")
        assert answer.code == 0, answer.text
        assert answer.out.count("MU (10 shares) is without its stop at ") == 1
        assert [one["number"] for one in story.issues()] == [issue["number"]]
    assert story.comments(issue["number"]) == []
    (order,) = exchange.open_orders
    ask("DELETE", f"/v2/orders/{order.id}")
    assert story.run("settle").code == 0
    assert story.issues() == []
    assert story.comments(issue["number"]) == ["`settle` found this over."]


def test_the_same_bytes_again_are_told_under_their_own_pull_request(story: Hub) -> None:
    story.fails("bad_gateway_before", {"method": "POST", "path": "*/comments"}, times=0)
    first = executes(story)
    story.heals()
    story.fails("bad_gateway_before", {"method": "POST", "path": f"*/issues/{first}/comments"})
    second = story.proposes(plan())
    story.merges(second)
    story.run("execute", "--submit")
    story.run("settle")
    (early,), (late,) = story.comments(first), story.comments(second)
    assert early.startswith("**Executed: 1 of 1 filled** (sim)")
    assert late.startswith("**Duplicate: nothing was sent** (sim)")


def test_a_merged_plan_that_waits_says_so_once_until_its_result(
    story: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = story.proposes(plan())
    story.merges(number)
    with monkeypatch.context() as patch:
        nobody_there(patch)
        for _ in range(2):
            assert story.run("execute", "--submit").code == 4
        assert story.run("settle").code in (0, 4)
        (said,) = story.comments(number)
    assert said.startswith("**The plan waits: nothing was sent yet** · merged 2026-01-14T")
    assert "`tick` tries again in the session" in said
    assert story.run("execute", "--submit").code == 0
    waited, result = story.comments(number)
    assert waited == "The plan waited here; its result is told below."
    assert result.startswith("**Executed: 1 of 1 filled**")


def test_why_a_plan_waits_is_kept_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hub(tmp_path, monkeypatch, ('calendar = "always"', 'calendar = "nyse"')) as story:
        story.comes("2026-01-14T22:00:00Z")
        number = story.proposes(plan(timestamp="2026-01-14T21:59:00Z"))
        story.merges(number)
        with monkeypatch.context() as patch:
            nobody_there(patch)
            assert story.run("execute", "--submit").code == 4
        answer = story.run("execute", "--submit")
        assert answer.code == 0, answer.text
        (said,) = story.comments(number)
        assert "session: " in said
        assert "### autoinvestor execute: waits" in story.summary.read_text()


def test_a_resume_tells_what_it_ends(story: Hub) -> None:
    executes(story)
    assert story.run("halt", "--reason", "odd").code == 0
    asked = {"state": "ACTIVE", "reason": "calm again"}
    number = executes(story, instructions=[], strategy_type="resume", trading_state=asked)
    (said,) = story.comments(number)
    assert said.startswith("**Trading is ACTIVE** (sim) · REDUCE_ONLY since 2026-01-14T")
    assert ": `odd` → ACTIVE: `calm again`" in said.splitlines()[0]


def test_a_plan_that_was_refused_is_told_too(story: Hub) -> None:
    number = story.proposes(plan(line(quantity=100_000)))
    story.merges(number)
    assert story.run("execute", "--submit").code == 1
    (said,) = story.comments(number)
    assert said.startswith("**Rejected: nothing was sent** (sim)")
    assert "\nNo:\n* `" in said
    assert "order_notional_max: " in said
    assert story.issues() == []
