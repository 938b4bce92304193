from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.decisions.ending import Answers, Ending, Judged, conclude, refused
from executor.decisions.validate import judge
from executor.errors import ExitCode
from executor.model.intent import PlannedOrder
from executor.model.market import Reference, Rung
from executor.model.order import OrderStatus
from executor.model.plan import PlanStatus, TradingInstructionSet
from executor.model.position import Position
from executor.model.result import Outcome, Refusal
from executor.model.verdict import Answer, Verdict
from tests.checks.builders import context, line, plan
from tests.decisions.record_builders import NOW, fill, intent, line_result, planned, report
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


def test_a_holding_without_its_stop_is_a_warning() -> None:
    (order,) = (planned(0),)
    found = ended(
        Answers(reports={order.client_order_id: report(order)}),
        plan(line("BUY", stop_loss_pct="8")),
        (order,),
    )
    assert found.instructions[0].protection[0].stop_price == Decimal("304.92")
    assert found.warnings == (
        "instructions[0] MU: 10 shares unprotected: this version places no stops at the broker;"
        " watch the price yourself",
    )
    assert found.exit_code is ExitCode.DONE


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
