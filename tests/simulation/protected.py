"""What must stand behind every holding that asked for a stop, once nothing more is due."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from executor.exchange.orders import Order
from executor.model.ledger import Ledger, Lot, LotKey
from executor.model.numbers import ZERO
from executor.model.order_id import DIGEST_DIGITS, client_order_id, parse_order_id
from tests.simulation.world import Simulation


def unprotected(sim: Simulation) -> Iterator[str]:
    """Say which shares lack their stop, which have two, and which stop has no shares."""
    ledger = sim.main.ledger
    standing: dict[LotKey, list[Order]] = {}
    places = {(one.plan_digest[:DIGEST_DIGITS], one.index): one for one in ledger.lots}
    for order in sim.exchange.desk.open_orders.values():
        if not protects(sim, order):
            continue
        place = place_of(sim, order)
        key = places.get(place) if place is not None else None
        if key is None:
            yield f"{_name(order)} stands for a lot that is gone"
        else:
            standing.setdefault(key, []).append(order)
    for symbol in sorted({lot.symbol for lot in ledger.lots.values()}):
        yield from _symbol(sim, ledger, symbol, standing)
    yield from _sold_too_often(sim, ledger)


def root_of(sim: Simulation, order: Order) -> Order:
    """The order that the broker hung this one on, and so on up; itself where it hangs on none."""
    while order.parent_id is not None:
        order = sim.exchange.desk.orders[order.parent_id]
    return order


def place_of(sim: Simulation, order: Order) -> tuple[str, int] | None:
    """The plan (by the digits in its ids) and the line that an order of ours serves."""
    own = parse_order_id(root_of(sim, order).client_order_id)
    return None if own is None else (own.plan, own.index)


def protects(sim: Simulation, order: Order) -> bool:
    """True for an order of ours that would sell a holding: no entry, and no leg that waits."""
    own = parse_order_id(order.client_order_id)
    if own is not None:
        return own.leg != "entry"
    is_leg = order.parent_id is not None and place_of(sim, order) is not None
    return is_leg and not order.is_dormant


def _symbol(
    sim: Simulation, ledger: Ledger, symbol: str, standing: dict[LotKey, list[Order]]
) -> Iterator[str]:
    desk = sim.exchange.desk
    held = desk.positions[symbol].quantity if symbol in desk.positions else ZERO
    others = [
        one
        for one in desk.open_orders.values()
        if one.ticket.symbol == symbol and not protects(sim, one) and not one.is_dormant
    ]
    on_sale = sum((_left(one) for one in others if one.ticket.side == "sell"), ZERO)
    free = max(ZERO, held - on_sale)
    sold = sum((_left(one) for key in standing for one in _apart(standing[key], symbol)), ZERO)
    if sold > free:
        yield f"{symbol}: stops sell {sold} of {free} shares"
    if any(one.ticket.side == "buy" and one.client_order_id in sim.foreign for one in others):
        return
    for lot in reversed(ledger.lots_of(symbol)):
        covered = min(lot.quantity, free)
        free -= covered
        entry = client_order_id(sim.settings.repository, lot.key.plan_digest, lot.key.index)
        if any(one.client_order_id == entry for one in others):
            continue  # Its stop follows its end.
        is_open = desk.sessions.current(sim.clock.now()) is not None
        yield from _lot(lot, covered, standing.get(lot.key, []), is_open)


def _apart(orders: list[Order], symbol: str) -> list[Order]:
    """Those that may sell by themselves: of a pair of exits the target."""
    own = [one for one in orders if one.ticket.symbol == symbol]
    groups = {one.group_id for one in own if one.role == "take_profit"}
    return [one for one in own if one.role != "stop_loss" or one.group_id not in groups]


def _lot(lot: Lot, covered: Decimal, standing: list[Order], is_open: bool) -> Iterator[str]:
    if any(one.ticket.order_type == "market" for one in standing):
        return  # The price was through its stop: it is being sold.
    what = f"{covered} of {lot.quantity} {lot.symbol} of line {lot.key.index}"
    whole = covered.to_integral_value(rounding="ROUND_FLOOR")
    part = covered - whole if lot.stop_price is not None else ZERO
    stops = [one for one in standing if one.ticket.order_type in ("stop", "trailing_stop")]
    days = [one for one in stops if one.ticket.time_in_force == "day" and one.parent_id is None]
    lasting = [one for one in stops if one not in days]
    targets = [one for one in standing if one.ticket.order_type == "limit"]
    if sum((_left(one) for one in lasting), ZERO) != whole:
        yield f"{what}: {_names(lasting)} for the whole shares"
    if sum((_left(one) for one in days), ZERO) != part:
        yield f"{what}: {_names(days)} for the fraction"
    # A pair that comes too late is a stop alone until the market opens.
    lacks = lot.take_profit_price is not None and (is_open or targets or not lasting)
    if lacks and sum(map(_left, targets), ZERO) != whole:
        yield f"{what}: {_names(targets)} takes the profit"
    if any(not _is_tight(lot, one) for one in stops):
        yield f"{what}: {_names(stops)}, and not the stop at {lot.stop_price}"
    if targets and lot.take_profit_price is None:
        yield f"{what}: {_names(targets)} stands there as well"


def _is_tight(lot: Lot, order: Order) -> bool:
    ticket = order.ticket
    if lot.trail_percent is not None:
        return ticket.trail_percent is not None and ticket.trail_percent <= lot.trail_percent
    assert lot.stop_price is not None, "a lot has a stop price or trails"
    return ticket.stop_price is not None and ticket.stop_price >= lot.stop_price


def _sold_too_often(sim: Simulation, ledger: Ledger) -> Iterator[str]:
    """What protects a line's shares never sells more than that line has bought."""
    bought: dict[tuple[str, int], Decimal] = {}
    sold: dict[tuple[str, int], Decimal] = {}
    for order in sim.exchange.desk.orders.values():
        own, place = parse_order_id(order.client_order_id), place_of(sim, order)
        if place is None or order.ticket.symbol in sim.converted:
            continue
        if own is not None and own.leg == "entry":
            if order.ticket.side == "buy":
                bought[place] = order.filled_quantity
        else:
            sold[place] = sold.get(place, ZERO) + order.filled_quantity
    for place, quantity in sold.items():
        if place in bought and quantity > bought[place]:
            yield f"line {place[1]} of {place[0][:8]} bought {bought[place]}, legs sold {quantity}"


def _left(order: Order) -> Decimal:
    return (order.ticket.quantity or ZERO) - order.filled_quantity


def _name(order: Order) -> str:
    ticket = order.ticket
    price = order.stop_price or ticket.limit_price
    return (
        f"{ticket.side} {_left(order)} {ticket.symbol} {ticket.order_type} at {price},"
        f" {order.status} {order.client_order_id}"
    )


def _names(orders: list[Order]) -> str:
    return " and ".join(map(_name, orders)) or "nothing"
