"""Settle: follow what earlier results left open, into further results that name the first."""

from __future__ import annotations

import argparse
from datetime import timedelta
from typing import Final

from pydantic import ValidationError

from executor.console import Console
from executor.decisions.ending import warnings_about
from executor.decisions.ledger import Order
from executor.decisions.results import account_record
from executor.decisions.settling import settled, with_protection
from executor.errors import BookUnavailable, DocumentError, SwapLost
from executor.gather import AccountView, view_account
from executor.main_state import MainState
from executor.model.digest import plan_digest
from executor.model.plan import TradingInstructionSet
from executor.model.reading import read_document
from executor.model.result import ExecutionResult, InstructionResult
from executor.ports import Broker, Progress
from executor.record import commit_settlement
from executor.reports.reply import Reply
from executor.reports.settlement import report_settled
from executor.wiring import World, open_world

SWAP_TRIES: Final = 8
"""How often main may move under us before we leave it to the next run."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this verb."""
    parser.add_argument("--now", metavar="TIME", help="take this as the present; sim only")


def run(options: argparse.Namespace, console: Console) -> Reply:
    """Run the verb on this machine."""
    with open_world(options.repo, options.now) as world:
        return settle(world, console)


def settle(world: World, progress: Progress) -> Reply:
    """Ask the broker about every open order of the record and write down what changed.

    Raises:
        AutoInvestorError: the broker or the repository did not answer; nothing is lost.
    """
    with world.book.exclusive():
        world.book.tidy()
        written: list[ExecutionResult] = []
        for _ in range(SWAP_TRIES):
            try:
                return _once(world, written)
            except SwapLost:
                progress.say("main moved meanwhile; reading it again")
    raise BookUnavailable(f"main moved {SWAP_TRIES} times under this run; run again")


def _once(world: World, written: list[ExecutionResult]) -> Reply:
    main = MainState(world.book, world.book.head())
    followed = main.ledger.open_orders
    if not followed:
        return report_settled(written, 0)
    with world.connect(main.settings, main.ledger) as broker:
        oldest = min(order.seen_at for order in followed)
        view = view_account(broker, oldest - timedelta(days=1))
        changed = _changes(world, broker, main, view)
    account = account_record(
        view.account, view.positions.values(), view.open_orders, main.settings.mode
    )
    limit = main.settings.execution.slippage_warning_bps
    for first_path, found in changed:
        plan = _archived(world, main, dict(main.results)[first_path])
        instructions = with_protection(found, plan) if plan else tuple(found)
        warnings = [text for one in instructions for text in warnings_about(one, limit)]
        result, commit = commit_settlement(
            world.book, main, first_path, instructions, account, world.clock.now(), warnings
        )
        written.append(result)
        # Each result is a link of its own. The next one is built on this commit, not on whatever
        # main is by then: another run may have settled the same fills.
        main = MainState(world.book, commit)
    return report_settled(written, len(main.ledger.open_orders), main.ledger.unknown)


def _changes(
    world: World, broker: Broker, main: MainState, view: AccountView
) -> list[tuple[str, list[InstructionResult]]]:
    """What is new, by the execution result that it goes on from."""
    by_result: dict[str, list[InstructionResult]] = {}
    for order in main.ledger.open_orders:
        newer = _news(world, broker, order, view)
        if newer is not None:
            by_result.setdefault(order.first_result, []).append(newer)
    return sorted(by_result.items())


def _news(
    world: World, broker: Broker, order: Order, view: AccountView
) -> InstructionResult | None:
    key = order.instruction.client_order_id
    assert key is not None, "the ledger knows orders by their id"
    return settled(order, broker.order(key), view.clock, world.clock.now())


def _archived(
    world: World, main: MainState, result: ExecutionResult
) -> TradingInstructionSet | None:
    """The plan of a result; None where somebody damaged it, which `audit` tells."""
    data = world.book.read(result.archived_as, main.head) if result.archived_as else None
    try:
        tree = read_document(data or b"", of_record=True)
        is_it = plan_digest(tree) == result.plan_digest
        return TradingInstructionSet.model_validate(tree) if is_it else None
    except (DocumentError, ValidationError):
        return None
