"""A pull request as git and the account see it: its report, for whoever has to decide."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from executor.checks import all_rules
from executor.decisions.auditing import REWRITTEN
from executor.decisions.outlook import outlook
from executor.decisions.rule_changes import Commit, RulesSince, Scope, judge_scope, rules
from executor.decisions.validate import judge
from executor.errors import (
    AutoInvestorError,
    BrokerRefused,
    BrokerUnavailable,
    ExitCode,
    ForgeUnavailable,
    UsageError,
)
from executor.evidence import evidence_before_merge
from executor.gather import gather
from executor.history import STEP
from executor.main_state import MainState, PlanOnMain, read_plan
from executor.model.context import Context
from executor.model.expiry import expiry
from executor.model.facts import Facts, Moment
from executor.model.forge import PullRequest
from executor.model.paths import RULE_PATHS, RULES, PathKind, kind_of
from executor.model.plan import PLAN_PATH, PlanStatus
from executor.model.settings import SETTINGS_PATH, Settings
from executor.ports import Book, Forge
from executor.reports.comment import PlanReport, PullReport
from executor.reports.money import Zones
from executor.settings import parse_settings
from executor.wiring import World

EASTERN: Final = "America/New_York"

STEPS_LOOKED_AT: Final = 32
"""Steps of executions that are looked at for the last one that ended."""

COMMITS_TOLD: Final = 20
"""Commits that changed the rules which are told by themselves."""

COMMITS_LISTED: Final = 250
"""Commits of a pull request that GitHub lists at most."""

ENDED: Final = frozenset(PlanStatus) - {PlanStatus.PENDING, PlanStatus.VALIDATED}


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look at a pull request gave."""

    report: PullReport
    exit_code: ExitCode
    """Done, or how the broker's silence ends the run."""


def forge_of(world: World) -> Forge:
    """GitHub, for a verb that is nothing without it.

    Raises:
        UsageError: this run has no access to it.
    """
    if world.forge is None:
        raise UsageError("GitHub cannot be asked: set GITHUB_TOKEN and GITHUB_REPOSITORY")
    return world.forge


def zones_of(settings: Settings) -> Zones:
    """New York's clock, and the owner's."""
    name = settings.github.zone
    return Zones(ZoneInfo(EASTERN), ZoneInfo(name), name)


def look(world: World, forge: Forge, pull: PullRequest) -> Looked:
    """Judge an open pull request as it would be merged now, by main's code and main's limits.

    Raises:
        ForgeUnavailable: GitHub does not answer, or its two answers differ yet.
        BookUnavailable: the head cannot be fetched.
        UsageError: it shares no history with main.
    """
    book, now = world.book, world.clock.now()
    head = book.bring(f"refs/pull/{pull.number}/head")
    if head != pull.head:
        raise ForgeUnavailable(
            f"pull request #{pull.number}: its head is {head[:12]} for git and {pull.head[:12]} for"
            " the API; run again"
        )
    main = MainState(book, book.head())
    scope = _scope(book, forge, main.head, pull)
    report = PullReport(
        number=pull.number,
        head=head,
        scope=scope,
        plan=None,
        now=now,
        zones=zones_of(main.settings),
        settings_digest=main.in_force.digest,
        mode=main.settings.mode,
        policy=main.settings.approval_policy(),
    )
    plan = _plan_at(book, main, head, now) if scope.carries_plan else None
    if plan is None:
        return Looked(report, ExitCode.DONE)
    found, exit_code = _judged(world, forge, main, plan, pull.number, head)
    return Looked(replace(report, plan=found, since=rules_since(book, main.head)), exit_code)


def _scope(book: Book, forge: Forge, main: str, pull: PullRequest) -> Scope:
    fork = book.fork_point(main, pull.head)
    here = forge.repository().name.casefold()
    settings = book.read(SETTINGS_PATH, pull.head)
    return judge_scope(
        book.differences(fork, pull.head),
        rewrites=_rewrites(book, forge, pull.number),
        from_fork=(pull.head_repository or "").casefold() != here,
        before=_toml(book.read(SETTINGS_PATH, fork)),
        after=_toml(settings),
        refused=_unreadable(settings),
    )


def _rewrites(book: Book, forge: Forge, number: int) -> list[str]:
    """History files that a commit on the way changes or removes, also where the sum changes none.

    Once merged, that stays in the history of main, and the audit could never be clean again.
    """
    commits = forge.commits(number)
    if len(commits) >= COMMITS_LISTED:
        return [f"more than {COMMITS_LISTED - 1} commits, which GitHub does not list"]
    found: set[str] = set()
    for one in commits:
        for parent in one.parents:
            found |= {
                change.path
                for change in book.differences(parent, one.commit)
                if change.kind != "A"
                and kind_of(change.path) in (PathKind.HISTORY, PathKind.REVIEW)
                and change.path not in REWRITTEN
            }
    return [f"{path}: changed or removed on the way; begin a branch anew" for path in sorted(found)]


def _unreadable(settings: bytes | None) -> list[str]:
    """What the reader of the settings in force would refuse, were they merged."""
    if settings is None:
        return [f"{SETTINGS_PATH}: it is taken away; keep it"]
    try:
        parse_settings(settings)
    except UsageError as error:
        return str(error).splitlines()
    return []


def _plan_at(book: Book, main: MainState, head: str, now: datetime) -> PlanOnMain | None:
    """The plan at a head as if it came to main now; None where it is taken away."""
    data = book.read(PLAN_PATH, head)
    added = book.last_change(PLAN_PATH, head)
    if data is None or added is None:
        return None
    # When and on top of what it was written is its author's word; it counts when it is merged.
    return read_plan(data, replace(added, commit=main.head, parents=(), committed_at=now))


def _judged(
    world: World, forge: Forge, main: MainState, plan: PlanOnMain, number: int, head: str
) -> tuple[PlanReport, ExitCode]:
    found = PlanReport(digest=plan.digest, plan=plan.plan, verdicts=plan.problems)
    if plan.plan is None:
        return found, ExitCode.DONE
    # GitHub's own silence is for the checks to judge; the broker's leaves nothing to judge by.
    evidence = evidence_before_merge(world.book, forge, main, number)
    seen = evidence.pull_request if evidence else None
    if seen is not None and seen.head != head:
        # Judged by the one and marked on the other, a head would be green that nobody looked at.
        raise ForgeUnavailable(f"pull request #{number}: its head moved meanwhile; run again")
    now = world.clock.now()
    try:
        with world.connect(main.settings, main.ledger) as broker:
            facts = gather(
                broker,
                main,
                plan,
                moment=Moment.PULL_REQUEST,
                now=now,
                environment=world.environment,
                evidence=evidence,
            )
    except (BrokerUnavailable, BrokerRefused, UsageError) as error:
        return _without_account(world, found, plan, main, error), error.exit_code
    # As written: what a proposal says of itself is judged as well, by `plan_unchanged`.
    context = Context(plan.plan, main.settings, facts)
    judgment = judge(context, all_rules())
    hours = facts.market_clock
    return replace(
        found,
        verdicts=judgment.verdicts,
        context=context,
        judgment=judgment,
        outlook=outlook(context, judgment.going),
        until=expiry(
            plan.plan, now, hours.sessions if hours else (), main.settings.execution.sessions_valid
        ),
    ), ExitCode.DONE


def _without_account(
    world: World,
    found: PlanReport,
    plan: PlanOnMain,
    main: MainState,
    error: AutoInvestorError,
) -> PlanReport:
    """What the plan alone says, where the account does not answer."""
    assert plan.plan is not None, "a plan that cannot be read was told before"
    facts = Facts(
        now=world.clock.now(),
        moment=Moment.FILE,
        mode=main.settings.mode,
        plan_digest=plan.digest,
    )
    judgment = judge(Context(plan.plan, main.settings, facts), all_rules())
    first = str(error).splitlines()[0]
    return replace(found, verdicts=judgment.verdicts, unavailable=first)


def rules_since(book: Book, head: str) -> RulesSince:
    """What changed of the rules since the last execution that ended, by the executor's own steps.

    A change that was taken back is none.
    """
    last = next(
        (
            one
            for one in book.with_trailer(STEP, None, head, STEPS_LOOKED_AT)
            if one.trailers[STEP] in ENDED and book.vouches(one.commit)
        ),
        None,
    )
    if last is None:
        return RulesSince(None)
    changes = [one for one in book.differences(last.commit, head) if kind_of(one.path) in RULES]
    before, after = (_toml(book.read(SETTINGS_PATH, at)) for at in (last.commit, head))
    touched = {root for root in RULE_PATHS for one in changes if _is_in(one.path, root)}
    found = {one.commit: one for root in touched for one in _commits(book, root, last.commit, head)}
    commits = sorted(found.values(), key=lambda one: one.at, reverse=True)
    return RulesSince(
        since=last.committed_at,
        commits=tuple(commits[:COMMITS_TOLD]),
        has_more=len(commits) > COMMITS_TOLD,
        changes=rules(changes, before, after),
    )


def _is_in(path: str, root: str) -> bool:
    return path == root or path.startswith(f"{root}/")


def _commits(book: Book, root: str, since: str, head: str) -> Iterator[Commit]:
    """Commits on main's first-parent line that touched a root, the newest first."""
    at = head
    for _ in range(COMMITS_TOLD + 1):
        one = book.last_change(root, at)
        if one is None or book.fork_point(one.commit, since) == one.commit:
            return
        yield Commit(one.commit, one.committed_at, one.subject)
        if not one.parents:
            return
        at = one.parents[0]


def _toml(data: bytes | None) -> Mapping[str, Any] | None:
    """The settings' tree, whatever its keys; None where it is none."""
    try:
        return tomllib.loads((data or b"\xff").decode("utf-8"), parse_float=Decimal)
    except (ValueError, ArithmeticError, RecursionError):
        return None
