from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands.hub import Hub, hub
from tests.scratch import Repository, line, plan

NYSE = ('calendar = "always"', 'calendar = "nyse"')


@pytest.fixture
def story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with hub(tmp_path, monkeypatch) as made:
        yield made


def test_a_fresh_copy_is_reviewed_and_looked_over_and_then_left_alone(story: Hub) -> None:
    # The exchange that is always open begins its day at midnight. Nobody served 12:00, and 16:00
    # is less than two hours away.
    assert story.ticks() == ["doctor", "review manual 2026-01-14T16:00Z"]
    assert story.dispatched() == [
        ("doctor.yml", {}),
        (
            "review.yml",
            {
                "strategy": "manual",
                "slot": "2026-01-14T16:00Z",
                "reason": "scheduled review of 2026-01-14T12:00Z and 2026-01-14T16:00Z;"
                " 3 h 1 min late",
            },
        ),
    ]
    # Under way: not again. Done: not again. The next slot comes.
    assert story.ticks() == []
    story.runs_end()
    assert story.ticks() == []
    story.comes("2026-01-14T19:59:00Z")
    assert story.ticks() == ["review manual 2026-01-14T20:00Z"]


def test_a_tick_asks_little_of_github(story: Hub) -> None:
    story.ticks()
    story.runs_end()
    since = len(story.server.forge.log)
    story.ticks()
    asked = story.was_asked(since)
    assert [path.split("/")[-1].split("?")[0] for _, path in asked] == [
        "pulls",
        "pulls",
        "runs",
        "runs",
    ]


def test_showing_starts_nothing(story: Hub) -> None:
    assert story.ticks("--show") == ["doctor", "review manual 2026-01-14T16:00Z"]
    assert story.dispatched() == []
    answer = story.run("tick", "--show")
    assert "would start: doctor: weekly look" in answer.out


def test_heads_without_statuses_are_validated_once(story: Hub) -> None:
    number = story.proposes(plan(), labels=["plan", "strategy: manual"])
    assert story.ticks() == [f"validate #{number}", "doctor"]
    assert ("validate.yml", {"pull_request": str(number)}) in story.dispatched()
    held = story.run("tick", "--json").data["held"]
    assert [one["title"] for one in held] == [f"validate #{number}", "doctor"]
    story.judged(number)
    story.runs_end()
    assert story.ticks() == []


def test_an_open_plan_serves_the_slot_that_it_was_made_in(story: Hub) -> None:
    story.proposes(plan(), labels=["strategy: manual"])
    assert not [one for one in story.ticks() if one.startswith("review")]
    story.comes("2026-01-14T20:00:00Z")
    assert "review manual 2026-01-14T20:00Z" in story.ticks()


def test_a_lost_merge_is_executed(story: Hub) -> None:
    number = story.proposes(plan())
    story.judged(number)
    story.merges(number)
    assert "execute" in story.ticks()
    assert "execute" not in story.ticks()
    assert story.run("execute", "--submit").code == 0
    story.runs_end()
    assert "execute" not in story.ticks()
    story.audited()


def test_while_closed_a_plan_waits_after_one_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hub(tmp_path, monkeypatch, NYSE) as story:
        story.comes("2026-01-14T22:00:00Z")
        number = story.proposes(plan())
        story.judged(number)
        story.merges(number)
        assert "execute" in story.ticks()
        story.runs_end("failure")
        assert "execute" not in story.ticks()
        story.comes("2026-01-15T14:37:00Z")
        assert "execute" in story.ticks()


def test_an_order_that_rests_is_settled(story: Hub) -> None:
    number = story.proposes(plan(line(order_type="limit", limit_price="300", time_in_force="gtc")))
    story.judged(number)
    story.merges(number)
    answer = story.run("execute", "--submit")
    assert answer.code == 0, answer.text
    assert "settle" in story.ticks()


def test_pull_requests_that_were_closed_are_archived(story: Hub) -> None:
    number = story.proposes(plan())
    other = story.proposes(b"# a text\n", path="NOTES.md")
    story.closes(number, "too much risk")
    story.closes(other)
    assert "settle" in story.ticks()
    assert story.run("settle").code == 0
    story.runs_end()
    assert "settle" not in story.ticks()


def test_a_repository_that_github_does_not_list_is_left_to_the_next_tick(story: Hub) -> None:
    story.fails("bad_gateway_before", {"method": "GET", "path": "*/pulls*"}, times=0)
    answer = story.run("tick")
    assert answer.code == 4
    assert story.dispatched() == []


def test_what_fails_stops_nothing_else(story: Hub) -> None:
    number = story.proposes(plan())
    story.fails("bad_gateway_before", {"method": "GET", "path": "*doctor.yml/runs*"}, times=0)
    story.fails("bad_gateway_before", {"method": "POST", "path": "*validate.yml/disp*"})
    answer = story.run("tick", "--json")
    assert answer.code == 4
    started = [one["title"] for one in answer.data["started"]]
    assert started == ["review manual 2026-01-14T16:00Z"]
    assert len(answer.data["problems"]) == 2
    story.heals()
    assert story.ticks() == [f"validate #{number}", "doctor"]


def test_a_broken_record_is_said_and_the_rest_goes_on(story: Hub) -> None:
    first = Repository(story.folder / "first")
    first.commit({"execution_results/2026-01/result_2026-01-14T13-00-00.json": b"{}\n"})
    first.commit({"strategy_reviews/2026-01/review_2026-01-14T13-00-00.json": b"{}\n"})
    first.git("push", "--quiet", "origin", "main")
    answer = story.run("tick", "--json")
    assert answer.code == 5
    assert [one["title"] for one in answer.data["started"]] == [
        "doctor",
        "review manual 2026-01-14T16:00Z",
    ]
    problems = " ".join(answer.data["problems"])
    assert "a result that cannot be read" in problems
    assert "a review that cannot be read" in problems


def test_a_review_on_main_serves_its_slot_and_no_hours_mean_no_reviews(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, story: Hub
) -> None:
    review = (
        b'{"timestamp": "2026-01-14T14:05:00Z", "trigger": "scheduled", "market_analysis": {},'
        b' "portfolio_state": {}, "decision": "HOLD", "reasoning": "calm"}\n'
    )
    first = Repository(story.folder / "first")
    first.commit({"strategy_reviews/2026-01/review_2026-01-14T14-05-00.json": review})
    first.git("push", "--quiet", "origin", "main")
    assert story.ticks() == ["doctor"]


def test_no_hours_mean_no_reviews(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with hub(tmp_path, monkeypatch, ("every_hours = 4", "every_hours = 0")) as story:
        assert story.ticks() == ["doctor"]


def test_without_github_there_is_nothing_to_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    answer = Repository.founded(tmp_path / "repository").run("tick")
    assert (answer.code, "no GitHub here" in answer.err) == (2, True)


def test_a_tick_says_in_the_jobs_summary_what_it_started(story: Hub) -> None:
    story.ticks()
    told = story.summary.read_text()
    assert told.startswith("### autoinvestor tick: done\n")
    assert "started: doctor: weekly look" in told
