from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from executor.model.activity import TRANSFERS, Activity
from executor.model.fields import parse_timestamp
from executor.model.reading import read_document
from executor.model.writing import to_tree, write_document

KINDS = ("FILL", "DIV", "INT", "FEE", "SPLIT", "SPIN", "MA", "NC", *sorted(TRANSFERS))


def activity(**keys: Any) -> Activity:
    base = {"id": "20260114::1", "kind": "DIV", "at": "2026-01-14T15:00:00Z"}
    return Activity.model_validate(base | keys)


amounts = st.none() | st.decimals(-(10**6), 10**6, places=2)


@given(st.sampled_from(KINDS), amounts, amounts)
def test_an_activity_is_a_fill_a_transfer_or_neither(kind: str, shares: Any, net: Any) -> None:
    one = activity(kind=kind, quantity=shares, net_amount=net)
    assert not (one.is_fill and one.is_transfer)
    assert one.is_fill is (kind == "FILL")
    assert one.is_transfer is (kind in TRANSFERS)
    # The shares of a fill are booked by its order.
    assert one.moves_shares is (kind != "FILL" and bool(shares))


@given(st.sampled_from(KINDS), amounts, amounts)
def test_an_activity_reads_back_as_it_was_written(kind: str, shares: Any, net: Any) -> None:
    one = activity(kind=kind, quantity=shares, net_amount=net, symbol="MU", description="text")
    tree = read_document(write_document({"one": to_tree(one)}))
    assert Activity.model_validate(tree["one"]) == one


@pytest.mark.parametrize(
    ("key", "value"),
    [("id", ""), ("kind", ""), ("at", "yesterday"), ("side", "short"), ("extra", 1)],
)
def test_what_no_activity_says(key: str, value: object) -> None:
    with pytest.raises(ValidationError, match=key):
        activity(**{key: value})


@pytest.mark.parametrize(
    ("key", "known"),
    [
        ("20260114201612345::a", "2026-01-14T20:16:12Z"),
        ("20260113201612345::a", "2026-01-14T05:00:00Z"),
        ("20261399999999999::a", "2026-01-14T05:00:00Z"),
        ("an id of another form", "2026-01-14T05:00:00Z"),
    ],
)
def test_an_activity_of_a_day_is_known_from_the_moment_in_its_id(key: str, known: str) -> None:
    one = activity(id=key, at="2026-01-14T05:00:00Z")
    assert one.known_from == parse_timestamp(known)
