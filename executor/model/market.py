"""The market's facts: quotes, sessions, assets, and the price that orders are judged by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from executor.model.numbers import HUNDRED, ZERO
from executor.model.position import Side


@dataclass(frozen=True, slots=True)
class Session:
    """One trading session."""

    opens: datetime
    closes: datetime


@dataclass(frozen=True, slots=True)
class MarketClock:
    """The market's hours around one instant, as the broker tells them."""

    as_of: datetime
    is_open: bool
    sessions: tuple[Session, ...] = ()
    """Sessions in order and without a gap: past ones (where a plan waits, back to the last one that
    opened before it was added), the running one, where there is one, and the following ones."""

    @property
    def current(self) -> Session | None:
        """The session that runs now; None while closed."""
        running = (one for one in self.sessions if one.opens <= self.as_of < one.closes)
        return next(running, None)

    @property
    def last_close(self) -> datetime | None:
        """When the last session closed; None where none of the listed ones has."""
        return max((one.closes for one in self.sessions if one.closes <= self.as_of), default=None)


@dataclass(frozen=True, slots=True)
class Quote:
    """Best bid and ask; a side of 0 means that there is none."""

    bid: Decimal
    ask: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class Trade:
    """The last trade."""

    price: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class SymbolPrices:
    """All that is known of one symbol's price."""

    quote: Quote | None = None
    trade: Trade | None = None


@dataclass(frozen=True, slots=True)
class Asset:
    """What the broker says of one symbol."""

    symbol: str
    status: str
    """`active`, or else it cannot be traded."""
    tradable: bool
    fractionable: bool
    asset_class: str
    """`us_equity` for what this project trades."""


class Rung(StrEnum):
    """How good a reference price is; each weaker one widens the pad."""

    QUOTE = "quote"
    TRADE = "trade"
    DELAYED = "delayed"


@dataclass(frozen=True, slots=True)
class Reference:
    """The price that an order is judged by."""

    price: Decimal
    """USD a share: on the side where the order would trade."""
    rung: Rung
    at: datetime
    pad_pct: Decimal
    """Percent by which a market order's cost may exceed the price."""


QUOTE_PADS: dict[Rung, int] = {Rung.QUOTE: 1, Rung.TRADE: 2, Rung.DELAYED: 4}
"""Multiples of the settings' pad, by rung: an older price says less about the next fill."""


def reference(
    prices: SymbolPrices,
    side: Side,
    now: datetime,
    *,
    quote_age: timedelta,
    trade_age: timedelta,
    pad_pct: Decimal,
) -> Reference | None:
    """Take the best price that is there: a live quote, a recent trade, then anything older.

    A quote counts where both sides are above 0 and the bid is not above the ask; a BUY is judged
    at the ask, a SELL at the bid. None: no price at all.
    """
    quote, trade = prices.quote, prices.trade
    sound = quote is not None and ZERO < quote.bid <= quote.ask
    if quote is not None and sound and now - quote.at <= quote_age:
        price = quote.ask if side == "buy" else quote.bid
        return Reference(price, Rung.QUOTE, quote.at, pad_pct * QUOTE_PADS[Rung.QUOTE])
    if trade is not None and trade.price > 0:
        rung = Rung.TRADE if now - trade.at <= trade_age else Rung.DELAYED
        return Reference(trade.price, rung, trade.at, pad_pct * QUOTE_PADS[rung])
    if quote is not None and sound:
        price = quote.ask if side == "buy" else quote.bid
        return Reference(price, Rung.DELAYED, quote.at, pad_pct * QUOTE_PADS[Rung.DELAYED])
    return None


def percent_of(part: Decimal, whole: Decimal) -> Decimal:
    """Percent that `part` is of `whole`.

    An empty whole makes any part infinite; nothing of nothing is 0.
    """
    if whole > 0:
        return part / whole * HUNDRED
    return ZERO if part <= 0 else Decimal("Infinity")
