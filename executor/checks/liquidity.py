"""An order that opens is small beside the market's volume, and no penny stock."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_FLOOR, Decimal

from executor.model.context import Context, Line
from executor.model.market import Rung, percent_of
from executor.model.numbers import HUNDRED, ONE, plain
from executor.model.rule import Finding, Rule, no, not_now
from executor.model.words import percent, shares


def judge(context: Context) -> Iterator[Finding]:
    """Compare each order with the average day's volume, and its price with the floor."""
    share, floor = context.limits.volume_share_max_pct, context.limits.price_floor_usd
    volumes = context.facts.average_volumes
    assert share is not None, "settings are checked when they are read"
    assert floor is not None, "settings are checked when they are read"
    assert volumes is not None, "the check names `average_volumes` in its needs"
    for line in context.openings:
        yield from _volume(line, volumes.get(line.symbol), share)
        yield from _price(line, floor)


def _volume(line: Line, average: Decimal | None, limit: Decimal) -> Iterator[Finding]:
    if average is None:
        yield not_now(
            line,
            observed=f"{line.symbol}: no daily bars to take a volume from",
            remedy="run again when the market data answers",
        )
        return
    if line.quantity is None:
        return  # no price to turn a notional into shares; `reference_price` says so
    used = percent_of(line.quantity, average)
    if used <= limit:
        return
    most = (average * limit / HUNDRED).quantize(ONE, rounding=ROUND_FLOOR)
    remedy = f"reduce the order to {shares(most)}" if most > 0 else "choose another symbol"
    yield no(
        line,
        observed=f"{line.symbol} {line.side}: {shares(line.quantity)},"
        f" {percent(used)} of the average daily volume",
        limit=f"{percent(limit)} of {shares(average)} a day",
        remedy=remedy,
    )


def _price(line: Line, floor: Decimal) -> Iterator[Finding]:
    found = line.reference
    if found is None or found.price >= floor:
        return
    # A delayed price proves nothing; the order waits for one that does.
    deny = not_now if found.rung is Rung.DELAYED else no
    yield deny(
        line,
        observed=f"{line.symbol}: {plain(found.price)} USD a share",
        limit=f"at least {plain(floor)} USD a share",
        remedy="choose another symbol",
        key="ticker",
    )


RULE = Rule(id="liquidity", judge=judge, needs=frozenset({"average_volumes", "prices"}))
