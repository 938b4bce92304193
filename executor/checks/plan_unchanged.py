"""A proposal leaves to the executor what is the executor's: status and intent."""

from __future__ import annotations

from collections.abc import Iterator

from executor.model.context import Context
from executor.model.plan import PlanStatus
from executor.model.rule import EVERY_MOMENT, Finding, Rule, no


def judge(context: Context) -> Iterator[Finding]:
    """Refuse a plan that says of itself that it was judged or sent.

    Whether the document is the one that was reviewed is a question of git; the verb answers it
    before the checks are asked, and passes the plan as it was proposed.
    """
    plan = context.plan
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


RULE = Rule(id="plan_unchanged", judge=judge, judges_exits=True, moments=EVERY_MOMENT)
