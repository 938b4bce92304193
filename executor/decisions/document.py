"""What is wrong with a tree, in sentences: pydantic's findings with pointer and remedy."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from executor.model.verdict import Answer, Verdict

PROBLEMS_MAX: Final = 100
"""Problems of one document that are told; the rest is counted."""

SHOWN_MAX: Final = 40
"""Characters of a wrong value that are repeated."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a document."""

    where: tuple[str | int, ...]
    """Keys and indexes from the top."""
    observed: str
    remedy: str

    @property
    def pointer(self) -> str:
        """JSON pointer to the place."""
        return "".join(f"/{str(one).replace('~', '~0').replace('/', '~1')}" for one in self.where)

    def sentence(self) -> str:
        """`instructions[2].quantity: not a number; write one, such as 84.48`."""
        place = ""
        for one in self.where:
            place += f"[{one}]" if isinstance(one, int) else f".{one}" if place else str(one)
        return (
            f"{place}: {self.observed}; {self.remedy}"
            if place
            else f"{self.observed}; {self.remedy}"
        )

    def under(self, key: str) -> Problem:
        """The same problem in a document that holds this one under a key."""
        return replace(self, where=(key, *self.where))

    def verdict(self) -> Verdict:
        """The problem as an answer of the `document` check."""
        return Verdict(
            check="document",
            answer=Answer.NO,
            pointer=self.pointer[:2_000] or None,
            observed=self.observed[:2_000],
            remedy=self.remedy[:2_000],
        )


def problems_of(error: ValidationError, model: type[BaseModel]) -> tuple[Problem, ...]:
    """Say each of pydantic's findings in the house form; of very many the first hundred."""
    found = error.errors(include_url=False)
    problems = [_problem(one, model) for one in found[:PROBLEMS_MAX]]
    if len(found) > PROBLEMS_MAX:
        problems.append(
            Problem((), f"{len(found) - PROBLEMS_MAX:,} more problems", "correct these first")
        )
    return tuple(problems)


def _problem(one: Any, model: type[BaseModel]) -> Problem:
    where, kind = tuple(one["loc"]), one["type"]
    value, context = one["input"], one.get("ctx", {})
    if kind == "extra_forbidden":
        return Problem(where, "unknown key", _spelling(where, model))
    if where and where[-1] == "[key]":
        # Pydantic's own mark for the key of a free table.
        where = where[:-1]
    if kind == "missing":
        return Problem(where, "missing", "add it")
    if value is None:
        return Problem(where, "null", "write a value, or leave the key out where it is optional")
    if kind == "value_error":
        observed, _, remedy = str(context["error"]).partition("; ")
        return Problem(where, f"{_shown(value)}{observed}", remedy)
    if kind in _WORDS:
        observed, remedy = _WORDS[kind](value, context)
        return Problem(where, f"{_shown(value)}{observed}", remedy)
    message = str(one["msg"])
    return Problem(where, f"{_shown(value)}{message[:1].lower() + message[1:]}", "correct it")


_Words = Callable[[Any, Any], tuple[str, str]]

_WORDS: Final[dict[str, _Words]] = {
    "literal_error": lambda _, known: (
        "not one of the words that are allowed here",
        f"write {known['expected']}",
    ),
    "enum": lambda _, known: (
        "not one of the words that are allowed here",
        f"write {known['expected']}",
    ),
    "string_type": lambda *_: ("not a text", "write it in quotes"),
    "bool_type": lambda *_: ("neither true nor false", "write the one or the other, bare"),
    "int_type": lambda *_: ("not a whole number", "write one without a fraction, bare"),
    "dict_type": lambda *_: ("not an object", "put it in braces"),
    "model_type": lambda *_: ("not an object", "put it in braces"),
    "tuple_type": lambda *_: ("not a list", "put it in brackets"),
    "string_too_short": lambda *_: ("an empty text", "write at least one character"),
    "string_too_long": lambda text, limit: (
        f"{len(text):,} characters, at most {limit['max_length']:,}",
        "shorten it",
    ),
    "greater_than_equal": lambda _, limit: (
        f"under {limit['ge']}",
        f"write at least {limit['ge']}",
    ),
    "less_than_equal": lambda _, limit: (f"over {limit['le']}", f"write at most {limit['le']}"),
}
"""What is said about each kind of pydantic's findings: observed and remedy."""


def _shown(value: object) -> str:
    """Repeat a short wrong value, so that a person finds it."""
    if isinstance(value, bool):
        return f"{str(value).lower()}: "
    if isinstance(value, str):
        shown = json.dumps(value, ensure_ascii=False)
        return f"{shown}: " if 2 < len(shown) <= SHOWN_MAX else ""
    return "" if isinstance(value, (dict, list)) else f"{value}: "


def _spelling(where: Sequence[str | int], model: type[BaseModel]) -> str:
    known = _keys_at(where[:-1], model)
    close = difflib.get_close_matches(str(where[-1]), known, n=1)
    if close:
        return f"did you mean `{close[0]}`? otherwise take it out"
    return f"take it out; known keys here: {', '.join(known)}"


def _keys_at(where: Sequence[str | int], model: type[BaseModel]) -> list[str]:
    """Known keys at the place of an unknown one; pydantic names no other place."""
    # Loaded on the failing path only: the generator is half as big as the rest of the gate.
    from executor.decisions.schemas import schema_of

    node = _entered(schema_of(model))
    for step in where:
        if isinstance(step, int):
            node = node["items"]
        elif step in node.get("properties", {}):
            node = node["properties"][step]
        else:
            (node,) = node["patternProperties"].values()
        node = _entered(node)
    return sorted(node["properties"])


def _entered(node: Any) -> Any:
    """Step past the `null` that stands beside the object."""
    return next((one for one in node.get("anyOf", ()) if one != {"type": "null"}), node)
