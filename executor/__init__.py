"""AutoInvestor: a trading system that lives in a git repository.

The four public names are loaded when they are first used, so that starting a command does not pay
for what it does not need.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # as in `typing`, which is a quarter of the time of `autoinvestor --help`
if TYPE_CHECKING:
    from executor.order_executor import OrderExecutor
    from executor.strategy_logger import StrategyReviewLogger
    from executor.trading_instructions import TradingInstruction, TradingInstructionSet

__all__ = ["OrderExecutor", "StrategyReviewLogger", "TradingInstruction", "TradingInstructionSet"]

_HOMES = {
    "OrderExecutor": "executor.order_executor",
    "StrategyReviewLogger": "executor.strategy_logger",
    "TradingInstruction": "executor.trading_instructions",
    "TradingInstructionSet": "executor.trading_instructions",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
