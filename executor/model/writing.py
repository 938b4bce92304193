"""How documents are written: readable JSON, numbers as plain decimals, instants in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import simplejson
from pydantic import BaseModel

from executor.model.fields import timestamp_text
from executor.model.numbers import plain
from executor.model.reading import INVISIBLE


def write_document(tree: object) -> bytes:
    """Write a tree or a model as a document, with a final newline.

    What is read back from it has the same digest.
    """
    text = simplejson.dumps(
        to_tree(tree), use_decimal=False, default=_spell, indent=2, ensure_ascii=False
    )
    return (text + "\n").encode()


def to_tree(value: object) -> Any:
    """Turn a model into the tree that its document holds; what is not known is left out."""
    if isinstance(value, BaseModel):
        return _visible(value.model_dump(exclude_none=True))
    return value


def _visible(value: object) -> object:
    """Spell out what our own reader refuses: texts of brokers and settings end up in results."""
    match value:
        case str():
            return INVISIBLE.sub(lambda found: f"\\u{ord(found.group()):04x}", value)
        case dict():
            return {key: _visible(one) for key, one in value.items()}
        case list() | tuple():
            return [_visible(one) for one in value]
        case _:
            return value


def _spell(value: object) -> object:
    if isinstance(value, Decimal):
        return simplejson.RawJSON(plain(value))
    if isinstance(value, datetime):
        return timestamp_text(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise AssertionError(f"a document holds no {type(value).__name__}")
