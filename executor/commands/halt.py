"""Halt: exits only, or nothing at all, from this commit on; then withdraw what would open.

The state is committed before anybody is asked anything, without the lock of this machine and
whatever is wrong with plan, settings or record. It only ever tightens, so it may be run again.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final

from executor.commands.settle import settle
from executor.console import Console
from executor.decisions.commands_in_comments import Ask, HaltAsked
from executor.decisions.halting import Owned, owned, tightened
from executor.errors import (
    AutoInvestorError,
    BookUnavailable,
    BrokerRefused,
    BrokerUnavailable,
    ExitCode,
    PersonNeeded,
    SwapLost,
    UsageError,
    WorldError,
)
from executor.main_state import MainState
from executor.model.account import Mode
from executor.model.ledger import Ledger
from executor.model.order import OrderReport
from executor.model.standing import open_at_broker
from executor.model.state import TradingState, TradingStateRecord
from executor.model.words import count
from executor.notes import commit_state, person, refuse_other_present, stated
from executor.on_github.asking import asked_by, carry_out
from executor.on_github.telling import told
from executor.ports import Broker, Progress
from executor.reports.reply import Reply
from executor.reports.state import report_halt
from executor.wiring import EXCHANGE_URL, World, open_world

SWAP_TRIES: Final = 20
"""How often main may move under us: a halt has to be written."""

PUTS_BACK: Final = (
    "no stop is put back while this state holds; after `autoinvestor resume`, merged and executed,"
    " the next `autoinvestor settle` places every stop that the record asks for"
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this verb."""
    why = parser.add_mutually_exclusive_group(required=True)
    why.add_argument("--reason", metavar="TEXT", help="why, in a sentence")
    why.add_argument(
        "--event",
        type=Path,
        metavar="FILE",
        help="do what an event of GitHub asks for, if who sent it may: comment, label or dispatch",
    )
    parser.add_argument(
        "--halted", action="store_true", help="send nothing new at all (default: exits only)"
    )
    parser.add_argument(
        "--cancel-protective",
        action="store_true",
        help="withdraw stops and targets as well (default: they stay)",
    )
    parser.add_argument("--now", metavar="TIME", help="take this as the present; sim only")


def run(options: argparse.Namespace, console: Console) -> Reply:
    """Run the verb on this machine."""
    if options.event is not None:
        with open_world(options.repo, options.now) as world:
            return halt_by_event(world, console, options.event)
    asked = Halting(
        state=TradingState.HALTED if options.halted else TradingState.REDUCE_ONLY,
        reason=stated(options.reason),
        cancel_protective=options.cancel_protective,
        story=options.now,
    )
    with open_world(options.repo, options.now) as world:
        asked = replace(asked, by=person(options.repo, world.environment))
        return told(world, console, "halt", lambda: halt(world, console, asked))


def halt_by_event(world: World, progress: Progress, event: Path) -> Reply:
    """Halt where an event on GitHub asks for it and whoever sent it may; anything else is said.

    Raises:
        UsageError: the event cannot be read.
        AutoInvestorError: as `halt`.
    """

    def act(ask: Ask) -> Reply:
        assert isinstance(ask.what, HaltAsked), "nothing else was asked for"
        reason = ask.what.reason or f"asked for by {ask.how}, without a reason"
        asked = Halting(ask.what.state, reason, by=asked_by(ask.who))
        return told(world, progress, "halt", lambda: halt(world, progress, asked))

    return carry_out(world, progress, event, "halt", act)


@dataclass(frozen=True, slots=True)
class Halting:
    """What was asked for."""

    state: TradingState
    reason: str
    by: str = "somebody"
    cancel_protective: bool = False
    story: str | None = None
    """The present, where the command line gave one."""


def halt(world: World, progress: Progress, asked: Halting) -> Reply:
    """Tighten the trading state, then cancel the open orders that would add risk.

    Raises:
        UsageError: a present was given where none may be.
        BookUnavailable: the state could not be committed.
    """
    main, state, commit = _tighten(world, progress, asked)
    progress.say(f"trading state: {state.state}" if commit else f"already {state.state}")
    problems = _tidied(world)
    second = _Withdrawing(world, progress, main, asked.cancel_protective)
    second.withdraw()
    return report_halt(
        state,
        commit,
        canceled=second.ended,
        still_open=second.still_open,
        problems=(*problems, *second.problems),
        notes=second.notes,
        settled=second.settled,
        exit_code=second.exit_code,
        kept=second.kept,
    )


def _tighten(
    world: World, progress: Progress, asked: Halting
) -> tuple[MainState, TradingStateRecord, str | None]:
    """Main as it is then, the state in force, and the commit that set it (None: it was)."""
    for _ in range(SWAP_TRIES):
        main = MainState(world.book, world.book.head())
        with suppress(PersonNeeded):
            refuse_other_present(main, asked.story)
        before = main.trading_state
        record = TradingStateRecord(
            state=asked.state,
            since=world.clock.now(),
            by=asked.by,
            reason=asked.reason,
            protection_withdrawn=asked.cancel_protective,
        )
        changed = tightened(before, asked.state, record)
        if changed is None:
            assert before is not None, "what cannot be read is always tightened"
            return main, before, None
        mode, account = _ledger_of(main)
        try:
            _, commit = commit_state(
                world.book,
                main,
                changed,
                subject=f"Halt: {changed.state}",
                mode=mode,
                account=account,
                in_spite_of_damage=True,
            )
        except SwapLost:
            progress.say("main moved meanwhile; reading it again")
            continue
        return MainState(world.book, commit), changed, commit
    raise BookUnavailable(f"main moved {SWAP_TRIES} times under this run; run again")


def _ledger_of(main: MainState) -> tuple[Mode | None, str | None]:
    """Mode and account of the settings, as far as they can be read."""
    try:
        settings = main.settings
    except UsageError:
        return None, None
    ending = settings.account.number_ends_with
    return settings.mode, f"…{ending}" if ending else None


def _tidied(world: World) -> tuple[str, ...]:
    """Bring the work tree along where nobody else is at work; what stands in its way."""
    try:
        with world.book.exclusive():
            world.book.tidy()
    except BookUnavailable:
        return ()  # the run that is at work brings it along
    except UsageError as error:
        return (f"the work tree was left as it is: {error}",)
    return ()


@dataclass
class _Withdrawing:
    """The second half: best effort, in words where it does not get through."""

    world: World
    progress: Progress
    main: MainState
    cancel_protective: bool
    ended: Sequence[OrderReport] = ()
    still_open: Sequence[OrderReport] = ()
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    settled: Reply | None = None
    kept: int = 0
    """Stops that stay."""
    exit_code: ExitCode = ExitCode.DONE

    def withdraw(self) -> None:
        """Cancel, wait until the broker shows it, and have `settle` write it down."""
        try:
            ledger = self._ledger()
            with self.world.connect(self.main.settings, ledger) as broker:
                self._withdraw(broker, ledger)
        except AutoInvestorError as error:
            self._failed("not every order was canceled; run the same command again", error)

    def _ledger(self) -> Ledger:
        """The record; an empty one where it is broken: the ids tell which orders are ours."""
        try:
            return self.main.ledger
        except PersonNeeded as error:
            self._failed("the record cannot be read", error)
            return Ledger()

    def _withdraw(self, broker: Broker, ledger: Ledger) -> None:
        ours = owned(broker.open_orders(), ledger, self.main.settings.repository)
        held = _held(broker) if ours else {}
        wanted = [one.report for one in ours if self._goes(one, held)]
        if not self.cancel_protective:
            self.kept = sum(one.protects and "stop" in one.report.order_type for one in ours)
        if wanted:
            self.still_open = wanted
            self.progress.say(f"canceling {count(len(wanted), 'order')}")
            broker.cancel_all([one.broker_order_id for one in wanted])
            self._wait(broker, wanted)
            if self.cancel_protective:
                self.notes += (PUTS_BACK,)
            self._settle(broker)

    def _goes(self, one: Owned, held: Mapping[str, Decimal]) -> bool:
        return one.adds_risk(held) or (one.protects and self.cancel_protective)

    def _wait(self, broker: Broker, wanted: Sequence[OrderReport]) -> None:
        """Look until none of them is open any more, or the deadline has passed."""
        clock, execution = self.world.clock, self.main.settings.execution
        deadline = clock.now() + timedelta(seconds=float(execution.fill_deadline_seconds))
        while True:
            open_now = _open_ids(broker)
            self.still_open = [one for one in wanted if one.broker_order_id in open_now]
            self.ended = [one for one in wanted if one.broker_order_id not in open_now]
            if not self.still_open:
                return
            if clock.now() >= deadline:
                self.exit_code = max(self.exit_code, ExitCode.RUN_AGAIN)
                return
            clock.sleep(float(execution.poll_interval_seconds))

    def _settle(self, broker: Broker) -> None:
        """Write down what became of them, over the connection that is open.

        An embedded exchange ends with it, and what was canceled there would be open again.
        """
        shared = replace(self.world, connect=lambda _settings, _ledger: nullcontext(broker))
        try:
            self.settled = settle(shared, self.progress)
        except AutoInvestorError as error:
            remedy = "the same command" if self._is_embedded() else "`autoinvestor settle`"
            self._failed(f"what was canceled is not written down yet; run {remedy} again", error)

    def _is_embedded(self) -> bool:
        """True where the exchange lives in this process, and only as long as this run."""
        outside = self.world.environment.get(EXCHANGE_URL)
        return self.main.settings.mode is Mode.SIM and not outside

    def _failed(self, what: str, error: AutoInvestorError) -> None:
        """Note what did not get through, and how the command ends for it."""
        self.problems += (f"{what} ({error})",)
        code = ExitCode.RUN_AGAIN if isinstance(error, WorldError) else ExitCode.PERSON
        self.exit_code = max(self.exit_code, code)


def _held(broker: Broker) -> Mapping[str, Decimal]:
    """Shares by symbol; without an answer no buy counts as one that covers a short holding."""
    try:
        return {one.symbol: one.quantity for one in broker.positions()}
    except (BrokerUnavailable, BrokerRefused):
        return {}


def _open_ids(broker: Broker) -> set[str]:
    return {one.broker_order_id for one in open_at_broker(broker.open_orders())}
