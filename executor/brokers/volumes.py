"""Average daily volumes from daily bars, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from executor.brokers.parsing import Row, Unreadable, rounded, rows_of
from executor.brokers.questions import Question, Questions
from executor.brokers.shapes import daily_bar
from executor.errors import BrokerUnavailable
from executor.model.fields import timestamp_text
from executor.model.numbers import ZERO

BARS: Final = 20
"""Bars in the mean."""

DAYS: Final = timedelta(days=40)
"""Long enough for 20 sessions with any holidays among them."""

DAY: Final = timedelta(days=1)

PAGES_MAX: Final = 50
"""A page holds 10,000 bars, more than 100 symbols have; more pages never end."""

Bars = dict[str, list[tuple[datetime, Decimal]]]


@dataclass(frozen=True, slots=True)
class _Page:
    bars: Bars
    token: str | None


def average_volumes(
    questions: Questions, chunks: Sequence[Sequence[str]], now: datetime, feed: str
) -> dict[str, Decimal]:
    """Average the volumes of the last complete days; a symbol without any is absent.

    Args:
        questions: What asks.
        chunks: Symbols, as many together as one request names.
        now: The present: a day is complete when it is over.
        feed: Source of the bars.

    Raises:
        BrokerUnavailable: No usable answer, or pages that do not end.
        BrokerRefused: A definite no.
    """
    bars = _bars(questions, [_query(symbols, now, feed) for symbols in chunks])
    averages: dict[str, Decimal] = {}
    for symbol in (one for symbols in chunks for one in symbols):
        # A bar starts at its exchange's midnight, so a day later its session is over.
        complete = sorted(one for one in bars.get(symbol, []) if one[0] + DAY <= now)[-BARS:]
        if complete:
            total = sum((volume for _, volume in complete), ZERO)
            averages[symbol] = rounded(total / len(complete))
    return averages


def _query(symbols: Sequence[str], now: datetime, feed: str) -> dict[str, str]:
    return {
        "symbols": ",".join(symbols),
        "timeframe": "1Day",
        "start": timestamp_text(now - DAYS),
        "limit": "10000",
        # Volumes in the shares of today, also across a split.
        "adjustment": "split",
        "feed": feed,
    }


def _bars(questions: Questions, queries: list[dict[str, str]]) -> Bars:
    """Ask all queries at once, then for the next page of those that have one."""
    found: Bars = {}
    for _ in range(PAGES_MAX):
        pages = questions.ask_all(
            [Question("daily bars", "data", "/v2/stocks/bars", one, _page) for one in queries]
        )
        for page in pages:
            for symbol, bars in page.bars.items():
                found.setdefault(symbol, []).extend(bars)
        queries = [
            {**query, "page_token": page.token}
            for query, page in zip(queries, pages, strict=True)
            if page.token is not None
        ]
        if not queries:
            return found
    raise BrokerUnavailable("daily bars, broker's market data: pages without end; run again")


def _page(tree: object) -> _Page:
    row = Row(tree, "the answer")
    table, token = row.raw("bars"), row.raw("next_page_token")
    if table is not None and not isinstance(table, dict):
        raise Unreadable("`bars` of the answer is no object")
    if token is not None and not isinstance(token, str):
        raise Unreadable("`next_page_token` of the answer is no text")
    bars = {
        symbol: [daily_bar(one) for one in rows_of(listed or [], "bars")]
        for symbol, listed in (table or {}).items()
    }
    return _Page(bars, token or None)
