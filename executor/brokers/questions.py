"""Questions to the broker: reading is safe to repeat, so a poor answer is asked for again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from executor.brokers.pace import Pace
from executor.brokers.parsing import Unreadable, read_json
from executor.brokers.transport import Answer, Base, NoAnswer, Transport
from executor.errors import BrokerRefused, BrokerUnavailable
from executor.ports import Clock

PAUSES_SECONDS: Final = (0.5, 1.0, 2.0)
"""Before each further try; the first comes at once."""

HOSTS: Final[Mapping[Base, str]] = {"trading": "broker", "data": "broker's market data"}

TEMPORARY: Final = (408, 425, 429)
"""Of the statuses from 400 to 499 these promise nothing about what happened."""

NOT_FOUND: Final = 40410000
"""Alpaca's code of a thing that it does not know."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that is one: a success with JSON, or a definite no."""

    status: int
    tree: object
    """Parsed JSON; None where a 401 or 403 came without."""

    @property
    def code(self) -> int | None:
        """The broker's own code, where the body has one."""
        return code_of(self.tree)


@dataclass(frozen=True, slots=True)
class _Poor:
    """What came instead of an answer that says something for certain."""

    observed: str
    limited: Answer | None = None
    """The answer of the rate limiter, which says when to come back."""


def code_of(tree: object) -> int | None:
    """Give the code of an error body."""
    code = tree.get("code") if isinstance(tree, dict) else None
    sound = isinstance(code, int) and not isinstance(code, bool) and 0 <= code < 10**12
    return code if sound else None


class Questions:
    """Asks until there is a usable answer, a few times."""

    def __init__(self, transport: Transport, clock: Clock, paces: Mapping[Base, Pace]) -> None:
        """Ask through a transport; pauses go through the clock, each host has a pace of its own."""
        self._transport = transport
        self._clock = clock
        self._paces = paces

    def ask(
        self,
        what: str,
        base: Base,
        path: str,
        query: Mapping[str, str] | None,
        read: Callable[[object], T],
    ) -> T:
        """Ask for something that has to be there.

        Args:
            what: Names it in an error: `the account`.
            base: Which host.
            path: As the broker documents it.
            query: Parameters.
            read: Makes the value of the parsed answer; may raise `Unreadable`.

        Raises:
            BrokerUnavailable: No usable answer after the last try, or one that cannot be read.
            BrokerRefused: A definite no.
        """
        reply = self._reply(what, base, path, query)
        if reply.status >= 400:
            raise _refused(what, base, reply)
        return _read(what, base, reply, read)

    def find(
        self, what: str, path: str, query: Mapping[str, str] | None, read: Callable[[object], T]
    ) -> T | None:
        """Ask the trading host for something that may not exist.

        Only 404 with the broker's own code counts as absent: a wrong address answers 404 as well,
        and would make every order look as if it had never been sent.
        """
        reply = self._reply(what, "trading", path, query)
        if reply.status == 404 and reply.code == NOT_FOUND:
            return None
        if reply.status >= 400:
            raise _refused(what, "trading", reply)
        return _read(what, "trading", reply, read)

    def _reply(self, what: str, base: Base, path: str, query: Mapping[str, str] | None) -> Reply:
        reply = self._once(base, path, query)
        for pause in PAUSES_SECONDS:
            if isinstance(reply, Reply):
                return reply
            if reply.limited is not None:
                self._paces[base].wait_out(reply.limited)
            else:
                self._clock.sleep(pause)
            reply = self._once(base, path, query)
        if isinstance(reply, Reply):
            return reply
        tries = len(PAUSES_SECONDS) + 1
        raise BrokerUnavailable(
            f"{what}, {HOSTS[base]}: {reply.observed}, asked {tries} times; run the same command"
            " again"
        )

    def _once(self, base: Base, path: str, query: Mapping[str, str] | None) -> Reply | _Poor:
        pace = self._paces[base]
        pace.wait()
        try:
            answer = self._transport.ask(base, "GET", path, query=query)
        except NoAnswer as silence:
            return _Poor(silence.reason)
        pace.note(answer)
        return _judged(answer)


def _judged(answer: Answer) -> Reply | _Poor:
    """Take an answer that says something for certain, or tell what came instead."""
    status = answer.status
    if status == 429:
        return _Poor("status 429, too many requests", answer)
    try:
        tree = read_json(answer.body)
    except Unreadable as problem:
        return Reply(status, None) if status in (401, 403) else _Poor(f"status {status}, {problem}")
    if 200 <= status < 300:
        return Reply(status, tree)
    if 400 <= status < 500 and status not in TEMPORARY and isinstance(tree, dict):
        return Reply(status, tree)
    return _Poor(f"status {status}")


def _read(what: str, base: Base, reply: Reply, read: Callable[[object], T]) -> T:
    try:
        return read(reply.tree)
    except Unreadable as problem:
        text = f"{what}, {HOSTS[base]}: {problem}; run again, and report it if it stays"
    raise BrokerUnavailable(text)


def _refused(what: str, base: Base, reply: Reply) -> BrokerRefused:
    observed = f"{what}, {HOSTS[base]}: refused with status {reply.status}"
    if reply.code is not None:
        observed += f", code {reply.code}"
    if reply.status not in (401, 403):
        return BrokerRefused(f"{observed}; look the code up in the broker's documentation")
    remedy = (
        "set ALPACA_API_KEY and ALPACA_SECRET_KEY to a key pair of the mode in autoinvestor.toml"
        " (paper and live have different ones)"
    )
    if base == "data":
        remedy += ", and ask for a feed that the data plan includes"
    return BrokerRefused(f"{observed}; {remedy}")
