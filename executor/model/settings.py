"""The settings: every number that a person may change, read once, never changed by the program."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import Field

from executor.model.account import Mode
from executor.model.fields import (
    WHOLE,
    Name,
    Positive,
    SchemaVersion,
    Sparse,
    Ticker,
    Unsigned,
    Word,
    ZoneName,
)

SETTINGS_PATH = "autoinvestor.toml"
"""Where the settings lie on main."""

Count = Annotated[int, Field(ge=0, le=1_000_000), WHOLE]

AccountId = Annotated[int, Field(ge=1, le=2**53 - 1), WHOLE]
"""An account on GitHub by its number, which it keeps; a login may change hands."""

BotId = Annotated[int, Field(ge=0, le=2**53 - 1), WHOLE]


class AccountSettings(Sparse):
    """Which account the plans are for."""

    number_ends_with: Annotated[str, Field(max_length=4)] = ""
    """The last characters of the account's number, at most four; required in paper and live."""


class ApprovalSettings(Sparse):
    """On whose word a plan is executed."""

    policy: Literal["merge", "review"] = "merge"
    """In paper and live: the merge, or the merge and a review. In sim no approval is asked."""
    none_in_paper: bool = False
    """True lets paper execute without an approval; live never does."""
    approvers: Annotated[tuple[AccountId, ...], Field(strict=False)] = ()
    """GitHub's numbers of the people whose merge counts; empty: every person who may write here."""


class GithubSettings(Sparse):
    """This repository on GitHub."""

    bot_id: BotId = 0
    """GitHub's number of the account that makes our commits there: 0 is `github-actions[bot]`,
    another one the bot of an App."""
    zone: ZoneName = "America/New_York"
    """The owner's time zone by its IANA name, shown beside New York's in comments."""
    acknowledged_unprotected: Annotated[str, Field(max_length=140)] = ""
    """The repository's name, typed out: live without protected environments, where anybody who
    may push can read the keys."""


class ReviewsSettings(Sparse):
    """When the books are looked at again."""

    every_hours: Annotated[int, Field(ge=0, le=24), WHOLE] = 4
    """Hours of the market's clock between two scheduled reviews; 0: none."""


class MarginSettings(Sparse):
    """Whether the account may go into debit."""

    allowed: bool
    """False: no plan may raise the debit, whatever it asks for."""


class ExecutionSettings(Sparse):
    """How orders are sent and waited for."""

    on_denied: Literal["exits_go", "plan_stops", "rest_goes"] = "exits_go"
    """What goes when lines are denied: reducing SELLs only, nothing, or every line that passes."""
    on_unknown: Literal["stop", "resend_same_id"] = "stop"
    """An order without an answer: a person looks, or it is sent again under its own id."""
    fill_deadline_seconds: Positive = Decimal(60)
    """Seconds to wait for a wave of orders to end; what is open then is followed by `settle`."""
    poll_interval_seconds: Positive = Decimal("0.5")
    """Seconds between two looks at the orders."""
    lookup_deadline_seconds: Positive = Decimal(30)
    """Seconds to look for an order whose submission had no answer."""
    batch_size: Annotated[int, Field(ge=1, le=10_000), WHOLE] = 50
    """BUYs that are sent between two looks at the trading state on main."""
    sessions_valid: Annotated[int, Field(ge=1, le=3), WHOLE] = 1
    """Sessions that an approval is good for where the plan names no end."""
    require_stop: bool = False
    """True refuses an entry without a stop."""
    slippage_warning_bps: Positive = Decimal(50)
    """A fill worse than the arrival price by more than this many basis points is a warning."""


class SettleSettings(Sparse):
    """How far the record and the broker may differ before `settle` says so. Shares are exact."""

    cash_tolerance_usd: Unsigned = Decimal("0.05")
    """USD of cash that may differ, beside the percentage, with a warning; more blocks new risk."""
    cash_tolerance_pct: Unsigned = Decimal("0.001")
    """Percent of equity that cash may differ by on top of that."""
    average_price_tolerance_pct: Unsigned = Decimal("0.01")
    """Percent by which the average price of a holding may differ without a warning."""


class SimSettings(Sparse):
    """The embedded exchange."""

    seed: Annotated[int, Field(ge=0, le=2**63 - 1), WHOLE] = 2030
    """The price path."""
    calendar: Literal["always", "nyse"] = "always"
    """Always open, a session then being the UTC day, or the New York Stock Exchange's hours."""
    opening_cash: Positive = Decimal(100_000)
    """USD on the first day."""


class StrategySettings(Sparse):
    """One book."""

    enabled: bool = True
    """False: its plans are refused."""
    description: Word | None = None
    """What it does."""


class StrategiesSettings(Sparse):
    """The books that plans may belong to."""

    default: Name = "manual"
    """The book of a plan that names none."""
    books: dict[Name, StrategySettings] = Field(default_factory=dict)
    """Each book by name; the default one is always known."""


class SymbolSettings(Sparse):
    """Which symbols may be opened."""

    allow: Annotated[tuple[Ticker, ...], Field(strict=False)] = ()
    """Empty: every symbol that is not denied."""
    deny: Annotated[tuple[Ticker, ...], Field(strict=False)] = ()
    """Never opened; exits stay possible."""


class Limits(Sparse):
    """The limits, each with its unit in its name; one that is absent must be acknowledged."""

    quote_age_max_seconds: Positive | None = None
    """reference_price: a quote older than this is no live quote."""
    trade_age_max_minutes: Positive | None = None
    """reference_price: a last trade older than this counts as delayed."""
    spread_max_pct: Positive | None = None
    """reference_price: percent of the midpoint between bid and ask."""
    price_collar_pct: Positive | None = None
    """price_collar: percent that an entry may lie beyond the reference, on the aggressive side."""
    decision_drift_max_pct: Positive | None = None
    """price_collar: percent that the reference may have moved from `decision_price`."""
    order_quantity_max_shares: Positive | None = None
    """order_quantity_max: shares an order."""
    order_notional_max_pct: Positive | None = None
    """order_notional_max: percent of equity an order."""
    market_order_pad_pct: Unsigned | None = None
    """order_notional_max, buying_power: percent added to the reference of a market order."""
    quantity_confusion_pct: Positive | None = None
    """quantity_confusion: percent between the order and its `target_allocation`."""
    margin_use_max_pct: Unsigned | None = None
    """margin_use: percent of equity that the debit may reach."""
    position_max_pct: Positive | None = None
    """position_max: percent of equity a holding."""
    sector_max_pct: Positive | None = None
    """sector_max: percent of equity a sector."""
    exposure_max_x: Positive | None = None
    """exposure_max: gross exposure as a multiple of equity."""
    orders_a_plan_max: Count | None = None
    """order_rate: orders in one plan."""
    orders_a_day_max: Count | None = None
    """order_rate: orders in one session, this plan's included."""
    entries_a_symbol_a_day_max: Count | None = None
    """repeat_entry: entries of one book into one symbol in one session."""
    daily_loss_max_pct: Positive | None = None
    """daily_loss: percent that equity may lie under the day's start."""
    drawdown_max_pct: Positive | None = None
    """drawdown: percent that equity may lie under its peak."""
    stop_outs_max: Count | None = None
    """stop_out_cooldown: stop-outs of a symbol or book within the window."""
    stop_out_window_days: Count | None = None
    """stop_out_cooldown: the window, in days."""
    stop_distance_min_pct: Positive | None = None
    """protective_exit: percent that a stop or target must keep from the price."""
    risk_a_trade_max_pct: Positive | None = None
    """protective_exit: percent of equity between entry and stop."""
    volume_share_max_pct: Positive | None = None
    """liquidity: percent of the average daily volume of 20 days an order."""
    price_floor_usd: Unsigned | None = None
    """liquidity: USD a share under which nothing is opened."""
    session_edge_minutes: Unsigned | None = None
    """session: minutes after the open and before the close in which nothing is sent."""
    buys_max_pct: Positive | None = None
    """blast_radius: percent of equity of all BUYs of a plan."""
    positions_closed_warning_pct: Positive | None = None
    """blast_radius: percent of the positions that a plan may close without a warning."""
    account_age_max_minutes: Positive | None = None
    """facts_fresh: age of the account's facts."""
    vix_age_max_days: Positive | None = None
    """facts_fresh: age of the VIX that a plan refers to."""


LIMITS_BY_CHECK: Final[dict[str, tuple[str, ...]]] = {
    "reference_price": ("quote_age_max_seconds", "trade_age_max_minutes", "spread_max_pct"),
    "price_collar": ("price_collar_pct", "decision_drift_max_pct"),
    "order_quantity_max": ("order_quantity_max_shares",),
    "order_notional_max": ("order_notional_max_pct", "market_order_pad_pct"),
    "quantity_confusion": ("quantity_confusion_pct",),
    "margin_use": ("margin_use_max_pct",),
    "position_max": ("position_max_pct",),
    "sector_max": ("sector_max_pct",),
    "exposure_max": ("exposure_max_x",),
    "order_rate": ("orders_a_plan_max", "orders_a_day_max"),
    "repeat_entry": ("entries_a_symbol_a_day_max",),
    "daily_loss": ("daily_loss_max_pct",),
    "drawdown": ("drawdown_max_pct",),
    "stop_out_cooldown": ("stop_outs_max", "stop_out_window_days"),
    "protective_exit": ("stop_distance_min_pct", "risk_a_trade_max_pct"),
    "liquidity": ("volume_share_max_pct", "price_floor_usd"),
    "session": ("session_edge_minutes",),
    "blast_radius": ("buys_max_pct", "positions_closed_warning_pct"),
    "facts_fresh": ("account_age_max_minutes", "vix_age_max_days"),
}
"""The limits that each check needs; a check whose limits are absent must be acknowledged as off."""

ALWAYS_SET: Final = frozenset({"reference_price", "order_notional_max"})
"""Checks that others lean on for their price and pad, so they cannot be acknowledged as off."""


class Settings(Sparse):
    """`autoinvestor.toml` as read."""

    schema_version: SchemaVersion = 1
    """The version of this form."""
    mode: Annotated[Mode, Field(strict=False)]
    """sim, paper or live."""
    repository: Word = "local"
    """The repository's name, `owner/name`; part of every order id."""
    acknowledged_disabled: Annotated[tuple[Name, ...], Field(strict=False)] = ()
    """Checks that are off, by name; a limit that is neither set nor named here is an error."""
    account: AccountSettings = Field(default_factory=AccountSettings)
    """Which account."""
    approval: ApprovalSettings = Field(default_factory=ApprovalSettings)
    """On whose word."""
    github: GithubSettings = Field(default_factory=GithubSettings)
    """GitHub."""
    reviews: ReviewsSettings = Field(default_factory=ReviewsSettings)
    """Scheduled reviews."""
    margin: MarginSettings
    """Debit."""
    execution: ExecutionSettings = Field(default_factory=ExecutionSettings)
    """Sending and waiting."""
    settle: SettleSettings = Field(default_factory=SettleSettings)
    """Comparing the record with the broker."""
    sim: SimSettings = Field(default_factory=SimSettings)
    """The embedded exchange."""
    strategies: StrategiesSettings = Field(default_factory=StrategiesSettings)
    """Books."""
    symbols: SymbolSettings = Field(default_factory=SymbolSettings)
    """Symbols."""
    sectors: dict[Ticker, Word] = Field(default_factory=dict)
    """Sector by symbol."""
    limits: Limits
    """The limits."""

    def is_off(self, check: str) -> bool:
        """True where the check is acknowledged as off."""
        return check in self.acknowledged_disabled

    def book_of(self, strategy: str | None) -> str:
        """The book that a plan belongs to."""
        return strategy or self.strategies.default

    def approval_policy(self) -> Literal["none", "merge", "review"]:
        """The policy in force: none in sim, and in paper where that is set; never none in live."""
        if self.mode is Mode.SIM or (self.mode is Mode.PAPER and self.approval.none_in_paper):
            return "none"
        return self.approval.policy

    def unknown_policy(self) -> Literal["stop", "resend_same_id"]:
        """What to do about an order without an answer; in sim the same id is always sent again."""
        return "resend_same_id" if self.mode is Mode.SIM else self.execution.on_unknown


def limit_problems(settings: Settings) -> list[str]:
    """Name each limit that is neither set nor acknowledged, and each wrong acknowledgment."""
    problems = []
    for check in settings.acknowledged_disabled:
        if check in ALWAYS_SET:
            problems.append(
                f"acknowledged_disabled: `{check}` cannot be turned off, others lean on it;"
                " take it out of the list"
            )
        elif check not in LIMITS_BY_CHECK:
            problems.append(
                f"acknowledged_disabled: `{check}` is no check that can be turned off;"
                f" {_meant(check)}"
            )
    for check, names in LIMITS_BY_CHECK.items():
        missing = [name for name in names if getattr(settings.limits, name) is None]
        off = settings.is_off(check)
        if off and len(missing) < len(names):
            problems.append(
                f"limits: `{check}` is acknowledged as disabled but has a limit;"
                " take out the one or the other"
            )
        elif missing and not off:
            remedy = "" if check in ALWAYS_SET else f", or name `{check}` in acknowledged_disabled"
            problems += [f"limits: `{name}` is absent; set it{remedy}" for name in missing]
    return problems


def _meant(check: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(check, sorted(LIMITS_BY_CHECK.keys() - ALWAYS_SET), n=1)
    return f"did you mean `{close[0]}`?" if close else "take it out of the list"


def is_known_book(strategy: str, settings: Settings) -> bool:
    """True where plans may belong to that book: it is the default one, or listed and enabled."""
    if strategy in settings.strategies.books:
        return settings.strategies.books[strategy].enabled
    return strategy == settings.strategies.default
