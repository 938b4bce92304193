from __future__ import annotations

from executor.errors import ExitCode
from executor.model.due import Held, Situation, Wanted
from executor.model.writing import write_document
from executor.reports.blocks import plain_text
from executor.reports.due import report_tick
from executor.reports.reply import Reply
from tests.decisions.test_due import CLOSED, NOW, situation
from tests.golden_files import assert_golden

SETTLE = Wanted("settle.yml", "settle", "2 orders still open")
VALIDATE = Wanted("validate.yml", "validate #12", "#12 lacks plan/scope", {"pull_request": "12"})


def text(reply: Reply) -> str:
    write_document(reply.data)
    return plain_text(reply.blocks)


def test_what_was_started_and_what_was_not() -> None:
    held = Held(VALIDATE, "under way since 2026-01-14T14:59:00Z (queued)")
    reply = report_tick(
        situation(NOW),
        (SETTLE,),
        (held,),
        notes=("a note",),
        problems=("a problem",),
        exit_code=ExitCode.RUN_AGAIN,
    )
    assert_golden("tick", text(reply))
    assert reply.exit_code is ExitCode.RUN_AGAIN
    assert reply.data["held"][0]["inputs"] == {"pull_request": "12"}


def test_nothing_due_while_closed() -> None:
    assert text(report_tick(situation(CLOSED), (), ())) == (
        "2026-01-14T22:00:00Z: the market is closed until 2026-01-15T14:30:00Z;"
        " 0 open pull requests\nnothing is due"
    )
    unknown = Situation(NOW, ())
    assert "the market is closed; " in text(report_tick(unknown, (), ()))


def test_what_would_be_started() -> None:
    shown = text(report_tick(situation(NOW), (SETTLE,), (), only_shown=True))
    assert "would start: settle: 2 orders still open" in shown
