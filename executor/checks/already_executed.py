"""The same plan is executed once."""

from __future__ import annotations

from collections.abc import Iterator

from executor.model.context import Context
from executor.model.rule import Finding, Rule, no


def judge(context: Context) -> Iterator[Finding]:
    """Look for the plan's digest in the archive and for its order ids at the broker."""
    record = context.facts.record
    assert record is not None, "the check names `record` in its needs"
    if record.executed is not None:
        yield no(
            None,
            observed=f"executed before, see {record.executed}",
            limit="a plan is executed once",
            remedy="to do the same again, write a new plan with a new `timestamp`",
        )
    if record.orders_at_broker:
        known = record.orders_at_broker
        more = f" and {len(known) - 3} more" if len(known) > 3 else ""
        yield no(
            None,
            observed=f"the broker knows orders of this plan that git does not:"
            f" {', '.join(known[:3])}{more}",
            limit="no order of the plan before its intent is committed",
            remedy="a person looks who sent them; then write a new plan with a new `timestamp`",
        )


RULE = Rule(id="already_executed", judge=judge, needs=frozenset({"record"}), judges_exits=True)
