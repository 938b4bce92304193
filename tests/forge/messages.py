"""What goes in and out of the loopback GitHub: requests, responses, refusals, times."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

JSON_TYPE: Final = "application/json; charset=utf-8"
DOCS: Final = "https://docs.github.com/rest"


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, read."""

    method: str
    path: str
    """Decoded, without the query."""
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    body: bytes = b""
    raw_query: str = ""

    def header(self, name: str) -> str:
        """A header by its lower-case name; the empty string where it is absent."""
        return self.headers.get(name, "")

    @property
    def base(self) -> str:
        """The address that the client used, without a slash at its end."""
        return f"http://{self.header('host') or 'localhost'}"

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; nothing is an empty one."""
        if not self.body.strip():
            return {}
        try:
            content = json.loads(self.body)
        except ValueError as error:
            raise Refusal(400, "Problems parsing JSON") from error
        if not isinstance(content, dict):
            raise Refusal(400, "Body should be a JSON object")
        return content


@dataclass(frozen=True, slots=True)
class Response:
    """One answer, and how it reaches the client."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    dropped: bool = False
    """The connection is cut, and the client sees nothing of the answer."""
    delay_seconds: float = 0.0

    def json(self) -> Any:
        """The body as JSON; None where there is none."""
        return json.loads(self.body) if self.body else None


class Refusal(Exception):
    """GitHub says no, in its own form."""

    def __init__(
        self,
        status: int,
        message: str,
        errors: Sequence[Mapping[str, object] | str] | None = None,
        headers: Mapping[str, str] | None = None,
        url: str = DOCS,
    ) -> None:
        """Say no, with what each field did wrong where that is known."""
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = dict(headers or {})
        self.content: dict[str, object] = {"message": message}
        if errors is not None:
            self.content["errors"] = list(errors)
        self.content["documentation_url"] = url
        self.content["status"] = str(status)

    def response(self) -> Response:
        """The refusal as an answer."""
        return json_response(self.status, self.content, self.headers)


def json_response(
    status: int, content: object, headers: Mapping[str, str] | None = None
) -> Response:
    """Answer with JSON."""
    body = json.dumps(content, separators=(",", ":")).encode()
    return Response(status, body, {"Content-Type": JSON_TYPE, **(headers or {})})


def nothing(status: int = 204) -> Response:
    """Answer without a body."""
    return Response(status)


def not_found() -> Refusal:
    """What GitHub says of what is not there, and of what one may not see."""
    return Refusal(404, "Not Found")


def invalid(resource: str, name: str, message: str = "", code: str = "custom") -> Refusal:
    """What GitHub says of a field that is wrong."""
    error = {"resource": resource, "code": code, "field": name}
    if message:
        error["message"] = message
    return Refusal(422, "Validation Failed", [error])


def stamp(at: datetime) -> str:
    """A time as GitHub writes it: UTC, whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def stamp_or_none(at: datetime | None) -> str | None:
    """A time that may be absent."""
    return None if at is None else stamp(at)


def text_of(
    content: Mapping[str, Any], name: str, resource: str, default: str | None = None
) -> str:
    """A field that has to be text.

    Raises:
        Refusal: It is absent and has no default, or is something else.
    """
    value = content.get(name, default)
    if value is None:
        raise invalid(resource, name, code="missing_field")
    if not isinstance(value, str):
        raise invalid(resource, name, f"{name} is not a string", code="invalid")
    return value
