"""Judge a pull request and tell it there: three statuses on its head, one comment, the summary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from executor.errors import ExitCode, UsageError
from executor.model.forge import ACTIONS_ID, Mark, PullRequest
from executor.model.verdict import Answer
from executor.on_github.pulling import forge_of, look
from executor.ports import Forge
from executor.reports.blocks import Block, Line, Tone
from executor.reports.comment import MARKER, PullReport, comment, summary
from executor.reports.marks import marks
from executor.reports.reply import Reply
from executor.reports.verdicts import verdict_report
from executor.wiring import World

MAIN: Final = "main"

SUMMARY: Final = "GITHUB_STEP_SUMMARY"
"""Names the file that becomes the job's summary."""

NOT_HERE: Final = "judged when the plan is executed"

_TONES: Final[Mapping[str, Tone]] = {"success": "good", "failure": "bad"}


def judge_pull(world: World, number: int, *, post: bool) -> Reply:
    """Judge a pull request; with `post`, tell it there.

    Posted, the answer has reached whoever asked, so a refusal is no failure of the run.

    Raises:
        UsageError: there is no such pull request, or no access to GitHub.
        ForgeUnavailable: GitHub does not answer; run again.
    """
    forge = forge_of(world)
    pull = forge.pull_request(number)
    if pull is None:
        raise UsageError(f"#{number}: no such pull request; name an open one")
    if pull.state != "open" or pull.base_ref != MAIN:
        why = "closed" if pull.state != "open" else f"not into {MAIN}"
        line = Line(f"pull request #{number} is {why}; nothing to judge")
        return Reply(ExitCode.DONE, {"pull_request": number, "state": pull.state}, (line,))
    looked = look(world, forge, pull)
    twin = _own_twin(forge, pull)
    if twin is not None:
        # Statuses are of a commit: a stranger's copy of a branch must not redden ours.
        line = Line(f"pull request #{number} has the head of #{twin}, and is judged there")
        return Reply(ExitCode.DONE, {"pull_request": number, "judged_as": twin}, (line,))
    report = looked.report
    told = marks(report)
    if post:
        _keep_comment(forge, report)
        link = _run_link(world.environment)
        for one in told:
            forge.mark(report.head, replace(one, url=link))
        _summarize(world.environment, report)
    exit_code = looked.exit_code
    refused = any(one.state == "failure" for one in told)
    if refused and not post:
        exit_code = ExitCode.REFUSED
    return Reply(exit_code, _data(report, told), _blocks(report, told))


def _own_twin(forge: Forge, pull: PullRequest) -> int | None:
    """For a pull request of a fork: one of this repository's with the same head, where one is."""
    here = forge.repository().name.casefold()

    def is_own(one: PullRequest) -> bool:
        return (one.head_repository or "").casefold() == here

    if is_own(pull):
        return None
    others = forge.pull_requests("open")
    return next((one.number for one in others if one.head == pull.head and is_own(one)), None)


def _keep_comment(forge: Forge, report: PullReport) -> None:
    """Write the comment before the statuses: what is green can be read by then.

    There is one: a lost answer is healed by looking for it first. Where there is nothing to say,
    none is begun.
    """
    me = forge.whoami()
    ours = {ACTIONS_ID, me.id if me is not None else ACTIONS_ID}
    for one in forge.comments(report.number):
        # Anybody can begin a comment like ours; another one's is not ours to write.
        is_ours = one.author is not None and one.author.id in ours
        if is_ours and one.body.startswith(MARKER):
            forge.rewrite(one.id, comment(report))
            return
    quiet = report.plan is None and not report.scope.changes_rules and not report.scope.problems
    if not quiet:
        forge.say(report.number, comment(report))


def _run_link(environment: Mapping[str, str]) -> str | None:
    """Address of the run that judged; None outside a workflow."""
    names = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
    server, repository, run = (environment.get(one) for one in names)
    if not (server and repository and run):
        return None
    return f"{server}/{repository}/actions/runs/{run}"


def _summarize(environment: Mapping[str, str], report: PullReport) -> None:
    name = environment.get(SUMMARY)
    if name:
        with Path(name).open("a", encoding="utf-8") as file:
            file.write(summary(report) + "\n")


def _data(report: PullReport, told: tuple[Mark, ...]) -> dict[str, Any]:
    plan = report.plan
    return {
        "pull_request": report.number,
        "head": report.head,
        "answer": report.answer.value,
        "plan_digest": plan.digest if plan else None,
        "marks": {one.context: {"state": one.state, "says": one.description} for one in told},
        "scope": list(report.scope.problems),
        "verdicts": [one.model_dump() for one in plan.verdicts] if plan else [],
    }


def _blocks(report: PullReport, told: tuple[Mark, ...]) -> tuple[Block, ...]:
    lines: list[Block] = [
        Line(f"{one.context}: {one.state}: {one.description}", _TONES.get(one.state, "waiting"))
        for one in told
    ]
    if report.plan is not None:
        subject = f"plan {report.plan.digest[:8]} of pull request #{report.number}"
        lines += verdict_report(subject, report.plan.verdicts, NOT_HERE)
    elif report.answer is Answer.YES:
        lines.append(Line(f"pull request #{report.number} carries no plan"))
    return tuple(lines)
