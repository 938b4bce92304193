"""What was adopted, what is there to acknowledge, and what was."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from executor.errors import ExitCode
from executor.model.numbers import plain
from executor.model.result import ExecutionResult, Observed
from executor.model.words import count, shares, usd
from executor.reports.blocks import Block, Line, Table
from executor.reports.execution import holdings_line
from executor.reports.reply import Reply


def what(seen: Observed) -> str:
    """One thing that no commit explains, in a few words, its key first."""
    if seen.kind == "order":
        size = "" if seen.quantity is None else f" {plain(seen.quantity)}"
        return (
            f"{seen.key} (order: {seen.side}{size} {seen.symbol}, {seen.status},"
            f" {shares(seen.filled_quantity)} filled)"
        )
    amount = seen.quantity or Decimal(0)
    sign = "+" if amount > 0 else ""
    if seen.kind == "cash":
        return f"{seen.key} (cash: {sign}{usd(amount)} beyond the record)"
    return f"{seen.key} (position: {sign}{plain(amount)} shares beyond the record)"


def report_adopted(result: ExecutionResult, commit: str) -> Reply:
    """Where the ledger begins."""
    opened = result.opening
    assert opened is not None, "it was adopted just now"
    rows = tuple(
        (one.symbol, plain(one.quantity), usd(one.cost_basis), one.strategy)
        for one in opened.positions
    )
    table = Table("", ("symbol", "quantity", "cost", "book"), rows, frozenset({"quantity", "cost"}))
    blocks: tuple[Block, ...] = (
        Line(
            f"the ledger of {result.mode} account {result.account} begins with"
            f" {usd(opened.cash)} and {count(len(opened.positions), 'position')}",
            "good",
        ),
        *((table,) if rows else ()),
        Line(f"committed: {commit[:12]}", "faint"),
    )
    data = {"state": "adopted", "result": result.model_dump(), "commit": commit}
    return Reply(ExitCode.DONE, data, blocks)


def report_outstanding(found: Sequence[Observed]) -> Reply:
    """Everything that may be acknowledged."""
    blocks: list[Block] = [Line("the record explains everything at the broker", "good")]
    if found:
        blocks = [
            Line("no commit explains:", "waiting"),
            *(Line(f"  {what(one)}") for one in found),
        ]
        blocks.append(Line("take one over with `autoinvestor ack KEY`", "faint"))
    data = {"state": "outstanding", "outstanding": [one.model_dump() for one in found]}
    return Reply(ExitCode.DONE, data, tuple(blocks))


def report_acknowledged(result: ExecutionResult, commit: str, left: Sequence[Observed]) -> Reply:
    """What was taken over, what that booked, and what is left."""
    (taken,) = result.observed
    blocks: list[Block] = [Line(f"taken over into {taken.book}: {what(taken)}", "good")]
    for fill in taken.fills:
        text = f"  booked: {taken.side} {shares(fill.quantity)} at {usd(fill.price)}"
        blocks.append(Line(text))
    blocks.append(holdings_line(result.final_portfolio))
    blocks.append(Line(f"committed: {commit[:12]}", "faint"))
    if left:
        blocks.append(Line("looked at before that, and still to be acknowledged:", "waiting"))
        blocks += [Line(f"  {what(one)}") for one in left]
    data = {
        "state": "acknowledged",
        "result": result.model_dump(),
        "commit": commit,
        "outstanding": [one.model_dump() for one in left],
    }
    return Reply(ExitCode.DONE, data, tuple(blocks))
