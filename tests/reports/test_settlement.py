from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from executor.decisions.concerns import ON_SALE, resting
from executor.decisions.ledger import fold
from executor.errors import ExitCode
from executor.model.account import Mode
from executor.model.activity import Activity
from executor.model.ledger import Ledger
from executor.model.order_result import LegResult, Outcome, Protection
from executor.model.result import ExecutionResult, Observed
from executor.model.state import TradingState, TradingStateRecord
from executor.model.writing import write_document
from executor.reports.blocks import Line, plain_text
from executor.reports.reply import Reply
from executor.reports.settlement import legs_table, report_settled, report_unopened
from tests.decisions.record_builders import (
    NOW,
    PLAN_DIGEST,
    fill,
    line_result,
    numbered,
    result,
)
from tests.golden_files import assert_golden


def text(reply: Reply) -> str:
    # What `--json` gives must be a document too.
    write_document(reply.data)
    return plain_text(reply.blocks)


def with_orders(*outcomes: Outcome) -> Ledger:
    """A record with an order of each outcome."""
    lines = [line_result(at, outcome=one) for at, one in enumerate(outcomes)]
    return fold(numbered([result(*lines)]), Mode.SIM)


def later(*lines: Any, **keys: Any) -> ExecutionResult:
    return result(*lines, timestamp=NOW + timedelta(hours=1), **({"kind": "settlement"} | keys))


def leg(**keys: Any) -> LegResult:
    base: dict[str, Any] = {
        "index": 0,
        "ticker": "MU",
        "side": "sell",
        "quantity": "10",
        "order_type": "stop",
        "stop_price": "304.92",
        "outcome": Outcome.OPEN,
        "client_order_id": "ai-stop",
        "leg": "stop",
        "plan_digest": PLAN_DIGEST,
    }
    return LegResult.model_validate(base | keys)


def test_nothing_new_is_said_in_a_line() -> None:
    assert text(report_settled([], Ledger())) == (
        "nothing new about the orders of the record\norders still open: 0"
    )
    still = report_settled([], with_orders(Outcome.OPEN, Outcome.OPEN))
    assert still.blocks[-1] == Line("orders still open: 2", "waiting")
    assert still.exit_code is ExitCode.DONE


def test_every_changed_order_is_shown() -> None:
    filled = later(
        line_result(fills=[fill()]),
        legs=(leg(), leg(leg="fraction", quantity="0.5")),
        warnings=("instructions[0] MU: 10 shares unprotected",),
    )
    expired = later(line_result(outcome=Outcome.EXPIRED, ticker="TSM"), plan_digest=None)
    stopped = later(legs=(leg(outcome=Outcome.FILLED, fills=(fill("10", "304"),)),))
    found = report_settled([filled, expired, stopped], with_orders(Outcome.OPEN))
    assert_golden("settled", text(found))
    assert found.exit_code is ExitCode.DONE
    assert found.data["still_open"] == 1
    assert len(found.data["results"]) == 3


def booked(*activities: Activity) -> ExecutionResult:
    return later(kind="activity", activities=activities, plan_digest=None)


def activity(number: int, kind: str, **keys: Any) -> Activity:
    return Activity.model_validate({"id": f"20260114::{number}", "kind": kind, "at": NOW} | keys)


def test_everything_that_is_no_order_is_told_by_its_kind() -> None:
    tripped = TradingStateRecord(
        state=TradingState.REDUCE_ONLY, since=NOW, by="daily_loss", reason="down 6 %"
    )
    dividend = activity(1, "DIV", symbol="MU", net_amount="12.5")
    split = activity(2, "SPLIT", symbol="MU", quantity="10", net_amount="0")
    foreign = Observed(
        kind="order", key="theirs", symbol="AMD", side="buy", quantity=Decimal(3), status="new"
    )
    found = report_settled(
        [
            booked(dividend, split, activity(3, "MEMO")),
            booked(dividend),
            later(kind="observed", observed=(foreign,), plan_digest=None),
            later(kind="state", state=tripped, plan_digest=None),
        ],
        Ledger(),
    )
    assert_golden("settled_activities", text(found))
    assert found.exit_code is ExitCode.DONE


OBSERVED = {
    "theirs": Observed(
        kind="order", key="theirs", symbol="AMD", side="buy", quantity=Decimal(3), status="new"
    ),
    "by worth": Observed(kind="order", key="by worth", status="new"),
    "TSM": Observed(
        kind="position", key="TSM", symbol="TSM", quantity=Decimal("-0.5"), status="held"
    ),
    "CASH": Observed(kind="cash", key="CASH", quantity=Decimal("12.5"), status="held"),
}


def test_whatever_a_person_has_to_look_at_is_told_with_what_to_do() -> None:
    ledger = replace(with_orders(Outcome.UNKNOWN), observed=OBSERVED)
    found = report_settled(
        [],
        ledger,
        alarms=("MU: 10 shares without their stop at 304.92 USD: why",),
        warnings=("cash: a few cents",),
    )
    assert_golden("settled_for_a_person", text(found))
    assert found.exit_code is ExitCode.PERSON
    assert found.data["unprotected"] == ["MU: 10 shares without their stop at 304.92 USD: why"]
    assert [one["key"] for one in found.data["observed"]] == list(OBSERVED)
    assert (found.data["unknown"], found.data["warnings"]) == (1, ["cash: a few cents"])


@pytest.mark.parametrize(
    "keys",
    [{"alarms": ("MU: no stop",)}, {"ledger": replace(Ledger(), observed=OBSERVED)},
     {"ledger": with_orders(Outcome.UNKNOWN)}],
    ids=["a stop is missing", "something is not explained", "an order is unknown"],
)  # fmt: skip
def test_each_of_these_alone_is_for_a_person(keys: dict[str, Any]) -> None:
    ledger = keys.pop("ledger", Ledger())
    assert report_settled([], ledger, **keys).exit_code is ExitCode.PERSON


def test_a_warning_alone_is_not_for_a_person() -> None:
    assert report_settled([], Ledger(), warnings=("cents",)).exit_code is ExitCode.DONE


def test_a_leg_without_size_type_and_price_has_empty_cells() -> None:
    bare = leg(quantity=None, order_type=None, stop_price=None, outcome=Outcome.UNKNOWN)
    assert legs_table([bare]).rows == (("0", "stop", "MU", "", "", "", "unknown", "0", ""),)


def test_what_stands_and_what_has_no_stop_is_told() -> None:
    held = fold(numbered([result(line_result(fills=[fill()]))]), Mode.SIM)
    stands = (
        Protection(symbol="AMD", state="stop", quantity=Decimal(5), stop_price=Decimal(92)),
        Protection(symbol="TSM", state="unprotected", quantity=Decimal(1), reason="why"),
    )
    reply = report_settled((), held, stands=stands)
    told = text(reply)
    assert "protected: 5 AMD, stop at 92.00 USD" in told
    assert "held without a stop: MU" in told
    bare = "TSM: 1 shares without their stop: why"
    assert f"  unprotected: {bare}" in told
    assert (reply.data["without_stop"], reply.data["unprotected"]) == ([bare], [])
    # Told as an alarm it is told once, and then for a person.
    alarmed = report_settled((), held, stands=stands, alarms=(bare,))
    assert text(alarmed).count(bare) == 1
    assert (reply.exit_code, alarmed.exit_code) == (ExitCode.DONE, ExitCode.PERSON)


def test_what_a_sell_leaves_without_its_stop_is_told_each_time_and_once() -> None:
    rests = Protection(
        symbol="MU", state="unprotected", quantity=Decimal(8), stop_price=Decimal(92),
        reason=ON_SALE,
    )  # fmt: skip
    said = "MU (8 shares) is without its stop at 92 while the SELL rests; if it does not fill"
    for results in ((), (later(line_result(), warnings=resting([rests])),)):
        reply = report_settled(results, Ledger(), stands=(rests,))
        assert text(reply).count(said) == 1
        assert reply.exit_code is ExitCode.DONE


def test_a_stop_that_filled_tells_its_price_and_what_it_realized() -> None:
    sold = leg(outcome=Outcome.FILLED, filled_quantity="10", average_fill_price="300.5")
    base = later(legs=(sold,))
    closed = base.final_portfolio.model_copy(update={"realized_pl": Decimal("-41.5")})
    told = text(report_settled([base.model_copy(update={"final_portfolio": closed})], Ledger()))
    assert "300.5" in told
    assert "realized: -41.50 USD" in told


def test_news_of_an_order_that_somebody_took_over_is_nothing_unexplained() -> None:
    taken = Observed(kind="order", key="x", symbol="MU", side="buy", status="filled", book="manual")
    assert "followed: 1 order that somebody took over" in text(
        report_settled([later(kind="observed", observed=(taken,))], Ledger())
    )


@pytest.mark.parametrize(
    ("symbols", "orders", "code"),
    [((), 0, ExitCode.DONE), (("MU",), 0, ExitCode.PERSON), ((), 2, ExitCode.PERSON)],
)
def test_an_account_before_its_first_result(
    symbols: tuple[str, ...], orders: int, code: ExitCode
) -> None:
    reply = report_unopened(symbols, orders, "paper")
    assert reply.exit_code is code
    assert ("autoinvestor adopt" in text(reply)) is (code is not ExitCode.DONE)
    assert ("no record yet in paper" in text(reply)) is (code is ExitCode.DONE)
