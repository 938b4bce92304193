"""`/v2/orders`: submit, list, look up, cancel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from uuid import UUID

from executor.exchange.admission import admit
from executor.exchange.intake import read_symbol, read_ticket
from executor.exchange.messages import (
    Response,
    bad_request,
    json_response,
    not_found,
    read_object,
    unprocessable,
    unsupported,
)
from executor.exchange.orders import Order
from executor.exchange.routes.call import Call, Route


def order_json(call: Call, order: Order) -> dict[str, object]:
    """Show an order."""
    return order.as_json(call.desk.asset_id(order.ticket.symbol))


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
    limit = call.whole("limit", 50, 500)
    source = call.desk.open_orders if status == "open" else call.desk.orders
    ordered: Iterable[Order] = source.values() if direction == "asc" else _backwards(source)
    chosen: list[Order] = []
    for order in _filtered(call, ordered):
        if status == "closed" and order.is_open:
            continue
        chosen.append(order)
        if len(chosen) == limit:
            break
    _look(call, chosen)
    return json_response(200, [order_json(call, order) for order in chosen])


def _backwards(source: dict[str, Order]) -> Iterator[Order]:
    return reversed(source.values())


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
    canceled = list(call.desk.open_orders.values())
    for order in canceled:
        call.desk.cancel(order, call.now)
    return json_response(207, [{"id": order.id, "status": 200} for order in canceled])


def replace_order(call: Call) -> Response:
    """Refuse: cancel and submit instead."""
    raise unsupported("replacing an order is")


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
