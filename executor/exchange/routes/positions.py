"""`/v2/positions`: what is held, and closing it at the market."""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal, InvalidOperation

from executor.exchange.account import position_json
from executor.exchange.admission import admit
from executor.exchange.messages import (
    Refusal,
    Response,
    bad_request,
    json_response,
    not_found,
)
from executor.exchange.orders import Order, Ticket
from executor.exchange.routes.call import Call, Route
from executor.exchange.routes.orders import order_json
from executor.model.numbers import HUNDRED, NANO, ZERO, is_bounded
from executor.model.position import Position


def list_positions(call: Call) -> Response:
    """List what is held, by symbol."""
    held = sorted(call.desk.positions.values(), key=lambda one: one.symbol)
    return json_response(200, [position_json(call.desk, one, call.now) for one in held])


def get_position(call: Call) -> Response:
    """Show one holding, by symbol or asset id."""
    return json_response(200, position_json(call.desk, _find(call), call.now))


def close_position(call: Call) -> Response:
    """Sell a holding at the market, in whole or by `qty` or `percentage`."""
    held = _find(call)
    return json_response(200, order_json(call, _close(call, held, _quantity(call, held))))


def close_all(call: Call) -> Response:
    """Sell every holding at the market; with `cancel_orders` after canceling what is open."""
    if call.query("cancel_orders").lower() == "true":
        call.desk.cancel_all(call.now)
    closed: list[dict[str, object]] = []
    for held in sorted(call.desk.positions.values(), key=lambda one: one.symbol):
        try:
            body, status = order_json(call, _close(call, held, held.quantity)), 200
        except Refusal as refusal:
            body, status = refusal.body, refusal.status
        closed.append({"symbol": held.symbol, "status": status, "body": body})
    return json_response(207, closed)


def _close(call: Call, held: Position, quantity: Decimal) -> Order:
    ticket = Ticket(
        symbol=held.symbol,
        side="sell",
        order_type="market",
        time_in_force="day",
        client_order_id="",
        quantity=quantity,
        position_intent="sell_to_close",
    )
    instrument = call.desk.instrument(held.symbol)
    assert instrument is not None, f"{held.symbol} is held, so it is listed"
    admit(call.desk, ticket, instrument, call.now)
    return call.desk.submit(ticket, call.now, call.treatment)


def _quantity(call: Call, held: Position) -> Decimal:
    quantity, percentage = _number(call, "qty"), _number(call, "percentage")
    if quantity is not None and percentage is not None:
        raise bad_request("only one of qty or percentage is accepted")
    if percentage is not None:
        if percentage > HUNDRED:
            raise bad_request("percentage must be between 0 and 100")
        whole = held.quantity == held.quantity.to_integral_value()
        step = Decimal(1) if whole else NANO
        quantity = (held.quantity * percentage / HUNDRED).quantize(step, rounding=ROUND_DOWN)
        if not quantity:
            raise bad_request("qty must be > 0")
    return held.quantity if quantity is None else quantity


def _number(call: Call, name: str) -> Decimal | None:
    raw = call.query(name)
    if not raw:
        return None
    try:
        number = Decimal(raw)
    except InvalidOperation as error:
        raise bad_request(f"invalid {name}: {raw}") from error
    if not is_bounded(number) or number <= ZERO:
        raise bad_request(f"invalid {name}: {raw}")
    return number


def _find(call: Call) -> Position:
    instrument = call.desk.instrument(call.parameters["symbol"])
    symbol = instrument.symbol if instrument else call.parameters["symbol"]
    held = call.desk.positions.get(symbol)
    if held is None:
        raise not_found("position does not exist")
    return held


ROUTES: tuple[Route, ...] = (
    ("GET", "/v2/positions", list_positions),
    ("DELETE", "/v2/positions", close_all),
    ("GET", "/v2/positions/{symbol}", get_position),
    ("DELETE", "/v2/positions/{symbol}", close_position),
)
