"""Reviews: what wakes a strategy, and the review of an agent that does nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from executor.errors import UsageError
from executor.model.account import AccountRecord
from executor.model.review import Alert, Proposal, StrategyReview
from executor.model.settings import Settings

SCHEDULED: Final = "scheduled_review_needed.json"
"""The alert of a review that is due by the clock."""

NEEDED: Final = "strategy_review_needed.json"
"""The alert of a review for any other reason."""

PORTFOLIO: Final = "portfolio.json"
"""What is held and open, beside the alert."""

PROPOSAL: Final = "proposal.json"
"""What an agent hands over."""

BY_HAND: Final = "manual"

BOT: Final = "[bot]"
"""How the login of an App ends: nobody asked, the schedule did."""

HOLD: Final = "HOLD (nothing was weighed)"
"""What the built-in agent decides; a HOLD that was thought about says something else."""

HOLDS: Final = (
    "The built-in agent of this version weighs nothing: it reads the alert and the portfolio, and"
    " proposes no trade. This review records that the hour was looked at, and no judgment of the"
    " market."
)


def alert_for(
    settings: Settings,
    *,
    now: datetime,
    reason: str,
    strategy: str = "",
    slot: str = "",
    asked_by: str = "",
) -> Alert:
    """The alert of one review.

    Args:
        settings: the settings in force.
        now: the present.
        reason: why, for a person.
        strategy: the book to review; empty is the settings' default.
        slot: the hour that the schedule asks for; empty where a person asks.
        asked_by: login of whoever started it; a bot's is nobody's.

    Raises:
        UsageError: a book that the settings do not have.
    """
    book = strategy or settings.strategies.default
    known = settings.strategies.books
    if book not in known:
        raise UsageError(
            f"--strategy {book}: the settings have no such book; name one of {', '.join(known)}"
        )
    hours = settings.reviews.every_hours
    person = asked_by if asked_by and not asked_by.endswith(BOT) else None
    return Alert(
        timestamp=now,
        trigger=f"scheduled_{hours}hour" if slot else BY_HAND,
        slot=slot or f"{now.astimezone(UTC):%Y-%m-%dT%H:%MZ}",
        reason=reason,
        strategy=book,
        asked_by=person,
    )


def alert_name(alert: Alert) -> str:
    """The name of the file that an alert is written to."""
    return NEEDED if alert.trigger == BY_HAND else SCHEDULED


def hold(alert: Alert, portfolio: AccountRecord, now: datetime) -> Proposal:
    """The proposal of the built-in agent: a review that decides to hold, and no plan."""
    values = [one.unrealized_pl for one in portfolio.positions]
    state: dict[str, Any] = {
        "total_value": portfolio.equity,
        "cash": portfolio.cash,
        "positions": len(portfolio.positions),
    }
    if None not in values:
        state["unrealized_pl"] = sum((one for one in values if one is not None), Decimal(0))
    return Proposal(
        plan=None,
        review=StrategyReview(
            timestamp=now,
            trigger=alert.trigger,
            market_analysis={},
            portfolio_state=state,
            decision=HOLD,
            reasoning=HOLDS,
            instructions_created=False,
            strategy=alert.strategy,
        ),
    )
