"""What the account has lost since the day's start and since its peak, net of transfers."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from executor.model.facts import AccountFacts, RecordFacts
from executor.model.market import percent_of


@dataclass(frozen=True, slots=True)
class Loss:
    """How far equity lies under a figure of the past."""

    percent: Decimal
    """Percent of the basis; 0 or below where equity is not under it."""
    basis: Decimal
    """USD that equity is compared with, as if today's capital had been there then."""


def daily_loss(account: AccountFacts, record: RecordFacts) -> Loss:
    """Compare equity with the close before, capital that came since then added."""
    return _loss(account, account.last_equity + record.transferred_today)


def drawdown(account: AccountFacts, record: RecordFacts) -> Loss | None:
    """Compare equity with the highest one on record; None before there is a peak."""
    return None if record.peak_equity is None else _loss(account, record.peak_equity)


def _loss(account: AccountFacts, basis: Decimal) -> Loss:
    return Loss(percent_of(basis - account.equity, basis), basis)
