"""Resume: write the plan that loosens the trading state; its approval and execution do it."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from executor.console import Console
from executor.errors import UsageError
from executor.main_state import MainState
from executor.model.fields import timestamp_text
from executor.model.state import TradingState, is_tighter
from executor.notes import refuse_other_present, stated
from executor.proposing import make_way, write_plan
from executor.repo.git import Git
from executor.reports.proposing import report_not_needed, report_written
from executor.reports.reply import Reply
from executor.wiring import World, open_world


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this verb."""
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why, in a sentence")
    parser.add_argument(
        "--state",
        choices=("ACTIVE", "REDUCE_ONLY"),
        default="ACTIVE",
        help="the state to go back to (default: ACTIVE)",
    )
    parser.add_argument(
        "--rebase-peak",
        action="store_true",
        help="count the drawdown from the equity at the execution on",
    )
    parser.add_argument("--now", metavar="TIME", help="take this as the present; sim only")


def run(options: argparse.Namespace, _console: Console) -> Reply:
    """Run the verb on this machine."""
    asked = Resumption(
        TradingState(options.state), stated(options.reason), options.rebase_peak, options.now
    )
    with open_world(options.repo, options.now) as world:
        return resume(world, Git(options.repo).top, asked)


@dataclass(frozen=True, slots=True)
class Resumption:
    """What was asked for."""

    state: TradingState
    reason: str
    rebase_peak: bool = False
    story: str | None = None
    """The present, where the command line gave one."""


def resume(world: World, top: Path, asked: Resumption) -> Reply:
    """Write a resume plan into the work tree; the state itself is never touched here.

    Raises:
        UsageError: it would tighten, or another plan is in the way.
        PersonNeeded: a plan is under way.
    """
    main = MainState(world.book, world.book.head())
    refuse_other_present(main, asked.story)
    before = main.trading_state
    if before is not None and is_tighter(asked.state, before.state):
        raise UsageError(
            f"--state {asked.state}: tighter than {before.state}, and resume only loosens;"
            " use `autoinvestor halt --reason TEXT`"
        )
    if before is not None and asked.state is before.state and not asked.rebase_peak:
        return report_not_needed(f"the trading state is {asked.state} already", before)
    make_way(main, top, replaces=False)
    request: dict[str, Any] = {"state": str(asked.state), "reason": asked.reason}
    if asked.rebase_peak:
        request["rebase_peak"] = True
    plan = write_plan(
        top,
        {
            "timestamp": timestamp_text(world.clock.now().replace(microsecond=0)),
            "strategy_type": "resume",
            "reason": asked.reason,
            "trading_state": request,
            "instructions": [],
        },
    )
    return report_written("resume", plan, main.settings.approval_policy())
