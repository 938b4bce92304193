"""Nothing is opened while equity lies too far under its peak."""

from __future__ import annotations

from collections.abc import Iterator

from executor.model.context import Context
from executor.model.loss import drawdown
from executor.model.rule import Finding, Rule, no
from executor.model.words import percent, usd


def judge(context: Context) -> Iterator[Finding]:
    """Compare equity with the highest one on record; before the first result there is no peak."""
    most = context.limits.drawdown_max_pct
    assert most is not None, "a check without its limit is off and not asked"
    account, record = context.facts.account, context.facts.record
    assert account is not None, "`account` is among the needs"
    assert record is not None, "`record` is among the needs"
    lost = drawdown(account, record)
    if context.openings and lost is not None and lost.percent >= most:
        yield no(
            None,
            observed=f"equity {usd(account.equity)} is {percent(lost.percent)} under its peak,"
            f" {usd(lost.basis)}",
            limit=f"less than {percent(most)}",
            remedy="propose exits only, or first a plan that counts from today's equity"
            " (`autoinvestor resume --rebase-peak --reason TEXT`)",
        )


RULE = Rule(id="drawdown", judge=judge, needs=frozenset({"account", "record"}))
