from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.decisions.ledger import Ledger, executed_as, fold, record_facts
from executor.model.account import Mode
from executor.model.order import OrderStatus
from executor.model.result import ExecutionResult, Fill, InstructionResult, Outcome
from executor.model.state import TradingStateRecord
from tests.decisions.record_builders import (
    NOW,
    PLAN_DIGEST,
    PLAN_PATH,
    fill,
    line_result,
    numbered,
    planned,
    portfolio,
    report,
    result,
)

MIDNIGHT = NOW.replace(hour=0, minute=0)

FILLS = st.builds(
    fill,
    st.decimals(Decimal("0.000000001"), 10**4, places=9).map("{:f}".format),
    st.decimals(0, 10**4, places=4).map("{:f}".format),
)
TRADES = st.lists(
    st.tuples(st.sampled_from(("MU", "AMD")), st.sampled_from(("buy", "sell")), FILLS), max_size=8
)
Trade = tuple[str, str, Fill]


def booked(trades: Sequence[Trade]) -> ExecutionResult:
    """One result whose instructions hold a fill each."""
    return result(
        *(
            line_result(at, ticker=symbol, side=side, fills=[one])
            for at, (symbol, side, one) in enumerate(trades)
        )
    )


def folded(*results: ExecutionResult, **keys: Any) -> Ledger:
    return fold(numbered(results), keys.pop("mode", Mode.SIM), **keys)


@given(TRADES)
def test_cash_and_cost_are_conserved(trades: list[Trade]) -> None:
    ledger = folded(booked(trades))
    cost = sum((one.cost_basis for one in ledger.positions.values()), Decimal(0))
    assert ledger.cash_change + cost == ledger.realized_pl


@given(TRADES)
def test_shares_are_what_was_bought_less_what_was_sold(trades: list[Trade]) -> None:
    expected: dict[str, Decimal] = {}
    for symbol, side, one in trades:
        signed = one.quantity if side == "buy" else -one.quantity
        expected[symbol] = expected.get(symbol, Decimal(0)) + signed
    held = {symbol: one.quantity for symbol, one in folded(booked(trades)).positions.items()}
    assert held == {symbol: quantity for symbol, quantity in expected.items() if quantity}


@given(TRADES, st.sets(st.integers(0, 8)))
def test_how_fills_are_cut_into_results_makes_no_difference(
    trades: list[Trade], cuts: set[int]
) -> None:
    edges = sorted({0, len(trades), *(cut for cut in cuts if cut < len(trades))})
    pieces = [trades[start:end] for start, end in itertools.pairwise(edges)]
    whole, cut = folded(booked(trades)), folded(*map(booked, pieces))
    assert (cut.cash_change, cut.realized_pl) == (whole.cash_change, whole.realized_pl)
    assert cut.positions == whole.positions


@given(TRADES, TRADES)
def test_other_modes_and_accounts_are_passed_over(ours: list[Trade], others: list[Trade]) -> None:
    paper = booked(others).model_copy(update={"mode": Mode.PAPER})
    stranger = booked(others).model_copy(update={"account": "…9999"})
    with_others = folded(stranger, booked(ours), paper, account="…0001")
    alone = folded(booked(ours), account="…0001")
    assert with_others.positions == alone.positions
    assert with_others.cash_change == alone.cash_change
    assert with_others.through == numbered([stranger, booked(ours)])[1][0]
    every_account = folded(stranger, booked(ours), paper)
    assert every_account.cash_change == folded(stranger, booked(ours)).cash_change
    assert folded(paper, mode=Mode.PAPER).positions == folded(booked(others)).positions


def test_an_empty_record_is_an_empty_ledger() -> None:
    assert folded() == Ledger()


def test_the_newest_result_tells_an_order() -> None:
    opened = line_result(outcome=Outcome.OPEN)
    first, later = result(opened), NOW + timedelta(hours=1)
    filled = line_result(fills=[fill()])
    settled = result(
        filled, kind="settlement", timestamp=later, first_result=numbered([first])[0][0]
    )
    (before,) = folded(first).open_orders
    assert before.instruction == opened
    assert before.seen_at == NOW
    after = folded(first, settled)
    assert after.open_orders == ()
    (order,) = after.orders.values()
    assert (order.instruction, order.seen_at) == (filled, later)
    assert order.first_result == before.first_result == numbered([first])[0][0]
    assert (order.plan_digest, order.strategy) == (PLAN_DIGEST, "manual")


@pytest.mark.parametrize("outcome", list(Outcome))
def test_only_open_and_unknown_orders_are_followed(outcome: Outcome) -> None:
    ledger = folded(result(line_result(outcome=outcome)))
    assert bool(ledger.open_orders) == (outcome in (Outcome.OPEN, Outcome.UNKNOWN))
    assert bool(ledger.orders) == (outcome not in (Outcome.DENIED, Outcome.NOT_SENT))


def test_an_order_that_turned_out_never_received_is_followed_no_more() -> None:
    unknown = result(line_result(outcome=Outcome.UNKNOWN))
    never = result(line_result(outcome=Outcome.NOT_SENT), kind="settlement")
    assert len(folded(unknown).open_orders) == 1
    assert folded(unknown, never).orders == {}


def test_a_line_without_an_order_is_no_order() -> None:
    canceled = line_result(outcome=Outcome.CANCELED, side=None, client_order_id=None)
    assert folded(result(canceled)).orders == {}


def test_the_peak_is_the_highest_equity_since_it_was_rebased() -> None:
    equities = [
        result(final_portfolio=portfolio(equity)) for equity in ("100000", "120000", "90000")
    ]
    assert folded(*equities).peak_equity == 120_000
    state = TradingStateRecord.model_validate(
        {
            "state": "ACTIVE",
            "since": NOW,
            "by": "alice",
            "reason": "a reason",
            "peak_equity_rebased_at": NOW,
        }
    )
    rebased = result(kind="state", state=state, final_portfolio=portfolio("90000"))
    assert folded(*equities, rebased).peak_equity == 90_000
    kept = state.model_copy(update={"peak_equity_rebased_at": None})
    assert folded(*equities, rebased.model_copy(update={"state": kept})).peak_equity == 120_000


def facts_of(ledger: Ledger, **keys: Any) -> Any:
    base: dict[str, Any] = {
        "executed": None,
        "orders_at_broker": (),
        "session_opened": MIDNIGHT,
    }
    return record_facts(ledger, **(base | keys))


def test_facts_tell_holdings_orders_and_what_is_unresolved() -> None:
    ledger = folded(
        result(
            line_result(0, fills=[fill("10")]),
            line_result(1, ticker="AMD", side="sell", fills=[fill("4")]),
            line_result(2, ticker="TSM", outcome=Outcome.UNKNOWN, submitted_at=None),
        )
    )
    facts = facts_of(ledger, executed=PLAN_PATH, orders_at_broker=("x",))
    assert facts.positions == {"MU": Decimal(10), "AMD": Decimal(-4)}
    assert facts.known_orders == set(ledger.orders)
    assert facts.unresolved == (f"ai-00000000-{PLAN_DIGEST[:32]}-2",)
    assert (facts.executed, facts.orders_at_broker) == (PLAN_PATH, ("x",))
    assert facts.peak_equity == 100_000


def test_only_orders_since_the_open_count_as_todays() -> None:
    yesterday = MIDNIGHT - timedelta(seconds=1)
    ledger = folded(
        result(
            line_result(0, fills=[fill()]),
            line_result(1, fills=[fill()]),
            line_result(2, ticker="AMD", side="sell", fills=[fill()]),
            line_result(3, fills=[fill()], submitted_at=yesterday),
            line_result(4, outcome=Outcome.UNKNOWN, submitted_at=None),
        )
    )
    facts = facts_of(ledger)
    assert facts.orders_today == 3
    assert facts.entries_today == {("manual", "MU"): 2}
    assert facts_of(ledger, session_opened=yesterday).orders_today == 4


@given(
    st.sampled_from(("buy", "sell")),
    st.integers(0, 9).map(Decimal),
    st.integers(0, 9).map(Decimal),
    st.booleans(),
)
def test_newer_fills_of_our_orders_are_no_difference(
    side: str, before: Decimal, since: Decimal, known: bool
) -> None:
    fills = [fill(before)] if before else []
    ledger = folded(result(line_result(side=side, outcome=Outcome.OPEN, fills=fills)))
    order = planned(0 if known else 1, side=side)
    now = report(order, filled_quantity=before + since, status=OrderStatus.OPEN)
    signed = since if known else before + since
    held = before + signed if side == "buy" else -before - signed
    positions = facts_of(ledger, newer=[now]).positions
    assert positions == ({"MU": held} if held else {})


def stop(**keys: Any) -> InstructionResult:
    return line_result(side="sell", order_type="stop", **keys)


def test_an_exit_by_a_stop_is_a_stop_out() -> None:
    at = datetime(2026, 1, 13, 20, 0, tzinfo=UTC)
    found = facts_of(folded(result(stop(fills=[fill(at=NOW), fill(at=at)])))).stop_outs
    assert found == (("manual", "MU", at),)


def test_a_stop_that_filled_in_part_and_was_then_canceled_is_still_a_stop_out() -> None:
    first = result(stop(outcome=Outcome.OPEN, fills=[fill("4")]))
    later = result(
        stop(outcome=Outcome.PARTIALLY_FILLED).model_copy(update={"filled_quantity": Decimal(4)}),
        timestamp=NOW + timedelta(hours=1),
    )
    assert [one[:2] for one in facts_of(folded(first, later)).stop_outs] == [("manual", "MU")]


@pytest.mark.parametrize(
    "one",
    [
        stop(outcome=Outcome.CANCELED),
        line_result(side="sell", fills=[fill()]),
        line_result(side="buy", order_type="stop", fills=[fill()]),
    ],
    ids=["a stop that never filled", "another sale", "an entry by a stop"],
)
def test_what_is_no_stop_out(one: InstructionResult) -> None:
    assert facts_of(folded(result(one))).stop_outs == ()


def executed(*results: ExecutionResult, digest: str = PLAN_DIGEST) -> str | None:
    found: Iterable[tuple[str, ExecutionResult]] = numbered(results)
    return executed_as(found, digest)


def test_a_plan_is_executed_once_it_completed_or_had_an_order_sent() -> None:
    nothing_sent = line_result(outcome=Outcome.DENIED)
    sent = line_result(outcome=Outcome.REJECTED)
    assert executed() is None
    assert executed(result(sent), digest="0" * 64) is None
    assert executed(result(nothing_sent, plan_status="rejected")) is None
    assert executed(result(sent, plan_status="rejected")) == PLAN_PATH
    assert executed(result(nothing_sent)) == PLAN_PATH
    assert executed(result(sent, kind="settlement")) is None
    unnamed = result(sent, archived_as=None)
    assert executed(unnamed) == numbered([unnamed])[0][0]
