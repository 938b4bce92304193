"""What the checks look at: plan, settings and facts, and each order line worked out once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import cached_property

from executor.model.facts import Facts, PositionFacts
from executor.model.market import Reference, reference
from executor.model.numbers import HUNDRED, ZERO, nanos
from executor.model.plan import TradingInstruction, TradingInstructionSet
from executor.model.position import Side
from executor.model.settings import Limits, Settings


@dataclass(frozen=True, slots=True)
class Line:
    """One BUY or SELL of the plan with what follows from the facts."""

    index: int
    """Its place in the plan, from 0."""
    instruction: TradingInstruction
    symbol: str
    side: Side
    held: Decimal | None
    """Shares held before the plan, negative for short; None where positions are unknown."""
    quantity: Decimal | None
    """Shares; `all` and a notional are worked out from the facts, None where these are missing."""
    reference: Reference | None
    """The price it is judged by; None where there is no price."""
    worst_notional: Decimal | None
    """USD that it may cost or bring at most: at its limit, or at the reference plus the pad."""
    reduces: bool
    """True where it only makes a holding smaller: a rule about openings does not judge it."""

    @property
    def pointer(self) -> str:
        """JSON pointer of the line."""
        return f"/instructions/{self.index}"


@dataclass(frozen=True)
class Context:
    """The one argument of every check."""

    plan: TradingInstructionSet
    settings: Settings
    facts: Facts

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """Every BUY and SELL of the plan, in its order; in the second wave BUYs only."""
        return tuple(_lines(self))

    @cached_property
    def openings(self) -> tuple[Line, ...]:
        """The lines that open or add to a position."""
        return tuple(line for line in self.lines if not line.reduces)

    @cached_property
    def exits(self) -> tuple[Line, ...]:
        """The lines that only reduce a position."""
        return tuple(line for line in self.lines if line.reduces)

    @property
    def limits(self) -> Limits:
        """The settings' limits."""
        return self.settings.limits

    @property
    def book(self) -> str:
        """The book that owns the plan."""
        return self.settings.book_of(self.plan.strategy)

    @property
    def equity(self) -> Decimal:
        """USD of equity; only for checks that need the account."""
        assert self.facts.account is not None, "the check did not name `account` in its needs"
        return self.facts.account.equity

    def position(self, symbol: str) -> PositionFacts | None:
        """The holding; None for nothing held. Only for checks that need the positions."""
        assert self.facts.positions is not None, "the check did not name `positions` in its needs"
        return self.facts.positions.get(symbol)

    def reference(self, symbol: str, side: Side) -> Reference | None:
        """The price that an order in any symbol is judged by; None: there is no price."""
        return _reference(self, symbol, side)

    def open_buys(self, symbol: str) -> Decimal:
        """Shares of open BUY orders that are not this plan's own. Needs `open_orders`."""
        return self._open_quantity(symbol, "buy")

    def open_sells(self, symbol: str) -> Decimal:
        """Shares of open SELL orders that are not this plan's own. Needs `open_orders`."""
        return self._open_quantity(symbol, "sell")

    def _open_quantity(self, symbol: str, side: Side) -> Decimal:
        orders = self.facts.open_orders
        assert orders is not None, "the check did not name `open_orders` in its needs"
        return sum(
            (
                order.open_quantity
                for order in orders
                if order.symbol == symbol
                and order.side == side
                and order.client_order_id not in self.facts.own_orders
            ),
            ZERO,
        )


def _lines(context: Context) -> Iterator[Line]:
    for index, instruction in enumerate(context.plan.instructions):
        if not instruction.is_trade:
            continue
        if index in context.facts.already_sent:
            continue
        yield _line(context, index, instruction)


def _line(context: Context, index: int, instruction: TradingInstruction) -> Line:
    facts = context.facts
    side: Side = "buy" if instruction.action == "BUY" else "sell"
    held, available = _holding(facts, instruction.ticker)
    found = _reference(context, instruction.ticker, side)
    quantity = _quantity(instruction, side, available, found)
    if held is None:
        # Without positions nobody can prove that a SELL opens; `oversell` waits for the fact.
        reduces = side == "sell"
    elif side == "sell":
        reduces = held > 0
    else:
        reduces = held < 0 and quantity is not None and quantity <= -held
    return Line(
        index=index,
        instruction=instruction,
        symbol=instruction.ticker,
        side=side,
        held=held,
        quantity=quantity,
        reference=found,
        worst_notional=_worst_notional(instruction, side, quantity, found),
        reduces=reduces,
    )


def _holding(facts: Facts, symbol: str) -> tuple[Decimal | None, Decimal | None]:
    if facts.positions is None:
        return None, None
    position = facts.positions.get(symbol)
    return (position.quantity, position.available) if position else (ZERO, ZERO)


def _reference(context: Context, symbol: str, side: Side) -> Reference | None:
    prices = (context.facts.prices or {}).get(symbol)
    if prices is None:
        return None
    limits = context.limits
    assert limits.quote_age_max_seconds is not None, "settings are checked when they are read"
    assert limits.trade_age_max_minutes is not None, "settings are checked when they are read"
    assert limits.market_order_pad_pct is not None, "settings are checked when they are read"
    return reference(
        prices,
        side,
        context.facts.now,
        quote_age=timedelta(seconds=float(limits.quote_age_max_seconds)),
        trade_age=timedelta(minutes=float(limits.trade_age_max_minutes)),
        pad_pct=limits.market_order_pad_pct,
    )


def _quantity(
    instruction: TradingInstruction,
    side: Side,
    available: Decimal | None,
    found: Reference | None,
) -> Decimal | None:
    if instruction.quantity == "all":
        # A short holding has nothing to sell (its quantity is negative), and nothing can buy `all`.
        return available if side == "sell" and available and available > 0 else None
    if instruction.shares is not None:
        return instruction.shares
    if instruction.notional is not None and found is not None:
        return nanos(instruction.notional / found.price)
    return None


def _worst_notional(
    instruction: TradingInstruction, side: Side, quantity: Decimal | None, found: Reference | None
) -> Decimal | None:
    if instruction.notional is not None:
        return instruction.notional
    if quantity is None:
        return None
    if instruction.limit_price is not None and side == "buy":
        return quantity * instruction.limit_price
    if found is None:
        return None
    price = max(found.price, instruction.stop_price or ZERO) if side == "buy" else found.price
    pad = found.pad_pct if side == "buy" else ZERO
    return quantity * price * (1 + pad / HUNDRED)
