"""The gate walks into objects and lists by itself: to the same verdicts as plain jsonschema."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.validators import extend

from executor.decisions.gates import _GATE
from executor.decisions.schemas import MODELS, document_schema
from executor.model.reading import Tree
from tests.examples.corpus import valid_trees

PLAIN = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, type_checker=_GATE.TYPE_CHECKER
)
"""Everything as jsonschema has it, the one difference being the Decimal that is an integer."""

WRONG: tuple[Any, ...] = (None, True, "", {"x": 1})
"""What is put into each place of a valid document in turn."""

MUTANTS = 100
"""Of one document, spread over it."""


def subschemas(schema: Any) -> Iterator[Any]:
    yield schema
    if not isinstance(schema, dict):
        return
    for keyword in ("properties", "patternProperties"):
        for one in schema.get(keyword, {}).values():
            yield from subschemas(one)
    for one in [schema.get("items", {}), *schema.get("anyOf", ())]:
        if one:
            yield from subschemas(one)


@pytest.mark.parametrize("name", MODELS)
def test_the_schemas_hold_nothing_that_the_short_way_would_miss(name: str) -> None:
    for one in subschemas(document_schema(name)):
        assert isinstance(one, dict), "a schema that is only true or false"
        assert not {"$ref", "$dynamicRef", "$id", "$anchor", "prefixItems", "if"} & set(one)


def mutants(tree: Tree) -> Iterator[Tree]:
    """The document with each of its values wrong in turn, or gone."""
    for path in places(tree):
        for wrong in WRONG:
            mutant, parent = parent_in_a_copy(tree, path)
            parent[path[-1]] = wrong
            yield mutant
        mutant, parent = parent_in_a_copy(tree, path)
        del parent[path[-1]]
        yield mutant


def parent_in_a_copy(tree: Tree, path: tuple[Any, ...]) -> tuple[Tree, Any]:
    mutant = copy.deepcopy(tree)
    parent: Any = mutant
    for step in path[:-1]:
        parent = parent[step]
    return mutant, parent


def places(node: Any) -> Iterator[tuple[Any, ...]]:
    steps: list[Any] = []
    if isinstance(node, dict):
        steps = list(node)
    elif isinstance(node, list):
        steps = list(range(len(node)))
    for step in steps:
        yield (step,)
        yield from ((step, *rest) for rest in places(node[step]))


@pytest.mark.parametrize("name", MODELS)
def test_both_ways_come_to_the_same_verdict(name: str) -> None:
    schema = document_schema(name)
    short, plain = _GATE(schema), PLAIN(schema)
    trees = sorted(valid_trees(name), key=lambda tree: len(str(tree)))
    for tree in trees:
        assert short.is_valid(tree)
        assert plain.is_valid(tree)
    some = list(mutants(trees[-1]))
    for mutant in some[:: 1 + len(some) // MUTANTS]:
        assert short.is_valid(mutant) == plain.is_valid(mutant), mutant
