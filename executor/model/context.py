"""What the checks look at: plan, settings and facts, and each order line worked out once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import cached_property

from executor.model.facts import Facts, PositionFacts
from executor.model.market import Reference, reference
from executor.model.numbers import HUNDRED, ZERO, nanos
from executor.model.order import OrderReport
from executor.model.plan import TradingInstruction, TradingInstructionSet
from executor.model.position import Side
from executor.model.settings import Limits, Settings
from executor.model.standing import Obstacle, obstacles, working


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

    @cached_property
    def cancels(self) -> tuple[tuple[int, TradingInstruction], ...]:
        """The CANCEL lines that are still to be carried out, each with its place in the plan."""
        return self._others("CANCEL")

    @cached_property
    def protects(self) -> tuple[tuple[int, TradingInstruction], ...]:
        """The PROTECT lines that are still to be carried out, each with its place in the plan."""
        return self._others("PROTECT")

    def _others(self, action: str) -> tuple[tuple[int, TradingInstruction], ...]:
        return tuple(
            (index, one)
            for index, one in enumerate(self.plan.instructions)
            if one.action == action and index not in self.facts.already_sent
        )

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

    @cached_property
    def obstacles(self) -> Mapping[int, Obstacle | None]:
        """Why each CANCEL line that is still due cannot be carried out; None: it can."""
        return obstacles(self.plan, self.facts, self.settings.repository)

    @cached_property
    def _leaving(self) -> frozenset[str]:
        """Ids of the open orders that end before the plan trades."""
        going = (one for index, one in self.cancels if self.obstacles[index] is None)
        return self.facts.protective | {one.client_order_id or "" for one in going}

    @cached_property
    def _working(self) -> Mapping[str, list[OrderReport]]:
        found: dict[str, list[OrderReport]] = {}
        for order in working(self.facts.open_orders or ()):
            found.setdefault(order.symbol, []).append(order)
        return found

    def working_orders(self, symbol: str) -> Sequence[OrderReport]:
        """Open orders of a symbol that may trade by themselves; none where they are not known."""
        return self._working.get(symbol, [])

    def in_the_way(self, symbol: str) -> tuple[OrderReport, ...]:
        """Open orders of a symbol that still stand when the plan trades it.

        What protects a holding of ours is canceled before, and so is what a CANCEL line names.
        """
        orders = self.working_orders(symbol)
        return tuple(one for one in orders if one.client_order_id not in self._leaving)

    def free_to_sell(self, symbol: str) -> Decimal:
        """Shares that the plan may sell: by our sum and by the broker's word, the lower one.

        What our protective orders hold is free, as they are canceled first. Needs the positions.
        """
        position = self.position(symbol)
        if position is None or position.quantity <= 0:
            return ZERO
        held_back = _on_sale(self.in_the_way(symbol))
        released = _on_sale(self.working_orders(symbol)) - held_back
        return max(ZERO, min(position.quantity - held_back, position.available + released))


def _on_sale(orders: Iterable[OrderReport]) -> Decimal:
    return sum((one.open_quantity for one in orders if one.side == "sell"), ZERO)


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
    held = free = None
    if facts.positions is not None:
        position = facts.positions.get(instruction.ticker)
        held = position.quantity if position else ZERO
        free = context.free_to_sell(instruction.ticker)
    found = _reference(context, instruction.ticker, side)
    quantity = _quantity(instruction, side, free, found)
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
    free: Decimal | None,
    found: Reference | None,
) -> Decimal | None:
    if instruction.quantity == "all":
        # Nothing can buy `all`, and where nothing is free there is nothing to sell.
        return (free or None) if side == "sell" else None
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
    if side == "sell":
        return quantity * found.price
    price = trigger(found.price, instruction.stop_price, instruction.trail_percent)
    return quantity * price * (1 + found.pad_pct / HUNDRED)


def trigger(price: Decimal, stop: Decimal | None, trail_percent: Decimal | None) -> Decimal:
    """USD a share that a BUY without a limit may start from: its stop, where that is higher.

    The stop of one that trails lies that much over the price at first, and only comes down.
    """
    return max(price, stop or ZERO, price * (1 + (trail_percent or ZERO) / HUNDRED))
