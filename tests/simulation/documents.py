"""What the simulations write on main: settings, plans, a trading state, an opening record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final

from executor.decisions.reconcile import summarize
from executor.model.account import Mode
from executor.model.fields import timestamp_text
from executor.model.numbers import ZERO
from executor.model.position import fill_notional
from executor.model.result import ExecutionResult, Fill, FinalPortfolio, InstructionResult, Outcome
from executor.model.state import TradingState, TradingStateRecord
from executor.model.writing import write_document

TEMPLATE: Final = Path(__file__).parents[2] / "autoinvestor.toml"

OPENING_CASH: Final = Decimal(100_000)

BEFORE: Final = "before-"
"""How the ids of orders begin that only the opening record knows."""

Holdings = Mapping[str, tuple[str, str]]
"""Shares and the price at which each symbol was bought."""


@cache
def settings_file(
    mode: str = "sim",
    on_unknown: str = "stop",
    on_denied: str = "exits_go",
    calendar: str = "always",
    sessions_valid: int = 1,
) -> bytes:
    """The shipped settings, with short deadlines: simulated seconds are free, looking is not."""
    text = TEMPLATE.read_text(encoding="utf-8")
    changes = {
        'mode = "sim"': f'mode = "{mode}"',
        'on_unknown = "stop"': f'on_unknown = "{on_unknown}"',
        'on_denied = "exits_go"': f'on_denied = "{on_denied}"',
        'calendar = "always"': f'calendar = "{calendar}"',
        "sessions_valid = 1": f"sessions_valid = {sessions_valid}",
        "fill_deadline_seconds = 60": "fill_deadline_seconds = 12",
        "poll_interval_seconds = 0.5": "poll_interval_seconds = 3",
        "lookup_deadline_seconds = 30": "lookup_deadline_seconds = 6",
        "none_in_paper = false": "none_in_paper = true",
    }
    if mode == "paper":
        changes['number_ends_with = ""'] = 'number_ends_with = "0001"'
    for old, new in changes.items():
        assert old in text, f"the template has the line {old}"
        text = text.replace(old, new)
    return text.encode()


def line(action: str, ticker: str, quantity: object = None, **keys: object) -> dict[str, object]:
    """One instruction."""
    size = {} if quantity is None else {"quantity": quantity}
    return {"action": action, "ticker": ticker, **size, "reason": "simulated", **keys}


def plan(*lines: Mapping[str, object], **keys: object) -> bytes:
    """A plan, without a timestamp unless one is given."""
    tree = {"strategy_type": "simulation", "reason": "simulated", **keys, "instructions": lines}
    return json.dumps(tree, indent=2, default=str).encode()


def trading_state(state: TradingState, since: datetime) -> bytes:
    """The trading state as `halt` will commit it."""
    record = TradingStateRecord(state=state, since=since, by="somebody", reason="simulated")
    return write_document(record)


def opening_record(holdings: Holdings, mode: Mode, at: datetime) -> dict[str, bytes]:
    """A record that explains what the account holds at the start."""
    if not holdings:
        return {}
    instructions = tuple(
        InstructionResult(
            index=index,
            ticker=symbol,
            side="buy",
            # A fill names an order; this one was before the exchange was there.
            client_order_id=f"{BEFORE}{symbol}",
            outcome=Outcome.FILLED,
            filled_quantity=Decimal(quantity),
            average_fill_price=Decimal(price),
            fills=(Fill(quantity=Decimal(quantity), price=Decimal(price), at=at),),
        )
        for index, (symbol, (quantity, price)) in enumerate(sorted(holdings.items()))
    )
    cash = OPENING_CASH - spent_on(holdings)
    result = ExecutionResult(
        kind="opening",
        timestamp=at,
        mode=mode,
        account="…0001",
        execution_summary=summarize(instructions),
        instructions=instructions,
        final_portfolio=FinalPortfolio(total_value=OPENING_CASH, cash=cash, realized_pl=ZERO),
    )
    name = timestamp_text(at)[:19].replace(":", "-")
    return {f"execution_results/{name[:7]}/result_{name}.json": write_document(result)}


def spent_on(holdings: Holdings) -> Decimal:
    """USD that the holdings cost."""
    costs = (fill_notional(Decimal(one), Decimal(price)) for one, price in holdings.values())
    return sum(costs, ZERO)


def read_json(data: bytes) -> dict[str, Any]:
    """A document of ours as plain JSON, numbers exact."""
    found: dict[str, Any] = json.loads(data, parse_float=Decimal)
    return found
