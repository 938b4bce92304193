"""Account activities: what moved cash or shares, as the broker tells it, each with an id."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final, Literal

from executor.model.fields import Document, Prose, Signed, Timestamp, Word

TRANSFERS: Final = frozenset(
    {"CSD", "CSW", "JNLC", "JNL", "ACATC", "ACATS", "TRANS", "JNLS", "FOPT", "OCT"}
)
"""Kinds that bring or take capital: no profit and no loss (Alpaca: Account Activities)."""


_TOLD: Final = re.compile(r"([0-9]{14})[0-9]{3}::")


class Activity(Document):
    """One account activity; the signs are those of the account."""

    id: Word
    """The broker's id, unique for ever: an activity is booked once."""
    kind: Word
    """The broker's word: FILL, DIV, INT, FEE, CSD, CSW, JNLC, SPLIT, SPIN, MA, NC …"""
    at: Timestamp
    """When it happened; for a kind that has only a date, the start of that day in New York."""
    symbol: Word | None = None
    """The symbol that it is about."""
    quantity: Signed | None = None
    """Change of shares held of the symbol; of a FILL its shares, without a sign."""
    price: Signed | None = None
    """USD a share: of a fill; of a spin-off the cost that moves with each share."""
    net_amount: Signed | None = None
    """Change of cash, USD."""
    side: Literal["buy", "sell"] | None = None
    """Of a FILL: buy or sell."""
    order_id: Word | None = None
    """Of a FILL: the broker's id of its order."""
    group: Word | None = None
    """What the lines of one event share, such as both sides of a merger."""
    status: Word | None = None
    """The broker's word: `executed`, `correct`, `canceled`; absent for fills."""
    description: Prose = ""
    """The broker's text."""

    @property
    def is_fill(self) -> bool:
        """True for one execution of an order, which the order's own result books."""
        return self.kind == "FILL"

    @property
    def known_from(self) -> datetime:
        """When the broker told it at the latest: many tell only their day, and their id the moment.

        Ids begin with seventeen digits of a time (Alpaca: Account Activities, paging).
        """
        found = _TOLD.match(self.id)
        if found is None:
            return self.at
        try:
            told = datetime.strptime(found[1], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        except ValueError:
            return self.at
        return max(self.at, told)

    @property
    def is_transfer(self) -> bool:
        """True where capital came or went."""
        return self.kind in TRANSFERS

    @property
    def moves_shares(self) -> bool:
        """True for a corporate action: the holding itself changes."""
        return not self.is_fill and bool(self.quantity)
