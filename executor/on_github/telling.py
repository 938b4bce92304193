"""Tells people on GitHub what a run came to; nothing that trades waits for it or fails with it.

Level-triggered like everything else: what is told already is looked for first, so each result is
told once, and a run that died before it could tell is made up for by the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Final

from executor.decisions.concerns import LABEL, Judged, Notice, concerns, marked, steps
from executor.errors import AutoInvestorError, ExitCode, PersonNeeded, UsageError, WorldError
from executor.history import RESULT, is_result
from executor.main_state import MainState
from executor.model.digest import digest
from executor.model.forge import RESULT_MARK, Actor, Issue, Mark, PullRequest
from executor.model.ledger import Ledger
from executor.model.plan import PLAN_PATH
from executor.model.reading import read_document
from executor.model.result import Approval, ExecutionResult
from executor.model.state import TradingStateRecord
from executor.ports import Forge, Progress
from executor.reports.blocks import plain_text
from executor.reports.reply import Reply
from executor.reports.telling import (
    WAITED,
    concern_body,
    digest_marked,
    failed_summary,
    mark_description,
    over,
    result_comment,
    summary,
    tells_waiting,
    told_in,
    waiting_comment,
)
from executor.wiring import World

SUMMARY: Final = "GITHUB_STEP_SUMMARY"
"""Where a step's summary is written, on a runner."""

RESULTS_MAX: Final = 50
"""The newest results among which untold ones are looked for."""

TOLD_MAX: Final = 10
"""Results that one run comments on, the newest ones."""

TOLD_BACK: Final = timedelta(days=14)
"""A result that is older is not told any more."""

STOPPING: Final = ("execute", "settle", "halt")
"""Verbs that run unattended; of the others somebody reads the answer."""

LAGS_AT_MOST: Final = timedelta(hours=1)
"""How long after an execution GitHub may take to name the pull request of its merge."""

HEADS_MAX: Final = 3
"""Merged heads on which the mark of the newest result is looked for."""


def told(world: World, progress: Progress, verb: str, work: Callable[[], Reply]) -> Reply:
    """Do a verb's work, then tell people what it came to; the answer is the work's own.

    Raises:
        AutoInvestorError: as the work itself.
    """
    try:
        reply = work()
    except AutoInvestorError as error:
        _tell(world, progress, verb, None, error)
        raise
    _tell(world, progress, verb, reply, None)
    return reply


def _tell(
    world: World,
    progress: Progress,
    verb: str,
    reply: Reply | None,
    error: AutoInvestorError | None,
) -> None:
    """Summary, comments and issues, each for itself."""
    telling = _Telling(world, progress, verb, reply, error)
    for step in (telling.summarize, telling.results, telling.waits, telling.issues):
        try:
            step()
        except AutoInvestorError as problem:
            progress.say(f"not told on GitHub yet, the next run does: {problem}")
        except Exception as problem:  # What was traded stands, whatever our words about it do.
            progress.say(f"a mistake of ours in telling: {type(problem).__name__}: {problem}")


@dataclass(frozen=True, slots=True)
class _Told:
    """One result with its name and place."""

    path: str
    digest: str
    result: ExecutionResult
    before: TradingStateRecord | None
    """The trading state before it, where it sets one."""


Merge = tuple[int | None, str | None]
"""How a plan came to main: number of the pull request and commit of its merge, where known. The
same bytes may come again, in another mode, and then they are another plan."""


@dataclass
class _Telling:
    """What there is to tell after one run."""

    world: World
    progress: Progress
    verb: str
    reply: Reply | None
    error: AutoInvestorError | None
    pulls: dict[Merge, PullRequest | None] = field(default_factory=dict)

    def summarize(self) -> None:
        """Write the job's summary, where there is a job."""
        path = self.world.environment.get(SUMMARY)
        if not path:
            return
        if self.reply is not None:
            text = summary(self.verb, self.reply)
        else:
            text = failed_summary(self.verb, str(self.error))
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text)

    @cached_property
    def main(self) -> MainState:
        """Main as the run left it."""
        return MainState(self.world.book, self.world.book.head())

    def _is_us(self, actor: Actor | None) -> bool:
        """True for a bot, and for whoever's token this is."""
        if actor is None:
            return False
        return actor.kind == "Bot" or (self._me is not None and actor.id == self._me.id)

    @cached_property
    def _me(self) -> Actor | None:
        assert self.world.forge is not None, "asked only where there is one"
        return self.world.forge.whoami()

    # Results.

    def results(self) -> None:
        """Comment on each pull request whose plan has a result that is not told there yet."""
        forge = self.world.forge
        if forge is None or self.main.tip is None:
            return
        tip = self.main.tip
        newest, last = self._last_marked(forge)
        if newest is None or last == tip.digest:
            return
        known = self._newest()
        names = [one.digest for one in known]
        untold = known[: names.index(last)] if last in names else known
        lags = False
        for one in reversed(untold[:TOLD_MAX]):
            pull = self._pull(forge, _merge_of(one.result.approval))
            if pull is not None:
                self._comment(forge, pull, one)
            lags = lags or (pull is None and self._may_lag(one.result))
        if not lags:
            # Last of all: what it says is that everything up to there has been told.
            mark = Mark(RESULT_MARK, "success", mark_description(tip.digest, tip.path))
            forge.mark(newest.head, mark)

    def _last_marked(self, forge: Forge) -> tuple[PullRequest | None, str | None]:
        """The newest plan's pull request, and the result that was told last, by a mark of ours."""
        newest = None
        for _, result in islice(self.main.history.executions(), HEADS_MAX):
            pull = self._pull(forge, _merge_of(result.approval))
            if pull is None:
                continue
            newest = newest or pull
            for mark in forge.marks(pull.head):
                found = digest_marked(mark.description) if mark.context == RESULT_MARK else None
                if found is not None and self._is_us(mark.creator):
                    return newest, found
        return newest, None

    def _may_lag(self, result: ExecutionResult) -> bool:
        """True where a merge is so new that GitHub may not name its pull request yet."""
        merge = result.approval.merge_commit if result.approval else None
        if merge is None or self.world.clock.now() - result.timestamp > LAGS_AT_MOST:
            return False
        made = self.world.book.last_change(PLAN_PATH, merge)
        return made is not None and len(made.parents) > 1

    def _newest(self) -> list[_Told]:
        """Executions and settlements, the newest first."""
        book, main = self.world.book, self.main
        since = self.world.clock.now() - TOLD_BACK
        found = []
        for commit in book.with_trailer(RESULT, None, main.head, RESULTS_MAX):
            path = commit.trailers[RESULT]
            data = book.read(path, main.head) if is_result(path) else None
            # A title becomes a merge's message: it may name any path, also one that was there.
            if data is None or any(book.read(path, one) is not None for one in commit.parents):
                continue
            result = main.result(path)
            if result.timestamp >= since and result.kind in ("execution", "settlement"):
                name = digest(read_document(data, of_record=True))
                known = commit.parents[0] if result.state and commit.parents else None
                before = main.state_at(known) if known else None
                found.append(_Told(path, name, result, before))
        return found

    def _pull(self, forge: Forge, merge: Merge) -> PullRequest | None:
        """The pull request that a merge was of, asked for once a run."""
        if merge not in self.pulls:
            self.pulls[merge] = _pull_of(forge, *merge)
        return self.pulls[merge]

    def _comment(self, forge: Forge, pull: PullRequest, one: _Told) -> None:
        ours = [each for each in forge.comments(pull.number) if self._is_us(each.author)]
        if any(told_in(each.body) == one.digest for each in ours):
            return
        for each in ours:
            if tells_waiting(each.body):
                forge.rewrite(each.id, WAITED)
        forge.say(pull.number, result_comment(one.result, one.digest, one.path, one.before))
        self.progress.say(f"commented on #{pull.number}: {one.path}")

    # A plan that waits.

    def waits(self) -> None:
        """Say once under its pull request that a merged plan waits; why is kept up to date."""
        forge, why = self.world.forge, self._why()
        if forge is None or not why:
            return
        begun = self.main.unfinished
        plan = begun or self.main.plan
        pull = self._pull(forge, (None, plan.added.commit)) if plan is not None else None
        if plan is None or pull is None:
            return
        sent = begun is not None or bool(self.reply and self.reply.data.get("sent"))
        body = waiting_comment(plan.added.committed_at, why, is_begun=sent)
        known = [
            one
            for one in forge.comments(pull.number)
            if self._is_us(one.author) and tells_waiting(one.body)
        ]
        if not known:
            forge.say(pull.number, body)
            self.progress.say(f"commented on #{pull.number}: the plan waits")
        elif known[-1].body.strip() != body:
            forge.rewrite(known[-1].id, body)

    def _why(self) -> Sequence[str]:
        """Why an execution left its plan on main to be tried again; empty where it did not."""
        if self.verb != "execute":
            return ()
        if self.reply is None:
            return (str(self.error),) if isinstance(self.error, WorldError) else ()
        if self.reply.data.get("state") != "waiting":
            return ()
        return [str(one) for one in self.reply.data.get("why", ())]

    # Issues.

    def issues(self) -> None:
        """Open, bring up to date and close the issues about what a person must look at."""
        forge = self.world.forge
        if forge is None:
            return
        judged = concerns(
            self.verb,
            self._ledger(),
            unprotected=_unprotected(self.reply),
            stopped=self._stopped(),
        )
        open_now = [(one, marked(one.body)) for one in forge.issues(LABEL)]
        notices = [
            Notice(one.number, known[0], self._told_last(forge, one, known, judged))
            for one, known in open_now
            if known is not None and known[0] in judged
        ]
        todo = steps(judged, notices)
        for concern in todo.opens:
            number = forge.open_issue(concern.title, concern_body(concern), (LABEL,))
            self.progress.say(f"opened #{number}: {concern.title}")
        for number, concern in todo.updates:
            forge.say(number, concern_body(concern))
        for number in todo.closes:
            forge.say(number, over(self.verb))
            forge.close(number)

    def _told_last(self, forge: Forge, issue: Issue, known: tuple[str, str], judged: Judged) -> str:
        """Digest of what an issue was told last: by its body, or a later comment of ours."""
        cause, first = known
        if judged[cause] is None:
            return first  # It is over, whatever it was told.
        ours = [one.body for one in forge.comments(issue.number) if self._is_us(one.author)]
        told = [found[1] for body in ours if (found := marked(body)) is not None]
        return told[-1] if told else first

    def _ledger(self) -> Ledger | None:
        try:
            return self.main.ledger
        except (PersonNeeded, UsageError):
            return None

    def _stopped(self) -> tuple[str, ...]:
        """Why a person is needed beside what record and account show; empty where nobody is."""
        if self.verb not in STOPPING:
            return ()
        if self.error is not None:
            is_persons = self.error.exit_code in (ExitCode.PERSON, ExitCode.USAGE)
            return tuple(str(self.error).splitlines()) if is_persons else ()
        assert self.reply is not None, "a run ends with an answer or an error"
        if self.reply.exit_code is not ExitCode.PERSON or self._is_shown():
            return ()
        return tuple(line for line in plain_text(self.reply.blocks).splitlines() if line.strip())

    def _is_shown(self) -> bool:
        """True where another issue tells why a person is needed."""
        assert self.reply is not None, "asked only of a run that ended with an answer"
        ledger = self._ledger()
        in_record = ledger is not None and bool(ledger.unknown or ledger.observed)
        data = _settled(self.reply.data) or self.reply.data
        return in_record or any(one.get("unprotected") for one in _with_before(data))


def _merge_of(approval: Approval | None) -> Merge:
    return (approval.pull_request, approval.merge_commit) if approval else (None, None)


def _pull_of(forge: Forge, number: int | None, merge: str | None) -> PullRequest | None:
    """The pull request of a merge; None where there is none, or it was merged otherwise."""
    if number is not None:
        pull = forge.pull_request(number)
        return pull if pull and merge in (None, pull.merge_commit) else None
    held = forge.pull_requests_of(merge) if merge is not None else ()
    return next((one for one in held if one.merge_commit == merge), None)


def _unprotected(reply: Reply | None) -> Sequence[str] | None:
    """Shares that have no stop now, as far as the run looked; None where it did not.

    `settle` looks at everything that is held, so its answer tells when it is over; `execute` does
    not look where there is no plan, so its answer tells only that there are some.
    """
    if reply is None:
        return None
    settled = _settled(reply.data)
    if settled is not None:
        return [str(one) for one in settled["without_stop"]]
    told = [str(one) for each in _with_before(reply.data) for one in each.get("without_stop", ())]
    return tuple(dict.fromkeys(told)) or None


def _settled(data: Mapping[str, Any]) -> Mapping[str, Any] | None:
    inner = data if "held_without_a_stop" in data else data.get("settled")
    return inner if isinstance(inner, Mapping) and "held_without_a_stop" in inner else None


def _with_before(data: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """What a run says, and what it says of the plan that it executed before that one."""
    before = data.get("before")
    return (before, data) if isinstance(before, Mapping) else (data,)
