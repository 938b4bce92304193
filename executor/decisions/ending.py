"""How a plan ends: every instruction's outcome, and what a person should hear of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final

from executor.decisions.plan import stop_terms
from executor.decisions.reconcile import (
    from_report,
    never_planned,
    realized_by,
    without_report,
)
from executor.decisions.validate import Judgment
from executor.errors import ExitCode
from executor.model.account import AccountRecord
from executor.model.activity import Activity
from executor.model.facts import Facts
from executor.model.intent import Intent, PlannedOrder
from executor.model.ledger import SENT, STILL_OPEN, LotKey
from executor.model.market import Reference
from executor.model.numbers import ZERO, plain
from executor.model.order import OrderReport
from executor.model.order_result import InstructionResult, LegResult, Outcome, Protection, Refusal
from executor.model.plan import PlanStatus, TradingInstruction, TradingInstructionSet
from executor.model.position import Position
from executor.model.state import TradingStateRecord
from executor.model.verdict import Answer, Verdict
from executor.model.words import shares


@dataclass(frozen=True, slots=True)
class Judged:
    """A judgment with the facts that sending needs."""

    judgment: Judgment
    references: Mapping[int, Reference | None]
    """The price that each line was judged by, by index."""
    available: Mapping[str, Decimal]
    """Shares by symbol that no open order holds."""
    before: AccountRecord
    """The account when it was judged."""
    facts: Facts
    """What it was judged by."""

    def arrivals(self, orders: Iterable[PlannedOrder]) -> dict[str, Decimal]:
        """The price at sending, by client order id; an order without a price is absent."""
        found = ((one.client_order_id, self.references.get(one.index)) for one in orders)
        return {key: reference.price for key, reference in found if reference is not None}


@dataclass(frozen=True, slots=True)
class Answers:
    """What the broker answered to a plan's orders, by client order id."""

    reports: Mapping[str, OrderReport] = field(default_factory=dict)
    """The broker has the order."""
    refusals: Mapping[str, Refusal] = field(default_factory=dict)
    """The broker refused it."""
    unknown: Mapping[str, str] = field(default_factory=dict)
    """No answer, and not found within the deadline: why."""
    pieces: Mapping[str, Sequence[Activity]] = field(default_factory=dict)
    """FILL activities by the broker's order id, where they were asked for."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What a run did beside the orders of its plan."""

    legs: tuple[LegResult, ...] = ()
    """Protective orders, and earlier plans' orders that it canceled."""
    states: Mapping[LotKey, tuple[Protection, ...]] = field(default_factory=dict)
    """How each holding that asked for a stop stands."""
    alarms: tuple[str, ...] = ()
    """Shares without the stop that they should have."""
    done: frozenset[int] = frozenset()
    """Indexes of the CANCEL and PROTECT lines that were carried out."""
    undone: Mapping[int, str] = field(default_factory=dict)
    """Of those that were not: why."""


NOTHING_BESIDE: Final = Beside()


@dataclass(frozen=True, slots=True)
class Ending:
    """What the last commit of an execution says."""

    status: PlanStatus
    verdicts: tuple[Verdict, ...] = ()
    instructions: tuple[InstructionResult, ...] = ()
    legs: tuple[LegResult, ...] = ()
    realized_pl: Decimal = ZERO
    """USD that the fills closed."""
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    alarms: tuple[str, ...] = ()
    """Among the errors: what a person looks at first."""
    state: TradingStateRecord | None = None
    """The trading state that the plan sets."""
    stands: tuple[Protection, ...] = ()
    """How every holding that asked for a stop stands, of earlier plans too."""

    @property
    def exit_code(self) -> ExitCode:
        """5 where an outcome is unknown or a stop is missing, 1 where something was refused."""
        outcomes = {one.outcome for one in self.instructions}
        if Outcome.UNKNOWN in outcomes or self.alarms:
            return ExitCode.PERSON
        if self.status is PlanStatus.DUPLICATE:
            return ExitCode.DONE
        refused_ones = {Outcome.DENIED, Outcome.REJECTED, Outcome.NOT_SENT}
        if self.status is not PlanStatus.COMPLETED or outcomes & refused_ones:
            return ExitCode.REFUSED
        return ExitCode.DONE


def refused(
    verdicts: Sequence[Verdict], plan: TradingInstructionSet | None = None, executed: bool = False
) -> Ending:
    """The end of a plan of which nothing was sent.

    Args:
        verdicts: every answer.
        plan: the plan, where it could be read.
        executed: True where the record holds an execution of the same digest.
    """
    noes = [one for one in verdicts if one.answer is Answer.NO]
    status = PlanStatus.DUPLICATE if executed else _status_unsent(noes)
    outcome = Outcome.DENIED if status is PlanStatus.REJECTED else Outcome.NOT_SENT
    instructions = enumerate(plan.instructions if plan else ())
    return Ending(
        status=status,
        verdicts=tuple(verdicts),
        instructions=tuple(never_planned(index, one, outcome) for index, one in instructions),
        errors=tuple(one.sentence() for one in noes),
        warnings=_check_warnings(verdicts),
    )


def _status_unsent(noes: Iterable[Verdict]) -> PlanStatus:
    """How a plan ends of which nothing was sent."""
    checks = {one.check for one in noes if one.pointer is None or one.check == "plan_fresh"}
    return PlanStatus.EXPIRED if checks == {"plan_fresh"} else PlanStatus.REJECTED


def state_set(
    plan: TradingInstructionSet,
    verdicts: Sequence[Verdict],
    *,
    plan_digest: str,
    now: datetime,
    rebased_at: datetime | None,
) -> Ending:
    """The end of a plan that asked for another trading state, and was approved.

    Args:
        plan: the plan.
        verdicts: every answer.
        plan_digest: of the plan.
        now: from when on the state is in force.
        rebased_at: from when on the equity peak counted before.
    """
    asked = plan.trading_state
    assert asked is not None, "the plan asks for a trading state"
    return Ending(
        status=PlanStatus.COMPLETED,
        verdicts=tuple(verdicts),
        warnings=_check_warnings(verdicts),
        state=TradingStateRecord(
            state=asked.state,
            since=now,
            by=f"plan {plan_digest[:8]}",
            reason=asked.reason,
            peak_equity_rebased_at=now if asked.rebase_peak else rebased_at,
        ),
    )


def conclude(
    plan: TradingInstructionSet,
    intent: Intent,
    answers: Answers,
    *,
    verdicts: Sequence[Verdict],
    denied: frozenset[int],
    arrivals: Mapping[str, Decimal],
    held_before: Mapping[str, Position],
    seen_at: datetime,
    slippage_warning_bps: Decimal,
    plan_digest: str,
    beside: Beside = NOTHING_BESIDE,
) -> Ending:
    """The end of a plan whose intent was committed: completed, or refused where nothing was sent.

    Args:
        plan: the plan.
        intent: what was meant to be sent.
        answers: what the broker said.
        verdicts: the newest answer of every check.
        denied: indexes of lines that a check denied, at any time.
        arrivals: the price at sending, by client order id.
        held_before: positions of the record before the first order.
        seen_at: the present.
        slippage_warning_bps: a worse fill is a warning.
        plan_digest: of the plan.
        beside: what protects, and what CANCEL and PROTECT lines came to.
    """
    planned = {one.index: one for one in intent.orders}
    results = []
    for index, one in enumerate(plan.instructions):
        told = _result(index, one, planned.get(index), answers, denied, beside, arrivals, seen_at)
        states = beside.states.get(LotKey(plan_digest, index), ())
        rests = told.outcome in STILL_OPEN and told.time_in_force == "gtc" and told.side == "buy"
        update = {"protection": states, "valid_until": plan.valid_until if rests else None}
        results.append(told.model_copy(update=update))
    noes = [one for one in verdicts if one.answer is Answer.NO]
    # Nothing at all: an earlier run died before its first order, and now the checks say no.
    sent = beside.legs or any(one.outcome in SENT | {Outcome.DONE} for one in results)
    errors = [one.sentence() for one in noes]
    warnings = list(_check_warnings(verdicts))
    errors += beside.alarms
    for result in results:
        errors += _errors(result, answers, beside)
        errors += _held_back(result, denied, noes)
        warnings += warnings_about(result, slippage_warning_bps)
    return Ending(
        status=PlanStatus.COMPLETED if sent else _status_unsent(noes),
        verdicts=tuple(verdicts),
        instructions=tuple(results),
        legs=beside.legs,
        realized_pl=realized_by([*results, *beside.legs], held_before),
        errors=tuple(errors),
        warnings=tuple(warnings),
        alarms=beside.alarms,
        stands=tuple(one for states in beside.states.values() for one in states),
    )


def _result(
    index: int,
    instruction: TradingInstruction,
    order: PlannedOrder | None,
    answers: Answers,
    denied: frozenset[int],
    beside: Beside,
    arrivals: Mapping[str, Decimal],
    seen_at: datetime,
) -> InstructionResult:
    if index in beside.done:
        return never_planned(index, instruction, Outcome.DONE)
    unsent = Outcome.DENIED if index in denied else Outcome.NOT_SENT
    if order is None:
        return never_planned(index, instruction, unsent)
    key = order.client_order_id
    arrival = arrivals.get(key)
    report = answers.reports.get(key)
    if report is not None:
        if order.quantity != report.quantity and report.quantity is not None:
            # What the plan leaves open (a SELL of all) comes from the broker.
            order = order.model_copy(update={"quantity": report.quantity})
        pieces = answers.pieces.get(report.broker_order_id, ())
        result = from_report(order, report, arrival=arrival, seen_at=seen_at, pieces=pieces)
        return result.model_copy(update={"stop": stop_terms(instruction)})
    if key in answers.refusals:
        refusal = answers.refusals[key]
        return without_report(order, Outcome.REJECTED, arrival=arrival, refusal=refusal)
    if key in answers.unknown:
        return without_report(order, Outcome.UNKNOWN, arrival=arrival)
    if unsent is Outcome.DENIED:
        return never_planned(index, instruction, unsent)
    return without_report(order, Outcome.NOT_SENT)


def _held_back(
    result: InstructionResult, denied: frozenset[int], noes: Sequence[Verdict]
) -> list[str]:
    """Say why a line did not go that no check spoke against."""
    judged = any(one.index in (result.index, None) for one in noes)
    if not noes or judged or result.outcome is not Outcome.DENIED:
        return []
    return [
        f"instructions[{result.index}] {result.ticker}: held back because another line was refused"
        " ([execution] on_denied)"
    ]


def _check_warnings(verdicts: Sequence[Verdict]) -> tuple[str, ...]:
    # That a check is off stands in the settings; it is no news of this plan.
    return tuple(
        one.sentence()
        for one in verdicts
        if one.warning is not None and one.warning != "off: named in acknowledged_disabled"
    )


def _errors(result: InstructionResult, answers: Answers, beside: Beside) -> list[str]:
    where = f"instructions[{result.index}] {result.ticker}"
    if result.refusal is not None:
        code = f", code {result.refusal.code}" if result.refusal.code is not None else ""
        return [f"{where}: the broker refused the order: status {result.refusal.status}{code}"]
    if result.outcome is Outcome.UNKNOWN:
        reason = answers.unknown.get(result.client_order_id or "", "no answer")
        return [
            f"{where}: sent, but nobody knows what became of it: {reason}; look for order"
            f" {result.client_order_id} at the broker, then run `autoinvestor settle`"
        ]
    if result.outcome is Outcome.NOT_SENT and result.index in beside.undone:
        return [f"{where}: {beside.undone[result.index]}"]
    if result.outcome in (Outcome.NOT_SENT, Outcome.REJECTED):
        return [f"{where}: {result.outcome.value.replace('_', ' ')}"]
    return []


def warnings_about(result: InstructionResult, limit_bps: Decimal) -> list[str]:
    """What a person should see of one instruction although nothing failed.

    Args:
        result: what became of it.
        limit_bps: basis points; a fill worse than the price at sending by more is a warning.
    """
    where = f"instructions[{result.index}] {result.ticker}"
    found = []
    if result.slippage_bps is not None and result.slippage_bps > limit_bps:
        found.append(
            f"{where}: filled {plain(result.slippage_bps)} basis points worse than the price at"
            f" sending, over {plain(limit_bps)}"
        )
    for one in result.protection:
        if one.state == "exited":
            found.append(f"{where}: {shares(one.quantity)} sold at once: {one.reason}")
        if one.state != "unprotected":
            continue
        found.append(f"{where}: {shares(one.quantity)} unprotected: {one.reason}")
    return found
