from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.model.words import instant, percent, shares, usd


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("12340", "12,340.00 USD"),
        ("-59032.455", "-59,032.46 USD"),
        ("0", "0.00 USD"),
        ("Infinity", "without bound"),
        ("1E+20", "without bound"),
        ("-1E+400", "without bound"),
    ],
)
def test_money(amount: str, text: str) -> None:
    assert usd(Decimal(amount)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("35", "35 %"),
        ("36.824", "36.82 %"),
        ("36.80", "36.8 %"),
        ("Infinity", "without bound"),
        ("1E+27", "without bound"),
    ],
)
def test_percentages(value: str, text: str) -> None:
    assert percent(Decimal(value)) == text


@pytest.mark.parametrize(
    ("quantity", "text"),
    [("84.480", "84.48 shares"), ("1.0", "1 share"), ("0", "0 shares"), ("-1", "-1 shares")],
)
def test_quantities(quantity: str, text: str) -> None:
    assert shares(Decimal(quantity)) == text


def test_instants_are_utc_to_the_second() -> None:
    moment = datetime(2026, 1, 14, 8, 45, 0, 999_999, tzinfo=timezone(timedelta(hours=-5)))
    assert instant(moment) == "2026-01-14T13:45:00Z"
    assert instant(datetime(2026, 1, 14, tzinfo=UTC)) == "2026-01-14T00:00:00Z"


@given(st.decimals())
def test_no_number_is_too_odd_to_be_written(value: Decimal) -> None:
    if not value.is_snan():
        assert usd(value)
        assert percent(value)
