from __future__ import annotations

from executor.decisions.auditing import UNPROVEN, Audit, Breach
from executor.errors import ExitCode
from executor.model.writing import write_document
from executor.reports.auditing import report_audit
from executor.reports.blocks import plain_text
from tests.golden_files import assert_golden

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_a_history_that_holds() -> None:
    found = report_audit(Audit(4, 3, "d" * 64, ()), COMMIT)
    assert_golden("audit_holds", plain_text(found.blocks))
    assert found.exit_code is ExitCode.DONE
    assert [one["what"] for one in found.data["unproven"]] == [what for what, _ in UNPROVEN]


def test_a_history_that_does_not_hold() -> None:
    breaches = (
        Breach("append_only", "a.json", "c" * 40, "a.json: changed after it was added"),
        Breach("chain", "", None, "b.json: names result e, which is not there"),
    )
    found = report_audit(Audit(4, 3, None, breaches), COMMIT)
    assert_golden("audit_breached", plain_text(found.blocks))
    assert found.exit_code is ExitCode.REFUSED
    assert found.data["commit"] == COMMIT
    assert [one["rule"] for one in found.data["breaches"]] == ["append_only", "chain"]
    write_document(found.data)
