"""Injected faults: what a plan of them looks like, when one strikes, what the client then sees."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any, Final

from tests.forge.messages import DOCS, Refusal, Request, Response, json_response

_ANY: Final = ("*", "/*")

KINDS: Final[Mapping[str, tuple[tuple[str, str], Mapping[str, Any]]]] = {
    "bad_gateway_before": (_ANY, {}),
    "bad_gateway_after": (_ANY, {}),
    "timeout_before": (_ANY, {"seconds": 30}),
    "timeout_after": (_ANY, {"seconds": 30}),
    "drop_before": (_ANY, {}),
    "drop_after": (_ANY, {}),
    "latency": (_ANY, {"seconds": 0.25}),
    "server_error": (_ANY, {"status": 500}),
    "rate_limit": (_ANY, {"seconds": 60}),
    "secondary_rate_limit": (_ANY, {"seconds": 60}),
    "truncated": (_ANY, {}),
    "not_json": (_ANY, {}),
    "lost_race": (("POST", "/graphql"), {}),
    "lag_commit_pulls": (("GET", "/repos/*/commits/*/pulls"), {}),
    "lag_merged": (("GET", "/repos/*/pulls*"), {}),
    "lag_statuses": (("GET", "/repos/*/commits/*/status*"), {}),
}
"""Every kind: the method and path that it matches by default, and its parameters' defaults."""

SEEN: Final = ("lag_commit_pulls", "lag_merged", "lag_statuses")
"""Kinds that change what an honest answer shows, so its handler looks at them."""

_COMMON: Final = ("kind", "match", "nth", "times")
_MATCHED: Final = ("method", "path", "body", "token")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: what it does, to which requests, and how often."""

    kind: str
    match: Mapping[str, str] = field(default_factory=dict)
    """Shell patterns, each of which has to match: `method`, `path`, `body`, `token`."""
    nth: int = 1
    """It strikes from the nth matching request on."""
    times: int = 1
    """How many requests it strikes; 0 is every one from then on."""
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a fault that would silently do something else than was meant."""
        if self.kind not in KINDS:
            raise Refusal(422, f"unknown fault {self.kind!r}; known are {', '.join(KINDS)}")
        for what, given, known in (
            ("match", self.match, _MATCHED),
            ("parameters", self.parameters, tuple(KINDS[self.kind][1])),
        ):
            unknown = sorted(set(given) - set(known))
            if unknown:
                raise Refusal(422, f"fault {self.kind}: unknown key {unknown[0]!r} in {what}")
        if self.nth < 1 or self.times < 0:
            raise Refusal(422, "a fault's nth is at least 1 and its times at least 0")

    def parameter(self, name: str) -> Any:
        """A parameter, its default where the fault names none."""
        return self.parameters.get(name, KINDS[self.kind][1][name])

    def matches(self, request: Request, token: str) -> bool:
        """Whether the fault is about a request."""
        if self.kind == "lag_merged" and "/commits/" in request.path:
            return False
        method, path = KINDS[self.kind][0]
        facts = {
            "method": (request.method, method),
            "path": (request.path, path),
            "body": (request.body.decode("utf-8", "replace"), "*"),
            "token": (token, "*"),
        }
        return all(
            fnmatchcase(value, self.match.get(name, default))
            for name, (value, default) in facts.items()
        )

    def as_json(self) -> dict[str, Any]:
        """The fault as it may be posted."""
        common = {"kind": self.kind, "match": dict(self.match)}
        return {**common, "nth": self.nth, "times": self.times, **self.parameters}


def read_fault(raw: object) -> Fault:
    """Read a fault from its JSON form, the parameters beside the common keys.

    Raises:
        Refusal: A kind or key is unknown.
    """
    if not isinstance(raw, dict) or not isinstance(raw.get("kind"), str):
        raise Refusal(422, f"a fault is an object with a kind; known are {', '.join(KINDS)}")
    parameters = {name: value for name, value in raw.items() if name not in _COMMON}
    return Fault(
        raw["kind"], raw.get("match", {}), raw.get("nth", 1), raw.get("times", 1), parameters
    )


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

    def take(self, request: Request, token: str) -> Fault | None:
        """The fault that strikes a request: the first that is due, one a request."""
        struck: Fault | None = None
        for armed in self._armed:
            fault = armed.fault
            if not fault.matches(request, token):
                continue
            armed.seen += 1
            due = armed.seen >= fault.nth and (not fault.times or armed.fired < fault.times)
            if due and struck is None:
                armed.fired += 1
                struck = fault
        return struck

    def as_json(self) -> list[dict[str, Any]]:
        """Every fault with how many requests it has seen and struck."""
        return [
            {**one.fault.as_json(), "seen": one.seen, "fired": one.fired} for one in self._armed
        ]


Answer = Callable[[], Response]
_HTML: Final = {"Content-Type": "text/html"}
_ABOUT: Final = (
    f"{DOCS}/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits"
)


def strike(fault: Fault, answer: Answer, seconds: float) -> Response:
    """Answer a request under a fault.

    Args:
        fault: What strikes.
        answer: Processes the request; not called where the fault comes before that.
        seconds: Now, since the epoch, for the reset of a limit.
    """
    if fault.kind in SEEN:
        return answer()
    return _STRIKES[fault.kind](fault, answer, seconds)


def _gateway(status: int = 502) -> Response:
    return Response(status, b"<html><body><h1>502 Bad Gateway</h1></body></html>", _HTML)


def _before(fault: Fault, answer: Answer, seconds: float) -> Response:
    return _gateway()


def _after(fault: Fault, answer: Answer, seconds: float) -> Response:
    answer()
    return _gateway()


def _timeout_before(fault: Fault, answer: Answer, seconds: float) -> Response:
    return replace(_gateway(504), delay_seconds=float(fault.parameter("seconds")))


def _timeout_after(fault: Fault, answer: Answer, seconds: float) -> Response:
    answer()
    return _timeout_before(fault, answer, seconds)


def _drop_before(fault: Fault, answer: Answer, seconds: float) -> Response:
    return Response(502, dropped=True)


def _drop_after(fault: Fault, answer: Answer, seconds: float) -> Response:
    return replace(answer(), dropped=True)


def _latency(fault: Fault, answer: Answer, seconds: float) -> Response:
    return replace(answer(), delay_seconds=float(fault.parameter("seconds")))


def _server_error(fault: Fault, answer: Answer, seconds: float) -> Response:
    status = int(fault.parameter("status"))
    return json_response(status, {"message": "Server Error", "documentation_url": DOCS})


def _rate_limit(fault: Fault, answer: Answer, seconds: float) -> Response:
    reset = str(int(seconds + float(fault.parameter("seconds"))))
    headers = {
        "X-RateLimit-Limit": "5000",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": reset,
    }
    return Refusal(403, "API rate limit exceeded for user ID 1001.", headers=headers).response()


def _secondary(fault: Fault, answer: Answer, seconds: float) -> Response:
    message = (
        "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
    )
    headers = {"Retry-After": str(int(fault.parameter("seconds")))}
    return Refusal(403, message, headers=headers, url=_ABOUT).response()


def _truncated(fault: Fault, answer: Answer, seconds: float) -> Response:
    honest = answer()
    return replace(honest, body=honest.body[: len(honest.body) // 2])


def _not_json(fault: Fault, answer: Answer, seconds: float) -> Response:
    answer()
    return Response(200, b"<html>Unicorn!</html>", _HTML)


def _lost_race(fault: Fault, answer: Answer, seconds: float) -> Response:
    # What was reported of two commits at the very same time: no word of stale data.
    message = f"Ref refs/heads/main is at {'1' * 40} but expected {'2' * 40}"
    error = {"type": "UNPROCESSABLE", "path": ["createCommitOnBranch"], "message": message}
    return json_response(200, {"data": {"createCommitOnBranch": None}, "errors": [error]})


_STRIKES: Final[Mapping[str, Callable[[Fault, Answer, float], Response]]] = {
    "bad_gateway_before": _before,
    "bad_gateway_after": _after,
    "timeout_before": _timeout_before,
    "timeout_after": _timeout_after,
    "drop_before": _drop_before,
    "drop_after": _drop_after,
    "latency": _latency,
    "server_error": _server_error,
    "rate_limit": _rate_limit,
    "secondary_rate_limit": _secondary,
    "truncated": _truncated,
    "not_json": _not_json,
    "lost_race": _lost_race,
}


def without_merge(shown: dict[str, Any]) -> dict[str, Any]:
    """A pull request as GitHub shows it while it has not noticed the merge."""
    was = json.loads(json.dumps(shown))
    if was.get("merged_at") is None:
        return dict(was)
    was.update({"state": "open", "merged_at": None, "closed_at": None})
    was["merge_commit_sha"] = None
    if "merged" in was:
        was.update({"merged": False, "merged_by": None})
    return dict(was)
