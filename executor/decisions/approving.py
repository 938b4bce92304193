"""On whose word a plan is executed: evidence becomes the approval of the result, and trailers."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final, Literal

from executor.model.evidence import Evidence
from executor.model.forge import Actor
from executor.model.result import Approval

PULL_REQUEST, PROPOSED_BY, MERGED_BY, APPROVED_BY = (
    "Pull-Request",
    "Proposed-By",
    "Merged-By",
    "Approved-By",
)
"""Trailers of the commits of a plan that was approved on GitHub."""

Policy = Literal["none", "merge", "review"]

_LOGIN: Final = re.compile(r"[A-Za-z0-9_-]{1,100}(\[bot\])?|account [0-9]{1,20}")
_LOGINS: Final = re.compile(rf"({_LOGIN.pattern})(, ({_LOGIN.pattern}))*")


def approval_of(
    evidence: Evidence | None,
    policy: Policy,
    approvers: Collection[int],
    commit: str,
    committed_at: datetime,
) -> Approval:
    """What the result says of the approval.

    Args:
        evidence: how the plan came to main; None where nobody was asked.
        policy: the settings'.
        approvers: the settings'.
        commit: the commit that brought the plan to main.
        committed_at: its date.
    """
    known: dict[str, Any] = {
        "policy": policy,
        "merge_commit": commit,
        "merged_at": committed_at,
    }
    request = evidence.pull_request if evidence else None
    if evidence is not None and request is not None and request.is_merged:
        known |= {
            "pull_request": request.number,
            "author": login(request.author),
            "merged_by": login(request.merged_by) if request.merged_by else None,
            "approved_by": tuple(
                login(one.author) for one in evidence.approvals(approvers) if one.author is not None
            ),
            "merged_at": request.merged_at,
        }
    return Approval.model_validate(known)


def trailers_of(approval: Approval | None, *, approved: bool = True) -> dict[str, str]:
    """Trailers of a commit about the plan; of one that was refused only its pull request."""
    if approval is None or approval.pull_request is None:
        return {}
    told = {PULL_REQUEST: str(approval.pull_request)}
    if approved:
        people = {PROPOSED_BY: approval.author, MERGED_BY: approval.merged_by}
        told |= {key: name for key, name in people.items() if name is not None}
        if approval.approved_by:
            told[APPROVED_BY] = ", ".join(approval.approved_by)
    return told


def approval_told(
    trailers: Mapping[str, str], policy: Policy, commit: str, committed_at: datetime
) -> Approval:
    """The approval that an intent's commit tells, for a run that goes on from it.

    Args:
        trailers: of the commit with the intent; believed, as the executor made it.
        policy: the settings'.
        commit: the commit that brought the plan to main.
        committed_at: its date.
    """
    number = re.fullmatch(r"([1-9][0-9]{0,8})", trailers.get(PULL_REQUEST, ""))
    approved_by = trailers.get(APPROVED_BY, "")
    return Approval(
        policy=policy,
        pull_request=int(number[1]) if number else None,
        author=_name(trailers.get(PROPOSED_BY)),
        merged_by=_name(trailers.get(MERGED_BY)),
        approved_by=tuple(approved_by.split(", ")) if _LOGINS.fullmatch(approved_by) else (),
        merge_commit=commit,
        merged_at=committed_at,
    )


def login(actor: Actor) -> str:
    """A login as it may stand in a trailer; an account with a stranger one by its number."""
    return actor.login if _LOGIN.fullmatch(actor.login) else f"account {actor.id}"


def _name(text: str | None) -> str | None:
    return text if text is not None and _LOGIN.fullmatch(text) else None
