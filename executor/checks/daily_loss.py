"""Nothing is opened on a day that has lost too much already."""

from __future__ import annotations

from collections.abc import Iterator

from executor.model.context import Context
from executor.model.loss import daily_loss
from executor.model.rule import Finding, Rule, no
from executor.model.words import percent, usd


def judge(context: Context) -> Iterator[Finding]:
    """Compare equity with the day's start, capital that came or went since then added."""
    most = context.limits.daily_loss_max_pct
    assert most is not None, "a check without its limit is off and not asked"
    account, record = context.facts.account, context.facts.record
    assert account is not None, "`account` is among the needs"
    assert record is not None, "`record` is among the needs"
    lost = daily_loss(account, record)
    if context.openings and lost.percent >= most:
        yield no(
            None,
            observed=f"equity {usd(account.equity)} is {percent(lost.percent)} under the day's"
            f" start, {usd(lost.basis)}",
            limit=f"less than {percent(most)}",
            remedy="wait for the next session, or propose exits only",
        )


RULE = Rule(id="daily_loss", judge=judge, needs=frozenset({"account", "record"}))
