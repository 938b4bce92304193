"""Withdraw: take the plan that waits off main, into the archive, with who and why."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Final

from executor.commands.review import summarized
from executor.console import Console
from executor.decisions.notes import WITHDRAWN, aside_trailers
from executor.decisions.results import archive_name
from executor.errors import BookUnavailable, SwapLost
from executor.history import PLAN_DIGEST, STEP
from executor.main_state import MainState
from executor.model.plan import PLAN_PATH
from executor.notes import person, refuse_other_present, stated
from executor.ports import Change, Progress
from executor.proposing import waiting_plan
from executor.record import free_path
from executor.reports.execution import nothing_pending
from executor.reports.proposing import report_withdrawn
from executor.reports.reply import Reply
from executor.wiring import World, open_world

SWAP_TRIES: Final = 8
"""How often main may move under us before we leave it to the next run."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this verb."""
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why, in a sentence")
    parser.add_argument("--now", metavar="TIME", help="take this as the present; sim only")


def run(options: argparse.Namespace, console: Console) -> Reply:
    """Run the verb on this machine."""
    reason = stated(options.reason)
    with open_world(options.repo, options.now) as world:
        by = person(options.repo, world.environment)
        reply = withdraw(world, console, Withdrawal(reason, by, options.now))
        return summarized(world.environment, "withdraw", reply)


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What was asked for."""

    reason: str
    by: str
    story: str | None = None
    """The present, where the command line gave one."""


def withdraw(world: World, progress: Progress, asked: Withdrawal) -> Reply:
    """Archive the plan that waits on main as it is; it has no result, its commit says who and why.

    Raises:
        PersonNeeded: the plan is validated: orders of it may be at the broker.
        BookUnavailable: the repository does not answer, or another run is at work.
    """
    with world.book.exclusive():
        world.book.tidy()
        for _ in range(SWAP_TRIES):
            try:
                return _once(world, asked)
            except SwapLost:
                progress.say("main moved meanwhile; reading it again")
    raise BookUnavailable(f"main moved {SWAP_TRIES} times under this run; run again")


def _once(world: World, asked: Withdrawal) -> Reply:
    main = MainState(world.book, world.book.head())
    refuse_other_present(main, asked.story)
    plan = waiting_plan(main)
    if plan is None:
        return nothing_pending()
    path = free_path(world.book, main.head, archive_name(plan.made_at), lambda: plan.digest)
    change = Change(
        subject=f"Withdraw plan {plan.digest[:8]}",
        writes={path: plan.data},
        deletes=(PLAN_PATH,),
        trailers={
            PLAN_DIGEST: plan.digest,
            STEP: WITHDRAWN,
            **aside_trailers(asked.by, asked.reason),
        },
    )
    return report_withdrawn(plan.digest, path, world.book.commit(change, main.head))
