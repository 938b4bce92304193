"""Carries requests to the broker, several at a time, under its rate limit.

Whoever calls waits, and every pause is the caller's own: the threads behind it do nothing but ask
the transport and hand the answer back. With a transport that carries one request at a time there
are none.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from queue import SimpleQueue
from threading import Condition
from typing import TYPE_CHECKING, Final

from executor.brokers.pace import Pace
from executor.brokers.transport import Answer, Base, NoAnswer, Request, Transport
from executor.ports import Clock

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

RATE_LIMIT_TRIES: Final = 4
"""Sends of one request, all but the last of which the rate limit turned away."""

Outcome = Answer | NoAnswer
"""What came of one request."""


@dataclass(frozen=True, slots=True)
class _Job:
    """One request on its way."""

    place: int
    request: Request
    tries: int = RATE_LIMIT_TRIES
    """Sends that are left, this one included."""


_Done = tuple[_Job, Outcome]
_Take = Callable[[_Job], None]
_Give = Callable[[], _Done]


class Carrier:
    """Sends requests, each host's under its own rate limit."""

    def __init__(self, transport: Transport, clock: Clock) -> None:
        """Carry over a transport; pauses for the rate limit go through the clock."""
        self._transport = transport
        # Two hosts, each with a rate limit of its own.
        self._paces: Mapping[Base, Pace] = {"trading": Pace(clock), "data": Pace(clock)}
        self._pool: ThreadPoolExecutor | None = None

    def carry(self, requests: Sequence[Request]) -> list[Outcome]:
        """Send every request once and give what came of each, in their order.

        Sending again after a 429 is no hidden retry: the rate limiter stands before everything
        else, so the request was provably not taken. Nothing else is ever sent again. In the end a
        429 may be the outcome.

        Where the caller is stopped meanwhile, by the keyboard say, no further request goes out, and
        the answers under way are waited for: nothing leaves once this has returned or raised.
        """
        waiting = deque(_Job(place, request) for place, request in enumerate(requests))
        outcomes: dict[int, Outcome] = {}
        width = max(1, min(self._transport.concurrency, len(requests)))
        under_way = 0
        with self._hands(width) as (take, give):
            while waiting or under_way:
                while waiting and under_way < width and self._admits(waiting[0], not under_way):
                    take(waiting.popleft())
                    under_way += 1
                job, outcome = give()
                under_way -= 1
                self._paces[job.request.base].note(outcome if isinstance(outcome, Answer) else None)
                if isinstance(outcome, Answer) and outcome.status == 429 and job.tries > 1:
                    waiting.appendleft(replace(job, tries=job.tries - 1))
                else:
                    outcomes[job.place] = outcome
        return [outcomes[place] for place in range(len(requests))]

    def _admits(self, job: _Job, alone: bool) -> bool:
        """Reserve a place under the rate limit, waiting for it where no answer is under way."""
        pace = self._paces[job.request.base]
        if not alone:
            # An answer that is under way may make room sooner than the clock.
            return not pace.reserve()
        pace.take()
        return True

    @contextmanager
    def _hands(self, width: int) -> Iterator[tuple[_Take, _Give]]:
        """Give what takes a job and what gives an answer: in this thread, or in several."""
        if width == 1:
            jobs: deque[_Job] = deque()
            yield jobs.append, lambda: self._by_hand(jobs.popleft())
            return
        from concurrent.futures import ThreadPoolExecutor

        if self._pool is None:
            # Kept: a start of a thread among busy ones takes as long as some answers do.
            self._pool = ThreadPoolExecutor(self._transport.concurrency, "broker")
        pool, gate = self._pool, _Gate()
        finished: SimpleQueue[tuple[_Job, Future[Answer]]] = SimpleQueue()

        def take(job: _Job) -> None:
            future = pool.submit(gate.through, lambda: self._ask(job.request))
            future.add_done_callback(lambda done: finished.put((job, done)))

        try:
            yield take, lambda: _given(*finished.get())
        except BaseException:
            # An interrupt may come at any line, also between the start of a thread and the pool's
            # note of it: what is under way is known to the gate alone.
            self._pool = None
            pool.shutdown(wait=False)
            gate.close()
            raise

    def _by_hand(self, job: _Job) -> _Done:
        try:
            return job, self._ask(job.request)
        except NoAnswer as silence:
            return job, NoAnswer(silence.reason)
        except BaseException:
            self._paces[job.request.base].note(None)
            raise

    def _ask(self, request: Request) -> Answer:
        return self._transport.ask(
            request.base, request.method, request.path, query=request.query, body=request.body
        )


class _Gate:
    """What requests go through: once closed, none goes out and none is under way."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._open = True
        self._inside = 0

    def through(self, ask: Callable[[], Answer]) -> Answer:
        """Ask, unless the gate is closed."""
        with self._changed:
            if not self._open:
                raise NoAnswer("not sent: the run was stopped")
            self._inside += 1
        try:
            return ask()
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    def close(self) -> None:
        """Let nothing more through, and wait for what is."""
        with self._changed:
            self._open = False
            while self._inside:
                self._changed.wait()


def _given(job: _Job, future: Future[Answer]) -> _Done:
    """Take what a thread has to give; a mistake in it costs its own answer and no other one's."""
    problem = future.exception()
    if problem is None:
        return job, future.result()
    if isinstance(problem, NoAnswer):
        return job, NoAnswer(problem.reason)
    if isinstance(problem, Exception):
        return job, NoAnswer(f"the request failed here with {type(problem).__name__}")
    raise problem
