"""The result: what happened to each instruction, a link in the chain of results."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field

from executor.model.account import AccountRecord, HeldPosition, Mode, OpenOrder
from executor.model.fields import (
    WHOLE,
    ClientOrderId,
    Commit,
    Digest,
    Document,
    Natural,
    Ordinal,
    Positive,
    Prose,
    RepositoryPath,
    SchemaVersion,
    Signed,
    Ticker,
    Timestamp,
    Unsigned,
    Word,
)
from executor.model.state import TradingStateRecord
from executor.model.verdict import Verdict


class Outcome(StrEnum):
    """What became of one instruction."""

    FILLED = "filled"
    """Filled in full."""
    PARTIALLY_FILLED = "partially_filled"
    """Ended with some of it filled."""
    OPEN = "open"
    """At the broker, may still trade."""
    CANCELED = "canceled"
    """Withdrawn without a fill."""
    EXPIRED = "expired"
    """Its time ended without a fill."""
    REJECTED = "rejected"
    """Refused by the broker."""
    DENIED = "denied"
    """Refused by our checks, never sent."""
    NOT_SENT = "not_sent"
    """Never sent, for a reason that is no refusal of this line."""
    UNKNOWN = "unknown"
    """Sent, no answer, not found; a person looks."""


class Fill(Document):
    """One execution of part or all of an order."""

    quantity: Positive
    """Shares."""
    price: Unsigned
    """USD a share."""
    at: Timestamp
    """When, by the broker."""


class Protection(Document):
    """What stands behind a holding that asked for a stop."""

    symbol: Ticker
    """Symbol."""
    state: Literal["unprotected", "stop", "bracket"]
    """What stands there now."""
    quantity: Positive
    """Shares that it is about."""
    stop_price: Positive | None = None
    """USD a share: where the stop stands or should stand."""
    reason: Prose = ""
    """Why it is as it is."""


class Refusal(Document):
    """The broker's no, kept whole; only status and code are its contract."""

    status: Annotated[int, Field(ge=100, le=599), WHOLE]
    """HTTP status."""
    code: Annotated[int, WHOLE] | None
    """The broker's own code."""
    body: str
    """The answer as it came, cut at 4,000 characters."""


class InstructionResult(Document):
    """One instruction's outcome."""

    index: Natural
    """Its place in the plan, from 0."""
    ticker: Ticker
    """Symbol."""
    side: Literal["buy", "sell"] | None = None
    """Side of its order; null for CANCEL and PROTECT."""
    quantity: Positive | None = None
    """Shares ordered; null by notional or where no order was planned."""
    notional: Positive | None = None
    """USD ordered, where the order was by notional."""
    order_type: Word | None = None
    """How its order was priced."""
    limit_price: Positive | None = None
    """USD a share, where its order had one."""
    stop_price: Positive | None = None
    """USD a share, where its order had one."""
    time_in_force: Word | None = None
    """How long its order lives."""
    client_order_id: ClientOrderId | None = None
    """Our id; null where no order was planned."""
    broker_order_id: Word | None = None
    """The broker's id; null where the broker never confirmed one."""
    submitted_at: Timestamp | None = None
    """When the broker took the order."""
    outcome: Annotated[Outcome, Field(strict=False)]
    """What became of it."""
    filled_quantity: Unsigned = Decimal(0)
    """Shares filled in all, earlier results included."""
    average_fill_price: Unsigned | None = None
    """USD a share over all fills; null where nothing filled."""
    arrival_price: Positive | None = None
    """USD a share: the reference when the order was sent."""
    slippage_bps: Signed | None = None
    """Basis points of the arrival price; positive is worse than it."""
    fills: Annotated[tuple[Fill, ...], Field(strict=False)] = ()
    """What filled since the last result that names this order."""
    protection: Annotated[tuple[Protection, ...], Field(strict=False)] = ()
    """What stands behind what was bought."""
    refusal: Refusal | None = None
    """The broker's no, where it gave one."""


class ExecutionSummary(Document):
    """How many instructions ended how. The counts after the first sum to it."""

    total_instructions: Natural
    """Instructions in the plan."""
    successful: Natural
    """Filled in full."""
    failed: Natural
    """Rejected, not sent, canceled or expired without a fill."""
    partially_filled: Natural = 0
    """Ended with some of it filled."""
    open: Natural = 0
    """May still trade."""
    denied: Natural = 0
    """Refused by our checks."""
    unknown: Natural = 0
    """Nobody knows yet."""


class Approval(Document):
    """On whose word the plan was executed."""

    policy: Literal["none", "merge", "review"]
    """The settings' policy."""
    pull_request: Ordinal | None = None
    """The pull request."""
    author: Word | None = None
    """Who proposed."""
    merged_by: Word | None = None
    """Who merged."""
    approved_by: Annotated[tuple[Word, ...], Field(strict=False)] = ()
    """Who approved by review."""
    merge_commit: Commit | None = None
    """The merge."""
    merged_at: Timestamp | None = None
    """When."""


class FinalPortfolio(Document):
    """The account after the run: the mission's three keys, then the account's own."""

    total_value: Signed
    """USD: equity."""
    cash: Signed
    """USD; negative is the margin debit."""
    realized_pl: Signed
    """USD that this run closed, at average cost, net of known fees."""
    as_of: Timestamp | None = None
    """The instant."""
    buying_power: Signed | None = None
    """USD that the broker would let the account buy for."""
    margin_used: Unsigned | None = None
    """USD of debit: minus cash where cash is negative, else 0."""
    positions: Annotated[tuple[HeldPosition, ...], Field(strict=False)] = ()
    """Holdings, by symbol."""
    open_orders: Annotated[tuple[OpenOrder, ...], Field(strict=False)] = ()
    """Orders that may still trade."""


class ExecutionResult(Document):
    """A link of the chain: an execution, or a later fact about one."""

    schema_version: SchemaVersion = 1
    """The version of this form."""
    kind: Literal["execution", "settlement", "activity", "observed", "opening", "state"] = (
        "execution"
    )
    """What the result records."""
    timestamp: Timestamp
    """When it was written."""
    instructions_file: RepositoryPath | None = None
    """Where the plan was executed from."""
    archived_as: RepositoryPath | None = None
    """Where the plan lies now."""
    first_result: RepositoryPath | None = None
    """Of a settlement: the execution result that it goes on from."""
    plan_digest: Digest | None = None
    """The plan."""
    plan_status: Word | None = None
    """How the plan ended: completed, rejected, expired or duplicate."""
    strategy: Word | None = None
    """The book that owned the plan."""
    previous_result_digest: Digest | None = None
    """Digest of the result before this one on main; null for the first."""
    settings_digest: Digest | None = None
    """SHA-256 of the settings file that judged."""
    code_commit: Commit | None = None
    """The commit on main whose code and settings ran."""
    mode: Annotated[Mode, Field(strict=False)] | None = None
    """Where orders went."""
    account: Word | None = None
    """The account's number, its last four characters only."""
    approval: Approval | None = None
    """On whose word."""
    verdicts: Annotated[tuple[Verdict, ...], Field(strict=False)] = ()
    """Every answer of every check."""
    execution_summary: ExecutionSummary
    """The counts."""
    instructions: Annotated[tuple[InstructionResult, ...], Field(strict=False)] = ()
    """Outcome by instruction."""
    activities: Annotated[tuple[dict[str, Any], ...], Field(strict=False)] = ()
    """Account activities folded by this result."""
    state: TradingStateRecord | None = None
    """Of kind `state`: the new trading state."""
    account_before: AccountRecord | None = None
    """The account before the first order."""
    final_portfolio: FinalPortfolio
    """The account after the run."""
    warnings: Annotated[tuple[Prose, ...], Field(strict=False)] = ()
    """What a person should see although nothing failed."""
    errors: Annotated[tuple[Prose, ...], Field(strict=False)] = ()
    """What failed, one sentence each."""
    timings_ms: dict[str, Unsigned] = Field(default_factory=dict)
    """Milliseconds by phase."""
