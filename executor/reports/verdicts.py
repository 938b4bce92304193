"""The answer of `validate`: one line that says it all, then every no, warning and wait."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from executor.model.verdict import Answer, Verdict
from executor.reports.blocks import Block, Line, Tone

LINES_MAX: Final = 200
"""Lines of one kind that are printed; JSON holds them all."""


def verdict_report(subject: str, verdicts: Sequence[Verdict], elsewhere: str) -> tuple[Block, ...]:
    """Write the verdicts for people.

    Args:
        subject: What was judged, such as the file's name.
        verdicts: Every answer of every check.
        elsewhere: Where the checks that were not judged here are judged.
    """
    refusals = [one for one in verdicts if one.answer is Answer.NO]
    waiting = [one for one in verdicts if one.answer is Answer.NOT_NOW]
    warnings = [one for one in verdicts if one.warning is not None]
    absent = [one.check for one in verdicts if one.answer is Answer.NOT_JUDGED_HERE]
    blocks: list[Block] = [_headline(subject, refusals, waiting)]
    blocks += _listed(refusals, "", "bad")
    blocks += _listed(waiting, "not now: ", "waiting")
    blocks += _listed(warnings, "warning: ", "waiting")
    if absent:
        blocks.append(Line(f"not judged here: {', '.join(absent)} ({elsewhere})", "faint"))
    return tuple(blocks)


def _headline(subject: str, refusals: Sequence[Verdict], waiting: Sequence[Verdict]) -> Line:
    if refusals:
        return Line(f"refused: {subject}", "bad")
    if waiting:
        return Line(f"valid, but not now: {subject}", "waiting")
    return Line(f"valid: {subject}", "good")


def _listed(verdicts: Sequence[Verdict], label: str, tone: Tone) -> Iterable[Line]:
    for one in verdicts[:LINES_MAX]:
        # A key or a text of the plan may hold line ends; a verdict is one line.
        yield Line((label + one.sentence()).replace("\n", "\\n"), tone)
    if len(verdicts) > LINES_MAX:
        rest = len(verdicts) - LINES_MAX
        yield Line(f"{label}{rest:,} more; `--json` gives them all", tone)
