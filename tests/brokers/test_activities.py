"""Account activities: every one told once, exactly, and an odd one stops no other."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from executor.brokers import activities
from executor.brokers.activities import PAGE, activity
from executor.brokers.parsing import Unreadable
from executor.brokers.transport import Answer
from executor.errors import BrokerUnavailable
from executor.exchange.messages import Request
from executor.model.activity import Activity
from tests.brokers.support import KEY, NOON, SECRET, Rig, answer, buy, scripted
from tests.brokers.test_submitting import json_values

FILL = {
    "activity_type": "FILL",
    "cum_qty": "2",
    "id": "20220202135509981::2d7be4ff-d1f3-43e9-856a-0f5cf5c5088e",
    "leaves_qty": "0",
    "order_id": "b5abe576-6a8a-49f3-a353-46b72c1ccae9",
    "order_status": "filled",
    "price": "174.78",
    "qty": "2",
    "side": "buy",
    "symbol": "AAPL",
    "transaction_time": "2022-02-02T18:55:09.981482Z",
    "type": "fill",
}
"""The example of Alpaca's OpenAPI document."""

DIVIDEND = {
    "activity_sub_type": "CDIV",
    "activity_type": "DIV",
    "created_at": "2019-08-02T14:01:04.650275Z",
    "currency": "USD",
    "date": "2019-08-01",
    "description": "cash dividend",
    "group_id": "group-1",
    "id": "20190801011955195::5f596936-6f23-4cef-bdf1-3806aae57dbf",
    "net_amount": "1.02",
    "per_share_amount": "0.51",
    "qty": "2",
    "status": "executed",
    "symbol": "T",
}


def test_a_fill() -> None:
    assert activity(FILL) == Activity(
        id="20220202135509981::2d7be4ff-d1f3-43e9-856a-0f5cf5c5088e",
        kind="FILL",
        at=datetime(2022, 2, 2, 18, 55, 9, 981482, tzinfo=UTC),
        symbol="AAPL",
        quantity=Decimal(2),
        price=Decimal("174.78"),
        side="buy",
        order_id="b5abe576-6a8a-49f3-a353-46b72c1ccae9",
    )


def test_a_dividend_moves_cash_and_no_shares() -> None:
    """Its `qty` are the shares that it was paid for."""
    told = activity(DIVIDEND)
    assert told == Activity(
        id="20190801011955195::5f596936-6f23-4cef-bdf1-3806aae57dbf",
        kind="DIV",
        at=datetime(2019, 8, 1, 4, tzinfo=UTC),
        symbol="T",
        net_amount=Decimal("1.02"),
        group="group-1",
        status="executed",
        description="cash dividend",
    )
    assert not told.moves_shares


@pytest.mark.parametrize(
    ("changes", "quantity"),
    [
        ({"activity_type": "SPLIT", "activity_sub_type": "FSPLIT"}, 2),
        ({"activity_type": "NC", "qty": "-2"}, -2),
        ({"activity_type": "DIV", "activity_sub_type": "SDIV"}, 2),
        ({"activity_type": "DIV", "activity_sub_type": "CDIV"}, None),
        ({"activity_type": "DIVNRA"}, None),
        ({"activity_type": "CGD"}, None),
        ({"activity_type": "SPIN", "qty": None}, None),
        ({"activity_type": "FILL", "qty": "-2"}, 2),
    ],
)
def test_what_moves_shares(changes: dict[str, object], quantity: int | None) -> None:
    told = activity({**DIVIDEND, "per_share_amount": None, **changes})
    assert told.quantity == quantity


@pytest.mark.parametrize(
    ("day", "at"),
    [
        ("2026-01-14", datetime(2026, 1, 14, 5, tzinfo=UTC)),
        ("2026-07-01", datetime(2026, 7, 1, 4, tzinfo=UTC)),
        ("2026-03-08", datetime(2026, 3, 8, 5, tzinfo=UTC)),
        ("2026-07-01T00:00:00Z", datetime(2026, 7, 1, tzinfo=UTC)),
        # Without a day: when it was noted, and last of all what its id begins with.
        (None, datetime(2019, 8, 2, 14, 1, 4, 650275, tzinfo=UTC)),
        ("soon", datetime(2019, 8, 2, 14, 1, 4, 650275, tzinfo=UTC)),
    ],
)
def test_a_day_starts_in_new_york(day: object, at: datetime) -> None:
    assert activity({**DIVIDEND, "date": day}).at == at


def test_the_id_begins_with_the_day() -> None:
    told = activity({**DIVIDEND, "date": None, "created_at": None})
    assert told.at == datetime(2019, 8, 1, 4, tzinfo=UTC)
    with pytest.raises(Unreadable, match="`date` of an activity"):
        activity({**DIVIDEND, "date": None, "created_at": None, "id": "soon::1"})


def test_what_cannot_be_read_is_left_out_and_named() -> None:
    odd: dict[str, object] = {"net_amount": "a lot", "qty": [], "price": 1, "symbol": None}
    odd |= {"side": 7, "activity_type": "\u202eNEW", "per_share_amount": None}
    told = activity({**DIVIDEND, **odd})
    assert (told.kind, told.net_amount, told.quantity) == ("\\u202eNEW", None, None)
    assert told.price == 1
    assert told.symbol is told.side is None
    assert told.description == "cash dividend (unreadable: qty, net_amount)"


@pytest.mark.parametrize("gone", [None, "", 7, "\u202e"])
def test_without_an_id_it_cannot_be_booked_once(gone: object) -> None:
    broker, _, _ = scripted(answer([FILL, {**FILL, "id": gone}]))
    with pytest.raises(BrokerUnavailable, match="`id` of an activity"):
        broker.activities(NOON)


@given(st.sampled_from(sorted(FILL | DIVIDEND)), json_values, st.sampled_from([FILL, DIVIDEND]))
def test_any_value_in_any_field(key: str, value: object, sound: dict[str, str]) -> None:
    data = json.dumps({**sound, key: value}).encode()
    assume(key != "id" and b"Infinity" not in data and b"NaN" not in data)
    broker, _, _ = scripted(answer(b"[" + data + b"]"))
    (told,) = broker.activities(NOON)
    assert told.id == sound["id"]
    assert Activity.model_validate_json(told.model_dump_json()) == told


def page(*numbers: int) -> Answer:
    return answer([{**FILL, "id": f"2022020213550{one:04}::x"} for one in numbers])


def test_pages_are_joined_and_nothing_comes_twice() -> None:
    broker, transport, _ = scripted(page(*range(PAGE)), page(*range(PAGE - 1, PAGE + 5)))
    found = broker.activities(NOON + timedelta(microseconds=123_456))
    assert [one.id for one in found] == [f"2022020213550{one:04}::x" for one in range(PAGE + 5)]
    first, second = (one[3] for one in transport.asked)
    assert first == {"after": "2026-01-14T17:00:00Z", "direction": "asc", "page_size": "100"}
    assert second == {**first, "page_token": "20220202135500099::x"}


def test_pages_that_do_not_go_on_are_no_answer() -> None:
    broker, _, _ = scripted(page(*range(PAGE)))
    with pytest.raises(BrokerUnavailable, match="do not go on"):
        broker.activities(NOON)


def test_pages_without_end_are_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activities, "PAGES_MAX", 3)
    pages = [page(*range(start, start + PAGE)) for start in range(0, 1_000, PAGE)]
    broker, transport, _ = scripted(*pages)
    with pytest.raises(BrokerUnavailable, match="do not go on"):
        broker.activities(NOON)
    assert len(transport.asked) == 3


def happens(made: Rig, **event: object) -> None:
    headers = {"APCA-API-KEY-ID": KEY, "APCA-API-SECRET-KEY": SECRET}
    done = made.exchange.handle(
        Request("POST", "/sim/events", {}, headers, json.dumps(event).encode())
    )
    assert done.status < 300, done.body


def test_what_the_exchange_tells_adds_up(both: Rig) -> None:
    both.broker.submit_all([buy(quantity="10")])
    happens(both, kind="dividend", symbol="MU", per_share="0.50")
    happens(both, kind="transfer", amount="-250.25")
    happens(both, kind="split", symbol="MU", new_rate="2", old_rate="1")
    both.clock.sleep(60)
    told = both.broker.activities(NOON - timedelta(days=1))
    fill, dividend, transfer, split = told
    (order,) = both.broker.orders_since(NOON - timedelta(days=1))
    assert (fill.is_fill, fill.side, fill.quantity) == (True, "buy", Decimal(10))
    assert fill.order_id == order.broker_order_id
    assert (dividend.kind, dividend.net_amount, dividend.moves_shares) == ("DIV", Decimal(5), False)
    assert (transfer.net_amount, transfer.is_transfer) == (Decimal("-250.25"), True)
    assert (split.kind, split.quantity, split.moves_shares) == ("SPLIT", Decimal(10), True)
    assert fill.price is not None
    cash = 100_000 - 10 * fill.price + 5 - Decimal("250.25")
    assert both.broker.account().cash == cash
    assert both.broker.activities(both.clock.now()) == ()


def test_more_activities_than_a_page_holds(both: Rig) -> None:
    for number in range(2 * PAGE + 30):
        happens(both, kind="interest", amount=f"{number + 1}.01")
    told = both.broker.activities(NOON - timedelta(days=1))
    assert len({one.id for one in told}) == len(told) == 2 * PAGE + 30
    assert both.broker.account().cash == 100_000 + sum(one.net_amount or 0 for one in told)
