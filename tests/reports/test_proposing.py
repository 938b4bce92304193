from __future__ import annotations

from executor.errors import ExitCode
from executor.model.plan import TradingInstructionSet
from executor.model.writing import write_document
from executor.reports.blocks import plain_text
from executor.reports.proposing import (
    next_steps,
    report_not_needed,
    report_withdrawn,
    report_written,
)
from tests.checks.builders import line, plan, state
from tests.golden_files import assert_golden

FLATTEN = plan(
    line("CANCEL", "AMD", client_order_id="order-1"),
    line("SELL", "MU", quantity="all"),
    line("BUY", "TSM", quantity="4.5"),
    reason="get out",
)


def resume(**request: object) -> TradingInstructionSet:
    asked = {"state": "ACTIVE", "reason": "it was a drill", **request}
    return TradingInstructionSet.model_validate(
        {"strategy_type": "resume", "reason": "r", "trading_state": asked, "instructions": []}
    )


def test_a_plan_that_was_written_with_the_steps_to_its_approval() -> None:
    found = report_written(
        "flatten", FLATTEN, "merge", replaces="d" * 64, warnings=("MU: somebody's order",)
    )
    assert_golden("flatten_written", plain_text(found.blocks))
    assert (found.exit_code, found.data["replaces"]) == (ExitCode.DONE, "d" * 64)
    assert found.data["plan"]["instructions"][1]["quantity"] == "all"
    write_document(found.data)


def test_a_request_for_a_state() -> None:
    text = plain_text(report_written("resume", resume(), "none").blocks)
    assert text.splitlines()[:2] == [
        "written: trading_instructions.json; nothing has changed yet",
        "asks for ACTIVE: it was a drill",
    ]
    rebased = report_written("resume", resume(rebase_peak=True), "none")
    assert "asks for ACTIVE, the equity peak counts anew: it was" in plain_text(rebased.blocks)


def test_where_no_approval_is_asked_for_the_plan_goes_to_main() -> None:
    assert next_steps("resume", "none") == (
        "git switch main",
        "git add trading_instructions.json",
        'git commit -m "Propose: resume"',
        "autoinvestor execute --submit",
    )
    for policy in ("merge", "review"):
        steps = next_steps("resume", policy)
        assert steps[0] == "git switch -c plan/resume"
        assert "another person's merge is the approval" in steps[-2]
        assert "`autoinvestor propose --remote --file trading_instructions.json`" in steps[-1]


def test_no_plan_is_needed() -> None:
    plainly = report_not_needed("nothing to sell", warnings=("left alone: BTC/USD",))
    assert plain_text(plainly.blocks) == (
        "nothing to sell; nothing was written\nleft alone: BTC/USD"
    )
    with_state = report_not_needed("it is ACTIVE already", state())
    assert plain_text(with_state.blocks).startswith("trading state: ACTIVE")
    assert with_state.data["state"] == "not_needed"


def test_a_plan_that_was_withdrawn() -> None:
    found = report_withdrawn("d" * 64, "history/a.json", "c" * 40)
    assert plain_text(found.blocks) == (
        "plan dddddddd: withdrawn; nothing of it was sent\n"
        "archived: history/a.json\n"
        "committed: cccccccccccc"
    )
    assert found.data["archived_as"] == "history/a.json"
