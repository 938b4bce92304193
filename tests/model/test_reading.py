from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from executor.errors import DocumentError, ExitCode
from executor.model.numbers import is_bounded
from executor.model.reading import (
    DEPTH_LIMIT,
    SIZE_LIMIT,
    VALUES_LIMIT,
    Tree,
    read_document,
)
from tests.examples.corpus import examples


def refusal(data: bytes | str) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        read_document(data if isinstance(data, bytes) else data.encode())
    return caught.value


def test_numbers_keep_their_text() -> None:
    tree = read_document(b'{"a": 84.480, "b": 3, "c": 8.448E+1, "d": -0.1, "e": "84.48", "f": -0}')
    assert tree == {
        "a": Decimal("84.480"),
        "b": 3,
        "c": Decimal("84.48"),
        "d": Decimal("-0.1"),
        "e": "84.48",
        "f": 0,
    }
    assert str(tree["a"]) == "84.480"
    assert type(tree["b"]) is int


def test_a_zero_of_any_spelling_is_small() -> None:
    tree = read_document(b'{"a": 0e9999, "b": 0.000000000000000, "c": -0.0E-99}')
    assert [str(value) for value in tree.values()] == ["0", "0", "0"]


def test_words_lists_and_objects() -> None:
    assert read_document(b'\n\t{"a": [true, false, null, {"b": []}], "c": ""}\r\n') == {
        "a": [True, False, None, {"b": []}],
        "c": "",
    }


def test_letters_of_the_world_pass_written_or_escaped() -> None:
    text = "Größe, 利益確定, 🚀, e\u0301, \u05d0, \u0627"
    for ascii_only in (True, False):
        data = json.dumps({"reason": text}, ensure_ascii=ascii_only).encode()
        assert read_document(data) == {"reason": text}
    assert read_document(b'{"a": "one\\n\\ttwo \\\\ \\" \\/"}') == {"a": 'one\n\ttwo \\ " /'}


def test_line_ends_of_windows_pass_outside_of_texts() -> None:
    assert read_document(b'{\r\n"a": "\xc3\xa9"\r\n}') == {"a": "é"}


@pytest.mark.parametrize(
    ("data", "place", "problem"),
    [
        (b"", (1, 1), "the file is empty; write a JSON object"),
        (b" \r\n", (1, 1), "the file is empty; write a JSON object"),
        (b"\xef\xbb\xbf{}", (1, 1), "starts with a byte order mark; save as UTF-8 without one"),
        (b'{\n"a": "\xff"}', (2, 7), "not UTF-8; save the file as UTF-8"),
        (b'{"a": "\xed\xa0\x80"}', (1, 8), "not UTF-8; save the file as UTF-8"),
        (b"[1]", (1, 1), "the document is not a JSON object; put it in braces"),
        (b'"text"', (1, 1), "the document is not a JSON object; put it in braces"),
        (b'{\n"a": [1', (2, 8), "the document ends in the middle; write it in full"),
        (b'{"a": "b', (1, 7), "the document ends in the middle; write it in full"),
        (b"{", (1, 2), None),
        (b'{"a": 1,\n "b": 2,\n "a": 3}', (3, 2), 'the key "a" stands twice; keep one of the two'),
        (b'{"x": {"a": 1, "a": 3}}', (1, 16), 'the key "a" stands twice; keep one of the two'),
        (b'{"a": 1, "\\u0061": 3}', (1, 10), 'the key "a" stands twice; keep one of the two'),
        (b'{"a":\n NaN}', (2, 2), "NaN is no number; leave the key out where there is no value"),
        (b'{"a": [1, -Infinity]}', (1, 11),
         "-Infinity is no number; leave the key out where there is no value"),
        (b'{"a": 1e400}', (1, 7), "the number 1e400 is out of bounds;"
         " write one below 1e12 in magnitude, with at most 9 decimals"),
        (b'{"a": 1, "b": -1000000000000}', (1, 15), "the number -1000000000000 is out of bounds;"
         " write one below 1e12 in magnitude, with at most 9 decimals"),
        (b'{"a": 0.00000000001234567890123}', (1, 7), "the number 0.0000000000123456789... is out"
         " of bounds; write one below 1e12 in magnitude, with at most 9 decimals"),
        (b'{"a": "x\\u200by"}', (1, 7), "the text holds the character U+200B, which cannot be seen"
         " or changes what is seen; remove it"),
        (b'{"a\\u0000": 1}', (1, 2), "the text holds the character U+0000, which cannot be seen"
         " or changes what is seen; remove it"),
    ],
)  # fmt: skip
def test_a_refusal_names_line_column_and_remedy(
    data: bytes, place: tuple[int, int], problem: str | None
) -> None:
    error = refusal(data)
    assert (error.line, error.column) == place
    assert error.exit_code is ExitCode.REFUSED
    assert str(error) == f"line {place[0]} column {place[1]}: {error.problem}"
    if problem is not None:
        assert error.problem == problem


@pytest.mark.parametrize(
    "text",
    [
        "{'a': 1}",
        '{"a": 1,}',
        '{"a" 1}',
        "{a: 1}",
        '{"a": 01}',
        '{"a": +1}',
        '{"a": .5}',
        '{"a": 1.}',
        '{"a": 0x1}',
        '{"a": True}',
        '{"a": undefined}',
        '{"a": 1} x',
        '{"a": 1}{}',
        '{"a": /**/1}',
        '{"a": "\\x"}',
        '{"a": "\\u12"}',
        '{"a": "\n"}',
        '{"a": "\x01"}',
        '{"a": \u00a01}',
        "{]}",
        "\0",
    ],
)
def test_what_is_no_json_is_told_so(text: str) -> None:
    error = refusal(text)
    assert error.problem.startswith("not JSON: ")
    assert error.problem.endswith("; correct the syntax")
    assert error.line is not None


def test_numbers_that_no_decimal_can_hold() -> None:
    for text in ("1e9999999999999999999", "-1E-9999999999999999999", "1" * 10_000, "0." + "1" * 99):
        assert "is out of bounds" in str(refusal(f'{{"a": {text}}}'))


@pytest.mark.parametrize(
    "character",
    [
        "\x7f",
        "\x85",
        "\u00ad",
        "\u034f",
        "\u061c",
        "\u115f",
        "\u17b4",
        "\u180e",
        "\u200b",
        "\u200d",
        "\u200e",
        "\u2028",
        "\u202e",
        "\u2060",
        "\u2066",
        "\u2069",
        "\u3164",
        "\ufe0f",
        "\ufeff",
        "\uffa0",
        "\ufffd",
        "\uffff",
        "\U000e0001",
        "\U000e0100",
    ],
)
def test_characters_that_cannot_be_seen_are_found_written_or_escaped(character: str) -> None:
    for ascii_only in (True, False):
        for tree in ({"a": f"x{character}y"}, {character: 1}, {"a": [{"b": [character]}]}):
            error = refusal(json.dumps(tree, ensure_ascii=ascii_only))
            assert f"U+{ord(character):04X}" in error.problem


@pytest.mark.parametrize(
    "escape", ["\\b", "\\f", "\\r", "\\u0000", "\\u001b", "\\ud800", "\\udfff"]
)
def test_control_characters_and_lone_surrogates_do_not_hide_in_escapes(escape: str) -> None:
    assert "the text holds the character U+" in refusal(f'{{"a": "x{escape}"}}').problem


def test_nesting_has_an_end() -> None:
    def nested(levels: int) -> str:
        return '{"a": ' + "[" * (levels - 1) + "]" * (levels - 1) + "}"

    read_document(nested(DEPTH_LIMIT).encode())
    error = refusal(nested(DEPTH_LIMIT + 1))
    assert error.problem == "nested deeper than 32 levels; flatten it"
    assert (error.line, error.column) == (1, 6 + DEPTH_LIMIT)


@pytest.mark.parametrize("piece", ["[", '{"a":'])
def test_nesting_beyond_what_the_machine_bears(piece: str) -> None:
    error = refusal(piece * 100_000)
    assert error.problem in (
        "nested deeper than 32 levels; flatten it",
        "the document ends in the middle; write it in full",
    )


def test_size_has_an_end() -> None:
    room = SIZE_LIMIT - len(b'{"a": ""}')
    read_document(b'{"a": "%s"}' % (b"x" * room))
    error = refusal(b'{"a": "%s"}' % (b"x" * (room + 1)))
    assert error.problem == "more than 4,194,304 bytes; split the plan or shorten its texts"
    assert error.line is None


def test_the_number_of_values_has_an_end() -> None:
    def wide(values: int) -> bytes:
        return b'{"a": [%s], "b": {}}' % b",".join([b"0"] * (values - 3) + [b"[]"])

    assert len(read_document(wide(VALUES_LIMIT))["a"]) == VALUES_LIMIT - 2
    error = refusal(wide(VALUES_LIMIT + 1))
    assert error.problem == "more than 250,000 values; split the plan"
    assert error.line is None


def test_a_duplicate_of_any_length_is_told_shortly() -> None:
    key = "x" * 10_000
    error = refusal(f'{{"{key}": 1, "{key}": 2}}')
    assert len(error.problem) < 120
    assert error.column == 10_000 + 9


def outcome(data: bytes) -> Tree | DocumentError:
    try:
        return read_document(data)
    except DocumentError as error:
        return error


@given(st.binary(max_size=60))
def test_any_bytes_give_a_tree_or_a_refusal(data: bytes) -> None:
    found = outcome(data)
    assert isinstance(found, dict) or "; " in str(found)


SOURCES = [one.path.read_bytes() for one in examples(settings=False)]
SPLICES = st.binary(max_size=4) | st.sampled_from(
    [
        b'"',
        b"\\",
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"e",
        b"\\u",
        b"\\ud800",
        b"NaN",
        b"-",
        b"\r",
        b'"quantity": 1, ',
        b"1e999",
        b"[[[[[[[[" * 8,
        b"\xe2\x80\xae",
        b"\x00",
        b'"a":1,"a":2,',
    ]
)


@given(st.sampled_from(SOURCES), st.data())
@example(b'{"a": 1e9999999999999999999}', None)
def test_any_damage_to_a_document_gives_a_tree_or_a_refusal(
    source: bytes, data: st.DataObject | None
) -> None:
    if data is not None:
        start = data.draw(st.integers(0, len(source)))
        end = data.draw(st.integers(start, min(len(source), start + 8)))
        source = source[:start] + data.draw(SPLICES) + source[end:]
    found = outcome(source)
    if isinstance(found, DocumentError):
        assert found.line is not None
        assert found.column is not None
        assert "; " in found.problem
    else:
        check(found)


def check(value: Any) -> None:
    """Nothing in a tree but what documents are made of."""
    match value:
        case dict():
            for key, inner in value.items():
                check(key)
                check(inner)
        case list():
            for inner in value:
                check(inner)
        case str():
            value.encode()
        case bool() | None:
            pass
        case _:
            assert type(value) in (int, Decimal)
            assert is_bounded(value)
