from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.model.market import (
    MarketClock,
    Quote,
    Reference,
    Rung,
    Session,
    SymbolPrices,
    Trade,
    percent_of,
    reference,
)
from executor.model.position import Side

NOW = datetime(2026, 1, 14, 15, 0, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


def quote(age: timedelta = SECOND, bid: str = "99", ask: str = "101") -> Quote:
    return Quote(Decimal(bid), Decimal(ask), NOW - age)


def trade(age: timedelta = SECOND, price: str = "100") -> Trade:
    return Trade(Decimal(price), NOW - age)


def found(prices: SymbolPrices, side: Side = "buy") -> Reference | None:
    return reference(prices, side, NOW, quote_age=MINUTE, trade_age=15 * MINUTE, pad_pct=Decimal(1))


LADDER = [
    # what is known, price of a BUY, of a SELL, rung, pad
    (SymbolPrices(quote(), trade()), "101", "99", Rung.QUOTE, 1),
    (SymbolPrices(quote(MINUTE)), "101", "99", Rung.QUOTE, 1),
    (SymbolPrices(quote(2 * MINUTE), trade()), "100", "100", Rung.TRADE, 2),
    (SymbolPrices(None, trade(15 * MINUTE)), "100", "100", Rung.TRADE, 2),
    (SymbolPrices(None, trade(16 * MINUTE)), "100", "100", Rung.DELAYED, 4),
    (SymbolPrices(quote(2 * MINUTE)), "101", "99", Rung.DELAYED, 4),
    (SymbolPrices(quote(bid="102"), trade()), "100", "100", Rung.TRADE, 2),  # crossed
    (SymbolPrices(quote(bid="0"), trade()), "100", "100", Rung.TRADE, 2),  # no bid
    (SymbolPrices(quote(2 * MINUTE), trade(price="0")), "101", "99", Rung.DELAYED, 4),
]


@pytest.mark.parametrize(("prices", "buy", "sell", "rung", "pad"), LADDER)
def test_the_best_price_that_is_there_is_taken(
    prices: SymbolPrices, buy: str, sell: str, rung: Rung, pad: int
) -> None:
    sides: tuple[tuple[Side, str], ...] = (("buy", buy), ("sell", sell))
    for side, price in sides:
        one = found(prices, side)
        assert one is not None
        assert (one.price, one.rung, one.pad_pct) == (Decimal(price), rung, Decimal(pad))


@pytest.mark.parametrize(
    "prices",
    [
        SymbolPrices(),
        SymbolPrices(quote(bid="0"), None),
        SymbolPrices(quote(bid="102"), trade(price="0")),
    ],
)
def test_without_a_sound_price_there_is_none(prices: SymbolPrices) -> None:
    assert found(prices) is None


@given(
    bid=st.decimals(0, 1000, places=2),
    ask=st.decimals(0, 1000, places=2),
    price=st.decimals(0, 1000, places=2),
    quote_age=st.integers(0, 3600),
    trade_age=st.integers(0, 3600),
)
def test_a_reference_is_positive_and_never_better_than_the_quote(
    bid: Decimal, ask: Decimal, price: Decimal, quote_age: int, trade_age: int
) -> None:
    prices = SymbolPrices(
        Quote(bid, ask, NOW - quote_age * SECOND), Trade(price, NOW - trade_age * SECOND)
    )
    buy, sell = found(prices, "buy"), found(prices, "sell")
    assert (buy is None) == (sell is None)
    if buy is not None and sell is not None:
        assert 0 < sell.price <= buy.price
        assert buy.rung is sell.rung


def test_the_running_session() -> None:
    session = Session(NOW - MINUTE, NOW + MINUTE)
    later = Session(NOW + MINUTE, NOW + 2 * MINUTE)
    assert MarketClock(NOW, True, (session, later)).current == session
    assert MarketClock(NOW, False, (later,)).current is None
    assert MarketClock(NOW, False).current is None
    assert MarketClock(session.opens, True, (session,)).current == session
    assert MarketClock(session.closes, False, (session,)).current is None


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [
        ("1", "4", "25"),
        ("-1", "4", "-25"),
        ("0", "0", "0"),
        ("-1", "0", "0"),
        ("1", "0", "Infinity"),
        ("1", "-5", "Infinity"),
    ],
)
def test_a_part_in_percent(part: str, whole: str, expected: str) -> None:
    assert percent_of(Decimal(part), Decimal(whole)) == Decimal(expected)


def test_the_last_close_is_that_of_the_last_session_that_has_closed() -> None:
    days = [NOW.replace(hour=14) + timedelta(days=at) for at in (-2, -1, 0)]
    sessions = tuple(Session(one, one + timedelta(hours=6)) for one in days)
    assert MarketClock(NOW, True, sessions).last_close == sessions[1].closes
    assert MarketClock(NOW, True, sessions[2:]).last_close is None
