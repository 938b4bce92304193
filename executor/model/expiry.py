"""When a plan stops being good: sessions count from the moment at which it was added."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from executor.model.market import Session
from executor.model.plan import TradingInstructionSet

SESSIONS_MAX: Final = 3
"""Sessions after which even an explicit `valid_until` ends."""


def expiry(
    plan: TradingInstructionSet,
    added_at: datetime,
    sessions: Sequence[Session],
    sessions_valid: int,
) -> datetime | None:
    """Give the last instant at which anything of the plan may be sent.

    The first session that counts is the one in which the plan was added; added while closed, the
    next one. Without a `valid_until` the plan ends with the close of session `sessions_valid`;
    with one it ends there, or with the close of the third session where that is earlier.

    Args:
        plan: The plan.
        added_at: When it came to main: its approval.
        sessions: In order, without a gap; they begin with one that opened at or before `added_at`.
        sessions_valid: How many sessions count, from 1 to 3.

    Returns:
        None where the sessions do not tell: they begin after `added_at`, so one between may be
        missing, or they end before the session that is asked for.
    """
    assert 1 <= sessions_valid <= SESSIONS_MAX, "settings are checked when they are read"
    if not sessions or sessions[0].opens > added_at:
        return None
    counting = [session for session in sessions if session.closes > added_at]
    count = sessions_valid if plan.valid_until is None else SESSIONS_MAX
    if len(counting) < count:
        return None
    closes = counting[count - 1].closes
    return closes if plan.valid_until is None else min(closes, plan.valid_until)
