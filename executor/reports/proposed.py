"""What became of a proposal, for whoever handed it over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from executor.decisions.document import Problem
from executor.errors import ExitCode
from executor.model.forge import PullRequest
from executor.model.verdict import Answer, Verdict
from executor.reports.blocks import Block, Line
from executor.reports.markdown import SUMMARY_MAX, code, fitted
from executor.reports.reply import Reply
from executor.reports.verdicts import verdict_report

LINE_MAX: Final = 1_000
"""Characters of a line in the job's summary."""


def refused(problems: Sequence[Problem]) -> Reply:
    """A gate says no: nothing was opened and nothing was committed."""
    return refused_by([one.verdict() for one in problems])


def refused_by(verdicts: Sequence[Verdict]) -> Reply:
    """A check says no already without the account."""
    noes = [one for one in verdicts if one.answer is Answer.NO]
    blocks = (
        *verdict_report("the proposal", noes, ""),
        Line("nothing was opened; correct the proposal and hand it over again", "faint"),
    )
    data = {"state": "refused", "verdicts": [one.model_dump() for one in noes]}
    return Reply(ExitCode.REFUSED, data, blocks)


def recorded(path: str, commit: str | None) -> Reply:
    """A review that ends in doing nothing lies on main."""
    done = f"committed: {path}" if commit else f"already on main: {path}"
    data = {"state": "recorded", "review": path, "commit": commit}
    return Reply(ExitCode.DONE, data, (Line(f"HOLD: no plan; {done}", "good"),))


def waits(digest_on_main: str) -> Reply:
    """A plan is on main; the next review decides on what it leaves."""
    text = (
        f"not now: plan {digest_on_main[:8]} is on main, and only a plan of nothing but exits may"
        " come in its place; nothing was opened"
    )
    data = {"state": "waits", "plan_on_main": digest_on_main}
    return Reply(ExitCode.DONE, data, (Line(text, "waiting"),))


def on_main(digest: str) -> Reply:
    """This very plan was merged."""
    text = f"plan {digest[:8]} is on main already; nothing to open"
    return Reply(ExitCode.DONE, {"state": "on_main", "plan_digest": digest}, (Line(text),))


def decided(pull: PullRequest) -> Reply:
    """It was proposed before, and that pull request is closed."""
    how = "merged" if pull.is_merged else "closed without a merge"
    text = f"proposed before as #{pull.number}, which was {how}; nothing to open"
    return Reply(ExitCode.DONE, {"state": how, "pull_request": pull.number}, (Line(text),))


def opened(
    pull: PullRequest,
    digest: str,
    *,
    is_new: bool,
    older: Sequence[int],
    notes: Sequence[str],
    link: str,
) -> Reply:
    """The pull request is open, at this address, and the validator is rung."""
    said = "opened" if is_new else "open already:"
    blocks: list[Block] = [
        Line(f"{said} #{pull.number}: {pull.title}", "good"),
        Line(f"  {link}"),
    ]
    blocks += [Line(f"closed as superseded: #{number}") for number in older]
    blocks += [Line(f"  note: {note}", "waiting") for note in notes]
    blocks.append(Line("a person's merge is the approval; closing it is a no", "faint"))
    data = {
        "state": "open",
        "pull_request": pull.number,
        "link": link,
        "branch": pull.head_ref,
        "plan_digest": digest,
        "superseded": list(older),
        "notes": list(notes),
    }
    return Reply(ExitCode.DONE, data, tuple(blocks))


def handed_over(size: int, link: str) -> Reply:
    """The workflow has it now; its pull request will be listed at this address."""
    text = "handed over to propose.yml; it opens the pull request in a minute or two"
    data = {"state": "handed_over", "characters": size, "link": link}
    return Reply(ExitCode.DONE, data, (Line(text, "good"), Line(f"  {link}")))


def summary(reply: Reply) -> str:
    """The summary of the workflow's job: what came of it, with a link where there is one."""
    lines = ["### Propose", ""]
    lines += [
        f"- {code(one.text.strip(), LINE_MAX)}" for one in reply.blocks if isinstance(one, Line)
    ]
    if "link" in reply.data:
        # The address is of our own making, from the runner's environment and a number.
        lines.append(f"\n[To the pull request]({reply.data['link']})")
    return fitted("\n".join(lines), (), SUMMARY_MAX // 4) + "\n"
