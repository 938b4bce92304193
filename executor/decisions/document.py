"""What is wrong with a tree, in sentences: pydantic's findings with pointer and remedy."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from executor.model.verdict import Answer, Verdict


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
    """Say each of pydantic's findings in the house form."""
    return tuple(_problem(one, model) for one in error.errors(include_url=False))


def _problem(one: Any, model: type[BaseModel]) -> Problem:
    where, kind, context = tuple(one["loc"]), one["type"], one.get("ctx", {})
    if kind == "extra_forbidden":
        return Problem(where, "unknown key", _spelling(where, model))
    if kind == "missing":
        return Problem(where, "missing", "add it")
    if kind in ("literal_error", "enum"):
        return Problem(
            where, "not one of the words that are allowed here", f"write {context['expected']}"
        )
    if kind == "value_error":
        return Problem(where, str(context["error"]), "correct it")
    message = str(one["msg"])
    return Problem(where, message[:1].lower() + message[1:], "correct it")


def _spelling(where: Sequence[str | int], model: type[BaseModel]) -> str:
    known = _keys_at(where[:-1], model.model_json_schema())
    close = difflib.get_close_matches(str(where[-1]), known, n=1)
    if close:
        return f"did you mean `{close[0]}`? otherwise take it out"
    return f"take it out; known keys here: {', '.join(known)}" if known else "take it out"


def _keys_at(where: Sequence[str | int], schema: Mapping[str, Any]) -> list[str]:
    """Known keys at a place of the model's schema; none where it cannot be followed."""
    node: Any = schema
    for step in (*where, None):
        while "$ref" in node:
            node = schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
        if step is None:
            break
        if isinstance(step, int):
            node = node.get("items", {})
        else:
            node = node.get("properties", {}).get(step) or node.get("additionalProperties") or {}
        if not isinstance(node, dict):
            return []
    return sorted(node.get("properties", {}))
