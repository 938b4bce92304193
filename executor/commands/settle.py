"""Settle: follow what earlier results left open, into further results that name the first."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from executor.console import Console
from executor.decisions.ledger import Order
from executor.decisions.reconcile import realized_by
from executor.decisions.results import account_record, result_name, settlement_result
from executor.decisions.settling import settled
from executor.errors import BookUnavailable, SwapLost
from executor.gather import AccountView, view_account
from executor.main_state import RESULT, SETTLES, MainState
from executor.model.digest import digest
from executor.model.reading import read_document
from executor.model.result import ExecutionResult, InstructionResult
from executor.model.writing import write_document
from executor.ports import Broker, Change, Progress
from executor.record import free_path
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
        for _ in range(SWAP_TRIES):
            try:
                return _once(world)
            except SwapLost:
                progress.say("main moved meanwhile; reading it again")
    raise BookUnavailable(f"main moved {SWAP_TRIES} times under this run; run again")


@dataclass(frozen=True, slots=True)
class _Settlement:
    """The changed orders of one execution."""

    first_path: str
    instructions: tuple[InstructionResult, ...]


def _once(world: World) -> Reply:
    main = MainState(world.book, world.book.head())
    followed = main.ledger.open_orders
    if not followed:
        return report_settled([], 0)
    with world.connect(main.settings, main.ledger) as broker:
        oldest = min(order.seen_at for order in followed)
        view = view_account(broker, oldest - timedelta(days=1))
        changed = _changes(world, broker, main, view)
    written = []
    for settlement in changed:
        written.append(_write(world, main, settlement, view))
        # Each result is a link of its own: the next one is built on the main that holds this one.
        main = MainState(world.book, world.book.head())
    return report_settled(written, len(main.ledger.open_orders))


def _changes(world: World, broker: Broker, main: MainState, view: AccountView) -> list[_Settlement]:
    by_result: dict[str, list[InstructionResult]] = {}
    for order in main.ledger.open_orders:
        newer = _news(world, broker, order, view)
        if newer is not None:
            by_result.setdefault(order.first_result, []).append(newer)
    return [_Settlement(path, tuple(found)) for path, found in sorted(by_result.items())]


def _news(
    world: World, broker: Broker, order: Order, view: AccountView
) -> InstructionResult | None:
    key = order.instruction.client_order_id
    assert key is not None, "the ledger knows orders by their id"
    return settled(order, broker.order(key), view.clock, world.clock.now())


def _write(
    world: World, main: MainState, settlement: _Settlement, view: AccountView
) -> ExecutionResult:
    first = next(result for path, result in main.results if path == settlement.first_path)
    previous = main.chain.newest
    account = account_record(
        view.account, view.positions.values(), view.open_orders, main.settings.mode
    )
    result = settlement_result(
        first,
        settlement.first_path,
        now=world.clock.now(),
        previous_digest=previous.digest if previous else None,
        settings_digest=main.in_force.digest,
        code_commit=main.head,
        instructions=settlement.instructions,
        after=account,
        realized_pl=realized_by(settlement.instructions, main.ledger.positions),
    )
    data = write_document(result)
    path = free_path(
        world.book, main.head, result_name(result.timestamp), digest(read_document(data))
    )
    ended = ", ".join(f"{one.ticker} {one.outcome.value}" for one in settlement.instructions[:3])
    more = "" if len(settlement.instructions) <= 3 else ", …"
    change = Change(
        subject=f"Settle plan {(first.plan_digest or '')[:8]}: {ended}{more}",
        writes={path: data},
        trailers={SETTLES: first.plan_digest or "", RESULT: path},
    )
    world.book.commit(change, main.head)
    return result
