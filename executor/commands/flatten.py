"""Flatten: write the plan that sells what is held and cancels what is open."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from executor.console import Console
from executor.decisions.flattening import Flattening
from executor.decisions.flattening import flatten as flattened
from executor.decisions.halting import owned
from executor.errors import UsageError
from executor.main_state import MainState
from executor.model.fields import timestamp_text
from executor.model.state import TradingState
from executor.notes import refuse_other_account, refuse_other_present, stated
from executor.proposing import make_way, write_plan
from executor.repo.git import Git
from executor.reports.proposing import report_not_needed, report_written
from executor.reports.reply import Reply
from executor.wiring import World, open_world


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this verb."""
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why, in a sentence")
    parser.add_argument(
        "--only", nargs="+", default=(), metavar="SYMBOL", help="these symbols (default: all)"
    )
    parser.add_argument("--now", metavar="TIME", help="take this as the present; sim only")


def run(options: argparse.Namespace, _console: Console) -> Reply:
    """Run the verb on this machine."""
    asked = Closing(stated(options.reason), frozenset(options.only), options.now)
    with open_world(options.repo, options.now) as world:
        return flatten(world, Git(options.repo).top, asked)


@dataclass(frozen=True, slots=True)
class Closing:
    """What was asked for."""

    reason: str
    only: frozenset[str] = frozenset()
    """Symbols; empty is all."""
    story: str | None = None
    """The present, where the command line gave one."""


def flatten(world: World, top: Path, asked: Closing) -> Reply:
    """Write an exit-only plan into the work tree; it may take the place of one that waits.

    Raises:
        UsageError: a symbol that is neither held nor ordered, or somebody's file in the way.
        PersonNeeded: a plan is under way, or this is another account.
        BrokerUnavailable: the broker does not answer.
    """
    main = MainState(world.book, world.book.head())
    refuse_other_present(main, asked.story)
    replaced = make_way(main, top, replaces=True)
    found = _look(world, main, asked)
    warnings = tuple(_warnings(main, found))
    if not found.lines:
        return report_not_needed("nothing to sell and nothing to cancel", warnings=warnings)
    plan = write_plan(
        top,
        {
            "timestamp": timestamp_text(world.clock.now().replace(microsecond=0)),
            "strategy_type": "flatten",
            "reason": asked.reason,
            "instructions": list(found.lines),
        },
    )
    return report_written(
        "flatten",
        plan,
        main.settings.approval_policy(),
        replaces=replaced.digest if replaced else None,
        warnings=warnings,
    )


def _look(world: World, main: MainState, asked: Closing) -> Flattening:
    with world.connect(main.settings, main.ledger) as broker:
        refuse_other_account(main, broker.account().account_number)
        positions, open_orders = broker.positions(), broker.open_orders()
    ours = owned(open_orders, main.ledger, main.settings.repository)
    there = {one.symbol for one in positions} | {one.report.symbol for one in ours}
    unknown = sorted(asked.only - there)
    if unknown:
        raise UsageError(
            f"--only {' '.join(unknown)}: neither held nor ordered; there is"
            f" {', '.join(sorted(there)) or 'nothing'}"
        )
    return flattened(positions, open_orders, ours, reason=asked.reason, only=asked.only)


def _warnings(main: MainState, found: Flattening) -> Iterator[str]:
    """What stands between this plan and an empty account."""
    if found.left_out:
        yield f"left alone, as no plan can name them: {', '.join(found.left_out)}"
    for one in found.in_the_way:
        yield (
            f"{one.symbol}: open order {one.client_order_id} is not ours and may stand in the way;"
            " cancel it at the broker"
        )
    state = main.trading_state
    if state is None or state.state is TradingState.HALTED:
        shown = state.state if state else "unreadable"
        yield (
            f"the trading state is {shown}, in which nothing is sent; first"
            " `autoinvestor resume --state REDUCE_ONLY --reason TEXT`"
        )
