"""Questions are asked again until there is an answer, a few times, and never guessed."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from executor.brokers.alpaca import AlpacaBroker
from executor.brokers.questions import PAUSES_SECONDS
from executor.brokers.transport import Answer, NoAnswer
from executor.errors import BrokerRefused, BrokerUnavailable
from tests.brokers.support import ACCOUNT, NOON, ORDER, Question, answer, scripted
from tests.brokers.test_submitting import HTML, json_values

GOOD = answer(ACCOUNT)

QUESTIONS: dict[str, Question] = {
    "market_clock": lambda broker: broker.market_clock(NOON),
    "account": AlpacaBroker.account,
    "positions": AlpacaBroker.positions,
    "open_orders": AlpacaBroker.open_orders,
    "orders_since": lambda broker: broker.orders_since(NOON),
    "activities": lambda broker: broker.activities(NOON),
    "equity_history": lambda broker: broker.equity_history(NOON - timedelta(days=9)),
    "order": lambda broker: broker.order("ai-1"),
    "prices": lambda broker: broker.prices(["MU"]),
    "assets": lambda broker: broker.assets(["MU"]),
    "all_assets": lambda broker: broker.assets([f"Q{one}" for one in range(30)]),
    "average_volumes": lambda broker: broker.average_volumes(["MU"]),
}
AT_ONCE = {"prices": 2}
"""Requests that a question sends together; the others send one after the other."""


def at_once(question: Question) -> int:
    name = next(name for name, one in QUESTIONS.items() if one is question)
    return AT_ONCE.get(name, 1)


every_question = pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)

POOR = [
    NoAnswer("the connection was refused or dropped"),
    answer(HTML, 502),
    answer({"message": "later"}, 503),
    answer(b"OK"),
    answer(b""),
    answer({}, 302),
    answer({}, 408),
    answer(HTML, 404),
    answer([], 400),
]


@pytest.mark.parametrize("poor", POOR, ids=repr)
def test_a_poor_answer_is_asked_for_again(poor: Answer | NoAnswer) -> None:
    broker, transport, clock = scripted(poor, poor, poor, GOOD)
    assert broker.account().cash == Decimal("-100.25")
    assert len(transport.asked) == 4
    assert clock.slept == list(PAUSES_SECONDS)


@every_question
@pytest.mark.parametrize("poor", POOR, ids=repr)
def test_poor_answers_for_ever_are_no_answer(poor: Answer | NoAnswer, question: Question) -> None:
    if question is QUESTIONS["assets"]:
        # Asked symbol by symbol: one without an answer is a fact missing for its own lines only.
        assert question(scripted(poor)[0]) == {}
        return
    broker, transport, _ = scripted(poor)
    with pytest.raises(BrokerUnavailable, match="asked 4 times; run the same command again"):
        question(broker)
    assert len(transport.asked) == 4 * at_once(question)


@every_question
@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("body", [{"message": "unauthorized."}, HTML])
def test_a_wrong_key_is_not_asked_again(question: Question, status: int, body: object) -> None:
    broker, transport, _ = scripted(answer(body, status))
    with pytest.raises(BrokerRefused, match=f"status {status}; set ALPACA_API_KEY"):
        question(broker)
    assert len(transport.asked) == at_once(question)


@every_question
def test_another_no_names_status_and_code(question: Question) -> None:
    broker, transport, _ = scripted(answer({"code": 42210000, "message": "odd"}, 422))
    with pytest.raises(BrokerRefused, match="status 422, code 42210000"):
        question(broker)
    assert len(transport.asked) == at_once(question)


def test_an_unknown_thing_is_none_only_by_the_brokers_own_code() -> None:
    unknown = answer({"code": 40410000, "message": "order not found"}, 404)
    broker, _, _ = scripted(unknown)
    assert broker.order("ai-1") is None
    assert broker.assets(["ZZZZ"]) == {"ZZZZ": None}
    astray, _, _ = scripted(answer({"message": "endpoint not found."}, 404))
    with pytest.raises(BrokerRefused, match="404"):
        astray.order("ai-1")


def test_a_rate_limit_is_waited_out() -> None:
    reset = str(int(NOON.timestamp()) + 7)
    broker, _, clock = scripted(answer({}, 429, x_ratelimit_reset=reset), GOOD)
    broker.account()
    assert clock.slept == [7.25]


def test_a_rate_limit_for_ever_is_no_answer() -> None:
    broker, transport, _ = scripted(answer({}, 429))
    with pytest.raises(BrokerUnavailable, match="status 429"):
        broker.account()
    assert len(transport.asked) == 4


def test_an_unreadable_answer_is_not_asked_again_and_names_the_key() -> None:
    broker, transport, _ = scripted(answer({**ACCOUNT, "cash": "a lot"}))
    with pytest.raises(BrokerUnavailable, match="`cash` of the account cannot be read"):
        broker.account()
    assert len(transport.asked) == 1


WHOLE: dict[str, object] = {
    **ORDER,
    **ACCOUNT,
    "status": "active",
    "tradable": True,
    "fractionable": True,
    "class": "us_equity",
    "timestamp": "2026-01-14T12:00:00-05:00",
    "is_open": True,
    "date": "2026-01-14",
    "open": "09:30",
    "close": "16:00",
    "avg_entry_price": "1",
    "market_value": "2",
    "unrealized_pl": "0",
    "qty_available": "2",
    "quotes": {"MU": {"ap": 1, "bp": 1, "t": "2026-01-14T12:00:00Z"}},
    "trades": {"MU": {"p": 1, "t": "2026-01-14T12:00:00Z"}},
    "bars": {"MU": [{"v": 1, "t": "2026-01-12T05:00:00Z"}]},
    "next_page_token": None,
    "activity_type": "FILL",
    "transaction_time": "2026-01-14T12:00:00Z",
    "price": "331.44",
    "net_amount": "1",
    "description": "an activity",
}
"""An object that every question can read, so that one odd value is all that is wrong with it."""

HISTORY = {"timestamp": [1768410000], "equity": [1000.5], "timeframe": "1D"}
"""Where two questions know the same key, what the second makes of it."""

LISTS = {"positions", "open_orders", "orders_since", "all_assets", "activities"}


def whole(name: str) -> dict[str, object]:
    return {**WHOLE, **(HISTORY if name == "equity_history" else {})}


def assert_a_value_or_a_sentence(broker: AlpacaBroker, name: str) -> None:
    said = "a value; nothing to do"
    try:
        QUESTIONS[name](broker)
    except (BrokerUnavailable, BrokerRefused) as error:
        said = str(error)
    assert ";" in said, "what was observed; what to do about it"
    assert "\n" not in said


@example("symbol", [], "all_assets")
@example("timestamp", "9999-12-31T23:59:59Z", "market_clock")
@example("date", "00010101", "market_clock")
@example("date", "0001-01-01", "activities")
@example("timestamp", [10**30], "equity_history")
@given(st.sampled_from(sorted(WHOLE | HISTORY)), json_values, st.sampled_from(sorted(QUESTIONS)))
def test_any_value_in_any_field_is_a_value_or_no_answer(key: str, value: object, name: str) -> None:
    told = {**whole(name), key: value}
    script = [answer([told] if name in LISTS else told), answer([told])]
    broker, _, _ = scripted(*script)
    assert_a_value_or_a_sentence(broker, name)


@given(
    st.binary() | json_values.map(lambda one: repr(one).encode("utf-8", "replace")),
    st.integers(200, 599),
    st.sampled_from(sorted(QUESTIONS)),
)
def test_any_bytes_are_a_value_or_no_answer(body: bytes, status: int, name: str) -> None:
    broker, _, _ = scripted(answer(body, status))
    assert_a_value_or_a_sentence(broker, name)


@pytest.mark.parametrize("name", sorted(QUESTIONS))
def test_the_whole_object_is_readable(name: str) -> None:
    told = whole(name)
    broker, _, _ = scripted(answer([told] if name in LISTS else told), answer([told]))
    if name == "prices":
        broker, _, _ = scripted(answer(told))
    QUESTIONS[name](broker)
