"""A plan whose pull request was closed without a merge: who said no and why, for the record."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from executor.decisions.notes import (
    DECLINED,
    DECLINED_BY,
    REASON,
    SUPERSEDED,
    TRAILER_MAX,
    one_line,
)
from executor.errors import DocumentError
from executor.model.digest import plan_digest, raw_digest
from executor.model.fields import parse_timestamp, timestamp_text
from executor.model.forge import ACTIONS_ID, Actor, ChangedFile, Comment, Event, PullRequest
from executor.model.plan import PLAN_PATH
from executor.model.reading import read_document

PULL_REQUEST, CLOSED_AT = "Pull-Request", "Closed-At"
"""Trailers by which one closing of one pull request is known to be archived."""

CLOSED_BACK: Final = timedelta(days=14)
"""How long after it was closed a pull request is looked at."""

SILENT: Final = "none given"
"""The reason of somebody who gave none."""

_STEERS: Final = re.compile(r"@(?=\w)|#(?=\d)|(?<=gh)-(?=\d)|:(?=//)", re.IGNORECASE)
"""What GitHub makes something of in a commit's message: mentions, issues that it closes, links."""


@dataclass(frozen=True, slots=True)
class Declined:
    """The No to a plan."""

    step: str
    """`declined`, or `superseded` where our own bot made room for a newer one."""
    by: str
    reason: str

    def trailers(self, pull: PullRequest, digest: str) -> Mapping[str, str]:
        """Trailers of the commit that archives the plan."""
        return {
            "Plan-Digest": digest,
            "Step": self.step,
            **closing(pull),
            DECLINED_BY: self.by,
            REASON: self.reason,
        }


def may_be_archived(pull: PullRequest, here: str, now: datetime) -> bool:
    """True for a pull request from this repository that was closed lately without a merge.

    What a stranger's fork holds never comes to main, not even as what was declined.
    """
    if pull.state != "closed" or pull.is_merged or pull.closed_at is None:
        return False
    is_ours = (pull.head_repository or "").lower() == here.lower()
    return is_ours and now - pull.closed_at < CLOSED_BACK


def closing(pull: PullRequest) -> dict[str, str]:
    """The two trailers that name this closing; one that was opened again may be closed again."""
    assert pull.closed_at is not None, "it was closed"
    return {PULL_REQUEST: str(pull.number), CLOSED_AT: timestamp_text(pull.closed_at)}


def is_told(pull: PullRequest, commits: Iterable[Mapping[str, str]]) -> bool:
    """True where the trailers of one of some commits name this closing."""
    wanted = closing(pull).items()
    return any(wanted <= one.items() for one in commits)


def carries_plan(files: Iterable[ChangedFile]) -> bool:
    """True where a pull request would have put a plan on main."""
    return any(one.path == PLAN_PATH and one.status != "removed" for one in files)


def declined(
    events: Sequence[Event], comments: Sequence[Comment], bots: Collection[int] = (ACTIONS_ID,)
) -> Declined:
    """Who closed a pull request, and why: the first line of that account's last comment.

    Args:
        events: its timeline, the oldest first.
        comments: its comments, the oldest first.
        bots: accounts that act for us; what these close gave way to a newer plan.
    """
    closed = [one.actor for one in events if one.name == "closed"]
    closer = closed[-1] if closed else None
    step = SUPERSEDED if closer is not None and closer.id in bots else DECLINED
    return Declined(step, named(closer), _reason(closer, comments))


def _reason(closer: Actor | None, comments: Sequence[Comment]) -> str:
    """Only of the account that closed it: anybody may comment in a public repository."""
    for one in reversed(comments):
        is_its = closer is not None and one.author is not None and one.author.id == closer.id
        if is_its and not one.body.lstrip().startswith("<!--"):
            lines = [line for line in one.body.splitlines() if line.strip()]
            return for_message(lines[0] if lines else "") or SILENT
    return SILENT


def named(actor: Actor | None) -> str:
    """`alice (1001)`: the number is who it is, the login is for people."""
    return f"{for_message(actor.login)} ({actor.id})" if actor is not None else "somebody"


def for_message(text: str) -> str:
    """Somebody's words as one line that steers nothing in a commit's message."""
    apart = {"@": "(at)", "#": "no. ", "-": " ", ":": ": "}
    quiet = _STEERS.sub(lambda found: apart[found.group()], text)
    return one_line(quiet, TRAILER_MAX)


def digest_and_time(data: bytes, otherwise: datetime) -> tuple[str, datetime]:
    """A plan's digest, and the timestamp by which it is archived.

    Args:
        data: the document, as its author wrote it.
        otherwise: when it was proposed, for one without a timestamp that can be read.
    """
    try:
        tree = read_document(data)
    except DocumentError:
        return raw_digest(data), otherwise
    try:
        return plan_digest(tree), parse_timestamp(str(tree.get("timestamp")))
    except ValueError:
        return plan_digest(tree), otherwise
