"""What one fill or one activity does to cash, holdings and lots: each is booked once.

Convention: each line of an event carries the signed change of shares of its symbol and the signed
change of cash; the lines of one event share a group. Every line is booked whole by itself; shares
that come for others take over their cost, and give back the profit or loss that was booked for it.
So neither the order of the lines nor how results cut them makes a difference in the end, and after
each line the change of cash plus cost is realized profit plus income plus transfers, exactly.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Final

from executor.decisions.lots import Lots
from executor.model.activity import Activity
from executor.model.ledger import Lot, LotKey, Suspended, Transfer
from executor.model.numbers import ZERO, cents
from executor.model.position import Position, Side, apply_fill

EVENT_DAYS: Final = timedelta(days=40)
"""How long a line waits for the others of its event."""


@dataclass
class Books:
    """Cash, holdings and lots while they are being folded."""

    cash: Decimal = ZERO
    realized: Decimal = ZERO
    income: Decimal = ZERO
    transfers: Decimal = ZERO
    transfer_log: list[Transfer] = field(default_factory=list)
    suspense: dict[str, Suspended] = field(default_factory=dict)
    positions: dict[str, Position] = field(default_factory=dict)
    lots: Lots = field(default_factory=Lots)

    def position(self, symbol: str) -> Position:
        """The holding; an empty one where nothing is held."""
        return self.positions.get(symbol) or Position(symbol)

    def opens(self, positions: Iterable[Position]) -> None:
        """Hold these and nothing else: where a ledger begins."""
        before = dict(self.positions)
        self.positions = {one.symbol: one for one in positions}
        for symbol in before:
            self.lots.trim(symbol, self.position(symbol).quantity)

    def fill(
        self, symbol: str, side: Side, quantity: Decimal, price: Decimal, lot: LotKey | None = None
    ) -> None:
        """Book one fill; a sell shrinks `lot` first, then whatever the holding no longer covers."""
        effect = apply_fill(self.position(symbol), side, quantity, price)
        self.cash += effect.cash_change
        self.realized += effect.realized_pl
        if side == "sell" and lot is not None:
            self.lots.sell(lot, symbol, quantity)
        self._hold(effect.position)

    def _hold(self, position: Position) -> None:
        """Keep a holding; cost without shares is a loss, and lots never exceed the shares."""
        symbol = position.symbol
        if position.quantity:
            self.positions[symbol] = position
        else:
            self.positions.pop(symbol, None)
            self.realized -= position.cost_basis
        self.lots.trim(symbol, position.quantity)

    def _change(self, symbol: str, shares: Decimal, cost: Decimal) -> None:
        held = self.position(symbol)
        self._hold(Position(symbol, held.quantity + shares, held.cost_basis + cost))

    def activity(self, one: Activity) -> None:
        """Book an activity that is no fill; fills are booked by their orders."""
        net = cents(one.net_amount or ZERO)
        shares = one.quantity or ZERO
        self.cash += net
        if one.is_transfer:
            self._transfer(one, net, shares)
        elif one.symbol is None or not (shares or one.kind == "SPIN"):
            self.income += net
        elif one.kind == "SPIN":
            self.income += net
            self._spin_off(one, one.symbol, shares)
        elif self._is_split(one, one.symbol, shares):
            self.income += net
            self._split(one.symbol, shares)
        elif self._is_leaving(one, one.symbol, shares):
            self._leaves(one, one.symbol, shares, net)
        else:
            self.income += net
            self._arrives(one, one.symbol, shares)

    def _transfer(self, one: Activity, net: Decimal, shares: Decimal) -> None:
        """Capital: cash, and shares at the price that is told, else at their cost."""
        amount = net
        if one.symbol is not None and shares:
            held = self.position(one.symbol)
            price = held.average_entry_price if one.price is None else one.price
            side: Side = "buy" if shares > 0 else "sell"
            # As if they were bought or sold at that price, with cash that came or went.
            effect = apply_fill(held, side, abs(shares), max(ZERO, price))
            amount -= effect.cash_change
            self.realized += effect.realized_pl
            self._hold(effect.position)
        if amount:
            self.transfers += amount
            self.transfer_log.append(Transfer(one.at, amount))

    def _is_split(self, one: Activity, symbol: str, shares: Decimal) -> bool:
        """True where one line tells a whole split, or a dividend in shares, which is one."""
        held = self.position(symbol).quantity
        return one.kind in ("SPLIT", "DIV") and held * (held + shares) > 0

    def _split(self, symbol: str, shares: Decimal) -> None:
        """Shares change, cost does not; stops and targets move with the price."""
        held = self.position(symbol).quantity
        lots = self.lots.take(symbol)
        self._change(symbol, shares, ZERO)
        self.lots.scale(lots, symbol, (held + shares) / held)
        self.lots.trim(symbol, held + shares)

    def _is_leaving(self, one: Activity, symbol: str, shares: Decimal) -> bool:
        """True for the side of an event that gives shares up; a short one is bought back."""
        other = self.suspense.get(one.group or "")
        if other is not None and other.quantity:
            return (other.quantity * shares > 0) == other.left
        held = self.position(symbol).quantity
        return held * shares < 0 if held else shares < 0

    def _leaves(self, one: Activity, symbol: str, shares: Decimal, net: Decimal) -> None:
        """Shares go: paid by cash first; what cost is left moves to the shares that replace them.

        A new name takes the stops along, and so does a split that is told in two lines; new shares
        of another worth do not.
        """
        held = self.position(symbol)
        whole = abs(held.quantity)
        cost = cents(held.cost_basis * min(abs(shares), whole) / whole) if whole else ZERO
        moved = _within(cost - net, cost)
        lots = self.lots.take(symbol) if one.kind in ("NC", "SPLIT") else ()
        self._change(symbol, shares, -cost)
        self.realized += net - cost
        came = self.suspense.pop(one.group or "", None)
        if came is None or came.left:
            if came is not None:
                shares, moved, lots = shares + came.quantity, moved + came.cost, lots + came.lots
            self._wait(one, Suspended(symbol, shares, moved, one.at, left=True, lots=lots))
            return
        self.income -= came.cost
        self.realized += moved
        self._change(came.symbol, ZERO, moved - came.cost)
        self._follow(lots, came.symbol, came.quantity, shares)

    def _arrives(self, one: Activity, symbol: str, shares: Decimal) -> None:
        """Shares come: at the cost that left for them, else they are given, at their own price."""
        went = self.suspense.get(one.group or "")
        if went is None or not went.left:
            self._given(one, symbol, shares)
            return
        del self.suspense[one.group or ""]
        self.realized += went.cost
        self._change(symbol, shares, went.cost)
        self._follow(went.lots, symbol, shares, went.quantity)

    def _given(self, one: Activity, symbol: str, shares: Decimal, before: Decimal = ZERO) -> None:
        cost = cents(shares * (one.price or ZERO))
        self.income += cost
        self._change(symbol, shares, cost)
        self._wait(one, Suspended(symbol, shares, before + cost, one.at, left=False))

    def _follow(
        self, lots: tuple[Lot, ...], symbol: str, shares: Decimal, instead_of: Decimal
    ) -> None:
        if lots:
            self.lots.scale(lots, symbol, abs(shares / instead_of))
            self.lots.trim(symbol, self.position(symbol).quantity)

    def _spin_off(self, one: Activity, symbol: str, shares: Decimal) -> None:
        """The new shares take their cost from the parent, whose line has no shares."""
        other = self.suspense.get(one.group or "")
        if shares and other is not None and other.left:
            cost = self._from_parent(other.symbol, cents(shares * (one.price or ZERO)))
            self._change(symbol, shares, cost)
        elif shares:
            self._given(one, symbol, shares, other.cost if other else ZERO)
        else:
            if other is not None and not other.left:
                moved = self._from_parent(symbol, other.cost)
                self.income -= other.cost
                self._change(other.symbol, ZERO, moved - other.cost)
            self._wait(one, Suspended(symbol, ZERO, ZERO, one.at, left=True))

    def _from_parent(self, parent: str, cost: Decimal) -> Decimal:
        moved = _within(cost, self.position(parent).cost_basis)
        self._change(parent, ZERO, -moved)
        return moved

    def _wait(self, one: Activity, line: Suspended) -> None:
        """Remember a line for the others of its event; one without a group has none."""
        if one.group is None:
            return
        for group, other in list(self.suspense.items()):
            if other.at < one.at - EVENT_DAYS:
                del self.suspense[group]
        self.suspense[one.group] = line


def _within(amount: Decimal, cost: Decimal) -> Decimal:
    """The part of an amount that a cost covers, of the cost's sign."""
    return min(max(amount, ZERO), cost) if cost > 0 else max(min(amount, ZERO), cost)
