from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from executor.exchange.history import end_of_period, read_period
from executor.exchange.opening import Opening
from executor.exchange.sessions import NEW_YORK, NyseSessions
from executor.model.position import Position
from tests.exchange.rig import Rig, flat, holding, steps

PATH = "/v2/account/portfolio/history"
D = Decimal
MONDAY = datetime(2026, 1, 12, tzinfo=UTC)
NOON = datetime(2026, 1, 14, 17, 30, 10, tzinfo=UTC)
"""Wednesday, 12:30 in New York."""


def daily_prices() -> Any:
    """MU at 100 on Monday, a dollar more each day."""
    return steps(MU=[(MONDAY + timedelta(days=day), str(100 + day)) for day in range(-30, 30)])


def nyse(at: datetime = NOON, **opening: Any) -> Rig:
    """An account that was opened before Christmas and holds 10 MU."""
    usual = {"positions": (Position("MU", D(10), D(900)),)}
    created = datetime(2025, 12, 20, tzinfo=UTC)
    made = Opening(**{**usual, **opening}, created_at=created)
    return Rig(daily_prices(), NyseSessions(), made, at=at)


def days(shown: dict[str, Any]) -> list[str]:
    """The points' labels in New York."""
    times = [datetime.fromtimestamp(one, NEW_YORK) for one in shown["timestamp"]]
    return [f"{time:%m-%d %H:%M}" for time in times]


def test_days_at_the_closes_and_the_present_one_as_it_stands() -> None:
    shown = nyse().get(PATH, period="1W", timeframe="1D")
    closes = ["01-08 16:00", "01-09 16:00", "01-12 16:00", "01-13 16:00", "01-14 16:00"]
    assert days(shown) == closes
    assert shown["equity"] == [100_960, 100_970, 101_000, 101_010, 101_020]
    assert (shown["base_value"], shown["base_value_asof"]) == (100_950, "2026-01-07")
    assert shown["profit_loss"] == [10, 20, 50, 60, 70]
    assert shown["profit_loss_pct"] == [round(D(one) / 100_950, 6) for one in (10, 20, 50, 60, 70)]
    assert (shown["timeframe"], shown["cashflow"]) == ("1D", {})


def test_a_closed_day_ends_with_its_close() -> None:
    evening = nyse(NOON.replace(hour=22))
    assert days(evening.get(PATH, period="1D", timeframe="1D")) == ["01-14 16:00"]
    morning = nyse(NOON.replace(hour=13))
    assert days(morning.get(PATH, period="1D", timeframe="1D")) == ["01-13 16:00"]
    sunday = nyse(MONDAY - timedelta(hours=5))
    assert days(sunday.get(PATH, period="1D", timeframe="1D")) == ["01-09 16:00"]


def test_the_default_is_a_month_of_days_from_the_opening_of_the_account_on() -> None:
    shown = nyse().get(PATH)
    assert shown["timeframe"] == "1D"
    assert days(shown)[0] == "12-22 16:00"
    assert "base_value_asof" not in shown
    assert shown["base_value"] == shown["equity"][0]
    assert shown["profit_loss"][0] == 0


@pytest.mark.parametrize(
    ("query", "first", "last", "count"),
    [
        ({"start": "2026-01-09T12:00:00-05:00", "end": "2026-01-13"}, "01-09", "01-12", 2),
        ({"start": "2026-01-10T12:00:00Z"}, "01-12", "01-14", 3),
        ({"start": "2026-01-06T12:00:00Z", "period": "3D"}, "01-06", "01-08", 3),
        ({"start": "2026-01-06T12:00:00Z", "period": "1A"}, "01-06", "01-14", 7),
        ({"end": "2026-01-10T12:00:00Z", "period": "2D"}, "01-09", "01-09", 1),
        ({"date_start": "2026-01-08T12:00:00Z", "date_end": "2026-01-13"}, "01-08", "01-12", 3),
        ({"start": "1768230000", "end": "2099-01-01"}, "01-12", "01-14", 3),
        ({"start": "2025-01-01", "period": "9999A"}, "12-22", "01-14", 16),
    ],
)
def test_spans(query: dict[str, str], first: str, last: str, count: int) -> None:
    seen = days(nyse().get(PATH, timeframe="1D", **query))
    assert (seen[0][:5], seen[-1][:5], len(seen)) == (first, last, count)


def test_a_span_without_sessions_is_empty() -> None:
    for timeframe in ("1D", "1H"):
        query = {"start": "2026-01-10T12:00:00Z", "end": "2026-01-11T12:00:00Z"}
        shown = nyse().get(PATH, timeframe=timeframe, **query)
        assert (shown["timestamp"], shown["equity"], shown["profit_loss"]) == ([], [], [])
        assert shown["base_value"] == 101_010
    shown = nyse().get(PATH, start="2020-01-01", end="2020-02-01", timeframe="1D")
    assert shown["equity"] == []


def test_hours_of_a_session_up_to_the_present() -> None:
    one = nyse()
    one.submit(qty="10")
    shown = one.get(PATH, period="1D", timeframe="1H")
    assert days(shown) == ["01-14 09:30", "01-14 10:30", "01-14 11:30", "01-14 12:30"]
    assert shown["equity"] == [101_020, 101_020, 101_020, D("101019.9")]
    assert (shown["base_value"], shown["base_value_asof"]) == (101_010, "2026-01-13")
    assert shown["profit_loss"] == [10, 10, 10, D("9.9")]


def test_the_timeframe_follows_the_period() -> None:
    one = nyse(NOON.replace(hour=22))
    assert len(one.get(PATH, period="1D")["equity"]) == 390
    assert one.get(PATH, period="1D")["timeframe"] == "1Min"
    assert one.get(PATH, period="1W")["timeframe"] == "15Min"
    assert one.get(PATH, period="30D")["timeframe"] == "1D"


def test_profit_within_days_starts_anew_each_day_unless_asked_otherwise() -> None:
    query = {"period": "2D", "timeframe": "1H"}
    each = nyse(NOON.replace(hour=22)).get(PATH, **query)
    assert each["profit_loss"] == [10] * 14
    through = nyse(NOON.replace(hour=22)).get(PATH, pnl_reset="no_reset", **query)
    assert through["profit_loss"] == [10] * 7 + [20] * 7


def test_around_the_clock() -> None:
    one = nyse()
    query = {"period": "1D", "timeframe": "1H", "intraday_reporting": "continuous"}
    shown = one.get(PATH, **query)
    assert days(shown)[0] == "01-14 00:00"
    assert len(shown["equity"]) == 13
    assert shown["equity"][:9] == [101_010] * 9  # Nobody trades before 09:30.
    assert shown["equity"][-1] == 101_020
    part = one.get(PATH, start="2026-01-14T10:10:00-05:00", timeframe="15Min", end=NOON.isoformat())
    assert (days(part)[0], days(part)[-1]) == ("01-14 10:00", "01-14 12:30")


def test_trades_and_events_lie_where_they_happened() -> None:
    one = nyse(MONDAY.replace(hour=17))
    one.submit(qty="5", side="sell")
    one.now = MONDAY.replace(day=13, hour=17)
    one.ask("POST", "/sim/events", [{"kind": "transfer", "amount": "500"}, SPLIT])
    one.now = NOON
    one.ask("POST", "/sim/events", {"kind": "dividend", "symbol": "MU", "per_share": "1"})
    one.ask("POST", "/sim/positions", {"symbol": "MU", "qty": "20"})
    shown = one.get(PATH, period="1W", timeframe="1D", cashflow_types="CSD,DIV")
    assert [float(one) for one in shown["equity"][2:]] == [100_999.95, 101_504.95, 102_029.95]
    assert shown["cashflow"] == {"CSD": [0, 0, 0, 500, 0], "DIV": [0, 0, 0, 0, 10]}
    every = one.get(PATH, period="1W", timeframe="1D", cashflow_types="ALL")
    assert every["cashflow"] == shown["cashflow"]
    none = one.get(PATH, period="1D", timeframe="1D", cashflow_types="TRANS")
    assert none["cashflow"] == {}


SPLIT = {"kind": "split", "symbol": "MU", "new_rate": 2, "old_rate": 1}


def test_the_history_at_a_close_is_the_last_equity_of_then() -> None:
    one = nyse(MONDAY.replace(hour=17))
    seen = []
    for day in (12, 13, 14, 15):
        one.now = MONDAY.replace(day=day, hour=17)
        seen.append(one.account()["last_equity"])
        one.submit(client_order_id=f"order-{day}", qty="3")
        one.ask("POST", "/sim/events", SPLIT)
        one.ask("POST", "/sim/events", {"kind": "interest", "amount": "1.11"})
        assert one.account()["last_equity"] == seen[-1]
    query = {"start": "2026-01-09T12:00:00Z", "end": "2026-01-14T22:00:00Z"}
    shown = one.get(PATH, timeframe="1D", **query)
    assert shown["equity"] == seen


def test_what_happens_with_a_close_follows_it() -> None:
    one = Rig(flat("100"), opening=holding("MU", "10", "900"), at=NOON)
    event = {"kind": "transfer", "amount": "500", "at": "2026-01-15T00:00:00Z"}
    assert one.ask("POST", "/sim/events", event).status == 200
    one.now = datetime(2026, 1, 15, tzinfo=UTC)
    assert (one.account()["last_equity"], one.account()["equity"]) == (D(101_000), D(101_500))
    shown = one.get(PATH, period="2D", timeframe="1D", cashflow_types="CSD")
    assert shown["equity"] == [101_000, 101_500]
    assert shown["cashflow"] == {"CSD": [0, 500]}


def test_what_an_opening_had_filled_is_undone_before_it() -> None:
    filled = {
        "client_order_id": "past",
        "symbol": "MU",
        "side": "buy",
        "qty": "10",
        "status": "filled",
        "filled_qty": "10",
        "filled_avg_price": "90",
        "submitted_at": "2026-01-12T17:00:00Z",
        "filled_at": "2026-01-12T17:00:01Z",
    }
    sold = {**filled, "client_order_id": "sold", "side": "sell", "filled_qty": "4"}
    sold |= {"filled_avg_price": "110", "filled_at": "2026-01-13T17:00:00Z"}
    left = (Position("MU", D(6), D(540)),)
    one = nyse(cash=D(100_000 - 900 + 440), orders=(filled, sold), positions=left)
    shown = one.get(PATH, period="1W", timeframe="1D")
    assert shown["equity"] == [100_000, 100_000, 100_100, 100_146, 100_152]


def test_every_day_is_a_session_where_the_market_is_always_open() -> None:
    one = Rig(flat("100"), opening=holding("MU", "10", "900"), at=NOON)
    shown = one.get(PATH, period="3D", timeframe="1D")
    assert days(shown) == ["01-12 19:00", "01-13 19:00", "01-14 19:00"]
    assert shown["equity"] == [101_000] * 3


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"period": "1X"}, "invalid period: 1X"),
        ({"period": "0D"}, "invalid period: 0D"),
        ({"timeframe": "1Day"}, "invalid timeframe: 1Day; known are 1Min"),
        ({"period": "2M", "timeframe": "1H"}, "timeframe 1H is for 30 days at most"),
        ({"start": "2026-01-10", "end": "2026-01-11", "period": "1D"}, "only two of"),
        ({"start": "2026-01-10", "end": "2026-01-09"}, "start is after the end"),
        ({"start": "2027-01-10"}, "start is after the end"),
        ({"start": "soon"}, "invalid start: soon"),
        ({"date_end": "soon"}, "invalid date_end: soon"),
        ({"intraday_reporting": "x"}, "invalid intraday_reporting: x"),
        ({"pnl_reset": "x"}, "invalid pnl_reset: x"),
        ({"cashflow_types": "CSD,FILL"}, "invalid cashflow type: FILL"),
    ],
)
def test_what_is_refused(query: dict[str, str], message: str) -> None:
    answer = nyse().ask("GET", PATH, query=query)
    assert answer.status == 422
    assert message in answer.json()["message"]


@pytest.mark.parametrize(
    ("raw", "day", "first"),
    [
        ("1D", "2026-01-14", "2026-01-14"),
        ("1W", "2026-01-14", "2026-01-08"),
        ("1M", "2026-03-31", "2026-03-01"),
        ("1M", "2026-03-15", "2026-02-16"),
        ("1A", "2024-02-29", "2023-03-01"),
        ("9999A", "2026-01-14", "0001-01-02"),
        ("9999W", "0001-02-01", "0001-01-01"),
    ],
)
def test_where_a_period_begins(raw: str, day: str, first: str) -> None:
    assert read_period(raw, date.fromisoformat(day)) == date.fromisoformat(first)


def test_where_a_period_ends() -> None:
    assert end_of_period("1D", date(2026, 1, 14)) == date(2026, 1, 14)
    assert end_of_period("1M", date(2026, 1, 31)) == date(2026, 2, 27)
    assert end_of_period("9999A", date(2026, 1, 31)) == date(9999, 12, 30)
    assert end_of_period("9999W", date(9999, 1, 31)) == date.max
