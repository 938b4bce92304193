"""A PROTECT sets the stop of a holding under the price, and only tightens unless it says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from executor.model.context import Context
from executor.model.facts import PositionFacts
from executor.model.ledger import SUB_DOLLAR_STEP, Lot
from executor.model.market import Reference, Rung
from executor.model.numbers import CENT, HUNDRED, ONE, ZERO, plain
from executor.model.plan import TradingInstruction
from executor.model.rule import Finding, Rule, no, not_now, warn
from executor.model.words import percent, shares


def judge(context: Context) -> Iterator[Finding]:
    """Judge each PROTECT by the holding, by the price, and by the stops that it takes over from."""
    record = context.facts.record
    assert record is not None, "`record` is among the needs"
    together = Counter(line.ticker for _, line in context.protects)
    sold, lots = _sold(context), _by_symbol(record.lots)
    for index, line in context.protects:
        position = context.position(line.ticker)
        if position is None or position.quantity <= 0:
            yield no(
                index,
                observed=f"{line.ticker} protect:"
                f" {shares(position.quantity if position else ZERO)} held",
                limit="a holding to protect",
                remedy="take the line out; a BUY brings its stop with `stop_loss_pct`",
                key="ticker",
            )
            continue
        if together[line.ticker] > 1:
            yield no(
                index,
                observed=f"{line.ticker} protect: {together[line.ticker]} lines",
                limit="one PROTECT a symbol",
                remedy="leave one of them",
            )
        if sold.get(line.ticker, ZERO) >= position.quantity:
            yield no(
                index,
                observed=f"{line.ticker} protect: the plan sells all of it",
                limit="a holding that stays",
                remedy="take one of the lines out",
            )
        yield from _stop(context, index, line, position, lots.get(line.ticker, []))


def _sold(context: Context) -> Mapping[str, Decimal]:
    """Shares that the plan sells, by symbol."""
    found: dict[str, Decimal] = {}
    for line in context.lines:
        if line.side == "sell":
            found[line.symbol] = found.get(line.symbol, ZERO) + (line.quantity or ZERO)
    return found


def _by_symbol(lots: Iterable[Lot]) -> Mapping[str, list[Lot]]:
    found: dict[str, list[Lot]] = {}
    for lot in lots:
        found.setdefault(lot.symbol, []).append(lot)
    return found


def _stop(
    context: Context,
    index: int,
    line: TradingInstruction,
    position: PositionFacts,
    lots: Sequence[Lot],
) -> Iterator[Finding]:
    if line.stop_price is None and line.trail_percent is None:
        return  # `none` takes the stop away; that it says `loosen` is for `order_legal`
    found = context.reference(line.ticker, "sell")
    if found is None:
        yield not_now(
            index,
            observed=f"{line.ticker} protect: no price to judge the stop by",
            remedy="run again when the market gives a price",
        )
        return
    yield from _distance(context, index, line, found)
    if not line.loosens:
        level = _level(line.stop_price, line.trail_percent, found.price)
        now = max((_of_lot(context, lot, found.price) for lot in lots), default=ZERO)
        yield from _tightness(index, line, level, now)
    if line.trail_percent is not None and (part := position.quantity % ONE):
        yield warn(
            index,
            observed=f"{line.ticker} protect: a trailing stop takes whole shares,"
            f" {shares(part)} stay without one",
            remedy="give `stop_price` instead",
        )


def _level(stop: Decimal | None, trail: Decimal | None, price: Decimal) -> Decimal:
    """USD a share at which a stop stands; one that trails counts from the present price."""
    return stop if stop is not None else price * (HUNDRED - (trail or ZERO)) / HUNDRED


def _distance(
    context: Context, index: int, line: TradingInstruction, found: Reference
) -> Iterator[Finding]:
    """Keep the stop under the price, and as far from it as every stop (`protective_exit`)."""
    price, least = found.price, context.limits.stop_distance_min_pct or ZERO
    if line.stop_price is None:
        if line.trail_percent is not None and line.trail_percent < least:
            yield no(
                index,
                observed=f"{line.ticker} protect: the stop trails by {percent(line.trail_percent)}",
                limit=f"at least {percent(least)}",
                remedy=f"set trail_percent to at least {plain(least)}",
                key="trail_percent",
            )
        return
    # A delayed price proves nothing: what it speaks against waits.
    deny = not_now if found.rung is Rung.DELAYED else no
    away = (price - line.stop_price) / price * HUNDRED
    if away <= 0:
        yield deny(
            index,
            observed=f"{line.ticker} protect: the stop {plain(line.stop_price)} USD would sell at"
            " once",
            limit=f"under the price, {plain(price)} USD",
            remedy="propose a SELL where that is meant, or a lower stop_price",
            key="stop_price",
        )
    elif away < least:
        yield deny(
            index,
            observed=f"{line.ticker} protect: the stop is {percent(away)} from the price,"
            f" {plain(price)} USD",
            limit=f"at least {percent(least)}",
            remedy="set stop_price to at most"
            f" {_price(price * (HUNDRED - least) / HUNDRED, ROUND_FLOOR)} USD",
            key="stop_price",
        )


def _price(exact: Decimal, rounding: str) -> str:
    """A price in the steps that the broker accepts, rounded to the side where it is still true."""
    return plain(exact.quantize(CENT if exact >= 1 else SUB_DOLLAR_STEP, rounding=rounding))


def _tightness(
    index: int, line: TradingInstruction, level: Decimal, now: Decimal
) -> Iterator[Finding]:
    """Compare the new stop with the highest one that stands."""
    if level < now:
        trails = line.stop_price is None
        instead = " instead of trail_percent" if trails else ""
        yield no(
            index,
            observed=f"{line.ticker} protect: a stop at {_price(level, ROUND_FLOOR)} USD is lower"
            f" than the one that stands, {_price(now, ROUND_CEILING)} USD",
            limit="a stop only tightens",
            remedy=f"set stop_price to at least {_price(now, ROUND_CEILING)} USD{instead},"
            " or `loosen` to true",
            key="trail_percent" if trails else "stop_price",
        )


def _of_lot(context: Context, lot: Lot, price: Decimal) -> Decimal:
    """USD a share at which a lot's stop stands; the broker tells where a trailing one is now."""
    level = _level(lot.stop_price, lot.trail_percent, price)
    if lot.trail_percent is None:
        return level
    stops = (
        one.stop_price
        for one in context.working_orders(lot.symbol)
        if one.client_order_id in context.facts.protective and one.trail_percent is not None
    )
    return max([level, *(one for one in stops if one is not None)])


RULE = Rule(
    id="protect_holding", judge=judge, needs=frozenset({"positions", "record"}), judges_exits=True
)
