"""A holding and what a fill does to it, at average cost.

The embedded exchange and the ledger fold through this one function, so the sim account and the
record cannot drift apart by a rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from executor.model.numbers import ZERO, cents, nanos

Side = Literal["buy", "sell"]


@dataclass(frozen=True, slots=True)
class Position:
    """Shares of one symbol and what they cost."""

    symbol: str
    quantity: Decimal = ZERO
    """Shares, at most nine decimals; negative is short."""
    cost_basis: Decimal = ZERO
    """USD, to the cent, of the same sign as the quantity: what the shares held now were bought
    (or, short, sold) for."""

    @property
    def average_entry_price(self) -> Decimal:
        """USD a share, at most nine decimals; 0 where nothing is held."""
        return nanos(self.cost_basis / self.quantity) if self.quantity else ZERO


@dataclass(frozen=True, slots=True)
class FillEffect:
    """What one fill changed."""

    position: Position
    cash_change: Decimal
    """USD to the cent: negative for a buy."""
    realized_pl: Decimal
    """USD to the cent: profit (positive) or loss on the shares that this fill closed."""


def fill_notional(quantity: Decimal, price: Decimal) -> Decimal:
    """USD that changes hands for `quantity` shares at `price`, rounded once to the cent."""
    return cents(quantity * price)


def apply_fill(position: Position, side: Side, quantity: Decimal, price: Decimal) -> FillEffect:
    """Book one fill at average cost.

    Shares that close leave with their part of the cost, rounded to the cent; the last share takes
    what is left, so cost never stays behind. A fill larger than the holding closes it and opens
    the other side with the rest.

    Cash plus cost is conserved: `cash_change + change of cost_basis == realized_pl`, exactly.
    """
    assert quantity > 0, f"a fill has a positive quantity, not {quantity}"
    assert price >= 0, f"a fill has a price of at least 0, not {price}"
    notional = fill_notional(quantity, price)
    signed = quantity if side == "buy" else -quantity
    cash_change = -notional if side == "buy" else notional
    held = position.quantity
    if held == 0 or (held > 0) == (signed > 0):
        opened = Position(position.symbol, held + signed, position.cost_basis - cash_change)
        return FillEffect(opened, cash_change, ZERO)
    closing = min(quantity, abs(held))
    if closing == abs(held):
        closed_cost = position.cost_basis
    else:
        closed_cost = cents(position.cost_basis * closing / abs(held))
    closing_cash = cash_change if closing == quantity else cents(cash_change * closing / quantity)
    rest = signed + held if closing < quantity else ZERO
    if rest:
        after = Position(position.symbol, rest, -(cash_change - closing_cash))
    else:
        after = Position(position.symbol, held + signed, position.cost_basis - closed_cost)
    return FillEffect(after, cash_change, closing_cash + (-closed_cost))
