from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.decisions.commands_in_comments import (
    NO_APPROVER,
    REASON_MAX,
    AckAsked,
    Ask,
    HaltAsked,
    NotOurs,
    NotUnderstood,
    read_comment,
    read_event,
    refusal,
)
from executor.model.forge import Actor
from executor.model.state import TradingState

ALICE = Actor(1001, "alice")
BOT = Actor(41898282, "github-actions[bot]", "Bot")
REDUCE, HALTED = TradingState.REDUCE_ONLY, TradingState.HALTED


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("/halt", HaltAsked(REDUCE, "")),
        ("  /Halt  ", HaltAsked(REDUCE, "")),
        ("/halt prices are odd", HaltAsked(REDUCE, "prices are odd")),
        ("/halt all prices are odd", HaltAsked(HALTED, "prices are odd")),
        ("/HALT ALL", HaltAsked(HALTED, "")),
        ("/halt HALTED now", HaltAsked(HALTED, "now")),
        ("/halt halted: now", HaltAsked(HALTED, "now")),
        ("/halt All.", HaltAsked(HALTED, "")),
        ("/halt reduce_only now", HaltAsked(REDUCE, "now")),
        ("/halted", HaltAsked(REDUCE, "")),
        ("/Halted now", HaltAsked(REDUCE, "now")),
        ("/halt.", HaltAsked(REDUCE, "")),
        ("/halt!!! now", HaltAsked(REDUCE, "now")),
        ("/halt, please", HaltAsked(REDUCE, "please")),
        ("/halt,please stop", HaltAsked(REDUCE, "please stop")),
        ("/halt-all now", HaltAsked(HALTED, "now")),
        ("/halt: HALTED", HaltAsked(HALTED, "")),
        ("/halt allow nothing", HaltAsked(REDUCE, "allow nothing")),
        ("\n\n/halt now\n> quoted\n/halt all", HaltAsked(REDUCE, "now")),
        ("/halt [skip ci]\u202e x", HaltAsked(REDUCE, "(skip ci) x")),
        ("/ack somebody-else", AckAsked("somebody-else")),
        ("/Ack ai-01234567-aa.stop --book momentum", AckAsked("ai-01234567-aa.stop", "momentum")),
        ("/ack CASH \u2014book momentum", AckAsked("CASH", "momentum")),
    ],
)
def test_the_first_line_is_the_command(body: str, said: object) -> None:
    assert read_comment(body) == said


@pytest.mark.parametrize(
    "body",
    ["", "\n", "halt", "please /halt", "thanks\n/halt", "> /halt", "`/halt`", "/hal", "/resume"],
)
def test_anything_else_is_not_ours(body: str) -> None:
    assert read_comment(body) is None


@pytest.mark.parametrize(
    "body",
    [
        "/ack",
        "/ack --book momentum",
        "/ack one two",
        "/ack one --book",
        "/ack one --book Momentum!",
        "/ack one --book a --book b",
        "/ack ünknown",
        f"/ack {'x' * 129}",
        "/ack one; rm -rf two",
    ],
)
def test_an_acknowledgment_is_exact(body: str) -> None:
    assert isinstance(read_comment(body), NotUnderstood)


@given(st.text())
def test_whatever_begins_with_the_word_halts(rest: str) -> None:
    assert isinstance(read_comment("/halt" + rest), HaltAsked)


def test_a_reason_has_an_end() -> None:
    said = read_comment("/halt " + "why " * 100_000)
    assert isinstance(said, HaltAsked)
    assert len(said.reason) <= REASON_MAX


def user(actor: Actor = ALICE) -> dict[str, Any]:
    return {"id": actor.id, "login": actor.login, "type": actor.kind}


def comment_event(body: str = "/halt", who: Actor = ALICE, **keys: Any) -> dict[str, Any]:
    event = {
        "action": "created",
        "issue": {"number": 12, "pull_request": {}},
        "comment": {"id": 77, "body": body, "user": user(who), "author_association": "OWNER"},
        "sender": user(who),
    }
    return event | keys


def test_a_comment_is_read() -> None:
    assert read_event(comment_event("/ack CASH")) == Ask(
        "comment", ALICE, AckAsked("CASH"), 12, 77, "OWNER"
    )


def test_the_association_is_text_or_nothing() -> None:
    event = comment_event()
    event["comment"]["author_association"] = ["OWNER"]
    found = read_event(event)
    assert isinstance(found, Ask)
    assert found.association == ""


def labeled(**keys: Any) -> dict[str, Any]:
    event = {
        "action": "labeled",
        "issue": {"number": 5},
        "label": {"name": "halt"},
        "sender": user(),
    }
    return event | keys


def test_a_label_is_read_on_an_issue_and_on_a_pull_request() -> None:
    asked = Ask("label", ALICE, HaltAsked(REDUCE, ""), 5)
    assert read_event(labeled()) == asked
    on_pull = labeled(pull_request={"number": 5})
    del on_pull["issue"]
    assert read_event(on_pull) == asked


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"state": "HALTED", "reason": "odd\nprices"}, HaltAsked(HALTED, "odd prices")),
        ({"state": " halted"}, HaltAsked(HALTED, "")),
        ({"state": "REDUCE_ONLY", "reason": 7}, HaltAsked(REDUCE, "")),
        ({"state": 1}, HaltAsked(REDUCE, "")),
        (None, HaltAsked(REDUCE, "")),
    ],
)
def test_a_dispatch_always_halts(inputs: Any, said: HaltAsked) -> None:
    assert read_event({"inputs": inputs, "sender": user()}) == Ask("dispatch", ALICE, said)


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (None, "no object"),
        ([], "no object"),
        ({}, "it does not say who sent it"),
        ({"sender": {"id": "1", "login": "alice"}}, "it does not say who sent it"),
        ({"sender": {"id": True, "login": "alice"}}, "it does not say who sent it"),
        ({"sender": {"id": 2**53, "login": "alice"}}, "it does not say who sent it"),
        ({"sender": {"id": 1, "login": "al\nice"}}, "it does not say who sent it"),
        ({"sender": {"id": 1, "login": 7}}, "it does not say who sent it"),
        ({"sender": user()}, "neither a comment, nor a label, nor a dispatch"),
        (comment_event(action="edited"), "a comment that was edited or removed does not count"),
        (comment_event(issue={}), "no comment of an issue or a pull request"),
        (comment_event(issue=None), "no comment of an issue or a pull request"),
        (comment_event(comment="/halt"), "no comment of an issue or a pull request"),
        (comment_event(sender=user(BOT)), "a comment that whoever sent it did not write"),
        (
            comment_event(comment={"id": 7, "body": None, "user": user()}),
            "a comment that whoever sent it did not write",
        ),
        (
            comment_event(comment={"id": "7", "body": "/halt", "user": user()}),
            "a comment that whoever sent it did not write",
        ),
        (
            comment_event(comment={"id": 7, "body": "/halt", "user": None}),
            "a comment that whoever sent it did not write",
        ),
        (comment_event("well done"), "a comment without a command"),
        (labeled(action="unlabeled"), "no label that was put on an issue or a pull request"),
        (labeled(issue={"number": 0}), "no label that was put on an issue or a pull request"),
        (labeled(label={"name": "bug"}), "another label"),
        (labeled(label="halt"), "another label"),
    ],
)
def test_what_asks_nothing_of_us_is_said(event: Any, why: str) -> None:
    assert read_event(event) == NotOurs(why)


def test_an_account_without_a_kind_is_no_person() -> None:
    event = comment_event()
    event["sender"] = {"id": ALICE.id, "login": "alice", "type": None}
    found = read_event(event)
    assert isinstance(found, Ask)
    assert not found.who.is_person


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["action", "comment", "issue", "label", "sender", "inputs", "id", "login", "number"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(json)
def test_whatever_is_in_an_event_it_is_read(tree: Any) -> None:
    assert isinstance(read_event(tree), (Ask, NotOurs))


# Rights.

HALT, ACK = HaltAsked(REDUCE, ""), AckAsked("CASH")


def ask(what: Any = HALT, **keys: Any) -> Ask:
    given = {"how": "comment", "who": ALICE, "what": what, "association": "NONE"}
    return Ask(**{**given, **keys})


@pytest.mark.parametrize("what", [HALT, ACK])
def test_who_may_write_may_ask(what: Any) -> None:
    for permission in ("admin", "maintain", "write"):
        assert refusal(ask(what), permission) is None
    for permission in ("triage", "read", "none", ""):
        assert refusal(ask(what), permission) == (
            f"that takes the right to write here, and you have {permission or 'none'}"
        )


@pytest.mark.parametrize("what", [HALT, ACK])
def test_no_bot_asks_in_a_comment_or_by_a_label(what: Any) -> None:
    assert refusal(ask(what, who=BOT), "admin") is not None
    assert refusal(ask(HALT, who=BOT, how="label"), "admin") is not None


def test_a_dispatch_is_only_for_those_who_may_write() -> None:
    assert refusal(ask(how="dispatch", who=BOT), None) is None


def test_without_an_answer_of_github_who_belongs_here_may_halt_and_do_nothing_else() -> None:
    assert refusal(ask(association="COLLABORATOR"), None) is None
    assert refusal(ask(how="label"), None) is None
    unknown = "GitHub does not say what you may do here; ask again"
    assert refusal(ask(), None) == unknown
    assert refusal(ask(ACK, association="OWNER"), None) == unknown


def test_an_acknowledgment_takes_an_approver_where_the_settings_name_some() -> None:
    assert refusal(ask(ACK), "admin", [ALICE.id]) is None
    assert refusal(ask(ACK), "admin", [ALICE.id + 1]) == NO_APPROVER
    assert refusal(ask(HALT), "write", [ALICE.id + 1]) is None


def test_where_approvers_are_named_only_they_take_something_over() -> None:
    ask = Ask("comment", ALICE, AckAsked("CASH"), 12, 77, "OWNER")
    assert refusal(ask, "write", (1002,)) == "that takes an account that [approval] approvers names"
    assert refusal(ask, "write", (1002, 1001)) is None
    halt = Ask("comment", ALICE, HaltAsked(REDUCE, ""), 12, 77, "OWNER")
    assert refusal(halt, "write", (1002,)) is None


@pytest.mark.parametrize("login", ["alice_acme", "-alice", "alice-", "app[bot]"])
def test_every_login_that_github_gives_is_read(login: str) -> None:
    assert isinstance(read_event(comment_event(who=Actor(1001, login))), Ask)


def test_a_dispatch_halts_whoever_sent_it() -> None:
    found = read_event({"inputs": {"state": "HALTED"}, "sender": None})
    assert isinstance(found, Ask)
    assert refusal(found, None) is None
    assert found.what == HaltAsked(HALTED, "")
