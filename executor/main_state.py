"""What main holds at a commit: the settings in force, the record and the plan."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Final

from pydantic import ValidationError

from executor.decisions.approving import approval_told
from executor.decisions.chain import Chain
from executor.decisions.gates import judge_tree
from executor.errors import DocumentError, PersonNeeded, UsageError
from executor.history import OWNER, PLAN_DIGEST, RESULT, RESULTS_FOLDER, STEP, History, Tip
from executor.model.digest import plan_digest, raw_digest
from executor.model.intent import Intent
from executor.model.ledger import Ledger
from executor.model.plan import PLAN_PATH, PlanStatus, TradingInstructionSet
from executor.model.reading import Tree, read_document
from executor.model.result import Approval, ExecutionResult
from executor.model.settings import SETTINGS_PATH, Settings
from executor.model.state import STATE_PATH, TradingState, TradingStateRecord
from executor.model.verdict import Answer, Verdict
from executor.ports import Book, CommitInfo
from executor.repo.schema_files import load_schema
from executor.settings import parse_settings

STEPS_LOOKED_AT: Final = (1, 32, 1_000)
"""How many steps are looked at for one that was validated: the newest tells, as a plan goes on only
when the one before it has ended. Steps that nobody of ours took are passed over, up to the last."""


@dataclass(frozen=True, slots=True)
class SettingsInForce:
    """The settings that judge, and whether they are main's newest."""

    settings: Settings
    digest: str
    """SHA-256 of the file."""
    fault: str | None = None
    """Why main's newest settings could not be used; None where they are."""


@dataclass(frozen=True, slots=True)
class PlanOnMain:
    """A plan as it lies at a commit."""

    data: bytes
    added: CommitInfo
    """The commit that brought it to where it is: a merge, or a direct commit."""
    digest: str
    tree: Tree | None
    """None where it cannot be read at all."""
    plan: TradingInstructionSet | None
    """None where a gate refuses it."""
    problems: tuple[Verdict, ...] = ()
    """What the gates said no to."""
    validated_in: str | None = None
    """The commit of ours that holds its intent; None for a plan that waits."""
    approval: Approval | None = None
    """On whose word, as it was verified; None before anybody was asked."""

    @property
    def made_at(self) -> datetime:
        """The plan's own timestamp; absent, when it was added."""
        stamp = self.plan.timestamp if self.plan else None
        return stamp or self.added.committed_at

    @property
    def lines(self) -> int:
        """How many instructions it has."""
        return len(self.proposal.instructions)

    @property
    def status(self) -> PlanStatus | None:
        """The status as written; None where a gate refuses the plan."""
        return self.plan.status if self.plan else None

    @property
    def proposal(self) -> TradingInstructionSet:
        """The plan without what belongs to the executor."""
        assert self.plan is not None, "a plan that a gate refused goes no further"
        return self.plan.model_copy(update={"status": PlanStatus.PENDING, "intent": None})


class MainState:
    """Everything that a verb reads of main, at one commit, each part read once."""

    def __init__(self, book: Book, head: str) -> None:
        """Read at a commit."""
        self._book = book
        self.head = head

    @cached_property
    def in_force(self) -> SettingsInForce:
        """The settings at the commit, or the last ones that were valid.

        Raises:
            UsageError: there never were valid ones.
        """
        at, fault = self.head, None
        while True:
            data = self._book.read(SETTINGS_PATH, at)
            try:
                if data is None:
                    raise UsageError(f"{SETTINGS_PATH}: not on main; commit the template's")
                return SettingsInForce(_parsed(data), raw_digest(data), fault)
            except UsageError as error:
                fault = fault or str(error)
            changed = self._book.last_change(SETTINGS_PATH, at)
            if changed is None or not changed.parents:
                raise UsageError(fault)
            at = changed.parents[0]

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self.in_force.settings

    @cached_property
    def history(self) -> History:
        """The results, and what can be asked of them one by one."""
        return History(self._book, self.head)

    @property
    def chain(self) -> Chain:
        """Every result, in the order of the chain: reads them all.

        Raises:
            PersonNeeded: a result cannot be read, or the chain does not hold.
        """
        return self.history.chain

    @property
    def results(self) -> tuple[tuple[str, ExecutionResult], ...]:
        """Path and result, first to newest: reads them all."""
        return tuple((link.path, link.result) for link in self.chain.links)

    @property
    def tip(self) -> Tip | None:
        """The newest result of all modes, which the next one names.

        Raises:
            PersonNeeded: as `chain`.
        """
        return self.history.tip

    @property
    def account(self) -> str | None:
        """The account that the settings name, `…1234`; None: every account of the mode."""
        ending = self.settings.account.number_ends_with
        return f"…{ending}" if ending else None

    @cached_property
    def ledger(self) -> Ledger:
        """The fold of the results of the settings' mode and account."""
        return self.history.ledger(self.settings.mode, self.account)

    @cached_property
    def trading_state(self) -> TradingStateRecord | None:
        """The state as committed; ACTIVE where none is; None where it cannot be read."""
        return self.state_at(self.head)

    def state_at(self, commit: str) -> TradingStateRecord | None:
        """The state at a commit; ACTIVE where none is; None where it cannot be read."""
        data = self._book.read(STATE_PATH, commit)
        if data is None:
            return TradingStateRecord.model_validate(
                {
                    "state": TradingState.ACTIVE,
                    "since": "2026-01-01T00:00:00Z",
                    "by": "default",
                    "reason": "no state was ever set",
                }
            )
        try:
            return TradingStateRecord.model_validate(read_document(data))
        except (DocumentError, ValidationError):
            return None

    @cached_property
    def plan(self) -> PlanOnMain | None:
        """The plan that waits or runs; None where there is none."""
        return self._plan_at(self.head)

    def result(self, path: str) -> ExecutionResult:
        """One result of the record.

        Raises:
            PersonNeeded: it is not there, or cannot be read.
        """
        return self.history.result(path)

    def executed(self, plan: PlanOnMain) -> str | None:
        """Path of the archived plan with the same digest that completed, or had an order sent."""
        stamp = plan.plan.timestamp if plan.plan else None
        found = self.history.execution_of(plan.digest, stamp)
        return (found[1].archived_as or found[0]) if found else None

    @cached_property
    def replaced(self) -> PlanOnMain | None:
        """The plan that waited on main when the one that waits now came in its place."""
        waiting = self.plan
        if waiting is None or not waiting.added.parents:
            return None
        before = self._plan_at(waiting.added.parents[0])
        if before is None or before.digest == waiting.digest:
            return None
        return before if before.status is not PlanStatus.VALIDATED else None

    @cached_property
    def unfinished(self) -> PlanOnMain | None:
        """A plan that we validated and whose end is not written, on main or only in history."""
        if self.plan is not None and self.plan.status is PlanStatus.VALIDATED:
            believed = self._believed(self.plan, self.plan.added)
            if believed is not None:
                return believed
        # Whatever a person made of the file since: what we validated may be at the broker.
        seen = 0
        for most in STEPS_LOOKED_AT:
            steps = self._book.with_trailer(STEP, None, self.head, most)
            for step in steps[seen:]:
                if step.trailers[STEP] != PlanStatus.VALIDATED:
                    if self.history.told_by(step) is not None:
                        return None
                    self._refuse_lost_result(step)
                    continue
                if self._has_ended(step):
                    return None
                found = self._plan_at(step.commit)
                believed = self._believed(found, step) if found else None
                if believed is not None:
                    return believed
            seen = len(steps)
            if seen < most:
                break
        return None

    def _has_ended(self, validated: CommitInfo) -> bool:
        """True where the chain holds a result of the plan that was not there when it was validated.

        Its status does not tell: of a plan whose run died before the first order nothing may have
        been sent, and the same document may have been rejected before.
        """
        plan_digest = validated.trailers.get(PLAN_DIGEST)
        return any(
            one.kind == "execution" and one.plan_digest == plan_digest
            for _, one in self.history.added_since(validated.commit)
        )

    def _refuse_lost_result(self, step: CommitInfo) -> None:
        """Go on nowhere where a result of ours was taken away: its plan would seem unfinished.

        Raises:
            PersonNeeded: a commit of ours wrote a result that is gone.
        """
        path = step.trailers.get(RESULT, "")
        if not path.startswith(f"{RESULTS_FOLDER}/") or self._book.read(path, self.head):
            return
        if self._book.read(path, step.commit) and self._book.vouches(step.commit):
            raise PersonNeeded(
                f"{path}: written by commit {step.commit[:12]}, and it is not on main any more;"
                " revert the commit that removed it, then run again"
            )

    def _plan_at(self, commit: str) -> PlanOnMain | None:
        data = self._book.read(PLAN_PATH, commit)
        if data is None:
            return None
        added = self._book.last_change(PLAN_PATH, commit)
        assert added is not None, "a path that is there was added by some commit"
        return read_plan(data, added)

    def _believed(self, found: PlanOnMain, commit: CommitInfo) -> PlanOnMain | None:
        """Believe `validated` only from the executor: its commit, over the same pending plan.

        The plan that is returned counts as added when the pending one was: that was its approval.
        """
        intent = found.plan.intent if found.plan else None
        if intent is None or not commit.parents:
            return None
        before = self._plan_at(commit.parents[0])
        if (
            before is None
            or before.status is not PlanStatus.PENDING
            or before.digest != found.digest
            or commit.trailers.get(PLAN_DIGEST) != found.digest
            or commit.trailers.get(OWNER) != owner_text(intent)
            or not self._book.vouches(commit.commit)
        ):
            return None
        approval = approval_told(
            commit.trailers,
            self.settings.approval_policy(),
            before.added.commit,
            before.added.committed_at,
        )
        return replace(found, added=before.added, validated_in=commit.commit, approval=approval)


def owner_text(intent: Intent) -> str:
    """The owner as it stands in a trailer."""
    return f"{intent.owner.run}/{intent.owner.attempt}"


def read_plan(data: bytes, added: CommitInfo) -> PlanOnMain:
    """Read a plan and ask both gates; whatever is wrong is kept as verdicts."""
    return PlanOnMain(data, added, *_judged(data))


def plan_of(data: bytes | None) -> TradingInstructionSet | None:
    """A plan's bytes as a plan; None where there are none, or a gate refuses them."""
    return _judged(data)[2] if data is not None else None


# A run reads main several times, and most of it is as it was. What bytes mean never changes.


@lru_cache(maxsize=8)
def _parsed(data: bytes) -> Settings:
    return parse_settings(data)


@lru_cache(maxsize=8)
def _judged(
    data: bytes,
) -> tuple[str, Tree | None, TradingInstructionSet | None, tuple[Verdict, ...]]:
    """Digest, tree, plan and problems of a plan's bytes."""
    try:
        tree = read_document(data, of_record=True)
        if tree.get("status") != PlanStatus.VALIDATED:
            tree = read_document(data)
    except DocumentError as error:
        verdict = Verdict(
            check="document",
            answer=Answer.NO,
            observed=f"{PLAN_PATH}: {error}"[:2_000],
            remedy="propose a plan that can be read",
        )
        return raw_digest(data), None, None, (verdict,)
    plan, problems = judge_tree(tree, load_schema("trading_instructions"), TradingInstructionSet)
    return plan_digest(tree), tree, plan, tuple(problem.verdict() for problem in problems)
