"""A trailing stop along the price path: how far its best price has come, and when it is triggered.

The best price is the highest last price since the order was submitted (for a BUY the lowest, and
everything below mirrored), seen in sessions only. All is a pure function of the path, so it does
not matter how often somebody looks. Months cost tens of milliseconds: the path is searched for
crossings of levels a quarter of the trail apart, and minute by minute nowhere.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final

from executor.exchange.orders import Order
from executor.exchange.prices import MINUTE, PriceSource
from executor.model.numbers import NANO

_FINEST: Final = Decimal("0.0001")
"""USD. The finest step of a listed price; what a recording has beyond it is searched one by one."""


def follow(order: Order, prices: PriceSource, first: datetime, last: datetime) -> datetime | None:
    """Follow the price through a stretch of open minutes.

    Moves the order's best price along, to the end of the stretch or to the trigger.

    Args:
        order: An open trailing stop that has not been triggered.
        prices: The price path.
        first: The stretch's first minute.
        last: Its last one.

    Returns:
        The first minute at whose price the stop is triggered, or None.
    """
    path = _Path(order, prices)
    at = first
    if order.hwm is None:
        found = prices.crossing(order.ticket.symbol, first, last, Decimal(0), False)
        if found is None:
            return None
        at, order.hwm = found, path.price(found)
    while at <= last:
        step = max(abs(order.hwm - path.level(order.hwm)) / 4, _FINEST)
        further = path.ahead(order.hwm, step)
        gained = path.reaches(at, last, further)
        end = last if gained is None else gained - MINUTE
        # Until then the best price is short of `further`, so no stop is closer than its.
        if path.returns(at, end, path.level(further)) is None:
            order.hwm = (
                path.best(at, end, order.hwm, step) if gained is None else path.price(gained)
            )
            at = end + MINUTE
            continue
        triggered, at, order.hwm = _closely(path, at, end, order.hwm, step)
        if triggered:
            return at
    return None


def _closely(
    path: _Path, at: datetime, end: datetime, best: Decimal, step: Decimal
) -> tuple[bool, datetime, Decimal]:
    """Go through a stretch in which the stop may be triggered, up to the next new best price.

    Returns:
        Whether it was triggered, the minute to go on from (of the trigger, if it was), and the
        best price by then.
    """
    near = path.returns(at, end, path.level(path.ahead(best, step)))
    assert near is not None, "the caller has found it"
    best = path.best(at, near, best, step)
    triggered = path.returns(near, end, path.level(best))
    gained = path.reaches(near, end if triggered is None else triggered, path.ahead(best, NANO))
    if gained is not None:
        return False, gained, path.price(gained)
    if triggered is not None:
        return True, triggered, best
    return False, end + MINUTE, best


class _Path:
    """A price path seen from one side: ahead is where the best price moves to."""

    def __init__(self, order: Order, prices: PriceSource) -> None:
        self._symbol = order.ticket.symbol
        self._falls = order.ticket.side == "buy"
        self.level = order.ticket.trailing_level
        self._prices = prices

    def price(self, minute: datetime) -> Decimal:
        price = self._prices.price(self._symbol, minute)
        assert price is not None, f"{minute} was found by its price"
        return price

    def ahead(self, price: Decimal, step: Decimal) -> Decimal:
        return price - step if self._falls else price + step

    def reaches(self, first: datetime, last: datetime, level: Decimal) -> datetime | None:
        """Find the first minute whose price has come ahead to a level."""
        return self._prices.crossing(self._symbol, first, last, level, self._falls)

    def returns(self, first: datetime, last: datetime, level: Decimal) -> datetime | None:
        """Find the first minute whose price has come back to a level; none in no stretch."""
        if first > last:
            return None
        return self._prices.crossing(self._symbol, first, last, level, not self._falls)

    def best(self, first: datetime, last: datetime, best: Decimal, step: Decimal) -> Decimal:
        """Give the best price of a stretch and what was best before, by halving the step."""
        if self.reaches(first, last, self.ahead(best, NANO)) is None:
            return best
        while step >= _FINEST:
            found = self.reaches(first, last, self.ahead(best, step))
            if found is None:
                step /= 2
            else:
                first, best = found, self.price(found)
        while (found := self.reaches(first, last, self.ahead(best, NANO))) is not None:
            first, best = found, self.price(found)
        return best
