from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.decisions.trips import trip
from executor.model.facts import RecordFacts
from executor.model.state import TradingState, TradingStateRecord
from tests.checks.builders import NOW, account, settings, state

LIMITS = settings(limits={"daily_loss_max_pct": Decimal(5), "drawdown_max_pct": Decimal(20)})
ACTIVE = state()


def tripped(equity: object, **changes: object) -> TradingStateRecord | None:
    """What trips an account that began the day, and peaked, at 100,000 USD."""
    record = RecordFacts(positions={}, peak_equity=Decimal(100_000))
    known = {
        one: changes.pop(one) for one in ("peak_equity", "transferred_today") if one in changes
    }
    return trip(
        account(equity=Decimal(str(equity)), **changes),
        replace(record, **known),  # type: ignore[arg-type]
        LIMITS,
        ACTIVE,
        now=NOW,
    )


def test_the_limit_itself_trips_and_a_cent_less_does_not() -> None:
    assert tripped("95000.01") is None
    found = tripped("95000")
    assert found == TradingStateRecord(
        state=TradingState.REDUCE_ONLY,
        since=NOW,
        by="daily_loss",
        reason="equity 95,000.00 USD is 5 % under the day's start, 100,000.00 USD;"
        " the limit is 5 %",
    )


def test_a_fall_from_the_peak_trips_however_little_the_day_lost() -> None:
    assert tripped("80000.01", last_equity=Decimal(80_000)) is None
    found = tripped("80000", last_equity=Decimal(80_000))
    assert found is not None
    assert (found.by, "20 % under its peak" in found.reason) == ("drawdown", True)


def test_capital_that_went_is_no_loss() -> None:
    assert tripped("90000", transferred_today=Decimal(-10_000)) is None
    assert tripped("95000", last_equity=Decimal(95_000), transferred_today=Decimal(5_000))


def test_without_a_peak_only_the_day_counts() -> None:
    assert tripped("50000", peak_equity=None, last_equity=Decimal(50_000)) is None


@pytest.mark.parametrize("before", [TradingState.REDUCE_ONLY, TradingState.HALTED, None])
def test_only_what_is_active_trips(before: TradingState | None) -> None:
    found = trip(
        account(equity=Decimal(1)),
        RecordFacts(positions={}),
        LIMITS,
        state(before) if before else None,
        now=NOW,
    )
    assert found is None


def test_checks_that_are_off_trip_nothing() -> None:
    off = settings(off=("sector_max", "daily_loss", "drawdown"))
    record = RecordFacts(positions={}, peak_equity=Decimal(100_000))
    assert trip(account(equity=Decimal(1)), record, off, ACTIVE, now=NOW) is None


@given(st.integers(0, 120_000), st.integers(0, 120_000))
def test_a_loss_trips_where_the_check_would_deny_and_a_gain_never(equity: int, peak: int) -> None:
    found = tripped(equity, peak_equity=Decimal(peak))
    lost = equity <= 95_000 or (peak > 0 and equity * 100 <= peak * 80)
    assert (found is not None) is lost
    if found is not None:
        assert found.peak_equity_rebased_at == ACTIVE.peak_equity_rebased_at
