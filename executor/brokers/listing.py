"""Lists orders page by page, without losing or doubling one at the seam."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from executor.brokers.parsing import Row, Unreadable, rows_of
from executor.brokers.questions import Questions
from executor.brokers.shapes import foreign_order, order_report
from executor.errors import BrokerUnavailable
from executor.model.fields import timestamp_text
from executor.model.order import OrderReport

PAGE: Final = 500
"""Orders in one answer: the most that the broker gives."""

PAGES_MAX: Final = 200
"""A hundred thousand orders; more is an answer that never ends."""

_OVERLAP: Final = timedelta(microseconds=1)
"""The broker counts nanoseconds and we read microseconds: a page starts a little before the last
order of the one before, so that orders of the same instant are not skipped."""


def all_orders(
    questions: Questions, what: str, query: Mapping[str, str]
) -> tuple[OrderReport, ...]:
    """Ask for every order that a query means, the oldest first.

    They are listed flat: a leg is an order of its own, and stands in its parent's `legs` as well
    as far as the query means both.

    Raises:
        BrokerUnavailable: No usable answer, or pages that do not go on.
        BrokerRefused: A definite no.
    """
    asked = {**query, "direction": "asc", "limit": str(PAGE), "nested": "false"}
    found: dict[str, _Listed] = {}
    for _ in range(PAGES_MAX):
        page = questions.ask(what, "trading", "/v2/orders", asked, _page)
        before = len(found)
        found |= {one.report.broker_order_id: one for one in page}
        if len(page) < PAGE:
            return _with_legs(found.values())
        last = page[-1].report.submitted_at
        if last is None or len(found) == before:
            break
        asked["after"] = timestamp_text(last - _OVERLAP)
    raise BrokerUnavailable(
        f"{what}, broker: pages of {PAGE} that do not go on; ask for a shorter time"
    )


@dataclass(frozen=True, slots=True)
class _Listed:
    """An order and its place among those that hang together."""

    report: OrderReport
    group: str
    """What they share; empty for an order alone."""
    role: str
    """`entry`, `take_profit` or `stop_loss`, by the broker."""

    @property
    def is_parent(self) -> bool:
        """True for the order that the others hang on; of an OCO pair that is the target."""
        return self.role == ("take_profit" if self.report.order_class == "oco" else "entry")


def _with_legs(listed: Iterable[_Listed]) -> tuple[OrderReport, ...]:
    """Give the orders, each by itself, the parents with those of their legs that are listed."""
    orders = list(listed)
    legs: dict[str, list[OrderReport]] = {}
    for one in orders:
        if one.group and not one.is_parent:
            legs.setdefault(one.group, []).append(one.report)
    return tuple(
        replace(one.report, legs=tuple(legs[one.group]))
        if one.is_parent and not one.report.legs and one.group in legs
        else one.report
        for one in orders
    )


def _page(tree: object) -> list[_Listed]:
    return [_listed(one) for one in rows_of(tree, "orders")]


def _listed(value: object) -> _Listed:
    report, row = _report(value), Row(value, "an order")
    return _Listed(report, row.word("group_id", ""), row.word("group_role", ""))


def _report(value: object) -> OrderReport:
    """Read an order; one of another program that we cannot read still counts as an order."""
    try:
        return order_report(value)
    except Unreadable:
        foreign = foreign_order(value)
        if foreign is None:
            raise
        return foreign
