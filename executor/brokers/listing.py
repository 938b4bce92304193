"""Lists orders page by page, without losing or doubling one at the seam."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from executor.brokers.parsing import Unreadable, rows_of
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

    Raises:
        BrokerUnavailable: No usable answer, or pages that do not go on.
        BrokerRefused: A definite no.
    """
    asked = {**query, "direction": "asc", "limit": str(PAGE)}
    found: dict[str, OrderReport] = {}
    for _ in range(PAGES_MAX):
        page = questions.ask(what, "trading", "/v2/orders", asked, _reports)
        before = len(found)
        found |= {one.broker_order_id: one for one in page}
        if len(page) < PAGE:
            return tuple(found.values())
        last = page[-1].submitted_at
        if last is None or len(found) == before:
            break
        asked["after"] = timestamp_text(last - _OVERLAP)
    raise BrokerUnavailable(
        f"{what}, broker: pages of {PAGE} that do not go on; ask for a shorter time"
    )


def _reports(tree: object) -> list[OrderReport]:
    return [_report(one) for one in rows_of(tree, "orders")]


def _report(value: object) -> OrderReport:
    """Read an order; one of another program that we cannot read still counts as an order."""
    try:
        return order_report(value)
    except Unreadable:
        foreign = foreign_order(value)
        if foreign is None:
            raise
        return foreign
