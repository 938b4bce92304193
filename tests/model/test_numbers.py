from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.model.numbers import cents, cents_down, decimals, is_bounded, nanos, plain

BOUNDED = st.decimals(-(10**12) + 1, 10**12 - 1, places=9)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("84.480"), "84.48"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1E-9"), "0.000000001"),
        (Decimal("-0.0"), "0"),
        (Decimal("-0"), "0"),
        (Decimal("-1.50"), "-1.5"),
        (Decimal("100"), "100"),
        (7, "7"),
        (-7, "-7"),
    ],
)
def test_numbers_are_written_plainly(value: Decimal | int, text: str) -> None:
    assert plain(value) == text


@given(BOUNDED)
def test_a_number_that_is_written_and_read_is_the_same(value: Decimal) -> None:
    text = plain(value)
    assert Decimal(text) == value
    assert plain(Decimal(text)) == text
    assert "E" not in text


@given(BOUNDED, st.integers(0, 6))
def test_equal_numbers_are_written_alike(value: Decimal, zeros: int) -> None:
    _sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    padded = Decimal((_sign, digits + (0,) * zeros, exponent - zeros))
    assert plain(padded) == plain(value)


@pytest.mark.parametrize(
    ("value", "bounded"),
    [
        (0, True),
        (10**12 - 1, True),
        (-(10**12) + 1, True),
        (10**12, False),
        (-(10**12), False),
        (Decimal("999999999999.999999999"), True),
        (Decimal("1E+12"), False),
        (Decimal("1E-9"), True),
        (Decimal("1E-10"), False),
        (Decimal("1.0000000001"), False),
        (Decimal("1.0000000000"), True),
        (Decimal("1E+400"), False),
        (Decimal("1E-400"), False),
        (Decimal("0E+400"), True),
        (Decimal("0E-400"), True),
        (Decimal("NaN"), False),
        (Decimal("Infinity"), False),
        (Decimal("-Infinity"), False),
    ],
)
def test_the_bounds_of_a_number(value: Decimal | int, bounded: bool) -> None:
    assert is_bounded(value) is bounded


@pytest.mark.parametrize(
    ("text", "count"),
    [("84.480", 2), ("1E+3", 0), ("0.000", 0), ("100", 0), ("0.10", 1), ("1.000000001", 9)],
)
def test_significant_decimals_are_counted(text: str, count: int) -> None:
    assert decimals(Decimal(text)) == count


def test_halves_are_rounded_away_from_zero() -> None:
    assert cents(Decimal("0.005")) == Decimal("0.01")
    assert cents(Decimal("-0.005")) == Decimal("-0.01")
    assert nanos(Decimal("0.0000000005")) == Decimal("0.000000001")


@given(st.decimals(-(10**30), 10**30))
def test_rounding_down_never_grows_and_leaves_two_decimals(value: Decimal) -> None:
    exact = +value
    rounded = cents_down(exact)
    assert abs(rounded) <= abs(exact)
    assert abs(exact - rounded) < Decimal("0.01")
    assert decimals(rounded) <= 2


@given(BOUNDED)
def test_rounding_moves_by_half_a_step_at_most(value: Decimal) -> None:
    assert abs(cents(value) - value) <= Decimal("0.005")
    assert nanos(value) == value
