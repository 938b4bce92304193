"""Halts and acknowledgments that failed, that others asked for, or whose sender has an odd name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.commands.exchanges import outside
from tests.commands.hub import NAME, OWNER, Hub, hub
from tests.commands.strangers import orders
from tests.scratch import Repository, plan

STATE = "execution_results/trading_state.json"
WRITER = {"id": 1002, "login": "octo-writer", "type": "User"}
TWO = ("approvers = []", "approvers = [1001]")


@pytest.fixture
def story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with hub(tmp_path, monkeypatch, TWO) as made:
        yield made


def says(story: Hub, number: int, body: str, who: Mapping[str, Any] = OWNER) -> dict[str, Any]:
    token = str(who["login"]).removeprefix("octo-")
    made = story.api("POST", f"issues/{number}/comments", {"body": body}, token)
    comment = {"id": made["id"], "body": body, "user": who, "author_association": "OWNER"}
    return {"action": "created", "issue": {"number": number}, "comment": comment, "sender": who}


def state(story: Hub) -> str | None:
    """The trading state on main."""
    return str(story.main.read(STATE)["state"]) if STATE in story.main.paths() else None


def test_a_halt_that_failed_is_carried_out_when_it_is_run_again(story: Hub) -> None:
    number = story.proposes(plan())
    event = says(story, number, "/halt all now")
    story.fails("bad_gateway_before", {"method": "POST", "path": "/graphql"}, times=0)
    assert story.asks("halt", event).code == 4
    failed = story.comments(number)[-1]
    assert "status 502" in failed
    story.heals()
    answer = story.asks("halt", event)
    assert (answer.code, state(story)) == (0, "HALTED"), answer.text
    assert story.comments(number)[-1] != failed


def test_no_comment_of_a_bot_keeps_a_halt_from_being_carried_out(story: Hub) -> None:
    number = story.proposes(plan())
    event = says(story, number, "/halt all")
    marker = f"Done <!-- autoinvestor:answer {event['comment']['id']} -->"
    story.api("POST", f"issues/{number}/comments", {"body": marker}, "actions")
    answer = story.asks("halt", event)
    assert (answer.code, state(story)) == (0, "HALTED"), answer.text


@pytest.mark.parametrize("login", ["alice_acme", "-alice", "_"])
def test_a_halt_of_an_account_of_a_company_counts(story: Hub, login: str) -> None:
    number = story.proposes(plan())
    event = says(story, number, "/halt")
    who = {"id": 1001, "login": login, "type": "User"}
    event["comment"]["user"] = event["sender"] = who
    story.fails("bad_gateway_before", {"path": "*/collaborators/*"}, times=0)
    answer = story.asks("halt", event)
    assert (answer.code, state(story)) == (0, "REDUCE_ONLY"), answer.text


def test_a_dispatch_halts_whoever_sent_it(story: Hub) -> None:
    answer = story.asks("halt", {"inputs": {"state": "HALTED"}, "sender": None})
    assert (answer.code, state(story)) == (0, "HALTED"), answer.text


def test_only_an_approver_takes_over_and_a_failed_try_is_made_again(
    story: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    with outside(monkeypatch) as exchange:
        story.follows = exchange.move_to
        number = story.proposes(plan())
        story.judged(number)
        story.merges(number)
        assert story.run("execute", "--submit").code == 0
        orders("somebody-else")
        assert story.run("settle").code == 5
        (issue,) = story.issues()
        head = story.main.head
        theirs = story.asks("ack", says(story, issue["number"], "/ack somebody-else", WRITER))
        assert (theirs.code, "[approval] approvers names" in theirs.out) == (1, True)
        assert story.main.head == head
        assert story.comments(issue["number"])[-1].startswith("**Not done**")
        # Anybody who may write can stop what they may not start.
        assert story.asks("halt", says(story, issue["number"], "/halt", WRITER)).code == 0
        event = says(story, issue["number"], "/ack somebody-else")
        story.fails("bad_gateway_before", {"method": "POST", "path": "/graphql"}, times=0)
        assert story.asks("ack", event).code == 4
        story.heals()
        answer = story.asks("ack", event)
        assert answer.code == 0, answer.text
        assert "taken over" in story.comments(issue["number"])[-1].lower()
        again = story.asks("ack", event)
        assert (again.code, "answered by an earlier run" in again.out) == (0, True)


@pytest.mark.parametrize(
    ("actor", "code"), [({}, 5), ({"GITHUB_ACTOR_ID": "1002"}, 5), ({"GITHUB_ACTOR_ID": "1001"}, 0)]
)
@pytest.mark.parametrize("verb", [("adopt",), ("ack", "CASH")])
def test_on_a_runner_only_an_approver_takes_an_account_over(
    story: Hub,
    monkeypatch: pytest.MonkeyPatch,
    verb: tuple[str, ...],
    actor: dict[str, str],
    code: int,
) -> None:
    for name, value in actor.items():
        monkeypatch.setenv(name, value)
    answer = story.run(*verb)
    refused = "[approval] approvers names" in answer.text
    assert refused == (code == 5), answer.text
    if verb == ("adopt",):
        assert answer.code == code


def test_on_a_runner_the_record_names_who_started_the_run(
    story: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTOR", "octo-owner")
    monkeypatch.setenv("GITHUB_ACTOR_ID", "1001")
    number = story.proposes(plan())
    story.judged(number)
    story.merges(number)
    answer = story.run("withdraw", "--reason", "too late")
    assert answer.code == 0, answer.text
    told = story.main.git("log", "-1", "--format=%(trailers:only,unfold)", "main")
    assert "Withdrawn-By: octo-owner (GitHub 1001)" in told


def test_at_a_keyboard_it_is_whoever_sits_there(tmp_path: Path) -> None:
    from executor.notes import person

    folder = Repository.founded(tmp_path / "repository").folder
    away = person(folder, {"GITHUB_ACTOR": "octo-owner", "LOGNAME": "alice"})
    assert "octo-owner" not in away
    runner = {"GITHUB_ACTIONS": "true", "GITHUB_TOKEN": "t", "GITHUB_REPOSITORY": NAME}
    assert person(folder, {**runner, "GITHUB_ACTOR": "octo"}) == "octo"
    assert person(folder, {**runner, "LOGNAME": "alice"}) == away
