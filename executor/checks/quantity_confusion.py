"""The shares agree with the money that was meant: a guard against a slipped digit."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from executor.model.context import Context, Line
from executor.model.facts import Moment
from executor.model.market import Rung
from executor.model.numbers import HUNDRED, nanos
from executor.model.rule import EVERY_MOMENT, Finding, Rule, no, not_now
from executor.model.words import percent, shares, usd

Worth = tuple[Decimal, Decimal | None]
"""USD of an order, and of the holding after it; None where the holding is not known."""


def judge(context: Context) -> Iterator[Finding]:
    """Compare each BUY, and the holding after it, with its `target_allocation`."""
    tolerance = context.limits.quantity_confusion_pct
    assert tolerance is not None, "settings are checked when they are read"
    for line in context.openings:
        target = line.instruction.target_allocation
        if line.side != "buy" or target is None:
            continue
        worths = list(_worths(line))
        known = [value for pair in worths for value in pair if value is not None]
        if any(abs(value - target) <= target * tolerance / HUNDRED for value in known):
            continue
        if _is_proven(line, worths, target):
            yield _finding(line, worths[0], target, tolerance)
        elif context.facts.moment is not Moment.FILE:
            yield not_now(
                line,
                observed=f"{line.symbol} buy: no live price or no holding to compare"
                f" target_allocation {usd(target)} with",
                limit=f"within {percent(tolerance)} of target_allocation",
                remedy="run again when the broker answers, or give a limit price",
            )


def _worths(line: Line) -> Iterator[Worth]:
    """Value the order at each price that it may trade at."""
    ticket = line.instruction
    market = line.reference.price if line.reference is not None else None
    if ticket.notional is not None:
        yield ticket.notional, _holding(line, ticket.notional, market)
        return
    for price in (ticket.limit_price, ticket.stop_price, market):
        if price is not None and ticket.shares is not None:
            yield ticket.shares * price, _holding(line, ticket.shares * price, price)


def _holding(line: Line, order: Decimal, price: Decimal | None) -> Decimal | None:
    if line.held == 0:
        return order
    return None if line.held is None or price is None else order + line.held * price


def _is_proven(line: Line, worths: list[Worth], target: Decimal) -> bool:
    """Tell a breach from a missing fact: shares held before may still bring a small order there."""
    ticket, found = line.instruction, line.reference
    names_price = (ticket.limit_price or ticket.stop_price or ticket.notional) is not None
    if not names_price and (found is None or found.rung is Rung.DELAYED):
        return False
    return bool(worths) and all(holding is not None or order > target for order, holding in worths)


def _finding(line: Line, worth: Worth, target: Decimal, tolerance: Decimal) -> Finding:
    order, holding = worth
    ticket = line.instruction
    observed = f"{line.symbol} buy: worth {usd(order)}"
    if holding is not None and holding != order:
        observed += f", with the shares held before {usd(holding)}"
    remedy = f"set `target_allocation` to {order:.2f}"
    if ticket.notional is not None:
        remedy += ", or `notional` to what is meant"
    elif target > 0 and ticket.shares is not None:
        meant = nanos(ticket.shares * target / order)
        remedy += f", or `quantity` to {shares(meant)}"
    return no(
        line,
        observed=observed,
        limit=f"within {percent(tolerance)} of target_allocation {usd(target)}",
        remedy=remedy,
        key="target_allocation",
    )


RULE = Rule(id="quantity_confusion", judge=judge, moments=EVERY_MOMENT)
