from __future__ import annotations

import re
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.model.fields import CLIENT_ORDER_ID_PATTERN
from executor.model.order_id import OrderId, client_order_id, home_of, parse_order_id

DIGEST = "0123456789abcdef" * 4
LEGS = ("entry", "stop", "fraction", "target")

DIGESTS = st.text("0123456789abcdef", min_size=64, max_size=64)
INDEXES = st.integers(0, 19_999)


@st.composite
def keys(draw: st.DrawFn) -> tuple[Any, ...]:
    leg = draw(st.sampled_from(LEGS))
    number = 0 if leg == "entry" else draw(st.integers(0, 999_999))
    return draw(st.text(max_size=60)), draw(DIGESTS), draw(INDEXES), leg, number


def test_an_id_spells_repository_digest_and_place() -> None:
    # The repository's part: `printf local | sha256sum`.
    assert client_order_id("local", DIGEST, 3) == f"ai-25bf8e1a-{DIGEST[:32]}-3"
    assert client_order_id("local", DIGEST, 3, "stop") == f"ai-25bf8e1a-{DIGEST[:32]}-3-stop"
    fourth = client_order_id("local", DIGEST, 0, "fraction", 3)
    assert fourth == f"ai-25bf8e1a-{DIGEST[:32]}-0-fraction.3"


@given(keys())
def test_an_id_reads_back_to_where_it_comes_from(key: tuple[Any, ...]) -> None:
    repository, digest, index, leg, number = key
    found = parse_order_id(client_order_id(*key))
    assert found == OrderId(home_of(repository), digest[:32], index, leg, number)


@given(keys(), keys())
def test_an_id_is_injective(one: tuple[Any, ...], other: tuple[Any, ...]) -> None:
    same = (one[0], one[1][:32], *one[2:]) == (other[0], other[1][:32], *other[2:])
    assert (client_order_id(*one) == client_order_id(*other)) == same


@given(keys())
def test_an_id_is_of_the_form_that_the_broker_takes(key: tuple[Any, ...]) -> None:
    found = client_order_id(*key)
    assert re.fullmatch(CLIENT_ORDER_ID_PATTERN, found)
    assert len(found) <= 70 <= 128


def test_every_index_leg_and_number_of_one_plan_has_an_id_of_its_own() -> None:
    found = {
        client_order_id("local", DIGEST, index, leg, number)  # type: ignore[arg-type]
        for index in range(500)
        for leg in LEGS
        for number in range(1 if leg == "entry" else 3)
    }
    assert len(found) == 500 * 10


@pytest.mark.parametrize(
    "suffix",
    [
        "",
        "-",
        "-x",
        "--1",
        "-01",
        "-1-entry",
        "-1-stop.0",
        "-1-stop.01",
        "-1-stop.",
        "-1-stop.1000000",
        "-1.2",
        "-1-stop.1.2",
        "-1-limit",
        "-1-Stop",
        "-1-stop ",
        "-1-stop\n",
        "-1\n",
        "-100000",
        "-\u0661",
        "-1-stop.\u0661",
    ],
)
def test_whatever_is_no_id_of_ours_is_refused(suffix: str) -> None:
    assert parse_order_id(f"ai-25bf8e1a-{DIGEST[:32]}{suffix}") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ai",
        f"AI-25bf8e1a-{DIGEST[:32]}-1",
        f"ai-25BF8E1A-{DIGEST[:32]}-1",
        f"ai-25bf8e1-{DIGEST[:32]}-1",
        f"ai-25bf8e1a-{DIGEST[:31]}-1",
        f"ai-25bf8e1a-{DIGEST[:33]}-1",
        f" ai-25bf8e1a-{DIGEST[:32]}-1",
        f"xai-25bf8e1a-{DIGEST[:32]}-1",
        "5a1c0cf5-0d27-4c8f-9f2c-5e0a6a9d2e4f",
    ],
)
def test_other_beginnings_are_refused(text: str) -> None:
    assert parse_order_id(text) is None


@given(keys(), st.data())
def test_an_id_with_one_character_changed_is_none_or_another(
    key: tuple[Any, ...], data: st.DataObject
) -> None:
    text = client_order_id(*key)
    at = data.draw(st.integers(0, len(text) - 1))
    put = data.draw(st.sampled_from(string.printable + "\u0661"))
    changed = text[:at] + put + text[at + 1 :]
    found = parse_order_id(changed)
    assert (found == parse_order_id(text)) is (changed == text)


@given(st.text())
def test_what_is_read_back_is_written_the_same(text: str) -> None:
    found = parse_order_id(text)
    if found is not None:
        assert text.startswith(f"ai-{found.home}-{found.plan}-{found.index}")


def test_an_entry_has_no_second_one() -> None:
    with pytest.raises(AssertionError, match="one entry"):
        client_order_id("local", DIGEST, 0, "entry", 1)
