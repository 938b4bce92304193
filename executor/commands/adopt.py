"""Adopt: begin the ledger of an account that already holds something."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Final

from executor.console import Console
from executor.decisions.adopting import explained, opening
from executor.decisions.notes import moves_the_books, opening_result
from executor.decisions.results import account_record
from executor.errors import BookUnavailable, PersonNeeded, SwapLost
from executor.gather import AccountView, view_account
from executor.main_state import MainState
from executor.model.account import short_number
from executor.model.standing import open_at_broker
from executor.notes import (
    commit_note,
    known_book,
    person,
    refuse_no_approver,
    refuse_other_account,
    refuse_other_present,
)
from executor.ports import Progress
from executor.reports.ledger import report_adopted
from executor.reports.reply import Reply
from executor.wiring import World, open_world

SWAP_TRIES: Final = 8
"""How often main may move under us before we leave it to the next run."""

NAMES_MAX: Final = 5
"""Orders that a refusal names."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this verb."""
    parser.add_argument(
        "--book", metavar="NAME", help="the book that takes it over (default: the settings')"
    )
    parser.add_argument("--now", metavar="TIME", help="take this as the present; sim only")


def run(options: argparse.Namespace, console: Console) -> Reply:
    """Run the verb on this machine."""
    with open_world(options.repo, options.now) as world:
        by = person(options.repo, world.environment)
        return adopt(world, console, Adoption(by, options.book, options.now))


@dataclass(frozen=True, slots=True)
class Adoption:
    """What was asked for."""

    by: str
    book: str | None = None
    """None: the settings' default."""
    story: str | None = None
    """The present, where the command line gave one."""


def adopt(world: World, progress: Progress, asked: Adoption) -> Reply:
    """Write down what the account holds as the place where its ledger begins.

    Raises:
        UsageError: no such book.
        PersonNeeded: the ledger has begun already, an order is open that nobody explains, this
            is another account, or on a runner whoever started it may not.
        BrokerUnavailable: the broker does not answer.
    """
    with world.book.exclusive():
        world.book.tidy()
        for _ in range(SWAP_TRIES):
            try:
                return _once(world, asked)
            except SwapLost:
                progress.say("main moved meanwhile; reading it again")
    raise BookUnavailable(f"main moved {SWAP_TRIES} times under this run; run again")


def _once(world: World, asked: Adoption) -> Reply:
    main = MainState(world.book, world.book.head())
    refuse_other_present(main, asked.story)
    refuse_no_approver(main, world.environment)
    book = known_book(main.settings, asked.book)
    with world.connect(main.settings, main.ledger) as broker:
        now = world.clock.now()
        view = view_account(broker, now)
    refuse_other_account(main, view.account.account_number)
    _refuse_a_ledger_that_has_begun(main, view)
    _refuse_open_orders(view)
    opened = opening(view.account, view.positions.values(), book=book, by=asked.by)
    after = account_record(
        view.account, view.positions.values(), view.open_orders, main.settings.mode
    )
    result, commit = commit_note(
        world.book,
        main,
        opening_result(opened, after, now=now, seen_before=explained(main.ledger, opened, book)),
        subject=f"Adopt account {after.account}: {len(opened.positions)} positions",
    )
    return report_adopted(result, commit)


def _refuse_a_ledger_that_has_begun(main: MainState, view: AccountView) -> None:
    account = short_number(view.account.account_number)
    for path, result in main.results:
        of_it = result.mode is main.settings.mode and result.account in (None, account)
        if of_it and moves_the_books(result):
            raise PersonNeeded(
                f"the ledger of {main.settings.mode} account {account} has begun with {path};"
                " what it does not explain is taken over one by one: `autoinvestor ack`"
            )


def _refuse_open_orders(view: AccountView) -> None:
    there = [one.client_order_id for one in open_at_broker(view.open_orders)]
    if there:
        more = f" and {len(there) - NAMES_MAX} more" if len(there) > NAMES_MAX else ""
        raise PersonNeeded(
            f"open orders that nobody explains: {', '.join(there[:NAMES_MAX])}{more};"
            " cancel them at the broker, or wait for their end"
        )
