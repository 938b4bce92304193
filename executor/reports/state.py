"""What became of the trading state, and what goes with it, for a person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from executor.errors import ExitCode
from executor.model.numbers import plain
from executor.model.order import OrderReport
from executor.model.state import TradingState, TradingStateRecord
from executor.model.words import instant
from executor.reports.blocks import Block, Line, Table, Tone
from executor.reports.reply import Reply

MEANING = {
    TradingState.ACTIVE: "everything that the checks allow",
    TradingState.REDUCE_ONLY: "exits only",
    TradingState.HALTED: "nothing new is sent",
}


def state_line(state: TradingStateRecord) -> Line:
    """The state in force with who and why, in one line."""
    tone: Tone = "good" if state.state is TradingState.ACTIVE else "waiting"
    return Line(
        f"trading state: {state.state} ({MEANING[state.state]}) since {instant(state.since)}"
        f" by {state.by}: {state.reason}",
        tone,
    )


def report_halt(
    state: TradingStateRecord,
    commit: str | None,
    *,
    canceled: Sequence[OrderReport],
    still_open: Sequence[OrderReport],
    problems: Sequence[str],
    notes: Sequence[str],
    settled: Reply | None,
    exit_code: ExitCode,
) -> Reply:
    """The state in force, what was withdrawn and what did not get through.

    Args:
        state: the state in force.
        commit: the commit that set it; None where it was in force already.
        canceled: open orders of ours that ended.
        still_open: those that were asked to end and have not.
        problems: what did not get through, in sentences.
        notes: what a person should know about what did.
        settled: what `settle` wrote about them.
        exit_code: how the command ends.
    """
    blocks: list[Block] = [state_line(state)]
    if commit is None:
        blocks.append(Line("already as tight as asked for, or tighter; nothing was committed"))
    else:
        blocks.append(Line(f"committed: {commit[:12]}", "faint"))
    blocks += _orders("canceled", canceled)
    blocks += _orders("asked to end, still open", still_open)
    if still_open:
        blocks.append(Line("run the same command again to look at them again", "waiting"))
    blocks += [Line(one, "waiting") for one in notes]
    blocks += [Line(one, "bad") for one in problems]
    if settled is not None:
        blocks += settled.blocks
    blocks.append(Line("back to normal: `autoinvestor resume` writes the plan for it", "faint"))
    data = {
        "state": state.model_dump(),
        "already": commit is None,
        "commit": commit,
        "canceled": [one.client_order_id for one in canceled],
        "still_open": [one.client_order_id for one in still_open],
        "problems": list(problems),
        "notes": list(notes),
        "settled": settled.data if settled else None,
    }
    code = exit_code if settled is None else max(exit_code, settled.exit_code)
    return Reply(code, data, tuple(blocks))


def _orders(title: str, orders: Iterable[OrderReport]) -> tuple[Block, ...]:
    rows = tuple(
        (
            one.side.upper(),
            one.symbol,
            "" if one.quantity is None else plain(one.quantity),
            plain(one.filled_quantity),
            one.order_type,
            one.client_order_id,
        )
        for one in orders
    )
    columns = ("side", "symbol", "quantity", "filled", "type", "client order id")
    numeric = frozenset({"quantity", "filled"})
    return (Table(f"{title}:", columns, rows, numeric),) if rows else ()
