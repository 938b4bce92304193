"""When orders fill, at which price, and that it does not matter who was watching."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from executor.exchange.matching import marketable_level, side_price
from executor.exchange.opening import Opening
from executor.exchange.prices import SeededPrices
from executor.exchange.sessions import AlwaysOpen, NyseSessions
from executor.model.position import Position, Side
from tests.exchange.rig import Rig, flat, holding, steps

START = datetime(2026, 1, 14, 15, 0, tzinfo=UTC)
"""A Wednesday, half an hour into the NYSE session."""


def path(*prices: str) -> Any:
    """Make MU cost this much, a price a minute."""
    return steps(MU=[(START + timedelta(minutes=i), price) for i, price in enumerate(prices)])


def test_a_market_order_is_shown_as_received_and_then_filled_at_the_ask() -> None:
    rig = Rig(flat("100"), at=START)
    assert rig.submit()["status"] == "pending_new"
    filled = rig.order()
    assert (filled["status"], filled["filled_qty"]) == ("filled", "2")
    assert filled["filled_avg_price"] == "100.01"
    assert filled["filled_at"] == "2026-01-14T15:00:00Z"
    assert rig.submit(side="sell", client_order_id="second")["status"] == "pending_new"
    assert rig.order("second")["filled_avg_price"] == "99.99"


@pytest.mark.parametrize(
    ("changes", "prices", "price", "minute"),
    [
        ({"type": "limit", "limit_price": "105"}, ["100", "99"], "100.01", 0),
        ({"type": "limit", "limit_price": "99"}, ["100", "98.99", "90"], "99", 1),
        ({"type": "limit", "limit_price": "99"}, ["100", "99", "97"], "97.01", 2),
        ({"type": "stop", "stop_price": "101"}, ["100", "100.99", "101", "99"], "101.01", 2),
        ({"type": "stop", "stop_price": "99"}, ["100"], "100.01", 0),
        (
            {"type": "stop_limit", "stop_price": "101", "limit_price": "100.5"},
            ["100", "101", "100.6", "100.4", "99"],
            "100.41",
            3,
        ),
        ({"side": "sell", "type": "limit", "limit_price": "101"}, ["100", "103"], "102.99", 1),
        ({"side": "sell", "type": "limit", "limit_price": "101"}, ["100", "101.01"], "101", 1),
        ({"side": "sell", "type": "stop", "stop_price": "95"}, ["100", "94", "99"], "93.99", 1),
        (
            {"side": "sell", "type": "stop_limit", "stop_price": "95", "limit_price": "94.5"},
            ["100", "94", "94.4", "96"],
            "95.99",
            3,
        ),
    ],
)
def test_where_an_order_fills(
    changes: dict[str, object], prices: list[str], price: str, minute: int
) -> None:
    opening = holding("MU", "10", "1000")
    watched = Rig(path(*prices), opening=opening, at=START + timedelta(seconds=20))
    watched.submit(**changes)
    for _ in prices:
        shown = watched.order()
        watched.wait(minutes=1)
    alone = Rig(path(*prices), opening=opening, at=START + timedelta(seconds=20))
    alone.submit(**changes)
    alone.wait(minutes=len(prices) - 1)
    assert alone.order() == shown
    assert (shown["status"], shown["filled_avg_price"]) == ("filled", price)
    at = START + timedelta(minutes=minute, seconds=0 if minute else 20)
    assert datetime.fromisoformat(shown["filled_at"]) == at


def test_an_order_out_of_reach_rests_until_its_session_ends() -> None:
    rig = Rig(flat("100"), at=START)
    rig.submit(type="limit", limit_price="99")
    assert rig.order()["status"] == "new"
    assert rig.order()["expires_at"] == "2026-01-15T00:00:00Z"
    rig.wait(hours=9)
    ended = rig.order()
    assert (ended["status"], ended["expired_at"]) == ("expired", "2026-01-15T00:00:00Z")
    assert rig.get("/v2/orders") == []


def test_an_order_does_not_fill_in_the_minute_after_its_session() -> None:
    midnight = datetime(2026, 1, 15, tzinfo=UTC)
    rig = Rig(steps(MU=[(START, "100"), (midnight, "80")]), at=START)
    rig.submit(type="limit", limit_price="90")
    rig.submit(type="limit", limit_price="90", time_in_force="gtc", client_order_id="second")
    rig.now = midnight
    assert [rig.order(one)["status"] for one in ("first", "second")] == ["expired", "filled"]


def test_an_order_good_till_canceled_rests_for_months() -> None:
    rig = Rig(flat("100"), at=START)
    rig.submit(type="limit", limit_price="99", time_in_force="gtc")
    rig.wait(days=400)
    assert rig.order()["status"] == "new"
    assert "expires_at" not in rig.order()


def test_a_day_order_waits_for_the_open_and_expires_at_the_close() -> None:
    evening = datetime(2026, 1, 16, 23, 0, tzinfo=UTC)  # a Friday; Monday is a holiday
    rig = Rig(flat("100"), NyseSessions(), at=evening)
    assert rig.submit()["status"] == "accepted"
    rig.submit(type="limit", limit_price="90", client_order_id="low")
    rig.wait(days=3)
    assert rig.order()["status"] == "accepted"
    assert rig.order()["expires_at"] == "2026-01-20T21:00:00Z"
    rig.now = datetime(2026, 1, 20, 14, 30, tzinfo=UTC)
    filled = rig.order()
    assert (filled["status"], filled["filled_at"]) == ("filled", "2026-01-20T14:30:00Z")
    assert rig.order("low")["status"] == "new"
    rig.now = datetime(2026, 1, 20, 21, 0, tzinfo=UTC)
    assert rig.order("low")["status"] == "expired"


def test_a_stop_sleeps_while_the_market_is_closed() -> None:
    night = datetime(2026, 1, 15, 2, 0, tzinfo=UTC)
    prices = steps(
        MU=[(START, "100"), (night, "80"), (night + timedelta(hours=1), "100")],
    )
    for sessions, status in ((NyseSessions(), "new"), (AlwaysOpen(), "filled")):
        rig = Rig(prices, sessions, holding("MU", "5", "500"), at=START)
        rig.submit(side="sell", type="stop", stop_price="90", time_in_force="gtc")
        rig.now = START + timedelta(days=1)
        assert rig.order()["status"] == status


def test_a_recording_that_starts_later_lets_the_order_wait() -> None:
    opening = Opening(
        orders=(
            {
                "symbol": "MU",
                "side": "buy",
                "type": "market",
                "time_in_force": "gtc",
                "client_order_id": "first",
                "qty": "2",
                "status": "new",
                "submitted_at": "2026-01-14T14:00:00Z",
            },
        )
    )
    rig = Rig(path("100"), opening=opening, at=START - timedelta(minutes=30))
    assert rig.order()["status"] == "new"
    rig.now = START
    assert rig.order()["filled_at"] == "2026-01-14T15:00:00Z"


def test_a_notional_order_buys_what_the_money_buys() -> None:
    rig = Rig(flat("3"), at=START)
    rig.submit(qty=None, notional="100")
    filled = rig.order()
    assert filled["qty"] is None
    assert filled["filled_qty"] == "33.222591362"
    assert filled["filled_avg_price"] == "3.01"
    assert rig.account()["cash"] == Decimal(99_900)


@settings(max_examples=300, deadline=None)
@given(
    limit=st.decimals("0.5", "2500", places=2),
    offset=st.integers(-3, 3),
    side=st.sampled_from(["buy", "sell"]),
)
def test_the_marketable_level_never_fills_beyond_the_limit(
    limit: Decimal, offset: int, side: Side
) -> None:
    level = marketable_level(side, limit)
    price = side_price(side, level)
    assert price <= limit if side == "buy" else price >= limit
    tick = Decimal("0.0001") if limit < 1 else Decimal("0.01")
    beyond = side_price(side, level + tick if side == "buy" else level - tick)
    missed = limit - beyond if side == "buy" else beyond - limit
    assert missed <= tick  # at a step of the spread, one tick on the safe side


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1000),
    percents=st.lists(st.integers(-8, 8).filter(bool), min_size=1, max_size=5),
    pauses=st.lists(st.integers(1, 4_000), min_size=1, max_size=12),
    nyse=st.booleans(),
)
def test_watching_changes_nothing(
    seed: int, percents: list[int], pauses: list[int], nyse: bool
) -> None:
    """Polled often, polled once, or made anew from its own record: the same fills."""
    sessions = NyseSessions() if nyse else AlwaysOpen()
    prices = SeededPrices(seed)
    begin = datetime(2026, 3, 4, 16, 0, 30, tzinfo=UTC)
    opening = Opening(cash=Decimal(10**6), positions=(Position("MU", Decimal(50), Decimal(5000)),))
    rigs = [Rig(prices, sessions, opening, at=begin) for _ in range(2)]
    last = prices.price("MU", begin)
    assert last is not None
    for rig in rigs:
        for index, percent in enumerate(percents):
            limit = (last * (100 + percent) / 100).quantize(Decimal("0.01"))
            rig.submit(
                symbol="MU",
                side="sell",
                qty=str(index + 1),
                type="limit" if percent > 0 else "stop",
                **{"limit_price" if percent > 0 else "stop_price": str(limit)},
                time_in_force="gtc" if index % 2 else "day",
                client_order_id=f"order-{index}",
            )
    watched, alone = rigs
    for pause in pauses:
        watched.wait(minutes=pause)
        watched.get("/v2/account")
    alone.now = watched.now
    reborn = Rig(
        prices,
        sessions,
        Opening(
            cash=opening.cash,
            positions=opening.positions,
            orders=tuple(
                {**one, "status": "new", "filled_qty": "0", "filled_avg_price": None}
                for one in alone.get("/v2/orders", status="all", direction="asc")
            ),
        ),
        at=watched.now,
    )
    expected = watched.get("/v2/orders", status="all")
    assert alone.get("/v2/orders", status="all") == expected
    assert watched.exchange.fills() == alone.exchange.fills() == reborn.exchange.fills()
    assert alone.get("/v2/positions") == watched.get("/v2/positions")
    assert reborn.account()["cash"] == watched.account()["cash"]
