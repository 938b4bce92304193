"""A book may enter the same symbol only so many times a session."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from executor.model.context import Context
from executor.model.rule import Finding, Rule, no


def judge(context: Context) -> Iterator[Finding]:
    """Count the entries of the session, then the plan's own lines one after the other."""
    most = context.limits.entries_a_symbol_a_day_max
    assert most is not None, "a check without its limit is off and not asked"
    record = context.facts.record
    assert record is not None, "`record` is among the needs"
    in_plan: Counter[str] = Counter()
    for line in context.openings:
        in_plan[line.symbol] += 1
        before = record.entries_today.get((context.book, line.symbol), 0)
        if before + in_plan[line.symbol] <= most:
            continue
        remedy = "wait for the next session"
        if before < most:
            remedy = f"join the plan's entries into {line.symbol} into one line"
        yield no(
            line,
            observed=f"{line.symbol}: entry {before + in_plan[line.symbol]} of book"
            f" {context.book} in this session",
            limit=f"{most} entries a symbol and session",
            remedy=remedy,
        )


RULE = Rule(id="repeat_entry", judge=judge, needs=frozenset({"record"}))
