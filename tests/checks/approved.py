"""How a plan was approved, with nothing to object to; a test changes the one thing it is about."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from executor.model.evidence import Edit, Evidence, PathChange
from executor.model.forge import (
    ACTIONS_ID,
    MARKS,
    Actor,
    Event,
    Mark,
    PullRequest,
    Review,
    digest_words,
)
from executor.model.plan import PLAN_PATH
from tests.checks.builders import DIGEST, NOW, plan

BOT = Actor(ACTIONS_ID, "github-actions[bot]", "Bot")
WEB = Actor(19864447, "web-flow")
ALICE, BOB, CAROL = Actor(1, "alice"), Actor(2, "bob"), Actor(3, "carol")

MERGED = NOW - timedelta(minutes=10)
BASE, HEAD, MERGE, OTHER = "b" * 40, "c" * 40, "d" * 40, "e" * 40
PLAN = b"a plan"


def request(**changes: Any) -> PullRequest:
    """Pull request 7: opened by the bot, merged by Alice."""
    base = PullRequest(
        number=7,
        title="BUY 1",
        state="closed",
        author=BOT,
        head_ref="plan/1",
        head=HEAD,
        head_repository="alice/trading",
        base_ref="main",
        created_at=MERGED - timedelta(hours=1),
        merged_at=MERGED,
        merged_by=ALICE,
        merge_commit=MERGE,
        closed_at=MERGED,
    )
    return replace(base, **changes)


def mark(context: str, **changes: Any) -> Mark:
    """A green status by the Actions app, five minutes before the merge."""
    words = digest_words(DIGEST) if context == MARKS[0] else "fine"
    base = Mark(context, "success", words, BOT, MERGED - timedelta(minutes=5))
    return replace(base, **changes)


def marks(**changes: Any) -> tuple[Mark, ...]:
    """All statuses; `changes` are of the last one, `plan/capital`."""
    return (mark(MARKS[0]), mark(MARKS[1]), mark(MARKS[2], **changes))


def edit(**changes: Any) -> Edit:
    """The commit of the bot that brought the plan."""
    return replace(Edit(HEAD, (BOT, WEB), True, True, None, plan()), **changes)


def event(name: str, actor: Actor | None = ALICE, minutes: float | None = 0) -> Event:
    """An event, some minutes after the merge."""
    return Event(name, actor, None if minutes is None else MERGED + timedelta(minutes=minutes))


def review(author: Actor | None = BOB, state: str = "APPROVED", **changes: Any) -> Review:
    """An approving review of the head, a minute before the merge."""
    return replace(Review(author, state, HEAD, MERGED - timedelta(minutes=1)), **changes)


def evidence(**changes: Any) -> Evidence:
    """A plan that the bot proposed, the validator passed and Alice merged."""
    base = Evidence(
        added_in=MERGE,
        parents=(BASE, HEAD),
        added_at=MERGED,
        repository="alice/trading",
        is_old=False,
        pull_request=request(),
        changes=(PathChange(PLAN_PATH, "A", "100644"),),
        plan_at_head=PLAN,
        plan_on_main=PLAN,
        edits=(edit(),),
        commit_count=1,
        is_one_commit=True,
        reviews=(),
        marks=marks(),
        timeline=(event("merged"),),
        rights={1: "admin", 2: "write", 3: "read"},
    )
    return replace(base, **changes)
