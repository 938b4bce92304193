"""Tick: the one schedule; find what is due and start the workflow that does it.

It may come as often and as late as it likes: what is under way or done is not started again.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from executor.commands.review import summarized
from executor.console import Console
from executor.decisions.due import (
    looked_back_to,
    review_due,
    review_wanted,
    sift,
    wanted,
)
from executor.errors import AutoInvestorError, ExitCode, PersonNeeded, UsageError, WorldError
from executor.model.due import Held, Situation, Wanted
from executor.model.forge import WorkflowRun
from executor.notes import refuse_other_present
from executor.on_github.looking import Looking
from executor.ports import Forge, Progress
from executor.reports.due import report_tick
from executor.reports.reply import Reply
from executor.wiring import World, open_world


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this verb."""
    parser.add_argument(
        "--show", action="store_true", help="say what is due and start nothing (default: start it)"
    )
    parser.add_argument("--now", metavar="TIME", help="take this as the present; sim only")


def run(options: argparse.Namespace, console: Console) -> Reply:
    """Run the verb on this machine."""
    with open_world(options.repo, options.now) as world:
        reply = tick(world, console, show=options.show, story=options.now)
        return summarized(world.environment, "tick", reply)


def tick(
    world: World, progress: Progress, *, show: bool = False, story: str | None = None
) -> Reply:
    """Start every workflow that has something to do, or show which these are.

    Raises:
        UsageError: there is no GitHub to ask here, or main never had valid settings.
        ForgeUnavailable: GitHub does not list its pull requests; the next tick looks again.
    """
    if world.forge is None:
        raise UsageError("tick: no GitHub here; set GITHUB_REPOSITORY and GITHUB_TOKEN")
    looking = Looking(world, world.forge)
    with suppress(PersonNeeded):
        refuse_other_present(looking.main, story)
    return _Tick(world.forge, progress, looking, show).once()


@dataclass
class _Tick:
    """One tick; what fails is told at the end, and stops nothing else."""

    forge: Forge
    progress: Progress
    looking: Looking
    show: bool
    started: list[Wanted] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)

    def once(self) -> Reply:
        situation = self.looking.situation()
        due = [*wanted(situation), *self._reviews(situation)]
        for workflow in dict.fromkeys(one.workflow for one in due):
            self._workflow(workflow, [one for one in due if one.workflow == workflow])
        problems = self.looking.problems
        return report_tick(
            situation,
            self.started,
            self.held,
            problems=tuple(dict.fromkeys((*map(str, problems), *self.looking.notes))),
            only_shown=self.show,
            exit_code=max((_code(one) for one in problems), default=ExitCode.DONE),
        )

    def _reviews(self, situation: Situation) -> list[Wanted]:
        slots = self.looking.slots(situation.sessions)
        reviewed = self.looking.reviewed(situation.pulls)
        found = []
        for book in self.looking.books():
            made = [one.at for one in reviewed if one.strategy == book]
            due = review_due(book, slots, made, situation.now)
            if due is not None:
                found.append(review_wanted(due, situation.now))
        return found

    def _workflow(self, workflow: str, asked: Sequence[Wanted]) -> None:
        """Start what is asked of one workflow, as far as no run of it does that already."""
        now = self.looking.now
        try:
            runs: Sequence[WorkflowRun] = self.forge.runs(workflow, looked_back_to(asked, now))
        except AutoInvestorError as error:
            # Started blindly it could run twice at every tick; the next one looks again.
            self.looking.problems.append(error)
            return
        going, held = sift(asked, {workflow: runs}, now)
        self.held += held
        for one in going:
            try:
                if not self.show:
                    self.forge.dispatch(workflow, one.inputs)
                    self.progress.say(f"started {one.title}")
                self.started.append(one)
            except AutoInvestorError as error:
                self.looking.problems.append(error)


def _code(error: AutoInvestorError) -> ExitCode:
    return ExitCode.RUN_AGAIN if isinstance(error, WorldError) else ExitCode.PERSON
