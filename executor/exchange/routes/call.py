"""What every endpoint is called with, and how it reads a query."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from executor.exchange.desk import Desk
from executor.exchange.faults import FaultPlan
from executor.exchange.messages import Request, Response, bad_request, read_time
from executor.exchange.orders import Treatment


class SettableClock(Protocol):
    """The exchange's time, as its own controls see it."""

    @property
    def stands_still(self) -> bool:
        """Say whether the time was set."""
        ...

    def now(self) -> datetime:
        """Tell the time in UTC."""
        ...

    def set(self, at: datetime) -> None:
        """Set the time."""
        ...

    def advance(self, seconds: float) -> None:
        """Move the time forward."""
        ...


@dataclass(frozen=True, slots=True)
class Call:
    """One request on its way through an endpoint."""

    request: Request
    parameters: Mapping[str, str]
    """What the braces of the path pattern matched."""
    desk: Desk
    faults: FaultPlan
    clock: SettableClock
    now: datetime
    treatment: Treatment | None
    """What an injected fault makes of the order that this request submits."""

    def query(self, name: str, default: str = "") -> str:
        """Give a query parameter."""
        return self.request.query.get(name) or default

    def whole(self, name: str, default: int, most: int) -> int:
        """Give a query parameter that is a whole number from 1; more than `most` is `most`.

        Raises:
            Refusal: It is no such number.
        """
        raw = self.query(name)
        if not raw:
            return default
        if not (raw.isascii() and raw.isdigit() and len(raw) < 10 and int(raw) > 0):
            raise bad_request(f"invalid {name}: {raw}")
        return min(int(raw), most)

    def time(self, name: str) -> datetime | None:
        """Give a query parameter that is a time, None where it is absent."""
        raw = self.query(name)
        return read_time(raw, name) if raw else None

    def symbols(self, name: str = "symbols") -> tuple[str, ...]:
        """Give a comma-separated list of symbols, each once, in the order given."""
        given = (one.strip().upper() for one in self.query(name).split(","))
        return tuple(dict.fromkeys(one for one in given if one))


Handler = Callable[[Call], Response]
Route = tuple[str, str, Handler]
