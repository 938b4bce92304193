"""What is told of a review that is asked for, and of one that was made."""

from __future__ import annotations

from executor.errors import ExitCode
from executor.model.account import AccountRecord
from executor.model.review import Alert, Proposal
from executor.model.words import count, usd
from executor.reports.blocks import Line
from executor.reports.reply import Reply


def report_gathered(alert: Alert, portfolio: AccountRecord, files: tuple[str, ...]) -> Reply:
    """Tell why a book is reviewed, and where what its agent is given lies."""
    holds = count(len(portfolio.positions), "position")
    lines = (
        Line(f"review of {alert.strategy}: {alert.reason} ({alert.trigger}, {alert.slot})"),
        Line(f"  equity {usd(portfolio.equity)}, cash {usd(portfolio.cash)}, {holds}"),
        *(Line(f"  wrote {one}", "faint") for one in files),
    )
    data = {
        "strategy": alert.strategy,
        "trigger": alert.trigger,
        "slot": alert.slot,
        "files": list(files),
    }
    return Reply(ExitCode.DONE, data, lines)


def report_proposed(proposal: Proposal, file: str) -> Reply:
    """Tell what an agent decided, and where its proposal lies."""
    review = proposal.review
    lines = (Line(f"{review.strategy}: {review.decision}"), Line(f"  wrote {file}", "faint"))
    data = {"strategy": review.strategy, "decision": review.decision, "file": file}
    return Reply(ExitCode.DONE, data, lines)
