"""A CANCEL names an open order of ours, and none that protects a holding."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from executor.model.context import Context
from executor.model.plan import TradingInstruction
from executor.model.rule import Finding, Rule, no
from executor.model.standing import Obstacle

WHY: Final = {
    Obstacle.NOT_OPEN: (
        "is not open at the broker",
        "an order that is open",
        "take the line out: it has ended, or there never was one",
    ),
    Obstacle.OTHER_SYMBOL: (
        "is for another symbol",
        "an order in the line's own `ticker`",
        "set `ticker` to the symbol of the order",
    ),
    Obstacle.PROTECTIVE: (
        "protects a holding",
        "an order that a line of a plan sent",
        "use a PROTECT with `protect` none and `loosen` true",
    ),
    Obstacle.FOREIGN: (
        "is none of ours",
        "an order that a commit explains",
        "cancel it at the broker, or take it over first (`autoinvestor ack KEY --book BOOK`)",
    ),
}
"""For each obstacle: what is wrong with the order, the limit, the remedy."""


def judge(context: Context) -> Iterator[Finding]:
    """Look each order up among the open ones; a line without an id is `order_legal`'s."""
    named: set[str] = set()
    for index, line in context.cancels:
        if line.client_order_id is None:
            continue
        found = context.obstacles[index]
        if line.client_order_id in named:
            yield _no(index, line, "is named twice", "one CANCEL an order", "take one of them out")
        elif found is not None:
            yield _no(index, line, *WHY[found])
        named.add(line.client_order_id)


def _no(index: int, line: TradingInstruction, what: str, limit: str, remedy: str) -> Finding:
    return no(
        index,
        observed=f"{line.ticker} cancel: {line.client_order_id} {what}",
        limit=limit,
        remedy=remedy,
        key="ticker" if what == WHY[Obstacle.OTHER_SYMBOL][0] else "client_order_id",
    )


RULE = Rule(
    id="cancel_own", judge=judge, needs=frozenset({"open_orders", "record"}), judges_exits=True
)
