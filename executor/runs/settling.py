"""Settling: everything that happened since the last result, each kind into its own result.

Activities first, for a split moves what is to be protected; then the orders that were left open and
what protects the holdings; then what no commit explains; then the limits on losses. Level-triggered
like everything else: where nothing is new, nothing is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from executor.decisions.comparing import compare, foreign_orders
from executor.decisions.concerns import resting
from executor.decisions.ending import warnings_about
from executor.decisions.ledger import fold
from executor.decisions.notes import activity_result, observed_result
from executor.decisions.protection import Moves
from executor.decisions.record_facts import record_facts
from executor.decisions.results import account_record, provisional_result
from executor.decisions.settling import is_past
from executor.decisions.trips import trip
from executor.gather import AccountView, equity_history, fill_pieces, midnight, view_account
from executor.main_state import MainState
from executor.model.account import AccountRecord, Mode
from executor.model.activity import Activity
from executor.model.ledger import Ledger, LotKey
from executor.model.numbers import ZERO, plain
from executor.model.order import OrderReport
from executor.model.order_result import InstructionResult, LegResult, Protection
from executor.model.result import ExecutionResult, Observed
from executor.model.state import TradingStateRecord
from executor.notes import commit_note, commit_trip
from executor.ports import Broker, Progress
from executor.record import commit_settlement
from executor.runs.leg_memory import Memory
from executor.runs.leg_search import untold_legs
from executor.runs.order_news import News
from executor.runs.own_orders import own_orders
from executor.runs.protecting import Guardian
from executor.wiring import World

FOREIGN_BACK: Final = timedelta(days=1)
"""The same for orders of others. No longer than the checkpoint remembers orders of ours that have
ended, or these would look like somebody else's."""

LOOKED_BACK: Final = timedelta(days=1)
"""How far before the last result orders are listed: a run may have died that long before it."""

ACTIVITIES_BACK: Final = timedelta(days=10)
"""How far before the newest booked activity they are asked for: fees and dividends come late."""

DROPPED: Final = frozenset({"canceled", "correct"})
"""Statuses of activities that move nothing (Alpaca: NonTradeActivity)."""


@dataclass
class Settled:
    """What one settling came to."""

    results: list[ExecutionResult] = field(default_factory=list)
    alarms: tuple[str, ...] = ()
    """Shares without their stop."""
    stands: tuple[Protection, ...] = ()
    """How each holding that asked for a stop stands."""
    warnings: tuple[str, ...] = ()
    """Differences within the tolerance, which no result holds."""


@dataclass
class Settling:
    """One attempt, from reading main to the last commit."""

    world: World
    progress: Progress
    main: MainState
    broker: Broker
    done: Settled
    fallen: tuple[str, ...] = ()
    """Lots that a corporate action took the ground from."""

    def book_activities(self) -> bool:
        """Book what is told of dividends, splits and the like; True where anything was written."""
        view = self._view()
        if any(one.moves_shares for one in self._untold()):
            self._tell(view)
        before = len(self.done.results)
        self._activities(view)
        return len(self.done.results) > before

    def run(self) -> None:
        """Do everything that is due.

        Raises:
            SwapLost: main moved meanwhile; what was written until then stands.
            BrokerUnavailable: the broker does not answer; nothing is lost.
        """
        view = self._view()
        if any(one.moves_shares for one in self._untold()):
            # What filled before a split is of before it: told later it would be counted anew.
            self._tell(view)
        self._activities(view)
        self._orders(view)
        unfinished = self.main.unfinished
        if unfinished is not None:
            self.done.warnings = (
                f"plan {unfinished.digest[:8]} is half executed; `autoinvestor execute --submit`"
                " finishes it",
            )
        else:
            # A plan that an earlier run left half done is executed first: it explains its orders.
            self._foreign()
            self._differences()
        self._trip()

    # Activities.

    def _activities(self, view: AccountView) -> None:
        ledger = self.main.ledger
        fresh = self._untold()
        if not fresh:
            return
        # In the broker's order, for many tell only their day; the lines of an event together.
        places: dict[str, int] = {}
        for place, one in enumerate(fresh):
            places.setdefault(one.group or one.id, place)
        ordered = sorted(fresh, key=lambda one: (places[one.group or one.id], _turn(one), one.id))
        probe = activity_result(ordered, self._record(view), now=self._now())
        folded = fold([("", probe)], self._mode, start=ledger)
        realized = folded.realized_pl - ledger.realized_pl
        lost = [lot for key, lot in ledger.lots.items() if key not in folded.lots]
        self.fallen = tuple(
            f"{one.symbol}: the stop of {plain(one.quantity)} shares fell away with a corporate"
            " action; look at what came of them, and set one with a PROTECT line"
            for one in lost
        )
        kinds = ", ".join(sorted({one.kind for one in ordered}))
        self._note(
            activity_result(
                ordered,
                self._record(view),
                now=self._now(),
                realized_pl=realized,
                warnings=self.fallen,
            ),
            f"Book {len(ordered)} activities: {kinds}",
        )

    def _untold(self) -> list[Activity]:
        """Activities that no result has booked yet."""
        ledger = self.main.ledger
        opened = ledger.opened_at
        if opened is None:
            return []
        since = max(opened, (ledger.activities_through or opened) - ACTIVITIES_BACK)
        return [one for one in self.broker.activities(since) if self._is_due(one, opened)]

    def _is_due(self, one: Activity, opened: datetime) -> bool:
        if one.is_fill or one.id in self.main.ledger.activities or one.known_from <= opened:
            return False
        return (one.status or "executed") not in DROPPED

    # Orders of ours and what protects the holdings.

    def _tell(self, view: AccountView) -> None:
        """Write down what became of orders, and leave protection for after the corporate action."""
        news, guardian, _ = self._look(view)
        news.look()
        guardian.look(view)
        reports = [*news.reports, *(report for _, report in guardian.memory.seen.values())]
        guardian.pieces = news.pieces = fill_pieces(
            self.broker, [one for one in reports if one.filled_quantity]
        )
        self._write(news.changes(), guardian.legs, Moves())

    def _look(self, view: AccountView) -> tuple[News, Guardian, dict[str, OrderReport]]:
        """What the broker says of our orders since the last result, listed by client order id."""
        ledger = self.main.ledger
        since = (ledger.as_of or self._now()) - LOOKED_BACK
        listed = {one.client_order_id: one for one in self.broker.orders_since(since)}
        listed |= {one.client_order_id: one for one in view.open_orders}
        news = News(self.world.book, self.main, self.broker, view, listed, self._now())
        guardian = self._guardian(news, since)
        guardian.adopt_unwritten(listed.values())
        repository = self.main.settings.repository
        guardian.adopt_unwritten(untold_legs(self.broker, repository, ledger, view.positions))
        return news, guardian, listed

    def _orders(self, view: AccountView) -> None:
        news, guardian, listed = self._look(view)
        self._withdraw_past(guardian, listed)
        news.look()
        moves = guardian.protect()
        reports = [*news.reports, *(report for _, report in guardian.memory.seen.values())]
        guardian.pieces = news.pieces = fill_pieces(
            self.broker, [one for one in reports if one.filled_quantity]
        )
        self.done.alarms = (*self.fallen, *moves.alarms)
        self.done.stands = tuple(one for states in moves.states.values() for one in states)
        self._write(news.changes(), guardian.legs, moves)

    def _withdraw_past(self, guardian: Guardian, listed: dict[str, OrderReport]) -> None:
        """End the entries that rest although their plan is over."""
        now = self._now()
        past = [one for one in self.main.ledger.open_orders if is_past(one, now)]
        found = [listed.get(one.told.client_order_id or "") for one in past]
        reports = [one for one in found if one is not None and not one.status.is_terminal]
        guardian.cancel(reports, "its plan is over")
        for report in reports:
            newer = self.broker.order(report.client_order_id)
            if newer is not None:
                listed[report.client_order_id] = newer

    def _guardian(self, news: News, since: datetime) -> Guardian:
        settings = self.main.settings
        entries = {
            key: LotKey(one.plan_digest, one.told.index)
            for key, one in self.main.ledger.orders.items()
            if one.leg == "entry"
        }
        return Guardian(
            broker=self.broker,
            clock=self.world.clock,
            settings=settings,
            progress=self.progress,
            memory=Memory(settings.repository, self.main.ledger, entries),
            provisional=lambda legs: self._provisional(news, legs),
            state=self._state,
            since=since,
            refresh=lambda view: news.refresh(view),
        )

    def _provisional(self, news: News, legs: tuple[LegResult, ...]) -> Ledger:
        ledger = self.main.ledger
        results = [
            ("", provisional_result(self._mode, digest, book, self._now(), told, ()))
            for (digest, book), told in news.by_plan().items()
        ]
        results.append(("", provisional_result(self._mode, None, None, self._now(), (), legs)))
        return fold(results, self._mode, start=ledger)

    def _write(
        self,
        changed: dict[str, list[InstructionResult]],
        legs: Sequence[LegResult],
        moves: Moves,
    ) -> None:
        ledger = self.main.ledger
        by_first: dict[str, list[LegResult]] = {}
        for leg in legs:
            by_first.setdefault(self._first_of(leg, ledger, changed), []).append(leg)
        limit = self.main.settings.execution.slippage_warning_bps
        for first in sorted(changed.keys() | by_first.keys()):
            told = [self._with_states(one, first, moves) for one in changed.get(first, [])]
            warnings = [text for one in told for text in warnings_about(one, limit)]
            named = {one.ticker for one in (*told, *by_first.get(first, ()))}
            warnings += resting(one for one in self.done.stands if one.symbol in named)
            result, commit = commit_settlement(
                self.world.book,
                self.main,
                first,
                told,
                self._record(self._view()),
                self._now(),
                warnings,
                self.done.alarms,
                by_first.get(first, ()),
            )
            self._written(result, commit)

    def _with_states(self, told: InstructionResult, first: str, moves: Moves) -> InstructionResult:
        digest = self.main.result(first).plan_digest or ""
        states = moves.states.get(LotKey(digest, told.index), ())
        return told.model_copy(update={"protection": states})

    def _first_of(
        self, leg: LegResult, ledger: Ledger, changed: dict[str, list[InstructionResult]]
    ) -> str:
        """The execution result that an order goes on from."""
        known = ledger.orders.get(leg.client_order_id or "")
        if known is not None:
            return known.first_result
        lot = ledger.lots.get(LotKey(leg.plan_digest, leg.index))
        if lot is not None:
            return lot.first_result
        for order in ledger.orders.values():
            if order.plan_digest == leg.plan_digest:
                return order.first_result
        return next(iter(changed))

    # What no commit explains.

    def _foreign(self) -> None:
        ledger = self.main.ledger
        since = (ledger.as_of or self._now()) - FOREIGN_BACK
        view = self._view()
        reports = {one.client_order_id: one for one in self.broker.orders_since(since)}
        reports |= {one.client_order_id: one for one in view.open_orders}
        for key, one in {**ledger.acknowledged, **ledger.observed}.items():
            if one.kind == "order" and not one.is_over and key not in reports:
                report = self.broker.order(key)
                if report is not None:
                    reports[key] = report
        looked_since = (ledger.as_of or self._now()) - LOOKED_BACK
        own = own_orders(ledger, self.main.settings.repository, reports, looked_since)
        self._observe(foreign_orders(ledger, reports.values(), own))

    def _differences(self) -> None:
        """Compare once nothing of ours moves; a fill between two answers is no difference."""
        view = self._view()
        ledger = self.main.ledger
        open_now = {one.client_order_id: one for one in view.open_orders}
        for order in ledger.open_orders:
            report = open_now.get(order.told.client_order_id or "")
            if report is None or report.filled_quantity != order.told.filled_quantity:
                return
        settings = self.main.settings.settle
        found = compare(ledger, view.account, view.positions, settings)
        if found.observed and self._untold():
            return  # Something was booked meanwhile, which the next run tells first.
        self.done.warnings = found.warnings
        self._observe(found.observed)

    def _observe(self, observed: Sequence[Observed]) -> None:
        if not observed:
            return
        record = self._record(self._view())
        probe = observed_result(observed, record, now=self._now())
        ledger = self.main.ledger
        realized = fold([("", probe)], self._mode, start=ledger).realized_pl - ledger.realized_pl
        self._note(
            observed_result(observed, record, now=self._now(), realized_pl=realized),
            f"Observe {len(observed)} that no commit explains",
        )

    # Limits on losses.

    def _trip(self) -> None:
        view = self._view()
        opened = view.clock.current.opens if view.clock.current else midnight(self._now())
        facts = record_facts(
            self.main.ledger,
            executed=None,
            orders_at_broker=(),
            session_opened=opened,
            day_started=view.clock.last_close,
            history=equity_history(self.broker, self.main, self._now()),
        )
        tripped = trip(
            view.account,
            facts,
            self.main.settings,
            self.main.trading_state,
            now=self._now(),
        )
        if tripped is not None:
            result, commit = commit_trip(self.world.book, self.main, tripped, self._record(view))
            self._written(result, commit)

    # Reading and writing.

    def _view(self) -> AccountView:
        ledger = self.main.ledger
        seen = [one.seen_at for one in ledger.open_orders] or [ledger.as_of or self._now()]
        return view_account(self.broker, min(seen) - LOOKED_BACK)

    def _record(self, view: AccountView) -> AccountRecord:
        return account_record(view.account, view.positions.values(), view.open_orders, self._mode)

    def _note(self, result: ExecutionResult, subject: str) -> None:
        self._written(*commit_note(self.world.book, self.main, result, subject=subject))

    def _written(self, result: ExecutionResult, commit: str) -> None:
        """Go on from this commit, not from whatever main is by then."""
        self.done.results.append(result)
        self.main = MainState(self.world.book, commit)

    def _state(self) -> TradingStateRecord | None:
        return MainState(self.world.book, self.world.book.head()).trading_state

    @property
    def _mode(self) -> Mode:
        return self.main.settings.mode

    def _now(self) -> datetime:
        return self.world.clock.now()


def _turn(one: Activity) -> int:
    """What leaves first: its cost waits for the shares that take it, a parent's line comes last."""
    shares = one.quantity or ZERO
    return 0 if shares < 0 else 1 if shares > 0 else 2
