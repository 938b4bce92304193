from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from executor.decisions.concerns import ON_SALE, resting
from executor.decisions.ending import Answers, Beside, refused, state_set
from executor.decisions.results import account_record, final_portfolio
from executor.decisions.validate import Judgment
from executor.errors import ExitCode
from executor.model.account import Mode
from executor.model.intent import PlannedOrder
from executor.model.ledger import LotKey
from executor.model.order import OrderStatus
from executor.model.order_result import Outcome, Protection
from executor.model.plan import TradingInstructionSet
from executor.model.result import ExecutionResult
from executor.model.verdict import Answer, Verdict
from executor.model.writing import write_document
from executor.reports.blocks import plain_text
from executor.reports.execution import (
    account_line,
    finished,
    holdings_line,
    nothing_pending,
    orders_table,
    outcomes_table,
    preview,
    waiting,
)
from executor.reports.reply import Reply
from tests.checks.builders import account, line, plan, position
from tests.decisions.record_builders import NOW, PLAN_DIGEST, fill, line_result, planned, report
from tests.decisions.test_ending import MIXED, ORDERS, REFUSAL, ended, no
from tests.decisions.test_results import executed, record
from tests.golden_files import assert_golden

RESULT_PATH = "execution_results/2026-01/result_2026-01-14T15-00-00.json"

VERDICTS = (
    no("order_notional_max", "/instructions/2"),
    Verdict(check="plan_fresh", answer=Answer.YES),
    Verdict(
        check="session",
        answer=Answer.NOT_NOW,
        observed="closed",
        limit="an open market",
        remedy="it waits for 2026-01-15T14:30:00Z",
    ),
    Verdict(check="price_collar", answer=Answer.YES, warning="no decision_price"),
    Verdict(check="sector_max", answer=Answer.YES, warning="off: named in acknowledged_disabled"),
    Verdict(check="document", answer=Answer.NOT_JUDGED_HERE),
)


def judgment(*verdicts: Verdict) -> Judgment:
    nothing: frozenset[int] = frozenset()
    return Judgment(verdicts, nothing, nothing, False, True, False, nothing, nothing)


def text(reply: Reply) -> str:
    # What `--json` gives must be a document too.
    write_document(reply.data)
    return plain_text(reply.blocks)


def test_without_a_plan_nothing_is_pending() -> None:
    assert text(nothing_pending()) == "nothing pending: there is no plan on main"
    assert nothing_pending().exit_code is ExitCode.DONE


def test_a_preview_shows_what_would_be_sent() -> None:
    orders = (
        planned(0, side="sell", symbol="AMD", quantity="4.5"),
        planned(1, notional="28000"),
        planned(2, symbol="TSM", order_type="limit", limit_price="331.2"),
        planned(3, symbol="NVDA", order_type="stop", stop_price="200"),
    )
    found = preview(
        PLAN_DIGEST,
        plan(line(stop_loss_pct="8"), line("BUY", "AMD")),
        judgment(*VERDICTS),
        orders,
        record(),
    )
    assert_golden("execute_preview", text(found))
    assert found.exit_code is ExitCode.DONE
    assert found.data["state"] == "pending"
    assert [one["client_order_id"] for one in found.data["orders"]] == [
        one.client_order_id for one in orders
    ]


def test_a_preview_shows_what_would_be_canceled_and_protected() -> None:
    asked = plan(
        line("CANCEL", client_order_id="ai-1"),
        line("PROTECT", stop_price="300"),
        line("PROTECT", "AMD", trail_percent="5"),
        line("PROTECT", "TSM", protect="none", loosen=True),
        line("PROTECT", "NVDA", stop_price="1"),
        line("SELL", order_type="stop", stop_price="290"),
    )
    going = replace(judgment(), going=frozenset({0, 1, 2, 3, 5}))
    shown = text(preview(PLAN_DIGEST, asked, going, (), record())).splitlines()
    assert [one for one in shown if one.startswith("would ")] == [
        "would cancel order ai-1",
        "would put the stop of MU at 300.00 USD",
        "would have the stop of AMD trail by 5 %",
        "would take the stop of TSM away",
    ]
    # Nothing is bought, so nothing is said of stops that follow.
    assert not any("bought" in one for one in shown)


def test_an_order_of_no_size_is_shown_without_one() -> None:
    order = PlannedOrder.model_validate(planned().model_dump() | {"quantity": None})
    assert orders_table([order]).rows[0][2] == ""


@pytest.mark.parametrize("submitted", [True, False])
def test_a_plan_that_waits_says_why(submitted: bool) -> None:
    found = waiting(PLAN_DIGEST, judgment(*VERDICTS), submitted=submitted)
    assert_golden(f"execute_waiting_{'submitted' if submitted else 'shown'}", text(found))
    assert (found.exit_code, found.data["state"]) == (ExitCode.DONE, "waiting")


def test_a_plan_that_an_earlier_run_validated_says_how_to_go_on() -> None:
    assert text(waiting(PLAN_DIGEST, None, submitted=False)) == (
        "plan abababab: validated by an earlier run; `execute --submit` finishes it"
    )


def ending(**keys: Any) -> Any:
    sell, buy, lost = (one.client_order_id for one in ORDERS)
    return ended(
        Answers(
            reports={sell: report(ORDERS[0], average_fill_price=Decimal("221.05"))},
            refusals={buy: REFUSAL},
            unknown={lost: "no answer within 10 s"},
        ),
        arrivals={sell: Decimal(222)},
        slippage_warning_bps=Decimal(10),
        **keys,
    )


def written(realized: str = "84.2") -> ExecutionResult:
    after = account_record(account(), [position("MU", "42.24")], (), Mode.SIM)
    return executed(after=after, realized_pl=Decimal(realized))


def test_the_end_of_a_plan_line_by_line() -> None:
    found = finished(PLAN_DIGEST, ending(), written(), RESULT_PATH)
    assert_golden("execute_finished", text(found))
    assert found.exit_code is ExitCode.PERSON
    assert found.data["result_path"] == RESULT_PATH
    assert len(found.data["errors"]) == 2


def stands(state: Any, stop: str | None = "304.92", reason: str = "") -> Protection:
    price = None if stop is None else Decimal(stop)
    return Protection(
        symbol="MU", state=state, quantity=Decimal(10), stop_price=price, reason=reason
    )


def test_how_what_was_bought_is_protected_is_told_line_by_line() -> None:
    order = planned(0)
    states = (
        stands("stop"),
        stands("bracket"),
        stands("exited", reason="the price was through its stop"),
        stands("unprotected", None, "a trailing stop takes whole shares only"),
    )
    alarm = "MU: 10 shares without their stop at 304.92 USD: why"
    found = ended(
        Answers(reports={order.client_order_id: report(order)}),
        plan(line(stop_loss_pct="8")),
        (order,),
        beside=Beside(states={LotKey(PLAN_DIGEST, 0): states}, alarms=(alarm,)),
    )
    reply = finished(PLAN_DIGEST, found, written("0"), RESULT_PATH)
    assert_golden("execute_protected", text(reply))
    assert reply.exit_code is ExitCode.PERSON
    assert alarm in reply.data["errors"]


def test_what_a_sell_leaves_without_its_stop_is_told_once() -> None:
    order = planned(0)
    rests = stands("unprotected", reason=ON_SALE)
    found = ended(
        Answers(reports={order.client_order_id: report(order)}),
        plan(line(stop_loss_pct="8")),
        (order,),
        beside=Beside(states={LotKey("ef" * 32, 0): (rests,)}),
    )
    said = "MU (10 shares) is without its stop at 304.92 while the SELL rests; if it does not"
    warned = replace(found, warnings=(*found.warnings, *resting(found.stands), "else"))
    reply = finished(PLAN_DIGEST, warned, written("0"), RESULT_PATH)
    assert text(reply).count(said) == 1
    assert "  warning: else" in text(reply)
    assert (reply.exit_code, len(reply.data["without_stop"])) == (ExitCode.DONE, 1)
    waits = waiting(
        PLAN_DIGEST, judgment(*VERDICTS), submitted=True, stands=(rests, stands("stop"))
    )
    assert text(waits).count(said) == 1
    assert waits.data["without_stop"] == reply.data["without_stop"]


def test_an_order_that_rests_says_who_follows_it() -> None:
    order = planned(0, order_type="limit", limit_price="300")
    rests = report(order, status=OrderStatus.OPEN, filled_quantity=Decimal(0))
    found = ended(
        Answers(reports={order.client_order_id: rests}),
        plan(line(order_type="limit", limit_price="300")),
        (order,),
    )
    reply = finished(PLAN_DIGEST, found, written("0"), RESULT_PATH)
    assert "still open: `autoinvestor settle` follows it" in text(reply)


def test_a_state_that_a_plan_set_is_told() -> None:
    asks = {"state": "ACTIVE", "reason": "it is over"}
    asked = TradingInstructionSet.model_validate(
        {"strategy_type": "t", "reason": "r", "instructions": [], "trading_state": asks}
    )
    found = state_set(asked, (), plan_digest=PLAN_DIGEST, now=NOW, rebased_at=None)
    reply = finished(PLAN_DIGEST, found, written("0"), RESULT_PATH)
    assert text(reply).splitlines()[:2] == [
        "plan abababab: completed",
        "trading is ACTIVE: it is over",
    ]
    assert reply.exit_code is ExitCode.DONE


def test_what_was_sent_before_the_rest_waits_is_told() -> None:
    sent = line_result(fills=[fill()], broker_order_id="broker-0")
    found = waiting(PLAN_DIGEST, judgment(*VERDICTS), submitted=True, so_far=[sent, line_result(1)])
    assert "the rest stays on main, and this was sent" in text(found)
    assert len(found.data["sent"]) == 1


def test_without_a_result_it_says_what_would_be() -> None:
    found = finished(PLAN_DIGEST, refused((no(),), MIXED), None, None)
    assert_golden("execute_would_be_rejected", text(found))
    assert found.data["result"] is None


def test_a_duplicate_says_that_it_was_executed_before() -> None:
    found = finished(PLAN_DIGEST, refused((), plan(), executed=True), written("0"), RESULT_PATH)
    assert_golden("execute_duplicate", text(found))
    assert found.exit_code is ExitCode.DONE


def test_a_plan_that_cannot_be_read_has_no_table_and_no_account() -> None:
    result = executed(before=None, after=None, realized_pl=Decimal(0), instructions=())
    found = finished(PLAN_DIGEST, refused((no("document"),)), result, RESULT_PATH)
    assert_golden("execute_unreadable", text(found))


@pytest.mark.parametrize(
    ("one", "row"),
    [
        (
            line_result(fills=[fill()], slippage_bps="-1.5"),
            ("0", "BUY", "MU", "filled", "10", "331.44", "-1.5"),
        ),
        (
            line_result(1, side=None, outcome=Outcome.NOT_SENT),
            ("1", "", "MU", "not sent", "0", "", ""),
        ),
    ],
)
def test_a_row_of_the_outcomes(one: Any, row: tuple[str, ...]) -> None:
    assert outcomes_table([one]).rows == (row,)


def test_an_account_in_one_line() -> None:
    assert account_line(record()).text == (
        "account: cash 100,000.00 USD, equity 100,000.00 USD, holds nothing"
    )


def test_holdings_after_a_run_in_one_line() -> None:
    assert holdings_line(final_portfolio(record(), Decimal(0))).text.endswith("holds nothing")
