"""An order that opens is judged by a price that is live, or says its own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from executor.model.context import Context, Line
from executor.model.market import Quote, Rung
from executor.model.numbers import HUNDRED, plain
from executor.model.rule import Finding, Rule, not_now, warn
from executor.model.words import instant, percent


def judge(context: Context) -> Iterator[Finding]:
    """Go down the ladder: live quote, recent trade, anything older; each rung asks for more."""
    prices = context.facts.prices
    assert prices is not None, "the check names `prices` in its needs"
    for line in context.openings:
        known = prices.get(line.symbol)
        quote = known.quote if known else None
        trouble = _quote(context, line, quote) if quote and _is_live(context, quote) else None
        if trouble is not None:
            yield trouble
        elif line.reference is None:
            yield not_now(
                line,
                observed=f"{line.symbol}: no price at all",
                limit="a quote or a trade",
                remedy="run again when the market gives a price",
            )
        else:
            yield from _rung(line, line.reference.rung, line.reference.at)


def _is_live(context: Context, quote: Quote) -> bool:
    seconds = context.limits.quote_age_max_seconds
    assert seconds is not None, "this limit cannot be turned off"
    is_two_sided = quote.bid > 0 and quote.ask > 0
    return is_two_sided and context.facts.now - quote.at <= timedelta(seconds=float(seconds))


def _quote(context: Context, line: Line, quote: Quote) -> Finding | None:
    limit = context.limits.spread_max_pct
    assert limit is not None, "this limit cannot be turned off"
    sides = f"{line.symbol}: bid {plain(quote.bid)} USD, ask {plain(quote.ask)} USD"
    if quote.bid > quote.ask:
        remedy = "run again when the quote is in order"
        return not_now(line, observed=sides, limit="a bid at or below the ask", remedy=remedy)
    spread = (quote.ask - quote.bid) / _middle(quote) * HUNDRED
    if spread <= limit:
        return None
    return not_now(
        line,
        observed=f"{sides}, a spread of {percent(spread)}",
        limit=f"{percent(limit)} of the midpoint",
        remedy="run again when the spread is narrower",
    )


def _middle(quote: Quote) -> Decimal:
    return (quote.bid + quote.ask) / 2


def _rung(line: Line, rung: Rung, at: datetime) -> Iterator[Finding]:
    source = "a trade" if rung is Rung.TRADE else "a delayed price"
    observed = f"{line.symbol}: no live quote, only {source} of {instant(at)}"
    if rung is not Rung.QUOTE and line.instruction.limit_price is None:
        yield not_now(
            line,
            observed=f"{observed}, and the order names no limit",
            limit="a live quote for an order without a limit",
            remedy="use order_type limit, or run again when there is a quote",
        )
    elif rung is Rung.DELAYED:
        yield warn(line, observed=f"{observed}; the order is judged by it and held by its limit")


RULE = Rule(id="reference_price", judge=judge, needs=frozenset({"prices"}))
