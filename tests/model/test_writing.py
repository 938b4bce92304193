from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.model.digest import digest, plan_digest
from executor.model.intent import Owner
from executor.model.reading import read_document
from executor.model.writing import to_tree, write_document
from tests.checks.builders import line, plan

VISIBLE = st.text(
    # No control and no format characters: the reader refuses what cannot be seen.
    st.characters(min_codepoint=32, max_codepoint=0x17F, exclude_categories=["C"]),
    max_size=8,
)
NUMBERS = st.one_of(
    st.integers(-(10**12) + 1, 10**12 - 1),
    st.decimals(Decimal("-999999999999.9"), Decimal("999999999999.9"), places=9),
    st.sampled_from([Decimal("1E+3"), Decimal("84.480"), Decimal("-0.0"), Decimal("1E-9")]),
)
TREES = st.dictionaries(
    VISIBLE,
    st.recursive(
        st.one_of(st.none(), st.booleans(), NUMBERS, VISIBLE),
        lambda inner: st.one_of(
            st.lists(inner, max_size=4), st.dictionaries(VISIBLE, inner, max_size=4)
        ),
        max_leaves=8,
    ),
    max_size=4,
)


@given(TREES)
def test_what_is_written_reads_back_with_the_same_digest(tree: dict[str, Any]) -> None:
    assert digest(read_document(write_document(tree))) == digest(tree)


@given(TREES)
def test_there_is_one_way_to_write_a_tree(tree: dict[str, Any]) -> None:
    data = write_document(tree)
    assert write_document(read_document(data)) == data
    assert json.loads(data).keys() == tree.keys()
    assert data.endswith(b"}\n")


@pytest.mark.parametrize(
    ("number", "text"),
    [("84.480", "84.48"), ("1E+3", "1000"), ("-0.0", "0"), ("1E-9", "0.000000001"), ("7", "7")],
)
def test_a_number_is_written_plainly_and_is_no_text(number: str, text: str) -> None:
    assert write_document({"number": Decimal(number)}) == f'{{\n  "number": {text}\n}}\n'.encode()


def test_an_instant_is_written_in_utc() -> None:
    new_york = datetime(2026, 1, 14, 8, 45, tzinfo=timezone(timedelta(hours=-5)))
    assert read_document(write_document({"at": new_york})) == {"at": "2026-01-14T13:45:00Z"}


def test_letters_beyond_ascii_are_written_as_themselves() -> None:
    assert "Zürich …1234" in write_document({"place": "Zürich …1234"}).decode()


def test_any_mapping_and_any_list_is_written() -> None:
    tree = {"inner": MappingProxyType({"a": (1, 2)})}
    assert read_document(write_document(tree)) == {"inner": {"a": [1, 2]}}


def test_a_model_is_written_without_what_is_not_known() -> None:
    tree = read_document(write_document(plan(line(quantity=Decimal("84.480")))))
    assert tree["instructions"][0]["quantity"] == Decimal("84.48")
    assert "notional" not in tree["instructions"][0]
    assert tree["timestamp"] == "2026-01-14T14:45:00Z"
    assert plan_digest(tree) == plan_digest(to_tree(plan(line(quantity=Decimal("84.48")))))


def test_a_model_becomes_a_tree_and_a_tree_stays_one() -> None:
    assert to_tree(Owner(run="r", attempt=1)) == {"run": "r", "attempt": 1}
    tree = {"at": datetime(2026, 1, 14, tzinfo=UTC)}
    assert to_tree(tree) is tree


def test_what_no_document_holds_is_our_mistake() -> None:
    with pytest.raises(AssertionError, match="a document holds no set"):
        write_document({"one": {1, 2}})
