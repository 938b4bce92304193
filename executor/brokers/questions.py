"""Questions to the broker: reading is safe to repeat, so a poor answer is asked for again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from executor.brokers.carrying import RATE_LIMIT_TRIES, Carrier, Outcome
from executor.brokers.parsing import Unreadable, read_json
from executor.brokers.transport import Base, NoAnswer, Request
from executor.errors import BrokerRefused, BrokerUnavailable
from executor.ports import Clock

PAUSES_SECONDS: Final = (0.5, 1.0, 2.0)
"""Before each further try; the first comes at once."""

TRIES: Final = len(PAUSES_SECONDS) + 1
assert TRIES == RATE_LIMIT_TRIES, "an error tells one number for both"

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
    is_worth_asking_again: bool = True
    """False where the rate limit turned it away often enough."""


@dataclass(frozen=True, slots=True)
class Question(Generic[T]):
    """What is asked, and how its answer is read."""

    what: str
    """Names it in an error: `the account`."""
    base: Base
    path: str
    query: Mapping[str, str] | None
    read: Callable[[object], T]
    """Makes the value of the parsed answer; may raise `Unreadable`."""

    @property
    def request(self) -> Request:
        """The request that asks it."""
        return Request(self.base, "GET", self.path, self.query)

    def value(self, reply: Reply | _Poor) -> T:
        """Read a reply.

        Raises:
            BrokerUnavailable: It is none, or cannot be read.
            BrokerRefused: It is a no.
        """
        where = f"{self.what}, {HOSTS[self.base]}"
        if isinstance(reply, _Poor):
            raise BrokerUnavailable(
                f"{where}: {reply.observed}, asked {TRIES} times; run the same command again"
            )
        if reply.status >= 400:
            raise _refused(where, self.base, reply)
        try:
            return self.read(reply.tree)
        except Unreadable as problem:
            text = f"{where}: {problem}; run again, and report it if it stays"
        raise BrokerUnavailable(text)

    def value_or_none(self, reply: Reply | _Poor) -> T | None:
        """Read a reply; None where the broker says that there is no such thing."""
        if isinstance(reply, Reply) and reply.status == 404 and reply.code == NOT_FOUND:
            return None
        return self.value(reply)


def code_of(tree: object) -> int | None:
    """Give the code of an error body."""
    code = tree.get("code") if isinstance(tree, dict) else None
    sound = isinstance(code, int) and not isinstance(code, bool) and 0 <= code < 10**12
    return code if sound else None


class Questions:
    """Asks until there is a usable answer, a few times."""

    def __init__(self, carrier: Carrier, clock: Clock) -> None:
        """Ask over a carrier; pauses between tries go through the clock."""
        self._carrier = carrier
        self._clock = clock

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
        (found,) = self.ask_all([Question(what, base, path, query, read)])
        return found

    def ask_all(self, questions: Sequence[Question[T]]) -> list[T]:
        """Ask for several things that have to be there, at once.

        Raises:
            BrokerUnavailable: As `ask`, for the first of them without a value.
            BrokerRefused: As `ask`.
        """
        replies = self._replies([one.request for one in questions])
        return [one.value(reply) for one, reply in zip(questions, replies, strict=True)]

    def find(
        self, what: str, path: str, query: Mapping[str, str] | None, read: Callable[[object], T]
    ) -> T | None:
        """Ask the trading host for something that may not exist; raises as `ask` does.

        Only 404 with the broker's own code counts as absent: a wrong address answers 404 as well,
        and would make every order look as if it had never been sent.
        """
        question = Question(what, "trading", path, query, read)
        (reply,) = self._replies([question.request])
        return question.value_or_none(reply)

    def find_each(
        self, what: str, paths: Sequence[str], read: Callable[[object], T]
    ) -> list[T | BrokerUnavailable | None]:
        """Find several things at once; one without a usable answer costs itself only.

        Raises:
            BrokerRefused: A definite no to one of them.
        """
        questions = [Question(what, "trading", path, None, read) for path in paths]
        replies = self._replies([one.request for one in questions])
        found: list[T | BrokerUnavailable | None] = []
        for question, reply in zip(questions, replies, strict=True):
            try:
                found.append(question.value_or_none(reply))
            except BrokerUnavailable as problem:
                found.append(problem)
        return found

    def _replies(self, requests: Sequence[Request]) -> list[Reply | _Poor]:
        """Ask all, and again those that were answered poorly, a few times."""
        replies = [_judged(one) for one in self._carrier.carry(requests)]
        for pause in PAUSES_SECONDS:
            poor = [
                place
                for place, one in enumerate(replies)
                if isinstance(one, _Poor) and one.is_worth_asking_again
            ]
            if not poor:
                break
            self._clock.sleep(pause)
            again = self._carrier.carry([requests[place] for place in poor])
            for place, outcome in zip(poor, again, strict=True):
                replies[place] = _judged(outcome)
        return replies


def _judged(outcome: Outcome) -> Reply | _Poor:
    """Take an answer that says something for certain, or tell what came instead."""
    if isinstance(outcome, NoAnswer):
        return _Poor(outcome.reason)
    status = outcome.status
    if status == 429:
        return _Poor("status 429, too many requests", is_worth_asking_again=False)
    try:
        tree = read_json(outcome.body)
    except Unreadable as problem:
        return Reply(status, None) if status in (401, 403) else _Poor(f"status {status}, {problem}")
    if 200 <= status < 300:
        return Reply(status, tree)
    if 400 <= status < 500 and status not in TEMPORARY and isinstance(tree, dict):
        return Reply(status, tree)
    return _Poor(f"status {status}")


def _refused(where: str, base: Base, reply: Reply) -> BrokerRefused:
    observed = f"{where}: refused with status {reply.status}"
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
