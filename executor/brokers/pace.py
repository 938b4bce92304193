"""Keeps to the broker's rate limit by what its own headers say, with several requests under way.

The broker counts requests, not orders, in windows that end at a moment it names. An answer tells
what was left when it was counted; requests under way may or may not be in that number, so each of
them is taken off it. A window is thus spent to its last request and never beyond.
"""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from enum import Enum
from threading import Condition
from typing import Final

from executor.brokers.transport import Answer
from executor.ports import Clock

WAIT_MAX_SECONDS: Final = 90.0
"""The broker counts in minutes; a reset further away is a clock that is wrong."""

WAIT_MIN_SECONDS: Final = 1.0
"""After a 429 at least this long, also where its reset has passed by our clock."""

MARGIN_SECONDS: Final = 0.25
"""Waited beyond a reset, for two clocks that do not agree to the last bit."""

SKEW_IGNORED_SECONDS: Final = 5.0
"""Clocks that agree to so much count as the same one."""

_COUNT: Final = re.compile(r"[0-9]{1,12}")


class _Left(Enum):
    """What is left where no number is known."""

    UNKNOWN = "unknown"
    """Nothing was told in this window: one request goes ahead alone, and its answer tells."""
    UNLIMITED = "unlimited"
    """The broker answers and names no limit."""


class Pace:
    """Says when the next request may go; several threads share one."""

    def __init__(self, clock: Clock) -> None:
        """Know nothing yet: the first answer tells."""
        self._clock = clock
        self._left: int | _Left = _Left.UNKNOWN
        """Requests that were left by the newest word about this window."""
        self._reset = 0.0
        """The window's end as the broker named it, seconds since the epoch."""
        self._skew = 0.0
        """Seconds by which our clock is ahead of the broker's, by the date of its answers."""
        self._under_way = 0
        self._answered = Condition()

    def take(self) -> None:
        """Take the right to send one request, waiting for it; `note` gives it back."""
        while True:
            with self._answered:
                while (pause := self._reserve()) and self._under_way:
                    # An answer that is under way may make room sooner than the clock.
                    self._answered.wait()
            if not pause:
                return
            self._clock.sleep(pause)

    def reserve(self) -> float:
        """Take the right to send one request, where there is one.

        Returns:
            0 where it was taken; `note` gives it back. Else the seconds, above 0, until it is
            worth asking again; an answer that comes in earlier may make room as well.
        """
        with self._answered:
            return self._reserve()

    def _reserve(self) -> float:
        left = self._left
        seconds = self._reset + MARGIN_SECONDS - self._now()
        if isinstance(left, int) and left <= self._under_way and seconds <= 0:
            # Another window: what is left there, only its own answers say.
            left = self._left = _Left.UNKNOWN
        if left is _Left.UNLIMITED or self._under_way < (1 if left is _Left.UNKNOWN else left):
            self._under_way += 1
            return 0.0
        return max(MARGIN_SECONDS, seconds)

    def note(self, answer: Answer | None) -> None:
        """Give a right back and remember what the answer says; None where there was none."""
        with self._answered:
            self._note(answer)
            self._answered.notify_all()

    def _note(self, answer: Answer | None) -> None:
        self._under_way -= 1
        assert self._under_way >= 0, "an answer belongs to a request"
        if answer is not None:
            self._compare_clocks(answer)
        if answer is None:
            if isinstance(self._left, int):
                # It may have been counted, and no answer will say so.
                self._left = max(0, self._left - 1)
            return
        left, reset = _header(answer, "X-RateLimit-Remaining"), _header(answer, "X-RateLimit-Reset")
        if answer.status == 429:
            self._turned_away(reset)
        elif left is not None and reset is not None:
            self._told(left, min(reset, self._now() + WAIT_MAX_SECONDS))
        elif left is None and 200 <= answer.status < 300 and self._left is _Left.UNKNOWN:
            self._left = _Left.UNLIMITED

    def _told(self, left: int, reset: float) -> None:
        if not isinstance(self._left, int) or reset > self._reset:
            self._left = left
        elif reset < self._reset:
            return  # of a window that is over: answers overtake one another
        else:
            self._left = min(left, self._left)
        self._reset = reset

    def _turned_away(self, reset: int | None) -> None:
        """Nothing is left until the reset, whoever has used it up."""
        now = self._now()
        named = now if reset is None else float(reset)
        named = min(now + WAIT_MAX_SECONDS, max(now + WAIT_MIN_SECONDS, named))
        # Several are turned away together; the first of them has named the same moment.
        self._reset = max(self._reset, named) if self._left == 0 else named
        self._left = 0

    def _compare_clocks(self, answer: Answer) -> None:
        """Learn how far apart the clocks are: a reset is told by the broker's."""
        date = answer.header("Date")
        try:
            theirs = parsedate_to_datetime(date).timestamp() if date else None
        except (ValueError, OverflowError):
            return
        if theirs is not None:
            skew = self._clock.now().timestamp() - theirs
            # A date has whole seconds, and the answer was under way for a while.
            self._skew = skew if abs(skew) > SKEW_IGNORED_SECONDS else 0.0

    def _now(self) -> float:
        """The broker's time, seconds since the epoch."""
        return self._clock.now().timestamp() - self._skew


def _header(answer: Answer, name: str) -> int | None:
    value = answer.header(name)
    return int(value) if value is not None and _COUNT.fullmatch(value) else None
