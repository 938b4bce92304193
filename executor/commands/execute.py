"""Execute the plan on main: each order once, SELLs first, every outcome a commit.

Level-triggered: it handles what it finds due on main, whatever event rang it, and does it once
however often it runs. Nothing that was sent is ever sent again because something later failed.
"""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from executor.brokers.sending import Sent, Tally, look_again, never_received, send, wait
from executor.checks import all_rules
from executor.console import Console
from executor.decisions.ending import Ending, Judged, conclude, refused
from executor.decisions.ledger import executed_as
from executor.decisions.plan import client_order_id, intent_differences, plan_orders, request_of
from executor.decisions.results import account_record
from executor.decisions.validate import Judgment, judge
from executor.errors import BookUnavailable, BrokerUnavailable, PersonNeeded, SwapLost
from executor.gather import AccountView, earliest_order, gather, view_account
from executor.main_state import MainState, PlanOnMain
from executor.model.account import AccountRecord
from executor.model.context import Context
from executor.model.facts import Moment
from executor.model.intent import Intent, PlannedOrder
from executor.model.order import OrderReport
from executor.model.settings import Settings
from executor.model.words import count
from executor.ports import Broker, Progress
from executor.record import commit_ending, commit_intent, commit_late, is_ours
from executor.reports.execution import finished, nothing_pending, preview, waiting
from executor.reports.reply import Reply
from executor.wiring import World, open_world

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
        return execute(world, console, submit=options.submit)


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


ZERO_TIME: Final = timedelta(0)

Step = Callable[[MainState, PlanOnMain, Broker], Reply]


@dataclass
class _Run:
    """One attempt, from reading main to the last commit."""

    world: World
    progress: Progress
    submit: bool
    timings: dict[str, Decimal] = field(default_factory=dict)

    def once(self) -> Reply:
        main = MainState(self.world.book, self.world.book.head())
        if main.unfinished is not None:
            return self._with_broker(main, main.unfinished, self._recover)
        if main.plan is None:
            return nothing_pending()
        if main.plan.plan is None:
            return self._end(main.plan, refused(main.plan.problems), None)
        done = executed_as(main.results, main.plan.digest)
        if done is not None:
            ending = refused((), main.plan.proposal, executed=True)
            return self._end(main.plan, ending, None)
        return self._with_broker(main, main.plan, self._first_time)

    def _with_broker(self, main: MainState, plan: PlanOnMain, step: Step) -> Reply:
        with self.world.connect(main.settings, main.ledger) as broker:
            return step(main, plan, broker)

    # A plan that waits.

    def _first_time(self, main: MainState, plan: PlanOnMain, broker: Broker) -> Reply:
        started = self._now()
        view = view_account(broker, earliest_order(plan))
        ids = _ids(main.settings, plan)
        listed = broker.orders_since(earliest_order(plan))
        known = tuple(one.client_order_id for one in listed if one.client_order_id in ids)
        judged = self._judge(main, plan, broker, view=view, orders_at_broker=known, proposal=False)
        self._time("judge", started)
        judgment = judged.judgment
        before = _record_of(main, view)
        if judgment.rejected or not (judgment.going or judgment.waits):
            return self._end(plan, refused(judgment.verdicts, plan.proposal), before)
        if judgment.waits:
            return waiting(plan.digest, judgment, submitted=self.submit)
        orders = plan_orders(
            plan.proposal,
            plan_digest=plan.digest,
            repository=main.settings.repository,
            going=judgment.going,
            available={symbol: one.available for symbol, one in view.positions.items()},
        )
        if not self.submit:
            return preview(plan.digest, plan.proposal, judgment, orders, before)
        intent = Intent(
            owner=self.world.owner,
            mode=before.mode,
            account=before.account,
            validated_at=self._now(),
            orders=orders,
        )
        plan = commit_intent(self.world.book, main.head, plan, intent)
        self._refuse_unreadable_intent(plan)
        self._time("intent", started)
        return self._trade(main, plan, broker, Tally(Sent(), judged, intent, plan.lines))

    def _refuse_unreadable_intent(self, plan: PlanOnMain) -> None:
        """Send nothing on an intent that a later run could not find: it is the memory."""
        assert plan.validated_in is not None, "its commit was made just now"
        if not is_ours(MainState(self.world.book, plan.validated_in), plan):
            raise PersonNeeded(
                "the intent was committed and cannot be read back, so nothing was sent;"
                " look what git's settings or hooks do to its commits"
            )

    # A plan that an earlier run validated.

    def _recover(self, main: MainState, plan: PlanOnMain, broker: Broker) -> Reply:
        if not self.submit:
            return waiting(plan.digest, None, submitted=False)
        intent = plan.plan.intent if plan.plan else None
        assert intent is not None, "an unfinished plan carries the intent that was believed"
        home = main.settings.repository
        changed = intent_differences(
            intent.orders, plan.proposal, plan_digest=plan.digest, repository=home
        )
        if changed:
            raise PersonNeeded(
                f"the intent on main is not what the plan says: {changed[0]};"
                " look who changed it, nothing was sent by this run"
            )
        before = _record_of(main, view_account(broker, earliest_order(plan)))
        meant = (intent.mode or before.mode, intent.account or before.account)
        if meant != (before.mode, before.account):
            raise PersonNeeded(
                f"the plan was validated for {meant[0]} account {meant[1]}, and this is"
                f" {before.mode} account {before.account}; finish it there"
            )
        keys = [order.client_order_id for order in intent.orders]
        deadline = timedelta(seconds=float(main.settings.execution.lookup_deadline_seconds))
        ended = self._now() - intent.validated_at > deadline
        self.progress.say(
            f"an earlier run validated this plan; looking for {count(len(keys), 'order')}"
        )
        found = never_received(broker, self.world.clock, main.settings, keys, ended)
        sent = wait(broker, self.world.clock, main.settings, Sent(found), self.progress)
        return self._trade(main, plan, broker, Tally(sent, None, intent, plan.lines, before))

    # Both.

    def _trade(self, main: MainState, plan: PlanOnMain, broker: Broker, tally: Tally) -> Reply:
        """Send what is not at the broker yet, then write down what became of all."""
        try:
            paused = self._send_waves(main, plan, broker, tally)
            if paused is not None:
                sent_so_far = self._conclude(main, plan, tally).instructions
                return waiting(plan.digest, paused, submitted=True, so_far=sent_so_far)
            keys = [one.client_order_id for one in tally.intent.orders]
            clock, settings = self.world.clock, main.settings
            tally.sent = look_again(broker, clock, settings, tally.sent, keys, self.progress)
            ending = self._conclude(main, plan, tally)
            after = self._view_after(main, plan, broker)
            return self._end(plan, ending, tally.before, after)
        except SwapLost:
            account = self._view_after(main, plan, broker) or tally.before
            assert account is not None, "nothing is sent before the account was seen"
            late = self._conclude(main, plan, tally)
            commit_late(self.world.book, plan, late, account, self._now())
            raise

    def _send_waves(
        self, main: MainState, plan: PlanOnMain, broker: Broker, tally: Tally
    ) -> Judgment | None:
        """Send SELLs first, then BUYs; the judgment that has the rest wait, where one does."""
        judged = tally.first
        for side in ("sell", "buy"):
            missing = tally.missing(side)
            if not missing:
                continue
            if side == "buy" and tally.stops_openings(main.settings):
                break
            started = self._now()
            if judged is None:
                judged = self._judge_rest(plan, broker, tally)
                tally.note(judged)
            if judged.judgment.waits or (side == "buy" and judged.judgment.openings_wait):
                return judged.judgment
            going = [one for one in missing if one.index in judged.judgment.going]
            tally.sent = tally.sent.merged(self._send(main.settings, broker, going, plan, judged))
            tally.arrivals |= judged.arrivals(going)
            judged = None
            self._time(side, started)
        return None

    def _conclude(self, main: MainState, plan: PlanOnMain, tally: Tally) -> Ending:
        return conclude(
            plan.proposal,
            tally.intent,
            tally.sent,
            verdicts=tally.verdicts,
            denied=tally.denied,
            arrivals=tally.arrivals,
            held_before=main.ledger.positions,
            seen_at=self._now(),
            slippage_warning_bps=main.settings.execution.slippage_warning_bps,
        )

    def _send(
        self,
        settings: Settings,
        broker: Broker,
        orders: Sequence[PlannedOrder],
        plan: PlanOnMain,
        judged: Judged,
    ) -> Sent:
        if not orders:
            return Sent()
        clock, progress = self.world.clock, self.progress
        progress.say(f"sending {count(len(orders), orders[0].side.upper() + ' order')}")
        requests = [request_of(self._sized(one, plan, judged)) for one in orders]
        sent = send(broker, clock, settings, requests, progress)
        return wait(broker, clock, settings, sent, progress)

    def _sized(self, order: PlannedOrder, plan: PlanOnMain, judged: Judged) -> PlannedOrder:
        """Fill in what the plan leaves open: the size of a SELL of `all`, by the broker's word."""
        if plan.proposal.instructions[order.index].quantity != "all":
            return order
        return order.model_copy(
            update={"quantity": judged.available.get(order.symbol, order.quantity)}
        )

    def _judge_rest(self, plan: PlanOnMain, broker: Broker, tally: Tally) -> Judged:
        """Ask the checks again about what the broker does not have, with the account as it is."""
        now_on_main = MainState(self.world.book, self.world.book.head())
        if not is_ours(now_on_main, plan):
            raise SwapLost("another run has finished this plan")
        intent, sent = tally.intent, tally.sent
        known = set(sent.reports) | set(sent.refusals) | set(sent.unknown)
        at_broker = {one.index for one in intent.orders if one.client_order_id in known}
        planned = {one.index for one in intent.orders}
        # A line that the intent left out was denied when it was written, and stays so.
        left_out = set(range(plan.lines)) - planned
        return self._judge(
            now_on_main,
            plan,
            broker,
            own_orders=frozenset(one.client_order_id for one in intent.orders),
            already_sent=frozenset(at_broker | left_out),
            own_reports=sent.reports,
            proposal=True,
        )

    def _judge(
        self,
        main: MainState,
        plan: PlanOnMain,
        broker: Broker,
        *,
        proposal: bool,
        view: AccountView | None = None,
        own_orders: frozenset[str] = frozenset(),
        already_sent: frozenset[int] = frozenset(),
        own_reports: Mapping[str, OrderReport] | None = None,
        orders_at_broker: tuple[str, ...] = (),
    ) -> Judged:
        view = view or view_account(broker, earliest_order(plan))
        facts = gather(
            broker,
            main,
            plan,
            moment=Moment.EXECUTION,
            now=self._now(),
            environment=self.world.environment,
            view=view,
            own_orders=own_orders,
            already_sent=already_sent,
            own_reports=own_reports,
            orders_at_broker=orders_at_broker,
        )
        assert plan.plan is not None, "a plan that a gate refused is not judged"
        judged_plan = plan.proposal if proposal else plan.plan
        context = Context(judged_plan, main.settings, facts)
        judgment = judge(context, all_rules())
        return Judged(
            judgment=judgment,
            references={line.index: line.reference for line in context.lines},
            available={symbol: one.available for symbol, one in view.positions.items()},
            before=_record_of(main, view),
        )

    def _view_after(
        self, main: MainState, plan: PlanOnMain, broker: Broker
    ) -> AccountRecord | None:
        try:
            return _record_of(main, view_account(broker, earliest_order(plan)))
        except BrokerUnavailable as error:
            self.progress.say(f"the account after the trades is not known: {error}")
            return None

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
        started = self._now()
        written = commit_ending(
            self.world.book,
            plan,
            ending,
            now=self._now(),
            before=before,
            after=after,
            timings_ms=self.timings,
            progress=self.progress,
        )
        self._time("record", started)
        return finished(plan.digest, ending, written.result, written.result_path)

    def _now(self) -> datetime:
        return self.world.clock.now()

    def _time(self, phase: str, since: datetime) -> None:
        # A clock that was set back does not undo what has been done.
        spent = max(ZERO_TIME, self._now() - since) / timedelta(milliseconds=1)
        self.timings[phase] = Decimal(f"{spent:.1f}")


def _ids(settings: Settings, plan: PlanOnMain) -> frozenset[str]:
    return frozenset(
        client_order_id(settings.repository, plan.digest, index) for index in range(plan.lines)
    )


def _record_of(main: MainState, view: AccountView) -> AccountRecord:
    return account_record(
        view.account, view.positions.values(), view.open_orders, main.settings.mode
    )
