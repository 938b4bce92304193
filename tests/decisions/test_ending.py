from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.decisions.ending import (
    Answers,
    Beside,
    Ending,
    Judged,
    conclude,
    refused,
    state_set,
    warnings_about,
)
from executor.decisions.validate import judge
from executor.errors import ExitCode
from executor.model.intent import PlannedOrder
from executor.model.ledger import LotKey
from executor.model.market import Reference, Rung
from executor.model.order import OrderStatus
from executor.model.order_result import LegResult, Outcome, Protection, Refusal, StopTerms
from executor.model.plan import PlanStatus, TradingInstructionSet
from executor.model.position import Position
from executor.model.verdict import Answer, Verdict
from tests.checks.builders import context, line, plan
from tests.decisions.record_builders import (
    NOW,
    PLAN_DIGEST,
    fill,
    intent,
    line_result,
    piece,
    planned,
    report,
)
from tests.decisions.test_results import record

REFUSAL = Refusal(status=403, code=40310000, body='{"message": "insufficient buying power"}')


def no(check: str = "buying_power", pointer: str | None = None) -> Verdict:
    return Verdict(
        check=check, answer=Answer.NO, pointer=pointer, observed="observed", remedy="remedy"
    )


def warning(text: str) -> Verdict:
    return Verdict(check="price_collar", answer=Answer.YES, warning=text)


MIXED = plan(
    line("SELL", "AMD", quantity="4"), line("BUY", "MU", quantity="10"), line("BUY", "TSM")
)
ORDERS = (
    planned(0, side="sell", symbol="AMD", quantity="4"),
    planned(1),
    planned(2, symbol="TSM"),
)


def ended(
    answers: Answers,
    the_plan: TradingInstructionSet = MIXED,
    orders: tuple[PlannedOrder, ...] = ORDERS,
    **keys: Any,
) -> Ending:
    base: dict[str, Any] = {
        "verdicts": (),
        "denied": frozenset(),
        "arrivals": {},
        "held_before": {},
        "seen_at": NOW,
        "slippage_warning_bps": Decimal(50),
        "plan_digest": PLAN_DIGEST,
    }
    return conclude(the_plan, intent(*orders), answers, **(base | keys))


def outcomes(ending: Ending) -> list[str]:
    return [one.outcome.value for one in ending.instructions]


def test_every_line_has_its_outcome_in_the_plans_order() -> None:
    sell, buy, lost = (one.client_order_id for one in ORDERS)
    found = ended(
        Answers(
            reports={sell: report(ORDERS[0], average_fill_price=Decimal(221))},
            refusals={buy: REFUSAL},
            unknown={lost: "no answer within 10 s"},
        ),
        arrivals={sell: Decimal(220), buy: Decimal(331), lost: Decimal(331)},
        held_before={"AMD": Position("AMD", Decimal(4), Decimal(800))},
    )
    assert outcomes(found) == ["filled", "rejected", "unknown"]
    assert [one.index for one in found.instructions] == [0, 1, 2]
    assert found.status is PlanStatus.COMPLETED
    assert found.realized_pl == Decimal("84.00")
    assert found.instructions[1].refusal == REFUSAL
    assert [one.arrival_price for one in found.instructions] == [220, 331, 331]
    assert found.errors == (
        "instructions[1] MU: the broker refused the order: status 403, code 40310000",
        "instructions[2] TSM: sent, but nobody knows what became of it: no answer within 10 s;"
        f" look for order {lost} at the broker, then run `autoinvestor settle`",
    )
    assert found.exit_code is ExitCode.PERSON


def test_a_refusal_without_a_code_is_told_without_one() -> None:
    (key,) = (one.client_order_id for one in ORDERS[:1])
    refusal = REFUSAL.model_copy(update={"code": None})
    found = ended(Answers(refusals={key: refusal}), plan(line("SELL", "AMD")), ORDERS[:1])
    assert found.errors == ("instructions[0] AMD: the broker refused the order: status 403",)


def test_what_was_not_sent_is_told_apart_from_what_was_denied() -> None:
    found = ended(Answers(), orders=ORDERS[:2], denied=frozenset({1, 2}))
    assert outcomes(found) == ["not_sent", "denied", "denied"]
    assert found.instructions[0].client_order_id == ORDERS[0].client_order_id
    assert found.instructions[1].client_order_id is None
    assert found.errors == ("instructions[0] AMD: not sent",)
    assert found.exit_code is ExitCode.REFUSED


def test_a_line_that_never_became_an_order_was_not_sent() -> None:
    assert outcomes(ended(Answers(), orders=())) == ["not_sent"] * 3


def test_an_order_that_the_broker_rejected_later_is_an_error() -> None:
    rejected = report(
        ORDERS[1], status=OrderStatus.REJECTED, filled_quantity=Decimal(0), average_fill_price=None
    )
    found = ended(
        Answers(reports={rejected.client_order_id: rejected}),
        plan(line("SELL", "AMD"), line()),
        ORDERS[1:2],
        denied=frozenset({0}),
    )
    assert found.errors == ("instructions[1] MU: rejected",)


def test_the_size_of_a_sale_of_everything_is_the_brokers() -> None:
    sale = planned(0, side="sell", quantity="1")
    found = ended(
        Answers(reports={sale.client_order_id: report(sale, quantity=Decimal(70))}),
        plan(line("SELL", quantity="all")),
        (sale,),
    )
    assert found.instructions[0].quantity == Decimal(70)


def test_an_order_by_notional_has_no_quantity_of_its_own() -> None:
    bought = planned(0, notional="1000")
    found = ended(
        Answers(reports={bought.client_order_id: report(bought, quantity=None)}),
        plan(line("BUY", notional="1000")),
        (bought,),
    )
    assert found.instructions[0].quantity is None
    assert found.instructions[0].notional == 1000


def stands(state: Any = "stop", quantity: object = 10, reason: str = "") -> Protection:
    return Protection(
        symbol="MU",
        state=state,
        quantity=Decimal(str(quantity)),
        stop_price=Decimal("304.92"),
        reason=reason,
    )


def protected(*states: Protection, alarms: tuple[str, ...] = ()) -> Ending:
    """The end of a plan that bought with a stop."""
    order = planned(0)
    return ended(
        Answers(reports={order.client_order_id: report(order)}),
        plan(line("BUY", stop_loss_pct="8")),
        (order,),
        beside=Beside(states={LotKey(PLAN_DIGEST, 0): states}, alarms=alarms),
    )


def test_what_was_bought_says_how_it_is_protected() -> None:
    found = protected(stands())
    assert found.instructions[0].protection == (stands(),)
    assert found.instructions[0].stop == StopTerms(stop_loss_pct=Decimal(8))
    assert (found.warnings, found.errors, found.exit_code) == ((), (), ExitCode.DONE)


def test_what_stands_for_another_plan_is_not_told_of_this_one() -> None:
    order = planned(0)
    found = ended(
        Answers(reports={order.client_order_id: report(order)}),
        plan(line()),
        (order,),
        beside=Beside(states={LotKey("cd" * 32, 0): (stands(),)}),
    )
    assert found.instructions[0].protection == ()


def test_a_part_without_a_stop_is_a_warning() -> None:
    found = protected(stands("unprotected", "0.5", "a reason"), stands())
    assert found.warnings == ("instructions[0] MU: 0.5 shares unprotected: a reason",)
    assert found.exit_code is ExitCode.DONE


def test_a_holding_that_was_sold_at_once_is_a_warning() -> None:
    found = protected(stands("exited", 10, "the price was through its stop"))
    assert found.warnings == (
        "instructions[0] MU: 10 shares sold at once: the price was through its stop",
    )


def test_a_stop_that_is_missing_is_an_error_and_for_a_person() -> None:
    found = protected(stands("unprotected", 10, "why"), alarms=("MU: 10 shares without a stop",))
    assert found.errors == found.alarms == ("MU: 10 shares without a stop",)
    assert found.exit_code is ExitCode.PERSON


LINES = plan(
    line("CANCEL", client_order_id="other-1"), line("PROTECT", stop_price="300"), line("BUY")
)


def lined(**keys: Any) -> Ending:
    """The end of a plan with a CANCEL, a PROTECT and a BUY that filled."""
    order = planned(2)
    answers = Answers(reports={order.client_order_id: report(order)})
    return ended(answers, LINES, (order,), beside=Beside(**keys))


def test_lines_that_were_carried_out_are_done() -> None:
    found = lined(done=frozenset({0, 1}))
    assert outcomes(found) == ["done", "done", "filled"]
    assert found.instructions[1].stop == StopTerms(stop_price=Decimal(300))
    assert (found.status, found.exit_code) == (PlanStatus.COMPLETED, ExitCode.DONE)


def test_a_line_that_could_not_be_carried_out_says_why() -> None:
    found = lined(done=frozenset({1}), undone={0: "order other-1 had filled"})
    assert outcomes(found) == ["not_sent", "done", "filled"]
    assert found.errors == ("instructions[0] MU: order other-1 had filled",)
    assert found.exit_code is ExitCode.REFUSED


def test_a_plan_of_which_one_line_was_carried_out_is_completed() -> None:
    found = ended(Answers(), LINES, (), beside=Beside(done=frozenset({1})), denied=frozenset({2}))
    assert outcomes(found) == ["not_sent", "done", "denied"]
    assert found.status is PlanStatus.COMPLETED


SOLD = LegResult(
    index=0,
    ticker="MU",
    side="sell",
    outcome=Outcome.FILLED,
    fills=(fill("4", "290"),),
    leg="stop",
    plan_digest="cd" * 32,
)


def test_what_protective_orders_closed_counts_and_what_they_did_is_told() -> None:
    found = ended(
        Answers(),
        beside=Beside(legs=(SOLD,)),
        held_before={"MU": Position("MU", Decimal(10), Decimal(3_000))},
    )
    assert found.legs == (SOLD,)
    assert found.realized_pl == Decimal("-40.00")
    # Something was sent, so the plan is not one of which nothing was.
    assert found.status is PlanStatus.COMPLETED


UNTIL = "2026-01-16T21:00:00Z"


@pytest.mark.parametrize(
    ("keys", "status", "kept"),
    [
        ({"time_in_force": "gtc"}, OrderStatus.OPEN, True),
        ({"time_in_force": "day"}, OrderStatus.OPEN, False),
        ({"time_in_force": "gtc"}, OrderStatus.FILLED, False),
        ({"time_in_force": "gtc", "side": "sell"}, OrderStatus.OPEN, False),
    ],
    ids=["rests", "ends by itself", "over", "an exit"],
)
def test_an_entry_that_rests_for_long_keeps_the_end_of_its_plan(
    keys: dict[str, Any], status: OrderStatus, kept: bool
) -> None:
    order = planned(0, order_type="limit", limit_price="320", **keys)
    answer = report(order, status=status, filled_quantity=Decimal(0 if kept else 10))
    action = "SELL" if order.side == "sell" else "BUY"
    for until in (UNTIL, None):
        found = ended(
            Answers(reports={order.client_order_id: answer}),
            plan(line(action), valid_until=until) if until else plan(line(action)),
            (order,),
        )
        told = found.instructions[0].valid_until
        assert (told is not None) is (kept and until is not None)


@given(st.sampled_from(("unprotected", "stop", "bracket", "exited")))
def test_only_what_has_no_stop_is_a_warning(state: str) -> None:
    one = line_result(fills=[fill()], protection=[stands(state)])
    assert bool(warnings_about(one, Decimal(50))) is (state in ("unprotected", "exited"))


@pytest.mark.parametrize("rebase", [True, False])
def test_a_plan_may_set_the_trading_state(rebase: bool) -> None:
    before = NOW - timedelta(days=1)
    asks = {"state": "ACTIVE", "reason": "it is over", "rebase_peak": rebase}
    asked = TradingInstructionSet.model_validate(
        {"strategy_type": "t", "reason": "r", "instructions": [], "trading_state": asks}
    )
    found = state_set(
        asked, (warning("wide"),), plan_digest=PLAN_DIGEST, now=NOW, rebased_at=before
    )
    assert found.state is not None
    assert (found.state.state, found.state.reason) == ("ACTIVE", "it is over")
    assert (found.state.since, found.state.by) == (NOW, "plan abababab")
    assert found.state.peak_equity_rebased_at == (NOW if rebase else before)
    assert (found.status, found.exit_code) == (PlanStatus.COMPLETED, ExitCode.DONE)
    assert found.warnings == ("price_collar: wide",)


def test_the_pieces_of_what_filled_are_its_fills() -> None:
    order = planned(0)
    pieces = {"broker-0": (piece(4, 331), piece(6, "331.7", 1))}
    found = ended(
        Answers(reports={order.client_order_id: report(order)}, pieces=pieces),
        plan(line()),
        (order,),
    )
    assert [one.quantity for one in found.instructions[0].fills] == [4, 6]


@pytest.mark.parametrize(
    ("arrival", "warns"), [("330", False), ("329.79", True), ("331.44", False), ("340", False)]
)
def test_a_fill_far_from_the_price_at_sending_is_a_warning(arrival: str, warns: bool) -> None:
    order = planned(0)
    found = ended(
        Answers(reports={order.client_order_id: report(order)}),
        plan(line()),
        (order,),
        arrivals={order.client_order_id: Decimal(arrival)},
    )
    assert [one.split(":")[1] for one in found.warnings] == (
        [" filled 50.03 basis points worse than the price at sending, over 50"] if warns else []
    )


def test_noes_are_errors_and_warnings_are_kept_but_for_checks_that_are_off() -> None:
    verdicts = (no(), warning("wide"), warning("off: named in acknowledged_disabled"))
    found = ended(Answers(), verdicts=verdicts)
    assert found.errors[0] == "buying_power: observed; remedy"
    assert found.warnings == ("price_collar: wide",)
    assert found.verdicts == verdicts


@given(st.lists(st.sampled_from(("report", "refusal", "unknown", "nothing")), max_size=6))
def test_each_instruction_is_told_once(kinds: list[str]) -> None:
    orders = tuple(planned(at) for at in range(len(kinds)))
    keys = [one.client_order_id for one in orders]
    answers = Answers(
        {key: report(order) for key, order, kind in zip(keys, orders, kinds, strict=True)
         if kind == "report"},
        {key: REFUSAL for key, kind in zip(keys, kinds, strict=True) if kind == "refusal"},
        {key: "why" for key, kind in zip(keys, kinds, strict=True) if kind == "unknown"},
    )  # fmt: skip
    found = ended(answers, plan(*(line() for _ in kinds)) if kinds else MIXED, orders)
    assert [one.index for one in found.instructions] == list(range(len(kinds) or 3))
    told = {"report": "filled", "refusal": "rejected", "unknown": "unknown", "nothing": "not_sent"}
    assert outcomes(found) == ([told[kind] for kind in kinds] or ["not_sent"] * 3)


@pytest.mark.parametrize(
    ("verdicts", "status", "outcome"),
    [
        ((no("document"),), PlanStatus.REJECTED, "denied"),
        ((no("buying_power", "/instructions/0"),), PlanStatus.REJECTED, "denied"),
        ((no("plan_fresh"),), PlanStatus.EXPIRED, "not_sent"),
        ((no("plan_fresh", "/valid_until"),), PlanStatus.EXPIRED, "not_sent"),
        ((no("plan_fresh"), no("approval")), PlanStatus.REJECTED, "denied"),
        (
            (no("plan_fresh", "/valid_until"), no("buying_power", "/instructions/0")),
            PlanStatus.EXPIRED,
            "not_sent",
        ),
    ],
)
def test_a_plan_of_which_nothing_was_sent_is_rejected_or_expired(
    verdicts: tuple[Verdict, ...], status: PlanStatus, outcome: str
) -> None:
    found = refused(verdicts, MIXED)
    assert found.status is status
    assert outcomes(found) == [outcome] * 3
    assert found.exit_code is ExitCode.REFUSED
    assert len(found.errors) == len(verdicts)


def test_a_plan_that_cannot_be_read_has_no_lines() -> None:
    found = refused((no("document"), warning("wide")))
    assert found.instructions == ()
    assert found.warnings == ("price_collar: wide",)
    assert found.exit_code is ExitCode.REFUSED


def test_a_plan_that_was_executed_before_is_a_duplicate_and_no_failure() -> None:
    found = refused((), MIXED, executed=True)
    assert found.status is PlanStatus.DUPLICATE
    assert outcomes(found) == ["not_sent"] * 3
    assert found.exit_code is ExitCode.DONE


@pytest.mark.parametrize("outcome", list(Outcome))
def test_the_exit_code_of_a_completed_plan(outcome: Outcome) -> None:
    ending = Ending(PlanStatus.COMPLETED, instructions=(line_result(outcome=outcome),))
    expected = {
        Outcome.UNKNOWN: ExitCode.PERSON,
        Outcome.DENIED: ExitCode.REFUSED,
        Outcome.REJECTED: ExitCode.REFUSED,
        Outcome.NOT_SENT: ExitCode.REFUSED,
    }
    assert ending.exit_code is expected.get(outcome, ExitCode.DONE)


def test_the_price_at_sending_is_that_of_the_line() -> None:
    reference = Reference(Decimal("331.44"), Rung.QUOTE, NOW, Decimal(1))
    judged = Judged(
        judgment=judge(context(), []),
        references={1: reference, 2: None},
        available={},
        before=record(),
        facts=context().facts,
    )
    assert judged.arrivals(ORDERS) == {ORDERS[1].client_order_id: Decimal("331.44")}


def test_the_fill_of_an_ending_is_that_of_its_report() -> None:
    order = planned(0)
    found = ended(
        Answers(reports={order.client_order_id: report(order, filled_at=NOW)}),
        plan(line()),
        (order,),
    )
    assert found.instructions[0].fills == (fill(at=NOW),)


@pytest.mark.parametrize(
    ("verdicts", "status"),
    [
        ((no("plan_fresh"),), PlanStatus.EXPIRED),
        ((no("approval"),), PlanStatus.REJECTED),
        ((), PlanStatus.REJECTED),
    ],
)
def test_an_intent_of_which_nothing_was_sent_did_not_complete(
    verdicts: tuple[Verdict, ...], status: PlanStatus
) -> None:
    found = ended(Answers(), verdicts=verdicts)
    assert found.status is status
    assert found.exit_code is ExitCode.REFUSED


def test_a_line_that_another_ones_refusal_held_back_says_so() -> None:
    refused_line = Verdict(
        check="price_collar",
        answer=Answer.NO,
        pointer="/instructions/1",
        observed="too far",
        limit="nearer",
        remedy="wait",
    )
    found = ended(Answers(), orders=ORDERS[:1], denied=frozenset({1, 2}), verdicts=(refused_line,))
    assert any("instructions[2] TSM: held back because another line" in one for one in found.errors)
    assert not any("instructions[1] MU: held back" in one for one in found.errors)
