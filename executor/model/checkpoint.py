"""The checkpoint: the account as it was seen last, and what a fold needs to go on from there."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from executor.model.account import AccountRecord
from executor.model.fields import (
    ClientOrderId,
    Digest,
    Document,
    Natural,
    Positive,
    RepositoryPath,
    Signed,
    Timestamp,
    Word,
)
from executor.model.order_result import OrderResult, StopTerms
from executor.model.result import Observed

Text = Annotated[str, Field(max_length=200)]
"""A short text that may be empty."""


class CostRecord(Document):
    """One holding of the ledger."""

    symbol: Word
    """Symbol, as the broker writes it."""
    quantity: Signed
    """Shares; negative is short."""
    cost_basis: Signed
    """USD, to the cent."""


class LotRecord(Document):
    """Shares that are to be protected, and how."""

    plan_digest: Text
    """The plan that asked for it."""
    index: Natural
    """The instruction."""
    symbol: Word
    """Symbol."""
    quantity: Positive
    """Shares."""
    stop_price: Positive | None = None
    """USD a share; null where the stop trails."""
    trail_percent: Positive | None = None
    """Percent of the price by which the stop follows it."""
    take_profit_price: Positive | None = None
    """USD a share, of a bracket."""
    strategy: Text = ""
    """The book that owns it."""
    first_result: Text = ""
    """The execution result that it comes from."""
    stops: Natural = 0
    """How many orders of leg `stop` there were."""
    fractions: Natural = 0
    """How many of leg `fraction`."""
    targets: Natural = 0
    """How many of leg `target`."""


class OrderRecord(OrderResult):
    """One order of the record, without its fills, which are booked."""

    instruction: bool
    """True where a plan's own line is told, False for what stands beside one."""
    plan_digest: Text
    """The plan that it serves."""
    strategy: Text
    """The book that owns it."""
    first_result: Text
    """The execution result that it comes from."""
    seen_at: Timestamp
    """When the newest result about it was written."""
    leg: Literal["entry", "stop", "fraction", "target"] = "entry"
    """The part that it plays."""
    parent: ClientOrderId | None = None
    """The order that it hangs on, where the broker made it."""
    stop: StopTerms | None = None
    """How what was bought is to be protected; null where nothing was asked for."""
    valid_until: Timestamp | None = None
    """When an order that rests is canceled; null for one that ends by itself."""


class TransferRecord(Document):
    """Capital that came (positive) or went."""

    at: Timestamp
    """When."""
    amount: Signed
    """USD."""


class SuspendedRecord(Document):
    """One line of an event that has another one, which no result has told yet."""

    group: Word
    """What the lines of the event share."""
    symbol: Word
    """Symbol."""
    quantity: Signed
    """Change of shares; 0 for the parent of a spin-off."""
    cost: Signed
    """USD that the other line's shares may take over, or that these were booked at."""
    at: Timestamp
    """When the event was."""
    left: bool
    """True where shares were given up, False where they came."""
    lots: Annotated[tuple[LotRecord, ...], Field(strict=False)] = ()
    """The lots of shares that left, where they follow them."""


class StopOutRecord(Document):
    """One exit by a stop."""

    strategy: Text
    """The book."""
    symbol: Word
    """Symbol."""
    at: Timestamp
    """When."""


class BookedRecord(Document):
    """One activity that is booked."""

    id: Word
    """The broker's id."""
    at: Timestamp
    """When it was booked."""


class LedgerRecord(Document):
    """What the results of one mode and account add up to, as far as a fold needs it to go on."""

    opening_cash: Signed | None = None
    """USD before the first result; null where no result tells."""
    adopted: bool = False
    """True where an opening record began the ledger."""
    opened_at: Timestamp | None = None
    """When that was."""
    cash_change: Signed = Decimal(0)
    """USD that all fills and activities moved."""
    realized_pl: Signed = Decimal(0)
    """USD that all fills and corporate actions closed, at average cost."""
    income: Signed = Decimal(0)
    """USD of dividends and interest less fees."""
    transfers: Signed = Decimal(0)
    """USD of capital that came less capital that went."""
    transfer_log: Annotated[tuple[TransferRecord, ...], Field(strict=False)] = ()
    """The newest transfers, in the order in which they were booked."""
    suspense: Annotated[tuple[SuspendedRecord, ...], Field(strict=False)] = ()
    """Lines that wait for the others of their event."""
    positions: Annotated[tuple[CostRecord, ...], Field(strict=False)] = ()
    """Holdings by symbol."""
    lots: Annotated[tuple[LotRecord, ...], Field(strict=False)] = ()
    """What is to be protected."""
    orders: Annotated[tuple[OrderRecord, ...], Field(strict=False)] = ()
    """Orders that are open or ended lately, the one that was told first before the others."""
    stop_outs: Annotated[tuple[StopOutRecord, ...], Field(strict=False)] = ()
    """Exits by a stop of the last 400 days."""
    observed: Annotated[tuple[Observed, ...], Field(strict=False)] = ()
    """What no commit explains and nobody has acknowledged."""
    acknowledged: Annotated[tuple[Observed, ...], Field(strict=False)] = ()
    """Foreign orders that somebody took over: open ones, and the newest of the others."""
    activities: Annotated[tuple[BookedRecord, ...], Field(strict=False)] = ()
    """What was booked within 40 days before the newest one: the broker tells it again."""
    activities_through: Timestamp | None = None
    """Time of the newest activity that is booked."""
    peak_net: Signed | None = None
    """USD: the highest equity less transfers until then, since the peak was last rebased."""
    peak_at: Timestamp | None = None
    """When that was."""
    rebased_at: Timestamp | None = None
    """From when on the peak counts."""
    results: Natural = 0
    """How many results are included."""
    through: RepositoryPath | None = None
    """The last of them."""
    as_of: Timestamp | None = None
    """When that one was written."""


class Checkpoint(AccountRecord):
    """`account.json`: rewritten with every result, derived from the results, never judged from."""

    through: RepositoryPath
    """The newest result of all modes and accounts: the end of the chain."""
    through_digest: Digest
    """Its digest: the next result names it."""
    of_account: Word | None = None
    """The account whose results are folded; null: every account of the mode."""
    ledger: LedgerRecord
    """What the results add up to."""
