from __future__ import annotations

from dataclasses import replace

from executor.errors import ExitCode
from executor.model.state import TradingState
from executor.model.writing import write_document
from executor.reports.blocks import Line, plain_text
from executor.reports.reply import Reply
from executor.reports.state import report_halt, state_line
from tests.checks.builders import order, state
from tests.golden_files import assert_golden

COMMIT = "0123456789abcdef0123456789abcdef01234567"
HALTED = state(TradingState.REDUCE_ONLY)


def test_a_state_is_one_line_with_who_and_why() -> None:
    assert state_line(state()) == Line(
        "trading state: ACTIVE (everything that the checks allow) since 2026-01-13T15:00:00Z by"
        " alice: a reason",
        "good",
    )
    assert state_line(HALTED).tone == "waiting"


def test_a_halt_that_got_through() -> None:
    found = report_halt(
        HALTED,
        COMMIT,
        canceled=[order("AMD", "buy"), order("MU", "buy", quantity="1", client_order_id="other-2")],
        still_open=[],
        problems=[],
        notes=["what a person should know"],
        settled=Reply(ExitCode.DONE, {"still_open": 0}, (Line("orders still open: 0"),)),
        exit_code=ExitCode.DONE,
    )
    assert_golden("halt_done", plain_text(found.blocks))
    assert (found.exit_code, found.data["already"]) == (ExitCode.DONE, False)
    assert found.data["canceled"] == ["other-1", "other-2"]
    assert found.data["settled"] == {"still_open": 0}
    write_document(found.data)


def test_a_halt_that_did_not_get_through_everywhere() -> None:
    found = report_halt(
        HALTED,
        None,
        canceled=[],
        still_open=[order("AMD", "buy", quantity="5", client_order_id="other-3")],
        problems=["the broker does not answer"],
        notes=[],
        settled=Reply(ExitCode.PERSON),
        exit_code=ExitCode.RUN_AGAIN,
    )
    assert_golden("halt_stuck", plain_text(found.blocks))
    assert (found.exit_code, found.data["already"]) == (ExitCode.PERSON, True)
    assert found.data["still_open"] == ["other-3"]


def test_an_order_by_notional_has_no_quantity() -> None:
    by_notional = order("AMD", "buy")
    found = report_halt(
        HALTED,
        COMMIT,
        canceled=[replace(by_notional, quantity=None)],
        still_open=[],
        problems=[],
        notes=[],
        settled=None,
        exit_code=ExitCode.DONE,
    )
    assert "BUY   AMD                    0  limit  other-1" in plain_text(found.blocks)
    assert found.data["settled"] is None
