from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from executor.decisions.reviewing import hold
from executor.model.account import AccountRecord, Mode
from executor.model.review import Alert
from executor.reports.blocks import plain_text
from executor.reports.reviewing import report_gathered, report_proposed

NOW = datetime(2026, 1, 14, 14, 30, tzinfo=UTC)
ALERT = Alert(
    timestamp=NOW,
    trigger="scheduled_4hour",
    slot="2026-01-14T14:30Z",
    reason="four hours have passed",
    strategy="manual",
)
PORTFOLIO = AccountRecord(
    as_of=NOW,
    mode=Mode.SIM,
    account="…0001",
    cash=Decimal(100),
    equity=Decimal(350),
    buying_power=Decimal(700),
    margin_used=Decimal(0),
)


def test_what_was_gathered_and_where_it_lies() -> None:
    reply = report_gathered(ALERT, PORTFOLIO, ("brief/alert.json",))
    assert plain_text(reply.blocks).splitlines() == [
        "review of manual: four hours have passed (scheduled_4hour, 2026-01-14T14:30Z)",
        "  equity 350.00 USD, cash 100.00 USD, 0 positions",
        "  wrote brief/alert.json",
    ]
    assert reply.data["files"] == ["brief/alert.json"]


def test_what_the_agent_decided() -> None:
    reply = report_proposed(hold(ALERT, PORTFOLIO, NOW), "out/proposal.json")
    assert plain_text(reply.blocks).splitlines() == [
        "manual: HOLD (nothing was weighed)",
        "  wrote out/proposal.json",
    ]
    assert (reply.exit_code, reply.data["decision"]) == (0, "HOLD (nothing was weighed)")
