"""Many requests at a time: each sent once, answers in order, nothing lost, nothing left behind."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from executor.brokers.alpaca import AlpacaBroker
from executor.brokers.carrying import RATE_LIMIT_TRIES, Carrier
from executor.brokers.transport import Answer, Base, Body, Method, NoAnswer, Request
from executor.exchange.limits import RateLimit
from tests.brokers.support import NOON, Kind, ManualClock, buy, rig

PATIENCE_SECONDS = 20
"""How long a thread waits for another one before the test fails; never reached in a sound run."""


@dataclass
class Crowd:
    """A transport that several threads ask at a time, and that does what a test says meanwhile."""

    concurrency: int
    act: Callable[[str], Answer] = lambda _: Answer(200)
    sent: list[str] = field(default_factory=list)
    finished: list[str] = field(default_factory=list)
    threads: set[str] = field(default_factory=set)
    under_way: int = 0
    most: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(
        self,
        base: Base,
        method: Method,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Body | None = None,
    ) -> Answer:
        with self.lock:
            self.sent.append(path)
            self.threads.add(threading.current_thread().name)
            self.under_way += 1
            self.most = max(self.most, self.under_way)
        try:
            return self.act(path)
        finally:
            with self.lock:
                self.under_way -= 1
                self.finished.append(path)


def requests(count: int) -> list[Request]:
    return [Request("trading", "POST", f"/v2/{number}") for number in range(count)]


def carrier(crowd: Crowd) -> Carrier:
    """One that has learned already that there is no limit."""
    made = Carrier(crowd, ManualClock())
    made.carry(requests(1))
    crowd.sent.clear()
    return made


def numbered(path: str) -> Answer:
    """An answer that says whose it is."""
    return Answer(200, body=path.encode())


def test_as_many_are_under_way_as_the_transport_carries() -> None:
    crowd = Crowd(4, numbered)
    carry = carrier(crowd).carry
    together = threading.Barrier(4)

    def meet(path: str) -> Answer:
        together.wait(PATIENCE_SECONDS)
        return numbered(path)

    crowd.act = meet
    assert carry(requests(12)) == [numbered(one.path) for one in requests(12)]
    assert crowd.most == 4
    assert Counter(crowd.sent) == Counter(one.path for one in requests(12))


def test_answers_are_in_the_order_of_the_requests_whenever_they_come() -> None:
    crowd = Crowd(3, numbered)
    carry = carrier(crowd).carry
    last = threading.Event()

    def first_comes_last(path: str) -> Answer:
        if path == "/v2/0":
            assert last.wait(PATIENCE_SECONDS)
        if path == "/v2/8":
            last.set()
        return numbered(path)

    crowd.act = first_comes_last
    assert carry(requests(9)) == [numbered(one.path) for one in requests(9)]
    assert crowd.finished[-1] == "/v2/0"


def test_one_at_a_time_stays_in_the_thread_of_the_caller() -> None:
    crowd = Crowd(1, numbered)
    assert len(carrier(crowd).carry(requests(5))) == 5
    assert crowd.threads == {threading.current_thread().name}
    assert crowd.sent == [one.path for one in requests(5)]


def test_before_a_limit_is_known_one_goes_ahead_alone() -> None:
    crowd = Crowd(4)
    first = threading.Event()

    def learn(path: str) -> Answer:
        assert first.is_set() or crowd.under_way == 1
        first.set()
        return Answer(200)

    crowd.act = learn
    outcomes = Carrier(crowd, ManualClock()).carry(requests(8))
    assert outcomes == [Answer(200)] * 8


def test_a_mistake_in_one_thread_costs_its_own_answer_only() -> None:
    def stumble(path: str) -> Answer:
        if path == "/v2/2":
            raise ZeroDivisionError("a secret")
        if path == "/v2/3":
            raise NoAnswer("no answer within 20 s")
        return numbered(path)

    crowd = Crowd(3, numbered)
    carry = carrier(crowd).carry
    crowd.act = stumble
    outcomes = carry(requests(6))
    told = [one.reason if isinstance(one, NoAnswer) else one.status for one in outcomes]
    stumbled = "the request failed here with ZeroDivisionError"
    assert told == [200, 200, stumbled, "no answer within 20 s", 200, 200]
    assert all(one.__traceback__ is None for one in outcomes if isinstance(one, NoAnswer))


@pytest.fixture
def keyboard() -> Iterator[None]:
    """An interrupt is heard also where the tests run in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("keyboard")
def test_an_interrupt_waits_for_what_is_under_way_and_sends_nothing_more() -> None:
    crowd = Crowd(3, numbered)
    carry = carrier(crowd).carry
    together, release = threading.Barrier(3), threading.Event()

    def interrupt(path: str) -> Answer:
        together.wait(PATIENCE_SECONDS)
        if path == "/v2/1":
            signal.pthread_kill(main, signal.SIGINT)
            threading.Timer(0.1, release.set).start()
        assert release.wait(PATIENCE_SECONDS)
        return numbered(path)

    main = threading.get_ident()
    assert threading.current_thread() is threading.main_thread()
    crowd.act = interrupt
    with pytest.raises(KeyboardInterrupt):
        carry(requests(30))
    assert crowd.under_way == 0
    assert sorted(crowd.sent) == ["/v2/0", "/v2/1", "/v2/2"]


def test_an_interrupt_waits_also_for_a_thread_that_the_pool_has_not_noted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Between a thread's start and the pool's note of it a line may be interrupted as any other."""
    crowd = Crowd(3, numbered)
    carry = carrier(crowd).carry
    arrived, late = threading.Event(), []

    def slow(path: str) -> Answer:
        arrived.set()
        time.sleep(0.1)
        return numbered(path)

    def submit(_: object, *call: Callable[[Callable[[], Answer]], Answer]) -> Future[Answer]:
        late.append(threading.Thread(target=call[0], args=call[1:]))
        if len(late) == 2:
            late[0].start()
            assert arrived.wait(PATIENCE_SECONDS)
            raise KeyboardInterrupt
        return Future()

    crowd.act = slow
    monkeypatch.setattr(ThreadPoolExecutor, "submit", submit)
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    with pytest.raises(KeyboardInterrupt):
        carry(requests(30))
    assert crowd.under_way == 0
    late[1].start()
    late[1].join()
    assert crowd.sent == ["/v2/0"], "and one that starts only now sends nothing"


@pytest.mark.usefixtures("keyboard")
def test_an_order_under_way_in_an_interrupt_reaches_the_broker_before_the_run_ends() -> None:
    """The next run looks it up; had it gone out later, it would have been taken as never sent."""
    with rig("http") as made:
        made.broker.account()
        made.fault("latency", ms=200, times=0, match={"method": "POST"})
        main = threading.get_ident()
        arrived = made.exchange.handle

        def interrupt(request: object) -> object:
            if len(made.exchange.posts()) == 4:
                signal.pthread_kill(main, signal.SIGINT)
            return arrived(request)  # type: ignore[arg-type]

        made.exchange.handle = interrupt  # type: ignore[method-assign,assignment]
        with pytest.raises(KeyboardInterrupt):
            made.broker.submit_all([buy(f"ai-{one}") for one in range(100)])
        sent = len(made.exchange.posts())
        assert 4 < sent < 100
        assert len(made.exchange.fills()) == sent
        assert len(made.broker.orders_since(NOON.replace(hour=0))) == sent


@dataclass
class Limited:
    """A broker's counter, asked by several threads at simulated time."""

    limit: int
    clock: ManualClock
    lock: threading.Lock = field(default_factory=threading.Lock)
    counts: Counter[int] = field(default_factory=Counter)
    turned_away: int = 0

    def __post_init__(self) -> None:
        self.counter = RateLimit(self.limit)

    def __call__(self, path: str) -> Answer:
        with self.lock:
            seconds = self.clock.now().timestamp()
            within, headers = self.counter.take("key", seconds)
            self.counts[int(seconds) // 60] += 1
            self.turned_away += not within
        return Answer(200 if within else 429, headers, path.encode())


@pytest.mark.parametrize("width", [1, 2, 8, 16])
def test_under_a_limit_no_429_is_seen_and_every_window_is_spent(width: int) -> None:
    clock = ManualClock()
    limited = Limited(200, clock)
    outcomes = Carrier(Crowd(width, limited), clock).carry(requests(700))
    assert [one.body for one in outcomes if isinstance(one, Answer)] == [
        one.path.encode() for one in requests(700)
    ]
    assert limited.turned_away == 0
    assert sorted(limited.counts.values()) == [100, 200, 200, 200]


def test_two_waves_at_once_share_the_limit() -> None:
    clock = ManualClock()
    limited = Limited(50, clock)
    broker = AlpacaBroker(Crowd(4, limited), clock)
    carry = broker._carrier.carry
    first, second = broker.at_once(lambda: carry(requests(60)), lambda: carry(requests(60)))
    assert len(first) == len(second) == 60
    assert limited.turned_away == 0
    assert sum(limited.counts.values()) == 120


@settings(max_examples=60)
@given(
    st.integers(1, 6),
    st.lists(
        st.lists(st.sampled_from([429, None]), max_size=RATE_LIMIT_TRIES), min_size=1, max_size=12
    ),
)
def test_each_is_sent_again_after_a_429_only(width: int, plans: list[list[int | None]]) -> None:
    """What each request meets in turn: 429, no answer (None), and in the end a success."""
    left = {f"/v2/{number}": [*plan, 200] for number, plan in enumerate(plans)}

    def meet(path: str) -> Answer:
        status = left[path].pop(0)
        if status is None:
            raise NoAnswer("dropped")
        return Answer(status, body=path.encode())

    crowd = Crowd(width, meet)
    outcomes = Carrier(crowd, ManualClock()).carry(requests(len(plans)))
    sent = Counter(crowd.sent)
    for number, (plan, outcome) in enumerate(zip(plans, outcomes, strict=True)):
        tries = [*plan, 200][:RATE_LIMIT_TRIES]
        ended = next((at for at, one in enumerate(tries) if one != 429), len(tries) - 1)
        assert sent[f"/v2/{number}"] == ended + 1
        if tries[ended] is None:
            assert isinstance(outcome, NoAnswer)
        else:
            assert outcome == Answer(tries[ended] or 0, body=f"/v2/{number}".encode())


@pytest.mark.parametrize("kind", ["http", "engine"])
def test_three_hundred_orders_under_the_brokers_limit(kind: Kind) -> None:
    """The real SDK in threads and the exchange's own counter, at simulated time."""
    with rig(kind, rate_limit=200) as made:
        made.broker.account()
        submissions = made.broker.submit_all([buy(f"ai-{one}", quantity="1") for one in range(300)])
        assert [one.request.client_order_id for one in submissions] == [
            f"ai-{one}" for one in range(300)
        ]
        assert all(one.report is not None for one in submissions)
        assert 429 not in made.exchange.statuses
        # 200 requests in the first minute, the rest in the second.
        assert len(made.exchange.requests) == 301
        assert 59 < sum(made.clock.slept) < 61
        assert len(made.exchange.fills()) == 300
