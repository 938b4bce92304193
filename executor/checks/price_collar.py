"""An entry stays near the market, and the market near where the decision was made."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from executor.model.context import Context, Line
from executor.model.market import Reference, Rung
from executor.model.numbers import HUNDRED, plain
from executor.model.rule import Finding, Rule, no, not_now, warn
from executor.model.words import percent


def judge(context: Context) -> Iterator[Finding]:
    """Judge each entry's own price, then how far the reference moved since the decision."""
    collar, drift = context.limits.price_collar_pct, context.limits.decision_drift_max_pct
    assert collar is not None, "settings are checked when they are read"
    assert drift is not None, "settings are checked when they are read"
    undecided = []
    for line in context.openings:
        if line.instruction.decision_price is None:
            undecided.append(line.symbol)
        if line.reference is None:
            continue  # `reference_price` says so
        yield from _entry(line, line.reference, collar)
        yield from _drift(line, line.reference, drift)
    if undecided:
        yield warn(
            None,
            observed=f"no decision_price for {', '.join(undecided[:10])}"
            f"{' and others' if len(undecided) > 10 else ''}:"
            " how far the price moved since the decision is not judged",
            limit=f"{percent(drift)} from decision_price",
            remedy="give `decision_price` with each entry",
        )


def _entry(line: Line, reference: Reference, collar: Decimal) -> Iterator[Finding]:
    key = "limit_price" if line.instruction.limit_price is not None else "stop_price"
    price = line.instruction.limit_price or line.instruction.stop_price
    if price is None:
        yield from _trail(line, reference, collar)
        return
    distance = (price - reference.price) / reference.price * HUNDRED
    beyond = distance if line.side == "buy" else -distance
    if abs(beyond) <= collar:
        return
    where = "above" if distance > 0 else "below"
    observed = (
        f"{line.symbol} {line.side}: {key} {plain(price)} USD lies {percent(abs(distance))}"
        f" {where} the reference {plain(reference.price)} USD"
    )
    limit = f"{percent(collar)} beyond the reference"
    if beyond < 0:
        yield warn(line, observed=f"{observed}, so it may never fill", limit=limit, key=key)
        return
    worst = _worst_price(line, reference.price, collar)
    bound = f"at {'most' if line.side == 'buy' else 'least'} {plain(worst)}"
    # A delayed price proves nothing: what it speaks against waits.
    deny = not_now if reference.rung is Rung.DELAYED else no
    yield deny(line, observed=observed, limit=limit, remedy=f"set `{key}` to {bound}", key=key)


def _trail(line: Line, reference: Reference, collar: Decimal) -> Iterator[Finding]:
    """A trailing entry starts its stop that far beyond the market."""
    trail = line.instruction.trail_percent
    if trail is not None and trail > collar:
        yield no(
            line,
            observed=f"{line.symbol} {line.side}: a trail of {percent(trail)} lets it fill that"
            f" far beyond the reference {plain(reference.price)} USD",
            limit=f"{percent(collar)} beyond the reference",
            remedy=f"set `trail_percent` to at most {plain(collar)}",
            key="trail_percent",
        )


def _worst_price(line: Line, reference: Decimal, collar: Decimal) -> Decimal:
    """Round the collar's end towards the reference, in the steps that the broker accepts."""
    signed = collar if line.side == "buy" else -collar
    worst = reference * (1 + signed / HUNDRED)
    rounding = ROUND_FLOOR if line.side == "buy" else ROUND_CEILING
    return worst.quantize(Decimal("0.01" if worst >= 1 else "0.0001"), rounding=rounding)


def _drift(line: Line, reference: Reference, limit: Decimal) -> Iterator[Finding]:
    decided = line.instruction.decision_price
    if decided is None:
        return
    moved = (reference.price - decided) / decided * HUNDRED
    if abs(moved) > limit:
        deny = not_now if reference.rung is Rung.DELAYED else no
        yield deny(
            line,
            observed=f"{line.symbol}: the reference {plain(reference.price)} USD moved"
            f" {percent(abs(moved))} from decision_price {plain(decided)} USD",
            limit=f"{percent(limit)} from decision_price",
            remedy="decide again at today's price and propose a new plan",
            key="decision_price",
        )


RULE = Rule(id="price_collar", judge=judge, needs=frozenset({"prices"}))
