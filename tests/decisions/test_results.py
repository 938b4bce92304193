from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.decisions.ledger import fold
from executor.decisions.reconcile import summarize
from executor.decisions.results import (
    Circumstances,
    account_record,
    alternatives,
    archive_name,
    execution_result,
    final_portfolio,
    provisional_result,
    result_name,
    review_name,
    settlement_result,
)
from executor.model.account import AccountRecord, Mode
from executor.model.order import OrderStatus
from executor.model.order_result import LegResult, Outcome, StopTerms
from executor.model.result import Approval, ExecutionResult
from executor.model.state import TradingState, TradingStateRecord
from tests.checks.builders import account, order, position
from tests.decisions.record_builders import NOW, PLAN_DIGEST, PLAN_PATH, fill, line_result, result

CIRCUMSTANCES = Circumstances(
    mode=Mode.SIM,
    strategy="manual",
    settings_digest="5" * 64,
    code_commit="c" * 40,
    instructions_file="trading_instructions.json",
    plan_digest=PLAN_DIGEST,
    approval=Approval(policy="none"),
)


def record(**changes: Any) -> AccountRecord:
    return account_record(account(**changes), (), (), Mode.SIM)


def executed(**keys: Any) -> ExecutionResult:
    base: dict[str, Any] = {
        "now": NOW,
        "plan_status": "completed",
        "previous_digest": None,
        "archived_as": PLAN_PATH,
        "verdicts": (),
        "instructions": (line_result(fills=[fill()]),),
        "before": record(),
        "after": record(cash=Decimal(90_000)),
        "realized_pl": Decimal("12.50"),
    }
    return execution_result(CIRCUMSTANCES, **(base | keys))


def test_an_account_is_written_with_four_characters_of_its_number() -> None:
    written = record(account_number="PA0001234")
    assert written.account == "…1234"
    assert "0001" not in written.model_dump_json()


@given(st.decimals(-(10**9), 10**9, places=6))
def test_the_debit_is_minus_the_cash(cash: Decimal) -> None:
    written = record(cash=cash)
    assert abs(written.cash - cash) <= Decimal("0.005")
    assert written.margin_used == max(-written.cash, Decimal(0))


def test_holdings_and_open_orders_are_written() -> None:
    working = order("MU", quantity="4", broker_status="accepted", status=OrderStatus.OPEN)
    written = account_record(
        account(),
        [position("TSM", "3", "331.123456789123"), position("MU", "10")],
        [working],
        Mode.PAPER,
        unprotected=frozenset({"MU"}),
    )
    assert [(one.symbol, one.protection) for one in written.positions] == [
        ("MU", "unprotected"),
        ("TSM", None),
    ]
    assert written.positions[1].average_entry_price == Decimal("331.123456789")
    assert written.positions[0].market_value == Decimal("3314.40")
    (shown,) = written.open_orders
    assert (shown.client_order_id, shown.status) == ("other-1", "accepted")
    assert (shown.quantity, shown.limit_price) == (Decimal(4), Decimal(400))
    assert written.mode is Mode.PAPER


def test_an_execution_tells_the_account_after_the_run() -> None:
    found = executed(warnings=["w"], errors=["e"], timings_ms={"judge": Decimal("1.5")})
    assert found.kind == "execution"
    assert found.final_portfolio == final_portfolio(record(cash=Decimal(90_000)), Decimal("12.50"))
    assert found.final_portfolio.cash == 90_000
    assert found.account_before == record()
    assert found.execution_summary == summarize(found.instructions)
    assert (found.warnings, found.errors) == (("w",), ("e",))
    assert found.timings_ms == {"judge": Decimal("1.5")}
    assert (found.account, found.approval) == ("…1234", Approval(policy="none"))


def test_an_execution_without_an_account_afterwards_tells_the_one_before() -> None:
    found = executed(after=None)
    assert found.account == "…1234"
    assert found.final_portfolio.cash == 100_000


def test_an_execution_that_asked_no_broker_has_no_account() -> None:
    found = executed(before=None, after=None)
    assert found.account is None
    assert found.final_portfolio.total_value == 0
    assert found.final_portfolio.as_of is None
    assert found.final_portfolio.realized_pl == Decimal("12.50")


def test_a_settlement_names_the_result_that_it_goes_on_from() -> None:
    first = executed()
    found = settlement_result(
        first,
        "execution_results/2026-01/first.json",
        now=NOW + timedelta(hours=1),
        previous_digest="d" * 64,
        settings_digest="6" * 64,
        code_commit="e" * 40,
        instructions=[line_result(fills=[fill()])],
        after=record(cash=Decimal(1)),
        realized_pl=Decimal(0),
        warnings=["w"],
    )
    assert found.kind == "settlement"
    assert found.first_result == "execution_results/2026-01/first.json"
    kept = ("plan_digest", "plan_status", "strategy", "archived_as", "approval", "mode")
    assert all(getattr(found, name) == getattr(first, name) for name in kept)
    assert found.previous_result_digest == "d" * 64
    assert found.final_portfolio.cash == 1
    assert (found.code_commit, found.settings_digest) == ("e" * 40, "6" * 64)
    assert found.warnings == ("w",)
    assert found.verdicts == ()


STOPPED = LegResult(
    index=0,
    ticker="MU",
    side="sell",
    outcome=Outcome.FILLED,
    client_order_id="ai-stop",
    fills=(fill("4", "300"),),
    leg="stop",
    plan_digest=PLAN_DIGEST,
)


def test_legs_stand_beside_the_instructions_and_are_not_counted() -> None:
    found = executed(legs=[STOPPED])
    assert found.legs == (STOPPED,)
    assert found.execution_summary == executed().execution_summary


def test_a_state_that_was_set_is_part_of_the_result() -> None:
    state = TradingStateRecord(state=TradingState.ACTIVE, since=NOW, by="alice", reason="over")
    assert executed(state=state).state == state


def test_what_a_run_knows_so_far_folds_as_its_result_will() -> None:
    stop = StopTerms(stop_loss_pct=Decimal(8))
    bought = line_result(fills=[fill()], stop=stop)
    now = provisional_result(Mode.SIM, PLAN_DIGEST, "manual", NOW, (bought,), (STOPPED,))
    later = executed(instructions=(bought,), legs=(STOPPED,))
    so_far, after = fold([("", now)], Mode.SIM), fold([("path", later)], Mode.SIM)
    assert so_far.positions == after.positions
    (lot,), (same,) = so_far.lots.values(), after.lots.values()
    assert (lot.key, lot.quantity, lot.stop_price) == (same.key, same.quantity, same.stop_price)
    # Nothing is told of an account that nobody asked for.
    assert (so_far.opening_cash, so_far.peak_net) == (None, None)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (archive_name, "trading_instructions_history/2026-01/instructions_2026-01-14T13-45-00"),
        (result_name, "execution_results/2026-01/result_2026-01-14T13-45-00"),
        (review_name, "strategy_reviews/2026-01/review_2026-01-14T13-45-00"),
    ],
)
def test_a_history_file_is_named_by_the_second_of_its_time(name: Any, expected: str) -> None:
    assert name(datetime(2026, 1, 14, 13, 45, 0, 999_999, UTC)) == f"{expected}.json"


def test_the_month_is_that_of_utc() -> None:
    new_york = timezone(timedelta(hours=-5))
    assert result_name(datetime(2026, 1, 31, 20, 30, tzinfo=new_york)) == (
        "execution_results/2026-02/result_2026-02-01T01-30-00.json"
    )


@given(st.text("0123456789abcdef", min_size=64, max_size=64), st.integers(1, 40))
def test_there_is_always_a_further_name(digest: str, count: int) -> None:
    path = result_name(NOW)
    names = list(itertools.islice(alternatives(path, digest), count))
    assert names[0] == path
    assert len(set(names)) == count
    assert all(name.startswith(path.removesuffix(".json")) for name in names)
    assert all(name.endswith(".json") for name in names)


def test_further_names_carry_the_digest_and_then_a_number() -> None:
    assert list(itertools.islice(alternatives("a/b.json", "0123456789"), 4)) == [
        "a/b.json",
        "a/b-01234567.json",
        "a/b-01234567-2.json",
        "a/b-01234567-3.json",
    ]


def test_builders_of_the_tests_agree_with_the_real_thing() -> None:
    assert result(line_result(fills=[fill()])).instructions == executed().instructions
