"""The three statuses of a pull request's head, each in at most 140 characters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from executor.model.forge import DESCRIPTION_MAX, Mark, digest_words
from executor.model.plan import PLAN_PATH
from executor.model.verdict import Answer, Verdict
from executor.model.words import count
from executor.reports.comment import PlanReport, PullReport
from executor.reports.markdown import clipped, visible
from executor.reports.money import part

SCHEMA, SCOPE, CAPITAL = "plan/schema", "plan/scope", "plan/capital"

SCHEMA_CHECKS: Final = frozenset({"document"})
SCOPE_CHECKS: Final = frozenset({"plan_scope", "plan_unchanged"})

State = Literal["success", "failure", "error", "pending"]


def marks(report: PullReport) -> tuple[Mark, Mark, Mark]:
    """Say what was found: schema, scope, capital. What waits is green, and says for what."""
    plan = report.plan
    if plan is None:
        none = "no plan"
        return (
            _mark(SCHEMA, "success", none),
            _scope(report, ()),
            _mark(CAPITAL, "success", none),
        )
    return _schema(plan), _scope(report, plan.verdicts), _capital(plan)


def _schema(plan: PlanReport) -> Mark:
    start = digest_words(plan.digest)
    noes = _noes(plan.verdicts, SCHEMA_CHECKS)
    if noes:
        # The digest takes much of the room, so the check's own name is left out.
        why = _first(noes).removeprefix(f"{noes[0].check}: ").removeprefix(f"{PLAN_PATH}: ")
        return _mark(SCHEMA, "failure", f"{start} refused: {why}")
    if plan.plan is None:
        return _mark(SCHEMA, "failure", f"{start} refused")
    return _mark(SCHEMA, "success", f"{start} accepted")


def _scope(report: PullReport, verdicts: Sequence[Verdict]) -> Mark:
    scope = report.scope
    noes = _noes(verdicts, SCOPE_CHECKS)
    if scope.problems:
        return _mark(SCOPE, "failure", f"refused: {scope.problems[0]}")
    if noes:
        return _mark(SCOPE, "failure", f"refused: {_first(noes)}")
    waiting = [one for one in verdicts if one.check in SCOPE_CHECKS and _is_open(one)]
    if waiting:
        # What GitHub has not told yet is no yes; the next look will know.
        return _mark(SCOPE, "pending", f"not judged yet: {waiting[0].remedy or 'ask again'}")
    if report.plan is not None:
        return _mark(SCOPE, "success", "brings a plan and nothing but its review")
    if scope.changes_rules:
        return _mark(SCOPE, "success", f"changes the rules: {scope.rules.counted()}")
    return _mark(SCOPE, "success", "no plan, no change of the rules")


def _is_open(one: Verdict) -> bool:
    return one.answer is Answer.NOT_NOW


def _capital(plan: PlanReport) -> Mark:
    if plan.plan is None:
        return _mark(CAPITAL, "failure", "not judged: the plan cannot be read")
    judgment = plan.judgment
    others = SCHEMA_CHECKS | SCOPE_CHECKS
    noes = [one for one in plan.verdicts if _is_no(one) and one.check not in others]
    # A no about all openings of a plan that has none stands against nothing.
    if noes and (judgment is None or judgment.rejected or judgment.denied):
        more = f"{len(noes):,} noes, the first: " if len(noes) > 1 else ""
        return _mark(CAPITAL, "failure", f"refused: {more}{_first(noes)}")
    if judgment is None:
        return _mark(CAPITAL, "pending", f"not judged yet: {plan.unavailable or 'no account'}")
    if judgment.rejected:
        return _mark(CAPITAL, "success", "nothing against it; see the other marks")
    waiting = [one for one in plan.verdicts if _is_open(one) and one.check not in others]
    if (judgment.waits or judgment.openings_wait) and waiting:
        one = waiting[0]
        when = one.remedy or one.observed or "later"
        return _mark(CAPITAL, "success", f"not now: {one.check}: {when}")
    told = f"{count(len(judgment.going), 'line')} may go"
    found = plan.outlook
    if found is not None:
        before, after = found.share(found.gross_before), found.share(found.gross_after)
        told += f"; exposure {part(before)} → {part(after)} of equity"
    return _mark(CAPITAL, "success", told)


def _noes(verdicts: Sequence[Verdict], checks: frozenset[str]) -> list[Verdict]:
    return [one for one in verdicts if _is_no(one) and one.check in checks]


def _is_no(one: Verdict) -> bool:
    return one.answer is Answer.NO


def _first(noes: Sequence[Verdict]) -> str:
    return noes[0].sentence()


def _mark(context: str, state: State, text: str) -> Mark:
    return Mark(context, state, clipped(visible(text), DESCRIPTION_MAX))
