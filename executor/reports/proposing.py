"""What a plan that a command has written asks for, and the steps to its approval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from executor.errors import ExitCode
from executor.model.numbers import plain
from executor.model.plan import PLAN_PATH, TradingInstructionSet
from executor.model.state import TradingStateRecord
from executor.reports.blocks import Block, Line, Table
from executor.reports.reply import Reply
from executor.reports.state import state_line

Policy = Literal["none", "merge", "review"]

HAND_OVER: Final = f"autoinvestor propose --remote --file {PLAN_PATH}"
"""The way of somebody alone, from the top of a clone."""


def report_written(
    verb: str,
    plan: TradingInstructionSet,
    policy: Policy,
    *,
    replaces: str | None = None,
    warnings: Sequence[str] = (),
) -> Reply:
    """Show a plan that lies in the work tree and how it comes to be executed.

    Args:
        verb: the command that wrote it.
        plan: the plan.
        policy: whether it needs an approval.
        replaces: digest of the plan that waits on main and gives way to it.
        warnings: what a person should know before it is committed.
    """
    steps = next_steps(verb, policy)
    blocks: list[Block] = [Line(f"written: {PLAN_PATH}; nothing has changed yet", "good")]
    if plan.trading_state is not None:
        asked = plan.trading_state
        rebased = ", the equity peak counts anew" if asked.rebase_peak else ""
        blocks.append(Line(f"asks for {asked.state}{rebased}: {asked.reason}"))
    if plan.instructions:
        blocks.append(_lines(plan))
    if replaces is not None:
        blocks.append(Line(f"it replaces plan {replaces[:8]}, which waits on main", "waiting"))
    blocks += [Line(one, "waiting") for one in warnings]
    blocks.append(Line("next:"))
    blocks += [Line(f"  {one}") for one in steps]
    data = {
        "state": "written",
        "path": PLAN_PATH,
        "plan": plan.model_dump(exclude_none=True),
        "replaces": replaces,
        "warnings": list(warnings),
        "next": list(steps),
    }
    return Reply(ExitCode.DONE, data, tuple(blocks))


def report_not_needed(
    sentence: str, state: TradingStateRecord | None = None, *, warnings: Sequence[str] = ()
) -> Reply:
    """Say why no plan was written."""
    blocks: list[Block] = [state_line(state)] if state is not None else []
    blocks.append(Line(f"{sentence}; nothing was written"))
    blocks += [Line(one, "waiting") for one in warnings]
    data = {"state": "not_needed", "reason": sentence, "warnings": list(warnings)}
    return Reply(ExitCode.DONE, data, tuple(blocks))


def next_steps(verb: str, policy: Policy) -> tuple[str, ...]:
    """The commands from a plan in the work tree to its execution.

    Where an approval is needed, nobody may merge what they opened themselves: somebody alone hands
    the plan over, and the bot opens it.
    """
    commit = (f"git add {PLAN_PATH}", f'git commit -m "Propose: {verb}"')
    if policy == "none":
        return ("git switch main", *commit, "autoinvestor execute --submit")
    return (
        f"git switch -c plan/{verb}",
        *commit,
        f"git push -u origin plan/{verb}",
        "open a pull request: another person's merge is the approval; then"
        " `autoinvestor execute --submit`",
        "or alone, instead of all that, since nobody may merge what they opened themselves:"
        f" `{HAND_OVER}`; the bot opens it, and you merge it",
    )


def _lines(plan: TradingInstructionSet) -> Table:
    rows = tuple(
        (
            one.action,
            one.ticker,
            plain(one.shares) if one.shares is not None else str(one.quantity or ""),
            one.client_order_id or "",
        )
        for one in plan.instructions
    )
    columns = ("action", "symbol", "quantity", "client order id")
    return Table("", columns, rows, frozenset({"quantity"}))


def report_withdrawn(digest: str, archived_as: str, commit: str) -> Reply:
    """Say where a plan that waited lies now."""
    blocks = (
        Line(f"plan {digest[:8]}: withdrawn; nothing of it was sent", "good"),
        Line(f"archived: {archived_as}", "faint"),
        Line(f"committed: {commit[:12]}", "faint"),
    )
    data = {
        "state": "withdrawn",
        "plan_digest": digest,
        "archived_as": archived_as,
        "commit": commit,
    }
    return Reply(ExitCode.DONE, data, blocks)
