"""The line between the adapter and what carries its requests: one request, one answer or none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

Base = Literal["trading", "data"]
"""Which of the broker's two hosts is asked."""

Method = Literal["GET", "POST", "DELETE"]

Body = Mapping[str, str | Mapping[str, str]]
"""Fields of a JSON body, some of them objects of their own; numbers are texts already."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request, as it goes to the broker."""

    base: Base
    """The trading host or the market data host."""
    method: Method
    path: str
    """As the broker documents it: `/v2/orders`."""
    query: Mapping[str, str] | None = None
    """Parameters of the address."""
    body: Body | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back over HTTP, whatever its status."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Names in any case."""
    body: bytes = field(default=b"", repr=False)

    def header(self, name: str) -> str | None:
        """Give a header by its name in any case; None where it is absent."""
        wanted = name.lower()
        found = (value for key, value in self.headers.items() if key.lower() == wanted)
        return next(found, None)


class NoAnswer(Exception):
    """No HTTP answer was had, so what was asked may have been done or not."""

    def __init__(self, reason: str) -> None:
        """Say why, in words that stand within a sentence: `no answer within 20 s`."""
        self.reason = reason
        super().__init__(reason)


class Transport(Protocol):
    """Carries one request to the broker, exactly once."""

    @property
    def concurrency(self) -> int:
        """How many requests it can carry at once.

        1 keeps every request in the thread of the caller, one after the other, which is what a
        simulated world needs; more lets several threads call `ask` at a time.
        """
        ...

    def ask(
        self,
        base: Base,
        method: Method,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Body | None = None,
    ) -> Answer:
        """Send one request and give its answer; never send it twice, never follow a redirect.

        Args:
            base: The trading host or the market data host.
            method: The verb.
            path: As the broker documents it: `/v2/orders`.
            query: Parameters of the address.
            body: Fields of the JSON body; numbers are texts already.

        Raises:
            NoAnswer: A timeout, a connection that was refused or dropped, an answer cut short.
        """
        ...
