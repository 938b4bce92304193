"""How numbers and instants are written for people: one spelling for reports, verdicts, errors."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from executor.model.fields import timestamp_text
from executor.model.numbers import CENT, plain

LARGEST = Decimal(10) ** 20
"""What is larger is no amount that a person would read, and too long to round to the cent."""


def usd(amount: Decimal) -> str:
    """`12,340.00 USD`."""
    if not _is_readable(amount):
        return "without bound"
    return f"{amount.quantize(CENT, rounding=ROUND_HALF_UP):,} USD"


def percent(value: Decimal) -> str:
    """`35 %`, to two decimals where there are any."""
    if not _is_readable(value):
        return "without bound"
    return f"{plain(value.quantize(CENT, rounding=ROUND_HALF_UP))} %"


def shares(quantity: Decimal) -> str:
    """`84.48 shares`."""
    return f"{plain(quantity)} shares" if quantity != 1 else "1 share"


def instant(moment: datetime) -> str:
    """`2026-01-14T13:45:00Z`, to the second."""
    return timestamp_text(moment.replace(microsecond=0))


def _is_readable(value: Decimal) -> bool:
    return value.is_finite() and abs(value) < LARGEST


def count(number: int, noun: str) -> str:
    """`1 order`, `2 orders`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
