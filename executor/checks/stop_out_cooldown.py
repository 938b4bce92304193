"""After several stop-outs of a symbol or a book, nothing of it is opened for some days."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from executor.model.context import Context
from executor.model.rule import Finding, Rule, no
from executor.model.words import instant


def judge(context: Context) -> Iterator[Finding]:
    """Count the stop-outs of each opening's symbol, in any book, and of the plan's book."""
    record = context.facts.record
    assert record is not None, "`record` is among the needs"
    stop_outs = record.stop_outs
    of_book = [when for book, _, when in stop_outs if book == context.book]
    for line in context.openings:
        of_symbol = [when for _, symbol, when in stop_outs if symbol == line.symbol]
        for whose, times in ((line.symbol, of_symbol), (f"book {context.book}", of_book)):
            count, until = _cooling(context, times)
            if until is not None:
                yield no(
                    line,
                    observed=f"{whose}: {count} stop-outs in {_days(context)}",
                    limit=f"fewer than {_enough(context)}",
                    remedy=f"wait until {instant(until)}",
                )


def _cooling(context: Context, times: list[datetime]) -> tuple[int, datetime | None]:
    """Give the stop-outs in the window, and until when they are too many (None: they are not)."""
    window = timedelta(days=_window(context))
    recent = sorted(when for when in times if context.facts.now - when < window)
    over = len(recent) - _enough(context)
    # One second later than the instant itself, which is told to the second.
    return len(recent), recent[over] + window + timedelta(seconds=1) if over >= 0 else None


def _enough(context: Context) -> int:
    most = context.limits.stop_outs_max
    assert most is not None, "a check without its limit is off and not asked"
    return max(1, most)


def _window(context: Context) -> int:
    days = context.limits.stop_out_window_days
    assert days is not None, "a check without its limit is off and not asked"
    return days


def _days(context: Context) -> str:
    days = _window(context)
    return f"{days} days" if days != 1 else "1 day"


RULE = Rule(id="stop_out_cooldown", judge=judge, needs=frozenset({"record"}))
