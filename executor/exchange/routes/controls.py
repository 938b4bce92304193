"""`/sim`: what Alpaca does not have. The exchange's time, its faults, its account's blocks."""

from __future__ import annotations

from dataclasses import asdict, fields

from executor.exchange.desk import AccountFlags
from executor.exchange.faults import read_fault
from executor.exchange.messages import (
    Response,
    json_response,
    read_json,
    read_object,
    read_time,
    stamp,
    unprocessable,
)
from executor.exchange.routes.call import Call, Route


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


ROUTES: tuple[Route, ...] = (
    ("GET", "/sim/clock", get_clock),
    ("PUT", "/sim/clock", put_clock),
    ("GET", "/sim/faults", list_faults),
    ("POST", "/sim/faults", add_faults),
    ("DELETE", "/sim/faults", clear_faults),
    ("GET", "/sim/account", get_flags),
    ("PATCH", "/sim/account", patch_flags),
    ("GET", "/sim/fills", list_fills),
)
