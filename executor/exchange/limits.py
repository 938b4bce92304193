"""The rate limit: so many requests a minute for each key, as Alpaca counts and announces them."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class RateLimit:
    """Counts requests in windows of one minute that start with the minute."""

    per_minute: int
    """Requests a minute for each key; 0 is no limit."""
    counts: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By key: the window, in minutes since the epoch, and the requests in it."""

    def take(self, key: str, seconds: float) -> tuple[bool, dict[str, str]]:
        """Count one request.

        Args:
            key: Who asks.
            seconds: Now, since the epoch.

        Returns:
            Whether the request is within the limit, and the headers that say what is left.
        """
        if not self.per_minute:
            return True, {}
        window = int(seconds) // 60
        known, count = self.counts.get(key, (window, 0))
        count = count + 1 if known == window else 1
        self.counts[key] = (window, count)
        headers = {
            "X-RateLimit-Limit": str(self.per_minute),
            "X-RateLimit-Remaining": str(max(0, self.per_minute - count)),
            "X-RateLimit-Reset": str((window + 1) * 60),
        }
        return count <= self.per_minute, headers
