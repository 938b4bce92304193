"""Every way in which an answer can go wrong, over real sockets, and each order sent only once."""

from __future__ import annotations

import json
import logging
import pickle
import socket
import traceback
from collections.abc import Iterator

import pytest

from executor.brokers.alpaca import AlpacaBroker
from executor.brokers.sdk import SdkTransport
from executor.errors import BrokerRefused, BrokerUnavailable
from executor.model.account import Mode
from executor.model.order import OrderStatus
from tests.brokers.raw_server import RawServer, http, raw_server
from tests.brokers.support import (
    KEY,
    NOON,
    ORDER,
    SECRET,
    Kind,
    ManualClock,
    Question,
    Rig,
    buy,
    rig,
)


@pytest.fixture
def wired() -> Iterator[Rig]:
    with rig("http") as made:
        yield made


CHOOSES = ("html_502", "not_json_200")
"""Faults that may strike before or after the order was accepted."""


def assert_sent_once(made: Rig) -> None:
    assert len(made.exchange.posts()) == 1


@pytest.mark.parametrize(
    ("fault", "accepted", "why"),
    [
        ("accept_then_504", True, "status 504"),
        ("accept_then_drop", True, "refused or dropped"),
        ("drop_before", False, "refused or dropped"),
        ("html_502", True, "status 502, the answer is not JSON"),
        ("html_502", False, "status 502, the answer is not JSON"),
        ("not_json_200", True, "status 200, the answer is not JSON"),
        ("not_json_200", False, "status 200, the answer is not JSON"),
    ],
)
def test_without_a_usable_answer_it_is_ambiguous_and_found_by_lookup(
    both: Rig, fault: str, accepted: bool, why: str
) -> None:
    both.fault(fault, **({"accepted": accepted} if fault in CHOOSES else {}))
    (submission,) = both.broker.submit_all([buy()])
    assert submission.ambiguous is not None
    assert why in submission.ambiguous
    assert_sent_once(both)
    assert (both.broker.order("ai-1") is not None) is accepted


@pytest.mark.parametrize("accepted", [True, False])
def test_a_stalled_answer_ends_at_the_timeout(kind: Kind, accepted: bool) -> None:
    with rig(kind, read_seconds=0.2) as made:
        made.fault("stall", seconds=30, accepted=accepted, match={"method": "POST"})
        (submission,) = made.broker.submit_all([buy()])
        assert submission.ambiguous is not None
        assert "no answer within 0.2 s" in submission.ambiguous
        assert_sent_once(made)
        assert (made.broker.order("ai-1") is not None) is accepted


def test_sending_again_after_a_504_finds_the_order(both: Rig) -> None:
    both.fault("accept_then_504")
    both.broker.submit_all([buy()])
    (again,) = both.broker.submit_all([buy()])
    assert again.report is not None
    assert again.report.filled_quantity == 2
    (position,) = both.broker.positions()
    assert position.quantity == 2, "the second send traded nothing"


def test_another_bad_request_under_the_same_code_is_a_refusal(both: Rig) -> None:
    both.fault("rejection", status=422, code=40010001, message="qty is required")
    (submission,) = both.broker.submit_all([buy()])
    assert submission.refusal is not None
    assert (submission.refusal.status, submission.refusal.code) == (422, 40010001)


def test_the_rate_limits_reset_is_honored(both: Rig) -> None:
    both.fault("rate_limit_429", reset_seconds=30, match={"method": "POST"})
    (submission,) = both.broker.submit_all([buy()])
    assert submission.report is not None
    assert both.clock.slept == [30.25]
    assert [json.loads(one.body)["client_order_id"] for one in both.exchange.posts()] == [
        "ai-1",
        "ai-1",
    ]


def test_an_unknown_status_is_open_and_kept(both: Rig) -> None:
    both.fault("unknown_status")
    (submission,) = both.broker.submit_all([buy()])
    assert submission.report is not None
    assert submission.report.status is OrderStatus.OPEN
    assert submission.report.broker_status == "awaiting_allocation"
    (listed,) = both.broker.orders_since(NOON.replace(hour=0))
    assert listed.status is OrderStatus.FILLED


def test_a_partial_fill_is_seen_as_it_is(both: Rig) -> None:
    both.fault("partial_fill", fraction="0.5")
    both.broker.submit_all([buy(quantity="4")])
    (report,) = both.broker.open_orders()
    assert report.filled_quantity == report.open_quantity == 2


def test_a_refusal_at_the_book_is_terminal(both: Rig) -> None:
    both.fault("order_rejected")
    both.broker.submit_all([buy()])
    report = both.broker.order("ai-1")
    assert report is not None
    assert report.status is OrderStatus.REJECTED


@pytest.mark.parametrize("kind_of_fault", ["html_502", "drop_before", "not_json_200"])
def test_a_question_is_asked_again(both: Rig, kind_of_fault: str) -> None:
    both.fault(kind_of_fault, times=3)
    assert both.broker.account().cash == 100_000
    assert len(both.exchange.requests) == 4


def test_a_question_without_an_answer_is_unavailable(both: Rig) -> None:
    both.fault("html_502", times=0)
    with pytest.raises(BrokerUnavailable, match="the account, broker: status 502"):
        both.broker.account()


def test_each_order_of_many_has_its_own_outcome(both: Rig) -> None:
    both.fault("accept_then_drop", nth=2)
    requests = [buy(f"ai-{one}") for one in range(4)]
    submissions = both.broker.submit_all(requests)
    assert [one.request for one in submissions] == requests
    # The second to arrive, which is the second of the list where one goes after the other.
    assert sorted(one.ambiguous is not None for one in submissions) == [False, False, False, True]
    assert len(both.exchange.posts()) == 4


def raw_broker(server: RawServer) -> tuple[AlpacaBroker, SdkTransport]:
    transport = SdkTransport(Mode.SIM, KEY, SECRET, server.url, read_seconds=5)
    return AlpacaBroker(transport, ManualClock()), transport


GOOD_ORDER = json.dumps(ORDER).encode()


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (http("302 Found", GOOD_ORDER, "Location: http://127.0.0.1:1/v2/orders"), "status 302"),
        (http("307 Temporary Redirect", b"", "Location: /v2/orders"), "status 307"),
        (http("200 OK", GOOD_ORDER, length=len(GOOD_ORDER) + 9), "refused or dropped|broke off"),
        (b"rubbish\r\n\r\n", "refused or dropped|broke off"),
        (b"", "refused or dropped"),
        (http("200 OK", GOOD_ORDER, "Content-Encoding: gzip"), "broke off"),
        (http("408 Request Timeout", b'{"message": "slow"}'), "status 408"),
        (http("204 No Content", b""), "status 204"),
    ],
)
def test_what_no_exchange_should_say_is_ambiguous(raw: bytes, why: str) -> None:
    with raw_server(raw) as server:
        broker, transport = raw_broker(server)
        with transport:
            (submission,) = broker.submit_all([buy()])
        assert submission.ambiguous is not None
        assert any(one in submission.ambiguous for one in why.split("|"))
        assert len(server.requests) == 1, "sent once, and no redirect followed"


@pytest.mark.parametrize("status", ["429 Too Many Requests", "504 Gateway Timeout"])
def test_the_sdk_itself_sends_nothing_again(status: str) -> None:
    with raw_server(http(status, b'{"message": "later"}')) as server:
        _, transport = raw_broker(server)
        with transport:
            got = transport.ask("trading", "POST", "/v2/orders", body={"symbol": "MU"})
        assert got.status == int(status[:3])
        assert len(server.requests) == 1


def test_a_closed_port_is_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with SdkTransport(Mode.SIM, KEY, SECRET, url) as transport:
        broker = AlpacaBroker(transport, ManualClock())
        (submission,) = broker.submit_all([buy()])
        assert submission.ambiguous is not None
        with pytest.raises(BrokerUnavailable, match="refused or dropped"):
            broker.account()


SPOILERS: dict[str, tuple[str | None, Question]] = {
    "wrong key": (None, AlpacaBroker.account),
    "refused order": (None, lambda broker: broker.submit_all([buy(quantity="100000")])),
    "no answer": ("drop_before", AlpacaBroker.positions),
    "bad gateway": ("html_502", lambda broker: broker.order("ai-1")),
    "ambiguous": ("accept_then_504", lambda broker: broker.submit_all([buy()])),
}


@pytest.mark.parametrize("name", SPOILERS)
def test_no_key_shows_anywhere(name: str, caplog: pytest.LogCaptureFixture) -> None:
    keys = ("other", "pair") if name == "wrong key" else None
    told = ""
    with rig("http", keys=keys) as made, caplog.at_level(logging.DEBUG):
        fault, question = SPOILERS[name]
        if fault is not None:
            made.fault(fault, times=0)
        try:
            told += repr(question(made.broker))
        except (BrokerUnavailable, BrokerRefused) as error:
            told += everything_of(error)
        told += repr(made.transport) + repr(made.broker)
    told += caplog.text
    assert len(told) > 100
    assert KEY not in told
    assert SECRET not in told


def everything_of(error: BaseException) -> str:
    """All that could be printed, logged or pickled of an exception and of those behind it."""
    # With the locals of every frame, as pretty tracebacks print them.
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    told = "".join(shown.format())
    seen: BaseException | None = error
    while seen is not None:
        assert type(seen).__module__.startswith("executor."), "an exception of the SDK got out"
        told += repr(seen) + repr(vars(seen)) + repr(pickle.dumps(seen))
        seen = seen.__cause__ or seen.__context__
    return told


def test_an_answer_that_quotes_the_keys_is_cleaned() -> None:
    quoted = json.dumps({"message": f"denied: {KEY} {SECRET}"}).encode()
    with raw_server(http("403 Forbidden", quoted)) as server:
        broker, transport = raw_broker(server)
        with transport:
            (submission,) = broker.submit_all([buy()])
    assert submission.refusal is not None
    assert submission.refusal.body == '{"message": "denied: *** ***"}'
