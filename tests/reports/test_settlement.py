from __future__ import annotations

from datetime import timedelta

from executor.errors import ExitCode
from executor.model.result import Outcome
from executor.model.writing import write_document
from executor.reports.blocks import plain_text
from executor.reports.settlement import report_settled
from tests.decisions.record_builders import NOW, fill, line_result, result
from tests.golden_files import assert_golden


def test_nothing_new_is_said_in_a_line() -> None:
    assert plain_text(report_settled([], 0).blocks) == (
        "nothing new about the orders of the record\norders still open: 0"
    )
    assert report_settled([], 2).blocks[-1].tone == "waiting"  # type: ignore[union-attr]


def test_every_changed_order_is_shown() -> None:
    filled = result(
        line_result(fills=[fill()]),
        kind="settlement",
        timestamp=NOW + timedelta(hours=1),
        warnings=("instructions[0] MU: 10 shares unprotected",),
    )
    expired = result(
        line_result(outcome=Outcome.EXPIRED, ticker="TSM"), kind="settlement", plan_digest=None
    )
    found = report_settled([filled, expired], 1)
    assert_golden("settled", plain_text(found.blocks))
    assert found.exit_code is ExitCode.DONE
    assert found.data["still_open"] == 1
    assert len(found.data["results"]) == 2
    write_document(found.data)
