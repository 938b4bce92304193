"""From a plan to orders: ids that are functions of content, SELLs first."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal

from executor.model.intent import PlannedOrder
from executor.model.ledger import stop_of, target_of
from executor.model.numbers import ONE
from executor.model.order import OrderRequest
from executor.model.order_id import client_order_id
from executor.model.order_result import StopTerms
from executor.model.plan import TradingInstruction, TradingInstructionSet


def stop_terms(instruction: TradingInstruction) -> StopTerms | None:
    """How a line asks for its shares to be protected; None where it asks for nothing.

    A PROTECT of `none` gives terms without anything in them: the protection goes.
    """
    if instruction.action == "PROTECT":
        if instruction.protect == "none":
            return StopTerms()
        return StopTerms(stop_price=instruction.stop_price, trail_percent=instruction.trail_percent)
    if not instruction.wants_stop:
        return None
    bracket = instruction.protect == "bracket"
    return StopTerms(
        stop_loss_pct=instruction.stop_loss_pct,
        profit_target_pct=instruction.profit_target_pct if bracket else None,
    )


def plan_orders(
    plan: TradingInstructionSet,
    *,
    plan_digest: str,
    repository: str,
    going: Collection[int],
    available: Mapping[str, Decimal],
    references: Mapping[int, Decimal] | None = None,
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
        available: shares by symbol that no open order holds but those that protect them.
        references: USD a share by index: where the legs of a bracket at the market are put.
    """
    orders = [
        order
        for index, instruction in enumerate(plan.instructions)
        if index in going and instruction.is_trade
        if (
            order := _order(
                instruction,
                index,
                client_order_id(repository, plan_digest, index),
                available,
                (references or {}).get(index),
            )
        )
        is not None
    ]
    return tuple(sorted(orders, key=lambda one: (one.side != "sell", one.symbol, one.index)))


def _order(
    instruction: TradingInstruction,
    index: int,
    order_id: str,
    available: Mapping[str, Decimal],
    reference: Decimal | None,
) -> PlannedOrder | None:
    quantity = instruction.shares
    if instruction.quantity == "all":
        quantity = available.get(instruction.ticker)
        if not quantity or quantity < 0:
            return None
    planned = PlannedOrder(
        index=index,
        client_order_id=order_id,
        side="buy" if instruction.action == "BUY" else "sell",
        symbol=instruction.ticker,
        quantity=quantity,
        notional=instruction.notional,
        order_type=instruction.order_type,
        limit_price=instruction.limit_price,
        stop_price=instruction.stop_price,
        trail_percent=instruction.trail_percent,
        time_in_force=instruction.time_in_force,
    )
    return planned.model_copy(update=_hanging(instruction, quantity, reference))


def _hanging(
    instruction: TradingInstruction, quantity: Decimal | None, reference: Decimal | None
) -> dict[str, object]:
    """What hangs on an entry at the broker itself: the stop of an OTO, the legs of a bracket.

    A limit entry of whole shares brings its stop along, so it is protected by its own fill, whoever
    is awake then. Any other entry has its stop follow the fill and its true price: the broker hangs
    legs on market and limit orders only.
    """
    terms = stop_terms(instruction)
    whole = quantity is not None and quantity == quantity.to_integral_value()
    if terms is None or not whole or instruction.action != "BUY":
        return {}
    is_bracket = instruction.protect == "bracket"
    base = instruction.limit_price if instruction.order_type == "limit" else None
    if base is None and is_bracket:
        base = reference
    stop = stop_of(terms, base) if base is not None else None
    if stop is None or base is None:
        return {}
    if not is_bracket:
        return {"order_class": "oto", "stop_loss_price": stop}
    target = target_of(terms, base)
    if target is None:
        return {}
    return {"order_class": "bracket", "stop_loss_price": stop, "take_profit_price": target}


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
        trail_percent=order.trail_percent,
        order_class=order.order_class,
        take_profit_price=order.take_profit_price,
        stop_loss_price=order.stop_loss_price,
    )


def differences(
    recorded: Collection[PlannedOrder],
    computed: Collection[PlannedOrder],
    left_open: Mapping[int, Collection[str]],
) -> tuple[str, ...]:
    """Say where a recorded intent differs from what the plan says; empty where it does not.

    An order may be missing from the intent (it was denied), never be there beyond the plan.

    Args:
        recorded: the orders of the intent.
        computed: the orders of the plan.
        left_open: by index, the keys that the plan leaves to the moment of its execution.
    """
    by_id = {one.client_order_id: one for one in computed}
    found = []
    for order in recorded:
        expected = by_id.get(order.client_order_id)
        if expected is None:
            found.append(f"order {order.client_order_id} is none of the plan's")
            continue
        open_keys = left_open.get(order.index, ())
        expected = expected.model_copy(update={key: getattr(order, key) for key in open_keys})
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
    lines: Collection[int] = (),
) -> tuple[str, ...]:
    """Compute the orders of a plan again and say where a recorded intent differs from them.

    What it names to be canceled is not believed but looked up again; its CANCEL and PROTECT lines
    have to be lines of the plan.
    """
    for index in lines:
        if index >= len(plan.instructions) or plan.instructions[index].is_trade:
            return (f"line {index} is no CANCEL and no PROTECT of the plan",)
    computed = plan_orders(
        plan,
        plan_digest=plan_digest,
        repository=repository,
        going=range(len(plan.instructions)),
        available={one.ticker: ONE for one in plan.instructions},
    )
    left_open = {
        index: keys for index, one in enumerate(plan.instructions) if (keys := _left_open(one))
    }
    return differences(recorded, computed, left_open)


def _left_open(instruction: TradingInstruction) -> tuple[str, ...]:
    """Which keys of its order a line leaves to the moment of its execution."""
    if instruction.quantity == "all":
        return ("quantity",)
    if instruction.protect == "bracket" and instruction.order_type == "market":
        return ("order_class", "stop_loss_price", "take_profit_price")
    return ()
