"""The digest of a document: SHA-256 over one canonical spelling of what was written."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any, Final

from executor.model.numbers import plain

EXECUTOR_KEYS: Final = frozenset({"status", "intent"})
"""Keys of a plan that belong to the executor and are no part of what was approved."""


def plan_digest(tree: Mapping[str, Any]) -> str:
    """Digest of a plan as its author wrote it, in 64 hexadecimal digits.

    `status` and `intent` at the top are left out; everything else counts as written: a key that is
    absent stays absent, `"84.48"` and `84.48` differ, `84.480` and `84.48` do not.
    """
    return digest({key: value for key, value in tree.items() if key not in EXECUTOR_KEYS})


def digest(tree: object) -> str:
    """SHA-256 of the canonical form of a tree, in 64 hexadecimal digits."""
    return hashlib.sha256(canonical(tree).encode()).hexdigest()


def canonical(value: object) -> str:
    """Spell a tree in one way: keys by code point, no white space, plain decimal numbers."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | Decimal():
            return plain(value)
        case str():
            return encode_basestring(value)
        case Mapping():
            pairs = (f"{encode_basestring(key)}:{canonical(value[key])}" for key in sorted(value))
            return "{" + ",".join(pairs) + "}"
        case list() | tuple():
            return "[" + ",".join(map(canonical, value)) + "]"
        case _:
            raise AssertionError(f"a tree holds no {type(value).__name__}")


def raw_digest(data: bytes) -> str:
    """SHA-256 of bytes as they are, for what is no JSON document or cannot be read as one."""
    return hashlib.sha256(data).hexdigest()
