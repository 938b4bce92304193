"""The lots while they are being folded: found by symbol, never more than the holding.

A sell of a lot's own leg shrinks that lot; whatever else makes the holding smaller shrinks the lot
with the loosest stop first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal

from executor.model.ledger import Lot, LotKey, price_step, stop_step
from executor.model.numbers import ZERO, nanos


class Lots:
    """Lots by key, with an index by symbol, so that a fill costs the same in a long record."""

    def __init__(self, lots: Mapping[LotKey, Lot] | None = None) -> None:
        """Start from the lots of a ledger."""
        self._lots: dict[LotKey, Lot] = {}
        self._by_symbol: dict[str, dict[LotKey, Lot]] = {}
        self._covered: dict[str, Decimal] = {}
        for lot in (lots or {}).values():
            self.put(lot)

    def get(self, key: LotKey) -> Lot | None:
        """The lot of an instruction; None where nothing of it is left to protect."""
        return self._lots.get(key)

    def put(self, lot: Lot) -> None:
        """Set a lot; one without shares goes."""
        self.drop(lot.key)
        if lot.quantity > 0:
            self._lots[lot.key] = lot
            self._by_symbol.setdefault(lot.symbol, {})[lot.key] = lot
            self._covered[lot.symbol] = self._covered.get(lot.symbol, ZERO) + lot.quantity

    def drop(self, key: LotKey) -> None:
        """Forget a lot."""
        lot = self._lots.pop(key, None)
        if lot is not None:
            del self._by_symbol[lot.symbol][key]
            self._covered[lot.symbol] -= lot.quantity

    def take(self, symbol: str) -> tuple[Lot, ...]:
        """Take the lots of a symbol out."""
        taken = tuple(self._by_symbol.get(symbol, {}).values())
        for lot in taken:
            self.drop(lot.key)
        return taken

    def sell(self, key: LotKey, symbol: str, quantity: Decimal) -> None:
        """Shrink a lot by what its own leg sold."""
        own = self._lots.get(key)
        if own is not None and own.symbol == symbol:
            self.put(replace(own, quantity=own.quantity - quantity))

    def trim(self, symbol: str, held: Decimal) -> None:
        """Shrink the lots of a symbol to what is held, the loosest stop first."""
        over = self._covered.get(symbol, ZERO) - max(ZERO, held)
        if over <= 0:
            return
        for lot in sorted(self._by_symbol[symbol].values(), key=lambda one: one.tightness):
            if over <= 0:
                break
            less = min(over, lot.quantity)
            self.put(replace(lot, quantity=lot.quantity - less))
            over -= less

    def scale(self, lots: Iterable[Lot], symbol: str, ratio: Decimal) -> None:
        """Put lots into a symbol that has `ratio` shares for each of theirs; prices follow."""
        for lot in lots:
            stop, target = lot.stop_price, lot.take_profit_price
            self.put(
                replace(
                    lot,
                    symbol=symbol,
                    quantity=nanos(lot.quantity * ratio),
                    stop_price=None if stop is None else stop_step(stop / ratio),
                    take_profit_price=None if target is None else price_step(target / ratio),
                )
            )

    def by_key(self) -> dict[LotKey, Lot]:
        """Every lot, sorted by its key."""
        return dict(sorted(self._lots.items()))
