"""What the exchange's account starts with: a fold of a record, or 100,000 USD and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from executor.model.position import Position


@dataclass(frozen=True, slots=True)
class Opening:
    """The account at the moment when the exchange is made."""

    cash: Decimal = Decimal(100_000)
    """USD; negative is a margin debit."""
    positions: tuple[Position, ...] = ()
    """Long holdings; a quantity below 0 is refused, there is no shorting here."""
    orders: tuple[Mapping[str, object], ...] = ()
    """Every order ever, past and open, in Alpaca's JSON form, legs under their parent. Past ones
    keep their ids taken for ever; open ones live on along the price path from `processed_through`,
    where the mapping has that key, or from `submitted_at`."""
    events: tuple[Mapping[str, object], ...] = ()
    """Events in the form of `POST /sim/events`, each with `at`. Those up to the moment of the
    opening are in its cash and positions already and change prices and listing only; later ones
    are due then."""
    account_number: str = "SIM000001"
    multiplier: int = 2
    """Buying power over equity: 1 is a cash account, 2 and 4 have margin."""
    last_equity: Decimal | None = None
    """USD at the last session's close; None computes it from what is held and the price path."""
    created_at: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def __post_init__(self) -> None:
        """Refuse what the exchange cannot hold."""
        short = [position.symbol for position in self.positions if position.quantity < 0]
        assert not short, f"the exchange holds no short position, not in {', '.join(short)}"
        assert self.multiplier in (1, 2, 4), f"a multiplier is 1, 2 or 4, not {self.multiplier}"
