"""Everything that the checks may know, gathered before the first of them is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from executor.model.account import Mode
from executor.model.market import Asset, MarketClock, SymbolPrices
from executor.model.numbers import ZERO
from executor.model.order import OrderReport
from executor.model.state import TradingStateRecord

if TYPE_CHECKING:
    from executor.model.evidence import Evidence
    from executor.model.ledger import Lot
    from executor.model.result import Observed


class Moment(StrEnum):
    """When a plan is judged."""

    FILE = "file"
    """A bare file: no account, no git."""
    PULL_REQUEST = "pull_request"
    """A plan at a commit, with the account, before its approval."""
    EXECUTION = "execution"
    """On main, just before the orders."""
    REPLAY = "replay"
    """History under today's rules."""


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """The account as the broker tells it."""

    account_number: str
    status: str
    """`ACTIVE`, or else nothing is sent."""
    cash: Decimal
    """USD; negative is the margin debit."""
    equity: Decimal
    """USD."""
    last_equity: Decimal
    """USD at the close before: the day's start."""
    buying_power: Decimal
    """USD, margin included."""
    non_marginable_buying_power: Decimal
    """USD without margin."""
    multiplier: Decimal
    """1, 2 or 4."""
    trading_blocked: bool
    account_blocked: bool
    trade_suspended_by_user: bool
    as_of: datetime


@dataclass(frozen=True, slots=True)
class PositionFacts:
    """One holding as the broker tells it."""

    symbol: str
    quantity: Decimal
    """Shares; negative is short."""
    available: Decimal
    """Shares that no open order holds."""
    average_entry_price: Decimal
    market_value: Decimal
    """USD, signed like the quantity."""
    unrealized_pl: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class RecordFacts:
    """What our own history says."""

    executed: str | None = None
    """Path of the archived plan with this digest that completed or had an order sent."""
    orders_at_broker: tuple[str, ...] = ()
    """Ids of this plan that the broker knows although git holds no intent for them."""
    positions: Mapping[str, Decimal] | None = None
    """Shares by symbol, folded from the results; None where the record is not folded yet."""
    known_orders: frozenset[str] = frozenset()
    """Every client order id that a commit explains."""
    orders_today: int = 0
    """Orders sent in this session, by the record."""
    entries_today: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Entries sent in this session, by book and symbol."""
    stop_outs: tuple[tuple[str, str, datetime], ...] = ()
    """Exits by a stop: book, symbol, when."""
    peak_equity: Decimal | None = None
    """USD: highest equity of the results and of the broker's history, net of transfers; None before
    the first."""
    transferred_today: Decimal = ZERO
    """USD of capital that came less what went since the day's start."""
    observed: tuple[Observed, ...] = ()
    """What no commit explains and nobody has acknowledged."""
    lots: tuple[Lot, ...] = ()
    """What is to be protected, by the record."""
    unresolved: tuple[str, ...] = ()
    """Client order ids whose outcome is `unknown`."""


@dataclass(frozen=True, slots=True)
class Facts:
    """One value, gathered first. A field that is None is a missing fact, never a default."""

    now: datetime
    moment: Moment
    mode: Mode
    plan_digest: str
    added_at: datetime | None = None
    """When the plan came to main (or to its branch); None for a bare file."""
    own_orders: frozenset[str] = frozenset()
    """Ids of this plan that its intent, if it has one, explains."""
    protective: frozenset[str] = frozenset()
    """Ids of open orders that protect a holding of ours: a plan that trades its symbol has them
    canceled first, so checks about the other side and about shares on sale look through them."""
    replaces: str | None = None
    """Digest of a plan that waited on main when this one came in its place; None where none did."""
    already_sent: frozenset[int] = frozenset()
    """Indexes of the lines that the broker has: only the rest is asked about."""
    market_clock: MarketClock | None = None
    account: AccountFacts | None = None
    positions: Mapping[str, PositionFacts] | None = None
    open_orders: tuple[OrderReport, ...] | None = None
    prices: Mapping[str, SymbolPrices] | None = None
    assets: Mapping[str, Asset | None] | None = None
    """By symbol; None as a value: the broker says that there is no such symbol."""
    average_volumes: Mapping[str, Decimal] | None = None
    """Shares a day, mean of 20 daily bars; a symbol without bars is absent."""
    record: RecordFacts | None = None
    trading_state: TradingStateRecord | None = None
    """None where it could not be read."""
    state_when_approved: TradingStateRecord | None = None
    """The one on main when the plan came there; None before that, and where it cannot be read."""
    settings_fault: str | None = None
    """Why the settings on main could not be used, so that older ones judge; None: they could."""
    evidence: Evidence | None = None
    """How the plan came to main, or would; None where nobody could be asked, or need not be."""
    intent_in: str | None = None
    """The commit of ours that holds the plan's intent: its approval was verified before that."""
    live_agreements: tuple[str, ...] = ()
    """Which of live's agreements are missing, each in a sentence; empty outside live."""
