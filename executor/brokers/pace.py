"""Keeps to the broker's rate limit by what its own headers say."""

from __future__ import annotations

import re
from typing import Final

from executor.brokers.transport import Answer
from executor.ports import Clock

WAIT_MAX_SECONDS: Final = 90.0
"""The broker counts in minutes; a reset further away is a clock that is wrong."""

WAIT_MIN_SECONDS: Final = 1.0
"""After a 429 at least this long, also where its reset has passed by our clock."""

_COUNT: Final = re.compile(r"[0-9]{1,12}")


class Pace:
    """Sleeps before a request that would be one too many."""

    def __init__(self, clock: Clock) -> None:
        """Know nothing yet: the first answer tells."""
        self._clock = clock
        self._resets_at: int | None = None
        """Seconds since the epoch; None while requests are left."""

    def wait(self) -> None:
        """Wait for the reset where no request is left."""
        if self._resets_at is None:
            return
        seconds = self._seconds_until(self._resets_at)
        self._resets_at = None
        if seconds > 0:
            self._clock.sleep(seconds)

    def note(self, answer: Answer) -> None:
        """Remember what an answer says of the requests that are left."""
        spent = _header(answer, "X-RateLimit-Remaining") == 0
        self._resets_at = _header(answer, "X-RateLimit-Reset") if spent else None

    def wait_out(self, answer: Answer) -> None:
        """Wait after a 429 until its reset."""
        reset = _header(answer, "X-RateLimit-Reset")
        self._resets_at = None
        seconds = 0.0 if reset is None else self._seconds_until(reset)
        self._clock.sleep(max(WAIT_MIN_SECONDS, seconds))

    def _seconds_until(self, reset: int) -> float:
        return min(WAIT_MAX_SECONDS, reset - self._clock.now().timestamp())


def _header(answer: Answer, name: str) -> int | None:
    value = answer.header(name)
    return int(value) if value is not None and _COUNT.fullmatch(value) else None
