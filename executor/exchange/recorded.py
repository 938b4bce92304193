"""Prices from a recorded file: a step function for each symbol, for replays and exact tests."""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

from executor.errors import UsageError
from executor.exchange.prices import PriceSource, floor_minute

Step = tuple[datetime, Decimal]


class RecordedPrices(PriceSource):
    """The last recorded price at or before the end of a minute; none before the first.

    The file is one JSON object. `prices` maps a symbol to its steps, ascending in time, each a
    list of a time and a price in USD; `volumes` (optional) maps a symbol to its daily shares.

        {"prices": {"MU": [["2026-01-14T13:45:00Z", "331.44"]]}, "volumes": {"MU": 25000000}}
    """

    def __init__(self, recorded: str | Path | Mapping[str, object]) -> None:
        """Read the prices.

        Args:
            recorded: The file's path, or its content as parsed JSON.

        Raises:
            UsageError: The file cannot be read, or its content is not as described above.
        """
        where = "recorded prices"
        content: object = recorded
        if not isinstance(recorded, Mapping):
            where = f"recorded prices {recorded}"
            content = _read(Path(recorded), where)
        prices = content.get("prices") if isinstance(content, Mapping) else None
        if not isinstance(content, Mapping) or not isinstance(prices, Mapping):
            raise UsageError(f"{where}: no object 'prices'; give symbols with their steps")
        unknown = sorted(set(content) - {"prices", "volumes"})
        if unknown:
            raise UsageError(f"{where}: unknown key {unknown[0]!r}; known are prices and volumes")
        self._steps = {
            str(symbol): _steps(steps, f"{where}: {symbol}") for symbol, steps in prices.items()
        }
        self._times = {symbol: [time for time, _ in steps] for symbol, steps in self._steps.items()}
        self._volumes = _volumes(content.get("volumes", {}), where)

    def price(self, symbol: str, at: datetime) -> Decimal | None:
        """Give the last step at or before the minute that contains a time; None before it."""
        steps = self._steps.get(symbol)
        if steps is None:
            return None
        index = self._count_until(symbol, at)
        return steps[index - 1][1] if index else None

    def crossing(
        self, symbol: str, start: datetime, end: datetime, level: Decimal, falling: bool
    ) -> datetime | None:
        """Find the first minute that reaches a level, going from step to step."""
        price = self.price(symbol, start)
        if price is not None and _reached(price, level, falling):
            return floor_minute(start)
        steps = self._steps.get(symbol, [])
        for time, price in steps[self._count_until(symbol, start) :] if steps else []:
            minute = floor_minute(time)
            if minute > end:
                return None
            # Two steps within one minute: only the later one is a price of that minute.
            if self.price(symbol, minute) == price and _reached(price, level, falling):
                return minute
        return None

    def daily_volume(self, symbol: str, day: datetime) -> int:
        """Give the recorded daily shares, a million where the file names none."""
        return self._volumes.get(symbol, 1_000_000 if symbol in self._steps else 0)

    def symbols(self) -> tuple[str, ...]:
        """List the symbols of the file."""
        return tuple(self._steps)

    def _count_until(self, symbol: str, at: datetime) -> int:
        """Count the steps up to the end of the minute that contains a time."""
        last = floor_minute(at).replace(second=59, microsecond=999_999)
        return bisect_right(self._times[symbol], last)


def _reached(price: Decimal, level: Decimal, falling: bool) -> bool:
    return price <= level if falling else price >= level


def _read(path: Path, where: str) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except OSError as error:
        raise UsageError(f"{where}: cannot be read ({error.strerror}); check the path") from error
    except ValueError as error:
        raise UsageError(f"{where}: is not JSON ({error}); record it again") from error


def _steps(raw: object, where: str) -> list[Step]:
    if not isinstance(raw, list) or not raw:
        raise UsageError(f"{where}: has no steps; give at least one [time, price]")
    steps = [_step(one, f"{where}[{index}]") for index, one in enumerate(raw)]
    times = [time for time, _ in steps]
    for index in range(1, len(times)):
        if bisect_left(times, times[index], 0, index) != index:
            raise UsageError(f"{where}[{index}]: {raw[index][0]} is not later; sort by time")
    return steps


def _step(raw: object, where: str) -> Step:
    if not isinstance(raw, (list, tuple)) or len(raw) != 2 or not isinstance(raw[0], str):
        raise UsageError(f"{where}: {raw!r} is no step; give [time, price]")
    try:
        time = datetime.fromisoformat(raw[0].replace("Z", "+00:00"))
    except ValueError as error:
        raise UsageError(f"{where}: {raw[0]!r} is no time; write 2026-01-14T13:45:00Z") from error
    try:
        price = Decimal(str(raw[1]))
    except InvalidOperation as error:
        raise UsageError(f"{where}: {raw[1]!r} is no price; write it in USD") from error
    if not price.is_finite() or price <= 0:
        raise UsageError(f"{where}: price {raw[1]}, limit above 0; correct it")
    return (time if time.tzinfo else time.replace(tzinfo=UTC)), price


def _volumes(raw: object, where: str) -> dict[str, int]:
    if not isinstance(raw, Mapping):
        raise UsageError(f"{where}: 'volumes' is no object; give symbols with daily shares")
    for symbol, shares in raw.items():
        if not isinstance(shares, int) or isinstance(shares, bool) or shares < 0:
            raise UsageError(f"{where}: volume of {symbol}: {shares!r}; give whole shares a day")
    return dict(raw)
