"""What changed in the account since the last close, kept as sums so that a look costs nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from executor.model.numbers import ZERO
from executor.model.position import Side


@dataclass(slots=True)
class Traded:
    """What changed in one symbol since the last close."""

    bought: Decimal = ZERO
    """Shares, in those of the present where a split came after the purchase."""
    bought_value: Decimal = ZERO
    """USD paid for them, not rounded."""
    change: Decimal = ZERO
    """Shares that came, by trade or otherwise, less shares that went."""


@dataclass(slots=True)
class Today:
    """The changes since a session's close."""

    closed: datetime
    """The close that they follow."""
    cash_change: Decimal = ZERO
    """USD, to the cent."""
    symbols: dict[str, Traded] = field(default_factory=dict)

    def trade(
        self, side: Side, symbol: str, quantity: Decimal, price: Decimal, cash_change: Decimal
    ) -> None:
        """Add a fill."""
        self.cash_change += cash_change
        traded = self._of(symbol)
        if side == "buy":
            traded.bought += quantity
            traded.bought_value += quantity * price
            traded.change += quantity
        else:
            traded.change -= quantity

    def move(self, symbol: str, change: Decimal) -> None:
        """Add shares that came or went without a trade."""
        self._of(symbol).change += change

    def convert(self, symbol: str, into: str, ratio: Decimal) -> None:
        """Turn what was bought today into another number of shares, perhaps of another symbol."""
        old = self.symbols.get(symbol)
        if old is None:
            return
        bought, value = old.bought * ratio, old.bought_value
        old.bought = old.bought_value = ZERO
        new = self._of(into)
        new.bought += bought
        new.bought_value += value

    def _of(self, symbol: str) -> Traded:
        return self.symbols.setdefault(symbol, Traded())
