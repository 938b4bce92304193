"""What is asked for by comment, label and dispatch, over the real client and a loopback GitHub."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.commands.exchanges import Outside, nobody_there, outside
from tests.commands.hub import ACTIONS, OWNER, STRANGER, TRIAGE, Hub, hub
from tests.commands.strangers import orders
from tests.scratch import Answer, Repository, line, plan

STATE = "execution_results/trading_state.json"


@pytest.fixture
def story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with hub(tmp_path, monkeypatch) as made:
        yield made


@pytest.fixture
def number(story: Hub) -> int:
    """A pull request to comment on."""
    return story.proposes(plan())


def says(story: Hub, number: int, body: str, who: Mapping[str, Any] = OWNER) -> dict[str, Any]:
    """Comment; the event that follows."""
    token = str(who["login"]).removeprefix("octo-").removeprefix("github-").removesuffix("[bot]")
    made = story.api("POST", f"issues/{number}/comments", {"body": body}, token)
    comment = {"id": made["id"], "body": body, "user": who, "author_association": "NONE"}
    return {"action": "created", "issue": {"number": number}, "comment": comment, "sender": who}


def state(story: Hub) -> dict[str, Any] | None:
    """The trading state on main."""
    return story.main.read(STATE) if STATE in story.main.paths() else None


def test_a_comment_halts_however_often_it_is_run(story: Hub, number: int) -> None:
    event = says(story, number, "/Halt all prices are odd @everybody")
    answer = story.asks("halt", event)
    assert answer.code == 0, answer.text
    found = state(story)
    assert found is not None
    assert (found["state"], found["reason"], found["by"]) == (
        "HALTED",
        "prices are odd @everybody",
        "octo-owner (GitHub 1001)",
    )
    said = story.comments(number)[-1]
    assert said.startswith("**Halted: nothing new is sent, no sell either.** Nothing was open that")
    assert '{"strategy_type":"resume"' in said
    assert "@everybody" not in said.replace("```text", "").split("</summary>")[0]
    again = story.asks("halt", event)
    assert again.code == 0
    assert len(story.comments(number)) == 3


def test_exits_only_is_the_default(story: Hub, number: int) -> None:
    assert story.asks("halt", says(story, number, "/halt")).code == 0
    found = state(story)
    assert found is not None
    assert (found["state"], found["reason"]) == (
        "REDUCE_ONLY",
        "asked for by comment, without a reason",
    )


def test_a_halt_never_loosens(story: Hub, number: int) -> None:
    assert story.asks("halt", says(story, number, "/halt all")).code == 0
    head = story.main.head
    assert story.asks("halt", says(story, number, "/halt")).code == 0
    assert story.main.head == head


def test_a_stranger_changes_nothing_and_gets_no_answer(story: Hub, number: int) -> None:
    answer = story.asks("halt", says(story, number, "/halt", STRANGER))
    assert (answer.code, state(story)) == (1, None)
    assert "takes the right to write here" in answer.out
    assert len(story.comments(number)) == 1


def test_somebody_without_the_right_is_told_so(story: Hub, number: int) -> None:
    import requests

    made = {"id": 1005, "login": "octo-triage", "type": "User", "token": "triage-token"}
    requests.post(f"{story.server.url}/sim/accounts", json=made, timeout=20).raise_for_status()
    role = f"{story.server.url}/sim/repos/octo-owner/invest/roles/octo-triage"
    requests.put(role, json={"role": "triage"}, timeout=20).raise_for_status()
    assert story.asks("halt", says(story, number, "/halt", TRIAGE)).code == 1
    assert state(story) is None
    assert story.comments(number)[-1].startswith("**NOT halted**")


@pytest.mark.parametrize("body", ["/halted", "/halt.", "/halt, please"])
def test_whatever_begins_with_the_word_halts(story: Hub, number: int, body: str) -> None:
    assert story.asks("halt", says(story, number, body)).code == 0
    found = state(story)
    assert found is not None
    assert found["state"] == "REDUCE_ONLY"


def test_the_answer_says_what_was_canceled_and_what_stays(
    story: Hub, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with outside(monkeypatch) as exchange:
        story.follows = exchange.move_to
        held = story.proposes(plan(line(stop_loss_pct=40), reason="held"))
        story.merges(held)
        assert story.run("execute", "--submit").code == 0
        rests = line(ticker="AMD", order_type="limit", limit_price="50", time_in_force="gtc")
        resting = story.proposes(plan(rests, reason="rests"))
        story.merges(resting)
        assert story.run("execute", "--submit").code == 0
        assert story.asks("halt", says(story, number, "/halt")).code == 0
        said = story.comments(number)[-1]
        assert said.startswith(
            "**Halted: only sells go.** Canceled: BUY 10 AMD. 1 stop stays. To go on:"
        )


def test_a_bot_and_an_edited_comment_do_not_count(story: Hub, number: int) -> None:
    assert story.asks("halt", says(story, number, "/halt", ACTIONS)).code == 1
    edited = {**says(story, number, "/halt"), "action": "edited"}
    answer = story.asks("halt", edited)
    assert (answer.code, "does not count" in answer.out) == (0, True)
    assert state(story) is None


@pytest.mark.parametrize("verb", ["halt", "ack"])
def test_what_is_not_ours_ends_well(story: Hub, number: int, verb: str) -> None:
    for body in ("well done", "/halt" if verb == "ack" else "/ack CASH"):
        answer = story.asks(verb, says(story, number, body))
        assert (answer.code, "nothing to do" in answer.out) == (0, True)
    assert state(story) is None


def test_a_label_and_a_dispatch_halt(story: Hub, number: int) -> None:
    labeled = {
        "action": "labeled",
        "issue": {"number": number},
        "label": {"name": "halt"},
        "sender": OWNER,
    }
    assert story.asks("halt", labeled).code == 0
    assert story.comments(number)[-1].startswith("**Halted: only sells go.**")
    asked = {"inputs": {"state": "HALTED", "reason": "worse"}, "sender": OWNER}
    assert story.asks("halt", asked).code == 0
    found = state(story)
    assert found is not None
    assert (found["state"], found["reason"]) == ("HALTED", "worse")


def test_a_halt_works_when_everything_else_is_broken(
    story: Hub, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody_there(monkeypatch)
    first = Repository(story.folder / "first")
    first.commit({"autoinvestor.toml": b"no settings"})
    first.git("push", "--quiet", "origin", "main")
    event = says(story, number, "/halt")
    event["comment"]["author_association"] = "OWNER"
    for path in ("*/collaborators/*", "*/comments*", "*/issues*"):
        story.fails("bad_gateway_before", {"path": path}, times=0)
    answer = story.asks("halt", event)
    found = state(story)
    assert found is not None, answer.text
    assert found["state"] == "REDUCE_ONLY"
    assert "GitHub does not say what octo-owner may do" in answer.err
    assert "not answered on GitHub" in answer.err


def test_an_acknowledgment_by_comment(
    story: Hub, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with outside(monkeypatch) as exchange:
        story.follows = exchange.move_to
        executed(story, exchange)
        orders("somebody-else")
        assert story.run("settle").code == 5
        (issue,) = story.issues()
        answer = story.asks("ack", says(story, issue["number"], "/ack somebody-else"))
        assert answer.code == 0, answer.text
        said = story.comments(issue["number"])
        assert any(one.startswith("**Done: taken over**") for one in said)
        assert story.issues() == []
        assert story.main.results[-1]["observed"][0]["acknowledged_by"] == (
            "octo-owner (GitHub 1001)"
        )
        story.audited()


def executed(story: Hub, _exchange: Outside) -> None:
    """A ledger that has begun."""
    number = story.proposes(plan())
    story.merges(number)
    answer = story.run("execute", "--submit")
    assert answer.code == 0, answer.text


def test_what_cannot_be_acknowledged_is_answered(story: Hub, number: int) -> None:
    answer = story.asks("ack", says(story, number, "/ack nonsense"))
    assert answer.code == 5
    assert story.comments(number)[-1].startswith("**Not done**\n\n`` no result of this account")
    wrong = story.asks("ack", says(story, number, "/ack one two"))
    assert wrong.code == 1
    assert story.comments(number)[-1].startswith("**Not understood: write `/halt")


def test_an_acknowledgment_waits_where_github_does_not_know_the_right(
    story: Hub, number: int
) -> None:
    event = says(story, number, "/ack CASH")
    event["comment"]["author_association"] = "OWNER"
    story.fails("bad_gateway_before", {"path": "*/collaborators/*"}, times=0)
    answer = story.asks("ack", event)
    assert (answer.code, "ask again" in answer.out) == (1, True)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (None, "No such file"),
        (b"{ no", "no JSON"),
        (b"\xff", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b" " * (4 * 1024 * 1024 + 1), "no event is that large"),
    ],
)
def test_an_event_that_cannot_be_read_is_a_wrong_call(
    story: Hub, data: bytes | None, problem: str
) -> None:
    path = story.folder / "odd.json"
    if data is not None:
        path.write_bytes(data)
    for verb in ("halt", "ack"):
        answer: Answer = story.run(verb, "--event", str(path))
        assert (answer.code, problem in answer.err) == (2, True), answer.text


def test_an_event_and_words_on_the_command_line_exclude_each_other(story: Hub) -> None:
    assert story.run("halt", "--event", "x", "--reason", "y").code == 2
    assert story.run("halt").code == 2
    assert story.run("ack", "CASH", "--event", "x").code == 2
