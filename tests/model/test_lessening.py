from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.model.lessening import added_risk
from executor.model.plan import TradingInstructionSet
from tests.checks.builders import line, plan

BUY = line("BUY", "MU", quantity="10", stop_loss_pct="8", target_allocation="4000")
AMD = line("BUY", "AMD", notional="5000")
SELL = line("SELL", "TSM", quantity="10")
PROTECT = line("PROTECT", "INTC", stop_price="90", loosen=True)
CANCEL = line("CANCEL", "TSM", client_order_id="ai-1")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([BUY, AMD], [BUY, AMD]),
        ([BUY, AMD], [AMD]),
        ([BUY, AMD], [BUY]),
        ([BUY], [BUY | {"quantity": "9"}]),
        ([BUY], [BUY | {"quantity": "9", "target_allocation": "3600"}]),
        ([AMD], [AMD | {"notional": "4999.99"}]),
        ([BUY], [BUY | {"stop_loss_pct": "7"}]),
        ([AMD], [AMD | {"stop_loss_pct": "7"}]),
        ([PROTECT], [PROTECT | {"stop_price": "91"}]),
        ([PROTECT], [PROTECT | {"loosen": False}]),
        ([line("PROTECT", trail_percent="5")], [line("PROTECT", trail_percent="4")]),
        # Nothing is bought any more: less than the plan's exits is no more risk than without it.
        ([SELL, BUY], [SELL | {"quantity": "5"}]),
        ([SELL, CANCEL], [SELL]),
        ([SELL, BUY], [SELL, BUY | {"quantity": "1"}]),
        ([BUY, BUY | {"quantity": "100"}], [BUY | {"quantity": "50"}]),
    ],
)
def test_less_of_the_same_adds_nothing(before: list[Any], after: list[Any]) -> None:
    assert added_risk(plan(*before), plan(*after)) is None


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ([BUY], [BUY, AMD], "instructions[1], BUY AMD"),
        ([BUY], [BUY | {"quantity": "10.1"}], "instructions[0], BUY MU"),
        ([AMD], [AMD | {"notional": "5001"}], "instructions[0], BUY AMD"),
        ([BUY], [BUY | {"stop_loss_pct": "9"}], "instructions[0]"),
        ([BUY], [{key: BUY[key] for key in BUY if key != "stop_loss_pct"}], "instructions[0]"),
        ([BUY], [BUY | {"ticker": "AMD"}], "instructions[0], BUY AMD"),
        ([SELL], [line("SELL", "TSM", quantity="all")], "instructions[0], SELL TSM"),
        ([BUY], [BUY | {"reason": "another one"}], "instructions[0]"),
        ([BUY], [BUY | {"order_type": "limit", "limit_price": "1000"}], "instructions[0]"),
        ([BUY], [BUY | {"protect": "none"}], "instructions[0]"),
        ([PROTECT], [PROTECT | {"stop_price": "89"}], "instructions[0], PROTECT INTC"),
        ([line("PROTECT", stop_price="9")], [line("PROTECT", stop_price="9", loosen=True)], "[0]"),
        ([line("BUY", order_type="stop", stop_price="9")],
         [line("BUY", order_type="stop", stop_price="8")], "[0]"),
        ([line("BUY", order_type="trailing_stop", trail_percent="9")],
         [line("BUY", order_type="trailing_stop", trail_percent="8")], "[0]"),
        ([SELL, BUY], [BUY], "takes an exit out and still buys"),
        ([BUY, SELL], [BUY], "takes an exit out and still buys"),
        ([SELL, BUY], [SELL | {"quantity": "5"}, BUY], "sells less of TSM"),
        ([BUY, AMD], [AMD, BUY], "instructions[1]"),
    ],
)  # fmt: skip
def test_everything_else_is_added(before: list[Any], after: list[Any], told: str) -> None:
    assert told in (added_risk(plan(*before), plan(*after)) or "")


@pytest.mark.parametrize(
    "changed",
    [
        {"reason": "another one"},
        {"use_margin": True},
        {"valid_until": "2026-01-20T00:00:00Z"},
        {"strategy": "other"},
        {"timestamp": "2026-01-14T14:46:00Z"},
    ],
)
def test_what_the_plan_says_of_itself_is_part_of_it(changed: dict[str, Any]) -> None:
    assert added_risk(plan(), plan(**changed)) == f"changes {next(iter(changed))}"


buys = st.lists(
    st.tuples(st.sampled_from(["MU", "AMD", "TSM"]), st.integers(1, 50)), min_size=1, max_size=5
)


def bought(lines: list[tuple[str, int]]) -> TradingInstructionSet:
    return plan(*(line("BUY", symbol, quantity=str(shares)) for symbol, shares in lines))


@given(buys, st.data())
def test_whatever_is_taken_away_from_buys_adds_nothing(
    lines: list[tuple[str, int]], data: st.DataObject
) -> None:
    kept = data.draw(st.lists(st.booleans(), min_size=len(lines), max_size=len(lines)))
    fewer = [
        (symbol, data.draw(st.integers(1, shares)))
        for (symbol, shares), keep in zip(lines, kept, strict=True)
        if keep
    ]
    if fewer:
        assert added_risk(bought(lines), bought(fewer)) is None


@given(buys, buys)
def test_no_edit_that_passes_buys_more_of_a_symbol(
    before: list[tuple[str, int]], after: list[tuple[str, int]]
) -> None:
    if added_risk(bought(before), bought(after)) is None:
        for symbol in ("MU", "AMD", "TSM"):
            sums = [sum(n for one, n in lines if one == symbol) for lines in (before, after)]
            assert sums[1] <= sums[0]
