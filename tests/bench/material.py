"""What the benchmarks work on: plans, settings and scratch repositories."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import islice, product
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from tests.bench.measure import process

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = ROOT / "autoinvestor.toml"
SCHEMA = ROOT / "schemas" / "trading_instructions.schema.json"

SYMBOL, SHARES = "MU", "2"
"""What is bought where an order is sent."""


def symbols(count: int) -> list[str]:
    """Different tickers."""
    return ["".join(letters) for letters in islice(product(ascii_uppercase, repeat=4), count)]


def instructions(count: int) -> Iterator[dict[str, Any]]:
    """Lines as full as the mission's."""
    for number, ticker in enumerate(symbols(count)):
        yield {
            "action": "BUY",
            "ticker": ticker,
            "quantity": round(1 + number / 7, 2),
            "order_type": "market",
            "reason": f"HIGH conviction - explosive momentum, number {number}",
            "target_allocation": 2_800.0,
            "profit_target_pct": 15.0,
            "stop_loss_pct": 8.0,
        }


def plan(lines: list[dict[str, Any]]) -> bytes:
    """A plan without a timestamp: it is as old as its commit."""
    document = {
        "strategy_type": "aggressive_momentum",
        "reason": "Deploy capital with a 15% profit target",
        "use_margin": True,
        "market_context": {"vix": 15.98, "regime": "BULLISH"},
        "instructions": lines,
        "status": "pending",
    }
    return json.dumps(document, indent=2).encode()


def one_order() -> bytes:
    """A plan of one order."""
    line = {"action": "BUY", "ticker": SYMBOL, "quantity": int(SHARES), "reason": "a benchmark"}
    return plan([{**line, "order_type": "market"}])


def wide_settings(orders: int) -> bytes:
    """The shipped settings, with room for that many orders in a plan and a day."""
    text = SETTINGS.read_text("utf-8")
    for limit in ("orders_a_plan_max", "orders_a_day_max"):
        text, count = re.subn(rf"(?m)^{limit} = .*$", f"{limit} = {orders}", text)
        assert count == 1, f"the shipped settings name {limit} once"
    return text.encode()


def many_orders(tickers: list[str]) -> bytes:
    """A plan that buys one share of each."""
    line = {"action": "BUY", "quantity": 1, "reason": "a benchmark", "order_type": "market"}
    return plan([{**line, "ticker": ticker} for ticker in tickers])


def repository(folder: Path, document: bytes | None = None, settings: bytes | None = None) -> Path:
    """A git repository with settings and a plan on main: the shipped ones, and one order."""
    folder.mkdir(parents=True)
    (folder / SETTINGS.name).write_bytes(settings or SETTINGS.read_bytes())
    (folder / "trading_instructions.json").write_bytes(document or one_order())
    person = ["-c", "user.name=Bench", "-c", "user.email=bench@localhost"]
    # Without a template there are no sample hooks to copy in every round.
    process(["git", "init", "--quiet", "--initial-branch=main", "--template=", "."], folder)
    process(["git", "add", "--all"], folder)
    process(["git", *person, "commit", "--quiet", "-m", "Propose orders"], folder)
    return folder
