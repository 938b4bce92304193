"""What became of the plans' own orders since the last result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from pydantic import ValidationError

from executor.decisions.plan import plan_orders, stop_terms
from executor.decisions.reconcile import from_report
from executor.decisions.settling import settled
from executor.errors import DocumentError
from executor.gather import AccountView
from executor.main_state import MainState
from executor.model.activity import Activity
from executor.model.digest import plan_digest
from executor.model.ledger import Order
from executor.model.numbers import ONE
from executor.model.order import OrderReport
from executor.model.order_id import home_of, parse_order_id
from executor.model.order_result import InstructionResult
from executor.model.plan import TradingInstructionSet
from executor.model.reading import read_document
from executor.model.result import ExecutionResult
from executor.ports import Book, Broker

RACED_DAYS: Final = timedelta(days=30)
"""How long before an order was sent its plan's end can have been written, by a run that raced."""

NO_PIECES: Final[Mapping[str, Sequence[Activity]]] = {}


@dataclass
class News:
    """Entries that an earlier result left open, or that no result tells at all."""

    book: Book
    main: MainState
    broker: Broker
    view: AccountView
    listed: Mapping[str, OrderReport]
    """The broker's orders, open and lately ended, by client order id."""
    now: datetime
    pieces: Mapping[str, Sequence[Activity]] = field(default_factory=lambda: NO_PIECES)
    """FILL activities by the broker's order id."""
    _followed: dict[str, tuple[Order, OrderReport | None]] = field(default_factory=dict)
    _late: dict[str, tuple[str, ExecutionResult, InstructionResult, OrderReport]] = field(
        default_factory=dict
    )

    def look(self) -> None:
        """Ask about every entry that may have changed."""
        for order in self.main.ledger.open_orders:
            key = order.told.client_order_id or ""
            if order.leg == "entry":
                self._followed[key] = (order, self.listed.get(key) or self.broker.order(key))
        unfinished = self.main.unfinished
        for key, report in self.listed.items():
            own = parse_order_id(key)
            if own is None or own.leg != "entry" or self._is_told(key):
                continue
            if own.home != home_of(self.main.settings.repository):
                continue
            if unfinished is not None and unfinished.digest.startswith(own.plan):
                continue  # its own execution tells it
            self._take_late(key, own.plan, own.index, report)

    def _is_told(self, key: str) -> bool:
        """True for an order of the record, but for one that the broker refused.

        What it refused one run it may have taken from another one, which did not live to tell.
        """
        known = self.main.ledger.orders.get(key)
        return known is not None and (known.is_open or known.told.broker_order_id is not None)

    def _take_late(self, key: str, plan: str, index: int, report: OrderReport) -> None:
        """An order that a run sent after another one had written the plan's end."""
        since = (report.submitted_at or self.now) - RACED_DAYS
        for path, result in self.main.history.executions(since):
            digest = result.plan_digest or ""
            if not digest.startswith(plan):
                continue
            archived = self._archived(result)
            if archived is None or index >= len(archived.instructions):
                return
            (order,) = plan_orders(
                archived,
                plan_digest=digest,
                repository=self.main.settings.repository,
                going=(index,),
                available={archived.instructions[index].ticker: report.quantity or ONE},
            )
            told = from_report(order, report, arrival=None, seen_at=self.now)
            told = told.model_copy(update={"stop": stop_terms(archived.instructions[index])})
            self._late[key] = (path, result, told, report)
            return

    def _archived(self, result: ExecutionResult) -> TradingInstructionSet | None:
        """The plan of a result; None where somebody damaged it, which `audit` tells."""
        path = result.archived_as
        data = self.book.read(path, self.main.head) if path else None
        try:
            tree = read_document(data or b"", of_record=True)
            is_it = plan_digest(tree) == result.plan_digest
            return TradingInstructionSet.model_validate(tree) if is_it else None
        except (DocumentError, ValidationError):
            return None

    def refresh(self, view: AccountView) -> None:
        """Take in what became of open entries since they were looked at."""
        still_open = {one.client_order_id: one for one in view.open_orders}
        for key, (order, report) in list(self._followed.items()):
            if report is not None and not report.status.is_terminal:
                self._followed[key] = (order, still_open.get(key) or self.broker.order(key))

    @property
    def reports(self) -> list[OrderReport]:
        """What the broker says of all of them."""
        followed = [report for _, report in self._followed.values() if report is not None]
        return followed + [report for *_, report in self._late.values()]

    def changes(self) -> dict[str, list[InstructionResult]]:
        """What is new, by the execution result that it goes on from."""
        found: dict[str, list[InstructionResult]] = {}
        for order, report in self._followed.values():
            newer = self._newer(order, report)
            if newer is not None:
                found.setdefault(order.first_result, []).append(newer)
        for path, _, told, _ in self._late.values():
            found.setdefault(path, []).append(told)
        return found

    def by_plan(self) -> dict[tuple[str, str], list[InstructionResult]]:
        """The same by plan digest and book, to be folded."""
        found: dict[tuple[str, str], list[InstructionResult]] = {}
        for order, report in self._followed.values():
            newer = self._newer(order, report)
            if newer is not None:
                found.setdefault((order.plan_digest, order.strategy), []).append(newer)
        for _, result, told, _ in self._late.values():
            key = (result.plan_digest or "", result.strategy or "")
            found.setdefault(key, []).append(told)
        return found

    def _newer(self, order: Order, report: OrderReport | None) -> InstructionResult | None:
        pieces = self.pieces.get(report.broker_order_id, ()) if report else ()
        return settled(order, report, self.view.clock, self.now, pieces)
