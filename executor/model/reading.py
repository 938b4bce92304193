"""The strict reader: bytes of a document to the tree that both gates judge.

Refuses what JSON readers usually let pass: duplicate keys, NaN and infinities, numbers that no
order could carry, control, invisible and bidirectional characters, lone surrogates, extreme nesting
and size. Every refusal names line and column.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from executor.errors import DocumentError
from executor.model.numbers import ZERO, is_bounded

if TYPE_CHECKING:
    from executor.model.locate import Token

SIZE_LIMIT: Final = 4 * 1024 * 1024
"""Bytes of a document, at most."""

DEPTH_LIMIT: Final = 32
"""Levels of nesting, at most."""

VALUES_LIMIT: Final = 250_000
"""Values of a document, at most: each may be wrong in several ways, and all of them are told."""

RECORD_GROWTH: Final = 16
"""How many times larger a document of the record may be than a proposal."""

Tree = dict[str, Any]

INVISIBLE: Final = re.compile(
    # C0 and C1 controls but tab and newline
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"
    # soft hyphen, combining grapheme joiner, Arabic letter mark, Hangul and Khmer fillers
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    # zero-width, line and paragraph separators, bidirectional embeddings, invisible operators
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164"
    # variation selectors, byte order mark, half-width filler, interlinear and object marks
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff"
    # lone surrogates, language tags and private variation selectors
    "\ud800-\udfff\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Characters that a reader of the pull request cannot see or that reorder what he sees.

Source: Boucher and Anderson, Trojan Source (CVE-2021-42574); Unicode's default-ignorables.
"""


class _Refused(ValueError):
    """A hook refused something; where it stands is worked out afterwards."""


def read_document(data: bytes, *, of_record: bool = False) -> Tree:
    """Read a JSON object; numbers become int or Decimal, never float.

    Args:
        data: the file.
        of_record: True for what the executor itself wrote: a plan with its intent and a result grow
            beyond what a proposal may be, and must stay readable whatever was proposed.

    Raises:
        DocumentError: with line and column; nothing of the document is then to be used.
    """
    growth = RECORD_GROWTH if of_record else 1
    text = _decode(data, SIZE_LIMIT * growth)
    try:
        tree = json.loads(
            text,
            object_pairs_hook=_object,
            parse_float=_decimal,
            parse_int=_integer,
            parse_constant=_constant,
        )
    except _Refused as problem:
        raise _placed(text, str(problem)) from None
    except json.JSONDecodeError as error:
        raise _syntax_error(text, error) from None
    except RecursionError:
        raise _placed(text, _too_deep()) from None
    if not isinstance(tree, dict):
        raise DocumentError("the document is not a JSON object; put it in braces", line=1, column=1)
    _refuse_excess(tree, text, VALUES_LIMIT * growth)
    # One search over the whole text is cheap. It also finds the line ends of Windows, and misses
    # what an escape hides, so only the strings of the tree tell.
    if ("\\" in text or INVISIBLE.search(text)) and any(map(INVISIBLE.search, _strings(tree))):
        raise _invisible(text)
    return tree


def _decode(data: bytes, size_limit: int) -> str:
    if len(data) > size_limit:
        raise DocumentError(f"more than {size_limit:,} bytes; split the plan or shorten its texts")
    if not data.strip():
        raise DocumentError("the file is empty; write a JSON object", line=1, column=1)
    if data.startswith(b"\xef\xbb\xbf"):
        raise DocumentError(
            "starts with a byte order mark; save as UTF-8 without one", line=1, column=1
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        from executor.model.locate import line_and_column

        before = data[: error.start].decode("utf-8", "replace")
        line, column = line_and_column(before, len(before))
        raise DocumentError("not UTF-8; save the file as UTF-8", line=line, column=column) from None


def _object(pairs: list[tuple[str, Any]]) -> Tree:
    tree = dict(pairs)
    if len(tree) != len(pairs):
        times = Counter(key for key, _ in pairs)
        raise _Refused(_twice(next(key for key, count in times.items() if count > 1)))
    return tree


def _decimal(text: str) -> Decimal:
    # A long text is refused before Decimal is asked: 30 digits are beyond any number of ours.
    if len(text) > 40:
        raise _Refused(_number_problem(text))
    try:
        number = Decimal(text)
    except ArithmeticError:  # an exponent beyond what Decimal can hold
        raise _Refused(_number_problem(text)) from None
    if not is_bounded(number):
        raise _Refused(_number_problem(text))
    # 0e9999 is a zero like any other, and would be written with as many digits.
    return number if number else ZERO


def _integer(text: str) -> int:
    if len(text) > 13 or not is_bounded(int(text)):
        raise _Refused(_number_problem(text))
    return int(text)


def _constant(text: str) -> None:
    raise _Refused(f"{text} is no number; leave the key out where there is no value")


def _number_problem(text: str) -> str:
    shown = text if len(text) <= 24 else f"{text[:21]}..."
    return (
        f"the number {shown} is out of bounds;"
        " write one below 1e12 in magnitude, with at most 9 decimals"
    )


def _twice(key: str) -> str:
    shown = key if len(key) <= 60 else f"{key[:57]}..."
    return f"the key {json.dumps(shown)} stands twice; keep one of the two"


def _too_deep() -> str:
    return f"nested deeper than {DEPTH_LIMIT} levels; flatten it"


def _refuse_excess(tree: Tree, text: str, values_limit: int) -> None:
    """Refuse what is nested too deep or holds too much, level by level."""
    level: list[Tree | list[Any]] = [tree]
    count = 0
    for _ in range(DEPTH_LIMIT):
        inner: list[Tree | list[Any]] = []
        for one in level:
            count += len(one)
            values = one.values() if isinstance(one, dict) else one
            inner += [value for value in values if isinstance(value, (dict, list))]
        if count > values_limit:
            raise DocumentError(f"more than {values_limit:,} values; split the plan")
        if not inner:
            return
        level = inner
    raise _placed(text, _too_deep())


def _syntax_error(text: str, error: json.JSONDecodeError) -> DocumentError:
    if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string"):
        return DocumentError(
            "the document ends in the middle; write it in full",
            line=error.lineno,
            column=error.colno,
        )
    problem = error.msg[:1].lower() + error.msg[1:]
    return DocumentError(
        f"not JSON: {problem}; correct the syntax", line=error.lineno, column=error.colno
    )


def _placed(text: str, problem: str) -> DocumentError:
    """Find where a refused thing stands. Runs on the failing path only, so it may be slow."""
    from executor.model.locate import line_and_column, tokens

    refuses = _matcher(problem)
    place = next(token for token in tokens(text) if refuses(token))
    line, column = line_and_column(text, place.start)
    return DocumentError(problem, line=line, column=column)


def _matcher(problem: str) -> Callable[[Token], bool]:
    def refuses(token: Token) -> bool:
        try:
            if token.kind == "number":
                _number(token.text)
            elif token.kind == "constant":
                _constant(token.text)
        except _Refused as found:
            return str(found) == problem
        if token.kind == "duplicate":
            return problem == _twice(token.value)
        return token.depth > DEPTH_LIMIT and problem == _too_deep()

    return refuses


def _number(text: str) -> object:
    return _decimal(text) if any(mark in text for mark in ".eE") else _integer(text)


def _strings(tree: object) -> Iterator[str]:
    """Give every key and text of a tree; its depth is bounded by now."""
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, dict):
        for key, value in tree.items():
            yield key
            yield from _strings(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _strings(value)


def _invisible(text: str) -> DocumentError:
    """Find the character that `_strings` turned up; on the failing path only."""
    from executor.model.locate import line_and_column, tokens

    token, character = next(
        (token, found.group()) for token in tokens(text) if (found := INVISIBLE.search(token.value))
    )
    line, column = line_and_column(text, token.start)
    return DocumentError(
        f"the text holds the character U+{ord(character):04X}, which cannot be seen or changes what"
        " is seen; remove it",
        line=line,
        column=column,
    )
