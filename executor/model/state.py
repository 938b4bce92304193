"""The trading state: whether new risk, or anything at all, may be sent."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from executor.model.fields import (
    Document,
    Ordinal,
    SchemaVersion,
    Sentence,
    Sparse,
    Timestamp,
    Word,
)

STATE_PATH = "execution_results/trading_state.json"
"""Where the state lies on main; absent means ACTIVE."""


class TradingState(StrEnum):
    """From open to shut."""

    ACTIVE = "ACTIVE"
    """Everything that the checks allow."""
    REDUCE_ONLY = "REDUCE_ONLY"
    """Exits only."""
    HALTED = "HALTED"
    """Nothing new at all."""


_ORDER = (TradingState.ACTIVE, TradingState.REDUCE_ONLY, TradingState.HALTED)


def is_tighter(state: TradingState, than: TradingState) -> bool:
    """True where `state` allows less than the other one."""
    return _ORDER.index(state) > _ORDER.index(than)


State = Annotated[TradingState, Field(strict=False)]


class StateRequest(Sparse):
    """What a resume plan asks for."""

    state: State
    """The state to go to."""
    reason: Sentence
    """Why."""
    rebase_peak: bool | None = None
    """True counts the drawdown from today's equity on."""


class TradingStateRecord(Document):
    """The state as committed, with who and why."""

    schema_version: SchemaVersion = 1
    """The version of this form."""
    state: State
    """The state in force."""
    since: Timestamp
    """Since when."""
    by: Word
    """The person or the check that set it."""
    reason: Sentence
    """Why."""
    pull_request: Ordinal | None = None
    """The pull request that approved it, where there was one."""
    protection_withdrawn: bool = False
    """True: a person had the stops withdrawn, and none is put back while this state holds."""
    peak_equity_rebased_at: Timestamp | None = None
    """From when on the equity peak counts, after a resume that rebased it."""
