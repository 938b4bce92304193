from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from executor.decisions.stop_orders import (
    exit_request,
    is_stop,
    stop_request,
    stops,
    takes_profit,
)
from executor.model.ledger import Lot, LotKey
from executor.model.order import OrderRequest
from executor.model.order_id import client_order_id
from tests.decisions.toy_broker import working

DIGEST = "ab" * 32
TEN = Decimal(10)


def lot(stop: str | None = "300", **keys: Any) -> Lot:
    price = None if stop is None else Decimal(stop)
    return Lot(LotKey(DIGEST, 3), "MU", TEN, price, **keys)


def key(leg: Any, number: int = 0) -> str:
    return client_order_id("local", DIGEST, 3, leg, number)


def test_a_stop_lasts_until_it_is_canceled() -> None:
    assert stop_request("local", lot(stops=2), "stop", TEN) == OrderRequest(
        client_order_id=key("stop", 2),
        symbol="MU",
        side="sell",
        order_type="stop",
        time_in_force="gtc",
        quantity=TEN,
        stop_price=Decimal(300),
    )


def test_the_stop_of_a_fraction_is_for_the_session() -> None:
    found = stop_request("local", lot(fractions=4), "fraction", Decimal("0.5"))
    assert (found.client_order_id, found.time_in_force) == (key("fraction", 4), "day")
    assert (found.order_type, found.quantity) == ("stop", Decimal("0.5"))


def test_a_trailing_stop_has_no_price() -> None:
    found = stop_request("local", lot(None, trail_percent=Decimal(5)), "stop", TEN)
    assert (found.order_type, found.trail_percent) == ("trailing_stop", Decimal(5))
    assert found.stop_price is None


def test_a_pair_is_one_order_with_both_prices() -> None:
    found = stop_request("local", lot(take_profit_price=Decimal(360)), "target", TEN)
    assert (found.client_order_id, found.order_class) == (key("target"), "oco")
    assert (found.order_type, found.time_in_force) == ("limit", "gtc")
    assert (found.take_profit_price, found.stop_loss_price) == (Decimal(360), Decimal(300))
    assert (found.limit_price, found.stop_price) == (None, None)


def test_an_exit_takes_the_next_number_of_the_stop() -> None:
    found = exit_request("local", lot(stops=1), Decimal("10.5"))
    assert (found.client_order_id, found.order_type) == (key("stop", 1), "market")
    assert (found.side, found.time_in_force) == ("sell", "day")
    assert found.quantity == Decimal("10.5")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("stop", True), ("stop_limit", True), ("trailing_stop", True), ("limit", False)],
)
def test_what_a_falling_price_sets_off(kind: str, expected: bool) -> None:
    assert is_stop(working("one", order_type=kind)) is expected


@pytest.mark.parametrize(
    ("keys", "good"),
    [
        ({}, True),
        ({"stop_price": Decimal(301)}, True),
        ({"stop_price": Decimal("299.99")}, False),
        ({"stop_price": None}, False),
        ({"quantity": Decimal(9)}, False),
        ({"time_in_force": "day"}, False),
        ({"order_type": "limit"}, False),
        ({"order_type": "stop_limit"}, True),
    ],
)
def test_a_stop_is_as_good_as_what_is_asked_for_or_it_is_not(
    keys: dict[str, Any], good: bool
) -> None:
    base: dict[str, Any] = {"stop_price": Decimal(300)}
    assert stops(lot(), "stop", TEN, working("one", **(base | keys))) is good


def test_only_the_stop_of_a_fraction_may_end_with_the_session() -> None:
    short = working("one", quantity="0.5", stop_price=Decimal(300), time_in_force="day")
    assert stops(lot(), "fraction", Decimal("0.5"), short)
    assert not stops(lot(), "stop", Decimal("0.5"), short)


@pytest.mark.parametrize(
    ("kind", "trail", "good"),
    [
        ("trailing_stop", "5", True),
        ("trailing_stop", "4", True),
        ("trailing_stop", "6", False),
        ("trailing_stop", None, False),
        ("stop", "5", False),
    ],
)
def test_a_stop_that_trails_closer_is_as_good(kind: str, trail: str | None, good: bool) -> None:
    percent = None if trail is None else Decimal(trail)
    one = working("one", order_type=kind, trail_percent=percent, stop_price=Decimal(390))
    assert stops(lot(None, trail_percent=Decimal(5)), "stop", TEN, one) is good


@pytest.mark.parametrize(
    ("keys", "good"),
    [
        ({}, True),
        ({"order_type": "stop"}, False),
        ({"quantity": Decimal(9)}, False),
        ({"time_in_force": "day"}, False),
    ],
)
def test_a_target_is_a_limit_that_lasts(keys: dict[str, Any], good: bool) -> None:
    base: dict[str, Any] = {"order_type": "limit", "limit_price": Decimal(360)}
    assert takes_profit(TEN, working("one", **(base | keys))) is good
