"""A plan that came in the place of a waiting one only reduces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from executor.model.context import Context
from executor.model.facts import Moment
from executor.model.rule import Finding, Rule, no

WITHDRAW: Final = (
    "have the waiting plan withdrawn (`autoinvestor withdraw --reason TEXT`), then propose this one"
    " again"
)
ARCHIVED: Final = (
    "propose one of the two again by itself; the plan that waited is archived as superseded"
)


def judge(context: Context) -> Iterator[Finding]:
    """Let nothing but exits push a plan aside that was approved and still waits."""
    replaces = context.facts.replaces
    if replaces is None:
        return
    what = _beyond_exits(context)
    if what is not None:
        yield no(
            None,
            observed=f"it replaces the plan {replaces[:12]}, which waits on main, and {what}",
            limit="only a plan of nothing but exits replaces one that waits",
            remedy=ARCHIVED if context.facts.moment is Moment.EXECUTION else WITHDRAW,
        )


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
