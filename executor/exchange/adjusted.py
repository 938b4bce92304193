"""Price paths after a corporate action: pure wrappers around a source, one a change of the path.

A seeded path knows no splits. So a split puts a layer around the source that scales the symbol's
prices from its minute on, and a new symbol gets a layer that lets it follow an old one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from executor.exchange.prices import PriceSource, floor_minute
from executor.exchange.sessions import MINUTE
from executor.model.numbers import CENT, ONE, ZERO

_FINE: Final = Decimal("0.0001")
"""The step of prices below 1 USD."""


@dataclass(frozen=True, slots=True)
class ScaledPrices(PriceSource):
    """A source whose prices of one symbol are multiplied from a minute on."""

    source: PriceSource
    symbol: str
    since: datetime
    """The start of the first minute that is scaled."""
    factor: Decimal

    def price(self, symbol: str, at: datetime) -> Decimal | None:
        """Give the scaled price, to the cent (below 1 USD to a hundredth of one), never 0."""
        price = self.source.price(symbol, at)
        if symbol != self.symbol or price is None or at < self.since:
            return price
        return scaled(price, self.factor)

    def crossing(
        self, symbol: str, start: datetime, end: datetime, level: Decimal, falling: bool
    ) -> datetime | None:
        """Find the first minute that reaches a level, before the change and then after it."""
        if symbol != self.symbol:
            return self.source.crossing(symbol, start, end, level, falling)
        before = min(end, self.since - MINUTE)
        if start <= before:
            found = self.source.crossing(symbol, start, before, level, falling)
            if found is not None:
                return found
        first = max(floor_minute(start), self.since)
        return scaled_crossing(self.source, symbol, first, end, level, falling, self.factor)

    def daily_volume(self, symbol: str, day: datetime) -> int:
        """Give the day's shares; as many more as the price is lower."""
        volume = self.source.daily_volume(symbol, day)
        if symbol != self.symbol or day < self.since:
            return volume
        return int(volume / self.factor)

    def symbols(self) -> tuple[str, ...]:
        """List what the source brings."""
        return self.source.symbols()


@dataclass(frozen=True, slots=True)
class FollowingPrices(PriceSource):
    """A source with one more symbol, which follows another one's path at all times."""

    source: PriceSource
    symbol: str
    followed: str
    factor: Decimal = ONE
    """The new symbol's price over that of the followed one."""

    def price(self, symbol: str, at: datetime) -> Decimal | None:
        """Give the price, the new symbol's after the one that it follows."""
        if symbol != self.symbol:
            return self.source.price(symbol, at)
        price = self.source.price(self.followed, at)
        return None if price is None else scaled(price, self.factor)

    def crossing(
        self, symbol: str, start: datetime, end: datetime, level: Decimal, falling: bool
    ) -> datetime | None:
        """Find the first minute that reaches a level."""
        if symbol != self.symbol:
            return self.source.crossing(symbol, start, end, level, falling)
        return scaled_crossing(self.source, self.followed, start, end, level, falling, self.factor)

    def daily_volume(self, symbol: str, day: datetime) -> int:
        """Give the day's shares, the new symbol's after the one that it follows."""
        return self.source.daily_volume(self.followed if symbol == self.symbol else symbol, day)

    def symbols(self) -> tuple[str, ...]:
        """List what the source brings, and the new symbol."""
        return (*self.source.symbols(), self.symbol)


def scaled(price: Decimal, factor: Decimal) -> Decimal:
    """Multiply a price, rounded to the step that prices of its size have, never to 0."""
    if factor == ONE:
        return price
    exact = price * factor
    step = _step(exact)
    return max(step, exact.quantize(step, rounding=ROUND_HALF_UP))


def scaled_crossing(
    source: PriceSource,
    symbol: str,
    start: datetime,
    end: datetime,
    level: Decimal,
    falling: bool,
    factor: Decimal,
) -> datetime | None:
    """Find the first minute from start to end whose scaled price reaches a level.

    The source is searched with a level that errs on the side of yes by the rounding; what it
    finds is looked at exactly.
    """
    slack = ZERO if factor == ONE else _step(level)
    wanted = (level + slack if falling else level - slack) / factor
    while start <= end:
        found = source.crossing(symbol, start, end, wanted, falling)
        if found is None:
            return None
        price = source.price(symbol, found)
        assert price is not None, f"{found} was found by its price"
        exact = scaled(price, factor)
        if exact <= level if falling else exact >= level:
            return found
        start = found + MINUTE
    return None


def factor_since(prices: PriceSource, symbol: str, at: datetime) -> Decimal:
    """Give what a price of a time is multiplied by to compare it with prices of the present."""
    total = ONE
    while isinstance(prices, ScaledPrices | FollowingPrices):
        if prices.symbol == symbol and isinstance(prices, FollowingPrices):
            symbol = prices.followed
        elif prices.symbol == symbol and isinstance(prices, ScaledPrices) and prices.since > at:
            total *= prices.factor
        prices = prices.source
    return total


def _step(price: Decimal) -> Decimal:
    return CENT if price >= ONE else _FINE
