"""What goes in and out of the exchange's core: requests, responses, refusals, JSON and numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from executor.model.numbers import plain

BAD_REQUEST: Final = 40010001
"""Alpaca's code of a request that misses or misuses a field; also of a client order id reused."""
FORBIDDEN: Final = 40310000
"""Alpaca's code where the account may not do what was asked."""
NOT_FOUND: Final = 40410000
UNPROCESSABLE: Final = 42210000


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, read."""

    method: str
    path: str
    """Decoded, without the query."""
    query: Mapping[str, str] = field(default_factory=dict)
    """The last value of each name."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in any case."""
    body: bytes = b""

    def header(self, name: str) -> str:
        """Give a header by its lower-case name, the empty string where it is absent."""
        value = self.headers.get(name)
        if value is not None:
            return value
        for key, value in self.headers.items():
            if key.lower() == name:
                return value
        return ""


@dataclass(frozen=True, slots=True)
class Response:
    """One answer, and how it reaches the client."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    fault: str = ""
    """The kind of the injected fault that shaped this answer; empty for an honest one."""
    dropped: bool = False
    """The connection is cut and the client sees nothing of the answer."""
    delay_seconds: float = 0.0
    """How long the client waits before the answer, or the cut, reaches it."""

    def json(self) -> Any:
        """Parse the body, numbers with a point as `Decimal`."""
        return json.loads(self.body, parse_float=Decimal)


class Refusal(Exception):
    """The exchange says no: a status, Alpaca's code, a message and the facts beside it."""

    def __init__(self, status: int, code: int | None, message: str, **facts: object) -> None:
        """Say no; `facts` become further keys of the body, None values left out."""
        super().__init__(message)
        self.status = status
        self.body: dict[str, object] = {} if code is None else {"code": code}
        self.body["message"] = message
        self.body.update({key: value for key, value in facts.items() if value is not None})


def bad_request(message: str) -> Refusal:
    """Refuse a request that misses or misuses a field."""
    return Refusal(422, BAD_REQUEST, message)


def forbidden(message: str, **facts: object) -> Refusal:
    """Refuse what the account may not do."""
    return Refusal(403, FORBIDDEN, message, **facts)


def not_found(message: str) -> Refusal:
    """Say that something does not exist."""
    return Refusal(404, NOT_FOUND, message)


def unprocessable(message: str, **facts: object) -> Refusal:
    """Refuse a well-formed request that breaks a rule of the market or of the exchange."""
    return Refusal(422, UNPROCESSABLE, message, **facts)


def unsupported(what: str) -> Refusal:
    """Refuse what Alpaca can and this exchange cannot."""
    return unprocessable(f"{what} not supported by this exchange yet")


_ENCODER: Final = json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False)
_JSON_HEADERS: Final = {"Content-Type": "application/json; charset=UTF-8"}


def json_response(status: int, content: object) -> Response:
    """Answer with JSON."""
    return Response(status, _ENCODER.encode(content).encode(), _JSON_HEADERS)


def read_json(body: bytes) -> object:
    """Parse a request's body, every number with a point as an exact `Decimal`.

    Raises:
        Refusal: The body is not JSON, or holds NaN or Infinity.
    """
    try:
        return json.loads(body, parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise Refusal(400, 40010000, "request body format is invalid") from error


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def read_object(body: bytes) -> dict[str, object]:
    """Parse a body that has to be a JSON object."""
    content = read_json(body)
    if not isinstance(content, dict):
        raise Refusal(400, 40010000, "request body format is invalid")
    return content


@lru_cache(maxsize=512)
def stamp(at: datetime) -> str:
    """Write a time as Alpaca does: RFC 3339 in UTC with a Z, fractions only where there are."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def stamp_or_none(at: datetime | None) -> str | None:
    """Write a time that may be absent."""
    return None if at is None else stamp(at)


def text(value: Decimal | None) -> str | None:
    """Write a number as Alpaca's trading API does: as a string."""
    return None if value is None else plain(value)


def read_time(raw: str, name: str) -> datetime:
    """Read a query's time: RFC 3339 or a date; without a zone it is UTC.

    Raises:
        Refusal: It is neither.
    """
    try:
        # A plus sign that a client forgot to escape arrives as a space.
        unescaped = raw.replace(" ", "+") if "T" in raw else raw
        at = datetime.fromisoformat(unescaped.replace("Z", "+00:00"))
    except ValueError as error:
        raise bad_request(f"invalid {name}: {raw}") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)
