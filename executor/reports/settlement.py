"""What settling found, for a person."""

from __future__ import annotations

from collections.abc import Sequence

from executor.errors import ExitCode
from executor.model.result import ExecutionResult
from executor.reports.blocks import Block, Line
from executor.reports.execution import holdings_line, outcomes_table
from executor.reports.reply import Reply


def report_settled(results: Sequence[ExecutionResult], still_open: int, unknown: int = 0) -> Reply:
    """Every order that changed, how many are followed on, and how many nobody can find."""
    blocks: list[Block] = []
    if not results:
        blocks.append(Line("nothing new about the orders of the record"))
    for result in results:
        blocks.append(Line(f"plan {(result.plan_digest or '')[:8]}: settled", "good"))
        blocks.append(outcomes_table(result.instructions))
        blocks += [Line(f"  warning: {one}", "waiting") for one in result.warnings]
    if results:
        blocks.append(holdings_line(results[-1].final_portfolio))
    blocks.append(Line(f"orders still open: {still_open}", "waiting" if still_open else "plain"))
    if unknown:
        text = f"of these unknown: {unknown}; look for them at the broker, by their client order id"
        blocks.append(Line(text, "bad"))
    data = {
        "results": [one.model_dump() for one in results],
        "still_open": still_open,
        "unknown": unknown,
    }
    return Reply(ExitCode.PERSON if unknown else ExitCode.DONE, data, tuple(blocks))
