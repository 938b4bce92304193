"""`/sim`: what Alpaca does not have: the exchange's time, its faults, its account's own events."""

from __future__ import annotations

from dataclasses import asdict, fields
from decimal import Decimal, InvalidOperation

from executor.exchange.account import position_json
from executor.exchange.corporate import put_position, require_room
from executor.exchange.desk import AccountFlags
from executor.exchange.events import read_event
from executor.exchange.faults import read_fault
from executor.exchange.messages import (
    Refusal,
    Response,
    json_response,
    read_json,
    read_object,
    read_time,
    stamp,
    unprocessable,
)
from executor.exchange.routes.call import Call, Route
from executor.model.numbers import ZERO, is_bounded


def get_clock(call: Call) -> Response:
    """Show the exchange's time and whether it was set, so that it stands still."""
    at = stamp(call.clock.now())
    return json_response(200, {"now": at, "stands_still": call.clock.stands_still})


def put_clock(call: Call) -> Response:
    """Set the time (`now`) or move it on (`advance_seconds`); it then stands still."""
    body = read_object(call.request.body)
    if set(body) == {"now"} and isinstance(body["now"], str):
        call.clock.set(read_time(body["now"], "now"))
    elif set(body) == {"advance_seconds"}:
        try:
            seconds = float(str(body["advance_seconds"]))
        except ValueError as error:
            raise unprocessable("advance_seconds is a number of seconds") from error
        if not 0 <= seconds < 1e9:
            raise unprocessable(f"advance_seconds: {seconds}, limit from 0 to below 1e9")
        call.clock.advance(seconds)
    else:
        raise unprocessable('give {"now": time} or {"advance_seconds": number}')
    return get_clock(call)


def list_faults(call: Call) -> Response:
    """Show the faults that wait, and what they have struck."""
    return json_response(200, call.faults.as_json())


def add_faults(call: Call) -> Response:
    """Let faults wait, all of the list or none."""
    content = read_json(call.request.body)
    raw = content if isinstance(content, list) else [content]
    call.faults.add(*[read_fault(one) for one in raw])
    return list_faults(call)


def clear_faults(call: Call) -> Response:
    """Forget every fault."""
    call.faults.clear()
    return Response(204)


def get_flags(call: Call) -> Response:
    """Show what blocks the account."""
    return json_response(200, asdict(call.desk.flags))


def patch_flags(call: Call) -> Response:
    """Block or free the account."""
    body = read_object(call.request.body)
    kinds = {one.name: str if one.name == "status" else bool for one in fields(AccountFlags)}
    for name, value in body.items():
        if name not in kinds:
            raise unprocessable(f"unknown key {name!r}; known are {', '.join(kinds)}")
        if not isinstance(value, kinds[name]):
            raise unprocessable(f"{name}: {value!r} is no {kinds[name].__name__}")
    for name, value in body.items():
        setattr(call.desk.flags, name, value)
    return get_flags(call)


def list_fills(call: Call) -> Response:
    """List every fill since the exchange was made."""
    return json_response(200, [fill.as_json() for fill in call.desk.fills])


def list_events(call: Call) -> Response:
    """Show the events that took effect since the exchange was made, then those that wait."""
    schedule = call.desk.schedule
    past = [{**one.as_json(), "status": "effective"} for one in schedule.past]
    waiting = [{**one.as_json(), "status": "scheduled"} for one in schedule.pending]
    return json_response(200, past + waiting)


def add_events(call: Call) -> Response:
    """Let events wait for their time, all of the list or none; what is due happens at once."""
    content = read_json(call.request.body)
    raw = content if isinstance(content, list) else [content]
    events = [read_event(one, call.now) for one in raw]
    schedule = call.desk.schedule
    before = list(schedule.pending)
    try:
        for event in events:
            schedule.require_listed(event, call.desk.instruments)
            require_room(call.desk, event, call.now)
            schedule.add(event)
    except Refusal:
        schedule.pending = before
        raise
    call.desk.advance(call.now)
    return list_events(call)


def clear_events(call: Call) -> Response:
    """Forget every event that still waits; what happened stays."""
    call.desk.schedule.clear()
    return Response(204)


def set_position(call: Call) -> Response:
    """Change a holding without an order and without an activity: nothing explains it."""
    body = read_object(call.request.body)
    known = ("symbol", "qty", "average_entry_price")
    unknown = sorted(set(body) - set(known))
    if unknown:
        raise unprocessable(f"unknown key {unknown[0]!r}; known are {', '.join(known)}")
    symbol = body.get("symbol")
    if not isinstance(symbol, str) or symbol not in call.desk.instruments:
        raise unprocessable(f"symbol {symbol!r} is not listed")
    quantity = _amount(body, "qty")
    if quantity is None:
        raise unprocessable("qty is missing: the shares to hold from now on, 0 for none")
    held = call.desk.positions.get(symbol)
    usual = held.average_entry_price if held else call.desk.mark(symbol, call.now)
    price = _amount(body, "average_entry_price")
    if call.desk.held_for_orders(symbol) > quantity:
        raise unprocessable(f"open orders sell more than {quantity} {symbol}; cancel them first")
    put_position(call.desk, symbol, quantity, usual if price is None else price, call.now)
    shown = call.desk.positions.get(symbol)
    return json_response(200, [] if shown is None else [position_json(call.desk, shown, call.now)])


def _amount(body: dict[str, object], name: str) -> Decimal | None:
    raw = body.get(name)
    if raw is None:
        return None
    try:
        number = Decimal(str(raw))
    except InvalidOperation as error:
        raise unprocessable(f"{name}: {raw!r} is no number") from error
    if not is_bounded(number) or number < ZERO:
        raise unprocessable(f"{name}: {raw}, limit from 0, with at most 9 decimals")
    return number


ROUTES: tuple[Route, ...] = (
    ("GET", "/sim/clock", get_clock),
    ("PUT", "/sim/clock", put_clock),
    ("GET", "/sim/faults", list_faults),
    ("POST", "/sim/faults", add_faults),
    ("DELETE", "/sim/faults", clear_faults),
    ("GET", "/sim/account", get_flags),
    ("PATCH", "/sim/account", patch_flags),
    ("GET", "/sim/fills", list_fills),
    ("GET", "/sim/events", list_events),
    ("POST", "/sim/events", add_events),
    ("DELETE", "/sim/events", clear_events),
    ("POST", "/sim/positions", set_position),
)
