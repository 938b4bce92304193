from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from executor.exchange.bars import read_timeframe
from executor.exchange.messages import Refusal
from executor.exchange.prices import ANCHOR, SeededPrices
from executor.exchange.sessions import NyseSessions
from tests.exchange.rig import Rig, flat, steps

START = datetime(2026, 1, 14, 15, 0, tzinfo=UTC)


def test_quotes_and_trades() -> None:
    rig = Rig(flat("331.44"), at=START + timedelta(seconds=42))
    quote = {
        "t": "2026-01-14T15:00:42Z",
        "ax": "V",
        "ap": Decimal("331.46"),
        "as": 100,
        "bx": "V",
        "bp": Decimal("331.42"),
        "bs": 100,
        "c": ["R"],
        "z": "C",
    }
    several = rig.get("/v2/stocks/quotes/latest", symbols="MU,NOPE", feed="iex")
    assert several == {"quotes": {"MU": quote}}
    assert rig.get("/v2/stocks/mu/quotes/latest") == {"symbol": "MU", "quote": quote}
    trade = rig.get("/v2/stocks/MU/trades/latest")["trade"]
    assert (trade["p"], trade["t"]) == (Decimal("331.44"), "2026-01-14T15:00:00Z")
    assert rig.get("/v2/stocks/trades/latest", symbols="MU") == {"trades": {"MU": trade}}


@pytest.mark.parametrize("kind", ["quotes", "trades"])
def test_what_has_no_price(kind: str) -> None:
    rig = Rig(steps(MU=[(START, "5")]), at=START - timedelta(hours=1))
    assert rig.ask("GET", f"/v2/stocks/MU/{kind}/latest").status == 404
    assert rig.get(f"/v2/stocks/{kind}/latest", symbols="MU,NOPE") == {kind: {}}
    assert rig.ask("GET", f"/v2/stocks/{kind}/latest").status == 400
    bad_feed = rig.ask("GET", f"/v2/stocks/MU/{kind}/latest", query={"feed": "best"})
    assert (bad_feed.status, bad_feed.json()) == (400, {"message": "invalid feed: best"})


def bars(rig: Rig, timeframe: str, **query: str) -> list[dict[str, Any]]:
    shown = rig.get("/v2/stocks/MU/bars", timeframe=timeframe, **query)
    assert shown["symbol"] == "MU"
    found = shown["bars"]
    assert isinstance(found, list)
    return found


def test_minute_bars_are_the_prices() -> None:
    prices = SeededPrices()
    rig = Rig(prices, at=ANCHOR + timedelta(minutes=5, seconds=30))
    shown = bars(rig, "1Min", start="2026-01-14T13:45:00Z")
    assert [bar["t"] for bar in shown] == [f"2026-01-14T13:{45 + i}:00Z" for i in range(6)]
    for index, bar in enumerate(shown):
        price = prices.price("MU", ANCHOR + timedelta(minutes=index))
        assert {Decimal(bar[key]) for key in "ohlc"} == {price}
        assert bar["v"] >= 1


def test_a_bar_starts_and_ends_with_the_prices_of_its_minutes() -> None:
    prices = SeededPrices()
    rig = Rig(prices, at=ANCHOR + timedelta(days=10))
    for timeframe, length in (("15Min", 15), ("1Hour", 60), ("4H", 240), ("1Day", 1440)):
        (bar,) = bars(rig, timeframe, start="2026-01-16T00:00:00Z", end="2026-01-16T00:00:00Z")
        opens = datetime(2026, 1, 16, tzinfo=UTC)
        assert bar["o"] == prices.price("MU", opens)
        assert bar["c"] == prices.price("MU", opens + timedelta(minutes=length - 1))
        assert bar["l"] <= min(bar["o"], bar["c"]) <= bar["vw"] * 2
        assert bar["l"] <= bar["vw"] <= bar["h"]
        assert bar["h"] >= max(bar["o"], bar["c"])


def test_bars_never_look_ahead() -> None:
    prices = SeededPrices()
    rig = Rig(prices, at=datetime(2026, 2, 3, 10, 30, 20, tzinfo=UTC))
    for timeframe in ("1Min", "1Hour", "1Day", "1Week", "1Month"):
        last = bars(rig, timeframe, start="2026-02-01", end="2030-01-01", limit="10000")[-1]
        assert last["c"] == prices.price("MU", rig.now)
        assert datetime.fromisoformat(last["t"]) <= rig.now


def test_daily_bars_of_the_nyse() -> None:
    rig = Rig(sessions=NyseSessions(), at=datetime(2026, 7, 8, 22, 0, tzinfo=UTC))
    shown = bars(rig, "1Day", start="2026-07-01", end="2026-07-07T12:00:00Z")
    # The third is the holiday of the fourth, then a weekend; midnight in New York is 04:00 UTC.
    days = ["2026-07-01", "2026-07-02", "2026-07-06", "2026-07-07"]
    assert [bar["t"] for bar in shown] == [f"{day}T04:00:00Z" for day in days]
    prices = SeededPrices()
    assert shown[0]["o"] == prices.price("MU", datetime(2026, 7, 1, 13, 30, tzinfo=UTC))
    assert shown[0]["c"] == prices.price("MU", datetime(2026, 7, 1, 19, 59, tzinfo=UTC))
    volumes = [bar["v"] for bar in shown]
    assert all(15_000_000 <= volume <= 35_000_000 for volume in volumes)
    hours = bars(rig, "1Hour", start="2026-07-01", end="2026-07-02")
    assert [bar["t"][11:13] for bar in hours] == ["13", "14", "15", "16", "17", "18", "19"]


def test_weeks_and_months() -> None:
    rig = Rig(at=datetime(2026, 5, 8, 22, 0, tzinfo=UTC))
    weeks = bars(rig, "1Week", start="2026-04-06", end="2026-05-08")
    assert [bar["t"][:10] for bar in weeks] == [
        "2026-04-06",
        "2026-04-13",
        "2026-04-20",
        "2026-04-27",
        "2026-05-04",
    ]
    months = bars(rig, "3M", start="2026-01-01", end="2026-05-08")
    assert [bar["t"][:10] for bar in months] == ["2026-01-01", "2026-04-01"]


def test_pages() -> None:
    rig = Rig(at=ANCHOR + timedelta(days=20))
    query = {"symbols": "TSM,MU,NOPE", "timeframe": "1Day", "start": "2026-01-20"}
    whole = rig.get("/v2/stocks/bars", **query)
    assert whole["next_page_token"] is None
    assert list(whole["bars"]) == ["MU", "TSM"]
    found: dict[str, list[object]] = {}
    token, pages = "", 0
    while pages == 0 or token:
        page = rig.get("/v2/stocks/bars", limit="7", page_token=token, **query)
        for symbol, some in page["bars"].items():
            found.setdefault(symbol, []).extend(some)
        token, pages = page["next_page_token"] or "", pages + 1
    assert found == whole["bars"]
    assert pages == 5
    backwards = rig.get("/v2/stocks/bars", sort="desc", **query)["bars"]["MU"]
    assert backwards == whole["bars"]["MU"][::-1]


def test_bars_of_what_has_no_price_are_empty() -> None:
    rig = Rig(steps(MU=[(START, "5")]), at=START)
    assert bars(rig, "1Day", start="2026-01-01") == bars(rig, "1Day")
    assert len(bars(rig, "1Day")) == 1
    assert rig.get("/v2/stocks/NOPE/bars", timeframe="1Day")["bars"] == []


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({}, "invalid timeframe: "),
        ({"timeframe": "60Min"}, "invalid timeframe: 60Min"),
        ({"timeframe": "5Month"}, "invalid timeframe: 5Month"),
        ({"timeframe": "2Day"}, "invalid timeframe: 2Day"),
        ({"timeframe": "1Day", "page_token": "?"}, "invalid page_token"),
        ({"timeframe": "1Day", "page_token": "YWJj"}, "invalid page_token"),
    ],
)
def test_bad_bar_queries(query: dict[str, str], says: str) -> None:
    answer = Rig().ask("GET", "/v2/stocks/MU/bars", query=query)
    assert (answer.status, answer.json()) == (400, {"message": says})


@pytest.mark.parametrize("short", ["1T", "1H", "1D", "1W", "1M", "59Min", "23Hour", "12Month"])
def test_timeframes(short: str) -> None:
    assert read_timeframe(short).count >= 1


@pytest.mark.parametrize("wrong", ["0Min", "1", "Day", "1Year", "24Hour", "1Day "])
def test_no_timeframes(wrong: str) -> None:
    with pytest.raises(Refusal):
        read_timeframe(wrong)


def test_assets() -> None:
    rig = Rig(flat("5", "OWN"))
    listed = {one["symbol"]: one for one in rig.get("/v2/assets")}
    assert len(listed) == 30
    assert listed["MU"] == rig.get("/v2/assets/MU") == rig.get(f"/v2/assets/{listed['MU']['id']}")
    assert listed["OWN"]["tradable"] is True
    assert listed["ZFRAC"]["fractionable"] is False
    assert (listed["ZDEAD"]["status"], listed["ZDEAD"]["tradable"]) == ("inactive", False)
    assert (listed["ZHALT"]["status"], listed["ZHALT"]["tradable"]) == ("active", False)
    assert [one["symbol"] for one in rig.get("/v2/assets", status="inactive")] == ["ZDEAD"]
    assert {one["exchange"] for one in rig.get("/v2/assets", exchange="ARCA")} == {"ARCA"}
    assert rig.get("/v2/assets", asset_class="crypto") == []
    missing = rig.ask("GET", "/v2/assets/NOPE")
    assert (missing.status, missing.json()) == (
        404,
        {"code": 40410000, "message": "asset not found for NOPE"},
    )


def test_the_calendar() -> None:
    rig = Rig(sessions=NyseSessions(), at=START)
    shown = rig.get("/v2/calendar", start="2026-01-15", end="2026-01-20T00:00:00Z")
    assert [day["date"] for day in shown] == ["2026-01-15", "2026-01-16", "2026-01-20"]
    around = rig.get("/v2/calendar")
    assert around[0]["date"].startswith("2025-01")
    assert around[-1]["date"].startswith("2027-01")
    assert rig.ask("GET", "/v2/calendar", query={"start": "soon"}).status == 422


def test_the_clock() -> None:
    shown = Rig(sessions=NyseSessions(), at=START).get("/v2/clock")
    assert shown["timestamp"] == "2026-01-14T10:00:00-05:00"
    assert shown["is_open"] is True
