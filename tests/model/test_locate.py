from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from executor.model.locate import Token, line_and_column, tokens


def kinds(text: str) -> list[tuple[str, str]]:
    return [(token.kind, token.text) for token in tokens(text)]


def test_every_value_and_key_is_named() -> None:
    assert kinds('{"a": [1, -2.5e3, NaN, -Infinity, true, null], "b": "x"}') == [
        ("open", "{"),
        ("string", '"a"'),
        ("open", "["),
        ("number", "1"),
        ("number", "-2.5e3"),
        ("constant", "NaN"),
        ("constant", "-Infinity"),
        ("word", "true"),
        ("word", "null"),
        ("string", '"b"'),
        ("string", '"x"'),
    ]


def test_a_key_is_a_duplicate_in_its_own_object_only() -> None:
    text = '{"a": {"a": "a"}, "b": ["a", "a", {"a": 1}], "\\u0061": 2, "b": 3}'
    assert [token.text for token in tokens(text) if token.kind == "duplicate"] == [
        '"\\u0061"',
        '"b"',
    ]


def test_texts_are_given_without_their_escapes() -> None:
    assert [one.value for one in tokens('["a\\"\\u0062\\n", 1]')] == ["", 'a"b\n', ""]


def test_depth_counts_what_is_around() -> None:
    assert [(one.text, one.depth) for one in tokens('[1, {"a": [2]}]')] == [
        ("[", 1),
        ("1", 1),
        ("{", 2),
        ('"a"', 2),
        ("[", 3),
        ("2", 3),
    ]


@pytest.mark.parametrize("text", ["[1, ?", "[1, 'a']", '[1, "unended', "[1 \0"])
def test_the_walk_ends_where_the_text_is_no_json(text: str) -> None:
    assert kinds(text) == [("open", "["), ("number", "1")]


def test_a_bracket_too_many_changes_nothing() -> None:
    assert kinds("]}, 1") == [("number", "1")]


@pytest.mark.parametrize(
    ("offset", "place"),
    [(0, (1, 1)), (1, (1, 2)), (2, (1, 3)), (3, (2, 1)), (4, (3, 1)), (5, (3, 2))],
)
def test_lines_and_columns_count_from_one(offset: int, place: tuple[int, int]) -> None:
    assert line_and_column("ab\n\nc", offset) == place


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(max_examples=50)
@given(TREES, st.booleans(), st.sampled_from([None, 2]))
def test_every_leaf_of_what_json_writes_is_walked_once(
    tree: object, ascii_only: bool, indent: int | None
) -> None:
    text = json.dumps(tree, ensure_ascii=ascii_only, indent=indent)
    found: list[Token] = list(tokens(text))
    assert all(text.startswith(one.text, one.start) for one in found)
    assert not [one for one in found if one.kind == "duplicate"]
    assert sum(one.kind != "open" for one in found) == leaves(tree)


def leaves(tree: object) -> int:
    if isinstance(tree, dict):
        return sum(1 + leaves(value) for value in tree.values())
    if isinstance(tree, list):
        return sum(map(leaves, tree))
    return 1
