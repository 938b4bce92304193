"""Orders that hang together: how they are sent, and their legs whatever was asked."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.brokers.submitting import order_fields
from executor.brokers.transport import NoAnswer
from executor.errors import BrokerRefused, BrokerUnavailable
from executor.exchange.opening import Opening
from executor.model.order import OrderRequest, OrderStatus
from executor.model.position import Position
from tests.brokers.support import NOON, ORDER, Kind, Rig, answer, buy, rig, scripted

OTO = OrderRequest(
    "ai-1",
    "MU",
    "buy",
    "limit",
    "gtc",
    Decimal(2),
    limit_price=Decimal("300.50"),
    order_class="oto",
    stop_loss_price=Decimal("276.46"),
)
BRACKET = replace(OTO, order_class="bracket", take_profit_price=Decimal(400))
OCO = OrderRequest(
    "ai-1",
    "MU",
    "sell",
    "limit",
    "gtc",
    Decimal(2),
    order_class="oco",
    take_profit_price=Decimal(400),
    stop_loss_price=Decimal("276.46"),
)
TRAILING = OrderRequest(
    "ai-1", "MU", "sell", "trailing_stop", "gtc", Decimal(2), trail_percent=Decimal("7.5")
)

STOP: dict[str, Any] = {
    **ORDER,
    "id": "0d4b2f0c-0000-4000-8000-000000000002",
    "client_order_id": "made-by-the-broker",
    "side": "sell",
    "type": "stop",
    "status": "held",
    "stop_price": "276.46",
    "order_class": "oto",
    "legs": None,
}
PARENT: dict[str, Any] = {**ORDER, "type": "limit", "order_class": "oto", "legs": [STOP]}
BARE: dict[str, Any] = {**PARENT, "legs": None}


def test_an_oto_brings_its_stop() -> None:
    assert order_fields(OTO) == {
        "symbol": "MU",
        "side": "buy",
        "type": "limit",
        "time_in_force": "gtc",
        "qty": "2",
        "limit_price": "300.5",
        "client_order_id": "ai-1",
        "order_class": "oto",
        "stop_loss": {"stop_price": "276.46"},
    }


def test_a_bracket_and_an_oco_bring_target_and_stop() -> None:
    legs = {"take_profit": {"limit_price": "400"}, "stop_loss": {"stop_price": "276.46"}}
    assert order_fields(BRACKET).items() >= {**legs, "order_class": "bracket"}.items()
    oco = order_fields(OCO)
    assert oco.items() >= {**legs, "order_class": "oco"}.items()
    assert "limit_price" not in oco


def test_a_trailing_stop_follows_by_percent() -> None:
    fields = order_fields(TRAILING)
    assert (fields["type"], fields["trail_percent"]) == ("trailing_stop", "7.5")
    assert "order_class" not in fields


@pytest.mark.parametrize(
    "mistake",
    [
        replace(OTO, stop_loss_price=None),
        replace(OTO, order_class="simple"),
        replace(OTO, stop_loss_price=Decimal(-1)),
        replace(TRAILING, trail_percent=Decimal(0)),
    ],
)
def test_what_cannot_be_meant_is_our_mistake_before_anything_is_sent(mistake: OrderRequest) -> None:
    broker, transport, _ = scripted(answer(ORDER))
    with pytest.raises(AssertionError):
        broker.submit_all([buy("ai-0"), mistake])
    assert transport.asked == []


def test_one_id_twice_in_a_wave_is_our_mistake() -> None:
    broker, transport, _ = scripted(answer(ORDER))
    with pytest.raises(AssertionError):
        broker.submit_all([buy(), buy()])
    assert transport.asked == []


def test_an_answer_with_legs_is_whole() -> None:
    broker, transport, _ = scripted(answer(PARENT))
    (told,) = broker.submit_all([OTO])
    assert told.report is not None
    assert told.report.order_class == "oto"
    (stop,) = told.report.legs
    assert (stop.client_order_id, stop.order_type) == ("made-by-the-broker", "stop")
    assert stop.stop_price == Decimal("276.46")
    assert len(transport.asked) == 1


def test_an_answer_without_legs_is_asked_for_them() -> None:
    broker, transport, _ = scripted(answer(BARE), answer(PARENT))
    (told,) = broker.submit_all([OTO])
    assert told.report is not None
    assert len(told.report.legs) == 1
    assert transport.asked[1] == (
        "trading",
        "GET",
        f"/v2/orders/{ORDER['id']}",
        {"nested": "true"},
    )
    found, _, _ = scripted(answer(BARE), answer(PARENT))
    report = found.order("ai-1")
    assert report is not None
    assert len(report.legs) == 1


@pytest.mark.parametrize("name", ["", None, "simple"])
def test_an_order_alone_is_asked_for_nothing_more(name: object) -> None:
    broker, transport, _ = scripted(answer({**ORDER, "order_class": name}))
    report = broker.order("ai-1")
    assert report is not None
    assert (report.order_class, report.legs) == ("simple", ())
    assert len(transport.asked) == 1


@pytest.mark.parametrize(
    "second",
    [
        NoAnswer("dropped"),
        answer(b"<html>", 502),
        answer({"code": 40410000, "message": "no"}, 404),
        answer({**PARENT, "id": "another"}),
        answer({**PARENT, "legs": "two"}),
        answer({**PARENT, "legs": [{**STOP, "side": None}]}),
    ],
    ids=repr,
)
def test_legs_that_cannot_be_had_leave_the_order_ambiguous(second: Any) -> None:
    broker, transport, _ = scripted(answer(BARE), second)
    (told,) = broker.submit_all([OTO])
    assert told.ambiguous
    assert "may have been accepted" in told.ambiguous
    assert [one[1] for one in transport.asked].count("POST") == 1
    found, _, _ = scripted(answer(BARE), second)
    with pytest.raises((BrokerUnavailable, BrokerRefused)):
        found.order("ai-1")


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (OTO, "simple"),
        (OTO, ""),
        (OTO, None),
        (OTO, "bracket"),
        (BRACKET, "oto"),
        (buy(), "oto"),
        (buy(), "mleg"),
    ],
)
def test_another_class_than_was_sent_is_ambiguous(sent: OrderRequest, told: object) -> None:
    broker, _, _ = scripted(answer({**PARENT, "order_class": told}))
    (submission,) = broker.submit_all([sent])
    assert submission.ambiguous is not None
    assert "class" in submission.ambiguous


def test_a_flat_list_tells_legs_by_themselves_and_with_their_parent() -> None:
    group = {"group_id": "group-1"}
    listed = [
        {**BARE, **group, "group_role": "entry"},
        {**STOP, **group, "group_role": "stop_loss"},
        {**ORDER, "id": "id-3", "client_order_id": "ai-3"},
    ]
    broker, transport, _ = scripted(answer(listed))
    entry, stop, other = broker.orders_since(NOON)
    assert entry.legs == (stop,)
    assert stop.legs == other.legs == ()
    assert transport.asked[0][3]["nested"] == "false"
    # A list of open orders may lack an entry that has filled: its stop stands all the same.
    (alone,) = scripted(answer(listed[1:2]))[0].open_orders()
    assert alone == stop


def test_of_an_oco_pair_the_target_is_the_parent() -> None:
    group = {"group_id": "group-1", "order_class": "oco", "side": "sell"}
    listed = [
        {**BARE, **group, "group_role": "take_profit"},
        {**STOP, **group, "group_role": "stop_loss"},
    ]
    target, stop = scripted(answer(listed))[0].open_orders()
    assert target.legs == (stop,)
    assert stop.legs == ()


@given(st.sampled_from(["order_class", "group_id", "group_role"]), st.data())
def test_odd_groups_lose_no_order(key: str, data: st.DataObject) -> None:
    odd = data.draw(st.none() | st.integers() | st.text(max_size=9) | st.lists(st.none()))
    listed = [
        {**BARE, "group_id": "g", "group_role": "entry", key: odd},
        {**STOP, "group_id": "g", "group_role": "stop_loss"},
    ]
    orders = scripted(answer(listed))[0].orders_since(NOON)
    assert [one.broker_order_id for one in orders] == [one["id"] for one in listed]


# Against the exchange, with the real SDK and without.

HELD = Opening(positions=(Position("MU", Decimal(2), Decimal(600)),))


@pytest.mark.parametrize("request_", [OTO, BRACKET], ids=["oto", "bracket"])
def test_an_entry_with_exits_is_whole_everywhere(both: Rig, request_: OrderRequest) -> None:
    (told,) = both.broker.submit_all([request_])
    assert told.report is not None
    assert told.report.order_class == request_.order_class
    found = both.broker.order("ai-1")
    assert found is not None
    legs = {one.order_type: one for one in found.legs}
    assert set(legs) == ({"stop"} if request_ is OTO else {"stop", "limit"})
    assert legs["stop"].stop_price == Decimal("276.46")
    assert {one.side for one in found.legs} == {"sell"}
    assert [one.broker_order_id for one in told.report.legs] == [
        one.broker_order_id for one in found.legs
    ]
    listed = both.broker.orders_since(NOON - timedelta(days=1))
    assert {one.broker_order_id for one in listed} == {
        found.broker_order_id,
        *(one.broker_order_id for one in found.legs),
    }
    (parent,) = (one for one in listed if one.client_order_id == "ai-1")
    assert {one.broker_order_id for one in parent.legs} == {
        one.broker_order_id for one in found.legs
    }
    # The legs are looked up by the broker's own id for them.
    stop = both.broker.order(legs["stop"].client_order_id)
    assert stop is not None
    assert stop.broker_order_id == legs["stop"].broker_order_id


def test_a_pair_of_exits_and_its_end(kind: Kind) -> None:
    with rig(kind, opening=HELD) as made:
        (told,) = made.broker.submit_all([OCO])
        assert told.report is not None, told
        (stop,) = told.report.legs
        assert (told.report.limit_price, stop.stop_price) == (Decimal(400), Decimal("276.46"))
        assert len(made.broker.open_orders()) == 2
        (ended,) = made.broker.cancel_all([told.report.broker_order_id])
        assert ended.accepted
        assert made.broker.open_orders() == ()
        found = made.broker.order("ai-1")
        assert found is not None
        assert found.status is OrderStatus.CANCELED
        assert [one.status for one in found.legs] == [OrderStatus.CANCELED]


def test_a_trailing_stop_tells_its_percent(kind: Kind) -> None:
    with rig(kind, opening=HELD) as made:
        (told,) = made.broker.submit_all([TRAILING])
        assert told.report is not None, told
        assert told.report.order_type == "trailing_stop"
        assert told.report.trail_percent == Decimal("7.5")
        (open_order,) = made.broker.open_orders()
        assert open_order.trail_percent == Decimal("7.5")


@pytest.mark.parametrize("fault", ["accept_then_504", "accept_then_drop"])
def test_an_entry_without_an_answer_is_found_with_its_stop(both: Rig, fault: str) -> None:
    both.fault(fault)
    (told,) = both.broker.submit_all([OTO])
    assert told.ambiguous
    found = both.broker.order("ai-1")
    assert found is not None
    assert len(found.legs) == 1
    (again,) = both.broker.submit_all([OTO])
    assert again.report is not None
    assert again.report.legs == found.legs
    sent = {json.loads(one.body)["stop_loss"]["stop_price"] for one in both.exchange.posts()}
    assert sent == {"276.46"}
