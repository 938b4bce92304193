"""One send, one outcome: every answer to an order is a report, a refusal, or nobody knows."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.brokers.carrying import RATE_LIMIT_TRIES
from executor.brokers.submitting import order_fields
from executor.brokers.transport import Answer, NoAnswer
from executor.model.order import OrderRequest, OrderStatus, Submission
from tests.brokers.support import NOON, ORDER, Scripted, answer, buy, scripted

TAKEN = {"code": 40010001, "message": "client_order_id must be unique"}
BAD = {"code": 40010001, "message": "qty is required"}
UNKNOWN = answer({"code": 40410000, "message": "order not found for ai-1"}, 404)
ODD_BODIES: list[object] = [None, [], "ok", 7, {}, {"id": "1"}, [ORDER]]
HTML = b"<html><body><h1>502 Bad Gateway</h1></body></html>"


def submit(*script: Answer | NoAnswer) -> tuple[Submission, Scripted]:
    broker, transport, _ = scripted(*script)
    (submission,) = broker.submit_all([buy()])
    return submission, transport


def test_an_accepted_order_is_a_report() -> None:
    submission, transport = submit(answer(ORDER))
    assert submission.report is not None
    assert submission.report.status is OrderStatus.OPEN
    assert len(transport.asked) == 1


@pytest.mark.parametrize(
    "reply",
    [
        *(answer(HTML, status) for status in (200, 302, 400, 403, 422, 500, 502, 503, 504)),
        *(answer({"message": "no"}, status) for status in (302, 408, 425, 500, 503, 504)),
        *(answer(body, 200) for body in ODD_BODIES),
        *(answer(body, 400) for body in ODD_BODIES if not isinstance(body, dict)),
        answer(b"", 200),
        answer(b"", 204),
        answer(b"\xff\xfe", 422),
        answer(b"[" * 100_000, 200),
        answer(ORDER, 302),
        answer({**ORDER, "client_order_id": "ai-2"}),
        answer({**ORDER, "symbol": "AAPL"}),
        answer({**ORDER, "side": "sell"}),
        answer({**ORDER, "filled_qty": None}),
        answer({**ORDER, "filled_qty": "-1"}),
        NoAnswer("no answer within 20 s"),
    ],
    ids=repr,
)
def test_what_proves_nothing_is_ambiguous(reply: Answer | NoAnswer) -> None:
    submission, transport = submit(reply)
    assert submission.ambiguous
    assert "\n" not in submission.ambiguous
    assert len(transport.asked) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 413, 422, 499])
def test_a_definite_no_is_a_refusal(status: int) -> None:
    submission, transport = submit(answer({"code": 42210000, "message": "no"}, status))
    assert submission.refusal is not None
    assert (submission.refusal.status, submission.refusal.code) == (status, 42210000)
    assert json.loads(submission.refusal.body)["message"] == "no"
    assert len(transport.asked) == 1


@pytest.mark.parametrize("code", [None, "40310000", True, -1, 10**30, 1.5, [], {}])
def test_a_refusal_without_a_sound_code_has_none(code: object) -> None:
    submission, _ = submit(answer({"code": code}, 403))
    assert submission.refusal is not None
    assert submission.refusal.code is None


def test_a_body_is_cut_and_made_visible() -> None:
    message = "\u202e\x00\u200b\ufffd€" + "x" * 10_000
    submission, _ = submit(
        answer(json.dumps({"message": message}, ensure_ascii=False).encode(), 403)
    )
    assert submission.refusal is not None
    body = submission.refusal.body
    assert len(body) == 4_000
    assert body.isascii()
    assert body.isprintable()
    assert "\\u202e" in body


def test_a_taken_id_is_the_order_itself() -> None:
    submission, transport = submit(answer(TAKEN, 422), answer({**ORDER, "status": "filled"}))
    assert submission.report is not None
    assert submission.report.status is OrderStatus.FILLED
    assert [one[1] for one in transport.asked] == ["POST", "GET"]


def test_the_message_alone_is_enough() -> None:
    taken = {"message": "client_order_id Must Be Unique"}
    submission, _ = submit(answer(taken, 422), answer(ORDER))
    assert submission.report is not None


def test_the_same_code_with_no_such_order_is_another_bad_request() -> None:
    submission, _ = submit(answer(BAD, 422), UNKNOWN)
    assert submission.refusal is not None
    assert (submission.refusal.status, submission.refusal.code) == (422, 40010001)


@pytest.mark.parametrize(
    "script",
    [
        (answer(TAKEN, 422), UNKNOWN),
        (answer(TAKEN, 422), NoAnswer("gone")),
        (answer(BAD, 422), answer(HTML, 502)),
        (answer(BAD, 422), answer({"message": "endpoint not found"}, 404)),
        (answer(BAD, 422), answer({"message": "unauthorized."}, 401)),
        (answer(TAKEN, 422), answer({**ORDER, "symbol": "AAPL"})),
        (answer(TAKEN, 422), answer({**ORDER, "side": "sell"})),
    ],
)
def test_a_taken_id_that_cannot_be_shown_is_ambiguous(script: tuple[Answer | NoAnswer]) -> None:
    submission, transport = submit(*script)
    assert submission.ambiguous
    assert [one[1] for one in transport.asked].count("POST") == 1


def test_a_rate_limit_is_waited_out_and_the_same_order_sent() -> None:
    reset = str(int(NOON.timestamp()) + 30)
    broker, transport, clock = scripted(
        answer({"code": 42910000}, 429, X_RateLimit_Remaining="0", X_RateLimit_Reset=reset),
        answer(HTML, 429),
        answer(ORDER),
    )
    (submission,) = broker.submit_all([buy()])
    assert submission.report is not None
    assert clock.slept == [30.25, 1.25]
    assert transport.asked[0] == transport.asked[1] == transport.asked[2]


def test_a_rate_limit_without_end_is_a_refusal() -> None:
    broker, transport, clock = scripted(answer({"code": 42910000}, 429, X_RateLimit_Reset="9" * 12))
    (submission,) = broker.submit_all([buy()])
    assert submission.refusal is not None
    assert (submission.refusal.status, submission.refusal.code) == (429, 42910000)
    assert len(transport.asked) == RATE_LIMIT_TRIES
    assert clock.slept == [90.25] * (RATE_LIMIT_TRIES - 1)


def test_after_a_rate_limit_an_ambiguous_answer_stays_ambiguous() -> None:
    submission, transport = submit(answer({}, 429), answer(HTML, 504))
    assert submission.ambiguous
    assert len(transport.asked) == 2


def test_an_order_without_a_size_is_our_mistake() -> None:
    with pytest.raises(AssertionError):
        order_fields(OrderRequest("ai-1", "MU", "buy", "market", "day"))
    with pytest.raises(AssertionError):
        order_fields(buy(quantity="-1"))


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["1", "0", "NaN", "1e999", "filled", "buy", "0001-01-01T00:00:00+05:00"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(st.sampled_from(sorted(ORDER)), json_values)
def test_any_value_in_any_field_has_one_outcome(key: str, value: object) -> None:
    submission, _ = submit(answer({**ORDER, key: value}))
    if submission.report is not None:
        assert submission.report.client_order_id == "ai-1"
        assert submission.report.filled_quantity >= 0
    else:
        assert submission.ambiguous


@given(st.integers(200, 599), st.binary() | json_values.map(lambda one: json.dumps(one).encode()))
def test_any_answer_has_one_outcome(status: int, body: bytes) -> None:
    submission, transport = submit(answer(body, status))
    posts = [one for one in transport.asked if one[1] == "POST"]
    assert len(posts) == (RATE_LIMIT_TRIES if status == 429 else 1)
    assert submission.report is None
    if submission.refusal is not None:
        assert 400 <= status < 500


@given(st.decimals("0.000000001", "999999999999", places=9))
def test_a_number_is_sent_as_it_is(quantity: Decimal) -> None:
    sent = order_fields(OrderRequest("ai-1", "MU", "buy", "market", "day", quantity))["qty"]
    assert isinstance(sent, str)
    assert Decimal(sent) == quantity
    assert "E" not in sent
