from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from executor.exchange.noise import Walk
from executor.exchange.prices import (
    ANCHOR,
    MINUTE,
    PriceSource,
    SeededPrices,
    half_spread,
    quote_at,
)
from executor.exchange.universe import INSTRUMENTS

MU = Decimal("331.44")
NEXT_DAY = datetime(2026, 1, 15, tzinfo=UTC)


@pytest.mark.parametrize("seed", [0, 1, 7, 2030, 99_991])
def test_every_seed_passes_through_the_base_prices_at_the_anchor(seed: int) -> None:
    prices = SeededPrices(seed)
    for symbol, instrument in INSTRUMENTS.items():
        assert prices.price(symbol, ANCHOR) == instrument.base_price


@pytest.mark.parametrize("seed", range(0, 300, 7))
def test_the_first_day_stays_within_one_percent_of_the_base(seed: int) -> None:
    prices = SeededPrices(seed)
    for hour in range(24):
        price = prices.price("MU", NEXT_DAY - timedelta(hours=24 - hour))
        assert price is not None
        assert abs(price / MU - 1) < Decimal("0.01")


def test_the_default_seed_tells_the_story() -> None:
    prices = SeededPrices()
    up = prices.crossing("MU", ANCHOR, ANCHOR + timedelta(days=60), MU * Decimal("1.15"), False)
    assert up is not None
    assert timedelta(days=10) < up - ANCHOR < timedelta(days=60)
    assert prices.crossing("MU", ANCHOR, up, MU * Decimal("0.92"), True) is None


def test_the_path_is_the_same_on_every_machine() -> None:
    prices = SeededPrices()
    days = (1, 10, 100, -100)
    shown = [str(prices.price(s, ANCHOR + timedelta(days=d))) for s in ("MU", "SPY") for d in days]
    assert shown[:4] == ["326.50", "358.21", "396.07", "263.67"]
    assert shown[4:] == ["694.98", "705.81", "801.77", "599.99"]


def test_prices_are_cents_of_at_least_a_dollar_and_stand_still_within_a_minute() -> None:
    prices = SeededPrices(5)
    at = ANCHOR + timedelta(days=33, seconds=7)
    price = prices.price("BAC", at)
    assert price is not None
    assert price.as_tuple().exponent == -2
    assert price == prices.price("BAC", at + timedelta(seconds=52, microseconds=999_999))
    for years in range(-30, 60, 3):
        far = prices.price("INTC", ANCHOR + timedelta(days=365 * years))
        assert far is not None
        assert far >= 1


def test_a_day_moves_about_as_much_as_the_table_says() -> None:
    prices = SeededPrices()
    moves = []
    for day in range(3, 400):
        before = prices.price("MU", ANCHOR + timedelta(days=day))
        after = prices.price("MU", ANCHOR + timedelta(days=day + 1))
        assert before is not None
        assert after is not None
        moves.append(float(after / before) - 1)
    deviation = (sum(move * move for move in moves) / len(moves)) ** 0.5
    assert 0.02 < deviation < 0.05


def test_unknown_symbols_have_no_price_and_no_volume() -> None:
    prices = SeededPrices()
    assert prices.price("NOPE", ANCHOR) is None
    assert prices.crossing("NOPE", ANCHOR, NEXT_DAY, MU, True) is None
    assert prices.daily_volume("NOPE", ANCHOR) == 0
    assert prices.symbols() == ()


def test_volumes_vary_around_the_average() -> None:
    prices = SeededPrices()
    volumes = {prices.daily_volume("MU", ANCHOR + timedelta(days=day)) for day in range(50)}
    assert len(volumes) > 40
    assert all(15_000_000 <= volume <= 35_000_000 for volume in volumes)


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 50),
    start=st.integers(0, 200_000),
    length=st.integers(0, 700),
    percent=st.integers(-6, 6),
    falling=st.booleans(),
)
def test_the_quick_search_finds_what_the_slow_one_finds(
    seed: int, start: int, length: int, percent: int, falling: bool
) -> None:
    prices = SeededPrices(seed)
    first = ANCHOR - timedelta(days=2) + start * MINUTE
    now = prices.price("TSLA", first)
    assert now is not None
    level = (now * (100 + percent) / 100).quantize(Decimal("0.01"))
    last = first + length * MINUTE
    slow = PriceSource.crossing(prices, "TSLA", first, last, level, falling)
    assert prices.crossing("TSLA", first, last, level, falling) == slow


def test_bounds_hold() -> None:
    chance = random.Random(1)
    walk = Walk(3, "MU")
    for _ in range(300):
        start = chance.randrange(10**9, 4 * 10**9)
        end = start + chance.randrange(1, 10 ** chance.randrange(1, 8))
        low, high = walk.bounds(start, end)
        for _ in range(10):
            assert low - 1e-9 <= walk.height(chance.randint(start, end)) <= high + 1e-9


def test_the_memory_of_a_walk_is_bounded_and_changes_nothing() -> None:
    walk, fresh = Walk(1, "MU"), Walk(1, "MU")
    before = [walk.height(minute * 120) for minute in range(9_000)]
    assert [walk.height(minute * 120) for minute in range(9_000)] == before
    assert fresh.height(8_999 * 120) == before[-1]
    assert all(len(cells) <= 8_192 for cells in walk._cells)


@pytest.mark.parametrize(
    ("price", "half"),
    [("331.44", "0.02"), ("50", "0.01"), ("1", "0.01"), ("0.5", "0.0001"), ("2000", "0.10")],
)
def test_the_spread(price: str, half: str) -> None:
    assert half_spread(Decimal(price)) == Decimal(half)
    quote = quote_at(Decimal(price))
    assert quote.bid + Decimal(half) == Decimal(price) == quote.ask - Decimal(half)


def test_a_source_of_ones_own_needs_a_price_only() -> None:
    class Rising(PriceSource):
        def price(self, symbol: str, at: datetime) -> Decimal | None:
            return Decimal((at - ANCHOR) // MINUTE + 100)

    source = Rising()
    assert source.crossing("X", ANCHOR, NEXT_DAY, Decimal(103), False) == ANCHOR + 3 * MINUTE
    assert source.crossing("X", ANCHOR, ANCHOR + MINUTE, Decimal(103), False) is None
    assert source.daily_volume("X", ANCHOR) == 1_000_000
    assert source.symbols() == ()
