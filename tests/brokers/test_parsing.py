"""Tolerant reading: exact numbers, instants with nanoseconds, and one exception for everything."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.brokers.parsing import Row, Unreadable, as_number, as_time, read_json, rows_of, shown
from executor.model.numbers import is_bounded
from tests.brokers.test_submitting import json_values


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("331.44", "331.44"),
        ("-0.5", "-0.5"),
        (Decimal("0.30"), "0.3"),
        (7, "7"),
        ("1e-05", "0.00001"),
        (Decimal("1E+3"), "1000"),
        ("100.12345678949", "100.123456789"),
        ("1e-400", "0"),
        ("999999999999.9999999994", "999999999999.999999999"),
    ],
)
def test_numbers(value: object, number: str) -> None:
    assert as_number(value) == Decimal(number)


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, 1.5, "", " 1", "1_000", "\u0661", "NaN", "Infinity", "0x1", "1\n", [], {}),
        *("1e9999", "9" * 41, Decimal("NaN"), Decimal("Infinity"), 10**12, Decimal("-1e12")),
    ],
)
def test_no_numbers(value: object) -> None:
    assert as_number(value) is None


@given(st.decimals() | st.integers() | st.text() | json_values)
def test_a_number_fits_our_documents(value: object) -> None:
    number = as_number(value)
    # Rounding up may reach the limit itself.
    assert number is None or is_bounded(number) or abs(number) == 10**12


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-14T17:00:00Z", datetime(2026, 1, 14, 17, tzinfo=UTC)),
        ("2026-01-14T12:00:00.123456789-05:00", datetime(2026, 1, 14, 17, 0, 0, 123456, UTC)),
        ("2026-01-14T17:00:00.1Z", datetime(2026, 1, 14, 17, 0, 0, 100000, UTC)),
    ],
)
def test_instants(text: str, moment: datetime) -> None:
    assert as_time(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        *(None, 7, "", "now", "2026-01-14", "2026-01-14T17:00:00", "2026-13-01T00:00:00Z"),
        *("0001-01-01T00:00:00Z", "9999-12-31T23:59:59-05:00", "\ud800"),
    ],
)
def test_no_instants(text: object) -> None:
    assert as_time(text) is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"OK",
        b"{",
        b'{"a": NaN}',
        b'{"a": 1e9999999999999999999999}',
        b"\xff\xff",
        b"[" * 200_000,
        b"9" * 5_000,
        b"<html>",
    ],
    ids=lambda body: repr(body[:20]),
)
def test_no_json(body: bytes) -> None:
    with pytest.raises(Unreadable, match="the answer is not JSON"):
        read_json(body)


def test_an_endless_answer_is_not_parsed() -> None:
    with pytest.raises(Unreadable, match="67,108,865 bytes"):
        read_json(b" " * (64 * 1024 * 1024 + 1))


def test_json_numbers_are_exact() -> None:
    assert read_json(b'{"ap": 331.4400000000000001, "v": 5}') == {
        "ap": Decimal("331.4400000000000001"),
        "v": 5,
    }


@given(st.binary(max_size=200), st.integers(1, 50))
def test_a_body_is_shown_visibly_and_cut(body: bytes, limit: int) -> None:
    text = shown(body, limit)
    assert len(text) <= limit
    assert text.isascii()
    assert text.replace("\n", "").replace("\t", "").isprintable() or not text


def test_a_plain_body_is_shown_as_it_is() -> None:
    body = json.dumps({"code": 40310000, "message": 'insufficient "buying power"'})
    assert shown(body.encode(), 4_000) == body


def test_ids_are_plain_texts() -> None:
    for odd in (None, 7, "", "a\u202eb", "x" * 201, "naïve", "a\nb"):
        with pytest.raises(Unreadable, match="`id` of an order"):
            Row({"id": odd}, "an order").text("id")


def test_words_describe_and_never_fail() -> None:
    row = Row({"odd": "\u202e\ud800", "long": "ü" * 500, "none": None, "list": []}, "an order")
    assert row.word("odd", "missing") == "\\u202e\\ud800"
    assert len(row.word("long", "missing")) == 200
    assert row.word("none", "missing") == row.word("list", "missing") == "missing"


@given(json_values)
def test_only_objects_are_rows_and_only_lists_are_lists(value: object) -> None:
    if not isinstance(value, dict):
        with pytest.raises(Unreadable):
            Row(value, "an order")
    if not isinstance(value, list):
        with pytest.raises(Unreadable):
            rows_of(value, "orders")
