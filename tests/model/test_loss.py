from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.model.facts import RecordFacts
from executor.model.loss import daily_loss, drawdown
from tests.checks.builders import account

USD = st.decimals(1, 10**7, places=2)


@pytest.mark.parametrize(
    ("equity", "start", "moved", "percent"),
    [
        ("95000", "100000", "0", "5"),
        ("105000", "100000", "0", "-5"),
        ("95000", "90000", "10000", "5"),
        ("45000", "100000", "-50000", "10"),
        ("0", "0", "0", "0"),
        ("-1", "0", "0", "Infinity"),
    ],
)
def test_the_days_loss(equity: str, start: str, moved: str, percent: str) -> None:
    record = RecordFacts(transferred_today=Decimal(moved))
    found = daily_loss(account(equity=Decimal(equity), last_equity=Decimal(start)), record)
    assert found.percent == Decimal(percent)
    assert found.basis == Decimal(start) + Decimal(moved)


def test_before_the_first_peak_there_is_no_drawdown() -> None:
    assert drawdown(account(), RecordFacts()) is None
    found = drawdown(account(), RecordFacts(peak_equity=Decimal(125_000)))
    assert found is not None
    assert found.percent == 20
    assert found.basis == 125_000


@given(equity=USD, start=USD, moved=st.decimals(-(10**6), 10**6, places=2))
def test_a_transfer_alone_is_no_loss_however_much_it_is(
    equity: Decimal, start: Decimal, moved: Decimal
) -> None:
    """The USD under the basis are the same with and without it."""

    def missing(amount: Decimal) -> Decimal:
        told = account(equity=equity + amount, last_equity=start)
        return daily_loss(told, RecordFacts(transferred_today=amount)).basis - told.equity

    assert missing(moved) == missing(Decimal(0))
