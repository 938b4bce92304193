"""`/v2/orders`: submit, list, look up, replace, cancel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from uuid import UUID

from executor.exchange.admission import admit
from executor.exchange.intake import read_symbol, read_ticket, require_shape
from executor.exchange.legs import require_complex
from executor.exchange.messages import (
    Response,
    bad_request,
    json_response,
    not_found,
    read_object,
    unprocessable,
)
from executor.exchange.orders import Order
from executor.exchange.replacing import read_replacement, require_replaceable
from executor.exchange.routes.call import Call, Route


def order_json(call: Call, order: Order, *, nested: bool = True) -> dict[str, object]:
    """Show an order, its legs under it or (as in a flat list) not."""
    desk = call.desk
    asset_id = desk.asset_id(order.ticket.symbol)
    legs = [desk.orders[leg].as_json(asset_id) for leg in order.legs] if nested else []
    return order.as_json(asset_id, legs or None)


def submit_order(call: Call) -> Response:
    """Accept an order or refuse it."""
    body = read_object(call.request.body)
    symbol = read_symbol(body)
    instrument = call.desk.instrument(symbol)
    if instrument is None:
        raise unprocessable(f'asset "{symbol}" not found')
    ticket = read_ticket(body, instrument)
    admit(call.desk, ticket, instrument, call.now)
    order = call.desk.submit(ticket, call.now, call.treatment)
    return json_response(200, order_json(call, order))


def list_orders(call: Call) -> Response:
    """List orders by Alpaca's filters; the latest first unless `direction=asc`."""
    status = call.query("status", "open")
    direction = call.query("direction", "desc")
    if status not in ("open", "closed", "all"):
        raise bad_request(f"invalid status: {status}")
    if direction not in ("asc", "desc"):
        raise bad_request(f"invalid direction: {direction}")
    nested = call.query("nested").lower() == "true"
    limit = call.whole("limit", 50, 500)
    chosen: list[Order] = []
    for order in _filtered(call, _candidates(call, status, nested, direction == "desc")):
        if status == "closed" and _is_open(call, order, nested):
            continue
        chosen.append(order)
        if len(chosen) == limit:
            break
    _look(call, chosen)
    return json_response(200, [order_json(call, order, nested=nested) for order in chosen])


def _candidates(call: Call, status: str, nested: bool, backwards: bool) -> Iterator[Order]:
    """Give what may be listed, in order; rolled up, an order without a parent stands for its legs.

    So among the open ones is an entry that has filled while a leg of it is open.
    """
    desk = call.desk
    source = desk.open_orders if status == "open" else desk.orders
    if nested and status == "open":
        tops = {one.parent_id or one.id: one for one in source.values()}
        source = {top: desk.orders[top] for top in tops}
        source = dict(sorted(source.items(), key=lambda item: item[1].sequence))
    ordered = reversed(source.values()) if backwards else iter(source.values())
    return (one for one in ordered if not (nested and one.parent_id))


def _is_open(call: Call, order: Order, nested: bool) -> bool:
    legs = order.legs if nested else ()
    return order.is_open or any(call.desk.orders[leg].is_open for leg in legs)


def _filtered(call: Call, orders: Iterable[Order]) -> Iterator[Order]:
    after, until = call.time("after"), call.time("until")
    symbols, side = set(call.symbols()), call.query("side")
    later = _sequence(call, "after_order_id")
    earlier = _sequence(call, "before_order_id")
    for order in orders:
        if after is not None and order.submitted_at <= after:
            continue
        if until is not None and order.submitted_at >= until:
            continue
        if symbols and order.ticket.symbol not in symbols:
            continue
        if side and order.ticket.side != side:
            continue
        if later is not None and order.sequence <= later:
            continue
        if earlier is not None and order.sequence >= earlier:
            continue
        yield order


def _sequence(call: Call, name: str) -> int | None:
    raw = call.query(name)
    return _find(call, raw).sequence if raw else None


def _look(call: Call, orders: Iterable[Order]) -> None:
    """Count a poll of the orders, and let those fill that were waiting for it."""
    call.desk.look(orders)
    call.desk.advance(call.now)


def get_order(call: Call) -> Response:
    """Show one order, by the exchange's id."""
    order = _find(call, call.parameters["id"])
    _look(call, [order])
    return json_response(200, order_json(call, order))


def get_by_client_order_id(call: Call) -> Response:
    """Show one order, by the client's own id."""
    wanted = call.query("client_order_id")
    if not wanted:
        raise bad_request("client_order_id is required")
    order = call.desk.by_client_id.get(wanted)
    if order is None:
        raise not_found(f"order not found for {wanted}")
    _look(call, [order])
    return json_response(200, order_json(call, order))


def cancel_order(call: Call) -> Response:
    """Cancel one open order."""
    call.desk.cancel(_find(call, call.parameters["id"]), call.now)
    return Response(204)


def cancel_all(call: Call) -> Response:
    """Cancel every open order; the answer lists a status for each."""
    canceled = call.desk.cancel_all(call.now)
    return json_response(207, [{"id": order.id, "status": 200} for order in canceled])


def replace_order(call: Call) -> Response:
    """Replace one open order by a changed one."""
    order = _find(call, call.parameters["id"])
    body = read_object(call.request.body)
    require_replaceable(order)
    ticket = read_replacement(body, order, call.desk.orders)
    instrument = call.desk.instrument(ticket.symbol)
    assert instrument is not None, f"{ticket.symbol} has been ordered, so it is listed"
    require_shape(ticket, instrument)
    if order.legs:
        oco = ticket.order_class == "oco"
        require_complex(ticket, ticket.limit_price if oco else ticket.take_profit)
    admit(call.desk, ticket, instrument, call.now, instead_of=order)
    return json_response(200, order_json(call, call.desk.replace(order, ticket, call.now)))


def _find(call: Call, order_id: str) -> Order:
    try:
        wanted = str(UUID(order_id))
    except ValueError as error:
        raise bad_request("order_id is missing") from error
    order = call.desk.orders.get(wanted)
    if order is None:
        raise not_found(f"order not found for {order_id}")
    return order


ROUTES: tuple[Route, ...] = (
    ("POST", "/v2/orders", submit_order),
    ("GET", "/v2/orders", list_orders),
    ("DELETE", "/v2/orders", cancel_all),
    ("GET", "/v2/orders:by_client_order_id", get_by_client_order_id),
    ("GET", "/v2/orders/{id}", get_order),
    ("DELETE", "/v2/orders/{id}", cancel_order),
    ("PATCH", "/v2/orders/{id}", replace_order),
)
