"""What became of the trading state, and what goes with it, for a person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from executor.errors import ExitCode
from executor.model.numbers import plain
from executor.model.order import OrderReport
from executor.model.state import TradingState, TradingStateRecord
from executor.model.words import count, instant
from executor.reports.blocks import Block, Line, Table, Tone
from executor.reports.reply import Reply

NAMED_MAX: Final = 10
"""Orders that an answer names."""

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


GO_ON: Final = """To go on: merge a plan that asks for it. `autoinvestor resume --reason WHY`\
 writes one on a laptop; or add `trading_instructions.json` in the browser, in a pull request, with

```json
{"strategy_type":"resume","reason":"WHY","instructions":[],\
"trading_state":{"state":"ACTIVE","reason":"WHY"}}
```

In paper and live its merge counts only from an approver who did not open it."""
"""How the way back goes; Markdown."""


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
    kept: int = 0,
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
        kept: stops that stay.
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
        "title": f"Halted{' already' if commit is None else ''}: {_SHORT[state.state]}.",
        "words": _words(canceled, still_open, kept, bool(problems)),
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


_SHORT: Final = {
    TradingState.ACTIVE: "everything goes",
    TradingState.REDUCE_ONLY: "only sells go",
    TradingState.HALTED: "nothing new is sent, no sell either",
}


def _words(
    canceled: Sequence[OrderReport],
    still_open: Sequence[OrderReport],
    kept: int,
    has_problems: bool,
) -> str:
    """The answer to a halt in a few sentences, and the way back; Markdown."""
    told = []
    if canceled:
        told.append(f"Canceled: {_named(canceled)}.")
    if still_open:
        told.append(f"Asked to end, still open: {_named(still_open)}.")
    if not canceled and not still_open and not has_problems:
        told.append("Nothing was open that buys.")
    if kept:
        told.append(f"{count(kept, 'stop')} stay{'s' if kept == 1 else ''}.")
    if has_problems:
        told.append("**Not everything got through: see what happened.**")
    return " ".join([*told, GO_ON])


def _named(orders: Sequence[OrderReport]) -> str:
    shown = [
        " ".join(
            (
                one.side.upper(),
                *(() if one.quantity is None else (plain(one.quantity),)),
                one.symbol,
            )
        )
        for one in orders[:NAMED_MAX]
    ]
    more = len(orders) - NAMED_MAX
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


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
