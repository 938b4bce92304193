"""A reproducible random walk that is a pure function of time: value noise on nested time scales.

Each scale is a line through random points. The points of a scale lie eight times as far apart as
those of the scale below and are sqrt(8) times as high, so the sum moves with the square root of
time as a random walk does, yet any minute costs the same few look-ups and needs no earlier one.

Only additions, multiplications, divisions and one square root of floats are used, which are the
same on every platform; the logarithms and exponentials of the C library are not.
"""

from __future__ import annotations

import hashlib
import struct
from functools import lru_cache
from math import sqrt
from typing import Final

TICKS: Final = 120
"""Ticks a minute: the walk's time is an integer number of ticks since the epoch."""

_LEVELS: Final = 8
"""Scales from 1 minute to 8**7 minutes, about four years."""

_SPACING: Final = tuple(TICKS * 8**level for level in range(_LEVELS))
_DAY_DEVIATION: Final = 25.0
"""Standard deviation of the bare sum's move over 1,440 minutes, measured."""
_HEIGHT: Final = tuple(
    8.0 ** (level // 2) * (sqrt(8.0) if level % 2 else 1.0) / _DAY_DEVIATION
    for level in range(_LEVELS)
)
_CELLS_KEPT: Final = 8_192
"""Cells a scale that are remembered; a bound on memory, not on time."""

Cell = tuple[float, float]
"""One stretch of one scale: its height at the left end, and its slope a tick."""


class Walk:
    """The walk of one symbol under one seed. It remembers what it computed, nothing else."""

    def __init__(self, seed: int, symbol: str) -> None:
        """Make the walk; two seeds or two symbols are independent."""
        self._name = f"{seed}/{symbol}"
        self._cells: tuple[dict[int, Cell], ...] = tuple({} for _ in range(_LEVELS))
        self._scales = tuple(zip(range(_LEVELS), _SPACING, self._cells, strict=True))

    def height(self, time: int) -> float:
        """Give the log-price at a time in ticks, in units of one day's standard deviation."""
        total = 0.0
        for level, spacing, cells in self._scales:
            index, rest = divmod(time, spacing)
            left, slope = cells.get(index) or self._cell(level, index)
            total += left + slope * rest
        return total

    def bounds(self, start: int, end: int) -> tuple[float, float]:
        """Give a floor and a ceiling of the height between two times in ticks, both included.

        They hold always and grow tight as the interval shrinks below the coarse scales, which is
        what a search for the first crossing needs.
        """
        low = high = 0.0
        for level, spacing, cells in self._scales:
            if end - start > 8 * spacing:
                least, most = -_HEIGHT[level], _HEIGHT[level]
            else:
                first, first_rest = divmod(start, spacing)
                last, last_rest = divmod(end, spacing)
                heights = [
                    (cells.get(index) or self._cell(level, index))[0]
                    for index in range(first + 1, last + 1)
                ]
                for index, rest in ((first, first_rest), (last, last_rest)):
                    left, slope = cells.get(index) or self._cell(level, index)
                    heights.append(left + slope * rest)
                least, most = min(heights), max(heights)
            low += least
            high += most
        return low, high

    def _cell(self, level: int, index: int) -> Cell:
        cells = self._cells[level]
        if len(cells) >= _CELLS_KEPT:
            cells.clear()
        left, right = self._point(level, index), self._point(level, index + 1)
        cells[index] = (left, (right - left) / _SPACING[level])
        return cells[index]

    def _point(self, level: int, index: int) -> float:
        drawn = _points(self._name, level, index >> 3)[index & 7]
        return drawn * _HEIGHT[level]


@lru_cache(maxsize=4_096)
def _points(name: str, level: int, block: int) -> tuple[float, ...]:
    """Draw eight neighboring points of one scale, each from -1 to 1."""
    text = f"{name}/{level}/{block}".encode()
    words = struct.unpack("<8I", hashlib.blake2b(text, digest_size=32).digest())
    return tuple([word / 2147483648.0 - 1.0 for word in words])


@lru_cache(maxsize=1_024)
def walk(seed: int, symbol: str) -> Walk:
    """Give the one walk of a seed and symbol, shared by every exchange of the process."""
    return Walk(seed, symbol)
