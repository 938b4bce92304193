"""From a plan to orders: ids that are functions of content, SELLs first."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from decimal import Decimal

from executor.model.intent import PlannedOrder
from executor.model.numbers import ONE
from executor.model.order import OrderRequest
from executor.model.plan import TradingInstruction, TradingInstructionSet

ID_PREFIX = "ai"


def client_order_id(repository: str, plan_digest: str, index: int, leg: str = "entry") -> str:
    """The id of an order: a pure function of repository, plan and place in it.

    `ai-<8 hex of the repository's SHA-256>-<32 hex of the plan's digest>-<index>[-<leg>]`, at most
    60 characters of the 128 that Alpaca allows. Two instructions never share one: index and leg are
    parts of their own.
    """
    home = hashlib.sha256(repository.encode()).hexdigest()[:8]
    suffix = "" if leg == "entry" else f"-{leg}"
    return f"{ID_PREFIX}-{home}-{plan_digest[:32]}-{index}{suffix}"


def plan_orders(
    plan: TradingInstructionSet,
    *,
    plan_digest: str,
    repository: str,
    going: Collection[int],
    available: Mapping[str, Decimal],
) -> tuple[PlannedOrder, ...]:
    """Say which orders the going lines become, in the order of sending.

    SELLs come first, each side by symbol and then by place, so that the same plan always becomes
    the same list. A SELL of `all` takes what is available; with nothing available it becomes no
    order.

    Args:
        plan: the plan.
        plan_digest: its digest.
        repository: the settings' name of this repository.
        going: indexes of the lines that may go.
        available: shares by symbol that no open order holds.
    """
    orders = [
        order
        for index, instruction in enumerate(plan.instructions)
        if index in going and instruction.is_trade
        if (order := _order(instruction, index, plan_digest, repository, available)) is not None
    ]
    return tuple(sorted(orders, key=lambda one: (one.side != "sell", one.symbol, one.index)))


def _order(
    instruction: TradingInstruction,
    index: int,
    plan_digest: str,
    repository: str,
    available: Mapping[str, Decimal],
) -> PlannedOrder | None:
    quantity = instruction.shares
    if instruction.quantity == "all":
        quantity = available.get(instruction.ticker)
        if not quantity or quantity < 0:
            return None
    return PlannedOrder(
        index=index,
        client_order_id=client_order_id(repository, plan_digest, index),
        side="buy" if instruction.action == "BUY" else "sell",
        symbol=instruction.ticker,
        quantity=quantity,
        notional=instruction.notional,
        order_type=instruction.order_type,
        limit_price=instruction.limit_price,
        stop_price=instruction.stop_price,
        time_in_force=instruction.time_in_force,
    )


def request_of(order: PlannedOrder) -> OrderRequest:
    """The order as it is sent."""
    return OrderRequest(
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        side=order.side,
        order_type=order.order_type,
        time_in_force=order.time_in_force,
        quantity=order.quantity,
        notional=order.notional,
        limit_price=order.limit_price,
        stop_price=order.stop_price,
    )


def differences(
    recorded: Collection[PlannedOrder],
    computed: Collection[PlannedOrder],
    open_ended: Collection[int],
) -> tuple[str, ...]:
    """Say where a recorded intent differs from what the plan says; empty where it does not.

    An order may be missing from the intent (it was denied), never be there beyond the plan. For
    the lines in `open_ended` (a SELL of `all`) the plan leaves the quantity open.
    """
    by_id = {one.client_order_id: one for one in computed}
    found = []
    for order in recorded:
        expected = by_id.get(order.client_order_id)
        if expected is None:
            found.append(f"order {order.client_order_id} is none of the plan's")
            continue
        if order.index in open_ended:
            expected = expected.model_copy(update={"quantity": order.quantity})
        if order != expected:
            found.append(f"order {order.client_order_id} is not what the plan says")
    if len({one.client_order_id for one in recorded}) < len(recorded):
        found.append("an order stands twice in the intent")
    return tuple(found)


def intent_differences(
    recorded: Collection[PlannedOrder],
    plan: TradingInstructionSet,
    *,
    plan_digest: str,
    repository: str,
) -> tuple[str, ...]:
    """Compute the orders of a plan again and say where a recorded intent differs from them."""
    computed = plan_orders(
        plan,
        plan_digest=plan_digest,
        repository=repository,
        going=range(len(plan.instructions)),
        available={one.ticker: ONE for one in plan.instructions},
    )
    open_ended = [index for index, one in enumerate(plan.instructions) if one.quantity == "all"]
    return differences(recorded, computed, open_ended)
