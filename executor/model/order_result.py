"""What became of an order: the part of a result that tells one instruction, or one leg."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from executor.model.fields import (
    WHOLE,
    ClientOrderId,
    Digest,
    Document,
    Name,
    Natural,
    Positive,
    Prose,
    Signed,
    Ticker,
    Timestamp,
    Unsigned,
    Word,
)


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
    DONE = "done"
    """A CANCEL or a PROTECT that was carried out."""


class Fill(Document):
    """One execution of part or all of an order."""

    quantity: Positive
    """Shares."""
    price: Unsigned
    """USD a share."""
    at: Timestamp
    """When, by the broker."""


class StopTerms(Document):
    """How a holding is to be protected, as the merged plan says. All null: not at all."""

    stop_loss_pct: Positive | None = None
    """Percent under the average fill price of the entry."""
    stop_price: Positive | None = None
    """USD a share, of a PROTECT."""
    trail_percent: Positive | None = None
    """Percent of the price by which the stop follows it."""
    profit_target_pct: Positive | None = None
    """Of a bracket: percent over the average fill price at which the broker takes the profit."""


class Protection(Document):
    """What stands behind a holding that asked for a stop."""

    symbol: Ticker
    """Symbol."""
    state: Literal["unprotected", "stop", "bracket", "exited"]
    """What stands there now; `exited`: the price was through the stop, the shares were sold."""
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


class OrderResult(Document):
    """One order of ours and what became of it."""

    index: Natural
    """The instruction that it serves, its place in the plan from 0."""
    ticker: Ticker
    """Symbol."""
    side: Literal["buy", "sell"] | None = None
    """Side of the order; null for CANCEL and PROTECT."""
    quantity: Positive | None = None
    """Shares ordered; null by notional or where no order was planned."""
    notional: Positive | None = None
    """USD ordered, where the order was by notional."""
    order_type: Word | None = None
    """How the order was priced."""
    order_class: Word | None = None
    """`oto`, `bracket` or `oco`, where more than one order hangs together."""
    limit_price: Positive | None = None
    """USD a share, where the order had one."""
    stop_price: Positive | None = None
    """USD a share, where the order had one."""
    trail_percent: Positive | None = None
    """Percent by which a trailing stop follows."""
    time_in_force: Word | None = None
    """How long the order lives."""
    client_order_id: ClientOrderId | None = None
    """Our id, or the broker's own for a leg that it made; null where no order was planned."""
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
    refusal: Refusal | None = None
    """The broker's no, where it gave one."""


class InstructionResult(OrderResult):
    """One instruction's outcome."""

    stop: StopTerms | None = None
    """How what was bought is to be protected; null where nothing was asked for."""
    valid_until: Timestamp | None = None
    """When an entry that rests is withdrawn: the `valid_until` of its plan, where that has one."""
    protection: Annotated[tuple[Protection, ...], Field(strict=False)] = ()
    """What stands behind what was bought."""


class LegResult(OrderResult):
    """An order that stands beside the instructions of its result.

    What protects a holding, of whichever plan, and an earlier plan's order that this run ended.
    """

    leg: Literal["entry", "stop", "fraction", "target"]
    """The stop of the whole shares, the stop of the fraction, the target of a bracket, or an
    earlier plan's own order."""
    plan_digest: Digest
    """The plan that it serves: index and leg are places in that one."""
    parent: ClientOrderId | None = None
    """The order that it hangs on, where the broker made it."""
    strategy: Name | None = None
    """The book that owns it."""
