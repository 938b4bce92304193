"""Where in a JSON text a thing stands, for errors that name line and column.

Runs on failing documents only, and only up to what the JSON reader refused, so that whatever it
walks is well-formed; a document that is fine is never walked twice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

_TOKEN: Final = re.compile(
    r'(?P<space>[ \t\r\n]+)|(?P<string>"(?:[^"\\]|\\.)*")'
    r"|(?P<number>-?[0-9][0-9]*(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<constant>-?Infinity|NaN)|(?P<word>true|false|null)|(?P<mark>[{}\[\],:])",
    re.DOTALL,
)


Kind = Literal["string", "duplicate", "number", "constant", "word", "open"]

_KINDS: Final[dict[str, Kind]] = {
    "string": "string",
    "number": "number",
    "constant": "constant",
    "word": "word",
}


@dataclass(frozen=True, slots=True)
class Token:
    """One thing of the text."""

    kind: Kind
    """`duplicate`: a key that its object already has. `open`: a brace or bracket."""
    text: str
    start: int
    """Offset in the text, from 0."""
    depth: int
    """Braces and brackets around it, its own included where it opens one."""
    value: str = ""
    """A string or key without its quotes and escapes."""


def tokens(text: str) -> Iterator[Token]:
    """Walk a JSON text and name each value and key; stops where it is no longer JSON."""
    offset = 0
    objects: list[set[str] | None] = []
    """For each open brace the keys so far; None for a bracket."""
    expects_key = False
    while offset < len(text):
        found = _TOKEN.match(text, offset)
        if found is None:
            return
        start, offset = offset, found.end()
        piece = found.group()
        if found.lastgroup == "space":
            continue
        if found.lastgroup == "mark":
            if piece in "{[":
                objects.append(set() if piece == "{" else None)
                yield Token("open", piece, start, len(objects))
            elif piece in "}]" and objects:
                objects.pop()
            expects_key = bool(objects) and objects[-1] is not None and piece in "{,"
            continue
        keys = objects[-1] if objects else None
        kind = _KINDS[found.lastgroup or ""]
        value = json.loads(piece) if kind == "string" else ""
        if expects_key and keys is not None:
            kind = "duplicate" if value in keys else kind
            keys.add(value)
        yield Token(kind, piece, start, len(objects), value)
        expects_key = False


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Turn an offset into a line and a column, both from 1."""
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1
