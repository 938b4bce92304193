from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from executor.reports.money import Zones, part, short_usd, whole_usd

NOW = datetime(2026, 1, 14, 15, 0, tzinfo=UTC)
EASTERN = ZoneInfo("America/New_York")
BERLIN = Zones(EASTERN, ZoneInfo("Europe/Berlin"), "Europe/Berlin")
HOME = Zones(EASTERN, EASTERN, "America/New_York")


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "$0"),
        ("950.4", "$950"),
        ("999.4", "$999"),
        ("999.6", "$1.0k"),
        ("28002.49", "$28.0k"),
        ("999949", "$999.9k"),
        ("999950", "$1.0m"),
        ("1250000", "$1.3m"),
        ("2500000000", "$2.5b"),
        ("-28002.49", "-$28.0k"),
    ],
)
def test_short_amounts(amount: str, text: str) -> None:
    assert short_usd(Decimal(amount)) == text


def test_whole_amounts_and_parts() -> None:
    assert whole_usd(Decimal("28002.5")) == "28,003 USD"
    assert whole_usd(Decimal("-0.4")) == "0 USD"
    assert part(Decimal("12.345")) == "12.3 %"
    assert part(Decimal(10)) == "10 %"
    assert part(Decimal("Infinity")) == "without bound"


def test_times_are_new_yorks_and_the_owners() -> None:
    close = datetime(2026, 1, 14, 21, 0, tzinfo=UTC)
    assert BERLIN.short(close, NOW) == "16:00 ET"
    assert BERLIN.both(close, NOW) == "16:00 ET (22:00 Berlin)"
    assert HOME.both(close, NOW) == "16:00 ET"
    later = close + timedelta(days=1)
    assert BERLIN.both(later, NOW) == "Thu 15 Jan 16:00 ET (Thu 15 Jan 22:00 Berlin)"
    tokyo = Zones(EASTERN, ZoneInfo("Asia/Tokyo"), "Asia/Tokyo")
    early = NOW - timedelta(hours=1)
    assert tokyo.both(close, early) == "16:00 ET (Thu 15 Jan 06:00 Tokyo)"


def test_instants_in_a_sentence_are_told_by_one_clock() -> None:
    told = "possible from 2026-01-14T20:00:00Z, or 2026-01-15T14:35:00Z; not 2026-99-99T00:00:00Z"
    assert BERLIN.told(told, NOW) == (
        "possible from 15:00 ET, or Thu 15 Jan 09:35 ET; not 2026-99-99T00:00:00Z"
    )
    assert BERLIN.told("0001-01-01T00:00:00Z", NOW) == "0001-01-01T00:00:00Z"
    assert BERLIN.dated(NOW) == "Wed 14 Jan 10:00 ET"
