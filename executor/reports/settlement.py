"""What settling found, for a person."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from executor.decisions.concerns import lacking, resting
from executor.errors import ExitCode
from executor.model.ledger import Ledger
from executor.model.numbers import plain
from executor.model.order_result import LegResult, Protection
from executor.model.result import ExecutionResult, Observed
from executor.model.words import count, usd
from executor.reports.blocks import Block, Line, Table
from executor.reports.execution import holdings_line, outcomes_table, stands_line
from executor.reports.reply import Reply


def report_settled(
    results: Sequence[ExecutionResult],
    ledger: Ledger,
    *,
    alarms: Sequence[str] = (),
    warnings: Sequence[str] = (),
    stands: Sequence[Protection] = (),
) -> Reply:
    """Everything that changed, what is followed on, and what a person has to look at.

    Args:
        results: what was written, in order.
        ledger: the record afterwards.
        alarms: shares without the stop that they should have.
        warnings: differences within the tolerance.
        stands: how each holding that asked for a stop stands.
    """
    bare = lacking(alarms, stands)
    blocks: list[Block] = []
    if not results:
        blocks.append(Line("nothing new about the orders of the record"))
    for result in results:
        blocks += _told(result, frozenset(resting(stands)))
    if results:
        blocks.append(holdings_line(results[-1].final_portfolio))
    # What is missing is told further down, with what to do.
    blocks += [stands_line(one) for one in stands if one.state != "unprotected"]
    naked = sorted(ledger.positions.keys() - {one.symbol for one in ledger.lots.values()})
    if naked:
        blocks.append(Line(f"held without a stop: {', '.join(naked)}", "waiting"))
    still_open = len(ledger.open_orders)
    blocks.append(Line(f"orders still open: {still_open}", "waiting" if still_open else "plain"))
    if ledger.unknown:
        text = f"of these unknown: {ledger.unknown}; look for them at the broker, by their id"
        blocks.append(Line(text, "bad"))
    blocks += [Line(f"  unprotected: {one}", "bad") for one in bare]
    blocks += [_observed_line(one) for one in ledger.observed.values()]
    blocks += [Line(f"  warning: {one}", "waiting") for one in warnings]
    data = {
        "results": [one.model_dump() for one in results],
        "still_open": still_open,
        "unknown": ledger.unknown,
        "protection": [one.model_dump() for one in stands],
        "held_without_a_stop": naked,
        "unprotected": list(alarms),
        "without_stop": list(bare),
        "observed": [one.model_dump() for one in ledger.observed.values()],
        "warnings": list(warnings),
    }
    looked_at = ledger.unknown or alarms or ledger.observed
    return Reply(ExitCode.PERSON if looked_at else ExitCode.DONE, data, tuple(blocks))


def report_unopened(symbols: Sequence[str], orders: int, mode: str) -> Reply:
    """What an account holds whose record has no result yet: its ledger has to begin with that."""
    data = {"results": [], "held": list(symbols), "open_orders": orders}
    if not symbols and not orders:
        return Reply(
            ExitCode.DONE,
            data,
            (Line(f"nothing new: no record yet in {mode}, and an empty account"),),
        )
    held = ", ".join(symbols) or "nothing"
    text = (
        f"no record yet, and the account holds {held}, with {count(orders, 'open order')};"
        " `autoinvestor adopt` begins the record with what is there"
    )
    return Reply(ExitCode.PERSON, data, (Line(text, "bad"),))


def _told(result: ExecutionResult, shown: Collection[str]) -> list[Block]:
    """One result, by its kind, less the warnings that are shown elsewhere."""
    if result.kind == "activity":
        number = len(result.activities)
        noun = "activity" if number == 1 else "activities"
        found: list[Block] = [Line(f"booked: {number} {noun}", "good")]
        for one in result.activities:
            amount = usd(one.net_amount) if one.net_amount is not None else ""
            parts = (one.kind, one.symbol or "", plain(one.quantity or 0) if one.quantity else "")
            found.append(Line("  " + " ".join(part for part in (*parts, amount) if part)))
        return found
    if result.kind == "observed" and all(one.book is not None for one in result.observed):
        return [Line(f"followed: {count(len(result.observed), 'order')} that somebody took over")]
    if result.kind == "observed":
        return [Line(f"observed: {count(len(result.observed), 'change')} that no commit explains")]
    if result.state is not None:
        return [Line(f"trading is {result.state.state} now: {result.state.reason}", "bad")]
    blocks: list[Block] = [Line(f"plan {(result.plan_digest or '')[:8]}: settled", "good")]
    if result.instructions:
        blocks.append(outcomes_table(result.instructions))
    if result.legs:
        blocks.append(legs_table(result.legs))
    if result.final_portfolio.realized_pl:
        blocks.append(Line(f"realized: {usd(result.final_portfolio.realized_pl)}"))
    told = [one for one in result.warnings if one not in shown]
    blocks += [Line(f"  warning: {one}", "waiting") for one in told]
    return blocks


def legs_table(legs: Sequence[LegResult]) -> Table:
    """What became of the orders that protect."""
    rows = tuple(
        (
            str(one.index),
            one.leg,
            one.ticker,
            plain(one.quantity) if one.quantity is not None else "",
            one.order_type or "",
            plain(one.stop_price) if one.stop_price is not None else "",
            one.outcome.value.replace("_", " "),
            plain(one.filled_quantity),
            plain(one.average_fill_price) if one.average_fill_price is not None else "",
        )
        for one in legs
    )
    numbers = ("quantity", "stop USD", "filled", "at USD")
    columns = ("line", "leg", "symbol", "quantity", "type", "stop USD", "outcome", *numbers[2:])
    return Table("", columns, rows, frozenset({"line", *numbers}))


def _observed_line(one: Observed) -> Line:
    size = plain(one.quantity) if one.quantity is not None else ""
    is_order = one.kind == "order"
    parts = (one.side, size, one.symbol) if is_order else (size,)
    what = " ".join(part for part in (one.kind, one.key, *parts) if part)
    text = f"  not explained: {what}; `autoinvestor ack {one.key} --book BOOK` takes it over"
    return Line(text, "bad")
