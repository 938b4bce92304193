"""What an execution says to a person: the preview, why it waits, what happened."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from executor.decisions.concerns import ON_SALE, lacking, without_stop
from executor.decisions.ending import Ending
from executor.decisions.validate import Judgment
from executor.errors import ExitCode
from executor.model.account import AccountRecord
from executor.model.intent import PlannedOrder
from executor.model.numbers import plain
from executor.model.order_result import InstructionResult, Outcome, Protection
from executor.model.plan import PlanStatus, TradingInstructionSet
from executor.model.result import ExecutionResult, FinalPortfolio
from executor.model.verdict import Answer, Verdict
from executor.model.words import count, usd
from executor.reports.blocks import Block, Line, Table, Tone
from executor.reports.reply import Reply


def orders_table(orders: Sequence[PlannedOrder]) -> Table:
    """The orders of an intent, in the order of sending."""
    rows = tuple(
        (
            order.side.upper(),
            order.symbol,
            _size(order),
            order.order_type,
            _price(order),
            order.client_order_id,
        )
        for order in orders
    )
    columns = ("side", "symbol", "quantity", "type", "price", "client order id")
    return Table("", columns, rows, frozenset({"quantity", "price"}))


def _size(order: PlannedOrder) -> str:
    if order.quantity is not None:
        return plain(order.quantity)
    return usd(order.notional) if order.notional is not None else ""


def _price(order: PlannedOrder) -> str:
    price = order.limit_price or order.stop_price
    return plain(price) if price is not None else ""


def outcomes_table(results: Iterable[InstructionResult]) -> Table:
    """What became of each instruction."""
    rows = tuple(
        (
            str(one.index),
            (one.side or "").upper(),
            one.ticker,
            one.outcome.value.replace("_", " "),
            plain(one.filled_quantity),
            plain(one.average_fill_price) if one.average_fill_price is not None else "",
            plain(one.slippage_bps) if one.slippage_bps is not None else "",
        )
        for one in results
    )
    columns = ("line", "side", "symbol", "outcome", "filled", "at USD", "slippage bps")
    return Table("", columns, rows, frozenset({"line", "filled", "at USD", "slippage bps"}))


def account_line(account: AccountRecord) -> Line:
    """Cash and equity in one line."""
    held = (
        ", ".join(f"{plain(one.quantity)} {one.symbol}" for one in account.positions) or "nothing"
    )
    return Line(f"account: cash {usd(account.cash)}, equity {usd(account.equity)}, holds {held}")


def verdict_lines(verdicts: Iterable[Verdict]) -> tuple[Block, ...]:
    """Every verdict that a person should read: noes, not-nows, warnings."""
    lines: list[Block] = []
    for one in verdicts:
        if one.answer is Answer.NO:
            lines.append(Line(f"  no: {one.sentence()}", "bad"))
        elif one.answer is Answer.NOT_NOW:
            lines.append(Line(f"  not now: {one.sentence()}", "waiting"))
        elif one.warning is not None and not one.warning.startswith("off: "):
            lines.append(Line(f"  warning: {one.sentence()}", "waiting"))
    return tuple(lines)


def nothing_pending() -> Reply:
    """There is no plan."""
    blocks = (Line("nothing pending: there is no plan on main"),)
    return Reply(ExitCode.DONE, {"state": "nothing_pending"}, blocks)


def protection_lines(plan: TradingInstructionSet) -> tuple[Block, ...]:
    """Say before the approval which stops the approval places, and where none will stand."""
    asking = sorted({one.ticker for one in plan.instructions if one.wants_stop})
    naked = sorted(
        {one.ticker for one in plan.instructions if one.action == "BUY" and not one.wants_stop}
    )
    lines = []
    if asking:
        lines.append(Line(f"protected by a stop at the broker once bought: {', '.join(asking)}"))
    if naked:
        lines.append(Line(f"bought without a stop: {', '.join(naked)}", "waiting"))
    return tuple(lines)


def other_lines(plan: TradingInstructionSet, going: Collection[int]) -> tuple[Block, ...]:
    """What the CANCEL and PROTECT lines that go would do."""
    lines = []
    for index in sorted(going):
        one = plan.instructions[index]
        if one.action == "CANCEL":
            lines.append(Line(f"would cancel order {one.client_order_id}"))
        elif one.stop_price is not None and one.action == "PROTECT":
            lines.append(Line(f"would put the stop of {one.ticker} at {usd(one.stop_price)}"))
        elif one.trail_percent is not None and one.action == "PROTECT":
            trail = plain(one.trail_percent)
            lines.append(Line(f"would have the stop of {one.ticker} trail by {trail} %"))
        elif one.action == "PROTECT":
            lines.append(Line(f"would take the stop of {one.ticker} away", "waiting"))
    return tuple(lines)


def stands_line(one: Protection) -> Line:
    """How one holding stands, in one line."""
    where = f" at {usd(one.stop_price)}" if one.stop_price is not None else ""
    why = f": {one.reason}" if one.reason else ""
    shares = plain(one.quantity)
    if one.reason == ON_SALE:
        return Line(without_stop(one), "bad")
    match one.state:
        case "stop":
            return Line(f"protected: {shares} {one.symbol}, stop{where}", "good")
        case "bracket":
            return Line(f"protected: {shares} {one.symbol}, target and stop{where}", "good")
        case "exited":
            return Line(f"exited: {shares} {one.symbol}, stop{where}{why}", "waiting")
        case _:
            return Line(f"unprotected: {shares} {one.symbol}, stop{where}{why}", "bad")


def preview(
    digest: str,
    plan: TradingInstructionSet,
    judgment: Judgment,
    orders: Sequence[PlannedOrder],
    account: AccountRecord,
) -> Reply:
    """What would be sent."""
    blocks = (
        Line(f"plan {digest[:8]}: would send {count(len(orders), 'order')}; nothing was sent"),
        account_line(account),
        orders_table(orders),
        *other_lines(plan, judgment.going),
        *verdict_lines(judgment.verdicts),
        *protection_lines(plan),
        Line("send them with `autoinvestor execute --submit`", "faint"),
    )
    data = {
        "state": "pending",
        "plan_digest": digest,
        "orders": [order.model_dump(exclude_none=True) for order in orders],
        "verdicts": _verdict_data(judgment.verdicts),
    }
    return Reply(ExitCode.DONE, data, blocks)


def waiting(
    digest: str,
    judgment: Judgment | None,
    *,
    submitted: bool,
    so_far: Sequence[InstructionResult] = (),
    stands: Sequence[Protection] = (),
) -> Reply:
    """Why a plan waits, what of it is at the broker already, and what that left without a stop."""
    data: dict[str, Any] = {"state": "waiting", "plan_digest": digest}
    if judgment is None:
        text = f"plan {digest[:8]}: validated by an earlier run; `execute --submit` finishes it"
        return Reply(ExitCode.DONE, data, (Line(text, "waiting"),))
    sent = [one for one in so_far if one.broker_order_id is not None]
    rest = "it stays on main" if submitted else "nothing was sent"
    if sent:
        rest = "the rest stays on main, and this was sent"
    blocks = (
        Line(f"plan {digest[:8]}: not now; {rest}", "waiting"),
        *((outcomes_table(sent),) if sent else ()),
        *(stands_line(one) for one in stands if one.state == "unprotected"),
        *verdict_lines(judgment.verdicts),
    )
    data |= {
        "without_stop": list(lacking((), stands)),
        "why": [one.sentence() for one in judgment.verdicts if one.answer is Answer.NOT_NOW],
        "verdicts": _verdict_data(judgment.verdicts),
        "sent": [one.model_dump() for one in sent],
    }
    return Reply(ExitCode.DONE, data, blocks)


def finished(
    digest: str, ending: Ending, result: ExecutionResult | None, result_path: str | None
) -> Reply:
    """What happened, line by line; without a result, what would."""
    would = "" if result else "would be "
    tone: Tone = "bad" if ending.exit_code else "good"
    blocks: list[Block] = [Line(f"plan {digest[:8]}: {would}{ending.status.value}", tone)]
    if ending.state is not None:
        blocks.append(Line(f"trading is {ending.state.state}: {ending.state.reason}"))
    if ending.status is PlanStatus.DUPLICATE:
        blocks.append(Line("already executed: the same document was executed before; nothing sent"))
    if ending.instructions:
        blocks.append(outcomes_table(ending.instructions))
    if result is not None:
        portfolio = result.final_portfolio
        if portfolio.realized_pl:
            blocks.append(Line(f"realized: {usd(portfolio.realized_pl)}"))
        if portfolio.as_of is not None:
            blocks.append(holdings_line(portfolio))
    blocks += [stands_line(one) for one in ending.stands]
    if any(one.outcome is Outcome.OPEN for one in ending.instructions):
        blocks.append(Line("still open: `autoinvestor settle` follows it", "waiting"))
    blocks += [Line(f"  error: {one}", "bad") for one in ending.errors]
    shown = {without_stop(one) for one in ending.stands}
    told = [one for one in ending.warnings if one not in shown]
    blocks += [Line(f"  warning: {one}", "waiting") for one in told]
    if result_path is not None:
        blocks.append(Line(f"written: {result_path}", "faint"))
    data = {
        "state": ending.status.value,
        "plan_digest": digest,
        "result_path": result_path,
        "result": result.model_dump() if result else None,
        "protection": [one.model_dump() for one in ending.stands],
        "without_stop": list(lacking(ending.alarms, ending.stands)),
        "unprotected": list(ending.alarms),
        "errors": list(ending.errors),
        "warnings": list(ending.warnings),
    }
    return Reply(ending.exit_code, data, tuple(blocks))


def holdings_line(portfolio: FinalPortfolio) -> Line:
    """Cash, equity and holdings after a run, in one line."""
    held = ", ".join(f"{plain(one.quantity)} {one.symbol}" for one in portfolio.positions)
    return Line(
        f"account: cash {usd(portfolio.cash)}, equity {usd(portfolio.total_value)},"
        f" holds {held or 'nothing'}"
    )


def _verdict_data(verdicts: Iterable[Verdict]) -> list[dict[str, Any]]:
    return [one.model_dump() for one in verdicts]
