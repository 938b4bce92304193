"""The ledger's fold over 1,000 and over 10,000 results: a result costs the same in both."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta

from executor.decisions.ledger import fold
from executor.model.account import Mode
from executor.model.result import ExecutionResult
from tests.bench.material import symbols
from tests.bench.measure import Figure, Size, Spread
from tests.decisions import record_builders

RESULTS = 10_000
PART = 10
SYMBOLS = 50

Record = list[tuple[str, ExecutionResult]]


def measure(size: Size) -> Iterator[Figure]:
    """The first tenth of a record as often as it fits into the whole, and the whole, in turn."""
    record = _record(size.of(RESULTS))
    part = record[: max(1, len(record) // PART)]
    spent: list[tuple[float, float]] = []
    for _ in range(size.rounds + 1):
        spent.append((_seconds(record, 1) / len(record), _seconds(part, PART) / len(part)))
    measured = spent[1:]
    a_result = Spread(tuple(whole * 1e6 for whole, _ in measured))
    yield Figure(
        "fold",
        f"a result among {len(record):,} / among {len(part):,}",
        Spread(tuple(whole / short for whole, short in measured)),
        "x",
        target=1.5,
        detail=f"{a_result.told('µs')} a result",
    )


def _seconds(record: Record, times: int) -> float:
    started = time.perf_counter()
    for _ in range(times):
        fold(record, Mode.SIM)
    return (time.perf_counter() - started) / times


def _record(count: int) -> Record:
    """Buys and sells in turn, each in a result of its own, in some dozens of symbols."""
    names = symbols(SYMBOLS)
    model = record_builders.result(
        record_builders.line_result(fills=(record_builders.fill("10"),), submitted_at=None)
    )
    results = []
    for number in range(count):
        line = model.instructions[0].model_copy(
            update={
                "client_order_id": f"ai-00000000-{number:032x}-0",
                "ticker": names[number // 2 % SYMBOLS],
                "side": "sell" if number % 2 else "buy",
            }
        )
        at = model.timestamp + timedelta(minutes=number)
        results.append(model.model_copy(update={"timestamp": at, "instructions": (line,)}))
    return record_builders.numbered(results)
