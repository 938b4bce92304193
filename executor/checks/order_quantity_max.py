"""An order may not be for more than a number of shares."""

from __future__ import annotations

from collections.abc import Iterator

from executor.model.context import Context
from executor.model.facts import Moment
from executor.model.rule import EVERY_MOMENT, Finding, Rule, no, not_now
from executor.model.words import shares


def judge(context: Context) -> Iterator[Finding]:
    """Compare each opening order with the cap; a bare file shows plain quantities only."""
    limit = context.limits.order_quantity_max_shares
    assert limit is not None, "a check without its limit is off and not asked"
    for line in context.openings:
        if line.quantity is None:
            if context.facts.moment is not Moment.FILE:
                yield not_now(
                    line,
                    observed=f"{line.symbol} {line.side}: no price to work out the shares by",
                    remedy="wait for a quote, or say how many shares",
                )
        elif line.quantity > limit:
            yield no(
                line,
                observed=f"{line.symbol} {line.side}: {shares(line.quantity)}",
                limit=f"{shares(limit)} an order",
                remedy=f"reduce it to at most {shares(limit)}",
                key="quantity" if line.instruction.notional is None else "notional",
            )


RULE = Rule(id="order_quantity_max", judge=judge, moments=EVERY_MOMENT)
