"""Nothing is opened while the record and the broker disagree on positions or orders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from executor.model.context import Context
from executor.model.facts import RecordFacts
from executor.model.numbers import ZERO
from executor.model.rule import Finding, Rule, no, not_now, warn
from executor.model.standing import unexplained
from executor.model.words import shares

NAMES_MAX = 5
"""So many symbols or orders are spelled out; the rest is counted."""


def judge(context: Context) -> Iterator[Finding]:
    """Compare folded positions and explained orders with the broker's; exits are only warned."""
    record = context.facts.record
    assert record is not None, "`record` is among the needs"
    if not context.lines and not context.protects:
        return
    if record.positions is None:
        for line in context.openings:
            yield not_now(
                line,
                observed="the record's positions are not known",
                remedy="run again when the record can be read",
            )
        return
    recorded, held = _compared(context, record.positions)
    if recorded and not context.facts.positions:
        yield not_now(
            None,
            observed=f"the broker answers no position at all, the record holds {_names(recorded)}",
            limit="an empty answer is never proof that nothing is held",
            remedy="run again; if it stays so, a person compares the account with the record",
        )
        return
    problems = list(_problems(context, record, recorded, held))
    for observed, limit, remedy in problems:
        for line in context.openings:
            yield no(line, observed=observed, limit=limit, remedy=remedy)
        if context.exits:
            yield warn(None, observed=observed, limit=limit, remedy=remedy)


def _compared(
    context: Context, positions: Mapping[str, Decimal]
) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
    """Shares by symbol, by the record and by the broker.

    Once this plan's own orders are out they move its symbols, and no result says so yet; these
    symbols were compared before the first order.
    """
    facts = context.facts
    assert facts.positions is not None, "`positions` is among the needs"
    moving: set[str] = set()
    if facts.already_sent:
        moving = {one.ticker for one in context.plan.instructions if one.is_trade}
    recorded = {name: count for name, count in positions.items() if count and name not in moving}
    held = {
        name: one.quantity
        for name, one in facts.positions.items()
        if one.quantity and name not in moving
    }
    return recorded, held


def _problems(
    context: Context, record: RecordFacts, recorded: dict[str, Decimal], held: dict[str, Decimal]
) -> Iterator[tuple[str, str, str]]:
    """Each disagreement: observed, limit, remedy."""
    symbols = [
        name
        for name in sorted(recorded.keys() | held.keys())
        if recorded.get(name, ZERO) != held.get(name, ZERO)
    ]
    differing = [
        f"{name} (record {shares(recorded.get(name, ZERO))}, broker {shares(held.get(name, ZERO))})"
        for name in symbols
    ]
    if differing:
        yield (
            f"positions differ: {_names(differing)}",
            "the record explains every share",
            _remedy(record, symbols[0]),
        )
    foreign = [order.client_order_id for order in unexplained(context.facts)]
    if foreign:
        yield (
            f"open orders that no commit explains: {_names(foreign)}",
            "the record explains every open order",
            f"cancel them at the broker, or take them over (`autoinvestor ack {foreign[0]}"
            " --book BOOK`)",
        )
    if record.observed:
        seen = [f"{one.key} ({one.kind})" for one in record.observed]
        yield (
            f"observed at the broker, and nobody has acknowledged it: {_names(seen)}",
            "nothing that no commit explains",
            f"look what it is, then `autoinvestor ack {record.observed[0].key} --book BOOK`",
        )
    if record.unresolved:
        yield (
            f"orders without a known outcome: {_names(record.unresolved)}",
            "every order has an outcome",
            "a person finds out at the broker what became of it, then autoinvestor settle",
        )


def _remedy(record: RecordFacts, symbol: str) -> str:
    """Say what explains shares: an account that was not empty at first is adopted as a whole."""
    if not record.positions and not record.known_orders:
        return "take over what the account held before the first plan (`autoinvestor adopt`)"
    return (
        "run autoinvestor settle; what it does not explain is for a person"
        f" (`autoinvestor ack {symbol} --book BOOK`)"
    )


def _names(names: Iterable[str]) -> str:
    listed = list(names)
    more = len(listed) - NAMES_MAX
    return ", ".join(listed[:NAMES_MAX]) + (f" and {more} more" if more > 0 else "")


RULE = Rule(
    id="ledger_agrees",
    judge=judge,
    needs=frozenset({"positions", "open_orders", "record"}),
    judges_exits=True,
)
