"""Checks a second, in process: every check over a plan with all facts, as `execute` asks them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from executor.checks import all_rules
from executor.decisions.validate import judge
from executor.model.context import Context
from tests.bench.material import symbols
from tests.bench.measure import Figure, Size, Spread, a_second
from tests.checks import builders

LINES = 100


def measure(size: Size) -> Iterator[Figure]:
    """A plan of one line and one of many, in turn."""
    rules = all_rules()
    small, large = _context(1), _context(size.of(LINES))
    lines = len(large.plan.instructions)

    def judged(given: Context) -> None:
        # A new one each time: a context works its lines out once.
        judge(Context(given.plan, given.settings, given.facts), rules)

    seconds = 0.2 * min(1.0, size.scale)
    rates: list[tuple[float, float]] = []
    for _ in range(size.rounds + 1):
        rates.append(
            (
                a_second(lambda: judged(small), atleast_seconds=seconds),
                a_second(lambda: judged(large), atleast_seconds=seconds),
            )
        )
    measured = rates[1:]
    for index, count in ((0, 1), (1, lines)):
        spread = Spread(tuple(one[index] * len(rules) for one in measured))
        spent = Spread(tuple(1_000 / one[index] for one in measured))
        yield Figure(
            "checks",
            f"checks over a plan of {count}",
            spread,
            "/s",
            detail=f"{len(rules)} checks; a judgment takes {spent.told('ms')}",
        )
    yield Figure(
        "checks",
        f"a line among {lines} / a line alone",
        Spread(tuple(one[0] / one[1] / lines for one in measured)),
        "x",
        target=1,
        detail="1 would be linear without any fixed part",
    )


def _context(lines: int) -> Context:
    names = symbols(lines)
    settings = builders.settings(limits={"buys_max_pct": 1_000, "exposure_max_x": 10})
    return builders.context(
        builders.plan(*(builders.line(ticker=name, quantity="1") for name in names)),
        settings=settings,
        prices={name: builders.quoted() for name in names},
        assets={name: builders.asset(name) for name in names},
        average_volumes=dict.fromkeys(names, Decimal(25_000_000)),
    )
