"""The audit's findings, for a person and as data."""

from __future__ import annotations

from dataclasses import asdict

from executor.decisions.auditing import UNPROVEN, Audit
from executor.errors import ExitCode
from executor.model.words import count
from executor.reports.blocks import Block, Line
from executor.reports.reply import Reply


def report_audit(audit: Audit, commit: str) -> Reply:
    """What holds, what does not, and what a clone cannot prove."""
    counted = (
        f"{count(audit.results, 'result')} and {count(audit.plans, 'archived plan')}"
        f" up to {commit[:12]}"
    )
    blocks: list[Block] = [Line(f"looked at {counted}")]
    if audit.breaches:
        blocks.append(Line(f"breaches: {len(audit.breaches)}", "bad"))
        blocks += [Line(f"  {one.rule}: {one.sentence}", "bad") for one in audit.breaches]
    else:
        blocks.append(
            Line(
                "holds: nothing in the history was changed or removed, the chain of results is"
                " whole, each result has its plan, each plan its result or who set it aside, and"
                " each trading state its result",
                "good",
            )
        )
    if audit.newest_digest is not None:
        blocks.append(Line(f"newest result digest: {audit.newest_digest}"))
    blocks.append(Line("not provable from a clone alone:", "faint"))
    blocks += [Line(f"  {what}; it would take {evidence}", "faint") for what, evidence in UNPROVEN]
    data = {
        **asdict(audit),
        "commit": commit,
        "unproven": [{"what": what, "evidence": evidence} for what, evidence in UNPROVEN],
    }
    return Reply(ExitCode.REFUSED if audit.breaches else ExitCode.DONE, data, tuple(blocks))
