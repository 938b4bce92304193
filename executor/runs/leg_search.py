"""Finds protective orders that a run of long ago sent and never told, where shares are missing.

The broker is asked for the orders of the last day only. One of before may have sold since; its id
is the next one of its lot, so it can be asked for by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from executor.model.facts import PositionFacts
from executor.model.ledger import Ledger
from executor.model.numbers import ZERO
from executor.model.order import OrderReport
from executor.model.order_id import Leg, client_order_id
from executor.ports import Broker

LEGS: Final[tuple[Leg, ...]] = ("stop", "fraction", "target")


def untold_legs(
    broker: Broker, repository: str, ledger: Ledger, positions: Mapping[str, PositionFacts]
) -> Iterator[OrderReport]:
    """Orders that no result tells, of lots whose shares are not all there.

    Args:
        broker: the broker.
        repository: the settings' name of this repository.
        ledger: the record.
        positions: the broker's holdings by symbol.
    """
    for lot in ledger.lots.values():
        held, booked = positions.get(lot.symbol), ledger.positions.get(lot.symbol)
        if booked is None or (held.quantity if held else ZERO) >= booked.quantity:
            continue
        for leg in LEGS:
            number = lot.next_number(leg)
            while True:
                key = client_order_id(repository, lot.key.plan_digest, lot.key.index, leg, number)
                report = None if key in ledger.orders else broker.order(key)
                if report is None:
                    break
                yield report
                number += 1
