"""Stop and target lie on the right side and not too near; the trade risks only so much."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from executor.model.context import Context, Line, trigger
from executor.model.facts import Moment
from executor.model.ledger import stop_of
from executor.model.market import percent_of
from executor.model.numbers import CENT, HUNDRED, ZERO, cents_down, plain
from executor.model.order_result import StopTerms
from executor.model.rule import EVERY_MOMENT, Finding, Rule, no, not_now, warn
from executor.model.words import percent, shares, usd


def judge(context: Context) -> Iterator[Finding]:
    """Judge each opening; for a bare file only what its own numbers say."""
    for line in context.openings:
        yield from _distances(context, line)
        yield from _trigger(context, line)
        if line.side == "buy":
            yield from _risk(context, line)
            yield from _presence(context, line)


def _distances(context: Context, line: Line) -> Iterator[Finding]:
    least = context.limits.stop_distance_min_pct
    assert least is not None, "a check without its limit is off and not asked"
    stop = line.instruction.stop_loss_pct
    if stop is not None and stop >= HUNDRED:
        yield no(
            line,
            observed=f"{line.symbol}: a stop {percent(stop)} under the entry is no price",
            limit="less than 100 %",
            remedy="set stop_loss_pct below 100",
            key="stop_loss_pct",
        )
    target = line.instruction.profit_target_pct
    for key, name, distance in (
        ("stop_loss_pct", "stop", stop),
        ("profit_target_pct", "target", target),
    ):
        if distance is not None and distance < least:
            yield no(
                line,
                observed=f"{line.symbol}: the {name} is {percent(distance)} from the entry",
                limit=f"at least {percent(least)}",
                remedy=f"set {key} to at least {plain(least)}",
                key=key,
            )


def _trigger(context: Context, line: Line) -> Iterator[Finding]:
    """An entry by stop waits for the price to come to it: a BUY above, a SELL below."""
    trigger = line.instruction.stop_price
    if line.instruction.order_type not in ("stop", "stop_limit") or trigger is None:
        return
    if line.reference is None:
        if context.facts.moment is not Moment.FILE:
            yield _no_price(line)
        return
    price = line.reference.price
    if trigger <= price if line.side == "buy" else trigger >= price:
        side = "above" if line.side == "buy" else "below"
        yield no(
            line,
            observed=f"{line.symbol} {line.side}: stop price {plain(trigger)} USD",
            limit=f"{side} the price, {plain(price)} USD",
            remedy=f"set stop_price {side} {plain(price)} USD, or use a market order",
            key="stop_price",
        )


def _risk(context: Context, line: Line) -> Iterator[Finding]:
    share = context.limits.risk_a_trade_max_pct
    assert share is not None, "a check without its limit is off and not asked"
    stop = line.instruction.stop_loss_pct
    if stop is None:
        return
    entry, account = _entry(line), context.facts.account
    if entry is None or account is None:
        if context.facts.moment is not Moment.FILE:
            yield _no_price(line) if entry is None else _no_account(line)
        return
    risk = entry * _distance(line, stop) / HUNDRED
    most = account.equity * share / HUNDRED
    if risk > most:
        yield no(
            line,
            observed=f"{line.symbol}: {usd(risk)} between entry and stop,"
            f" {percent(percent_of(risk, account.equity))} of equity",
            limit=f"{percent(share)} of equity a trade, {usd(most)}",
            remedy=_less_risk(context, line, entry, most),
        )


def _entry(line: Line) -> Decimal | None:
    """USD that the entry is worth without the pad; None where there is no price."""
    instruction = line.instruction
    if instruction.notional is not None:
        return instruction.notional
    if instruction.limit_price is not None and line.quantity is not None:
        return line.quantity * instruction.limit_price
    if line.reference is None or line.quantity is None:
        return None
    price = trigger(line.reference.price, instruction.stop_price, instruction.trail_percent)
    return line.quantity * price


def _distance(line: Line, stop_loss_pct: Decimal) -> Decimal:
    """Percent between entry and stop, that of a stop which hangs on its entry to the cent."""
    base = _base(line)
    stop = stop_of(StopTerms(stop_loss_pct=stop_loss_pct), base) if base is not None else None
    if base is None or stop is None:
        return stop_loss_pct
    return max(stop_loss_pct, (base - stop) / base * HUNDRED)


def _base(line: Line) -> Decimal | None:
    """USD a share from which the broker's own stop is counted; None where none hangs on the entry.

    A limit entry of whole shares brings its stop along, and every bracket does.
    """
    instruction, shares = line.instruction, line.instruction.shares
    if instruction.protect == "none" or shares is None or shares % 1 != 0:
        return None
    own = instruction.limit_price if instruction.order_type == "limit" else None
    if own is None and instruction.protect == "bracket" and line.reference is not None:
        return line.reference.price
    return own


def _less_risk(context: Context, line: Line, entry: Decimal, most: Decimal) -> str:
    """Say what to reduce, rounded down; a nearer stop only where it is not too near."""
    stop, least = line.instruction.stop_loss_pct, context.limits.stop_distance_min_pct
    assert stop is not None, "there is a risk because there is a stop"
    assert least is not None, "a check without its limit is off and not asked"
    worth = most * HUNDRED / _distance(line, stop)
    nearest = cents_down(most / entry * HUNDRED - _rounding(line))
    nearer = f", or set stop_loss_pct to at most {percent(nearest)}" if nearest >= least else ""
    if line.instruction.notional is not None or line.quantity is None:
        amount = cents_down(worth)
        return (f"reduce it to at most {usd(amount)}" if amount > 0 else "leave it out") + nearer
    count = cents_down(worth * line.quantity / entry)
    return (f"reduce it to at most {shares(count)}" if count > 0 else "leave it out") + nearer


def _rounding(line: Line) -> Decimal:
    """Percent by which rounding to the cent may widen a stop that hangs on its entry."""
    base = _base(line)
    return CENT / base * HUNDRED if base is not None else ZERO


def _presence(context: Context, line: Line) -> Iterator[Finding]:
    instruction = line.instruction
    if instruction.stop_loss_pct is not None and instruction.protect != "none":
        return
    observed = f"{line.symbol} buy: no stop stands behind it"
    remedy = "set stop_loss_pct: the stop is placed once the entry has filled"
    if context.settings.execution.require_stop:
        limit = "every entry has a stop (require_stop)"
        yield no(line, observed=observed, limit=limit, remedy=remedy)
    else:
        yield warn(line, observed=observed, remedy=remedy)


def _no_price(line: Line) -> Finding:
    return not_now(
        line,
        observed=f"{line.symbol} {line.side}: no price to judge its stop by",
        remedy="wait for a quote",
    )


def _no_account(line: Line) -> Finding:
    return not_now(
        line, observed="no answer about: account", remedy="run again when the broker answers"
    )


RULE = Rule(id="protective_exit", judge=judge, moments=EVERY_MOMENT)
