"""The field types of every document, each with the JSON Schema that says exactly the same.

Both gates (jsonschema over the generated schemas, pydantic over the models) judge the tree that the
reader made, so each type here states its rule twice, side by side.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic_core import CoreSchema

from executor.model.numbers import MAGNITUDE_LIMIT, is_bounded

# `$` alone matches before a trailing newline in Python; the look-ahead closes that door and means
# the same in ECMA-262, which is what other validators speak.
END: Final = r"$(?!\n)"
UNSIGNED: Final = r"(0|[1-9][0-9]{0,11})(\.[0-9]{1,9})?"
UNSIGNED_PATTERN: Final = f"^{UNSIGNED}{END}"
POSITIVE_PATTERN: Final = rf"^(?![0.]+{END}){UNSIGNED}{END}"
SIGNED_PATTERN: Final = f"^-?{UNSIGNED}{END}"

_LEAP = r"([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)"
_DATE = (
    r"([12][0-9]{3}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])"
    r"|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))"
    rf"|(?=[12]){_LEAP}-02-29)"
)
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?"
_ZONE = r"(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])?"
TIMESTAMP_PATTERN: Final = f"^{_DATE}T{_TIME}{_ZONE}{END}"

TICKER_PATTERN: Final = rf"^[A-Z]{{1,5}}(\.[A-Z]{{1,2}})?{END}"
NAME_PATTERN: Final = rf"^[a-z][a-z0-9_]{{0,39}}{END}"
DIGEST_PATTERN: Final = f"^[0-9a-f]{{64}}{END}"
COMMIT_PATTERN: Final = f"^[0-9a-f]{{40}}([0-9a-f]{{24}})?{END}"
CLIENT_ORDER_ID_PATTERN: Final = rf"^[A-Za-z0-9_.:-]{{1,128}}{END}"
ZONE_PATTERN: Final = rf"^[A-Za-z][A-Za-z0-9_+-]{{0,39}}(/[A-Za-z0-9_+-]{{1,39}}){{0,2}}{END}"
PATH_PATTERN: Final = rf"^[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*{END}"

_LIMIT = int(MAGNITUDE_LIMIT)

# Each refusal below reads "what is wrong; what to do"; the two parts go into the report apart.
# Patterns are compiled by `re` when they are first used (it keeps them): most commands use few.


def _number(pattern: str, bounds: str) -> Callable[[object], Decimal]:
    """Make the reader of one kind of number; `bounds` is what people are told about it."""
    is_positive, is_unsigned = pattern == POSITIVE_PATTERN, pattern == UNSIGNED_PATTERN
    remedy = f"write a number {bounds} with at most 9 decimals, such as 84.48"

    def parse(value: object) -> Decimal:
        if isinstance(value, str):
            if not re.search(pattern, value):
                raise ValueError(f"the text is not such a number; {remedy}")
            return Decimal(value)
        if isinstance(value, bool) or not isinstance(value, (int, Decimal, float)):
            raise ValueError(f"not a number; {remedy}")
        # A float comes from a Python caller only, never from a file: its shortest text is meant.
        number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
        if not is_bounded(number):
            raise ValueError(f"the number is out of bounds; {remedy}")
        if (is_positive and number <= 0) or (is_unsigned and number < 0):
            raise ValueError(f"the number is too low; {remedy}")
        return number

    return parse


def _number_schema(pattern: str, **bounds: int) -> WithJsonSchema:
    return WithJsonSchema(
        {"type": ["number", "string"], "pattern": pattern, **bounds, "exclusiveMaximum": _LIMIT}
    )


Positive = Annotated[
    Decimal,
    BeforeValidator(_number(POSITIVE_PATTERN, "above 0 and below 1e12")),
    _number_schema(POSITIVE_PATTERN, exclusiveMinimum=0),
]
"""A number above 0."""

Unsigned = Annotated[
    Decimal,
    BeforeValidator(_number(UNSIGNED_PATTERN, "of at least 0 and below 1e12")),
    _number_schema(UNSIGNED_PATTERN, minimum=0),
]
"""A number of at least 0."""

Signed = Annotated[
    Decimal,
    BeforeValidator(_number(SIGNED_PATTERN, "between -1e12 and 1e12")),
    _number_schema(SIGNED_PATTERN, exclusiveMinimum=-_LIMIT),
]
"""A number that may be negative: cash, profit, a change."""


def _sale(value: object) -> object:
    return value if value == "all" else _parse_positive(value)


_parse_positive: Final = _number(POSITIVE_PATTERN, "above 0 and below 1e12, or `all` in a SELL,")

Quantity = Annotated[
    Decimal | str,
    BeforeValidator(_sale),
    WithJsonSchema(
        {
            "type": ["number", "string"],
            "pattern": f"^all{END}|{POSITIVE_PATTERN}",
            "exclusiveMinimum": 0,
            "exclusiveMaximum": _LIMIT,
        }
    ),
]
"""Shares, above 0, or the word `all` (a SELL of the whole holding)."""


def _whole(value: object) -> object:
    """Take 1.0 for 1, as JSON Schema does; what is no whole number is pydantic's to refuse."""
    if isinstance(value, bool):
        # In Python True equals 1, and a literal is looked up by equality.
        raise ValueError("not a whole number; write one without a fraction, bare")
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        return int(value)
    return value


WHOLE: Final = BeforeValidator(_whole)
"""Makes an `int` field accept the number 1.0; stands behind the bounds of the field."""

Natural = Annotated[int, Field(ge=0), WHOLE]
"""A whole number of at least 0."""

Ordinal = Annotated[int, Field(ge=1), WHOLE]
"""A whole number of at least 1."""


_TIMESTAMP_PROBLEM: Final = "not a timestamp; write one such as 2026-01-14T13:45:00Z"


def parse_timestamp(text: str) -> datetime:
    """Read one of our timestamps; without a zone it is UTC.

    Raises:
        ValueError: not of the form `2026-01-14T13:45:00`, optionally with a fraction and a zone.
    """
    if not re.search(TIMESTAMP_PATTERN, text):
        raise ValueError(_TIMESTAMP_PROBLEM)
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def timestamp_text(moment: datetime) -> str:
    """Write a moment the way our documents do: UTC, to the second or finer, with a `Z`."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def is_ticker(text: str) -> bool:
    """True for the form of a US equity symbol."""
    return re.search(TICKER_PATTERN, text) is not None


def _moment(value: object) -> datetime:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("a datetime without a zone; give it one, such as UTC")
        return value.astimezone(UTC)
    if not isinstance(value, str):
        raise ValueError(_TIMESTAMP_PROBLEM)
    return parse_timestamp(value)


Timestamp = Annotated[
    datetime,
    BeforeValidator(_moment),
    PlainSerializer(timestamp_text, return_type=str),
    WithJsonSchema({"type": "string", "pattern": TIMESTAMP_PATTERN}),
]
"""An instant; text without a zone is UTC."""


def _form(pattern: str, remedy: str) -> BeforeValidator:
    """A text of one form; checked by `re`, as jsonschema does, not by pydantic's other engine."""

    def parse(value: object) -> str:
        if not isinstance(value, str):
            raise ValueError(f"not a text; {remedy}")
        if not re.search(pattern, value):
            raise ValueError(f"{_stranger(value)}; {remedy}")
        return value

    return BeforeValidator(parse)


def _stranger(text: str) -> str:
    """Name the first character beyond ASCII: a look-alike cannot be told by looking."""
    for character in text:
        if not character.isascii():
            return f"the text holds U+{ord(character):04X}, which is no character of such a text"
    return "the text is not of this form"


def _form_schema(pattern: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern})


Ticker = Annotated[
    str,
    _form(TICKER_PATTERN, "write one to five Latin capitals, such as MU or BRK.B"),
    _form_schema(TICKER_PATTERN),
]
"""A US equity symbol in capitals: `MU`, `BRK.B`."""
Name = Annotated[
    str,
    _form(NAME_PATTERN, "write up to 40 lower-case letters, digits and `_`, a letter first"),
    _form_schema(NAME_PATTERN),
]
"""A name that we look up: lower case, digits and underscores, at most 40 characters."""
Digest = Annotated[
    str,
    _form(DIGEST_PATTERN, "write 64 lower-case hexadecimal digits"),
    _form_schema(DIGEST_PATTERN),
]
"""A SHA-256 in 64 lower-case hexadecimal digits."""
Commit = Annotated[
    str,
    _form(COMMIT_PATTERN, "write the commit in full, in 40 or 64 lower-case hexadecimal digits"),
    _form_schema(COMMIT_PATTERN),
]
"""A git commit, in full."""
ClientOrderId = Annotated[
    str,
    _form(CLIENT_ORDER_ID_PATTERN, "write at most 128 letters, digits and `_.:-`"),
    _form_schema(CLIENT_ORDER_ID_PATTERN),
]
"""An order's id as we (or another client) chose it."""
RepositoryPath = Annotated[
    str,
    _form(PATH_PATTERN, "write a path inside the repository, with forward slashes"),
    _form_schema(PATH_PATTERN),
]
"""A path inside the repository, with forward slashes; it cannot climb out."""
ZoneName = Annotated[
    str,
    _form(ZONE_PATTERN, "write a time zone such as Europe/Berlin"),
    _form_schema(ZONE_PATTERN),
]
"""A time zone by its IANA name."""
Word = Annotated[str, Field(min_length=1, max_length=200)]
"""A short text: a label, a name."""
Sentence = Annotated[str, Field(min_length=1, max_length=2_000)]
"""A reason, as a person would give it."""
Prose = Annotated[str, Field(max_length=50_000)]
"""Reasoning of any length that a person would still read."""


class Document(BaseModel):
    """Base of every model: frozen, unknown keys refused, nothing coerced."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        hide_input_in_errors=True,
        # A model is compiled when it is first used: a command pays for the few that it needs.
        defer_build=True,
    )


class Sparse(Document):
    """A document that people and agents write: a key is there with a value or it is absent.

    `null` is refused, so that absence has one spelling and the digest one meaning. In Python an
    absent key reads as None all the same.
    """

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: type[BaseModel], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Take the `null` out of each optional field; its JSON Schema follows."""
        schema: CoreSchema = handler(source)
        model: Any = schema
        for field in model["schema"]["fields"].values():
            inner = field["schema"]
            if inner["type"] == "default" and inner["schema"]["type"] == "nullable":
                inner["schema"] = inner["schema"]["schema"]
        return schema


SchemaVersion = Annotated[Literal[1], WHOLE, WithJsonSchema({"type": "integer", "const": 1})]
"""The version of the document's form; absent means 1."""
