"""Writing the record: the intent before the first order, the end in one commit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Final

from executor.decisions.ending import Ending
from executor.decisions.reconcile import realized_by
from executor.decisions.results import (
    Circumstances,
    alternatives,
    archive_name,
    execution_result,
    result_name,
    settlement_result,
)
from executor.errors import BookUnavailable, DocumentError, PersonNeeded, SwapLost
from executor.main_state import (
    OWNER,
    PLAN_DIGEST,
    RESULT,
    SETTLES,
    STEP,
    MainState,
    PlanOnMain,
    owner_text,
)
from executor.model.account import AccountRecord
from executor.model.digest import digest, plan_digest
from executor.model.intent import Intent
from executor.model.plan import PLAN_PATH, PlanStatus
from executor.model.reading import read_document
from executor.model.result import Approval, ExecutionResult, InstructionResult
from executor.model.writing import to_tree, write_document
from executor.ports import Book, Change, Progress

RECORD_TRIES: Final = 20
"""How often the end is committed anew because main moved: what happened must be written."""


@dataclass(frozen=True, slots=True)
class Written:
    """What the last commit holds."""

    commit: str
    archived_as: str
    result_path: str
    result: ExecutionResult


def commit_intent(book: Book, head: str, plan: PlanOnMain, intent: Intent) -> PlanOnMain:
    """Commit the plan as validated, with the intent; the plan as it then lies on main.

    Raises:
        SwapLost: main moved since it was read; nothing was committed.
    """
    assert plan.tree is not None, "a plan that could not be read was not judged"
    assert plan.plan is not None, "a plan that a gate refused was not judged"
    tree = {**plan.tree, "status": str(PlanStatus.VALIDATED), "intent": to_tree(intent)}
    data = write_document(tree)
    if not _reads_back(data, plan.digest):
        raise PersonNeeded(
            "the plan with its intent could not be read back, so nothing is sent; split the plan"
        )
    change = Change(
        subject=f"Validate plan {plan.digest[:8]}: {_sides(intent)}",
        writes={PLAN_PATH: data},
        trailers={
            PLAN_DIGEST: plan.digest,
            STEP: str(PlanStatus.VALIDATED),
            OWNER: owner_text(intent),
        },
    )
    commit = book.commit(change, head)
    update = {"status": PlanStatus.VALIDATED, "intent": intent}
    validated = plan.plan.model_copy(update=update)
    return replace(plan, data=data, tree=tree, plan=validated, validated_in=commit)


def _reads_back(data: bytes, digest: str) -> bool:
    try:
        return plan_digest(read_document(data, of_record=True)) == digest
    except DocumentError:
        return False


def _sides(intent: Intent) -> str:
    counts = {side: sum(one.side == side for one in intent.orders) for side in ("sell", "buy")}
    return ", ".join(f"{side.upper()} {count}" for side, count in counts.items() if count)


def commit_ending(
    book: Book,
    plan: PlanOnMain,
    ending: Ending,
    *,
    now: datetime,
    before: AccountRecord | None,
    after: AccountRecord | None,
    timings_ms: Mapping[str, Decimal],
    progress: Progress,
) -> Written:
    """Archive the plan and write its result in one commit, however often main moves meanwhile.

    The plan goes from main only while it still is the same document.

    Raises:
        SwapLost: another run has written this plan's end.
        BookUnavailable: main kept moving.
    """
    for _ in range(RECORD_TRIES):
        main = MainState(book, book.head())
        if not is_ours(main, plan):
            raise SwapLost("another run has taken this plan to its end, or further than this one")
        change, written = _ending_change(book, main, plan, ending, now, before, after, timings_ms)
        if main.plan is not None and main.plan.digest == plan.digest:
            change = replace(change, deletes=(PLAN_PATH,))
        try:
            commit = book.commit(change, main.head)
        except SwapLost:
            progress.say("main moved meanwhile; writing the result on top of it")
            continue
        return replace(written, commit=commit)
    raise BookUnavailable("main kept moving while the result was written; run again")


def is_ours(main: MainState, plan: PlanOnMain) -> bool:
    """True while the plan is where this run left it: it waits, or carries this very intent.

    By the digest alone a run would take the next plan's turn for its own, or end as rejected what
    another run has validated and sent meanwhile.
    """
    running = main.unfinished
    if plan.validated_in is not None:
        return running is not None and running.validated_in == plan.validated_in
    return running is None and main.plan is not None and main.plan.digest == plan.digest


def _ending_change(
    book: Book,
    main: MainState,
    plan: PlanOnMain,
    ending: Ending,
    now: datetime,
    before: AccountRecord | None,
    after: AccountRecord | None,
    timings_ms: Mapping[str, Decimal],
) -> tuple[Change, Written]:
    archived_as = free_path(book, main.head, archive_name(plan.made_at), lambda: plan.digest)
    previous = main.chain.newest
    policy = main.settings.approval_policy()
    result = execution_result(
        Circumstances(
            mode=main.settings.mode,
            strategy=main.settings.book_of(plan.plan.strategy if plan.plan else None),
            settings_digest=main.in_force.digest,
            code_commit=main.head,
            instructions_file=PLAN_PATH,
            plan_digest=plan.digest,
            approval=Approval(
                policy=policy,
                merge_commit=plan.added.commit,
                merged_at=plan.added.committed_at,
            ),
        ),
        now=now,
        plan_status=str(ending.status),
        previous_digest=previous.digest if previous else None,
        archived_as=archived_as,
        verdicts=ending.verdicts,
        instructions=ending.instructions,
        before=before,
        after=after,
        realized_pl=ending.realized_pl,
        warnings=(*ending.warnings, *_about_settings(main)),
        errors=ending.errors,
        timings_ms=timings_ms,
    )
    data = write_document(result)
    result_path = free_path(book, main.head, result_name(now), partial(_digest, data))
    archived = plan.data
    if plan.tree is not None:
        archived = write_document({**plan.tree, "status": str(ending.status)})
    change = Change(
        subject=f"{_DONE[ending.status]} plan {plan.digest[:8]}: {_counts(result)}",
        writes={archived_as: archived, result_path: data},
        trailers={PLAN_DIGEST: plan.digest, STEP: str(ending.status), RESULT: result_path},
    )
    return change, Written("", archived_as, result_path, result)


def _about_settings(main: MainState) -> tuple[str, ...]:
    """That older settings judged, and why; nothing where main's newest did."""
    if main.in_force.fault is None:
        return ()
    problem = main.in_force.fault.splitlines()[0]
    return (f"{problem}; judged by the last valid settings, {main.in_force.digest[:8]}",)


_DONE: Final = {
    PlanStatus.COMPLETED: "Complete",
    PlanStatus.REJECTED: "Reject",
    PlanStatus.EXPIRED: "Expire",
    PlanStatus.DUPLICATE: "Set aside",
}


def _counts(result: ExecutionResult) -> str:
    summary = result.execution_summary
    parts = [f"{summary.successful} of {summary.total_instructions} filled"]
    for name in ("partially_filled", "open", "denied", "failed", "unknown"):
        count = getattr(summary, name)
        if count:
            parts.append(f"{count} {name.replace('_', ' ')}")
    return ", ".join(parts)


def commit_late(
    book: Book, plan: PlanOnMain, ending: Ending, account: AccountRecord, now: datetime
) -> None:
    """Write down what this run sent although another one has ended the plan meanwhile.

    That one's result denies orders which this one had already decided to send. No lock reaches
    from machine to machine, but every order at the broker has to be explained by a commit.
    """
    sent = [one for one in ending.instructions if one.broker_order_id is not None]
    for _ in range(RECORD_TRIES):
        main = MainState(book, book.head())
        late = [one for one in sent if not _is_told(main, one)]
        ends = [
            path
            for path, result in main.results
            if result.kind == "execution"
            and result.plan_digest == plan.digest
            and result.plan_status != PlanStatus.DUPLICATE
        ]
        if not late or not ends:
            return
        try:
            commit_settlement(book, main, ends[-1], late, account, now)
        except SwapLost:
            continue
        return


def _is_told(main: MainState, sent: InstructionResult) -> bool:
    known = main.ledger.orders.get(sent.client_order_id or "")
    return known is not None and known.instruction.broker_order_id is not None


def commit_settlement(
    book: Book,
    main: MainState,
    first_path: str,
    instructions: Sequence[InstructionResult],
    account: AccountRecord,
    now: datetime,
    warnings: Sequence[str] = (),
) -> tuple[ExecutionResult, str]:
    """Commit what is new about orders of an earlier result; the new result and its commit.

    Raises:
        SwapLost: main moved since it was read; nothing was committed.
    """
    first = dict(main.results)[first_path]
    previous = main.chain.newest
    result = settlement_result(
        first,
        first_path,
        now=now,
        previous_digest=previous.digest if previous else None,
        settings_digest=main.in_force.digest,
        code_commit=main.head,
        instructions=instructions,
        after=account,
        realized_pl=realized_by(instructions, main.ledger.positions),
        warnings=warnings,
    )
    data = write_document(result)
    path = free_path(book, main.head, result_name(now), partial(_digest, data))
    ended = ", ".join(f"{one.ticker} {one.outcome.value}" for one in instructions[:3])
    more = "" if len(instructions) <= 3 else ", …"
    change = Change(
        subject=f"Settle plan {(first.plan_digest or '')[:8]}: {ended}{more}",
        writes={path: data},
        trailers={SETTLES: first.plan_digest or "", RESULT: path},
    )
    return result, book.commit(change, main.head)


def _digest(data: bytes) -> str:
    return digest(read_document(data, of_record=True))


def free_path(book: Book, head: str, path: str, content_digest: Callable[[], str]) -> str:
    """The first name for a history file that is not taken: history is never overwritten."""
    if book.read(path, head) is None:
        return path
    for candidate in alternatives(path, content_digest()):
        if book.read(candidate, head) is None:
            return candidate
    raise AssertionError("there is always a further name")
