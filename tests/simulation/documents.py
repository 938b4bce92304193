"""What the simulations write on main: settings, plans, a trading state, an opening record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final

from executor.decisions.notes import opening_result
from executor.model.account import AccountRecord, HeldPosition, Mode
from executor.model.fields import timestamp_text
from executor.model.numbers import ZERO, nanos
from executor.model.position import fill_notional
from executor.model.result import OpeningPosition, OpeningRecord
from executor.model.writing import write_document

TEMPLATE: Final = Path(__file__).parents[2] / "autoinvestor.toml"

OPENING_CASH: Final = Decimal(100_000)

ACCOUNT: Final = "…0001"
"""The account of every simulation, as documents name it."""

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
        "batch_size = 50": "batch_size = 2",
        "entries_a_symbol_a_day_max = 3": "entries_a_symbol_a_day_max = 30",
        "stop_outs_max = 3": "stop_outs_max = 30",
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


def opening_record(holdings: Holdings, mode: Mode, at: datetime) -> dict[str, bytes]:
    """Where the ledger begins, as `adopt` writes it: what the account holds at the start."""
    cash = OPENING_CASH - spent_on(holdings)
    held = [
        (symbol, Decimal(quantity), spent_on({symbol: (quantity, price)}))
        for symbol, (quantity, price) in sorted(holdings.items())
    ]
    account = AccountRecord(
        as_of=at,
        mode=mode,
        account=ACCOUNT,
        cash=cash,
        equity=OPENING_CASH,
        buying_power=cash,
        margin_used=ZERO,
        positions=tuple(
            HeldPosition(
                symbol=symbol,
                quantity=quantity,
                average_entry_price=nanos(cost / quantity),
                market_value=cost,
                unrealized_pl=ZERO,
            )
            for symbol, quantity, cost in held
        ),
    )
    opening = OpeningRecord(
        cash=cash,
        positions=tuple(
            OpeningPosition(symbol=symbol, quantity=quantity, cost_basis=cost, strategy="manual")
            for symbol, quantity, cost in held
        ),
        by="somebody",
    )
    name = timestamp_text(at)[:19].replace(":", "-")
    data = write_document(opening_result(opening, account, now=at))
    return {f"execution_results/{name[:7]}/result_{name}.json": data}


def spent_on(holdings: Holdings) -> Decimal:
    """USD that the holdings cost."""
    costs = (fill_notional(Decimal(one), Decimal(price)) for one, price in holdings.values())
    return sum(costs, ZERO)


def read_json(data: bytes) -> dict[str, Any]:
    """A document of ours as plain JSON, numbers exact."""
    found: dict[str, Any] = json.loads(data, parse_float=Decimal)
    return found
