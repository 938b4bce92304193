"""The result: what became of a plan, and every later fact, in the chain of results."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from executor.model.account import AccountRecord, HeldPosition, Mode, OpenOrder
from executor.model.activity import Activity
from executor.model.fields import (
    Commit,
    Digest,
    Document,
    Name,
    Natural,
    Ordinal,
    Prose,
    RepositoryPath,
    SchemaVersion,
    Signed,
    Timestamp,
    Unsigned,
    Word,
)
from executor.model.order_result import Fill, InstructionResult, LegResult
from executor.model.state import TradingStateRecord
from executor.model.verdict import Verdict


class ExecutionSummary(Document):
    """How many instructions ended how. The counts after the first sum to it."""

    total_instructions: Natural
    """Instructions in the plan."""
    successful: Natural
    """Filled in full, or carried out (CANCEL, PROTECT)."""
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


class Observed(Document):
    """Something at the broker that no commit explains; it blocks new risk until acknowledged."""

    kind: Literal["order", "position", "cash"]
    """A foreign order, shares that the record does not hold, or cash that it does not know of."""
    key: Word
    """The order's client order id; of a position its symbol; `CASH`."""
    broker_order_id: Word | None = None
    """The broker's id of the order."""
    symbol: Word | None = None
    """Symbol, as the broker writes it; null for cash."""
    side: Literal["buy", "sell"] | None = None
    """Side of the order."""
    quantity: Signed | None = None
    """Shares of the order (null by notional); of a position the broker's shares less the record's;
    of cash the broker's USD less the record's."""
    filled_quantity: Unsigned = Decimal(0)
    """Shares of the order that had filled when it was seen."""
    average_price: Unsigned | None = None
    """USD a share: the order's average fill price; of a position the broker's average price."""
    status: Word
    """The broker's own word for the order; `held` for a position and for cash."""
    is_over: bool = True
    """False where the order may still trade."""
    fills: Annotated[tuple[Fill, ...], Field(strict=False)] = ()
    """Of an acknowledged order: what this result books."""
    acknowledged_by: Word | None = None
    """Who took it over; null while nobody has."""
    book: Name | None = None
    """The book that it belongs to from then on; null while nobody took it over."""


class OpeningPosition(Document):
    """One holding that an account already had when its ledger began."""

    symbol: Word
    """Symbol, as the broker writes it."""
    quantity: Signed
    """Shares; negative is short."""
    cost_basis: Signed
    """USD, to the cent, of the sign of the quantity."""
    strategy: Name
    """The book that takes it over."""


class OpeningRecord(Document):
    """Where a ledger begins: what the account held before the first plan."""

    cash: Signed
    """USD; negative is the margin debit."""
    positions: Annotated[tuple[OpeningPosition, ...], Field(strict=False)] = ()
    """Holdings, by symbol."""
    by: Word
    """Who adopted the account."""


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
    legs: Annotated[tuple[LegResult, ...], Field(strict=False)] = ()
    """Orders that protect what the plan bought."""
    activities: Annotated[tuple[Activity, ...], Field(strict=False)] = ()
    """Account activities that this result books."""
    observed: Annotated[tuple[Observed, ...], Field(strict=False)] = ()
    """Of kind `observed`: what no commit explains, or who took it over."""
    opening: OpeningRecord | None = None
    """Of kind `opening`: where the ledger begins."""
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
