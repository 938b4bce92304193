from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from executor.errors import UsageError
from executor.exchange.prices import PriceSource
from executor.exchange.recorded import RecordedPrices

START = datetime(2026, 1, 14, 13, 45, tzinfo=UTC)
FILE = {
    "prices": {
        "MU": [
            ["2026-01-14T13:45:00Z", "331.44"],
            ["2026-01-14T13:45:30Z", "332"],
            ["2026-01-14T14:00", 340.5],
            ["2026-01-14T15:00:00-01:00", "300"],
        ],
        "NEW": [["2026-02-01T00:00:00Z", 12]],
    },
    "volumes": {"MU": 123},
}


@pytest.fixture
def prices(tmp_path: Path) -> RecordedPrices:
    path = tmp_path / "prices.json"
    path.write_text(json.dumps(FILE), encoding="utf-8")
    return RecordedPrices(path)


def test_a_price_is_the_last_one_of_its_minute(prices: RecordedPrices) -> None:
    assert prices.price("MU", START - timedelta(seconds=1)) is None
    assert prices.price("MU", START) == Decimal(332)
    assert prices.price("MU", START + timedelta(minutes=14, seconds=59)) == Decimal(332)
    assert prices.price("MU", START + timedelta(minutes=15)) == Decimal("340.5")
    assert prices.price("MU", START + timedelta(days=900)) == Decimal(300)
    assert prices.price("AMD", START) is None
    assert prices.symbols() == ("MU", "NEW")
    assert prices.daily_volume("MU", START) == 123
    assert prices.daily_volume("NEW", START) == 1_000_000
    assert prices.daily_volume("AMD", START) == 0


@pytest.mark.parametrize("level", ["299", "300", "331.44", "332", "335", "340.5", "341"])
@pytest.mark.parametrize("falling", [True, False])
@pytest.mark.parametrize("start", [-30, 0, 3, 15, 200])
def test_crossings_are_those_of_the_slow_search(
    prices: RecordedPrices, level: str, falling: bool, start: int
) -> None:
    first, last = START + timedelta(minutes=start), START + timedelta(minutes=300)
    slow = PriceSource.crossing(prices, "MU", first, last, Decimal(level), falling)
    assert prices.crossing("MU", first, last, Decimal(level), falling) == slow


def test_unknown_symbols_never_cross(prices: RecordedPrices) -> None:
    assert prices.crossing("AMD", START, START, Decimal(1), False) is None


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("[]", "no object 'prices'"),
        ("{", "is not JSON"),
        ('{"prices": {}, "more": 1}', "unknown key 'more'"),
        ('{"prices": {"MU": []}}', "MU: has no steps"),
        ('{"prices": {"MU": [["2026-01-14T13:45:00Z"]]}}', r"MU\[0\]: .* is no step"),
        ('{"prices": {"MU": [["yesterday", "1"]]}}', r"MU\[0\]: 'yesterday' is no time"),
        ('{"prices": {"MU": [["2026-01-14", "a lot"]]}}', r"MU\[0\]: 'a lot' is no price"),
        ('{"prices": {"MU": [["2026-01-14", "-1"]]}}', r"MU\[0\]: price -1, limit above 0"),
        ('{"prices": {"MU": [["2026-01-14", "NaN"]]}}', r"MU\[0\]: price NaN"),
        (
            '{"prices": {"MU": [["2026-01-15", "1"], ["2026-01-14", "1"]]}}',
            r"MU\[1\]: 2026-01-14 is not later",
        ),
        ('{"prices": {}, "volumes": []}', "'volumes' is no object"),
        ('{"prices": {}, "volumes": {"MU": 1.5}}', "volume of MU"),
    ],
)
def test_a_bad_file_is_named_with_its_place(tmp_path: Path, content: str, says: str) -> None:
    path = tmp_path / "prices.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match=says) as raised:
        RecordedPrices(path)
    assert str(path) in str(raised.value)


def test_a_missing_file_is_named() -> None:
    with pytest.raises(UsageError, match=r"nowhere\.json: cannot be read"):
        RecordedPrices("nowhere.json")
