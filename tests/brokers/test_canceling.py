"""A cancel is a request: accepted, nothing to cancel, or nobody knows; it never raises."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.brokers.carrying import RATE_LIMIT_TRIES
from executor.brokers.transport import Answer, NoAnswer
from executor.model.order import Cancellation, OrderRequest, OrderStatus
from tests.brokers.raw_server import http, raw_server
from tests.brokers.support import NOON, Kind, Rig, answer, buy, rig, scripted
from tests.brokers.test_hardening import raw_broker
from tests.brokers.test_submitting import HTML, json_values

GONE = answer({"code": 40410000, "message": "order not found for id-1"}, 404)
ENDED = answer({"code": 42210000, "message": 'order is already in "filled" state'}, 422)


def cancel(*script: Answer | NoAnswer) -> Cancellation:
    broker, transport, _ = scripted(*script)
    (told,) = broker.cancel_all(["id-1"])
    assert {one[1:3] for one in transport.asked} == {("DELETE", "/v2/orders/id-1")}
    return told


def test_the_broker_will_try() -> None:
    assert cancel(answer(b"", 204)) == Cancellation("id-1", accepted=True)


@pytest.mark.parametrize("reply", [GONE, ENDED, answer({"message": "not cancelable"}, 422)])
def test_there_is_nothing_to_cancel(reply: Answer) -> None:
    assert cancel(reply) == Cancellation("id-1", accepted=False)


@pytest.mark.parametrize(
    "reply",
    [
        NoAnswer("no answer within 20 s"),
        *(answer(HTML, status) for status in (200, 302, 400, 404, 422, 500, 502, 504)),
        *(answer({"message": "no"}, status) for status in (302, 401, 403, 404, 408, 500, 504)),
        answer([], 422),
        answer({"status": "ok"}, 200),
        answer({"code": "40410000"}, 404),
    ],
    ids=repr,
)
def test_without_a_definite_answer_nobody_knows(reply: Answer | NoAnswer) -> None:
    told = cancel(reply)
    assert not told.accepted
    assert told.ambiguous
    assert "\n" not in told.ambiguous


def test_a_rate_limit_is_waited_out_and_the_same_asked_again() -> None:
    reset = str(int(NOON.timestamp()) + 30)
    limited = answer({"code": 42910000}, 429, X_RateLimit_Remaining="0", X_RateLimit_Reset=reset)
    broker, transport, clock = scripted(limited, answer(b"", 204))
    assert broker.cancel_all(["id-1"]) == (Cancellation("id-1", accepted=True),)
    assert clock.slept == [30.25]
    assert transport.asked[0] == transport.asked[1]


def test_a_rate_limit_without_end_is_no_answer() -> None:
    broker, transport, _ = scripted(answer({}, 429))
    (told,) = broker.cancel_all(["id-1"])
    assert told.ambiguous
    assert "429" in told.ambiguous
    assert len(transport.asked) == RATE_LIMIT_TRIES


def test_an_id_stays_within_its_part_of_the_address() -> None:
    broker, transport, _ = scripted(answer(b"", 204))
    broker.cancel_all(["../account?x=1#"])
    assert transport.asked[0][2] == "/v2/orders/..%2Faccount%3Fx%3D1%23"


def test_an_order_without_an_id_is_our_mistake() -> None:
    broker, _, _ = scripted(answer(b"", 204))
    with pytest.raises(AssertionError):
        broker.cancel_all(["id-1", ""])


@given(st.integers(200, 599), st.binary() | json_values.map(lambda one: json.dumps(one).encode()))
def test_any_answer_has_one_outcome(status: int, body: bytes) -> None:
    told = cancel(answer(body, status))
    assert (told.accepted, told.ambiguous is None) != (True, False)
    assert told.accepted is (status == 204)
    if not told.accepted and told.ambiguous is None:
        assert status in (404, 422)


def resting(client_order_id: str) -> OrderRequest:
    return OrderRequest(
        client_order_id, "MU", "buy", "limit", "gtc", Decimal(1), limit_price=Decimal(100)
    )


def test_open_orders_end_and_ended_ones_are_named(both: Rig) -> None:
    both.broker.submit_all([buy("ai-0")])
    sent = both.broker.submit_all([resting(f"ai-{one}") for one in range(1, 31)])
    reports = [one.report for one in sent if one.report is not None]
    filled = both.broker.order("ai-0")
    assert filled is not None
    ids = [one.broker_order_id for one in (*reports, filled)]
    told = both.broker.cancel_all(ids)
    assert [one.broker_order_id for one in told] == ids
    assert [one.accepted for one in told] == [True] * 30 + [False]
    assert all(one.ambiguous is None for one in told)
    assert both.broker.open_orders() == ()
    ended = both.broker.order("ai-7")
    assert ended is not None
    assert ended.status is OrderStatus.CANCELED
    again = both.broker.cancel_all(ids)
    assert not any(one.accepted or one.ambiguous for one in again)
    (unknown,) = both.broker.cancel_all(["0d4b2f0c-0000-4000-8000-000000000001"])
    assert (unknown.accepted, unknown.ambiguous) == (False, None)


def test_none_are_no_request(both: Rig) -> None:
    assert both.broker.cancel_all([]) == ()
    assert both.broker.submit_all([]) == ()
    assert both.exchange.requests == []


@pytest.mark.parametrize("fault", ["html_502", "drop_before", "not_json_200"])
def test_a_poor_answer_to_one_is_its_own(kind: Kind, fault: str) -> None:
    with rig(kind) as made:
        sent = made.broker.submit_all([resting(f"ai-{one}") for one in range(5)])
        ids = [one.report.broker_order_id for one in sent if one.report is not None]
        made.fault(fault, match={"method": "DELETE"})
        told = made.broker.cancel_all(ids)
        assert [one.broker_order_id for one in told] == ids
        assert sum(one.ambiguous is not None for one in told) == 1
        assert sum(one.accepted for one in told) == 4


@pytest.mark.parametrize(
    "raw",
    [
        http("302 Found", b"", "Location: http://127.0.0.1:1/v2/orders"),
        http("504 Gateway Timeout", b"<html>"),
        b"rubbish\r\n\r\n",
        b"",
    ],
)
def test_what_no_exchange_should_say_is_ambiguous(raw: bytes) -> None:
    with raw_server(raw) as server:
        broker, transport = raw_broker(server)
        with transport:
            (told,) = broker.cancel_all(["id-1"])
        assert told.ambiguous
        assert len(server.requests) == 1
