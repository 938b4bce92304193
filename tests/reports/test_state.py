from __future__ import annotations

import json
import re
from dataclasses import replace

from executor.errors import ExitCode
from executor.model.plan import TradingInstructionSet
from executor.model.state import TradingState
from executor.model.writing import write_document
from executor.reports.blocks import Line, plain_text
from executor.reports.reply import Reply
from executor.reports.state import GO_ON, report_halt, state_line
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
        kept=2,
    )
    assert_golden("halt_done", plain_text(found.blocks))
    assert (found.exit_code, found.data["already"]) == (ExitCode.DONE, False)
    assert found.data["canceled"] == ["other-1", "other-2"]
    assert found.data["title"] == "Halted: only sells go."
    assert found.data["words"].startswith("Canceled: BUY 10 AMD, BUY 1 MU. 2 stops stay. To go on:")
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
    assert found.data["title"] == "Halted already: only sells go."
    assert found.data["words"].startswith(
        "Asked to end, still open: BUY 5 AMD. **Not everything got through: see what happened.** To"
    )


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
    assert found.data["words"].startswith("Canceled: BUY AMD. To go on:")


def test_an_answer_names_so_many_orders_and_no_more() -> None:
    found = report_halt(
        state(TradingState.HALTED),
        COMMIT,
        canceled=[order("AMD", "buy", quantity="1") for _ in range(12)],
        still_open=[],
        problems=[],
        notes=[],
        settled=None,
        exit_code=ExitCode.DONE,
        kept=1,
    )
    assert "BUY 1 AMD and 2 more. 1 stop stays. To go on:" in found.data["words"]
    assert found.data["title"] == "Halted: nothing new is sent, no sell either."


def test_a_halt_that_finds_nothing_open_says_so_and_how_to_go_on() -> None:
    found = report_halt(
        HALTED, COMMIT, canceled=[], still_open=[], problems=[], notes=[], settled=None,
        exit_code=ExitCode.DONE,
    )  # fmt: skip
    assert found.data["words"] == f"Nothing was open that buys. {GO_ON}"
    (asked,) = re.findall(r"```json\n(.*)\n```", GO_ON)
    assert TradingInstructionSet.model_validate(json.loads(asked)).trading_state is not None
