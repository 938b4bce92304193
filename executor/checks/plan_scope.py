"""A pull request adds the plan and its review, nothing else; only exits replace a waiting plan."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from executor.model.context import Context
from executor.model.evidence import PLAIN_FILE, Evidence, PathChange
from executor.model.facts import Moment
from executor.model.paths import PathKind, kind_of
from executor.model.plan import PLAN_PATH
from executor.model.rule import Finding, Rule, no, not_now

WITHDRAW: Final = (
    "have the waiting plan withdrawn (`autoinvestor withdraw --reason TEXT`), then propose this one"
    " again"
)
ARCHIVED: Final = (
    "propose one of the two again by itself; the plan that waited is archived as superseded"
)


ALONE: Final = "propose the plan again in a pull request that adds it and its review only"

SHOWN: Final = 3
"""Paths that a verdict names."""


def judge(context: Context) -> Iterator[Finding]:
    """Let nothing ride along with a plan, and nothing but exits push a waiting one aside."""
    facts = context.facts
    evidence = facts.evidence
    if evidence is not None and facts.intent_in is None:
        yield from _origin(evidence)
        yield from _paths(evidence, context.plan.review)
        yield from _running(evidence, facts.moment)
    if facts.replaces is None:
        return
    what = _beyond_exits(context)
    if what is not None:
        yield no(
            None,
            observed=f"it replaces the plan {facts.replaces[:12]}, which waits on main, and {what}",
            limit="only a plan of nothing but exits replaces one that waits",
            remedy=ARCHIVED if facts.moment is Moment.EXECUTION else WITHDRAW,
        )


def _origin(evidence: Evidence) -> Iterator[Finding]:
    """The branch lies in this repository: who may push here may propose."""
    request = evidence.pull_request
    if request is None:
        return
    if evidence.repository is None:
        yield not_now(
            None,
            observed="GitHub does not tell the name of this repository",
            remedy="run again when GitHub answers",
        )
    elif (request.head_repository or "").casefold() != evidence.repository.casefold():
        yield no(
            None,
            observed=f"{evidence.number} comes from {request.head_repository or 'a deleted fork'}",
            limit=f"a branch of {evidence.repository}",
            remedy="have somebody who may write here propose the plan",
        )


def _paths(evidence: Evidence, review: str | None) -> Iterator[Finding]:
    """What it brings to main is the plan and at most one review, new and plain files."""
    others, history, reviews = [], [], []
    for one in evidence.changes:
        kind = kind_of(one.path)
        if kind is PathKind.HISTORY or (kind is PathKind.REVIEW and one.kind != "A"):
            history.append(one.path)
        elif kind is PathKind.REVIEW and one.path.endswith(".json"):
            reviews.append(one)
        elif kind is not PathKind.PLAN:
            others.append(one.path)
        if kind in (PathKind.PLAN, PathKind.REVIEW):
            yield from _file(one, evidence)
    if history:
        yield no(
            None,
            observed=f"touches {_shown(history)}",
            limit="history, state and account files are the executor's alone",
            remedy=ALONE,
        )
    if others:
        yield no(
            None,
            observed=f"touches {_shown(others)} as well",
            limit="a plan's pull request adds the plan and its review",
            remedy=ALONE,
        )
    meant = [one.path for one in reviews if review is None or one.path == review]
    if len(reviews) > 1 or len(meant) < len(reviews):
        yield no(
            None,
            observed=f"adds {_shown([one.path for one in reviews])}",
            limit=f"the review that the plan names, {review}" if review else "one review",
            remedy=ALONE,
        )


def _file(one: PathChange, evidence: Evidence) -> Iterator[Finding]:
    """The plan is added, or changed where one waits; and it is a plain file."""
    if one.mode is not None and one.mode != PLAIN_FILE:
        yield no(
            None,
            observed=f"{one.path} has the mode {one.mode}",
            limit=f"a plain file, mode {PLAIN_FILE}",
            remedy="add it as a plain file: neither a link nor a program",
        )
    # In the place of what is no file, such as a link to a repository, the plan is added.
    nothing_waits = evidence.before is None and evidence.had_file
    if one.path == PLAN_PATH and (one.kind == "D" or (one.kind == "M" and nothing_waits)):
        done = "removes" if one.kind == "D" else "changes"
        yield no(
            None,
            observed=f"{done} {PLAN_PATH}, where no plan waits on main",
            limit="a plan's pull request adds the plan",
            remedy=ALONE,
        )


def _running(evidence: Evidence, moment: Moment) -> Iterator[Finding]:
    """Nothing comes in the place of a plan whose orders may be at the broker."""
    before = evidence.before
    if before is None or before.is_pending:
        return
    observed = f"plan {before.digest[:12]} is being executed"
    if moment is Moment.EXECUTION:
        yield no(
            None,
            observed=f"it replaced the plan {before.digest[:12]}, which was being executed",
            limit="main has no plan, or one that waits",
            remedy="propose it again when that one has ended",
        )
    else:
        yield not_now(
            None,
            observed=observed,
            limit="main has no plan, or one that waits",
            remedy="merge when that one has ended",
        )


def _shown(paths: list[str]) -> str:
    more = f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
    return ", ".join(sorted(paths)[:SHOWN]) + more


def _beyond_exits(context: Context) -> str | None:
    """Say what a plan does beyond reducing; a SELL of what is not held is `oversell`'s."""
    if not context.plan.instructions:
        return "has no instructions"
    opening = next((line for line in context.openings if line.side == "buy"), None)
    if opening is not None:
        return f"buys {opening.symbol}"
    loosening = next((one for _, one in context.protects if one.loosens), None)
    return f"loosens the stop of {loosening.ticker}" if loosening is not None else None


RULE = Rule(id="plan_scope", judge=judge, needs=frozenset({"positions"}), judges_exits=True)
