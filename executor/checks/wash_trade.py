"""A symbol is traded on one side at a time; the broker refuses anything else as a wash trade."""

from __future__ import annotations

from collections.abc import Iterator

from executor.model.context import Context, Line
from executor.model.facts import Moment
from executor.model.rule import EVERY_MOMENT, Finding, Rule, no, not_now, warn


def judge(context: Context) -> Iterator[Finding]:
    """Look for the other side in the plan, then among the broker's open orders."""
    yield from _within_the_plan(context)
    if context.facts.open_orders is None:
        if context.facts.moment is not Moment.FILE and context.lines:
            yield not_now(
                None,
                observed="no answer about: open orders",
                remedy="run again when the broker answers",
            )
        return
    for line in context.lines:
        for order in context.in_the_way(line.symbol):
            if order.side != line.side and order.client_order_id not in context.facts.own_orders:
                yield no(
                    line,
                    observed=f"{line.symbol} {line.side}: the open order"
                    f" {order.client_order_id} is a {order.side}",
                    limit="one side of a symbol at a time",
                    remedy=f"cancel {order.client_order_id} first, or leave the line out",
                )
    yield from _beside_a_stop(context)


def _within_the_plan(context: Context) -> Iterator[Finding]:
    """Deny the openings of a symbol that the plan both buys and sells; its exit still goes.

    The instructions are read, not the lines: in the second wave the SELLs are out already.
    """
    trades = [one for one in context.plan.instructions if one.is_trade]
    sold = {one.ticker for one in trades if one.action == "SELL"}
    both = {one.ticker for one in trades if one.action == "BUY"} & sold
    for line in context.openings:
        if line.symbol in both:
            yield no(
                line,
                observed=f"{line.symbol}: the plan both buys and sells it",
                limit="one side of a symbol in a plan",
                remedy="leave the opening line out, or propose it once the exit has filled",
            )


def _beside_a_stop(context: Context) -> Iterator[Finding]:
    """Warn of a BUY that rests where a stop stands: only one of the two can, and the stop does."""
    record = context.facts.record
    protected = {lot.symbol for lot in record.lots} if record else set()
    for line in context.lines:
        if line.side == "buy" and _may_rest(line) and line.symbol in protected:
            yield warn(
                line,
                observed=f"{line.symbol} buy: the holding has a stop, and the broker takes none"
                " beside an open BUY: what has not filled by the fill deadline is canceled",
                remedy="use order_type market, or a limit at the market",
            )


def _may_rest(line: Line) -> bool:
    return line.instruction.order_type != "market"


RULE = Rule(id="wash_trade", judge=judge, judges_exits=True, moments=EVERY_MOMENT)
