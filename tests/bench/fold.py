"""The ledger's fold over 1,000, 10,000 and 100,000 results: a result costs the same in all."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

from executor.decisions.ledger import fold
from executor.model.account import Mode
from executor.model.activity import Activity
from executor.model.order_result import StopTerms
from executor.model.result import ExecutionResult
from tests.bench.material import symbols
from tests.bench.measure import Figure, Size, Spread
from tests.decisions import record_builders

RESULTS = 100_000
SMALLER = 10
SYMBOLS = 50


def measure(size: Size) -> Iterator[Figure]:
    """Records of three lengths in turn, the shorter ones as often as they fit into the longest."""
    long = size.of(RESULTS)
    middle = max(1, long // SMALLER)
    short = max(1, middle // SMALLER)
    spent: list[tuple[float, float, float]] = []
    for _ in range(min(size.rounds, 5) + 1):
        spent.append((_seconds(short), _seconds(middle), _seconds(long)))
    measured = spent[1:]
    a_result = Spread(tuple(one[2] * 1e6 for one in measured))
    for count, place in ((middle, 1), (long, 2)):
        yield Figure(
            "fold",
            f"a result among {count:,} / among {short:,}",
            Spread(tuple(one[place] / one[0] for one in measured)),
            "x",
            target=1.5,
            detail=f"{a_result.told('µs')} a result among {long:,}" if place == 2 else "",
        )


def _seconds(count: int) -> float:
    """CPU time of one result in a record of so many; making it is the same in each."""
    times = max(1, 2_000 // count)
    started = time.process_time()
    for _ in range(times):
        fold(_record(count), Mode.SIM)
    return (time.process_time() - started) / times / count


def _record(count: int) -> Iterator[tuple[str, ExecutionResult]]:
    """Buys that ask for a stop and sells in turn, and dividends, in some dozens of symbols."""
    names = symbols(SYMBOLS)
    model = record_builders.result(
        record_builders.line_result(
            fills=(record_builders.fill("10"),),
            submitted_at=None,
            stop=StopTerms(stop_loss_pct=Decimal(8)),
        )
    )
    cents = Decimal("0.12")
    paid = Activity(id="any", kind="DIV", at=model.timestamp, symbol="MU", net_amount=cents)
    for number in range(count):
        line = model.instructions[0].model_copy(
            update={
                "client_order_id": f"ai-00000000-{number:032x}-0",
                "ticker": names[number // 2 % SYMBOLS],
                "side": "sell" if number % 2 else "buy",
            }
        )
        at = model.timestamp + timedelta(minutes=number)
        update: dict[str, Any] = {
            "timestamp": at,
            "instructions": (line,),
            "activities": (paid.model_copy(update={"id": f"{number}", "at": at}),),
            "plan_digest": f"{number:064x}",
        }
        yield f"execution_results/{number}.json", model.model_copy(update=update)
