from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from executor.exchange.adjusted import FollowingPrices, ScaledPrices, factor_since, scaled
from executor.exchange.prices import MINUTE, PriceSource, SeededPrices
from executor.exchange.recorded import RecordedPrices
from tests.exchange.rig import flat, steps

BEGIN = datetime(2026, 3, 4, 16, 0, tzinfo=UTC)
D = Decimal

factors = st.sampled_from([D(1), D("0.5"), D("0.1"), D("0.001"), D(1) / 3, D("1.5"), D(20)])


class Plain(PriceSource):
    """The same prices, searched minute by minute."""

    def __init__(self, source: PriceSource) -> None:
        self._source = source

    def price(self, symbol: str, at: datetime) -> Decimal | None:
        return self._source.price(symbol, at)


@settings(max_examples=300, deadline=None)
@given(
    seed=st.integers(0, 50),
    factor=factors,
    follows=st.booleans(),
    since=st.integers(-10, 130),
    start=st.integers(0, 60),
    length=st.integers(-1, 60),
    near=st.integers(0, 120),
    percent=st.one_of(st.just(D(100)), st.decimals("98", "102", places=2)),
    falling=st.booleans(),
)
def test_a_search_finds_what_looking_at_each_minute_finds(
    seed: int,
    factor: Decimal,
    follows: bool,
    since: int,
    start: int,
    length: int,
    near: int,
    percent: Decimal,
    falling: bool,
) -> None:
    seeded = SeededPrices(seed)
    layer: PriceSource
    if follows:
        layer, symbol = FollowingPrices(seeded, "NEWMU", "MU", factor), "NEWMU"
    else:
        layer, symbol = ScaledPrices(seeded, "MU", BEGIN + since * MINUTE, factor), "MU"
    price = layer.price(symbol, BEGIN + near * MINUTE)
    assert price is not None
    level = (price * percent / 100).quantize(D("0.0001"))
    first, last = BEGIN + start * MINUTE, BEGIN + (start + length) * MINUTE
    found = layer.crossing(symbol, first, last, level, falling)
    assert found == Plain(layer).crossing(symbol, first, last, level, falling)


def test_other_symbols_pass_through_unchanged() -> None:
    seeded = SeededPrices()
    for layer in (
        ScaledPrices(seeded, "MU", BEGIN, D("0.5")),
        FollowingPrices(seeded, "NEW", "MU", D("0.5")),
    ):
        assert layer.price("KO", BEGIN) == seeded.price("KO", BEGIN)
        assert layer.daily_volume("KO", BEGIN) == seeded.daily_volume("KO", BEGIN)
        price = seeded.price("KO", BEGIN)
        assert price is not None
        assert layer.crossing("KO", BEGIN, BEGIN, price, True) == BEGIN
        assert layer.price("NOBODY", BEGIN) is None


def test_prices_volumes_and_the_minute_of_a_split() -> None:
    source = flat("100", "MU")
    split = ScaledPrices(source, "MU", BEGIN, D("0.25"))
    assert split.price("MU", BEGIN - timedelta(seconds=1)) == 100
    assert split.price("MU", BEGIN) == 25
    assert split.daily_volume("MU", BEGIN - MINUTE) == 1_000_000
    assert split.daily_volume("MU", BEGIN) == 4_000_000
    assert split.symbols() == ("MU",)


def test_a_symbol_that_follows_another() -> None:
    renamed = FollowingPrices(flat("100", "MU"), "NEW", "MU")
    assert renamed.price("NEW", BEGIN) == 100
    assert renamed.daily_volume("NEW", BEGIN) == 1_000_000
    assert renamed.symbols() == ("MU", "NEW")
    later = steps(MU=[(BEGIN, "100")])
    assert FollowingPrices(later, "NEW", "MU").price("NEW", BEGIN - MINUTE) is None


def test_a_price_is_never_nothing() -> None:
    assert scaled(D("1.00"), D("0.00001")) == D("0.0001")
    assert scaled(D("2.00"), D("0.12345")) == D("0.2469")
    assert scaled(D("100"), D("0.33335")) == D("33.34")


def test_what_a_past_price_is_multiplied_by() -> None:
    prices: PriceSource = RecordedPrices({"prices": {"MU": [[BEGIN.isoformat(), "100"]]}})
    prices = ScaledPrices(prices, "MU", BEGIN, D("0.5"))
    prices = FollowingPrices(prices, "NEW", "MU")
    prices = ScaledPrices(prices, "NEW", BEGIN + 60 * MINUTE, D("0.1"))
    assert factor_since(prices, "NEW", BEGIN - MINUTE) == D("0.05")
    assert factor_since(prices, "NEW", BEGIN) == D("0.1")
    assert factor_since(prices, "NEW", BEGIN + 60 * MINUTE) == 1
    assert factor_since(prices, "MU", BEGIN - MINUTE) == D("0.5")
