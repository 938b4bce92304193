"""From holdings and open orders to a plan that only takes them away."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from executor.decisions.halting import Owned
from executor.model.facts import PositionFacts
from executor.model.fields import is_ticker
from executor.model.order import OrderReport


@dataclass(frozen=True, slots=True)
class Flattening:
    """The lines of an exit-only plan, and what they leave alone."""

    lines: tuple[dict[str, Any], ...]
    """CANCELs, then SELLs, then BUYs that cover; as they stand in the plan's document."""
    left_out: tuple[str, ...] = ()
    """Symbols that are held and that no plan can name."""
    in_the_way: tuple[OrderReport, ...] = ()
    """Open orders of other programs in the symbols that are closed; no plan of ours ends them."""


def flatten(
    positions: Iterable[PositionFacts],
    open_orders: Sequence[OrderReport],
    ours: Sequence[Owned],
    *,
    reason: str,
    only: frozenset[str] = frozenset(),
) -> Flattening:
    """Plan to sell every long holding, cover every short one and end what may still open.

    Args:
        positions: what the broker holds for us.
        open_orders: every order that may still trade.
        ours: which of them are ours. What protects is left to the execution: it is canceled just
            before its symbol is sold.
        reason: why, for each line.
        only: the symbols to close; empty closes all.
    """
    held = [one for one in positions if one.quantity and (not only or one.symbol in only)]
    closed = sorted((one for one in held if is_ticker(one.symbol)), key=lambda one: one.symbol)
    entries = [
        one.report
        for one in ours
        if not one.protects
        and is_ticker(one.report.symbol)
        and (not only or one.report.symbol in only)
    ]
    own_ids = {one.report.broker_order_id for one in ours}
    symbols = {one.symbol for one in closed}
    return Flattening(
        lines=(
            *(_cancel(one, reason) for one in entries),
            *(_close(one, reason) for one in closed if one.quantity > 0),
            *(_close(one, reason) for one in closed if one.quantity < 0),
        ),
        left_out=tuple(sorted(one.symbol for one in held if not is_ticker(one.symbol))),
        in_the_way=tuple(
            one
            for one in open_orders
            if one.symbol in symbols and one.broker_order_id not in own_ids
        ),
    )


def _cancel(order: OrderReport, reason: str) -> dict[str, Any]:
    return {
        "action": "CANCEL",
        "ticker": order.symbol,
        "client_order_id": order.client_order_id,
        "reason": reason,
    }


def _close(held: PositionFacts, reason: str) -> dict[str, Any]:
    is_long = held.quantity > 0
    return {
        "action": "SELL" if is_long else "BUY",
        "ticker": held.symbol,
        "quantity": "all" if is_long else -held.quantity,
        "order_type": "market",
        "time_in_force": "day",
        "reason": reason,
    }
