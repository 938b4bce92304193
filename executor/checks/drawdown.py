"""Nothing is opened while equity lies too far under its peak."""

from __future__ import annotations

from collections.abc import Iterator

from executor.model.context import Context
from executor.model.market import percent_of
from executor.model.rule import Finding, Rule, no
from executor.model.words import percent, usd


def judge(context: Context) -> Iterator[Finding]:
    """Compare equity with the highest one on record; before the first result there is no peak."""
    most = context.limits.drawdown_max_pct
    assert most is not None, "a check without its limit is off and not asked"
    record = context.facts.record
    assert record is not None, "`record` is among the needs"
    peak = record.peak_equity
    if peak is None or not context.openings:
        return
    lost = percent_of(peak - context.equity, peak)
    if lost >= most:
        yield no(
            None,
            observed=f"equity {usd(context.equity)} is {percent(lost)} under its peak, {usd(peak)}",
            limit=f"less than {percent(most)}",
            remedy="propose exits only, until equity is back or the limit on main is another one",
        )


RULE = Rule(id="drawdown", judge=judge, needs=frozenset({"account", "record"}))
