from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from executor.decisions.schemas import MODELS, document_schema
from executor.repo.schema_files import load_schema, schema_folder

DOCUMENTS = sorted(MODELS)


def nodes(schema: Any) -> list[dict[str, Any]]:
    """Every schema inside a schema, itself first."""
    found = [schema]
    for key, value in schema.items():
        if key in ("properties", "patternProperties"):
            found += [inner for one in value.values() for inner in nodes(one)]
        elif key == "anyOf":
            found += [inner for one in value for inner in nodes(one)]
        elif isinstance(value, dict):
            found += nodes(value)
    return found


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_files_are_what_the_models_say(document: str) -> None:
    assert load_schema(document) == document_schema(document), "run `autoinvestor schema`"


def test_there_is_no_file_without_a_document() -> None:
    names = {path.name.removesuffix(".schema.json") for path in schema_folder().glob("*.json")}
    assert names == set(DOCUMENTS)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_each_is_a_schema_of_its_dialect(document: str) -> None:
    schema = document_schema(document)
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"] == document
    assert schema["description"]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_generating_twice_gives_the_same_text(document: str) -> None:
    assert json.dumps(document_schema(document)) == json.dumps(document_schema(document))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_nothing_is_referred_to_and_nothing_says_nothing(document: str) -> None:
    first, *rest = nodes(document_schema(document))
    assert not {"$ref", "$defs"} & set(first)
    for node in rest:
        assert not {"$ref", "$defs", "title"} & set(node)
        assert node.get("default", ...) is not None
        assert not isinstance(node.get("default"), (dict, str)) or node["type"] == "string"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_key_is_described_and_every_object_is_closed_or_free_on_purpose(
    document: str,
) -> None:
    for node in nodes(document_schema(document)):
        for key, one in node.get("properties", {}).items():
            assert one.get("description"), f"{key} has no description"
        if "properties" in node or "patternProperties" in node:
            assert node["additionalProperties"] is False


def test_a_key_that_may_be_left_out_may_not_be_null_in_what_people_write() -> None:
    for document in ("trading_instructions", "settings"):
        properties = document_schema(document)["properties"]
        for name, one in properties.items():
            if (document, name) == ("trading_instructions", "intent"):
                continue  # the executor writes it, and its keys are all there
            assert {"type": "null"} not in [inner for node in nodes(one) for inner in nodes(node)]


def test_numbers_are_numbers_or_texts_of_one_grammar() -> None:
    line = document_schema("trading_instructions")["properties"]["instructions"]["items"]
    assert line["properties"]["limit_price"] == {
        "description": "USD a share: the worst price of a limit order.",
        "exclusiveMaximum": 10**12,
        "exclusiveMinimum": 0,
        "pattern": r"^(?![0.]+$(?!\n))(0|[1-9][0-9]{0,11})(\.[0-9]{1,9})?$(?!\n)",
        "type": ["number", "string"],
    }


def test_defaults_of_numbers_are_numbers() -> None:
    execution = document_schema("settings")["properties"]["execution"]["properties"]
    assert execution["fill_deadline_seconds"]["default"] == 60
    assert execution["poll_interval_seconds"]["default"] == 0.5


def test_a_plan_has_at_most_so_many_lines() -> None:
    assert (
        document_schema("trading_instructions")["properties"]["instructions"]["maxItems"] == 20_000
    )
