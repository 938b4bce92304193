"""Execute the plan on main: each order once, SELLs first, every outcome a commit.

Level-triggered: it handles what it finds due on main, whatever event rang it, and does it once
however often it runs. Nothing that was sent is ever sent again because something later failed.
"""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

from executor.console import Console
from executor.decisions.approving import approval_of
from executor.decisions.ending import NOTHING_BESIDE, Ending, Judged, refused, state_set
from executor.decisions.plan import intent_differences, plan_orders
from executor.decisions.trips import trip
from executor.errors import BookUnavailable, ForgeRefused, PersonNeeded, SwapLost
from executor.evidence import evidence_of
from executor.gather import AccountView, earliest_order
from executor.main_state import MainState, PlanOnMain
from executor.model.account import AccountRecord
from executor.model.intent import Intent
from executor.model.words import count
from executor.notes import commit_trip
from executor.on_github.telling import told
from executor.ports import Broker, Progress
from executor.record import commit_ending, commit_intent, commit_late, is_ours
from executor.reports.execution import finished, nothing_pending, preview, waiting
from executor.reports.reply import Reply
from executor.runs.sending import Sent, Tally, never_received, wait
from executor.runs.settling import Settled, Settling
from executor.runs.trading import Timings, Traded, Trading
from executor.wiring import World, is_on_runner, open_world

SWAP_TRIES: Final = 8
"""How often main may move under us before we leave it to the next run."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this verb."""
    parser.add_argument(
        "--submit", action="store_true", help="send the orders (default: show them)"
    )
    parser.add_argument("--now", metavar="TIME", help="take this as the present; sim only")


def run(options: argparse.Namespace, console: Console) -> Reply:
    """Run the verb on this machine."""
    with open_world(options.repo, options.now) as world:
        if not options.submit:
            return execute(world, console, submit=False)
        return told(world, console, "execute", lambda: execute(world, console, submit=True))


def execute(world: World, progress: Progress, *, submit: bool) -> Reply:
    """Bring the plan on main to its end, or show what that would be.

    Raises:
        AutoInvestorError: with the exit code that fits; what was done until then is on main or at
            the broker under ids that the next run looks up.
    """
    with world.book.exclusive() if submit else contextlib.nullcontext():
        if submit:
            world.book.tidy()
        for _ in range(SWAP_TRIES):
            try:
                reply = _Run(world, progress, submit).once()
                return _behind(world, progress, reply) if submit else reply
            except SwapLost:
                progress.say("main moved meanwhile; reading it again")
    raise BookUnavailable(f"main moved {SWAP_TRIES} times under this run; run again")


def _behind(world: World, progress: Progress, reply: Reply) -> Reply:
    """Go on with a plan that waited behind the one that has just ended: it is due as well."""
    if "result_path" not in reply.data:
        return reply
    waiting_plan = MainState(world.book, world.book.head()).plan
    if waiting_plan is None or waiting_plan.digest == reply.data["plan_digest"]:
        return reply
    progress.say("another plan waits on main; executing it now")
    following = _Run(world, progress, submit=True).once()
    code = max(reply.exit_code, following.exit_code)
    return Reply(code, {**following.data, "before": reply.data}, reply.blocks + following.blocks)


Step = Callable[[MainState, PlanOnMain, Broker], Reply]


@dataclass
class _Run:
    """One attempt, from reading main to the last commit."""

    world: World
    progress: Progress
    submit: bool
    timings: Timings = field(init=False)

    def __post_init__(self) -> None:
        """Time is the world's."""
        self.timings = Timings(self.world.clock.now)

    def once(self) -> Reply:
        main = MainState(self.world.book, self.world.book.head())
        if main.unfinished is not None:
            return self._with_broker(main, main.unfinished, self._recover)
        if main.plan is None:
            return nothing_pending()
        if main.plan.plan is None:
            return self._end(main.plan, refused(main.plan.problems), None)
        if main.executed(main.plan) is not None:
            ending = refused((), main.plan.proposal, executed=True)
            return self._end(main.plan, ending, None)
        return self._with_broker(main, main.plan, self._first_time)

    def _with_broker(self, main: MainState, plan: PlanOnMain, step: Step) -> Reply:
        with self.world.connect(main.settings, main.ledger) as broker:
            return step(main, plan, broker)

    def _trading(self, main: MainState, plan: PlanOnMain, broker: Broker) -> Trading:
        return Trading(self.world, self.progress, main, plan, broker, self.timings)

    # A plan that waits.

    def _first_time(self, main: MainState, plan: PlanOnMain, broker: Broker) -> Reply:
        ended = self.timings.start("judge")
        trading = self._trading(main, plan, broker)
        (view, market), (listed, _) = broker.at_once(
            lambda: broker.at_once(trading.view, trading.market),
            lambda: broker.at_once(
                lambda: broker.orders_since(earliest_order(plan)), lambda: trading.history
            ),
        )
        self._book_first(main, view, broker)
        trading.plan = plan = self._ask_approval(main, plan, trading)
        ids = trading.ids()
        known = tuple(one.client_order_id for one in listed if one.client_order_id in ids)
        judged = trading.judge(
            main, proposal=False, view=view, market=market, orders_at_broker=known
        )
        ended()
        self._trip(main, judged)
        judgment = judged.judgment
        if judgment.rejected or not self._has_something(plan, judged):
            return self._end(plan, refused(judgment.verdicts, plan.proposal), judged.before)
        if judgment.waits:
            return waiting(plan.digest, judgment, submitted=self.submit)
        if plan.proposal.trading_state is not None:
            return self._set_state(main, plan, judged)
        intent = self._intent(main, plan, judged)
        if not self.submit:
            return preview(plan.digest, plan.proposal, judgment, intent.orders, judged.before)
        ended = self.timings.start("intent")
        plan = commit_intent(self.world.book, main, plan, intent)
        trading.plan = plan
        self._refuse_unreadable_intent(plan)
        ended()
        tally = Tally(Sent(), judged, intent, plan.lines)
        return self._trade(trading, tally, recovering=False)

    def _ask_approval(self, main: MainState, plan: PlanOnMain, trading: Trading) -> PlanOnMain:
        """Gather how the plan came to main; the plan with what its result will say about that."""
        world = self.world
        now, sleep = world.clock.now(), world.clock.sleep
        found = evidence_of(world.book, world.forge, main, plan, now, sleep)
        trading.evidence = found
        settings, added = main.settings, plan.added
        approval = approval_of(
            found,
            settings.approval_policy(),
            settings.approval.approvers,
            added.commit,
            added.committed_at,
        )
        return replace(plan, approval=approval)

    def _ask_again(self, main: MainState, plan: PlanOnMain, trading: Trading) -> PlanOnMain:
        """The same for a plan that an earlier run began; what it sent is followed in any case."""
        try:
            return self._ask_approval(main, plan, trading)
        except ForgeRefused as error:
            self.progress.say(f"the approval cannot be verified: {error}")
            return plan

    def _has_something(self, plan: PlanOnMain, judged: Judged) -> bool:
        """True where a line may go, or may once it has waited; a state is something by itself."""
        judgment = judged.judgment
        return bool(judgment.going or judgment.waits or plan.proposal.trading_state)

    def _book_first(self, main: MainState, view: AccountView, broker: Broker) -> None:
        """Book a split or the like that no result tells yet: sizes and stops follow from it."""
        held = {symbol: one.quantity for symbol, one in view.positions.items()}
        recorded = {symbol: one.quantity for symbol, one in main.ledger.positions.items()}
        if not self.submit or main.ledger.through is None or held == recorded:
            return
        settling = Settling(self.world, self.progress, main, broker, Settled())
        if settling.book_activities():
            raise SwapLost("main holds activities now that were not booked before")

    def _trip(self, main: MainState, judged: Judged) -> None:
        """Commit that a loss limit is reached, before anything else is done on top of it."""
        facts = judged.facts
        if not self.submit or facts.account is None or facts.record is None:
            return
        tripped = trip(
            facts.account, facts.record, main.settings, main.trading_state, now=facts.now
        )
        if tripped is not None:
            self.progress.say(f"{tripped.by}: {tripped.reason}; trading is {tripped.state} now")
            commit_trip(self.world.book, main, tripped, judged.before)
            raise SwapLost("main holds another trading state now")

    def _intent(self, main: MainState, plan: PlanOnMain, judged: Judged) -> Intent:
        going = judged.judgment.going
        orders = plan_orders(
            plan.proposal,
            plan_digest=plan.digest,
            repository=main.settings.repository,
            going=going,
            available=judged.available,
            references={
                index: one.price for index, one in judged.references.items() if one is not None
            },
        )
        instructions = plan.proposal.instructions
        lines = [index for index in sorted(going) if not instructions[index].is_trade]
        traded = {one.symbol for one in orders}
        protective = [
            one.client_order_id
            for one in judged.facts.open_orders or ()
            if one.symbol in traded and one.client_order_id in judged.facts.protective
        ]
        named = [key for index in lines if (key := instructions[index].client_order_id) is not None]
        return Intent(
            owner=self.world.owner,
            mode=judged.before.mode,
            account=judged.before.account,
            validated_at=self.world.clock.now(),
            orders=orders,
            cancels=tuple(sorted({*protective, *named})),
            lines=tuple(lines),
        )

    def _refuse_unreadable_intent(self, plan: PlanOnMain) -> None:
        """Send nothing on an intent that a later run could not find: it is the memory."""
        assert plan.validated_in is not None, "its commit was made just now"
        if not is_ours(MainState(self.world.book, plan.validated_in), plan):
            raise PersonNeeded(
                "the intent was committed and cannot be read back, so nothing was sent;"
                " look what git's settings or hooks do to its commits"
            )

    def _set_state(self, main: MainState, plan: PlanOnMain, judged: Judged) -> Reply:
        """Carry out a plan that asks for another trading state: nothing is sent."""
        ending = state_set(
            plan.proposal,
            judged.judgment.verdicts,
            plan_digest=plan.digest,
            now=self.world.clock.now(),
            rebased_at=main.ledger.rebased_at,
        )
        return self._end(plan, ending, judged.before, judged.before)

    # A plan that an earlier run validated.

    def _recover(self, main: MainState, plan: PlanOnMain, broker: Broker) -> Reply:
        if not self.submit:
            return waiting(plan.digest, None, submitted=False)
        intent = plan.plan.intent if plan.plan else None
        assert intent is not None, "an unfinished plan carries the intent that was believed"
        self._refuse_changed_intent(main, plan, intent)
        trading = self._trading(main, plan, broker)
        if self.world.forge is not None and not is_on_runner(self.world.environment):
            # Here nobody signs commits, so anybody who may push could have written this intent.
            trading.intent_counts = main.settings.approval_policy() == "none"
            trading.plan = plan = self._ask_again(main, plan, trading)
        view = trading.view()
        before = trading.record_of(view)
        meant = (intent.mode or before.mode, intent.account or before.account)
        if meant != (before.mode, before.account):
            raise PersonNeeded(
                f"the plan was validated for {meant[0]} account {meant[1]}, and this is"
                f" {before.mode} account {before.account}; finish it there"
            )
        keys = [order.client_order_id for order in intent.orders]
        deadline = timedelta(seconds=float(main.settings.execution.lookup_deadline_seconds))
        ended = self.world.clock.now() - intent.validated_at > deadline
        self.progress.say(
            f"an earlier run validated this plan; looking for {count(len(keys), 'order')}"
        )
        found = never_received(broker, self.world.clock, main.settings, keys, ended)
        sent = wait(broker, self.world.clock, main.settings, Sent(found), self.progress)
        late = any(one.filled_quantity for one in sent.reports.values())
        tally = Tally(sent, None, intent, plan.lines, before, is_late=late)
        return self._trade(trading, tally, recovering=True)

    def _refuse_changed_intent(self, main: MainState, plan: PlanOnMain, intent: Intent) -> None:
        changed = intent_differences(
            intent.orders,
            plan.proposal,
            plan_digest=plan.digest,
            repository=main.settings.repository,
            lines=intent.lines,
        )
        if changed:
            raise PersonNeeded(
                f"the intent on main is not what the plan says: {changed[0]};"
                " look who changed it, nothing was sent by this run"
            )

    # Both.

    def _trade(self, trading: Trading, tally: Tally, *, recovering: bool) -> Reply:
        """Send what is not at the broker yet, then write down what became of all."""
        traded: Traded | None = None
        plan = trading.plan
        try:
            traded = trading.trade(tally, recovering=recovering)
            if traded.waits is not None:
                return waiting(
                    plan.digest,
                    traded.waits,
                    submitted=True,
                    so_far=traded.ending.instructions,
                    stands=traded.ending.stands,
                )
            before = None if tally.is_late else tally.before
            return self._end(plan, traded.ending, before, traded.after or tally.before)
        except SwapLost:
            account = (traded.after if traded else None) or tally.before
            assert account is not None, "nothing is sent before the account was seen"
            late = traded.ending if traded else trading.conclude(tally, NOTHING_BESIDE)
            commit_late(self.world.book, plan, late, account, self.world.clock.now())
            raise

    def _end(
        self,
        plan: PlanOnMain,
        ending: Ending,
        before: AccountRecord | None,
        after: AccountRecord | None = None,
    ) -> Reply:
        """Write the end down, in one commit; without --submit, only say what it would be."""
        if not self.submit:
            return finished(plan.digest, ending, None, None)
        ended = self.timings.start("record")
        written = commit_ending(
            self.world.book,
            plan,
            ending,
            now=self.world.clock.now(),
            before=before,
            after=after,
            timings_ms=self.timings.spent,
            progress=self.progress,
        )
        ended()
        return finished(plan.digest, ending, written.result, written.result_path)
