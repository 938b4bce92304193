from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from executor.decisions.results import account_record
from executor.model.account import AccountRecord, Mode, short_number
from executor.model.reading import read_document
from executor.model.writing import write_document
from tests.checks.builders import account, order, position


@given(st.text("0123456789ABCDEF", min_size=5, max_size=20))
def test_a_number_keeps_its_last_four_characters_only(number: str) -> None:
    assert short_number(number) == "…" + number[-4:]
    assert len(short_number(number)) == 5


def test_a_short_number_is_shown_as_far_as_it_goes() -> None:
    assert short_number("12") == "…12"


def record(**changes: Any) -> dict[str, Any]:
    written = account_record(account(), [position()], [order()], Mode.SIM)
    return read_document(write_document(written)) | changes


def test_an_account_reads_back_as_it_was_written() -> None:
    found = AccountRecord.model_validate(record())
    assert found == account_record(account(), [position()], [order()], Mode.SIM)
    assert found.mode is Mode.SIM
    assert found.open_orders[0].filled_quantity == Decimal(0)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("mode", "demo"),
        ("margin_used", -1),
        ("cash", None),
        ("through", "../secret"),
        ("schema_version", 2),
        ("extra", 1),
    ],
)
def test_an_account_that_is_none(key: str, value: object) -> None:
    with pytest.raises(ValidationError, match=key):
        AccountRecord.model_validate(record(**{key: value}))
