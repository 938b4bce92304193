"""Settle: follow what earlier results left open, protect what is held, explain what happened."""

from __future__ import annotations

import argparse
from datetime import timedelta
from typing import Final

from executor.console import Console
from executor.errors import BookUnavailable, SwapLost
from executor.gather import view_account
from executor.main_state import MainState
from executor.model.account import Mode
from executor.notes import refuse_other_account
from executor.on_github.declining import archive_declined
from executor.on_github.telling import told
from executor.ports import Broker, Progress
from executor.reports.reply import Reply
from executor.reports.settlement import report_settled, report_unopened
from executor.runs.settling import Settled, Settling
from executor.wiring import EXCHANGE_URL, World, open_world

SWAP_TRIES: Final = 8
"""How often main may move under us before we leave it to the next run."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this verb."""
    parser.add_argument("--now", metavar="TIME", help="take this as the present; sim only")


def run(options: argparse.Namespace, console: Console) -> Reply:
    """Run the verb on this machine."""
    with open_world(options.repo, options.now) as world:
        return told(world, console, "settle", lambda: _and_archive(world, console))


def _and_archive(world: World, progress: Progress) -> Reply:
    """Settle, then archive the plans whose pull requests were closed without a merge."""
    reply = settle(world, progress)
    archive_declined(world, progress)
    return reply


def settle(world: World, progress: Progress) -> Reply:
    """Bring the record up to what the broker says, and protection to what the record says.

    Raises:
        PersonNeeded: the keys open another account than the settings name; nothing else is said.
        AutoInvestorError: the broker or the repository did not answer; nothing is lost.
    """
    with world.book.exclusive():
        world.book.tidy()
        done = Settled()
        for _ in range(SWAP_TRIES):
            try:
                return _once(world, progress, done)
            except SwapLost:
                progress.say("main moved meanwhile; reading it again")
    raise BookUnavailable(f"main moved {SWAP_TRIES} times under this run; run again")


def _once(world: World, progress: Progress, done: Settled) -> Reply:
    main = MainState(world.book, world.book.head())
    if main.ledger.through is None and not _is_alone(world, main):
        return _before_the_first(world, main)
    if not _may_have_news(world, main):
        return report_settled(done.results, main.ledger)
    with world.connect(main.settings, main.ledger) as broker:
        _refuse_another(main, broker)
        settling = Settling(world, progress, main, broker, done)
        settling.run()
    return report_settled(
        done.results,
        settling.main.ledger,
        alarms=done.alarms,
        warnings=done.warnings,
        stands=done.stands,
    )


def _may_have_news(world: World, main: MainState) -> bool:
    """False before the first result, and in sim where nothing of the record is in motion.

    The embedded exchange has no other client: only an order of ours changes anything there.
    """
    ledger = main.ledger
    if ledger.through is None:
        return False
    return not _is_alone(world, main) or bool(ledger.open_orders or ledger.lots or ledger.observed)


def _is_alone(world: World, main: MainState) -> bool:
    """True where nobody but us can trade: the exchange lives in this process."""
    return main.settings.mode is Mode.SIM and not world.environment.get(EXCHANGE_URL)


def _before_the_first(world: World, main: MainState) -> Reply:
    """Look whether the account of an empty record is empty too."""
    with world.connect(main.settings, main.ledger) as broker:
        _refuse_another(main, broker)
        view = view_account(broker, world.clock.now() - timedelta(days=1))
    return report_unopened(sorted(view.positions), len(view.open_orders), main.settings.mode)


def _refuse_another(main: MainState, broker: Broker) -> None:
    """Look whose account it is before anything is said of it, where anybody can be meant."""
    if main.settings.mode is not Mode.SIM or main.settings.account.number_ends_with:
        refuse_other_account(main, broker.account().account_number)
