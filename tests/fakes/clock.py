"""Time that moves only when somebody sleeps or a test says so."""

from __future__ import annotations

from datetime import datetime, timedelta


class SimulatedClock:
    """The `Clock` port without a clock: a sleep costs nothing and takes as long as it says."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0, "a wait has a length"
        self._now += timedelta(seconds=seconds)

    def move_to(self, moment: datetime) -> None:
        """Let time pass until a moment; the past stays where it is."""
        self._now = max(self._now, moment)
