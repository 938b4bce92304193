"""Nothing is opened on a day that has lost too much already."""

from __future__ import annotations

from collections.abc import Iterator

from executor.model.context import Context
from executor.model.market import percent_of
from executor.model.rule import Finding, Rule, no
from executor.model.words import percent, usd


def judge(context: Context) -> Iterator[Finding]:
    """Compare equity with the day's start."""
    most = context.limits.daily_loss_max_pct
    assert most is not None, "a check without its limit is off and not asked"
    account = context.facts.account
    assert account is not None, "`account` is among the needs"
    lost = percent_of(account.last_equity - account.equity, account.last_equity)
    if context.openings and lost >= most:
        yield no(
            None,
            observed=f"equity {usd(account.equity)} is {percent(lost)} under the day's start,"
            f" {usd(account.last_equity)}",
            limit=f"less than {percent(most)}",
            remedy="wait for the next session, or propose exits only",
        )


RULE = Rule(id="daily_loss", judge=judge, needs=frozenset({"account"}))
