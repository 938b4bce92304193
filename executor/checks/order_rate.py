"""A plan, and a session, may not send more than so many orders."""

from __future__ import annotations

from collections.abc import Iterator

from executor.model.context import Context
from executor.model.facts import Moment
from executor.model.rule import EVERY_MOMENT, Finding, Rule, no, not_now


def judge(context: Context) -> Iterator[Finding]:
    """Count every order of a plan that opens something; a plan of exits is never held up."""
    a_plan = context.limits.orders_a_plan_max
    a_day = context.limits.orders_a_day_max
    assert a_plan is not None, "a check without its limit is off and not asked"
    assert a_day is not None, "a check without its limit is off and not asked"
    if not context.openings:
        return
    # A PROTECT places an order, a CANCEL places none.
    orders = sum(one.action != "CANCEL" for one in context.plan.instructions)
    if orders > a_plan:
        yield no(
            None,
            observed=f"{orders} orders in this plan",
            limit=f"{a_plan} orders a plan",
            remedy=f"split it into plans of at most {a_plan} orders",
        )
    record = context.facts.record
    if record is None:
        if context.facts.moment is not Moment.FILE:
            yield not_now(
                None,
                observed="no answer about: record",
                remedy="run again when the record can be read",
            )
    elif record.orders_today + orders > a_day:
        left = max(0, a_day - record.orders_today)
        yield no(
            None,
            observed=f"{record.orders_today} orders in this session, {orders} in this plan",
            limit=f"{a_day} orders a session",
            remedy=f"propose at most {left} orders today, the rest in the next session"
            if left
            else "propose it in the next session",
        )


RULE = Rule(id="order_rate", judge=judge, moments=EVERY_MOMENT)
