"""Reads the broker's JSON: tolerant of what does not matter, silent about nothing that does.

Numbers are exact decimals whether they come as texts or as JSON numbers. Whatever cannot be read
ends in `Unreadable`, never in another exception: the order behind the answer exists all the same.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from executor.model.numbers import DECIMALS_MAX, ZERO, decimals, nanos

SIZE_LIMIT: Final = 64 * 1024 * 1024
"""Bytes of an answer, at most; the list of all assets is about a fifth of it."""

TEXT_LIMIT: Final = 200
"""Characters of an id or a word, at most: what our documents hold."""

_YEARS: Final = range(1970, 3000)

_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,400})?([eE][+-]?[0-9]{1,3})?")


class Unreadable(Exception):
    """An answer, or a part of it that matters, is not what it has to be. One plain sentence."""


def read_json(data: bytes) -> object:
    """Parse an answer; numbers become int or Decimal.

    Raises:
        Unreadable: Not JSON, or far too much of it.
    """
    if len(data) > SIZE_LIMIT:
        raise Unreadable(f"the answer has {len(data):,} bytes")
    try:
        tree: object = json.loads(data, parse_float=Decimal, parse_constant=_no_constant)
    # ArithmeticError: an exponent beyond what Decimal holds. RecursionError: nested too deep.
    except (ValueError, ArithmeticError, RecursionError):
        raise Unreadable("the answer is not JSON") from None
    return tree


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


def shown(data: bytes, limit: int) -> str:
    """Show a body as printable ASCII, everything else as escapes, cut at `limit` characters.

    Our own documents refuse invisible characters, and a body that was kept must not spoil the
    result that keeps it.
    """
    return _escaped(data[: 4 * limit].decode("utf-8", "backslashreplace"))[:limit]


def _escaped(text: str) -> str:
    ascii_text = text.encode("ascii", "backslashreplace").decode("ascii")
    visible = (
        one if one.isprintable() or one in "\n\t" else f"\\x{ord(one):02x}" for one in ascii_text
    )
    return "".join(visible)


def as_number(value: object) -> Decimal | None:
    """Read a text or a JSON number, rounded to nine decimals; None where it is neither.

    Averages come with more digits than any document of ours holds.
    """
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value):
            return None
        number = Decimal(value)
    elif isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        number = Decimal(value)
    else:
        return None
    if not number.is_finite() or number.adjusted() >= 12:
        return None
    return rounded(number)


def rounded(number: Decimal) -> Decimal:
    """Round a number below 1e12 to nine decimals, where it has more."""
    # Far below the last decimal quantizing could leave Decimal's range; it is 0 to us.
    if number.adjusted() < -DECIMALS_MAX - 1:
        return ZERO
    return nanos(number) if decimals(number) > DECIMALS_MAX else number


def as_time(value: object) -> datetime | None:
    """Read an instant with a zone, nanoseconds cut to microseconds; None where it is none.

    Year 1 is how Alpaca's servers write a time that was never set; other years far away are no time
    to calculate with either.
    """
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None or moment.year not in _YEARS:
            return None
        return moment.astimezone(UTC)
    except ValueError:
        return None


def is_plain(value: object) -> bool:
    """Say whether a value is a text that may go into our documents as an id or a word."""
    return (
        isinstance(value, str)
        and 0 < len(value) <= TEXT_LIMIT
        and value.isascii()
        and value.isprintable()
    )


class Row:
    """One JSON object of an answer. Every reader names its key where it cannot be read."""

    __slots__ = ("_fields", "_what")

    def __init__(self, value: object, what: str) -> None:
        """Take a value that has to be an object; `what` names it in sentences: `an order`.

        Raises:
            Unreadable: It is no object.
        """
        if not isinstance(value, dict):
            raise Unreadable(f"{what} is no JSON object")
        self._fields: dict[str, Any] = value
        self._what = what

    def raw(self, key: str) -> object:
        """Give a value as it came; None where it is null or absent."""
        return self._fields.get(key)

    def text(self, key: str) -> str:
        """Read an id or a word that has to be there."""
        value = self._fields.get(key)
        if not is_plain(value):
            raise self._unreadable(key)
        return str(value)

    def word(self, key: str, otherwise: str) -> str:
        """Read a word that only describes; odd characters are escaped, a missing one replaced."""
        value = self._fields.get(key)
        if not isinstance(value, str) or not value:
            return otherwise
        return value if is_plain(value) else _escaped(value[:TEXT_LIMIT])[:TEXT_LIMIT]

    def prose(self, key: str, limit: int) -> str:
        """Read a text that only describes, as `word` does, cut at `limit` characters."""
        value = self._fields.get(key)
        return _escaped(value[:limit])[:limit] if isinstance(value, str) else ""

    def number(self, key: str) -> Decimal:
        """Read a number that has to be there."""
        number = as_number(self._fields.get(key))
        if number is None:
            raise self._unreadable(key)
        return number

    def number_or_none(self, key: str) -> Decimal | None:
        """Read a number that may be null or absent."""
        return None if self._fields.get(key) is None else self.number(key)

    def flag(self, key: str) -> bool:
        """Read a boolean that has to be there: a gate that is missing is not open."""
        value = self._fields.get(key)
        if not isinstance(value, bool):
            raise self._unreadable(key)
        return value

    def time(self, key: str) -> datetime:
        """Read an instant that has to be there."""
        moment = as_time(self._fields.get(key))
        if moment is None:
            raise self._unreadable(key)
        return moment

    def time_or_none(self, key: str) -> datetime | None:
        """Read an instant that decides nothing; None where it cannot be read."""
        return as_time(self._fields.get(key))

    def _unreadable(self, key: str) -> Unreadable:
        state = "is missing" if self._fields.get(key) is None else "cannot be read"
        return Unreadable(f"`{key}` of {self._what} {state}")


def rows_of(tree: object, what: str) -> list[object]:
    """Take an answer that has to be a list; `what` names its parts."""
    if not isinstance(tree, list):
        raise Unreadable(f"the answer is no list of {what}")
    return tree
