"""Builders of the record: planned orders, the broker's reports, results and their chain."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from executor.decisions.chain import Link
from executor.decisions.reconcile import summarize
from executor.model.account import Mode
from executor.model.activity import Activity
from executor.model.digest import digest
from executor.model.intent import Intent, Owner, PlannedOrder
from executor.model.order import OrderReport, OrderStatus
from executor.model.order_result import Fill, InstructionResult, Outcome
from executor.model.reading import read_document
from executor.model.result import ExecutionResult, FinalPortfolio
from executor.model.writing import write_document

NOW = datetime(2026, 1, 14, 15, 0, tzinfo=UTC)
PLAN_DIGEST = "ab" * 32
PLAN_PATH = "trading_instructions_history/2026-01/instructions_2026-01-14T14-45-00.json"


def planned(index: int = 0, **keys: Any) -> PlannedOrder:
    """An order of an intent: ten shares of MU bought at the market."""
    document: dict[str, Any] = {
        "index": index,
        "client_order_id": f"ai-00000000-{PLAN_DIGEST[:32]}-{index}",
        "side": "buy",
        "symbol": "MU",
        "order_type": "market",
        "time_in_force": "day",
    }
    if "notional" not in keys:
        document["quantity"] = "10"
    return PlannedOrder.model_validate(document | keys)


def intent(*orders: PlannedOrder) -> Intent:
    return Intent(owner=Owner(run="r1", attempt=1), validated_at=NOW, orders=orders)


def report(order: PlannedOrder | None = None, **changes: Any) -> OrderReport:
    """The broker's account of an order: filled in full at 331.44 unless told otherwise."""
    order = order or planned()
    base = OrderReport(
        client_order_id=order.client_order_id,
        broker_order_id=f"broker-{order.index}",
        symbol=order.symbol,
        side=order.side,
        order_type=order.order_type,
        time_in_force=order.time_in_force,
        status=OrderStatus.FILLED,
        broker_status="filled",
        quantity=order.quantity,
        notional=order.notional,
        filled_quantity=order.quantity or Decimal(10),
        average_fill_price=Decimal("331.44"),
        limit_price=order.limit_price,
        submitted_at=NOW,
        filled_at=NOW + timedelta(seconds=2),
        updated_at=NOW + timedelta(seconds=3),
    )
    return replace(base, **changes)


def fill(quantity: object = "10", price: object = "331.44", at: datetime = NOW) -> Fill:
    return Fill.model_validate({"quantity": str(quantity), "price": str(price), "at": at})


def piece(quantity: object, price: object, minutes: int = 0, **keys: Any) -> Activity:
    """A FILL activity of the order that `report` tells of, some minutes after the present."""
    document = {
        "id": f"{minutes}::fill",
        "kind": "FILL",
        "at": NOW + timedelta(minutes=minutes),
        "symbol": "MU",
        "quantity": None if quantity is None else Decimal(str(quantity)),
        "price": None if price is None else Decimal(str(price)),
        "side": "buy",
        "order_id": "broker-0",
    }
    return Activity.model_validate(document | keys)


def line_result(
    index: int = 0,
    *,
    ticker: str = "MU",
    side: str | None = "buy",
    outcome: Outcome = Outcome.FILLED,
    fills: Sequence[Fill] = (),
    **keys: Any,
) -> InstructionResult:
    """One instruction's result; what filled follows from its fills."""
    filled = sum((one.quantity for one in fills), Decimal(0))
    document: dict[str, Any] = {
        "index": index,
        "ticker": ticker,
        "side": side,
        "order_type": "market",
        "time_in_force": "day",
        "client_order_id": f"ai-00000000-{PLAN_DIGEST[:32]}-{index}",
        "outcome": outcome,
        "filled_quantity": filled,
        "average_fill_price": fills[0].price if len(fills) == 1 else None,
        "submitted_at": NOW,
    }
    return InstructionResult.model_validate({**document, **keys, "fills": tuple(fills)})


def result(*instructions: InstructionResult, **keys: Any) -> ExecutionResult:
    """An execution's result in mode sim."""
    document: dict[str, Any] = {
        "timestamp": NOW,
        "instructions_file": "trading_instructions.json",
        "archived_as": PLAN_PATH,
        "plan_digest": PLAN_DIGEST,
        "plan_status": "completed",
        "strategy": "manual",
        "mode": Mode.SIM,
        "account": "…0001",
        "execution_summary": summarize(instructions),
        "instructions": instructions,
        "final_portfolio": portfolio(),
    }
    return ExecutionResult.model_validate({**document, **keys})


def portfolio(equity: str = "100000") -> FinalPortfolio:
    return FinalPortfolio(total_value=Decimal(equity), cash=Decimal(equity), realized_pl=Decimal(0))


def numbered(results: Iterable[ExecutionResult]) -> list[tuple[str, ExecutionResult]]:
    """Results with a path each, in the order given."""
    return [(f"execution_results/2026-01/result_{at}.json", one) for at, one in enumerate(results)]


def chained(results: Iterable[ExecutionResult]) -> tuple[Link, ...]:
    """Results that name each other in the order given, as they would lie in git."""
    links: list[Link] = []
    for path, one in numbered(results):
        previous = links[-1].digest if links else None
        document = one.model_copy(update={"previous_result_digest": previous})
        links.append(Link(path, digest(read_document(write_document(document))), document))
    return tuple(links)
