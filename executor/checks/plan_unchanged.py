"""The plan is the one that was reviewed, and leaves status and intent to the executor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from executor.model.context import Context
from executor.model.evidence import Evidence
from executor.model.facts import Moment
from executor.model.forge import DIGEST_MARK, DIGEST_SHOWN, digest_told
from executor.model.plan import PlanStatus
from executor.model.rule import EVERY_MOMENT, Finding, Rule, no

AGAIN: Final = "propose the plan again; only the document that was reviewed is executed"


def judge(context: Context) -> Iterator[Finding]:
    """Refuse a plan that says of itself that it was judged or sent, or that is another one."""
    plan, facts = context.plan, context.facts
    if plan.status is not PlanStatus.PENDING:
        yield no(
            None,
            observed=f"status {plan.status}",
            limit="a proposal is pending",
            remedy="set `status` to pending, or take it out",
            key="status",
        )
    if plan.intent is not None:
        yield no(
            None,
            observed=f"an intent of {len(plan.intent.orders)} orders",
            limit="only the executor writes an intent",
            remedy="take `intent` out",
            key="intent",
        )
    # What is not known yet is *not now* by the check `approval`.
    is_due = facts.moment is Moment.EXECUTION and facts.intent_in is None
    if is_due and facts.evidence is not None and facts.evidence.is_merge:
        yield from _as_reviewed(facts.evidence, facts.plan_digest)


def _as_reviewed(evidence: Evidence, digest: str) -> Iterator[Finding]:
    """The bytes on main are those of the head, and the validator judged this very document."""
    if evidence.plan_on_main != evidence.plan_at_head:
        there = "another plan" if evidence.plan_at_head is not None else "no plan"
        yield no(
            None,
            observed=f"the head {evidence.parents[1][:12]} that was merged holds {there}",
            limit="the document on main is the one at the reviewed head",
            remedy=AGAIN,
        )
    mark = evidence.mark_at_merge(DIGEST_MARK)
    told = digest_told(mark.description) if mark is not None else None
    if mark is not None and told != digest[:DIGEST_SHOWN]:
        judged = f"plan {told[:12]}" if told else "no plan by its digest"
        yield no(
            None,
            observed=f"{DIGEST_MARK} names {judged}, and this is {digest[:12]}",
            limit="the plan that the validator judged",
            remedy=AGAIN,
        )


RULE = Rule(id="plan_unchanged", judge=judge, judges_exits=True, moments=EVERY_MOMENT)
