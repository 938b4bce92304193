"""The account as a document: what a result and the checkpoint say of cash and holdings."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from executor.model.fields import (
    Document,
    Name,
    RepositoryPath,
    SchemaVersion,
    Signed,
    Timestamp,
    Unsigned,
    Word,
)

ACCOUNT_PATH = "execution_results/account.json"
"""Where the checkpoint lies on main."""


class Mode(StrEnum):
    """Where orders go."""

    SIM = "sim"
    """The embedded exchange; no money, no account."""
    PAPER = "paper"
    """Alpaca's paper trading."""
    LIVE = "live"
    """Alpaca with real money."""


class HeldPosition(Document):
    """One holding."""

    symbol: Word
    """Symbol, as the broker writes it: an account may hold more than we trade."""
    quantity: Signed
    """Shares; negative is short."""
    average_entry_price: Signed
    """USD a share, at average cost, as the broker tells it."""
    market_value: Signed | None = None
    """USD at the price of `as_of`; null where no price was known."""
    unrealized_pl: Signed | None = None
    """USD of open profit or loss; null where no price was known."""
    strategy: Name | None = None
    """The book that owns it; null where none is named."""
    protection: Word | None = None
    """How it is protected: `unprotected` where it asks for a stop and has none."""


class OpenOrder(Document):
    """One order that may still trade."""

    client_order_id: Word
    """Id that the sender chose; other programs' ids have any form."""
    symbol: Word
    """Symbol, as the broker writes it."""
    side: Word
    """buy or sell."""
    quantity: Unsigned | None = None
    """Shares ordered; null for an order by notional."""
    filled_quantity: Unsigned = Decimal(0)
    """Shares filled so far."""
    order_type: Word
    """How it is priced."""
    limit_price: Signed | None = None
    """USD a share."""
    stop_price: Signed | None = None
    """USD a share."""
    status: Word
    """The broker's own word."""


class AccountRecord(Document):
    """Cash and holdings at one instant."""

    schema_version: SchemaVersion = 1
    """The version of this form."""
    as_of: Timestamp
    """The instant."""
    mode: Annotated[Mode, Field(strict=False)]
    """Where orders go."""
    account: Word
    """The account's number, its last four characters only: `…1234`."""
    cash: Signed
    """USD; negative is the margin debit."""
    equity: Signed
    """USD: cash plus holdings."""
    buying_power: Signed
    """USD that the broker would let the account buy for."""
    margin_used: Unsigned
    """USD of debit: minus cash where cash is negative, else 0."""
    positions: Annotated[tuple[HeldPosition, ...], Field(strict=False)] = ()
    """Holdings, by symbol."""
    open_orders: Annotated[tuple[OpenOrder, ...], Field(strict=False)] = ()
    """Orders that may still trade."""
    through: RepositoryPath | None = None
    """The last result that is included; null where none is."""


def short_number(account_number: str) -> str:
    """Hide an account number but for its last four characters."""
    return f"…{account_number[-4:]}"
