"""The one grammar for numbers: exact decimals, bounded, written plainly.

Every number of every document is a `Decimal` from its text to its last use; no float ever stands
between a file and an order.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Final

MAGNITUDE_LIMIT: Final = Decimal(10) ** 12
"""Every number lies strictly between minus and plus this."""

DECIMALS_MAX: Final = 9
"""Most digits after the point: what Alpaca accepts for a fractional quantity."""

DIGITS: Final = 28
"""Significant digits of decimal arithmetic in Python."""

CENT: Final = Decimal("0.01")
NANO: Final = Decimal("0.000000001")
ZERO: Final = Decimal(0)
ONE: Final = Decimal(1)
HUNDRED: Final = Decimal(100)
BASIS_POINTS: Final = Decimal(10_000)


def plain(value: Decimal | int) -> str:
    """Write a number in normalised plain decimal: no exponent, no trailing zeros, no minus zero.

    `Decimal("84.480")` gives `"84.48"`, `Decimal("1E+3")` gives `"1000"`, `Decimal("-0.0")` gives
    `"0"`.
    """
    if isinstance(value, int):
        return str(value)
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def is_bounded(value: Decimal | int) -> bool:
    """Say whether a number is finite, below the magnitude limit and has at most nine decimals."""
    if isinstance(value, int):
        return -MAGNITUDE_LIMIT < value < MAGNITUDE_LIMIT
    if not value.is_finite():
        return False
    # adjusted() first: it is cheap for 1e400, where arithmetic would raise or allocate.
    if value and not -DECIMALS_MAX - 1 < value.adjusted() < 12:
        return False
    return value == value.quantize(NANO)


def decimals(value: Decimal) -> int:
    """Count the significant digits after the point: 2 for `84.480`, 0 for `1E+3`."""
    _sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int), "only finite numbers reach this"
    if exponent >= 0 or not any(digits):
        return 0
    trailing = next(count for count, digit in enumerate(reversed(digits)) if digit)
    return max(0, -exponent - trailing)


def cents(value: Decimal) -> Decimal:
    """Round an amount of USD to the cent, halves away from zero."""
    return _rounded(value, CENT, ROUND_HALF_UP)


def cents_down(value: Decimal) -> Decimal:
    """Round to two decimals toward zero: for advice that has to be true."""
    return _rounded(value, CENT, ROUND_DOWN)


def nanos(value: Decimal) -> Decimal:
    """Round to nine decimals, halves away from zero: the finest number that a document holds."""
    return _rounded(value, NANO, ROUND_HALF_UP)


def _rounded(value: Decimal, step: Decimal, rounding: str) -> Decimal:
    # What fills all digits of the arithmetic has no finer decimals, and `quantize` would refuse it.
    if value.adjusted() - step.adjusted() >= DIGITS:
        return value
    return value.quantize(step, rounding=rounding)
