"""The account's equity at past closes, as the broker keeps it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from executor.brokers.parsing import Row, Unreadable, as_number
from executor.brokers.questions import Questions
from executor.model.fields import timestamp_text
from executor.model.order import EquityPoint

_YEAR_3000: Final = 32_503_680_000
"""Seconds since the epoch; beyond it a count is of something else."""


def equity_history(questions: Questions, since: datetime, now: datetime) -> tuple[EquityPoint, ...]:
    """Ask for the equity at the close of each session in a stretch of time, the oldest first.

    Days before the account was funded are left out, and so is the session that is not over yet.

    Raises:
        BrokerUnavailable: No usable answer.
        BrokerRefused: A definite no.
    """
    if since >= now:
        return ()
    query = {
        "timeframe": "1D",
        "start": timestamp_text(since),
        # Without an end the broker tells one month (Alpaca: Account Portfolio History).
        "end": timestamp_text(now),
    }
    path = "/v2/account/portfolio/history"
    told = questions.ask("the equity so far", "trading", path, query, _points)
    past = [one for one in told if since <= one.at <= now]
    first = next((place for place, one in enumerate(past) if one.equity > 0), len(past))
    return tuple(past[first:])


def _points(tree: object) -> list[EquityPoint]:
    row = Row(tree, "the equity so far")
    times, values = row.raw("timestamp") or [], row.raw("equity") or []
    if not isinstance(times, list) or not isinstance(values, list) or len(times) != len(values):
        raise Unreadable("`timestamp` and `equity` of the equity so far are no two equal lists")
    points = [
        EquityPoint(_moment(at), _number(value))
        for at, value in zip(times, values, strict=True)
        if value is not None
    ]
    return sorted(points, key=lambda one: one.at)


def _moment(value: object) -> datetime:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _YEAR_3000:
        return datetime.fromtimestamp(value, UTC)
    raise Unreadable("`timestamp` of the equity so far holds no time")


def _number(value: object) -> Decimal:
    number = as_number(value)
    if number is None:
        raise Unreadable("`equity` of the equity so far holds no number")
    return number
