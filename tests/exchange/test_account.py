from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from executor.exchange.opening import Opening
from executor.exchange.sessions import NyseSessions
from executor.model.position import Position
from tests.exchange.rig import Rig, flat, holding, steps

START = datetime(2026, 1, 14, 15, 0, tzinfo=UTC)
D = Decimal


def test_a_fresh_account() -> None:
    rig = Rig()
    shown = rig.get("/v2/account")
    assert shown["status"] == "ACTIVE"
    assert shown["account_number"] == "SIM000001"
    assert (shown["cash"], shown["equity"], shown["last_equity"]) == ("100000",) * 3
    assert (shown["buying_power"], shown["non_marginable_buying_power"]) == ("200000", "100000")
    assert shown["multiplier"] == "2"
    assert shown["currency"] == "USD"
    assert shown["shorting_enabled"] is False
    gone = {"pattern_day_trader", "daytrade_count", "daytrading_buying_power"}
    assert not gone & set(shown)


@pytest.mark.parametrize(
    ("multiplier", "buying_power", "initial_margin"),
    [(1, "60000", "40000"), (2, "160000", "20000"), (4, "360000", "20000")],
)
def test_buying_power_after_a_purchase(
    multiplier: int, buying_power: str, initial_margin: str
) -> None:
    opening = Opening(D(60_000), (Position("MU", D(400), D(40_000)),), multiplier=multiplier)
    figures = Rig(flat("100"), opening=opening, at=START).account()
    assert figures["equity"] == D(100_000)
    assert figures["buying_power"] == D(buying_power)
    assert figures["initial_margin"] == D(initial_margin)


def test_negative_cash_is_the_margin_debit() -> None:
    rig = Rig(flat("100"), at=START)
    rig.submit(qty="1500")
    figures = rig.account()
    assert figures["cash"] == D("-50015")
    assert figures["equity"] == D("99985")
    assert figures["buying_power"] == D("49970")
    assert figures["non_marginable_buying_power"] == 0


def test_open_buys_hold_buying_power_back_and_sells_add_when_they_execute() -> None:
    rig = Rig(flat("100"), opening=holding("MU", "100", "9000"), at=START)
    before = rig.account()["buying_power"]
    rig.submit(type="limit", limit_price="90", qty="10")
    assert rig.account()["buying_power"] == before - 900
    assert rig.account()["non_marginable_buying_power"] == D(100_000) - 900
    assert rig.account()["cash"] == D(100_000)
    rig.submit(side="sell", type="limit", limit_price="110", client_order_id="high")
    assert rig.account()["buying_power"] == before - 900
    rig.ask("DELETE", "/v2/orders")
    rig.submit(side="sell", client_order_id="now", qty="10")
    assert rig.account()["cash"] == D("100999.90")


def test_a_position_shows_its_figures() -> None:
    prices = steps(MU=[(START - timedelta(days=1), "90"), (START, "100")])
    rig = Rig(prices, opening=holding("MU", "10", "800"), at=START)
    rig.submit(side="sell", type="limit", limit_price="120", qty="4")
    (shown,) = rig.get("/v2/positions")
    assert shown == rig.get("/v2/positions/MU") == rig.get(f"/v2/positions/{shown['asset_id']}")
    figures = {name: shown[name] for name in FIGURES}
    assert figures == FIGURES


FIGURES = {
    "qty": "10",
    "qty_available": "6",
    "side": "long",
    "avg_entry_price": "80",
    "cost_basis": "800",
    "market_value": "1000",
    "unrealized_pl": "200",
    "unrealized_plpc": "0.25",
    "unrealized_intraday_pl": "100",
    "unrealized_intraday_plpc": "0.1111111111",
    "current_price": "100",
    "lastday_price": "90",
    "change_today": "0.1111111111",
    "exchange": "NASDAQ",
    "asset_class": "us_equity",
    "asset_marginable": True,
}


def test_profit_of_today_counts_what_was_bought_today_from_its_cost() -> None:
    prices = steps(MU=[(START - timedelta(days=1), "90"), (START, "100")])
    rig = Rig(prices, opening=holding("MU", "10", "800"), at=START)
    rig.submit(qty="5")
    shown = rig.get("/v2/positions/MU")
    assert shown["qty"] == "15"
    assert D(shown["unrealized_intraday_pl"]) == 100 - D("0.05")
    rig.submit(qty="12", side="sell", client_order_id="second")
    assert D(rig.get("/v2/positions/MU")["unrealized_intraday_pl"]) == D("-0.03")
    rig.wait(days=1)
    assert rig.get("/v2/positions/MU")["unrealized_intraday_pl"] == "0"


def test_a_closed_position_is_gone() -> None:
    rig = Rig(flat("100"), opening=holding("MU", "2", "150"), at=START)
    rig.submit(side="sell")
    assert rig.get("/v2/positions") == []
    answer = rig.ask("GET", "/v2/positions/MU")
    assert (answer.status, answer.json()) == (
        404,
        {"code": 40410000, "message": "position does not exist"},
    )


def test_last_equity_is_what_was_held_at_the_last_close() -> None:
    prices = steps(
        MU=[
            (START - timedelta(days=1), "90"),
            (START, "100"),
            (START + timedelta(hours=1), "120"),
        ]
    )
    rig = Rig(prices, opening=holding("MU", "10", "800"), at=START)
    assert rig.account()["last_equity"] == D(100_900)
    rig.submit(qty="5")
    rig.submit(qty="8", side="sell", client_order_id="second")
    assert rig.account()["last_equity"] == D(100_900)
    rig.wait(days=1)
    assert rig.account()["last_equity"] == rig.account()["equity"]
    assert rig.account()["equity"] == D(100_000) - D("500.05") + D("799.92") + 7 * 120


def test_a_given_last_equity_holds_until_the_next_close() -> None:
    opening = Opening(last_equity=D(123_456))
    rig = Rig(flat("100"), opening=opening, at=START)
    assert rig.account()["last_equity"] == D(123_456)
    rig.wait(hours=8, minutes=59)
    assert rig.account()["last_equity"] == D(123_456)
    rig.wait(minutes=1)
    assert rig.account()["last_equity"] == D(100_000)


def test_while_closed_a_holding_is_worth_the_last_close() -> None:
    night = datetime(2026, 1, 15, 3, 0, tzinfo=UTC)
    prices = steps(MU=[(START, "100"), (night - timedelta(hours=1), "150")])
    rig = Rig(prices, NyseSessions(), holding("MU", "10", "800"), at=night)
    assert rig.account()["equity"] == D(101_000)
    assert rig.get("/v2/stocks/MU/trades/latest")["trade"]["t"] == "2026-01-14T20:59:00Z"


def test_a_holding_without_a_price_is_worth_its_cost() -> None:
    opening = Opening(D(5), (Position("MU", D(3), D(90)),))
    rig = Rig(steps(MU=[(START, "100")]), opening=opening, at=START - timedelta(hours=1))
    assert rig.account()["equity"] == D(95)
    assert rig.get("/v2/positions/MU")["current_price"] == "30"


def test_positions_of_symbols_that_are_listed_no_more_are_shown() -> None:
    opening = Opening(D(5), (Position("GONE", D(3), D(90)),))
    rig = Rig(opening=opening)
    assert rig.get("/v2/positions/GONE")["market_value"] == "90"


def test_closing_positions() -> None:
    opening = Opening(D(1000), (Position("MU", D(8), D(800)), Position("AMD", D("1.5"), D(150))))
    rig = Rig(flat("100", "MU", "AMD"), opening=opening, at=START)
    half = rig.ask("DELETE", "/v2/positions/MU", query={"percentage": "50"})
    assert (half.status, half.json()["qty"]) == (200, "4")
    some = rig.ask("DELETE", "/v2/positions/AMD", query={"qty": "0.5"})
    assert some.status == 200
    rig.submit(side="sell", type="limit", limit_price="120", qty="1")
    partly = rig.ask("DELETE", "/v2/positions")
    assert partly.status == 207
    assert [(one["symbol"], one["status"]) for one in partly.json()] == [
        ("AMD", 200),
        ("MU", 403),
    ]
    rest = rig.ask("DELETE", "/v2/positions", query={"cancel_orders": "true"})
    assert [one["status"] for one in rest.json()] == [200]
    assert rig.get("/v2/positions") == []


@pytest.mark.parametrize(
    "query",
    [
        {"qty": "1", "percentage": "5"},
        {"percentage": "101"},
        {"percentage": "1"},
        {"qty": "-1"},
        {"qty": "x"},
        {"qty": "NaN"},
    ],
)
def test_closing_with_bad_sizes(query: dict[str, str]) -> None:
    rig = Rig(flat("100"), opening=holding("MU", "8", "800"), at=START)
    answer = rig.ask("DELETE", "/v2/positions/MU", query=query)
    assert answer.status == 422
    assert rig.get("/v2/positions/MU")["qty"] == "8"


def test_an_opening_that_cannot_be_held_is_our_mistake() -> None:
    with pytest.raises(AssertionError, match="no short position, not in MU"):
        Opening(positions=(Position("MU", D(-1), D(-10)),))
    with pytest.raises(AssertionError, match="1, 2 or 4, not 3"):
        Opening(multiplier=3)
