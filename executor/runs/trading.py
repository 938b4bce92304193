"""One plan at the broker: its judgments, its waves, its protection, and what became of all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Final

from executor.checks import all_rules
from executor.decisions.concerns import resting
from executor.decisions.ending import Beside, Ending, Judged, conclude
from executor.decisions.ledger import fold
from executor.decisions.plan import stop_terms
from executor.decisions.results import account_record, provisional_result
from executor.decisions.validate import Judgment, judge
from executor.errors import AutoInvestorError, BrokerUnavailable, SwapLost
from executor.gather import (
    AccountView,
    Market,
    earliest_order,
    equity_history,
    fill_pieces,
    gather,
    view_account,
    view_market,
)
from executor.main_state import MainState, PlanOnMain
from executor.model.account import AccountRecord
from executor.model.context import Context
from executor.model.evidence import Evidence
from executor.model.facts import Moment
from executor.model.ledger import Ledger, LotKey
from executor.model.order import EquityPoint, OrderReport
from executor.model.order_id import client_order_id
from executor.model.order_result import LegResult
from executor.model.state import TradingStateRecord
from executor.ports import Broker, Progress
from executor.record import is_ours
from executor.runs.leg_memory import Memory
from executor.runs.protecting import Guardian
from executor.runs.sending import Tally, look_again
from executor.runs.waves import Waves
from executor.wiring import World

ZERO_TIME: Final = timedelta(0)


@dataclass
class Timings:
    """Milliseconds by phase, for the result."""

    now: Callable[[], datetime]
    spent: dict[str, Decimal] = field(default_factory=dict)

    def start(self, phase: str) -> Callable[[], None]:
        """Start a phase; what is given ends it."""
        since = self.now()

        def end() -> None:
            # A clock that was set back does not undo what has been done.
            spent = max(ZERO_TIME, self.now() - since) / timedelta(milliseconds=1)
            self.spent[phase] = Decimal(f"{spent:.1f}")

        return end


@dataclass(frozen=True, slots=True)
class Traded:
    """What a run came to: the end of its plan, or why the rest of it waits."""

    ending: Ending
    after: AccountRecord | None
    """The account afterwards; None where the broker did not answer."""
    waits: Judgment | None = None


@dataclass
class Trading:
    """A plan on main and the broker's account, for one attempt."""

    world: World
    progress: Progress
    main: MainState
    plan: PlanOnMain
    broker: Broker
    timings: Timings
    evidence: Evidence | None = None
    """How the plan came to main, where the policy asks for it and somebody could be asked."""
    intent_counts: bool = True
    """False where an intent of before proves no approval, so that it is verified again."""

    # Judging.

    def view(self) -> AccountView:
        """The account now."""
        return view_account(self.broker, earliest_order(self.plan))

    def market(self) -> Market:
        """What the market says about the plan's symbols now."""
        return view_market(self.broker, self.plan.proposal)

    def judge(
        self,
        main: MainState,
        *,
        proposal: bool,
        view: AccountView | None = None,
        market: Market | None = None,
        own_orders: frozenset[str] = frozenset(),
        already_sent: frozenset[int] = frozenset(),
        own_reports: Mapping[str, OrderReport] | None = None,
        orders_at_broker: tuple[str, ...] = (),
        protective: frozenset[str] = frozenset(),
    ) -> Judged:
        """Ask every check, with the facts as they are now."""
        view = view or self.view()
        facts = gather(
            self.broker,
            main,
            self.plan,
            moment=Moment.EXECUTION,
            now=self.now(),
            environment=self.world.environment,
            view=view,
            market=market,
            own_orders=own_orders,
            already_sent=already_sent,
            own_reports=own_reports,
            orders_at_broker=orders_at_broker,
            protective=protective,
            history=self.history,
            evidence=self.evidence,
            intent_in=self.plan.validated_in if self.intent_counts else None,
        )
        assert self.plan.plan is not None, "a plan that a gate refused is not judged"
        judged_plan = self.plan.proposal if proposal else self.plan.plan
        context = Context(judged_plan, main.settings, facts)
        judgment = judge(context, all_rules())
        return Judged(
            judgment=judgment,
            references={line.index: line.reference for line in context.lines},
            available={symbol: context.free_to_sell(symbol) for symbol in view.positions},
            before=self.record_of(view),
            facts=facts,
        )

    @cached_property
    def history(self) -> tuple[EquityPoint, ...]:
        """The broker's equity at past closes: it does not change while a plan is executed."""
        return equity_history(self.broker, self.main, self.now())

    def judge_rest(self, tally: Tally, guardian: Guardian) -> Judged:
        """Ask the checks again about what the broker does not have, with the account as it is."""
        now_on_main = MainState(self.world.book, self.world.book.head())
        if not is_ours(now_on_main, self.plan):
            raise SwapLost("another run has finished this plan")
        intent, sent = tally.intent, tally.sent
        known = set(sent.reports) | set(sent.refusals) | set(sent.unknown)
        at_broker = {one.index for one in intent.orders if one.client_order_id in known}
        planned = {one.index for one in intent.orders} | set(intent.lines)
        # A line that the intent left out was denied when it was written, and stays so.
        left_out = set(range(self.plan.lines)) - planned
        over = at_broker | left_out | tally.done | tally.undone.keys()
        view = self.view()
        legs = {key: report for key, (_, report) in guardian.memory.seen.items()}
        return self.judge(
            now_on_main,
            proposal=True,
            view=view,
            own_orders=frozenset(one.client_order_id for one in intent.orders),
            already_sent=frozenset(over),
            own_reports={**legs, **sent.reports},
            protective=guardian.protective(view),
        )

    def state(self) -> TradingStateRecord | None:
        """The trading state on main, read afresh; None where it cannot be read."""
        return MainState(self.world.book, self.world.book.head()).trading_state

    def _state_while_ours(self) -> TradingStateRecord | None:
        """The same while the plan is this run's; None once another run has taken it over."""
        main = MainState(self.world.book, self.world.book.head())
        return main.trading_state if is_ours(main, self.plan) else None

    # Trading.

    def guardian(self, tally: Tally) -> Guardian:
        """Hands for the orders that protect, with the plan's own entries in view."""
        memory = Memory(
            self.main.settings.repository,
            self.main.ledger,
            {
                one.client_order_id: LotKey(self.plan.digest, one.index)
                for one in tally.intent.orders
            },
            self.plan.digest,
        )
        guardian = Guardian(
            broker=self.broker,
            clock=self.world.clock,
            settings=self.main.settings,
            progress=self.progress,
            memory=memory,
            provisional=lambda legs: self._provisional(tally, legs),
            state=self.state,
            since=earliest_order(self.plan),
            may_add_lots=any(
                stop_terms(one) is not None for one in self.plan.proposal.instructions
            ),
            refresh=lambda view: tally.refresh(self.broker, view),
        )
        for report in tally.sent.reports.values():
            guardian.knows_entry(report)
        return guardian

    def _provisional(self, tally: Tally, legs: tuple[LegResult, ...]) -> Ledger:
        ending = self.conclude(tally, Beside(legs=legs, done=frozenset(tally.done)))
        settings = self.main.settings
        result = provisional_result(
            settings.mode,
            self.plan.digest,
            settings.book_of(self.plan.proposal.strategy),
            self.now(),
            ending.instructions,
            legs,
        )
        return fold([("", result)], settings.mode, start=self.main.ledger)

    def trade(self, tally: Tally, *, recovering: bool) -> Traded:
        """Send what is not at the broker yet, protect what is held, and say what became of all.

        Raises:
            SwapLost: another run has taken the plan over.
            BrokerUnavailable: it cannot go on now; what was withdrawn for it was put back first,
                where the broker let it.
        """
        guardian = self.guardian(tally)
        if recovering:
            guardian.adopt_unwritten(self.broker.orders_since(earliest_order(self.plan)))
            tally.done |= self._lines_begun(tally, guardian)
        waves = Waves(
            broker=self.broker,
            clock=self.world.clock,
            settings=self.main.settings,
            progress=self.progress,
            plan=self.plan,
            tally=tally,
            guardian=guardian,
            judge_rest=lambda: self.judge_rest(tally, guardian),
            state=self._state_while_ours,
            timed=self.timings.start,
        )
        try:
            waits = waves.send()
        except AutoInvestorError:
            self._put_back(guardian)
            raise
        if waits is None:
            keys = [one.client_order_id for one in tally.intent.orders]
            clock, settings = self.world.clock, self.main.settings
            tally.sent = look_again(self.broker, clock, settings, tally.sent, keys, self.progress)
        for report in tally.sent.reports.values():
            guardian.knows_entry(report)
        ended = self.timings.start("protect")
        moves = guardian.protect()
        ended()
        legs = [report for _, report in guardian.memory.seen.values()]
        filled = [one for one in [*tally.sent.reports.values(), *legs] if one.filled_quantity]
        # With its pieces a result tells each fill, and cash agrees to the cent.
        guardian.pieces, after = self.broker.at_once(
            lambda: fill_pieces(self.broker, filled), self._view_after
        )
        tally.sent = tally.sent.with_pieces(guardian.pieces)
        beside = Beside(
            legs=guardian.legs,
            states=moves.states,
            alarms=moves.alarms,
            done=frozenset(tally.done),
            undone=dict(tally.undone),
        )
        return Traded(self.conclude(tally, beside), after, waits)

    def _lines_begun(self, tally: Tally, guardian: Guardian) -> set[int]:
        """PROTECT lines of which the broker has a stop: sent is sent, whatever the checks say."""
        keys = {role.key for role, _ in guardian.memory.seen.values()}
        return {one for one in tally.intent.lines if LotKey(self.plan.digest, one) in keys}

    def _put_back(self, guardian: Guardian) -> None:
        """Protect again before giving up; the next run heals what this one cannot."""
        try:
            guardian.protect()
        except AutoInvestorError as error:
            self.progress.say(f"protection could not be put back: {error}")

    def conclude(self, tally: Tally, beside: Beside) -> Ending:
        """What the last commit would say if the run ended here."""
        ending = conclude(
            self.plan.proposal,
            tally.intent,
            tally.sent,
            verdicts=tally.verdicts,
            denied=tally.denied,
            arrivals=tally.arrivals,
            held_before=self.main.ledger.positions,
            seen_at=self.now(),
            slippage_warning_bps=self.main.settings.execution.slippage_warning_bps,
            plan_digest=self.plan.digest,
            beside=beside,
        )
        return replace(ending, warnings=(*ending.warnings, *resting(ending.stands)))

    def _view_after(self) -> AccountRecord | None:
        try:
            return self.record_of(self.view())
        except BrokerUnavailable as error:
            self.progress.say(f"the account after the trades is not known: {error}")
            return None

    def record_of(self, view: AccountView) -> AccountRecord:
        """The account as a document."""
        return account_record(
            view.account, view.positions.values(), view.open_orders, self.main.settings.mode
        )

    def ids(self) -> frozenset[str]:
        """The ids that the plan's entries have."""
        repository, digest = self.main.settings.repository, self.plan.digest
        return frozenset(
            client_order_id(repository, digest, index) for index in range(self.plan.lines)
        )

    def now(self) -> datetime:
        """The present."""
        return self.world.clock.now()
