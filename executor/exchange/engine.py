"""The exchange itself, without a server: one request in, one response out, nothing else touched."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from typing import Final

from executor.exchange.desk import Desk
from executor.exchange.faults import FaultPlan, strike, too_many_requests
from executor.exchange.limits import RateLimit
from executor.exchange.messages import Refusal, Request, Response, json_response, unprocessable
from executor.exchange.opening import Opening
from executor.exchange.orders import Fill, Treatment
from executor.exchange.prices import EPOCH, PriceSource
from executor.exchange.routes import ROUTES, Call, Handler
from executor.exchange.sessions import Sessions

_DATA: Final = ("/v2/stocks", "/v1/corporate-actions")
"""Paths that are on the market data host at Alpaca."""

REQUESTS_A_MINUTE: Final = 200
"""Alpaca's limit for an account, and for market data on the free plan."""


class Exchange:
    """An account at an exchange that speaks Alpaca's API.

    It has no thread, no clock and no source of chance of its own: the same opening, prices,
    times and requests give the same bytes. One request at a time.
    """

    def __init__(
        self,
        prices: PriceSource,
        sessions: Sessions,
        now: Callable[[], datetime],
        opening: Opening | None = None,
        *,
        keys: tuple[str, str] | None = None,
        rate_limit: int = REQUESTS_A_MINUTE,
        pace: Callable[[], float] | None = None,
    ) -> None:
        """Make the exchange.

        Args:
            prices: Where prices come from.
            sessions: When it trades.
            now: Tells the time, with a zone. A time before one already told is not believed.
            opening: What the account starts with; absent, 100,000 USD.
            keys: The only key id and secret that are accepted; absent, any pair is.
            rate_limit: Requests a minute for each key, counted apart for trading and for market
                data, which are two hosts at Alpaca; 0 is no limit.
            pace: Seconds since the epoch by which the rate limit counts; absent, the exchange's
                own time, which may stand still. A server that is used in real time gives
                `time.time`.
        """
        self._clock = ExchangeClock(now)
        self._keys = keys
        self._limit = RateLimit(rate_limit)
        self._pace = pace
        self.faults = FaultPlan()
        self.desk = Desk(prices, sessions, opening or Opening(), self._clock.now())

    @property
    def clock(self) -> ExchangeClock:
        """The exchange's time, which can be set."""
        return self._clock

    def fills(self) -> tuple[Fill, ...]:
        """Give every fill since the exchange was made, up to now, in time."""
        self.desk.advance(self._clock.now())
        return tuple(self.desk.fills)

    def handle(self, request: Request) -> Response:
        """Answer one request.

        How the answer reaches the client (dropped, delayed) is told beside it; what happens to
        the account has then happened already.
        """
        key = self._authenticated(request)
        if key is None:
            return json_response(401, {"message": "unauthorized."})
        if request.path.startswith("/sim/"):
            return self._answer(request, None)
        seconds = self._seconds()
        # A client tells the rate limit's reset by the clock that named it.
        dated = {"Date": formatdate(seconds, usegmt=True)}
        return _with_headers(self._counted(request, key, seconds), dated)

    def _counted(self, request: Request, key: str, seconds: float) -> Response:
        """Answer under the rate limit, or as a fault wants it."""
        host = "data" if request.path.startswith(_DATA) else "trading"
        within, headers = self._limit.take(f"{host}/{key}", seconds)
        if not within:
            return _with_headers(too_many_requests(), headers)
        fault = self.faults.take(request)
        if fault is None:
            return _with_headers(self._answer(request, None), headers)
        struck = strike(fault, lambda treatment: self._answer(request, treatment), seconds)
        return _with_headers(struck, headers)

    def _seconds(self) -> float:
        if self._pace is not None:
            return self._pace()
        return (self._clock.now() - EPOCH) / timedelta(seconds=1)

    def _authenticated(self, request: Request) -> str | None:
        """Give the key id of a request; None where it brings no pair, or not the right one."""
        given = _credentials(request)
        if not all(given):
            # The exchange's own controls ask for keys only where some are set.
            return "" if self._keys is None and request.path.startswith("/sim/") else None
        # As one text, so that the time of a comparison does not tell which half was wrong.
        wanted = "\0".join(self._keys or given).encode(errors="surrogateescape")
        shown = "\0".join(given).encode(errors="surrogateescape")
        return given[0] if hmac.compare_digest(shown, wanted) else None

    def _answer(self, request: Request, treatment: Treatment | None) -> Response:
        try:
            handler, parameters = _route(request)
            now = self._clock.now()
            self.desk.advance(now)
            call = Call(request, parameters, self.desk, self.faults, self._clock, now, treatment)
            response = handler(call)
            if request.method != "GET":
                # What was submitted is matched at once, but its answer shows it as just
                # received, which is what Alpaca's does.
                self.desk.advance(self._clock.now())
            return response
        except Refusal as refusal:
            return json_response(refusal.status, refusal.body)


class ExchangeClock:
    """The exchange's time: the one it was given, or one that was set and stands still."""

    def __init__(self, given: Callable[[], datetime]) -> None:
        """Follow a clock."""
        self._given = given
        self._set: datetime | None = None
        self._latest = EPOCH

    @property
    def stands_still(self) -> bool:
        """Say whether the time was set, so that it moves only when it is set again."""
        return self._set is not None

    def now(self) -> datetime:
        """Tell the time in UTC; never earlier than told before, as what happened has happened."""
        at = self._set or self._given().astimezone(UTC)
        self._latest = max(self._latest, at)
        return self._latest

    def set(self, at: datetime) -> None:
        """Set the time and let it stand still there.

        Raises:
            Refusal: It lies before the present.
        """
        if at < self.now():
            raise unprocessable(f"the time only moves forward: {at} is before {self.now()}")
        self._set = at.astimezone(UTC)

    def advance(self, seconds: float) -> None:
        """Move the time forward and let it stand still there."""
        self.set(self.now() + timedelta(seconds=seconds))


def _credentials(request: Request) -> tuple[str, str]:
    basic = request.header("authorization")
    if basic.startswith("Basic "):
        try:
            decoded = base64.b64decode(basic[6:], validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        key, _, secret = decoded.partition(":")
        return key, secret
    return request.header("apca-api-key-id"), request.header("apca-api-secret-key")


_EXACT: Final[dict[tuple[str, str], Handler]] = {
    (method, pattern): handler for method, pattern, handler in ROUTES if "{" not in pattern
}
_PATTERNS: Final = tuple(
    (method, re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern)), handler)
    for method, pattern, handler in ROUTES
    if "{" in pattern
)


def _route(request: Request) -> tuple[Handler, dict[str, str]]:
    exact = _EXACT.get((request.method, request.path))
    if exact is not None:
        return exact, {}
    for method, pattern, handler in _PATTERNS:
        if method == request.method and (found := pattern.fullmatch(request.path)):
            return handler, found.groupdict()
    raise Refusal(404, None, "endpoint not found")


def _with_headers(response: Response, more: dict[str, str]) -> Response:
    # A fault's own headers win: its 429 says that nothing remains.
    return replace(response, headers={**more, **response.headers}) if more else response
