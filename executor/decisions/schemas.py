"""The JSON Schemas of all documents, generated from the models: the first of the two gates."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from executor.model.checkpoint import Checkpoint
from executor.model.fields import Document, Sparse
from executor.model.plan import TradingInstructionSet
from executor.model.result import ExecutionResult
from executor.model.review import Alert, Proposal, StrategyReview
from executor.model.settings import Settings
from executor.model.state import TradingStateRecord

Schema = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

MODELS: Final[Mapping[str, type[BaseModel]]] = {
    "trading_instructions": TradingInstructionSet,
    "execution_result": ExecutionResult,
    "strategy_review": StrategyReview,
    "alert": Alert,
    "proposal": Proposal,
    "settings": Settings,
    "account": Checkpoint,
    "trading_state": TradingStateRecord,
}
"""Every document by the name of its schema, `schemas/<name>.schema.json`."""

_BASES: Final = frozenset({BaseModel, Document, Sparse})
"""Classes above our models: they have no fields."""

_MAPS: Final = ("properties", "patternProperties")
"""Keywords whose value is a map of schemas."""


def document_schema(name: str) -> Schema:
    """Generate the schema of a document; the same models give the same text, key for key."""
    return {"$schema": DIALECT, "title": name} | schema_of(MODELS[name])


@cache
def schema_of(model: type[BaseModel]) -> Schema:
    """Generate a model's schema without references: a validator follows each of them slowly."""
    generated = model.model_json_schema(schema_generator=_Generator)
    return _inlined(generated, generated.get("$defs", {}))


class _Generator(GenerateJsonSchema):
    """Pydantic's own generator, with the docstrings under the fields as descriptions."""

    def model_schema(self, schema: core_schema.ModelSchema) -> Schema:
        found = super().model_schema(schema)
        for model in reversed(schema["cls"].__mro__[:-1]):
            if model not in _BASES:
                for name, text in _field_docs(model).items():
                    found["properties"][name]["description"] = text
        return found

    def encode_default(self, dft: Any) -> Any:
        # Pydantic spells a Decimal as text; the settings and documents spell a number as a number.
        if isinstance(dft, Decimal):
            return int(dft) if dft == dft.to_integral_value() else float(dft)
        return super().encode_default(dft)


def _field_docs(model: type[BaseModel]) -> dict[str, str]:
    """Read the docstring under each field of one class.

    Pydantic could do it while it makes the class, but then every start of the program pays for it.
    """
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    assert isinstance(definition, ast.ClassDef), f"{model.__name__} is no class"
    docs = {}
    for field, text in zip(definition.body, definition.body[1:], strict=False):
        match field, text:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(doc))),
            ):
                docs[name] = " ".join(inspect.cleandoc(doc).split())
    return docs


def _inlined(node: Schema, definitions: Mapping[str, Schema]) -> Schema:
    """Put each definition where it is used, and leave out what says nothing."""
    reference = node.get("$ref")
    if reference is not None:
        rest = {key: value for key, value in node.items() if key != "$ref"}
        node = definitions[reference.rsplit("/", 1)[1]] | rest
    result: Schema = {}
    for key, value in node.items():
        if key in ("$defs", "title") or (key == "default" and _says_nothing(value)):
            continue
        if key in _MAPS:
            result[key] = {name: _inlined(one, definitions) for name, one in value.items()}
        elif key == "anyOf":
            result[key] = [_inlined(one, definitions) for one in value]
        elif isinstance(value, dict):
            result[key] = _inlined(value, definitions)
        else:
            result[key] = value
    if "patternProperties" in result:
        # Pydantic refuses a key of another form; its schema forgets to say so.
        result["additionalProperties"] = False
    return result


def _says_nothing(default: object) -> bool:
    """A default of null means absent; one of a nested table repeats that table's own defaults."""
    return default is None or isinstance(default, dict)
