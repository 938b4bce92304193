"""Amounts and times as a phone shows them: short, in New York's time and the owner's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from executor.model.numbers import ZERO, plain

_STEPS: Final = (
    (Decimal(999_950_000), Decimal(10) ** 9, "b"),
    (Decimal(999_950), Decimal(10) ** 6, "m"),
    (Decimal("999.5"), Decimal(10) ** 3, "k"),
)
"""From where on, in USD, which unit: what would round up to the next one is written in that."""


def short_usd(amount: Decimal) -> str:
    """`$950`, `$28.0k`, `$1.2m`; a minus sign in front."""
    size = abs(amount)
    sign = "-" if amount < 0 else ""
    for least, step, letter in _STEPS:
        if size >= least:
            return f"{sign}${(size / step).quantize(Decimal('0.1'), ROUND_HALF_UP)}{letter}"
    return f"{sign}${size.quantize(Decimal(1), ROUND_HALF_UP)}"


def whole_usd(amount: Decimal) -> str:
    """`28,003 USD`, to the dollar: enough where an amount is an estimate."""
    whole = amount.quantize(Decimal(1), ROUND_HALF_UP)
    return f"{whole if whole else ZERO:,} USD"


def part(percent: Decimal) -> str:
    """`12.5 %`, to one decimal."""
    if not percent.is_finite():
        return "without bound"
    return f"{plain(percent.quantize(Decimal('0.1'), ROUND_HALF_UP))} %"


@dataclass(frozen=True, slots=True)
class Zones:
    """The clocks that times are told by; which zones these are is the caller's."""

    eastern: tzinfo
    owner: tzinfo
    name: str
    """The owner's zone by its IANA name; New York's own is not told twice."""

    def short(self, moment: datetime, now: datetime) -> str:
        """`16:00 ET`, on another day `Thu 15 Jan 16:00 ET`."""
        return f"{_day(moment, now, self.eastern)}{moment.astimezone(self.eastern):%H:%M} ET"

    def both(self, moment: datetime, now: datetime) -> str:
        """The same with the owner's clock beside it: `16:00 ET (22:00 Berlin)`."""
        told = self.short(moment, now)
        here = moment.astimezone(self.owner)
        if here.utcoffset() == moment.astimezone(self.eastern).utcoffset():
            return told
        place = self.name.rpartition("/")[2].replace("_", " ")
        return f"{told} ({_day(moment, now, self.owner)}{here:%H:%M} {place})"


_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = (
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
)


def _day(moment: datetime, now: datetime, zone: tzinfo) -> str:
    """The day where it is not today's; the machine's language has no say in its name."""
    there = moment.astimezone(zone)
    if there.date() == now.astimezone(zone).date():
        return ""
    return f"{_DAYS[there.weekday()]} {there.day} {_MONTHS[there.month - 1]} "
