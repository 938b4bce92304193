"""What the account looks like after a plan, and what it may lose: estimates for a reviewer.

No check is judged from these numbers and no order is made from them; each check has its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, TypeVar

from executor.model.context import Context, Line
from executor.model.fields import is_ticker
from executor.model.ledger import Lot
from executor.model.market import percent_of
from executor.model.numbers import HUNDRED, ZERO
from executor.model.plan import TradingInstruction

A = TypeVar("A")

GAP_PCT: Final = Decimal(10)
"""Percent by which every price opens against its holding, past every stop."""


@dataclass(frozen=True, slots=True)
class Holding:
    """One symbol before and after the plan, at today's price."""

    symbol: str
    before: Decimal
    """Shares; negative is short."""
    after: Decimal
    price: Decimal
    """USD a share; 0 where there is none."""
    stop_loss_before: Decimal | None
    """USD lost if its stops fill at their price; None: some of it stands without a stop."""
    stop_loss_after: Decimal | None
    withdrawn: tuple[Lot, ...] = ()
    """Lots whose stop goes for a SELL that rests, and comes back if that does not fill."""

    @property
    def value_before(self) -> Decimal:
        """USD, negative for short."""
        return self.before * self.price

    @property
    def value_after(self) -> Decimal:
        """USD, negative for short."""
        return self.after * self.price


@dataclass(frozen=True, slots=True)
class Outlook:
    """The account before and after; every amount is USD, and an estimate."""

    equity: Decimal
    cash_before: Decimal
    cash_after: Decimal
    """With BUYs at their worst price, and the SELLs at theirs."""
    holdings: tuple[Holding, ...]
    """By symbol."""
    traded: Decimal
    """What all BUYs and SELLs of the plan come to."""
    unpriced: tuple[str, ...]
    """Symbols without a price, which no sum here holds."""

    @property
    def gross_before(self) -> Decimal:
        """Worth of all holdings, long and short alike."""
        return sum((abs(one.value_before) for one in self.holdings), ZERO)

    @property
    def gross_after(self) -> Decimal:
        """The same after the plan."""
        return sum((abs(one.value_after) for one in self.holdings), ZERO)

    @property
    def stops_before(self) -> Decimal:
        """Lost if every stop fills at its price."""
        return sum((one.stop_loss_before or ZERO for one in self.holdings), ZERO)

    @property
    def stops_after(self) -> Decimal:
        """The same after the plan."""
        return sum((one.stop_loss_after or ZERO for one in self.holdings), ZERO)

    @property
    def naked_after(self) -> tuple[str, ...]:
        """Symbols of which some shares would stand without a stop."""
        return tuple(
            one.symbol for one in self.holdings if one.stop_loss_after is None or one.withdrawn
        )

    @property
    def withdrawn(self) -> tuple[Holding, ...]:
        """Holdings whose stop a resting SELL of the plan takes away until it fills or ends."""
        return tuple(one for one in self.holdings if one.withdrawn)

    @property
    def gap_loss(self) -> Decimal:
        """Lost after the plan if every price gaps by `GAP_PCT` against its holding."""
        return self.gross_after * GAP_PCT / HUNDRED

    def share(self, amount: Decimal) -> Decimal:
        """Percent of equity."""
        return percent_of(amount, self.equity)


def outlook(context: Context, going: Collection[int]) -> Outlook:
    """Look ahead: every line that goes fills in full, but a SELL that rests does not.

    A BUY that rests counts as filled, because its fill is what adds risk.

    Args:
        context: plan, settings and facts; account and positions must be there.
        going: indexes of the lines that would be sent.
    """
    facts = context.facts
    assert facts.account is not None, "the verb asks for the account first"
    assert facts.positions is not None, "and for the positions"
    lines = [one for one in context.lines if one.index in going]
    trades = _by_symbol((one.symbol, one) for one in lines)
    lots = _by_symbol((one.symbol, one) for one in (facts.record.lots if facts.record else ()))
    moved = _by_symbol((one.ticker, one) for index, one in context.protects if index in going)
    holdings = tuple(
        _holding(context, one, trades.get(one, ()), lots.get(one, ()), moved.get(one, ()))
        for one in sorted({*facts.positions, *trades})
    )
    costs = sum((one.worst_notional or ZERO for one in lines if one.side == "buy"), ZERO)
    sells = [one for one in lines if one.side == "sell"]
    brings = sum((one.worst_notional or ZERO for one in sells if not _rests(one)), ZERO)
    resting = sum((one.worst_notional or ZERO for one in sells if _rests(one)), ZERO)
    missing = {one.symbol for one in lines if one.worst_notional is None}
    missing |= {one.symbol for one in holdings if not one.price}
    return Outlook(
        equity=facts.account.equity,
        cash_before=facts.account.cash,
        cash_after=facts.account.cash - costs + brings,
        holdings=tuple(one for one in holdings if one.before or one.after),
        traded=costs + brings + resting,
        unpriced=tuple(sorted(missing)),
    )


def only_exits(context: Context) -> bool:
    """True where nothing of a plan opens a position or takes protection away."""
    if not context.plan.instructions:
        return False
    loosens = any(one.loosens for one in context.plan.instructions)
    return not loosens and not any(one.side == "buy" for one in context.openings)


def _by_symbol(pairs: Iterable[tuple[str, A]]) -> dict[str, list[A]]:
    found: dict[str, list[A]] = {}
    for symbol, one in pairs:
        found.setdefault(symbol, []).append(one)
    return found


def _holding(
    context: Context,
    symbol: str,
    trades: Sequence[Line],
    lots: Sequence[Lot],
    moves: Sequence[TradingInstruction],
) -> Holding:
    """One symbol, with its own lines, lots and PROTECT lines that go."""
    held = (context.facts.positions or {}).get(symbol)
    before = held.quantity if held else ZERO
    price = held.market_value / held.quantity if held and held.quantity else ZERO
    found = context.reference(symbol, "sell") if is_ticker(symbol) else None
    if found is not None:
        price = found.price
    stops = [(one.quantity, _distance(one, price)) for one in lots]
    kept: list[tuple[Decimal, Decimal | None]] = [*stops]
    for one in moves:
        kept = [(quantity, _moved(one, price)) for quantity, _ in kept]
    entries = [
        (one.quantity, _entry_distance(one.instruction, price))
        for one in trades
        if one.side == "buy" and one.quantity is not None
    ]
    after = before + sum((_signed(one) for one in trades if not _rests(one)), ZERO)
    sold = sum((one.quantity or ZERO for one in trades if _rests(one)), ZERO)
    return Holding(
        symbol=symbol,
        before=before,
        after=after,
        price=price,
        stop_loss_before=_stop_loss(before, stops),
        stop_loss_after=_stop_loss(after, [*kept, *entries]),
        withdrawn=tuple(lots) if sold and before > 0 else (),
    )


def _rests(line: Line) -> bool:
    """True for a SELL that waits at the broker for its price."""
    instruction, found = line.instruction, line.reference
    if line.side == "buy" or instruction.order_type == "market":
        return False
    # Without a price nobody can tell, and a fill is no promise.
    limit = instruction.limit_price if instruction.order_type == "limit" else None
    return limit is None or found is None or limit > found.price


def _signed(line: Line) -> Decimal:
    quantity = line.quantity or ZERO
    return quantity if line.side == "buy" else -quantity


def _distance(lot: Lot, price: Decimal) -> Decimal:
    """USD a share between the price and a lot's stop; a negative one would mean it has passed."""
    if lot.stop_price is not None:
        return max(price - lot.stop_price, ZERO)
    return price * (lot.trail_percent or ZERO) / HUNDRED


def _entry_distance(instruction: TradingInstruction, price: Decimal) -> Decimal | None:
    """USD a share between entry and stop; None where no stop is asked for."""
    if not instruction.wants_stop or instruction.stop_loss_pct is None:
        return None
    return (instruction.limit_price or price) * min(instruction.stop_loss_pct, HUNDRED) / HUNDRED


def _moved(protect: TradingInstruction, price: Decimal) -> Decimal | None:
    """USD a share to the stop that a PROTECT sets; None: it takes the protection away."""
    if protect.stop_price is not None:
        return max(price - protect.stop_price, ZERO)
    if protect.trail_percent is not None:
        return price * protect.trail_percent / HUNDRED
    return None


def _stop_loss(held: Decimal, stops: Iterable[tuple[Decimal, Decimal | None]]) -> Decimal | None:
    """USD lost if the stops of a holding fill; None where they do not cover all of it.

    A sale shrinks the loosest first, so the nearest ones are counted first. Nothing of ours stands
    behind a short holding.
    """
    left, lost = held, ZERO
    there = [(quantity, distance) for quantity, distance in stops if distance is not None]
    for quantity, distance in sorted(there, key=lambda one: one[1]):
        part = max(min(quantity, left), ZERO)
        lost += part * distance
        left -= part
    return lost if not left else None
