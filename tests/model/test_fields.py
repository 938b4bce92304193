from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter, ValidationError

from executor.model import fields
from executor.model.fields import (
    TIMESTAMP_PATTERN,
    ClientOrderId,
    Commit,
    Digest,
    Document,
    Name,
    Natural,
    Ordinal,
    Positive,
    Quantity,
    RepositoryPath,
    SchemaVersion,
    Signed,
    Sparse,
    Ticker,
    Timestamp,
    Unsigned,
    parse_timestamp,
    timestamp_text,
)

NUMBERS = {"positive": Positive, "unsigned": Unsigned, "signed": Signed, "quantity": Quantity}
TEXTS = {
    "ticker": Ticker,
    "name": Name,
    "digest": Digest,
    "commit": Commit,
    "client_order_id": ClientOrderId,
    "path": RepositoryPath,
}


def accepts(kind: Any, value: object) -> bool:
    """What pydantic says; asserts that the schema beside it says the same."""
    adapter = TypeAdapter(kind)
    try:
        adapter.validate_python(value, strict=True)
        passes = True
    except ValidationError:
        passes = False
    assert Draft202012Validator(adapter.json_schema()).is_valid(value) == passes, repr(value)
    return passes


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (kind, value)
        for kind in NUMBERS
        for value in (1, 84.48, Decimal("84.48"), "84.48", "999999999999.999999999", 10**12 - 1)
    ],
)
def test_numbers_of_every_kind(kind: str, value: object) -> None:
    assert accepts(NUMBERS[kind], value)


@pytest.mark.parametrize("kind", NUMBERS)
@pytest.mark.parametrize(
    "value",
    [
        True,
        False,
        None,
        [],
        {},
        "",
        " 1",
        "1 ",
        "1\n",
        "+1",
        "01",
        "1.",
        ".5",
        "1e3",
        "1,000",
        "NaN",
        "Infinity",
        "1_0",
        "1" * 13,
        "1.0000000001",
        "\uff11",
        10**12,
        -(10**12),
        "--1",
    ],
)
def test_no_numbers_of_any_kind(kind: str, value: object) -> None:
    assert not accepts(NUMBERS[kind], value)


@pytest.mark.parametrize(
    ("value", "kinds"),
    [
        (0, {"unsigned", "signed"}),
        ("0", {"unsigned", "signed"}),
        ("0.000", {"unsigned", "signed"}),
        (Decimal("-0.0"), {"unsigned", "signed"}),
        (-1, {"signed"}),
        ("-1", {"signed"}),
        ("-0", {"signed"}),
        (Decimal("0.000000001"), set(NUMBERS)),
        ("0.000000001", set(NUMBERS)),
        ("all", {"quantity"}),
        ("all\n", set()),
        ("ALL", set()),
    ],
)
def test_the_kinds_differ_about_zero_and_below(value: object, kinds: set[str]) -> None:
    assert {kind for kind, one in NUMBERS.items() if accepts(one, value)} == kinds


def test_numbers_are_read_from_their_text_never_through_a_float() -> None:
    adapter = TypeAdapter[Decimal](Positive)
    assert adapter.validate_python("0.1") == Decimal("0.1")
    assert adapter.validate_python(0.1) == Decimal("0.1")
    assert adapter.validate_python("123456789012.123456789") == Decimal("123456789012.123456789")
    assert TypeAdapter(Quantity).validate_python("all") == "all"


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), Decimal("NaN"), Decimal("Infinity"), 1e-10, 0.1 + 1e-11]
)
def test_floats_of_a_python_caller_are_bounded_too(value: object) -> None:
    with pytest.raises(ValidationError, match="out of bounds"):
        TypeAdapter(Signed).validate_python(value)


@given(st.text(st.characters(codec="utf-8"), max_size=6) | st.from_regex(r"-?[0-9.e]{1,15}\n?"))
def test_any_text_is_judged_alike_by_schema_and_model(text: str) -> None:
    for kind in NUMBERS.values():
        accepts(kind, text)


@given(
    st.decimals(-(10**12), 10**12, places=9, allow_nan=False, allow_infinity=False)
    | st.integers(-(10**12), 10**12)
)
def test_any_number_is_judged_alike_by_schema_and_model(number: Decimal | int) -> None:
    for kind in NUMBERS.values():
        accepts(kind, number)


@pytest.mark.parametrize(
    ("kind", "value", "passes"),
    [
        ("ticker", "MU", True), ("ticker", "BRK.B", True), ("ticker", "ABCDE", True),
        ("ticker", "ABCDEF", False), ("ticker", "mu", False), ("ticker", "MU.", False),
        ("ticker", "MU\n", False), ("ticker", "", False), ("ticker", "\u041cU", False),
        ("ticker", "\uff2d\uff35", False), ("ticker", 5, False), ("ticker", None, False),
        ("name", "manual", True), ("name", "a" * 40, True), ("name", "a" * 41, False),
        ("name", "1a", False), ("name", "A", False), ("name", "a-b", False), ("name", "a\n", False),
        ("digest", "0" * 64, True), ("digest", "0" * 63, False), ("digest", "A" * 64, False),
        ("commit", "0" * 40, True), ("commit", "0" * 64, True), ("commit", "0" * 50, False),
        ("client_order_id", "ai-0123-0.1:x_", True), ("client_order_id", "a" * 129, False),
        ("client_order_id", "a b", False), ("client_order_id", "", False),
        ("path", "a/b.json", True), ("path", "_a-b/c.d.json", True), ("path", "/a", False),
        ("path", "../a", False), ("path", "a/../b", False), ("path", "a//b", False),
        ("path", "a/", False), ("path", "a\\b", False), ("path", ".git/config", False),
        ("path", "a/.hidden", False), ("path", "a\n", False), ("path", "C:/a", False),
    ],
)  # fmt: skip
def test_texts_of_one_form(kind: str, value: object, passes: bool) -> None:
    assert accepts(TEXTS[kind], value) == passes


@given(st.text(st.sampled_from("MUmu.Bé/\\_-:19 \n\u041c"), max_size=12))
def test_any_text_of_a_form_is_judged_alike(text: str) -> None:
    for kind in TEXTS.values():
        accepts(kind, text)


def test_the_look_alike_is_named_by_its_code_point() -> None:
    with pytest.raises(
        ValidationError, match=r"holds U\+041C, which is no character of such a text"
    ):
        TypeAdapter(Ticker).validate_python("\u041cU")


@pytest.mark.parametrize(
    ("value", "natural", "ordinal"),
    [
        (0, True, False),
        (1, True, True),
        (-1, False, False),
        (Decimal("2.0"), True, True),
        (Decimal("2.5"), False, False),
        (Decimal("NaN"), False, False),
        (Decimal("Infinity"), False, False),
        (2.0, False, False),
        (True, False, False),
        ("1", False, False),
        (None, False, False),
    ],
)
def test_whole_numbers(value: object, natural: bool, ordinal: bool) -> None:
    for kind, expected in ((Natural, natural), (Ordinal, ordinal)):
        adapter = TypeAdapter[int](kind)
        if expected:
            found = adapter.validate_python(value, strict=True)
            assert type(found) is int
            assert found == value
        else:
            with pytest.raises(ValidationError):
                adapter.validate_python(value, strict=True)


@pytest.mark.parametrize("value", [True, 2, "1", Decimal("1.5"), None])
def test_the_only_version_is_one(value: object) -> None:
    assert TypeAdapter(SchemaVersion).validate_python(Decimal("1.0")) == 1
    with pytest.raises(ValidationError):
        TypeAdapter(SchemaVersion).validate_python(value)


# Timestamps


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-14T13:45:00", datetime(2026, 1, 14, 13, 45, tzinfo=UTC)),
        ("2026-01-14T13:45:00Z", datetime(2026, 1, 14, 13, 45, tzinfo=UTC)),
        ("2026-01-14T13:45:00.25Z", datetime(2026, 1, 14, 13, 45, 0, 250_000, tzinfo=UTC)),
        ("2026-01-14T13:45:00-05:00", datetime(2026, 1, 14, 18, 45, tzinfo=UTC)),
        ("2026-01-14T13:45:00+14:59", datetime(2026, 1, 13, 22, 46, tzinfo=UTC)),
        ("2024-02-29T00:00:00Z", datetime(2024, 2, 29, tzinfo=UTC)),
    ],
)
def test_timestamps_are_instants_in_utc(text: str, moment: datetime) -> None:
    assert accepts(Timestamp, text)
    assert parse_timestamp(text) == moment
    assert parse_timestamp(text).tzinfo is UTC


@pytest.mark.parametrize(
    "value",
    [
        "2026-02-30T00:00:00",
        "2026-02-29T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-01-14T24:00:00Z",
        "2026-01-14",
        "2026-01-14T13:60:00Z",
        "2026-01-14T13:45:60Z",
        "2026-01-14T13:45Z",
        "2026-01-14 13:45:00",
        "2026-01-14t13:45:00z",
        "2026-01-14T13:45:00.Z",
        "2026-01-14T13:45:00.1234567Z",
        "2026-01-14T13:45:00+1400",
        "2026-01-14T13:45:00+15:00",
        "2026-01-14T13:45:00 Z",
        "",
        "now",
        "2026-W03-3T13:45:00Z",
        "20260114T134500Z",
        "0999-01-01T00:00:00Z",
        "3000-01-01T00:00:00Z",
        "\uff12026-01-14T13:45:00Z",
        "2026-01-14T13:45:00Z\n",
        1768398300,
        None,
        True,
        ["x"],
    ],
)
def test_no_timestamps(value: object) -> None:
    assert not accepts(Timestamp, value)


def test_every_year_has_its_leap_day_or_none() -> None:
    for year in range(1000, 3000):
        found = re.search(TIMESTAMP_PATTERN, f"{year}-02-29T00:00:00Z")
        assert bool(found) == calendar.isleap(year), year


def test_every_day_of_two_years_and_none_besides() -> None:
    for year in (2024, 2025):
        for month in range(14):
            for day in range(33):
                text = f"{year}-{month:02}-{day:02}T00:00:00Z"
                exists = 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1]
                assert bool(re.search(TIMESTAMP_PATTERN, text)) == exists, text


ZONES = st.builds(
    lambda minutes: timezone(timedelta(minutes=minutes)), st.integers(-14 * 60, 14 * 60)
)


@given(st.datetimes(datetime(1000, 1, 2), datetime(2999, 12, 30), timezones=ZONES))
def test_a_moment_survives_being_written_and_read(moment: datetime) -> None:
    text = timestamp_text(moment)
    assert text.endswith("Z")
    assert parse_timestamp(text) == moment
    assert accepts(Timestamp, text)
    assert parse_timestamp(moment.isoformat()) == moment


def test_a_python_caller_gives_datetimes_with_a_zone() -> None:
    adapter = TypeAdapter[datetime](Timestamp)
    eastern = datetime(2026, 1, 14, 8, 45, tzinfo=timezone(timedelta(hours=-5)))
    found = adapter.validate_python(eastern)
    assert found == eastern
    assert found.tzinfo is UTC
    assert adapter.dump_json(found) == b'"2026-01-14T13:45:00Z"'
    with pytest.raises(ValidationError, match="a datetime without a zone"):
        adapter.validate_python(datetime(2026, 1, 14, 8, 45))


# Documents


class Inner(Sparse):
    note: fields.Word | None = None


class Outer(Sparse):
    count: Natural | None = None
    inner: Inner | None = None
    many: tuple[Inner, ...] = ()


class Written(Document):
    count: Natural | None = None


def test_absence_has_one_spelling_where_people_write() -> None:
    assert Outer.model_validate({}) == Outer()
    assert Outer().count is None
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate({"count": None, "inner": {"note": None}, "many": ({"note": None},)})
    places = [error["loc"] for error in caught.value.errors()]
    assert places == [("count",), ("inner", "note"), ("many", 0, "note")]


def test_a_document_of_ours_may_say_null() -> None:
    assert Written.model_validate({"count": None}) == Written()


def test_the_schemas_say_the_same_of_null() -> None:
    sparse, written = Outer.model_json_schema(), Written.model_json_schema()
    assert not Draft202012Validator(sparse).is_valid({"count": None})
    assert not Draft202012Validator(sparse).is_valid({"inner": {"note": None}})
    assert Draft202012Validator(written).is_valid({"count": None})


def test_a_document_is_frozen_and_closed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Outer(count=1).count = 2
    with pytest.raises(ValidationError, match="Extra inputs"):
        Outer.model_validate({"cuont": 1})
