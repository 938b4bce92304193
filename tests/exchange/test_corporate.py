"""What each event does to cash, holdings, prices and open orders."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from executor.exchange.opening import Opening
from executor.exchange.sessions import NyseSessions
from executor.model.position import Position
from tests.exchange.rig import Rig, flat, holding, steps

START = datetime(2026, 1, 14, 15, 0, 20, tzinfo=UTC)
D = Decimal


def rig(quantity: str = "10", cost: str = "900", **options: Any) -> Rig:
    prices = flat("100", "MU", "AMD")
    return Rig(prices, opening=holding("MU", quantity, cost), at=START, **options)


def happen(one: Rig, kind: str, **more: object) -> list[dict[str, str]]:
    """Let an event happen now, and give its lines, a short form of each."""
    before = len(one.get("/v2/account/activities"))
    answer = one.ask("POST", "/sim/events", {"kind": kind, **more})
    assert answer.status == 200, answer.body
    lines = one.get("/v2/account/activities", direction="asc")[before:]
    assert len({line["group_id"] for line in lines}) <= 1
    assert {line["status"] for line in lines} <= {"executed"}
    names = ("activity_type", "activity_sub_type", "symbol", "qty", "net_amount", "price")
    return [{name: line[name] for name in names if name in line} for line in lines]


def holdings(one: Rig) -> dict[str, tuple[str, str]]:
    """Shares and cost, by symbol."""
    return {held["symbol"]: (held["qty"], held["cost_basis"]) for held in one.get("/v2/positions")}


def line(kind: str, sub_type: str, amount: str, **more: str) -> dict[str, str]:
    told = {"activity_type": kind, "activity_sub_type": sub_type, "net_amount": amount, **more}
    return {name: value for name, value in told.items() if value}


def test_a_dividend_pays_for_each_share_held() -> None:
    one = rig("10.5")
    (told,) = happen(one, "dividend", symbol="MU", per_share="0.333")
    assert told == line("DIV", "CDIV", "3.5", symbol="MU", qty="10.5")
    (shown,) = one.get("/v2/account/activities/DIV")
    assert shown["per_share_amount"] == "0.333"
    assert shown["description"] == "cash dividend 0.333 USD a share"
    assert one.account()["cash"] == D("100003.50")
    assert holdings(one) == {"MU": ("10.5", "900")}
    assert happen(one, "dividend", symbol="AMD", per_share="1") == []


@pytest.mark.parametrize(
    ("event", "told"),
    [
        ({"kind": "interest", "amount": "1.25"}, line("INT", "CDT", "1.25")),
        ({"kind": "interest", "amount": "-1.25"}, line("INT", "MGN", "-1.25")),
        ({"kind": "fee", "amount": "-0.05"}, line("FEE", "REG", "-0.05")),
        ({"kind": "fee", "amount": "-0.05", "sub_type": "CAT"}, line("FEE", "CAT", "-0.05")),
        ({"kind": "transfer", "amount": 500}, line("CSD", "", "500")),
        ({"kind": "transfer", "amount": -500}, line("CSW", "", "-500")),
        ({"kind": "transfer", "amount": -500, "journal": True}, line("JNLC", "", "-500")),
    ],
)
def test_cash_comes_and_goes(event: dict[str, Any], told: dict[str, str]) -> None:
    one = rig()
    before = one.account()
    assert happen(one, **event) == [told]
    after = one.account()
    assert after["cash"] - before["cash"] == D(told["net_amount"])
    assert after["equity"] - before["equity"] == D(told["net_amount"])
    assert after["last_equity"] == before["last_equity"] == 101_000


@pytest.mark.parametrize(
    ("new", "old", "sub_type", "quantity", "change", "price"),
    [
        ("4", "1", "FSPLIT", "42", "31.5", "25"),
        ("1", "10", "RSPLIT", "1.05", "-9.45", "1000"),
        ("3", "2", "FSPLIT", "15.75", "5.25", "66.67"),
    ],
)
def test_a_split_keeps_cost_and_market_value(
    new: str, old: str, sub_type: str, quantity: str, change: str, price: str
) -> None:
    one = rig("10.5")
    before = one.account()
    told = happen(one, "split", symbol="MU", new_rate=new, old_rate=old)
    assert told == [line("SPLIT", sub_type, "0", symbol="MU", qty=change)]
    assert holdings(one) == {"MU": (quantity, "900")}
    shown = one.get("/v2/positions/MU")
    assert (shown["current_price"], shown["lastday_price"]) == (price, price)
    # A price has cents, so a share's value moves by half of one at most.
    assert abs(one.account()["equity"] - before["equity"]) <= D(quantity) / 200
    assert one.account()["last_equity"] == before["last_equity"]
    assert abs(D(shown["unrealized_intraday_pl"])) <= D(quantity) / 200
    assert one.get("/v2/positions/MU")["change_today"] == "0"


def test_shares_bought_on_the_day_of_a_split_are_counted_from_their_cost() -> None:
    one = rig("10", "1000")
    one.submit(qty="10")
    assert one.get("/v2/positions/MU")["unrealized_intraday_pl"] == "-0.1"
    happen(one, "split", symbol="MU", new_rate=2, old_rate=1)
    assert one.get("/v2/positions/MU")["unrealized_intraday_pl"] == "-0.1"
    happen(one, "symbol_change", symbol="MU", new_symbol="MUX")
    assert one.get("/v2/positions/MUX")["unrealized_intraday_pl"] == "-0.1"


def test_a_split_may_say_what_becomes_of_the_price() -> None:
    one = rig()
    happen(one, "split", symbol="MU", new_rate=2, old_rate=1, price_factor="0.6")
    assert one.get("/v2/stocks/MU/trades/latest")["trade"]["p"] == 60


def test_a_reverse_split_that_leaves_nothing_ends_the_holding() -> None:
    one = rig("0.000000001", "0.01")
    (told,) = happen(one, "split", symbol="MU", new_rate=1, old_rate=10)
    assert told["qty"] == "-0.000000001"
    assert holdings(one) == {}


def test_a_symbol_change_moves_shares_cost_path_and_listing() -> None:
    one = rig()
    assert happen(one, "symbol_change", symbol="MU", new_symbol="MUX") == [
        line("NC", "SNC", "0", symbol="MU", qty="-10"),
        line("NC", "SNC", "0", symbol="MUX", qty="10"),
    ]
    assert holdings(one) == {"MUX": ("10", "900")}
    assert one.account()["last_equity"] == one.account()["equity"] == 101_000
    assert one.get("/v2/assets/MU")["status"] == "inactive"
    assert one.get("/v2/assets/MUX")["tradable"] is True
    assert one.get("/v2/stocks/MUX/trades/latest")["trade"]["p"] == 100
    assert one.refused(client_order_id="old")[0] == 422
    one.submit(symbol="MUX", side="sell", qty="10")
    assert holdings(one) == {}


def test_a_merger_for_cash_realizes() -> None:
    one = rig("10.5")
    told = happen(one, "merger", symbol="MU", cash="120.10")
    assert told == [line("MA", "CMA", "1261.05", symbol="MU", qty="-10.5")]
    assert holdings(one) == {}
    assert one.account()["cash"] == one.account()["equity"] == D("101261.05")
    assert one.account()["last_equity"] == 101_050
    assert one.get("/v2/assets/MU")["status"] == "inactive"


def test_a_merger_for_shares_moves_the_cost() -> None:
    one = rig()
    assert happen(one, "merger", symbol="MU", new_symbol="AMD", rate="0.5") == [
        line("MA", "SMA", "0", symbol="MU", qty="-10"),
        line("MA", "SMA", "0", symbol="AMD", qty="5"),
    ]
    assert holdings(one) == {"AMD": ("5", "900")}


@pytest.mark.parametrize(("cash", "paid", "moved"), [("30", "300", "600"), ("95", "950", "0")])
def test_a_merger_for_both_takes_the_cash_out_of_the_cost_first(
    cash: str, paid: str, moved: str
) -> None:
    one = rig()
    one.submit(symbol="AMD", qty="1")
    told = happen(one, "merger", symbol="MU", new_symbol="AMD", rate="0.5", cash=cash)
    assert told == [
        line("MA", "SCMA", paid, symbol="MU", qty="-10"),
        line("MA", "SCMA", "0", symbol="AMD", qty="5"),
    ]
    assert holdings(one) == {"AMD": ("6", str(D("100.01") + D(moved)))}


def test_a_merger_that_gives_less_than_a_billionth_of_a_share_is_for_cash() -> None:
    one = rig("0.000000001", "0.01")
    (told,) = happen(one, "merger", symbol="MU", new_symbol="AMD", rate="0.1", cash="1")
    assert told == line("MA", "SCMA", "0", symbol="MU", qty="-0.000000001")
    assert holdings(one) == {}


def test_a_spin_off_moves_cost_and_price_to_the_child() -> None:
    one = rig()
    assert happen(one, "spin_off", symbol="MU", new_symbol="MUX", rate="0.5", price="40") == [
        line("SPIN", "", "0", symbol="MUX", qty="5", price="40"),
        line("SPIN", "", "0", symbol="MU", qty="0"),
    ]
    (child, parent) = one.get("/v2/account/activities", direction="asc")
    assert child["description"] == parent["description"] == "spin-off: 0.5 MUX for one MU"
    assert holdings(one) == {"MU": ("10", "700"), "MUX": ("5", "200")}
    shown = {held["symbol"]: held["current_price"] for held in one.get("/v2/positions")}
    assert shown == {"MU": "80", "MUX": "40"}
    assert one.account()["equity"] == one.account()["last_equity"] == 101_000


def test_a_child_of_a_spin_off_goes_its_own_way_afterwards() -> None:
    prices = steps(MU=[(START - timedelta(days=2), "100"), (START + timedelta(hours=1), "110")])
    one = Rig(prices, opening=holding("MU", "10", "900"), at=START)
    happen(one, "spin_off", symbol="MU", new_symbol="MUX", rate="0.5", price="40")
    happen(one, "split", symbol="MU", new_rate=2, old_rate=1)
    one.wait(hours=1)
    shown = {held["symbol"]: held["current_price"] for held in one.get("/v2/positions")}
    assert shown == {"MU": "44", "MUX": "44"}


def test_the_cost_that_a_spin_off_moves_ends_with_the_cost() -> None:
    one = rig("10", "100")
    happen(one, "spin_off", symbol="MU", new_symbol="AMD", rate="0.5", price="40")
    assert holdings(one) == {"MU": ("10", "0"), "AMD": ("5", "100")}
    assert one.get("/v2/stocks/AMD/trades/latest")["trade"]["p"] == 100


def test_a_spin_off_of_less_than_a_billionth_of_a_share_gives_none() -> None:
    one = rig("0.000000001", "0.01")
    assert happen(one, "spin_off", symbol="MU", new_symbol="MUX", rate="0.1", price="4") == []
    assert holdings(one) == {"MU": ("0.000000001", "0.01")}


def test_a_scheduled_spin_off_that_would_be_worth_more_leaves_the_price() -> None:
    drop = START + timedelta(hours=1)
    prices = steps(MU=[(START - timedelta(days=2), "100"), (drop, "10")])
    one = Rig(prices, opening=holding("MU", "10", "900"), at=START)
    event = {"kind": "spin_off", "symbol": "MU", "new_symbol": "MUX", "rate": "0.5", "price": "40"}
    one.ask("POST", "/sim/events", {**event, "at": (drop + timedelta(hours=1)).isoformat()})
    one.wait(hours=3)
    shown = {held["symbol"]: held["current_price"] for held in one.get("/v2/positions")}
    assert shown == {"MU": "10", "MUX": "40"}


def test_a_spin_off_before_the_first_price_lists_a_symbol_without_one() -> None:
    prices = steps(MU=[(START + timedelta(hours=1), "100")])
    one = Rig(prices, at=START)
    event = {"kind": "spin_off", "symbol": "MU", "new_symbol": "MUX", "rate": "0.5", "price": "40"}
    assert one.ask("POST", "/sim/events", event).status == 200
    one.wait(hours=2)
    assert one.get("/v2/assets/MUX")["tradable"] is True
    assert one.ask("GET", "/v2/stocks/MUX/trades/latest").status == 404
    assert one.get("/v2/stocks/MU/trades/latest")["trade"]["p"] == 100


@pytest.mark.parametrize(
    ("kind", "more", "stays"),
    [
        ("split", {"new_rate": 2, "old_rate": 1}, False),
        ("symbol_change", {"new_symbol": "MUX"}, False),
        ("merger", {"cash": "100"}, False),
        ("spin_off", {"new_symbol": "MUX", "rate": "0.5", "price": "40"}, True),
        ("dividend", {"per_share": 1}, True),
    ],
)
def test_orders_end_with_the_share_that_they_are_about(
    kind: str, more: dict[str, object], stays: bool
) -> None:
    one = rig()
    one.submit(side="sell", type="limit", limit_price="300", qty="4", time_in_force="gtc")
    bracket = {
        "order_class": "oto",
        "stop_loss": {"stop_price": "30"},
        "time_in_force": "gtc",
        "type": "limit",
        "limit_price": "50",
    }
    one.submit(client_order_id="other", symbol="AMD", **bracket)
    happen(one, kind, symbol="MU", **more)
    assert one.order()["status"] == ("new" if stays else "canceled")
    assert one.order("other")["status"] == "new"
    if kind != "merger" and not stays:
        (held,) = one.get("/v2/positions")
        assert held["qty"] == held["qty_available"]


def test_a_group_of_orders_ends_whole_at_a_split() -> None:
    one = rig()
    legs = {"take_profit": {"limit_price": "130"}, "stop_loss": {"stop_price": "90"}}
    one.submit(order_class="bracket", time_in_force="gtc", **legs)
    one.wait(minutes=5)
    assert len(one.get("/v2/orders")) == 2
    happen(one, "split", symbol="MU", new_rate=2, old_rate=1)
    assert one.get("/v2/orders") == []


def test_an_order_fills_before_a_split_at_the_old_price_and_after_it_at_the_new_one() -> None:
    fall = START.replace(second=0) + timedelta(minutes=10)
    prices = steps(MU=[(START - timedelta(days=1), "100"), (fall, "40")])
    limit = {"type": "limit", "limit_price": "60", "time_in_force": "gtc"}
    for split_at, status in ((fall, "canceled"), (fall + timedelta(minutes=1), "filled")):
        one = Rig(prices, opening=holding("MU", "10", "900"), at=START)
        split = {"kind": "split", "symbol": "MU", "new_rate": 2, "old_rate": 1}
        one.ask("POST", "/sim/events", {**split, "at": split_at.isoformat()})
        one.submit(**limit)
        one.wait(hours=1)
        assert one.order()["status"] == status
        one.submit(client_order_id="after", qty="1")
        assert one.order("after")["filled_avg_price"] == "20.01"


def test_a_split_over_night_does_not_touch_the_last_close() -> None:
    opens = datetime(2026, 1, 15, 14, 30, tzinfo=UTC)
    one = rig(sessions=NyseSessions())
    one.now = datetime(2026, 1, 15, 2, 0, tzinfo=UTC)
    happen(one, "split", symbol="MU", new_rate=4, old_rate=1)
    assert one.account()["last_equity"] == 101_000
    one.now = opens
    assert one.account()["equity"] == one.account()["last_equity"] == 101_000
    (held,) = one.get("/v2/positions")
    assert (held["current_price"], held["lastday_price"]) == ("25", "25")


def test_an_exchange_made_anew_keeps_prices_and_listing_but_books_nothing_twice() -> None:
    one = rig()
    events = (
        {"kind": "split", "symbol": "MU", "new_rate": 2, "old_rate": 1},
        {"kind": "symbol_change", "symbol": "MU", "new_symbol": "MUX"},
        {"kind": "transfer", "amount": 700},
        {"kind": "dividend", "symbol": "MUX", "per_share": 1, "at": "2026-01-16T00:00:00Z"},
    )
    one.ask("POST", "/sim/events", list(events))
    told = [
        {name: value for name, value in shown.items() if name != "status"}
        for shown in one.get("/sim/events")
    ]
    desk = one.exchange.desk
    latest_first = (told[-1], *told[:-1])
    opening = Opening(desk.cash, tuple(desk.positions.values()), events=latest_first)
    again = Rig(flat("100", "MU", "AMD"), opening=opening, at=START + timedelta(minutes=1))
    one.wait(minutes=1)
    assert again.get("/v2/positions") == one.get("/v2/positions")
    assert again.account()["equity"] == one.account()["equity"] == 101_700
    assert again.get("/v2/account/activities") == []
    for other in (one, again):
        other.wait(days=2)
    assert again.get("/v2/account/activities") == one.get("/v2/account/activities/DIV")
    assert again.account() == one.account()


def test_positions_that_no_price_explains_are_valued_at_their_cost() -> None:
    opening = Opening(positions=(Position("MU", D(10), D(900)), Position("KO", D(1), D(70))))
    one = Rig(flat("100", "MU"), opening=opening, at=START)
    happen(one, "split", symbol="KO", new_rate=2, old_rate=1)
    assert holdings(one)["KO"] == ("2", "70")
    assert one.account()["equity"] == 100_000 + 1000 + 70
