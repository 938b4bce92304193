"""The plan: what a strategy asks for, one `trading_instructions.json`."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field

from executor.model.fields import (
    ClientOrderId,
    Name,
    Positive,
    Quantity,
    RepositoryPath,
    SchemaVersion,
    Sentence,
    Sparse,
    Ticker,
    Timestamp,
    Unsigned,
    Word,
)
from executor.model.intent import Intent
from executor.model.state import StateRequest

PLAN_PATH = "trading_instructions.json"
"""Where the plan that waits or runs lies on main."""

INSTRUCTIONS_MAX: Final = 20_000
"""Lines of a plan, at most."""


class PlanStatus(StrEnum):
    """A plan's life. Only `pending` is an author's to write; the rest belongs to the executor."""

    PENDING = "pending"
    """Proposed; on main: approved and waiting."""
    VALIDATED = "validated"
    """The intent is committed; orders may be at the broker."""
    COMPLETED = "completed"
    """Executed; its result says with what outcome."""
    REJECTED = "rejected"
    """A check said no; nothing was sent."""
    EXPIRED = "expired"
    """Its time passed before it could be judged."""
    DUPLICATE = "duplicate"
    """The same document was executed before."""


class TradingInstruction(Sparse):
    """One line of a plan."""

    action: Literal["BUY", "SELL", "CANCEL", "PROTECT"]
    """BUY and SELL trade; CANCEL withdraws an order of ours; PROTECT sets or tightens a stop."""
    ticker: Ticker
    """The symbol, in capitals."""
    quantity: Quantity | None = None
    """Shares, above 0, at most 9 decimals; a SELL may say `all`. Either this or `notional`."""
    notional: Positive | None = None
    """USD instead of shares, at most 2 decimals."""
    order_type: Literal["market", "limit", "stop", "stop_limit", "trailing_stop"] = "market"
    """How the order is priced."""
    limit_price: Positive | None = None
    """USD a share: the worst price of a limit order."""
    stop_price: Positive | None = None
    """USD a share: the trigger of a stop order, or where PROTECT sets the stop."""
    trail_percent: Positive | None = None
    """Percent of the price by which a trailing stop follows."""
    time_in_force: Literal["day", "gtc"] = "day"
    """Good for the session, or until canceled."""
    reason: Sentence
    """Why this line, in the author's words."""
    target_allocation: Unsigned | None = None
    """USD that the position is meant to be worth; a check of the quantity, not an order."""
    profit_target_pct: Positive | None = None
    """Percent above the entry at which the strategy wants to review."""
    stop_loss_pct: Positive | None = None
    """Percent below the entry at which the position is to be closed."""
    decision_price: Positive | None = None
    """USD a share when the decision was made; the price may not have moved far since."""
    protect: Literal["stop", "bracket", "none"] | None = None
    """How the entry is protected; absent: `stop` where `stop_loss_pct` is set. `none` in a PROTECT
    takes the protection away, which needs `loosen`."""
    loosen: bool | None = None
    """PROTECT only: true lets the stop move away from the price, or go."""
    client_order_id: ClientOrderId | None = None
    """CANCEL only: the order to withdraw."""

    @property
    def is_trade(self) -> bool:
        """True for BUY and SELL."""
        return self.action in ("BUY", "SELL")

    @property
    def loosens(self) -> bool:
        """True for a PROTECT that asks to be let move the stop away, or to take it away."""
        return self.action == "PROTECT" and self.loosen is True

    @property
    def shares(self) -> Decimal | None:
        """The quantity where it is a number; None for `all` and for a notional."""
        return self.quantity if isinstance(self.quantity, Decimal) else None

    @property
    def wants_stop(self) -> bool:
        """True where a stop is to stand behind the position once the entry has filled."""
        if self.action != "BUY" or self.protect == "none":
            return False
        return self.stop_loss_pct is not None or self.protect is not None


def _not_too_many(value: object) -> object:
    """Look at the number of lines first: what is wrong with a million of them fills the memory."""
    if isinstance(value, (list, tuple)) and len(value) > INSTRUCTIONS_MAX:
        raise ValueError(f"{len(value):,} lines, at most {INSTRUCTIONS_MAX:,}; split the plan")
    return value


class TradingInstructionSet(Sparse):
    """A plan: the instructions of one decision, with its reason."""

    schema_version: SchemaVersion = 1
    """The version of this form."""
    timestamp: Timestamp | None = None
    """When the plan was made; absent: the time of the commit that added it."""
    strategy: Name | None = None
    """The book that owns the plan; absent: the default strategy of the settings."""
    strategy_type: Word
    """A free label for the kind of decision."""
    reason: Sentence
    """Why the plan exists."""
    use_margin: bool = False
    """Asks to go into debit; the settings decide whether it may."""
    market_context: dict[str, Any] | None = None
    """What the author saw; free in form. `vix` is read where it is a number."""
    valid_until: Timestamp | None = None
    """After this instant nothing of the plan is sent any more."""
    review: RepositoryPath | None = None
    """The strategy review that this plan comes from."""
    trading_state: StateRequest | None = None
    """Asks for another trading state (a resume); `instructions` is then empty."""
    instructions: Annotated[
        tuple[TradingInstruction, ...],
        Field(strict=False, max_length=INSTRUCTIONS_MAX),
        BeforeValidator(_not_too_many),
    ]
    """The lines. SELLs are executed before BUYs, whatever their order here."""
    status: PlanStatus = Field(default=PlanStatus.PENDING, strict=False)
    """Belongs to the executor; a proposal says `pending`."""
    intent: Intent | None = None
    """Belongs to the executor; absent in a proposal."""
