"""The ports with one guard taken out of each: what the simulation has to notice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import count
from typing import Final

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
from executor.model.state import STATE_PATH
from executor.ports import Change
from tests.fakes.memory_book import MemoryBook
from tests.simulation.world import QuickBroker


class SendsBeforeTheIntent(MemoryBook):
    """Says that the intent is committed and leaves main where it is."""

    def commit(self, change: Change, expected: str) -> str:
        if change.trailers.get(STEP) != "validated":
            return super().commit(change, expected)
        main, new = self.origin.main, super().commit(change, expected)
        self.origin.main = main
        return new


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


BOOKS: Final[Mapping[str, tuple[type[MemoryBook], str]]] = {
    "the intent before the first order": (SendsBeforeTheIntent, "no intent names"),
    "compare before the swap": (SwapsWithoutComparing, "the chain of results is broken"),
    "no push by force": (PushesByForce, "a person's commit is gone"),
    "read the state between batches": (ForgetsToReadTheState, "a batch after main had said"),
}
"""Each guard of the record: the book without it, and words of what then does not hold."""

BROKERS: Final[Mapping[str, tuple[type[QuickBroker], str]]] = {
    "look ids up after a death": (LooksNothingUp, "was sent again although"),
    "no hidden retry": (RetriesHidden, "was sent again although"),
    "one id for one instruction": (RetriesUnderAnotherId, "no intent names"),
    "SELLs end before BUYs go": (WaitsForNothing, "was sent while SELL"),
    "look again after a cancel": (LooksOnceOnly, "for the whole shares"),
    "a cancel has ended before the trade": (TakesCancelsForDone, "was sent beside"),
    "the next number for the next stop": (NumbersNothing, "for the whole shares"),
    "look through our own stops": (TakesStopsForForeign, "and nobody did it"),
    "an activity is booked once": (ForgetsActivities, "a run with nothing due did"),
    "compare only what does not move": (LooksWhileItMoves, "and nobody did it"),
}
"""Each guard of the sending: the broker without it, and words of what then does not hold."""
