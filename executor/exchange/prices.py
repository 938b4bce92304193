"""Where the exchange's prices come from: the port, the seeded path, and the spread around a price.

Prices change from minute to minute and stand still within one.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple, Protocol

from executor.exchange.noise import TICKS, Walk, walk
from executor.exchange.universe import INSTRUMENTS, Instrument
from executor.model.numbers import CENT, cents

DEFAULT_SEED: Final = 2030
"""The seed whose MU rises 15 % over 331.44 within two months and never falls 8 % before that."""

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE: Final = timedelta(minutes=1)
DAY_MINUTES: Final = 1_440

ANCHOR: Final = datetime(2026, 1, 14, 13, 45, tzinfo=UTC)
"""When every seeded price is exactly the base price of its instrument, whatever the seed."""

_QUIET_START: Final = (datetime(2026, 1, 14, tzinfo=UTC) - EPOCH) // MINUTE
_QUIET_END: Final = _QUIET_START + DAY_MINUTES
_DRIFT: Final = 0.07 / (365 * DAY_MINUTES * TICKS) / 1024
"""A 1,024th of the growth of the log-price a tick: 7 % a year."""


class Quote(NamedTuple):
    """The best offers at a moment, USD a share."""

    bid: Decimal
    ask: Decimal


class PriceSource(Protocol):
    """Prices over time. A subclass needs `price` only; the rest has slow or plain defaults."""

    def price(self, symbol: str, at: datetime) -> Decimal | None:
        """Give the last trade's price in USD in the minute that contains a time.

        None where the symbol is unknown or has no price yet.
        """
        ...

    def crossing(
        self, symbol: str, start: datetime, end: datetime, level: Decimal, falling: bool
    ) -> datetime | None:
        """Find the first minute from start to end, both included, that reaches a level.

        Args:
            symbol: Whose price.
            start: The first minute looked at.
            end: The last one.
            level: USD a share.
            falling: True looks for a price at or below the level, False at or above it.

        Returns:
            The start of that minute, or None.
        """
        minute = floor_minute(start)
        while minute <= end:
            price = self.price(symbol, minute)
            if price is not None and (price <= level if falling else price >= level):
                return minute
            minute += MINUTE
        return None

    def daily_volume(self, symbol: str, day: datetime) -> int:
        """Give the shares traded in all on the UTC day that contains a time."""
        return 1_000_000

    def symbols(self) -> tuple[str, ...]:
        """List the symbols that this source brings beyond the exchange's own table."""
        return ()


def floor_minute(at: datetime) -> datetime:
    """Give the start of the minute that contains a time."""
    return at.replace(second=0, microsecond=0)


def half_spread(price: Decimal) -> Decimal:
    """Give the distance from the last price to the bid and to the ask.

    Half a basis point of the price, at least one cent (a hundredth of one below 1 USD, where
    prices have four decimals).
    """
    if price < 1:
        return Decimal("0.0001")
    return max(CENT, cents(price / 20_000))


def quote_at(price: Decimal) -> Quote:
    """Give the bid and the ask around a last price."""
    half = half_spread(price)
    return Quote(max(price - half, half), price + half)


class SeededPrices(PriceSource):
    """A price path for every instrument of the table: a pure function of seed, symbol, minute.

    Every path passes through the base price at the anchor, and the UTC day of the anchor is a
    quiet one: time runs at 1/120 of its pace, so that prices stay within 1 % of the base for
    every seed and a first plan meets the prices that it was written for.
    """

    def __init__(self, seed: int = DEFAULT_SEED) -> None:
        """Choose the path."""
        self._seed = seed
        self._paths: dict[str, _Path] = {}

    def price(self, symbol: str, at: datetime) -> Decimal | None:
        """Give the price in USD to the cent, at least 1, in the minute that contains a time."""
        path = self._path(symbol)
        if path is None:
            return None
        return Decimal(path.cents_at((at - EPOCH) // MINUTE)).scaleb(-2)

    def crossing(
        self, symbol: str, start: datetime, end: datetime, level: Decimal, falling: bool
    ) -> datetime | None:
        """Find the first minute that reaches a level, by halving: months cost milliseconds."""
        path = self._path(symbol)
        if path is None:
            return None
        wanted = float(level * 100)
        pending = [((start - EPOCH) // MINUTE, (end - EPOCH) // MINUTE)]
        while pending:
            first, last = pending.pop()
            if first > last or not path.may_reach(first, last, wanted, falling):
                continue
            if last == first:
                return EPOCH + first * MINUTE
            middle = (first + last) // 2
            pending += [(middle + 1, last), (first, middle)]
        return None

    def daily_volume(self, symbol: str, day: datetime) -> int:
        """Give the day's shares: the instrument's average, 40 % more or less."""
        instrument = INSTRUMENTS.get(symbol)
        if instrument is None:
            return 0
        text = f"{self._seed}/{symbol}/volume/{(day - EPOCH).days}".encode()
        drawn = int.from_bytes(hashlib.blake2b(text, digest_size=2).digest(), "big")
        return instrument.daily_volume * (60_000 + 80_000 * drawn // 65_535) // 100_000

    def _path(self, symbol: str) -> _Path | None:
        path = self._paths.get(symbol)
        if path is None and symbol in INSTRUMENTS:
            path = self._paths[symbol] = _Path(INSTRUMENTS[symbol], walk(self._seed, symbol))
        return path


class _Path:
    """The price path of one instrument."""

    def __init__(self, instrument: Instrument, heights: Walk) -> None:
        self._heights = heights
        self._origin = heights.height(_ANCHOR_TICKS)
        self._base_cents = float(instrument.base_price * 100)
        self._step = instrument.daily_volatility / 1024

    def cents_at(self, minute: int) -> int:
        time = _ticks(minute)
        return self._cents(self._heights.height(time), time)

    def may_reach(self, first: int, last: int, wanted: float, falling: bool) -> bool:
        """Say whether some minute from first to last can be at a level in cents.

        For one minute the answer is exact; for more it errs on the side of yes, by a cent more
        than the bounds do, which covers the last digit of a float.
        """
        if first == last:
            exact = self.cents_at(first)
            return exact <= wanted if falling else exact >= wanted
        low, high = self._heights.bounds(_ticks(first), _ticks(last))
        if falling:
            return self._cents(low, _ticks(first)) - 1 <= wanted
        return self._cents(high, _ticks(last)) + 1 >= wanted

    def _cents(self, height: float, time: int) -> int:
        """Turn a height into a price: compound growth, rounded, at least 100 cents.

        (1 + x / 1024) ** 1024 by ten squarings stands in for exp(x): monotone, and without libm.
        """
        growth = 1.0 + (height - self._origin) * self._step + _DRIFT * (time - _ANCHOR_TICKS)
        for _ in range(10):
            growth *= growth
        return max(100, int(self._base_cents * growth + 0.5))


def _ticks(minute: int) -> int:
    """Map a minute to the walk's time, slowed to one tick a minute over the quiet day."""
    if minute < _QUIET_START:
        return minute * TICKS
    if minute < _QUIET_END:
        return _QUIET_START * TICKS + (minute - _QUIET_START)
    return (minute - DAY_MINUTES) * TICKS + DAY_MINUTES


_ANCHOR_TICKS: Final = _ticks((ANCHOR - EPOCH) // MINUTE)
