"""Amounts, holdings and times as a phone shows them: short, by New York's clock and the owner's."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from executor.decisions.outlook import Holding, Outlook
from executor.model.context import Context
from executor.model.fields import is_ticker, parse_timestamp
from executor.model.numbers import HUNDRED, ZERO, plain
from executor.reports.markdown import cell, details, table

BAR: Final = 20
"""Characters of a bar of the chart; a full one is the limit."""

_INSTANT: Final = re.compile(r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")

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

    def dated(self, moment: datetime) -> str:
        """`Thu 15 Jan 16:00 ET`, for what is read on another day."""
        return f"{_date(moment.astimezone(self.eastern))}{moment.astimezone(self.eastern):%H:%M} ET"

    def told(self, text: str, now: datetime) -> str:
        """A sentence of ours with its instants by New York's clock: one clock in one comment."""
        return _INSTANT.sub(lambda found: self._turned(found.group(), now), text)

    def _turned(self, text: str, now: datetime) -> str:
        try:
            return self.short(parse_timestamp(text), now)
        except (ValueError, OverflowError):
            return text

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
    return _date(there)


def _date(there: datetime) -> str:
    return f"{_DAYS[there.weekday()]} {there.day} {_MONTHS[there.month - 1]} "


def positions(context: Context, found: Outlook, most: int) -> str:
    """What is held before and after, and the limits that the whole account is held to."""
    limit = context.limits.position_max_pct
    rows = [
        (
            cell(one.symbol, 20),
            plain(one.before),
            plain(one.after),
            whole_usd(one.value_after),
            part(found.share(abs(one.value_after))),
            "no stop"
            if one.stop_loss_after is None or one.withdrawn
            else whole_usd(-one.stop_loss_after),
        )
        for one in _largest(found.holdings)[:most]
    ]
    columns = ("symbol", "shares before", "after", "worth", "of equity", "if its stops fill")
    text = table(columns, rows, frozenset(columns[1:])) if rows else "nothing is held"
    if len(found.holdings) > most:
        text += f"\n\n{len(found.holdings) - most:,} smaller ones are left out."
    told = [f"- a holding: at most {part(limit)} of equity"] if limit is not None else []
    told += [
        f"- {name}: {before} → {after}, limit {most_allowed}"
        for name, before, after, most_allowed in limit_lines(context, found)
    ]
    return details("Positions and limits, before → after", "\n".join((*told, "", text)))


def limit_lines(context: Context, found: Outlook) -> tuple[tuple[str, str, str, str], ...]:
    """Name, before, after and limit of what the whole account is held to."""
    limits, rows = context.limits, []
    if limits.margin_use_max_pct is not None:
        allowed = limits.margin_use_max_pct if context.settings.margin.allowed else ZERO
        debit = [
            part(found.share(max(-one, ZERO))) for one in (found.cash_before, found.cash_after)
        ]
        rows.append(("debit", debit[0], debit[1], f"{part(allowed)} of equity"))
    if limits.exposure_max_x is not None:
        gross = [part(found.share(one)) for one in (found.gross_before, found.gross_after)]
        most = f"{part(limits.exposure_max_x * HUNDRED)} of equity"
        rows.append(("gross exposure", gross[0], gross[1], most))
    return tuple(rows)


def chart(context: Context, found: Outlook, most: int) -> str:
    """Bars in text: GitHub's apps show other charts as their source."""
    limit = context.limits.position_max_pct or HUNDRED
    bars = []
    for one in _largest(found.holdings)[: min(most, 40)]:
        share = found.share(abs(one.value_after))
        filled = min(int(share * BAR / limit), BAR) if share.is_finite() else BAR
        symbol = one.symbol if is_ticker(one.symbol) else "?"
        bars.append(f"{symbol:<8} {'█' * filled}{'░' * (BAR - filled)} {part(share)}")
    text = "\n".join(bars) or "nothing is held"
    title = f"Holdings after it; a full bar is {part(limit)} of equity"
    return details(title, f"```text\n{text}\n```")


def _largest(holdings: Iterable[Holding]) -> list[Holding]:
    return sorted(holdings, key=lambda one: (-abs(one.value_after), one.symbol))
