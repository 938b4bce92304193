"""A loss over its limit shuts the door for new risk: the check's *no* becomes the trading state."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from executor.model.facts import AccountFacts, RecordFacts
from executor.model.loss import Loss, daily_loss, drawdown
from executor.model.settings import Settings
from executor.model.state import TradingState, TradingStateRecord
from executor.model.words import percent, usd


def trip(
    account: AccountFacts,
    record: RecordFacts,
    settings: Settings,
    state: TradingStateRecord | None,
    *,
    now: datetime,
) -> TradingStateRecord | None:
    """Say whether the account has lost so much that only exits may go from now on.

    Returns:
        REDUCE_ONLY, by the check whose limit is reached and with its sentence; None where no limit
        is, and wherever the state is not ACTIVE: what is tighter already needs no trip, and what
        cannot be read stops everything by itself.
    """
    if state is None or state.state is not TradingState.ACTIVE:
        return None
    for check, reason in _reached(account, record, settings):
        return TradingStateRecord(
            state=TradingState.REDUCE_ONLY,
            since=now,
            by=check,
            reason=reason,
            peak_equity_rebased_at=state.peak_equity_rebased_at,
        )
    return None


def _reached(
    account: AccountFacts, record: RecordFacts, settings: Settings
) -> Iterator[tuple[str, str]]:
    """Each limit that is reached: the check and its sentence, the day's before the peak's."""
    limits = settings.limits
    losses: tuple[tuple[str, str, Loss | None, Decimal | None], ...] = (
        ("daily_loss", "the day's start", daily_loss(account, record), limits.daily_loss_max_pct),
        ("drawdown", "its peak", drawdown(account, record), limits.drawdown_max_pct),
    )
    for check, of_what, loss, most in losses:
        # A check that is acknowledged as off has no limit.
        if loss is not None and most is not None and loss.percent >= most:
            yield (
                check,
                f"equity {usd(account.equity)} is {percent(loss.percent)} under {of_what},"
                f" {usd(loss.basis)}; the limit is {percent(most)}",
            )
