from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.model.digest import canonical, digest, plan_digest, raw_digest
from executor.model.numbers import plain
from executor.model.reading import read_document
from tests.examples.corpus import ROOT, examples

VECTORS: list[dict[str, str]] = json.loads((ROOT / "tests/digest.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda one: one["name"])
def test_every_vector_gives_its_digest(vector: dict[str, str]) -> None:
    tree = read_document(vector["document"].encode())
    assert plan_digest(tree) == vector["digest"]
    # Recomputed here in the plainest way, so that the file proves itself.
    assert hashlib.sha256(vector["canonical"].encode()).hexdigest() == vector["digest"]


def test_vectors_are_equal_where_they_say_so_and_nowhere_else() -> None:
    groups = defaultdict(set)
    for vector in VECTORS:
        groups[vector["same_as"]].add(vector["digest"])
    assert all(len(digests) == 1 for digests in groups.values())
    assert len({digest for (digest,) in groups.values()}) == len(groups)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda one: one["name"])
def test_the_canonical_form_is_json_and_its_own_canonical_form(vector: dict[str, str]) -> None:
    text = vector["canonical"]
    assert canonical(read_document(text.encode())) == text


VISIBLE = st.characters(
    categories=["L", "N", "P", "S", "Zs"],
    exclude_characters="\u115f\u1160\u3164\uffa0\ufffc\ufffd",
)
TEXTS = st.text(VISIBLE)
NUMBERS = st.integers(-(10**12) + 1, 10**12 - 1) | st.decimals(
    -(10**12) + 1, 10**12 - 1, places=9, allow_nan=False, allow_infinity=False
)
TREES = st.dictionaries(
    TEXTS,
    st.recursive(
        st.none() | st.booleans() | NUMBERS | TEXTS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)


def written(tree: Any, respell: st.DataObject) -> str:
    """Write a tree as JSON, with its keys in any order and its numbers in any spelling."""
    match tree:
        case dict():
            keys = respell.draw(st.permutations(sorted(tree)))
            pairs = (
                f"{json.dumps(key, ensure_ascii=respell.draw(st.booleans()))} :"
                f"{written(tree[key], respell)}"
                for key in keys
            )
            return "{ " + ",\n".join(pairs) + "}"
        case list():
            return "[" + " , ".join(written(one, respell) for one in tree) + "]"
        case bool() | None | str():
            return json.dumps(tree, ensure_ascii=respell.draw(st.booleans()))
        case _:
            text = plain(tree)
            spellings = [text, f"{text}e0", f"{text}00" if "." in text else f"{text}.00"]
            return respell.draw(st.sampled_from(spellings))


@given(TREES, st.data())
def test_writing_a_document_anew_does_not_change_its_digest(tree: Any, data: st.DataObject) -> None:
    assert plan_digest(read_document(written(tree, data).encode())) == plan_digest(tree)


@given(TREES, st.sampled_from(["status", "intent"]), TEXTS)
def test_what_the_executor_writes_changes_nothing(tree: Any, key: str, value: str) -> None:
    before = {name: one for name, one in tree.items() if name not in ("status", "intent")}
    assert plan_digest(before | {key: value}) == plan_digest(before)
    assert digest(before | {key: value}) != digest(before)


@given(TREES, TREES)
def test_two_documents_have_one_digest_only_where_they_are_one(first: Any, second: Any) -> None:
    def spelled(tree: Any) -> Any:
        # In Python True equals 1; as documents they differ.
        match tree:
            case dict():
                return {key: spelled(value) for key, value in tree.items()}
            case list():
                return [spelled(value) for value in tree]
            case bool() | None | str():
                return (type(tree).__name__, tree)
            case _:
                return ("number", Decimal(tree))

    assert (digest(first) == digest(second)) == (spelled(first) == spelled(second))


def test_every_valid_example_has_a_digest_of_its_own() -> None:
    plans = [
        plan_digest(one.tree())
        for one in examples()
        if one.document == "trading_instructions" and one.refused_by is None
    ]
    assert len(set(plans)) == len(plans)


def test_tuples_are_lists() -> None:
    assert canonical((1, "a")) == canonical([1, "a"])


def test_a_tree_holds_nothing_else() -> None:
    with pytest.raises(AssertionError, match="a tree holds no float"):
        digest({"a": 1.5})


def test_bytes_as_they_are() -> None:
    assert raw_digest(b"") == hashlib.sha256(b"").hexdigest()
