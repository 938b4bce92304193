"""Asks for the end of orders; whether one ended, and how, is seen by looking at it afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import quote as quoted

from executor.brokers.carrying import Carrier, Outcome
from executor.brokers.parsing import Unreadable, read_json
from executor.brokers.questions import NOT_FOUND, code_of
from executor.brokers.transport import NoAnswer, Request
from executor.model.order import Cancellation

ACCEPTED: Final = 204
"""The one status by which the broker says that it will try; a proxy may well say 200."""

NOT_CANCELABLE: Final = 422
"""Status of an order that has ended (Alpaca: Delete Order by ID)."""


def cancel_all(carrier: Carrier, broker_order_ids: Sequence[str]) -> tuple[Cancellation, ...]:
    """Ask once for the end of each order; one answer an order, in order."""
    assert all(broker_order_ids), "an order that is canceled has an id"
    paths = [f"/v2/orders/{quoted(one, safe='')}" for one in broker_order_ids]
    outcomes = carrier.carry([Request("trading", "DELETE", path) for path in paths])
    return tuple(_judged(*pair) for pair in zip(broker_order_ids, outcomes, strict=True))


def _judged(broker_order_id: str, outcome: Outcome) -> Cancellation:
    if isinstance(outcome, NoAnswer):
        return Cancellation(broker_order_id, False, f"{outcome.reason}; it may have been asked")
    status = outcome.status
    if status == ACCEPTED:
        return Cancellation(broker_order_id, accepted=True)
    try:
        tree = read_json(outcome.body)
    except Unreadable:
        tree = None
    # As with questions: only the broker's own word makes a 404 mean the order and not the address.
    has_ended = status == NOT_CANCELABLE and isinstance(tree, dict)
    if has_ended or (status == 404 and code_of(tree) == NOT_FOUND):
        return Cancellation(broker_order_id, accepted=False)
    return Cancellation(broker_order_id, False, f"status {status}; it may have been asked")
