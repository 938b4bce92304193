"""Ack: take over what no commit explains, so that new risk may be taken again."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from executor.commands.settle import settle
from executor.console import Console
from executor.decisions.acknowledging import outstanding, taken_over
from executor.decisions.commands_in_comments import AckAsked, Ask
from executor.decisions.ledger import fold
from executor.decisions.notes import observed_result
from executor.decisions.results import account_record
from executor.errors import (
    BookUnavailable,
    BrokerUnavailable,
    PersonNeeded,
    SwapLost,
    UsageError,
)
from executor.gather import AccountView, view_account
from executor.main_state import MainState
from executor.model.order import OrderReport
from executor.model.result import ExecutionResult, Observed
from executor.notes import (
    commit_note,
    known_book,
    person,
    refuse_no_approver,
    refuse_other_account,
    refuse_other_present,
)
from executor.on_github.asking import asked_by, carry_out
from executor.on_github.telling import told
from executor.ports import Broker, Progress
from executor.proposing import waiting_plan
from executor.reports.ledger import report_acknowledged, report_outstanding, what
from executor.reports.reply import Reply
from executor.wiring import World, open_world

SWAP_TRIES: Final = 8
"""How often main may move under us before we leave it to the next run."""

A_DAY: Final = timedelta(days=1)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this verb."""
    parser.add_argument(
        "key",
        nargs="?",
        metavar="KEY",
        help="an order's client order id, a symbol, or CASH (default: list what there is)",
    )
    parser.add_argument(
        "--event",
        type=Path,
        metavar="FILE",
        help="do what an event of GitHub asks for, if who sent it may: a comment",
    )
    parser.add_argument(
        "--book", metavar="NAME", help="the book that takes it over (default: the settings')"
    )
    parser.add_argument("--now", metavar="TIME", help="take this as the present; sim only")


def run(options: argparse.Namespace, console: Console) -> Reply:
    """Run the verb on this machine."""
    if options.event is not None and options.key is not None:
        raise UsageError("--event: it says what to acknowledge; name nothing beside it")
    with open_world(options.repo, options.now) as world:
        if options.event is not None:
            return ack_by_event(world, console, options.event)
        if options.key is not None:
            refuse_no_approver(MainState(world.book, world.book.head()), world.environment)
        by = person(options.repo, world.environment)
        return ack(world, console, Acknowledgment(options.key, by, options.book, options.now))


def ack_by_event(world: World, progress: Progress, event: Path) -> Reply:
    """Acknowledge what a comment on GitHub names, where whoever wrote it may; else say why not.

    Raises:
        UsageError: the event cannot be read.
        AutoInvestorError: as `ack`.
    """

    def act(ask: Ask) -> Reply:
        assert isinstance(ask.what, AckAsked), "nothing else was asked for"
        asked = Acknowledgment(ask.what.key, asked_by(ask.who), ask.what.book)
        return told(world, progress, "ack", lambda: ack(world, progress, asked))

    return carry_out(world, progress, event, "ack", act)


@dataclass(frozen=True, slots=True)
class Acknowledgment:
    """What was asked for."""

    key: str | None
    """None only lists."""
    by: str
    book: str | None = None
    """None: the settings' default."""
    story: str | None = None
    """The present, where the command line gave one."""


def ack(world: World, progress: Progress, asked: Acknowledgment) -> Reply:
    """Settle what explains itself, then book one thing of the rest as it is at the broker now.

    Raises:
        UsageError: no such book, or nothing of that name to acknowledge.
        PersonNeeded: a plan is under way, the ledger has not begun, or this is another account.
        BrokerUnavailable: the broker does not answer, or orders of ours are filling.
    """
    main = MainState(world.book, world.book.head())
    refuse_other_present(main, asked.story)
    known_book(main.settings, asked.book)
    # Fills of a run that died are no difference: they are its recovery's to tell.
    waiting_plan(main)
    if main.ledger.through is None:
        raise PersonNeeded(
            "no result of this account yet; what it holds is taken over as a whole:"
            " `autoinvestor adopt`"
        )
    with world.connect(main.settings, main.ledger) as broker:
        refuse_other_account(main, broker.account().account_number)
        shared = replace(world, connect=lambda _settings, _ledger: nullcontext(broker))
        settle(shared, progress)
        with world.book.exclusive():
            for _ in range(SWAP_TRIES):
                try:
                    return _Now.read(world, broker).answer(asked)
                except SwapLost:
                    progress.say("main moved meanwhile; reading it again")
    raise BookUnavailable(f"main moved {SWAP_TRIES} times under this run; run again")


@dataclass(frozen=True, slots=True)
class _Now:
    """Record and broker at one moment."""

    world: World
    main: MainState
    view: AccountView
    orders: Mapping[str, OrderReport]
    """The observed orders, as the broker tells them."""

    @classmethod
    def read(cls, world: World, broker: Broker) -> _Now:
        main = MainState(world.book, world.book.head())
        view = view_account(broker, world.clock.now() - A_DAY)
        listed = {one.client_order_id: one for one in view.open_orders}
        for order in main.ledger.open_orders:
            report = listed.get(order.told.client_order_id or "")
            if report is None or report.filled_quantity != order.told.filled_quantity:
                raise BrokerUnavailable(
                    f"{order.told.ticker}: an order of ours is filling just now; run again"
                )
        keys = [key for key, one in main.ledger.observed.items() if one.kind == "order"]
        found = {key: listed.get(key) or broker.order(key) for key in keys}
        return cls(world, main, view, {key: one for key, one in found.items() if one})

    def answer(self, asked: Acknowledgment) -> Reply:
        """Commit what was asked for; without a key, list what there is."""
        main, view = self.main, self.view
        found = outstanding(
            main.ledger,
            self.orders.values(),
            view.account,
            view.positions,
            main.settings.settle,
        )
        if asked.key is None:
            return report_outstanding(tuple(found.values()))
        taken = taken_over(
            _named(asked.key, found),
            main.ledger,
            report=self.orders.get(asked.key),
            held=view.positions.get(asked.key),
            by=asked.by,
            book=known_book(main.settings, asked.book),
            now=self.world.clock.now(),
        )
        result, commit = self._commit(taken)
        left = tuple(one for key, one in found.items() if key != asked.key)
        return report_acknowledged(result, commit, left)

    def _commit(self, taken: Observed) -> tuple[ExecutionResult, str]:
        main, view, now = self.main, self.view, self.world.clock.now()
        after = account_record(
            view.account, view.positions.values(), view.open_orders, main.settings.mode
        )
        probe = observed_result((taken,), after, now=now)
        booked = fold([("", probe)], main.settings.mode, start=main.ledger)
        return commit_note(
            self.world.book,
            main,
            observed_result(
                (taken,), after, now=now, realized_pl=booked.realized_pl - main.ledger.realized_pl
            ),
            subject=f"Acknowledge {taken.kind} for {taken.book}",
        )


def _named(key: str, found: Mapping[str, Observed]) -> Observed:
    """One of what there is; shares only once their orders are acknowledged."""
    orders = [
        one.key
        for one in found.values()
        if one.kind == "order" and one.symbol == key and one.filled_quantity
    ]
    if orders:
        raise UsageError(f"{key}: acknowledge its orders first: {', '.join(orders)}")
    if key not in found:
        there = "; ".join(what(one) for one in found.values()) or "nothing"
        raise UsageError(f"{key}: nothing of that name to acknowledge; there is {there}")
    return found[key]
