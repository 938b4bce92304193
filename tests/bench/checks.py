"""Checks a second, in process: every check over a plan with all facts, as `execute` asks them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

from executor.checks import all_rules
from executor.decisions.validate import judge
from executor.model.context import Context
from tests.bench.material import symbols
from tests.bench.measure import Figure, Size, Spread, a_second
from tests.checks import builders

FEW, MANY = 100, 1_000
"""Lines of a plan: half BUYs, half SELLs of holdings, each in a symbol of its own."""


def measure(size: Size) -> Iterator[Figure]:
    """A plan of one line and two longer ones, in turn."""
    rules = all_rules()
    counts = (1, size.of(FEW), size.of(MANY))
    judgments = [_judgment(count) for count in counts]
    seconds = 0.2 * min(1.0, size.scale)
    rates = [
        [a_second(one, atleast_seconds=seconds) for one in judgments]
        for _ in range(size.rounds + 1)
    ][1:]
    for column, count in enumerate(counts):
        spent = Spread(tuple(1_000 / row[column] for row in rates))
        yield Figure(
            "checks",
            f"checks over a plan of {count:,}",
            Spread(tuple(row[column] * len(rules) for row in rates)),
            "/s",
            detail=f"{len(rules)} checks; a judgment takes {spent.told('ms')}",
        )
    yield Figure(
        "checks",
        f"a line among {counts[2]:,} / among {counts[1]:,}",
        Spread(tuple((row[1] * counts[1]) / (row[2] * counts[2]) for row in rates)),
        "x",
        target=1.5,
        detail="1 is linear",
    )


def _judgment(lines: int) -> Callable[[], object]:
    names = symbols(lines)
    sold = names[: lines // 2]
    context = builders.context(
        builders.plan(
            *(
                builders.line("SELL" if name in sold else "BUY", ticker=name, quantity="1")
                for name in names
            )
        ),
        prices={name: builders.quoted() for name in names},
        assets={name: builders.asset(name) for name in names},
        average_volumes=dict.fromkeys(names, Decimal(25_000_000)),
        positions=builders.holding(*(builders.position(name, "10") for name in sold)),
    )
    rules = all_rules()
    # A new context each time: it works its lines out once.
    return lambda: judge(Context(context.plan, context.settings, context.facts), rules)
