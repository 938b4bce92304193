"""The intent: what the executor is about to send, committed before the first order leaves."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from executor.model.account import Mode
from executor.model.fields import (
    ClientOrderId,
    Document,
    Natural,
    Ordinal,
    Positive,
    Ticker,
    Timestamp,
    Word,
)


class Owner(Document):
    """Which run holds the plan."""

    run: Word
    """The workflow run's id; on one machine a random token of the process."""
    attempt: Ordinal
    """The attempt of that run, from 1."""


class PlannedOrder(Document):
    """One order of the intent, as it will be sent."""

    index: Natural
    """The instruction it serves, from 0."""
    leg: Literal["entry"] = "entry"
    """The part it plays for that instruction; what protects follows from the fills."""
    client_order_id: ClientOrderId
    """A pure function of repository, plan digest, index and leg."""
    side: Literal["buy", "sell"]
    """Side of the order."""
    symbol: Ticker
    """Symbol."""
    quantity: Positive | None = None
    """Shares; null where the order is by notional."""
    notional: Positive | None = None
    """USD; null where the order is by shares."""
    order_type: Literal["market", "limit", "stop", "stop_limit", "trailing_stop"]
    """How the order is priced."""
    limit_price: Positive | None = None
    """USD a share."""
    stop_price: Positive | None = None
    """USD a share."""
    trail_percent: Positive | None = None
    """Percent by which a trailing stop follows."""
    order_class: Literal["simple", "oto", "bracket"] = "simple"
    """`oto`: the broker places the stop when the entry has filled; `bracket`: stop and target."""
    take_profit_price: Positive | None = None
    """USD a share: the target of a bracket."""
    stop_loss_price: Positive | None = None
    """USD a share: the stop of an OTO or a bracket."""
    time_in_force: Literal["day", "gtc"]
    """Good for the session, or until canceled."""


class Intent(Document):
    """Everything that one execution means to do, and who is doing it."""

    owner: Owner
    """The run that holds the plan."""
    mode: Annotated[Mode, Field(strict=False)] | None = None
    """Where the orders were meant to go."""
    account: Word | None = None
    """The account they were meant for, its last four characters only."""
    validated_at: Timestamp
    """When the checks had answered."""
    orders: Annotated[tuple[PlannedOrder, ...], Field(strict=False)]
    """In the order of sending: SELLs first."""
    cancels: Annotated[tuple[ClientOrderId, ...], Field(strict=False)] = ()
    """Orders of ours that are canceled first: what protects the symbols that are traded, and what
    CANCEL lines name."""
    lines: Annotated[tuple[Natural, ...], Field(strict=False)] = ()
    """Indexes of the CANCEL and PROTECT lines that go."""
