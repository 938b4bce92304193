"""What stands at the broker: which open orders trade, which are ours, which a plan withdraws."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Final

from executor.model.facts import Facts
from executor.model.order import OrderReport
from executor.model.order_id import DIGEST_DIGITS, home_of, parse_order_id
from executor.model.plan import TradingInstruction, TradingInstructionSet

WAITS: Final = "held"
"""The broker's word for an order of a group that waits for another one: it sells nothing yet."""


class Obstacle(StrEnum):
    """Why a CANCEL cannot be carried out."""

    NOT_OPEN = "not_open"
    OTHER_SYMBOL = "other_symbol"
    PROTECTIVE = "protective"
    FOREIGN = "foreign"


def open_at_broker(orders: Sequence[OrderReport]) -> tuple[OrderReport, ...]:
    """Give every order that has not ended, legs among them that are not told by themselves."""
    told = {one.broker_order_id for one in orders}
    legs = (leg for order in orders for leg in order.legs if leg.broker_order_id not in told)
    return tuple(one for one in (*orders, *legs) if not one.status.is_terminal)


def working(orders: Sequence[OrderReport]) -> tuple[OrderReport, ...]:
    """Give every order that may trade by itself; of a pair of exits that is the first one."""
    return tuple(one for one in open_at_broker(orders) if one.broker_status != WAITS)


def leg_ids(orders: Iterable[OrderReport]) -> frozenset[str]:
    """Ids of the orders that hang on others; those are of the broker's making."""
    return frozenset(leg.client_order_id for order in orders for leg in order.legs)


def obstacles(
    plan: TradingInstructionSet, facts: Facts, repository: str
) -> Mapping[int, Obstacle | None]:
    """Say of each CANCEL line that is still due why it cannot be carried out; None: it can.

    An order is ours where the record knows it, or where its id reads as one of this repository's.
    """
    orders = facts.open_orders or ()
    standing = {one.client_order_id: one for one in open_at_broker(orders)}
    protective = facts.protective | leg_ids(orders)
    home = home_of(repository)
    return {
        index: _obstacle(line, standing.get(line.client_order_id or ""), facts, protective, home)
        for index, line in enumerate(plan.instructions)
        if line.action == "CANCEL" and index not in facts.already_sent
    }


def _obstacle(
    line: TradingInstruction,
    order: OrderReport | None,
    facts: Facts,
    protective: frozenset[str],
    home: str,
) -> Obstacle | None:
    if order is None:
        return Obstacle.NOT_OPEN
    if order.symbol != line.ticker:
        return Obstacle.OTHER_SYMBOL
    own = parse_order_id(order.client_order_id)
    is_home = own is not None and own.home == home
    is_leg = is_home and own is not None and own.leg != "entry"
    if is_leg or order.client_order_id in protective:
        return Obstacle.PROTECTIVE
    known = facts.record.known_orders if facts.record else frozenset()
    return None if is_home or order.client_order_id in known else Obstacle.FOREIGN


def unexplained(facts: Facts) -> Iterator[OrderReport]:
    """Give each open order that no commit explains. Needs the record and the open orders.

    An order whose id reads as one of ours is explained by its plan, where the record knows that:
    the run that sent it may have died before it could write it down.
    """
    record, orders = facts.record, facts.open_orders
    assert record is not None, "the check names `record` in its needs"
    assert orders is not None, "the check names `open_orders` in its needs"
    explained = record.known_orders | facts.own_orders | facts.protective | leg_ids(orders)
    parsed = (parse_order_id(one) for one in explained)
    plans = {(one.home, one.plan) for one in parsed if one is not None}
    lots = {lot.key.plan_digest[:DIGEST_DIGITS] for lot in record.lots}
    for order in orders:
        if order.status.is_terminal or order.client_order_id in explained:
            continue
        own = parse_order_id(order.client_order_id)
        if own is None or ((own.home, own.plan) not in plans and own.plan not in lots):
            yield order
