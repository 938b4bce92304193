"""Injected faults: what a plan of them looks like, when one strikes, what the client then sees."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from fnmatch import fnmatchcase
from typing import Final

from executor.exchange.messages import (
    Refusal,
    Request,
    Response,
    json_response,
    read_json,
    unprocessable,
)
from executor.exchange.orders import Treatment

Answer = Callable[[Treatment | None], Response]
"""Process the request for real, an accepted order under a treatment."""

_ORDERS: Final = ("POST", "/v2/orders")
_ANY: Final = ("*", "/v2/*")

KINDS: Final[Mapping[str, tuple[tuple[str, str], Mapping[str, object]]]] = {
    "accept_then_504": (_ORDERS, {}),
    "accept_then_drop": (_ORDERS, {}),
    "drop_before": (_ANY, {}),
    "stall": (_ANY, {"seconds": 30, "accepted": True}),
    "latency": (_ANY, {"ms": 250}),
    "rate_limit_429": (_ANY, {"reset_seconds": 1}),
    "html_502": (_ANY, {"accepted": False}),
    "not_json_200": (_ANY, {"accepted": True}),
    "unknown_status": (("*", "/v2/orders*"), {"status": "awaiting_allocation"}),
    "partial_fill": (_ORDERS, {"fraction": "0.5", "rest_seconds": None, "rest_polls": None}),
    "late_fill": (_ORDERS, {"seconds": None, "polls": None}),
    "rejection": (
        _ORDERS,
        {"status": 403, "code": 40310000, "message": "insufficient buying power"},
    ),
    "order_rejected": (_ORDERS, {}),
}
"""Every kind: the method and path that it matches by default, and its parameters' defaults."""

_COMMON: Final = ("kind", "match", "nth", "times")
_MATCHED: Final = ("method", "path", "symbol", "side", "client_order_id")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: what it does, to which requests, and how often."""

    kind: str
    match: Mapping[str, str] = field(default_factory=dict)
    """Shell patterns, each of which has to match: `method`, `path` and, of the order in the body or
    of the order looked up, `symbol`, `side`, `client_order_id`. Absent: the kind's own requests."""
    nth: int = 1
    """It strikes from the nth matching request on."""
    times: int = 1
    """How many requests it strikes; 0 is every one from then on."""
    parameters: Mapping[str, object] = field(default_factory=dict)
    """What `KINDS` lists for the kind."""

    def __post_init__(self) -> None:
        """Refuse a fault that would silently do something else than was meant."""
        if self.kind not in KINDS:
            raise unprocessable(f"unknown fault {self.kind!r}; known are {', '.join(KINDS)}")
        _require_known("match of a fault", self.match, _MATCHED)
        known = tuple(KINDS[self.kind][1])
        _require_known(f"fault {self.kind}", self.parameters, known)
        if self.nth < 1 or self.times < 0:
            raise unprocessable("a fault's nth is at least 1 and its times at least 0")
        fraction = self.number("fraction") if "fraction" in known else None
        if fraction is not None and not 0 < fraction < 1:
            raise unprocessable(f"fault {self.kind}: fraction {fraction}, limit between 0 and 1")
        for name in set(known) & {"seconds", "ms", "reset_seconds", "rest_seconds", "polls"}:
            self.number(name)

    def parameter(self, name: str) -> object:
        """Give a parameter, its default where the fault names none."""
        return self.parameters.get(name, KINDS[self.kind][1][name])

    def number(self, name: str) -> Decimal | None:
        """Give a parameter that is a number or absent."""
        value = self.parameter(name)
        if value is None:
            return None
        try:
            return Decimal(str(value))
        except InvalidOperation as error:
            raise unprocessable(f"fault {self.kind}: {name} {value!r} is no number") from error

    def matches(self, request: Request) -> bool:
        """Say whether the fault is about a request."""
        method, path = KINDS[self.kind][0]
        if not fnmatchcase(request.method, self.match.get("method", method)):
            return False
        if not fnmatchcase(request.path, self.match.get("path", path)):
            return False
        rest = {name: pattern for name, pattern in self.match.items() if name in _MATCHED[2:]}
        facts = _order_facts(request) if rest else {}
        return all(fnmatchcase(facts.get(name, ""), pattern) for name, pattern in rest.items())

    def as_json(self) -> dict[str, object]:
        """Show the fault as it may be posted."""
        common = {"kind": self.kind, "match": dict(self.match)}
        shown = {
            name: float(value) if isinstance(value, Decimal) else value
            for name, value in self.parameters.items()
        }
        return {**common, "nth": self.nth, "times": self.times, **shown}


def _require_known(what: str, given: Mapping[str, object], known: tuple[str, ...]) -> None:
    unknown = sorted(set(given) - set(known))
    if unknown:
        names = ", ".join(known) or "none"
        raise unprocessable(f"{what}: unknown key {unknown[0]!r}; known are {names}")


def _order_facts(request: Request) -> dict[str, str]:
    try:
        body = read_json(request.body) if request.body else {}
    except Refusal:
        body = {}
    facts = {**request.query, **(body if isinstance(body, dict) else {})}
    return {name: str(value) for name, value in facts.items()}


def read_fault(raw: object) -> Fault:
    """Read a fault from its JSON form, the parameters beside the common keys.

    Raises:
        Refusal: A kind or key is unknown, which the message names with the known ones.
    """
    if not isinstance(raw, dict) or not isinstance(raw.get("kind"), str):
        raise unprocessable(f"a fault is an object with a kind; known are {', '.join(KINDS)}")
    match, nth, times = raw.get("match", {}), raw.get("nth", 1), raw.get("times", 1)
    if not isinstance(match, dict) or not all(isinstance(one, str) for one in match.values()):
        raise unprocessable("a fault's match is an object of strings")
    if not isinstance(nth, int) or not isinstance(times, int):
        raise unprocessable("a fault's nth and times are whole numbers")
    parameters = {name: value for name, value in raw.items() if name not in _COMMON}
    return Fault(raw["kind"], match, nth, times, parameters)


@dataclass(slots=True)
class _Armed:
    fault: Fault
    seen: int = 0
    fired: int = 0


class FaultPlan:
    """The faults that wait for their requests."""

    def __init__(self) -> None:
        """Start without any."""
        self._armed: list[_Armed] = []

    def add(self, *faults: Fault) -> None:
        """Let faults wait, after those that already do."""
        self._armed += [_Armed(fault) for fault in faults]

    def clear(self) -> None:
        """Forget every fault."""
        self._armed.clear()

    def take(self, request: Request) -> Fault | None:
        """Give the fault that strikes a request: the first that is due, one a request."""
        struck: Fault | None = None
        for armed in self._armed:
            fault = armed.fault
            if not fault.matches(request):
                continue
            armed.seen += 1
            due = armed.seen >= fault.nth and (not fault.times or armed.fired < fault.times)
            if due and struck is None:
                armed.fired += 1
                struck = fault
        return struck

    def as_json(self) -> list[dict[str, object]]:
        """Show every fault with how many requests it has seen and struck."""
        return [
            {**one.fault.as_json(), "seen": one.seen, "fired": one.fired} for one in self._armed
        ]


_HTML: Final = {"Content-Type": "text/html"}


def strike(fault: Fault, answer: Answer, seconds: float) -> Response:
    """Answer a request under a fault.

    Args:
        fault: What strikes.
        answer: Processes the request; not called where the fault comes before that.
        seconds: Now, since the epoch, for the rate limit's reset.
    """
    struck = _STRIKES[fault.kind](fault, answer, seconds)
    return replace(struck, fault=fault.kind)


def _accepted(fault: Fault, answer: Answer) -> Response:
    """Process the request only where the fault says that it was accepted."""
    return answer(None) if fault.parameter("accepted") else _timed_out()


def _timed_out() -> Response:
    return Response(504, b"<html><body><h1>504 Gateway Time-out</h1></body></html>", _HTML)


def _gateway_timeout(fault: Fault, answer: Answer, seconds: float) -> Response:
    answer(None)
    return _timed_out()


def _accept_then_drop(fault: Fault, answer: Answer, seconds: float) -> Response:
    return replace(answer(None), dropped=True)


def _drop_before(fault: Fault, answer: Answer, seconds: float) -> Response:
    return Response(503, dropped=True)


def _stall(fault: Fault, answer: Answer, seconds: float) -> Response:
    return replace(_accepted(fault, answer), delay_seconds=float(fault.number("seconds") or 0))


def _latency(fault: Fault, answer: Answer, seconds: float) -> Response:
    return replace(answer(None), delay_seconds=float(fault.number("ms") or 0) / 1000)


def _rate_limited(fault: Fault, answer: Answer, seconds: float) -> Response:
    reset = int(seconds + float(fault.number("reset_seconds") or 0) + 0.999)
    limited = too_many_requests()
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset)}
    return replace(limited, headers={**limited.headers, **headers})


def _bad_gateway(fault: Fault, answer: Answer, seconds: float) -> Response:
    _accepted(fault, answer)
    return Response(502, b"<html><body><h1>502 Bad Gateway</h1></body></html>", _HTML)


def _not_json(fault: Fault, answer: Answer, seconds: float) -> Response:
    _accepted(fault, answer)
    return Response(200, b"OK", {"Content-Type": "text/plain"})


def _unknown_status(fault: Fault, answer: Answer, seconds: float) -> Response:
    honest = answer(None)
    if not honest.body:
        return honest
    content = honest.json()
    shown = content if isinstance(content, list) else [content]
    for order in shown:
        if isinstance(order, dict) and "status" in order:
            order["status"] = str(fault.parameter("status"))
    return replace(honest, body=json_response(200, content).body)


def _partial_fill(fault: Fault, answer: Answer, seconds: float) -> Response:
    wait, polls = fault.number("rest_seconds"), fault.number("rest_polls")
    return answer(_waiting(fault.number("fraction") or Decimal(0), wait, polls))


def _late_fill(fault: Fault, answer: Answer, seconds: float) -> Response:
    return answer(_waiting(Decimal(0), fault.number("seconds"), fault.number("polls")))


def _waiting(fraction: Decimal, wait: Decimal | None, polls: Decimal | None) -> Treatment:
    return Treatment(
        waits=True,
        fraction=fraction,
        seconds=None if wait is None else float(wait),
        polls=None if polls is None else int(polls),
    )


def _rejection(fault: Fault, answer: Answer, seconds: float) -> Response:
    code, message = fault.parameter("code"), fault.parameter("message")
    return json_response(int(fault.number("status") or 403), {"code": code, "message": message})


def _order_rejected(fault: Fault, answer: Answer, seconds: float) -> Response:
    return answer(Treatment(reject=True))


_STRIKES: Final[Mapping[str, Callable[[Fault, Answer, float], Response]]] = {
    "accept_then_504": _gateway_timeout,
    "accept_then_drop": _accept_then_drop,
    "drop_before": _drop_before,
    "stall": _stall,
    "latency": _latency,
    "rate_limit_429": _rate_limited,
    "html_502": _bad_gateway,
    "not_json_200": _not_json,
    "unknown_status": _unknown_status,
    "partial_fill": _partial_fill,
    "late_fill": _late_fill,
    "rejection": _rejection,
    "order_rejected": _order_rejected,
}


def too_many_requests() -> Response:
    """Answer that the rate limit is exceeded."""
    return json_response(429, {"code": 42910000, "message": "rate limit exceeded"})
