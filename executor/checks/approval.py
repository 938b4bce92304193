"""Nothing is executed without the approval that the settings ask for."""

from __future__ import annotations

from collections.abc import Iterator

from executor.model.context import Context
from executor.model.facts import Moment
from executor.model.rule import Finding, Rule, no, not_now


def judge(context: Context) -> Iterator[Finding]:
    """Hold the approval that was verified against the policy.

    The evidence itself (statuses, the way of the merge, who may merge) is verified where it is
    read; what reaches a check is its outcome.
    """
    policy = context.settings.approval_policy()
    if policy == "none":
        return
    approval = context.facts.approval
    if approval is None:
        yield not_now(
            None,
            observed="an approval cannot be verified here",
            limit=f"approval by {policy}",
            remedy="merge the plan's pull request, and run where GitHub can be asked",
        )
        return
    if approval.policy != policy and approval.policy != "review":
        yield no(
            None,
            observed=f"approved by policy `{approval.policy}`",
            limit=f"approval by {policy}",
            remedy=f"propose the plan again and approve it by {policy}",
        )
        return
    if approval.merged_by is None or approval.merged_by == approval.author:
        yield no(
            None,
            observed=f"merged by {approval.merged_by or 'nobody'},"
            f" proposed by {approval.author or 'nobody'}",
            limit="merged by a person who did not propose it",
            remedy="propose the plan again and have another person merge it",
        )
    if policy == "review" and not set(approval.approved_by) - {approval.author}:
        yield no(
            None,
            observed="no approving review of another person",
            limit="approval by review",
            remedy="propose the plan again and have it approved by a review before the merge",
        )


RULE = Rule(id="approval", judge=judge, judges_exits=True, moments=frozenset({Moment.EXECUTION}))
