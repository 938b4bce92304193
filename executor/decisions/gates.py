"""Both gates over one tree: jsonschema and pydantic, which must come to the same verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final, TypeVar

from jsonschema import Draft202012Validator
from jsonschema.validators import extend
from pydantic import BaseModel, ValidationError

from executor.decisions.document import Problem, problems_of

Model = TypeVar("Model", bound=BaseModel)


def judge_tree(
    tree: Mapping[str, Any], schema: Mapping[str, Any], model: type[Model]
) -> tuple[Model | None, tuple[Problem, ...]]:
    """Judge a tree that the reader made by its schema and by its model.

    Args:
        tree: What `read_document` gave; other trees may hold numbers that no document can hold.
        schema: The document's schema, as `load_schema` or `document_schema` give it.
        model: The document's model.

    Returns:
        The model and no problems, or None and every problem (of very many the first hundred).
    """
    passes_schema = _GATE(schema).is_valid(tree)
    document: Model | None = None
    problems: tuple[Problem, ...] = ()
    try:
        document = model.model_validate(tree)
    except ValidationError as error:
        problems = problems_of(error, model)
    assert passes_schema == (document is not None), _disagreement(passes_schema, problems, model)
    return document, problems


def _disagreement(passes_schema: bool, problems: tuple[Problem, ...], model: type[Model]) -> str:
    if passes_schema:
        return (
            f"the gates disagree about a {model.__name__}: the schema accepts it, the model does"
            f" not: {problems[0].sentence()}"
        )
    return (
        f"the gates disagree about a {model.__name__}: the model accepts it, the schema does not;"
        " `autoinvestor schema --check` says whether the schema files are current"
    )


def _is_integer(_checker: object, value: object) -> bool:
    """A number without a fraction is an integer, as JSON Schema has it: 1.0 is one."""
    if isinstance(value, Decimal):
        return value == value.to_integral_value()
    return isinstance(value, int) and not isinstance(value, bool)


def _properties(
    validator: Any, properties: Mapping[str, Any], instance: object, _schema: object
) -> Iterator[Any]:
    if isinstance(instance, dict):
        for name, schema in properties.items():
            if name in instance:
                yield from _inner(validator, instance[name], schema)


def _items(validator: Any, items: Any, instance: object, _schema: object) -> Iterator[Any]:
    if isinstance(instance, list):
        for one in instance:
            yield from _inner(validator, one, items)


def _inner(validator: Any, instance: object, schema: Mapping[str, Any]) -> Iterator[Any]:
    """Ask each keyword of an inner schema.

    For every single value jsonschema makes a new validator first, as a reference inside might lead
    to another document. Our schemas hold none, and without it a plan is judged in half the time.
    """
    for keyword, rule in schema.items():
        check = validator.VALIDATORS.get(keyword)
        if check is not None:
            yield from check(validator, rule, instance, schema) or ()


_GATE: Final = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    validators={"properties": _properties, "items": _items},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer),
)
"""Draft 2020-12 as jsonschema has it, but that it knows a Decimal for an integer and walks straight
into objects and lists."""
