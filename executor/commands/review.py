"""Review: say why a book is to be looked at, and gather what its agent is given.

The files go into a folder of their own and never into git: what was known at a review is told by
the review that comes of it.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from executor.console import Console
from executor.decisions.results import account_record
from executor.decisions.reviewing import PORTFOLIO, alert_for, alert_name
from executor.errors import UsageError
from executor.gather import view_account
from executor.main_state import MainState
from executor.model.writing import write_document
from executor.notes import refuse_other_account, refuse_other_present, stated
from executor.on_github.telling import SUMMARY
from executor.reports.reply import Reply
from executor.reports.reviewing import report_gathered
from executor.reports.telling import summary
from executor.wiring import World, open_world


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this verb."""
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why, in a sentence")
    parser.add_argument(
        "--strategy", default="", metavar="NAME", help="the book (default: the settings')"
    )
    parser.add_argument(
        "--slot", default="", metavar="HOUR", help="the hour of the schedule (default: by hand)"
    )
    parser.add_argument("--asked-by", default="", metavar="LOGIN", help="who asks")
    parser.add_argument(
        "--to", type=Path, required=True, metavar="DIR", help="where the agent's files go"
    )
    parser.add_argument("--now", metavar="TIME", help="take this as the present; sim only")


def run(options: argparse.Namespace, _console: Console) -> Reply:
    """Run the verb on this machine."""
    asked = Asking(
        reason=stated(options.reason),
        strategy=options.strategy,
        slot=options.slot,
        asked_by=options.asked_by,
        story=options.now,
    )
    with open_world(options.repo, options.now) as world:
        return summarized(world.environment, "review", review(world, options.to, asked))


@dataclass(frozen=True, slots=True)
class Asking:
    """What was asked for."""

    reason: str
    strategy: str = ""
    """The book; empty is the settings' default."""
    slot: str = ""
    """The hour of the schedule; empty where a person asks."""
    asked_by: str = ""
    """Login of whoever asks."""
    story: str | None = None
    """The present, where the command line gave one."""


def review(world: World, folder: Path, asked: Asking) -> Reply:
    """Write alert and portfolio into a folder; what lies there of an earlier review is replaced.

    Raises:
        UsageError: no such book, or no valid settings.
        PersonNeeded: this is another account than the settings name.
        BrokerUnavailable: the broker does not answer.
    """
    main = MainState(world.book, world.book.head())
    refuse_other_present(main, asked.story)
    now = world.clock.now()
    alert = alert_for(
        main.settings,
        now=now,
        reason=asked.reason,
        strategy=asked.strategy,
        slot=asked.slot,
        asked_by=asked.asked_by,
    )
    with world.connect(main.settings, main.ledger) as broker:
        view = view_account(broker, now)
        refuse_other_account(main, view.account.account_number)
    portfolio = account_record(
        view.account, view.positions.values(), view.open_orders, main.settings.mode
    )
    return report_gathered(
        alert,
        portfolio,
        (
            write_file(folder / alert_name(alert), write_document(alert)),
            write_file(folder / PORTFOLIO, write_document(portfolio)),
        ),
    )


def summarized(environment: Mapping[str, str], verb: str, reply: Reply) -> Reply:
    """The same reply, told as the summary of a job as well, where there is a job."""
    path = environment.get(SUMMARY)
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(summary(verb, reply))
    return reply


def write_file(path: Path, data: bytes) -> str:
    """Write a file outside git, its folder as well; its path.

    Raises:
        UsageError: something else lies where the folder should be.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise UsageError(f"{path.parent}: is no folder; name another one") from None
    path.write_bytes(data)
    return str(path)
