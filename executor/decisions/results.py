"""Documents of the record: the account, an execution's result, a settlement's, and their names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from executor.decisions.reconcile import summarize
from executor.model.account import AccountRecord, HeldPosition, Mode, OpenOrder, short_number
from executor.model.facts import AccountFacts, PositionFacts
from executor.model.fields import timestamp_text
from executor.model.numbers import ZERO, cents, nanos
from executor.model.order import OrderReport
from executor.model.order_result import InstructionResult, LegResult
from executor.model.result import Approval, ExecutionResult, FinalPortfolio
from executor.model.state import TradingStateRecord
from executor.model.verdict import Verdict


def account_record(
    account: AccountFacts,
    positions: Iterable[PositionFacts],
    open_orders: Iterable[OrderReport],
    mode: Mode,
    unprotected: frozenset[str] = frozenset(),
) -> AccountRecord:
    """Write the account down; the number keeps its last four characters only."""
    return AccountRecord(
        as_of=account.as_of,
        mode=mode,
        account=short_number(account.account_number),
        cash=cents(account.cash),
        equity=cents(account.equity),
        buying_power=cents(account.buying_power),
        margin_used=max(-cents(account.cash), ZERO),
        positions=tuple(
            HeldPosition(
                symbol=one.symbol,
                quantity=one.quantity,
                average_entry_price=nanos(one.average_entry_price),
                market_value=cents(one.market_value),
                unrealized_pl=cents(one.unrealized_pl),
                protection="unprotected" if one.symbol in unprotected else None,
            )
            for one in sorted(positions, key=lambda one: one.symbol)
        ),
        open_orders=tuple(
            OpenOrder(
                client_order_id=one.client_order_id,
                symbol=one.symbol,
                side=one.side,
                quantity=one.quantity,
                filled_quantity=one.filled_quantity,
                order_type=one.order_type,
                limit_price=one.limit_price,
                stop_price=one.stop_price,
                status=one.broker_status,
            )
            for one in open_orders
        ),
    )


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What every result says about where and by what it was made."""

    mode: Mode
    strategy: str
    settings_digest: str
    code_commit: str
    instructions_file: str
    plan_digest: str
    approval: Approval | None = None


def execution_result(
    circumstances: Circumstances,
    *,
    now: datetime,
    plan_status: str,
    previous_digest: str | None,
    archived_as: str,
    verdicts: Sequence[Verdict],
    instructions: Sequence[InstructionResult],
    legs: Sequence[LegResult] = (),
    state: TradingStateRecord | None = None,
    before: AccountRecord | None,
    after: AccountRecord | None,
    realized_pl: Decimal,
    warnings: Sequence[str] = (),
    errors: Sequence[str] = (),
    timings_ms: Mapping[str, Decimal] | None = None,
) -> ExecutionResult:
    """Put an execution's result together."""
    return ExecutionResult(
        kind="execution",
        timestamp=now,
        instructions_file=circumstances.instructions_file,
        archived_as=archived_as,
        plan_digest=circumstances.plan_digest,
        plan_status=plan_status,
        strategy=circumstances.strategy,
        previous_result_digest=previous_digest,
        settings_digest=circumstances.settings_digest,
        code_commit=circumstances.code_commit,
        mode=circumstances.mode,
        account=after.account if after else before.account if before else None,
        approval=circumstances.approval,
        verdicts=tuple(verdicts),
        execution_summary=summarize(instructions),
        instructions=tuple(instructions),
        legs=tuple(legs),
        state=state,
        account_before=before,
        final_portfolio=final_portfolio(after or before, realized_pl),
        warnings=tuple(warnings),
        errors=tuple(errors),
        timings_ms=dict(timings_ms or {}),
    )


def provisional_result(
    mode: Mode,
    plan_digest: str | None,
    strategy: str | None,
    now: datetime,
    instructions: Sequence[InstructionResult],
    legs: Sequence[LegResult],
) -> ExecutionResult:
    """What a run knows so far, to be folded and never written; of legs alone it has no plan."""
    return ExecutionResult(
        timestamp=now,
        mode=mode,
        plan_digest=plan_digest,
        strategy=strategy,
        execution_summary=summarize(instructions),
        instructions=tuple(instructions),
        legs=tuple(legs),
        final_portfolio=final_portfolio(None, ZERO),
    )


def settlement_result(
    first: ExecutionResult,
    first_path: str,
    *,
    now: datetime,
    previous_digest: str | None,
    settings_digest: str,
    code_commit: str,
    instructions: Sequence[InstructionResult],
    legs: Sequence[LegResult] = (),
    after: AccountRecord,
    realized_pl: Decimal,
    warnings: Sequence[str] = (),
    errors: Sequence[str] = (),
) -> ExecutionResult:
    """Put together what became of orders that an earlier result left open."""
    return ExecutionResult(
        kind="settlement",
        timestamp=now,
        instructions_file=first.instructions_file,
        archived_as=first.archived_as,
        first_result=first_path,
        plan_digest=first.plan_digest,
        plan_status=first.plan_status,
        strategy=first.strategy,
        previous_result_digest=previous_digest,
        settings_digest=settings_digest,
        code_commit=code_commit,
        mode=first.mode,
        account=after.account,
        approval=first.approval,
        execution_summary=summarize(instructions),
        instructions=tuple(instructions),
        legs=tuple(legs),
        final_portfolio=final_portfolio(after, realized_pl),
        warnings=tuple(warnings),
        errors=tuple(errors),
    )


def final_portfolio(account: AccountRecord | None, realized_pl: Decimal) -> FinalPortfolio:
    """The account after a run; zeros where no broker was asked, and then without a time."""
    if account is None:
        return FinalPortfolio(total_value=ZERO, cash=ZERO, realized_pl=realized_pl)
    return FinalPortfolio(
        total_value=account.equity,
        cash=account.cash,
        realized_pl=realized_pl,
        as_of=account.as_of,
        buying_power=account.buying_power,
        margin_used=account.margin_used,
        positions=account.positions,
        open_orders=account.open_orders,
    )


def archive_name(made_at: datetime) -> str:
    """Where a plan is archived: by the month and second of its timestamp, in UTC."""
    return f"trading_instructions_history/{_month(made_at)}/instructions_{_second(made_at)}.json"


def result_name(written_at: datetime) -> str:
    """Where a result lies: by the month and second of its own timestamp, in UTC."""
    return f"execution_results/{_month(written_at)}/result_{_second(written_at)}.json"


def review_name(made_at: datetime) -> str:
    """Where a review lies: by the month and second of its own timestamp, in UTC."""
    return f"strategy_reviews/{_month(made_at)}/review_{_second(made_at)}.json"


def alternatives(path: str, digest: str) -> Iterable[str]:
    """The names to try for a history file, in order: its own, with its digest, then numbered."""
    stem = path.removesuffix(".json")
    yield path
    yield f"{stem}-{digest[:8]}.json"
    number = 2
    while True:
        yield f"{stem}-{digest[:8]}-{number}.json"
        number += 1


def _month(moment: datetime) -> str:
    return timestamp_text(moment)[:7]


def _second(moment: datetime) -> str:
    return timestamp_text(moment)[:19].replace(":", "-")
