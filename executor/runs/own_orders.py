"""Tells our orders from others', also those that the record does not tell yet or tells no more."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from executor.model.ledger import Ledger
from executor.model.order import OrderReport
from executor.model.order_id import home_of, parse_order_id


def own_orders(
    ledger: Ledger, repository: str, reports: Mapping[str, OrderReport], looked_since: datetime
) -> frozenset[str]:
    """Client order ids of orders that a plan of the record explains.

    Args:
        ledger: the record.
        repository: the settings' name of this repository.
        reports: the broker's orders by client order id.
        looked_since: what was sent before and has ended was told long ago, and may be forgotten.
    """
    home = home_of(repository)
    places = {
        *((one.plan_digest, one.told.index) for one in ledger.orders.values()),
        *((one.plan_digest, one.index) for one in ledger.lots),
    }
    found = set()
    for key, report in reports.items():
        own = parse_order_id(key)
        if own is None or own.home != home:
            continue
        sent = report.submitted_at
        is_old = report.status.is_terminal and sent is not None and sent < looked_since
        if is_old or any(
            digest.startswith(own.plan) and index == own.index for digest, index in places
        ):
            found.add(key)
            # What the broker hung on an order of ours has an id of the broker's making.
            found |= {leg.client_order_id for leg in report.legs}
    return frozenset(found)
