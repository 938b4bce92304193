"""The ports with one guard taken out of each: what the simulation has to notice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from executor.main_state import STEP
from executor.model.order import OrderReport, OrderRequest, OrderStatus, Submission
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


BOOKS: Final[Mapping[str, tuple[type[MemoryBook], str]]] = {
    "the intent before the first order": (SendsBeforeTheIntent, "no intent names"),
    "compare before the swap": (SwapsWithoutComparing, "the chain of results is broken"),
    "no push by force": (PushesByForce, "a person's commit is gone"),
}
"""Each guard of the record: the book without it, and words of what then does not hold."""

BROKERS: Final[Mapping[str, tuple[type[QuickBroker], str]]] = {
    "look ids up after a death": (LooksNothingUp, "was sent again although"),
    "no hidden retry": (RetriesHidden, "was sent again although"),
    "one id for one instruction": (RetriesUnderAnotherId, "no intent names"),
    "SELLs end before BUYs go": (WaitsForNothing, "was sent while SELL"),
}
"""Each guard of the sending: the broker without it, and words of what then does not hold."""
