"""Writing the record: the intent before the first order, the end in one commit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Final

from executor.checkpointing import with_checkpoint
from executor.decisions.approving import approval_of, trailers_of
from executor.decisions.ending import Ending
from executor.decisions.legs import is_news
from executor.decisions.notes import SUPERSEDES
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
from executor.history import OWNER, PLAN_DIGEST, RESULT, SETTLES, STEP
from executor.main_state import MainState, PlanOnMain, owner_text
from executor.model.account import AccountRecord
from executor.model.digest import digest, plan_digest
from executor.model.intent import Intent
from executor.model.numbers import ZERO
from executor.model.order_result import InstructionResult, LegResult, OrderResult
from executor.model.plan import PLAN_PATH, PlanStatus
from executor.model.reading import read_document
from executor.model.result import ExecutionResult
from executor.model.state import STATE_PATH
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


def commit_intent(book: Book, main: MainState, plan: PlanOnMain, intent: Intent) -> PlanOnMain:
    """Commit the plan as validated, with the intent; the plan as it then lies on main.

    A plan that waited when this one came in its place is archived in the same commit.

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
            **trailers_of(plan.approval),
        },
        goes_on=True,
    )
    commit = book.commit(_superseding(book, main, change), main.head)
    update = {"status": PlanStatus.VALIDATED, "intent": intent}
    validated = plan.plan.model_copy(update=update)
    return replace(plan, data=data, tree=tree, plan=validated, validated_in=commit)


def _superseding(book: Book, main: MainState, change: Change, taken: str = "") -> Change:
    """Archive the plan that waited before the one on main, as it was, with what took its place."""
    replaced = main.replaced
    if replaced is None:
        return change
    path = free_path(
        book, main.head, archive_name(replaced.made_at), lambda: replaced.digest, taken
    )
    return replace(
        change,
        writes={**change.writes, path: replaced.data},
        trailers={**change.trailers, SUPERSEDES: path},
    )


def _reads_back(data: bytes, digest: str) -> bool:
    try:
        return plan_digest(read_document(data, of_record=True)) == digest
    except DocumentError:
        return False


def _sides(intent: Intent) -> str:
    counts = {side: sum(one.side == side for one in intent.orders) for side in ("sell", "buy")}
    told = [f"{side.upper()} {count}" for side, count in counts.items() if count]
    if intent.lines:
        told.append(f"{len(intent.lines)} more")
    return ", ".join(told)


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
        news = _untold(main, ending)
        change, written = _ending_change(book, main, plan, news, now, before, after, timings_ms)
        if main.plan is not None and main.plan.digest == plan.digest:
            change = replace(change, deletes=(PLAN_PATH,))
        try:
            commit = book.commit(change, main.head)
        except SwapLost:
            progress.say("main moved meanwhile; writing the result on top of it")
            continue
        return replace(written, commit=commit)
    raise BookUnavailable("main kept moving while the result was written; run again")


def _untold(main: MainState, ending: Ending) -> Ending:
    """The end without what a settlement has told meanwhile of orders that protect."""
    legs = tuple(one for one in ending.legs if not _is_told(main, one))
    if len(legs) == len(ending.legs):
        return ending
    realized = realized_by([*ending.instructions, *legs], main.ledger.positions)
    return replace(ending, legs=legs, realized_pl=realized)


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
    previous = main.tip
    policy = main.settings.approval_policy()
    result = execution_result(
        Circumstances(
            mode=main.settings.mode,
            strategy=main.settings.book_of(plan.plan.strategy if plan.plan else None),
            settings_digest=main.in_force.digest,
            code_commit=main.head,
            instructions_file=PLAN_PATH,
            plan_digest=plan.digest,
            approval=plan.approval
            or approval_of(None, policy, (), plan.added.commit, plan.added.committed_at),
        ),
        now=now,
        plan_status=str(ending.status),
        previous_digest=previous.digest if previous else None,
        archived_as=archived_as,
        verdicts=ending.verdicts,
        instructions=ending.instructions,
        legs=ending.legs,
        state=ending.state,
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
    writes = {archived_as: archived, result_path: data}
    if ending.state is not None:
        writes[STATE_PATH] = write_document(ending.state)
    change = Change(
        subject=f"{_DONE[ending.status]} plan {plan.digest[:8]}: {_counts(result)}",
        writes=writes,
        trailers={
            PLAN_DIGEST: plan.digest,
            STEP: str(ending.status),
            RESULT: result_path,
            **trailers_of(plan.approval, approved=ending.status is PlanStatus.COMPLETED),
        },
    )
    if plan.validated_in is None:
        change = _superseding(book, main, change, archived_as)
    change = with_checkpoint(main, change, result_path)
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
    if result.state is not None:
        return f"trading is {result.state.state}"
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
    assert plan.validated_in is not None, "nothing is sent before the intent is committed"
    sent = [one for one in ending.instructions if one.broker_order_id is not None]
    legs = [one for one in ending.legs if one.broker_order_id is not None]
    for _ in range(RECORD_TRIES):
        main = MainState(book, book.head())
        late = [one for one in sent if not _is_told(main, one)]
        beside = [one for one in legs if not _is_told(main, one)]
        ends = [
            path
            for path, result in main.history.added_since(plan.validated_in)
            if result.kind == "execution"
            and result.plan_digest == plan.digest
            and result.plan_status != PlanStatus.DUPLICATE
        ]
        if not (late or beside) or not ends:
            return
        try:
            commit_settlement(book, main, ends[-1], late, account, now, legs=beside)
        except SwapLost:
            continue
        return


def _is_told(main: MainState, sent: OrderResult) -> bool:
    """True where the record knows the order, and this run has no news that goes on from it."""
    known = main.ledger.orders.get(sent.client_order_id or "")
    if known is None or known.told.broker_order_id is None:
        return False
    filled = known.told.filled_quantity + sum((fill.quantity for fill in sent.fills), ZERO)
    goes_on = known.is_open and filled == sent.filled_quantity
    return not (goes_on and is_news(sent, known.told))


def commit_settlement(
    book: Book,
    main: MainState,
    first_path: str,
    instructions: Sequence[InstructionResult],
    account: AccountRecord,
    now: datetime,
    warnings: Sequence[str] = (),
    errors: Sequence[str] = (),
    legs: Sequence[LegResult] = (),
) -> tuple[ExecutionResult, str]:
    """Commit what is new about orders of an earlier result; the new result and its commit.

    Raises:
        SwapLost: main moved since it was read; nothing was committed.
    """
    first = main.result(first_path)
    previous = main.tip
    result = settlement_result(
        first,
        first_path,
        now=now,
        previous_digest=previous.digest if previous else None,
        settings_digest=main.in_force.digest,
        code_commit=main.head,
        instructions=instructions,
        legs=legs,
        after=account,
        realized_pl=realized_by([*instructions, *legs], main.ledger.positions),
        warnings=warnings,
        errors=errors,
    )
    data = write_document(result)
    path = free_path(book, main.head, result_name(now), partial(_digest, data))
    told = [f"{one.ticker} {one.outcome.value}" for one in instructions]
    told += [f"{one.ticker} {one.leg} {one.outcome.value}" for one in legs]
    ended = ", ".join(told[:3])
    more = "" if len(told) <= 3 else ", …"
    change = Change(
        subject=f"Settle plan {(first.plan_digest or '')[:8]}: {ended}{more}",
        writes={path: data},
        trailers={SETTLES: first.plan_digest or "", RESULT: path},
    )
    return result, book.commit(with_checkpoint(main, change, path), main.head)


def _digest(data: bytes) -> str:
    return digest(read_document(data, of_record=True))


def free_path(
    book: Book, head: str, path: str, content_digest: Callable[[], str], taken: str = ""
) -> str:
    """The first name for a history file that is not taken: history is never overwritten.

    Args:
        book: the repository.
        head: the commit to look at.
        path: the name that it should have.
        content_digest: tells files of one name apart.
        taken: a path that the same commit writes.
    """
    if path != taken and book.read(path, head) is None:
        return path
    for candidate in alternatives(path, content_digest()):
        if candidate != taken and book.read(candidate, head) is None:
            return candidate
    raise AssertionError("there is always a further name")
