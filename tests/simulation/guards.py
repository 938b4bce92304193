"""The ports with one guard taken out of each: what the simulation has to notice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Final

from executor.exchange.faults import Fault
from executor.history import STEP
from executor.model.activity import Activity
from executor.model.order import (
    Cancellation,
    OrderReport,
    OrderRequest,
    OrderStatus,
    Submission,
)
from executor.model.order_id import parse_order_id
from executor.model.state import STATE_PATH, TradingState
from executor.ports import Change
from tests.fakes.memory_book import MemoryBook
from tests.simulation.documents import line, plan
from tests.simulation.effects import EVERYTHING, Act, Effects
from tests.simulation.ending import finish, heal
from tests.simulation.people import commits_state
from tests.simulation.protection_scenarios import ALL, to_settle
from tests.simulation.scenarios import KINDS, MADE, SCENARIOS
from tests.simulation.world import QuickBroker, Simulation


class SendsBeforeTheIntent(MemoryBook):
    """Says that the intent is committed, shows it to its own machine, and leaves main as it is."""

    _shown: str | None = None

    def head(self) -> str:
        return self._shown or super().head()

    def commit(self, change: Change, expected: str) -> str:
        if change.trailers.get(STEP) != "validated":
            self._shown = None
            return super().commit(change, expected)
        main, self._shown = self.origin.main, super().commit(change, expected)
        self.origin.main = main
        return self._shown


class SwapsWithoutComparing(MemoryBook):
    """Puts the change on top of whatever main is by now."""

    def commit(self, change: Change, expected: str) -> str:
        return super().commit(change, self.origin.main)


class PushesByForce(MemoryBook):
    """Moves main to the change, and what came in between is gone."""

    def commit(self, change: Change, expected: str) -> str:
        self.origin.main = expected
        return super().commit(change, expected)


class LooksNothingUp(QuickBroker):
    """Takes every order for one that was never received."""

    def order(self, client_order_id: str) -> OrderReport | None:
        return None


class RetriesHidden(QuickBroker):
    """Sends an order without an answer once more at once."""

    def submit_all(self, requests: Sequence[OrderRequest]) -> tuple[Submission, ...]:
        found = super().submit_all(requests)
        return tuple(
            super(RetriesHidden, self).submit_all([one.request])[0] if one.ambiguous else one
            for one in found
        )


class RetriesUnderAnotherId(QuickBroker):
    """Sends an order without an answer once more, under an id that nobody knows."""

    def submit_all(self, requests: Sequence[OrderRequest]) -> tuple[Submission, ...]:
        return tuple(self._submit(one) for one in super().submit_all(requests))

    def _submit(self, first: Submission) -> Submission:
        if not first.ambiguous:
            return first
        fresh = replace(first.request, client_order_id=f"{first.request.client_order_id}-again")
        (second,) = super().submit_all([fresh])
        if second.report is None:
            return replace(second, request=first.request)
        report = replace(second.report, client_order_id=first.request.client_order_id)
        return Submission(first.request, report=report)


class WaitsForNothing(QuickBroker):
    """Takes every order for filled as soon as it is sent, so that BUYs do not wait for SELLs."""

    def submit_all(self, requests: Sequence[OrderRequest]) -> tuple[Submission, ...]:
        return tuple(
            one if one.report is None else Submission(one.request, report=_ended(one.report))
            for one in super().submit_all(requests)
        )

    def orders_since(self, after: datetime) -> tuple[OrderReport, ...]:
        return tuple(_ended(one) for one in super().orders_since(after))


def _ended(report: OrderReport) -> OrderReport:
    return replace(report, status=OrderStatus.FILLED)


class ForgetsToReadTheState(MemoryBook):
    """Says of the trading state, while a plan runs, what it was when the plan was validated."""

    _then: tuple[bytes | None] | None = None

    def commit(self, change: Change, expected: str) -> str:
        new = super().commit(change, expected)
        step = change.trailers.get(STEP)
        if step is not None:
            validated = step == "validated"
            self._then = (super().read(STATE_PATH, new),) if validated else None
        return new

    def read(self, path: str, at: str) -> bytes | None:
        if path == STATE_PATH and self._then is not None:
            return self._then[0]
        return super().read(path, at)


class LooksOnceOnly(QuickBroker):
    """Shows, once something was canceled, what stood there before."""

    _stood: tuple[OrderReport, ...] | None = None

    def cancel_all(self, broker_order_ids: Sequence[str]) -> tuple[Cancellation, ...]:
        if self._stood is None:
            self._stood = super().open_orders()
        return super().cancel_all(broker_order_ids)

    def open_orders(self) -> tuple[OrderReport, ...]:
        return super().open_orders() if self._stood is None else self._stood


class TakesCancelsForDone(QuickBroker):
    """Takes an order for ended as soon as its end was asked for."""

    def cancel_all(self, broker_order_ids: Sequence[str]) -> tuple[Cancellation, ...]:
        self._asked = {*getattr(self, "_asked", ()), *broker_order_ids}
        return super().cancel_all(broker_order_ids)

    def order(self, client_order_id: str) -> OrderReport | None:
        found = super().order(client_order_id)
        if found is None or found.broker_order_id not in getattr(self, "_asked", ()):
            return found
        return found if found.status.is_terminal else replace(found, status=OrderStatus.CANCELED)


class NumbersNothing(QuickBroker):
    """Sends an order that follows an ended one under the ended one's id."""

    def submit_all(self, requests: Sequence[OrderRequest]) -> tuple[Submission, ...]:
        bare = [
            replace(one, client_order_id=one.client_order_id.partition(".")[0]) for one in requests
        ]
        return tuple(
            replace(
                sent,
                request=meant,
                report=sent.report and replace(sent.report, client_order_id=meant.client_order_id),
            )
            for meant, sent in zip(requests, super().submit_all(bare), strict=True)
        )


class TakesStopsForForeign(QuickBroker):
    """Shows our own stops under ids that are none of ours."""

    def open_orders(self) -> tuple[OrderReport, ...]:
        return tuple(
            replace(one, client_order_id=f"x-{one.client_order_id}") if _is_leg(one) else one
            for one in super().open_orders()
        )


def _is_leg(report: OrderReport) -> bool:
    own = parse_order_id(report.client_order_id)
    return own is not None and own.leg != "entry"


_COUNT: Final = count()


class ForgetsActivities(QuickBroker):
    """Gives each activity another id in each run."""

    def activities(self, after: datetime) -> tuple[Activity, ...]:
        return tuple(
            one if one.is_fill else one.model_copy(update={"id": f"{one.id}-{next(_COUNT)}"})
            for one in super().activities(after)
        )


class LooksWhileItMoves(QuickBroker):
    """Gives every second time the open orders of the time before, whatever has filled since."""

    _before: tuple[OrderReport, ...] | None = None

    def open_orders(self) -> tuple[OrderReport, ...]:
        if self._before is not None:
            before, self._before = self._before, None
            return before
        self._before = super().open_orders()
        return self._before


Scene = Callable[[], Iterator[str]]


def _four_buys(book: type[MemoryBook]) -> Scene:
    """Trading is halted once the first of four BUYs is out: two batches."""

    def scene() -> Iterator[str]:
        sim = Simulation(KINDS["paper"], book)
        sim.merge(plan(*(line("BUY", one, "1") for one in ("AAPL", "BAC", "KO", "TSM"))))
        sim.execute({3: lambda: commits_state(sim, TradingState.HALTED)})
        yield from finish(sim)

    return scene


def _executed(name: str, broker: type[QuickBroker]) -> Scene:
    def scene() -> Iterator[str]:
        scenario = {**SCENARIOS, **ALL}[name]
        sim = scenario.begin("paper")
        sim.broker = broker
        sim.execute(faults=scenario.faults)
        yield from finish(sim)

    return scene


def _settled(name: str, broker: type[QuickBroker]) -> Scene:
    def scene() -> Iterator[str]:
        sim = to_settle(name)
        sim.broker = broker
        yield from finish(sim)

    return scene


def _filling_while_settled(broker: type[QuickBroker]) -> Scene:
    return lambda: fills_between_questions(range(80), broker)


def fills_between_questions(
    points: Iterable[int], broker: type[QuickBroker] = QuickBroker
) -> Iterator[str]:
    """An order of an earlier plan fills between two questions of a settling, at each of them."""
    for point in points:
        sim = Simulation(KINDS["paper"])
        sim.fault(Fault("late_fill", parameters={"seconds": 60}))
        sim.merge(plan(line("BUY", "BAC", "3", stop_loss_pct="3"), timestamp=MADE))
        sim.execute()
        sim.broker = broker
        later = sim.clock.now() + timedelta(seconds=100)
        acts: dict[int, Act] = {point: partial(sim.clock.move_to, later)}
        sim.settle(effects=Effects(acts=acts, kinds=EVERYTHING))
        yield from heal(sim)


@dataclass(frozen=True, slots=True)
class Without:
    """The world without one guard."""

    words: str
    """What then does not hold."""
    book: type[MemoryBook] = MemoryBook
    broker: type[QuickBroker] = QuickBroker
    scene: Scene | None = None
    """Where that shows at once; None: in schedules."""


GUARDS: Final[Mapping[str, Without]] = {
    # The look at main before each batch finds that no intent is there: nothing leaves at all.
    "the intent before the first order": Without("main moved 8 times", SendsBeforeTheIntent),
    "compare before the swap": Without("the chain of results is broken", SwapsWithoutComparing),
    "no push by force": Without("a person's commit is gone", PushesByForce),
    "read the state between batches": Without(
        "a batch after main had said",
        ForgetsToReadTheState,
        scene=_four_buys(ForgetsToReadTheState),
    ),
    "look ids up after a death": Without("was sent again although", broker=LooksNothingUp),
    "no hidden retry": Without("was sent again although", broker=RetriesHidden),
    "one id for one instruction": Without("no intent names", broker=RetriesUnderAnotherId),
    "SELLs end before BUYs go": Without(
        "was sent while SELL",
        broker=WaitsForNothing,
        scene=_executed("partial", WaitsForNothing),
    ),
    "look again after a cancel": Without(
        "a run with nothing due did",
        broker=LooksOnceOnly,
        scene=_settled("limit_expired", LooksOnceOnly),
    ),
    "a cancel has ended before the trade": Without(
        "was sent beside",
        broker=TakesCancelsForDone,
        scene=_executed("slow_cancel", TakesCancelsForDone),
    ),
    "the next number for the next stop": Without(
        "for the fraction",
        broker=NumbersNothing,
        scene=_settled("next_session", NumbersNothing),
    ),
    "look through our own stops": Without("and nobody did it", broker=TakesStopsForForeign),
    "an activity is booked once": Without("a run with nothing due did", broker=ForgetsActivities),
    "compare only what does not move": Without(
        "and nobody did it",
        broker=LooksWhileItMoves,
        scene=_filling_while_settled(LooksWhileItMoves),
    ),
}
"""Each guard, and how the world without it is found out."""
