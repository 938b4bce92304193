from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from executor.decisions.declined import (
    CLOSED_BACK,
    SILENT,
    Declined,
    carries_plan,
    closing,
    declined,
    digest_and_time,
    for_message,
    is_told,
    may_be_archived,
    named,
)
from executor.model.digest import plan_digest, raw_digest
from executor.model.fields import parse_timestamp
from executor.model.forge import ACTIONS_ID, Actor, ChangedFile, Comment, Event
from executor.model.plan import PLAN_PATH
from executor.model.reading import read_document
from executor.model.writing import write_document
from tests.decisions.test_due import pull
from tests.scratch import plan

NOW = parse_timestamp("2026-01-14T15:00:00Z")
ALICE, BOB = Actor(1001, "alice"), Actor(1002, "bob")
BOT = Actor(ACTIONS_ID, "github-actions[bot]", "Bot")
HERE = "alice/trading"


def closed(**keys: Any) -> Any:
    return pull(**{"state": "closed", "closed_at": NOW - timedelta(hours=1), **keys})


def test_which_pull_requests_are_archived() -> None:
    assert may_be_archived(closed(), HERE, NOW)
    assert may_be_archived(closed(head_repository="Alice/Trading"), HERE, NOW)
    assert not may_be_archived(pull(), HERE, NOW)
    assert not may_be_archived(closed(closed_at=None), HERE, NOW)
    assert not may_be_archived(closed(merged_at=NOW), HERE, NOW)
    assert not may_be_archived(closed(closed_at=NOW - CLOSED_BACK), HERE, NOW)


def test_nothing_from_a_fork_comes_to_main() -> None:
    assert not may_be_archived(closed(head_repository="mallory/trading"), HERE, NOW)
    assert not may_be_archived(closed(head_repository=None), HERE, NOW)


def test_a_closing_is_told_once_and_a_second_one_again() -> None:
    first = closing(closed())
    assert first == {"Pull-Request": "12", "Closed-At": "2026-01-14T14:00:00Z"}
    assert is_told(closed(), [{}, {**first, "Step": "declined"}])
    assert not is_told(closed(closed_at=NOW), [first])
    assert not is_told(closed(number=13), [first])


@pytest.mark.parametrize(
    ("path", "status", "expected"),
    [
        (PLAN_PATH, "added", True),
        (PLAN_PATH, "modified", True),
        (PLAN_PATH, "renamed", True),
        (PLAN_PATH, "removed", False),
        (f"other/{PLAN_PATH}", "added", False),
    ],
)
def test_which_of_them_carry_a_plan(path: str, status: str, expected: bool) -> None:
    assert carries_plan([ChangedFile("README.md", "modified"), ChangedFile(path, status)]) is (
        expected
    )


def said(author: Actor | None, body: str) -> Comment:
    return Comment(1, author, body, NOW)


def closes(actor: Actor | None) -> list[Event]:
    return [Event("closed", BOB, NOW), Event("reopened", BOB, NOW), Event("closed", actor, NOW)]


def test_who_closed_it_last_and_why() -> None:
    comments = [
        said(ALICE, "first thoughts"),
        said(ALICE, "\n  too much risk for one day\nand more"),
        said(BOB, "I liked it"),
        said(None, "gone"),
    ]
    assert declined(closes(ALICE), comments) == Declined(
        "declined", "alice (1001)", "too much risk for one day"
    )
    assert declined(closes(BOB), comments).reason == "I liked it"


def test_without_a_word_or_a_name_it_says_so() -> None:
    assert declined(closes(ALICE), [said(BOB, "no")]) == Declined(
        "declined", "alice (1001)", SILENT
    )
    assert declined(closes(ALICE), [said(ALICE, " \n")]).reason == SILENT
    assert declined([], []) == Declined("declined", "somebody", SILENT)
    assert declined(closes(None), [said(None, "no")]) == Declined("declined", "somebody", SILENT)


def test_what_our_own_bot_closes_gave_way_to_a_newer_plan() -> None:
    comments = [said(BOT, "Superseded by #14: a newer plan"), said(BOT, "<!-- sticky -->\n**red**")]
    found = declined(closes(BOT), comments)
    assert found == Declined(
        "superseded", f"github-actions(bot) ({ACTIONS_ID})", "Superseded by no. 14: a newer plan"
    )
    assert declined(closes(BOT), comments, bots=()).step == "declined"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("fixes #3", "fixes no. 3"),
        ("closes GH-3, gh-4", "closes GH 3, gh 4"),
        ("thanks @bob", "thanks (at)bob"),
        ("see https://example.com/x", "see https: //example.com/x"),
        ("[skip ci] now", "(skip ci) now"),
        ("plain: 3-4 # @", "plain: 3-4 # @"),
    ],
)
def test_words_of_others_steer_nothing_in_a_message(text: str, shown: str) -> None:
    assert for_message(text) == shown


def test_a_name_steers_nothing_either() -> None:
    assert named(Actor(7, "x-bot[bot]", "Bot")) == "x-bot(bot) (7)"


def test_a_plan_is_archived_by_its_own_time_and_digest() -> None:
    data = write_document(plan())
    assert digest_and_time(data, NOW) == (
        plan_digest(read_document(data)),
        parse_timestamp("2026-01-14T14:45:00Z"),
    )
    without = write_document({"reason": "x", "timestamp": "soon"})
    assert digest_and_time(without, NOW) == (plan_digest(read_document(without)), NOW)
    assert digest_and_time(b"{ no", NOW) == (raw_digest(b"{ no"), NOW)


def test_its_trailers_say_who_and_why() -> None:
    assert Declined("declined", "alice (1001)", "no").trailers(closed(), "ab" * 32) == {
        "Plan-Digest": "ab" * 32,
        "Step": "declined",
        "Pull-Request": "12",
        "Closed-At": "2026-01-14T14:00:00Z",
        "Declined-By": "alice (1001)",
        "Reason": "no",
    }
