"""Trailing stops: against a walk minute by minute, and made anew from Alpaca's form."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from executor.exchange.opening import Opening
from executor.exchange.orders import Ticket
from executor.exchange.prices import MINUTE, PriceSource, SeededPrices, floor_minute
from executor.exchange.sessions import AlwaysOpen, NyseSessions, Sessions
from executor.model.position import Position
from tests.exchange.rig import Rig, flat, holding, steps

START = datetime(2026, 3, 4, 16, 0, 30, tzinfo=UTC)
TRAIL: dict[str, Any] = {"type": "trailing_stop", "time_in_force": "gtc"}


def path(*prices: str) -> Any:
    """Make MU cost this much, a price a minute."""
    begin = floor_minute(START)
    return steps(MU=[(begin + timedelta(minutes=i), price) for i, price in enumerate(prices)])


@pytest.mark.parametrize(
    ("side", "trail", "prices", "minute", "hwm", "stop", "price"),
    [
        (
            "sell",
            {"trail_price": "2"},
            ["100", "103", "101.01", "101", "90"],
            3,
            "103",
            "101",
            "100.99",
        ),
        (
            "sell",
            {"trail_percent": "1"},
            ["100", "99.01", "110", "108.9"],
            3,
            "110",
            "108.9",
            "108.89",
        ),
        ("sell", {"trail_price": "2"}, ["100", "98"], 1, "100", "98", "97.99"),
        (
            "sell",
            {"trail_price": "2"},
            ["100", "103", "102", "104", "101"],
            4,
            "104",
            "102",
            "100.99",
        ),
        ("sell", {"trail_price": "5"}, ["100", "100.00007", "95"], 2, "100.00007", "95", "94.99"),
        ("buy", {"trail_price": "2"}, ["100", "97", "98.99", "99"], 3, "97", "99", "99.01"),
        ("buy", {"trail_percent": "5"}, ["100", "80", "83.9", "84"], 3, "80", "84", "84.01"),
    ],
)
def test_where_a_trailing_stop_triggers(
    side: str,
    trail: dict[str, str],
    prices: list[str],
    minute: int,
    hwm: str,
    stop: str,
    price: str,
) -> None:
    watched, alone = (Rig(path(*prices), opening=holding("MU", "2", "200"), at=START) for _ in "12")
    for rig in (watched, alone):
        rig.submit(side=side, **TRAIL, **trail)
    for _ in prices:
        shown = watched.order()
        watched.wait(minutes=1)
    alone.wait(minutes=len(prices) - 1)
    assert alone.order() == shown
    assert (shown["status"], shown["hwm"], shown["stop_price"]) == ("filled", hwm, stop)
    assert shown["filled_avg_price"] == price
    at = floor_minute(START) + timedelta(minutes=minute)
    assert datetime.fromisoformat(shown["filled_at"]) == at


def test_the_best_price_moves_with_the_market_and_only_ahead() -> None:
    rig = Rig(path("100", "101", "100.5", "103.333"), opening=holding("MU", "2", "200"), at=START)
    shown = rig.submit(side="sell", **TRAIL, trail_price="5")
    seen = [(shown["status"], shown["hwm"], shown["stop_price"])]
    for _ in range(4):
        shown = rig.order()
        seen.append((shown["status"], shown["hwm"], shown["stop_price"]))
        rig.wait(minutes=1)
    assert seen == [
        ("pending_new", "100", "95"),
        ("new", "100", "95"),
        ("new", "101", "96"),
        ("new", "101", "96"),
        ("new", "103.333", "98.33"),
    ]


def test_a_trailing_stop_sleeps_while_the_market_is_closed() -> None:
    night = datetime(2026, 3, 5, 2, 0, tzinfo=UTC)
    prices = steps(
        MU=[
            (START - MINUTE, "100"),
            (night, "80"),
            (night + 60 * MINUTE, "120"),
            (night + 120 * MINUTE, "99"),
        ]
    )
    for sessions, status, hwm in ((NyseSessions(), "new", "100"), (AlwaysOpen(), "filled", "100")):
        rig = Rig(prices, sessions, holding("MU", "2", "200"), at=START)
        rig.submit(side="sell", **TRAIL, trail_price="5")
        rig.wait(days=1)
        assert (rig.order()["status"], rig.order()["hwm"]) == (status, hwm)


def test_a_day_trailing_stop_expires() -> None:
    rig = Rig(flat("100"), opening=holding("MU", "2", "200"), at=START)
    rig.submit(side="sell", type="trailing_stop", trail_price="5")
    rig.wait(days=1)
    assert rig.order()["status"] == "expired"


def test_a_trail_as_large_as_the_price_is_refused() -> None:
    rig = Rig(flat("100"), opening=holding("MU", "2", "200"), at=START)
    for trail in ({"trail_price": "100"}, {"trail_percent": "100"}):
        status, body = rig.refused(side="sell", **TRAIL, **trail)
        assert (status, body["code"], body["market_price"]) == (422, 42210000, "100")


def test_a_trailing_buy_holds_back_what_it_would_cost_at_its_first_stop() -> None:
    rig = Rig(flat("100"), at=START)
    before = rig.account()["buying_power"]
    rig.submit(**TRAIL, trail_percent="10", qty="3")
    assert rig.account()["buying_power"] == before - 330
    assert rig.refused(**TRAIL, trail_price="1", client_order_id="b", qty="5000")[0] == 403


def test_a_part_that_waits_after_the_trigger_fills_at_the_market() -> None:
    rig = Rig(path("100", "95", "99"), opening=holding("MU", "10", "1000"), at=START)
    fault = {"kind": "partial_fill", "fraction": 0.5, "rest_seconds": 120}
    rig.ask("POST", "/sim/faults", [fault])
    rig.submit(side="sell", **TRAIL, trail_price="3", qty="10")
    rig.wait(minutes=1)
    assert (rig.order()["status"], rig.order()["filled_qty"]) == ("partially_filled", "5")
    rig.wait(minutes=1)
    assert rig.order()["filled_avg_price"] == "96.99"


def minute_by_minute(
    ticket: Ticket, prices: PriceSource, sessions: Sessions, end: datetime
) -> tuple[datetime | None, Decimal]:
    """Follow the price the slow way: the minute of the trigger, and the best price by then."""
    minute, best = floor_minute(START), prices.price("MU", START)
    assert best is not None
    ahead = max if ticket.side == "sell" else min
    while minute <= end:
        price = prices.price("MU", minute)
        assert price is not None
        if sessions.current(minute) is not None:
            best = ahead(best, price)
            level = ticket.trailing_level(best)
            if price <= level if ticket.side == "sell" else price >= level:
                return minute, best
        minute += MINUTE
    return None, best


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    trail=st.one_of(
        st.decimals("0.1", "12", places=2).map(lambda one: {"trail_percent": one}),
        st.decimals("0.02", "40", places=2).map(lambda one: {"trail_price": one}),
    ),
    side=st.sampled_from(["sell", "buy"]),
    nyse=st.booleans(),
    pauses=st.lists(st.integers(1, 1_500), min_size=1, max_size=4),
)
def test_it_is_where_a_walk_minute_by_minute_finds_it(
    seed: int, trail: dict[str, Decimal], side: Any, nyse: bool, pauses: list[int]
) -> None:
    sessions = NyseSessions() if nyse else AlwaysOpen()
    prices = SeededPrices(seed)
    rig = Rig(prices, sessions, holding("MU", "2", "700"), at=START)
    text = {name: str(value) for name, value in trail.items()}
    rig.submit(side=side, **TRAIL, **text)
    for pause in pauses:
        rig.wait(minutes=pause)
        shown = rig.order()
    ticket = replace(Ticket("MU", side, "trailing_stop", "gtc", ""), **trail)  # type: ignore[arg-type]
    minute, best = minute_by_minute(ticket, prices, sessions, floor_minute(rig.now))
    assert Decimal(shown["hwm"]) == best
    assert Decimal(shown["stop_price"]) == ticket.trailing_level(best)
    assert (shown["status"] == "filled") is (minute is not None)
    if minute is not None:
        assert datetime.fromisoformat(shown["filled_at"]) == max(minute, START)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    trail=st.decimals("0.5", "10", places=2),
    first=st.integers(1, 4_000),
    second=st.integers(1, 4_000),
    with_hwm=st.booleans(),
)
def test_an_order_made_anew_goes_on_as_the_old_one(
    seed: int, trail: Decimal, first: int, second: int, with_hwm: bool
) -> None:
    opening = Opening(positions=(Position("MU", Decimal(2), Decimal(700)),))
    old = Rig(SeededPrices(seed), NyseSessions(), opening, at=START)
    old.submit(side="sell", **TRAIL, trail_percent=str(trail))
    old.wait(minutes=first)
    raw = old.order()
    if with_hwm:
        raw["processed_through"] = old.now.isoformat()
    else:
        raw["hwm"] = raw["stop_price"] = None
    desk = old.exchange.desk
    reborn = replace(
        opening, cash=desk.cash, positions=tuple(desk.positions.values()), orders=(raw,)
    )
    new = Rig(SeededPrices(seed), NyseSessions(), reborn, at=old.now)
    for rig in (old, new):
        rig.wait(minutes=second)
    if raw["status"] != "filled" or with_hwm:
        assert new.order() == old.order()
    for name in ("cash", "equity", "buying_power"):
        assert new.account()[name] == old.account()[name]


def test_a_recording_that_starts_later_starts_the_best_price() -> None:
    raw = {
        "symbol": "MU",
        "side": "sell",
        "type": "trailing_stop",
        "time_in_force": "gtc",
        "client_order_id": "first",
        "qty": "2",
        "status": "new",
        "trail_price": "5",
        "submitted_at": "2026-03-04T10:00:00Z",
    }
    opening = replace(holding("MU", "2", "200"), orders=(raw,))
    rig = Rig(path("100", "110", "105"), opening=opening, at=START - timedelta(hours=1))
    assert (rig.order()["status"], rig.order()["hwm"]) == ("new", None)
    rig.now = START + timedelta(minutes=2)
    assert (rig.order()["status"], rig.order()["hwm"]) == ("filled", "110")


def test_months_of_a_trailing_stop_are_searched_not_walked() -> None:
    class Counted(SeededPrices):
        looks = 0

        def crossing(self, *asked: Any, **more: Any) -> datetime | None:
            Counted.looks += 1
            return super().crossing(*asked, **more)

    rig = Rig(Counted(3), opening=holding("KO", "2", "140"), at=START)
    rig.submit(symbol="KO", side="sell", **TRAIL, trail_percent="40")
    rig.wait(days=120)
    assert rig.order()["status"] == "new"
    assert Counted.looks < 200
