"""Sends through alpaca-py, and takes away what makes it unsafe to trade with.

The SDK sends again on its own, waits for ever, and raises exceptions that carry the keys. Here it
sends once, within a time limit, and none of its exceptions or their texts get out.

Only its `RESTClient` is used, which is what every client of it sends through: the trading client
adds models that cannot hold our numbers and takes three times as long to import.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import TracebackType
from typing import Any, Final, Protocol, cast
from urllib.parse import urlsplit

from executor.brokers.transport import Answer, Base, Body, Method, NoAnswer
from executor.errors import UsageError
from executor.model.account import Mode

SDK_VERSION: Final = "0.44.0"
"""Pinned: two names of it are private."""

CONNECT_SECONDS: Final = 3.05
"""A little more than a multiple of 3, TCP's first retransmission; as `requests` advises."""

READ_SECONDS: Final = 20.0
"""Longer than any honest answer takes."""

CONCURRENCY: Final = 3
"""Requests at a time. While an answer takes less than 0.9 s, that spends all 200 requests that the
broker allows a minute; more would only be more under way when something goes wrong."""

MARKET_DATA: Final = "https://data.alpaca.markets"
TRADING: Final[Mapping[Mode, str]] = {
    Mode.PAPER: "https://paper-api.alpaca.markets",
    Mode.LIVE: "https://api.alpaca.markets",
}

_SECRET_LENGTH_MIN: Final = 8
"""Shorter texts, such as `sim`, are no secrets and may stand in any answer."""


def addresses(mode: Mode, exchange_url: str | None = None) -> Mapping[Base, str]:
    """Give the hosts of a mode; in sim both are the exchange.

    Raises:
        UsageError: The exchange's address is none.
    """
    if mode is not Mode.SIM:
        return {"trading": TRADING[mode], "data": MARKET_DATA}
    # The SDK puts the version behind the address itself.
    url = (exchange_url or "").rstrip("/").removesuffix("/v2").rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise UsageError(
            "the exchange's address: not http:// or https:// with a host; correct"
            " AUTOINVESTOR_EXCHANGE_URL"
        )
    return {"trading": url, "data": url}


def _require_key(name: str, value: str) -> None:
    """Refuse what no header can carry, before something quotes it in an error."""
    if not value:
        raise UsageError(f"{name}, environment: not set; set it to the broker's key")
    if not value.isascii() or not value.isprintable() or " " in value:
        raise UsageError(
            f"{name}, environment: holds a space, a line break or a letter that is no part of a"
            " key; copy it again"
        )


class _Response(Protocol):
    """What is read of the answer that `requests` gives."""

    @property
    def status_code(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def content(self) -> bytes: ...


class _Client(Protocol):
    """What is called of the SDK's client."""

    _retry: int
    _session: Any

    def get(self, path: str, data: object) -> object: ...
    def post(self, path: str, data: object) -> object: ...
    def delete(self, path: str, data: object) -> object: ...


class _Line:
    """One client of the SDK and so one connection that is kept; for one request at a time."""

    def __init__(self, url: str, key: str, secret: str, timeout: tuple[float, float]) -> None:
        from alpaca.common.rest import RESTClient

        self.client = cast(_Client, RESTClient(url, key, secret, raw_data=True))
        self.answered: _Response | None = None
        _require_names(self.client)
        self.client._retry = 0  # exactly one send: the SDK would repeat a POST on 429 and 504
        session = self.client._session
        if urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1"):
            session.trust_env = False  # an exchange on this machine is never behind a proxy
        original = session.request

        def request(method: str, address: str, **options: object) -> object:
            fixed = {"timeout": timeout, "allow_redirects": False}
            self.answered = original(method, address, **{**options, **fixed})
            return self.answered

        session.request = request

    def send(self, send: Callable[[], object]) -> Exception | None:
        """Let the SDK send.

        What it makes of an answer does not matter (it raises on every status from 400 on, and on a
        success that is not JSON): the answer was caught before it.
        """
        self.answered = None
        try:
            send()
        except Exception as error:
            return error
        return None

    def close(self) -> None:
        self.client._session.close()


class SdkTransport:
    """A transport over alpaca-py; use it in a `with` block, which closes its connections.

    Several threads may ask at a time: each request has a client of the SDK to itself meanwhile,
    as neither it nor the session under it is meant to be shared.
    """

    def __init__(
        self,
        mode: Mode,
        key: str,
        secret: str,
        exchange_url: str | None = None,
        *,
        connect_seconds: float = CONNECT_SECONDS,
        read_seconds: float = READ_SECONDS,
        concurrency: int = CONCURRENCY,
    ) -> None:
        """Make one client a host; further ones follow when several requests go out at a time.

        Args:
            mode: Decides the hosts.
            key: `ALPACA_API_KEY`; in sim any text.
            secret: `ALPACA_SECRET_KEY`; in sim any text.
            exchange_url: In sim, where the exchange is; not looked at otherwise.
            connect_seconds: How long a connection may take.
            read_seconds: How long the broker may stay silent.
            concurrency: Requests at a time, from 1.

        Raises:
            UsageError: A key or address cannot be one, or the installed SDK is not the one that
                this adapter was written for.
        """
        _require_key("ALPACA_API_KEY", key)
        _require_key("ALPACA_SECRET_KEY", secret)
        self._keys = (key, secret)
        self._secrets = tuple(
            one.encode() for one in (secret, key) if len(one) >= _SECRET_LENGTH_MIN
        )
        self._timeout = (connect_seconds, read_seconds)
        self._concurrency = concurrency
        self._urls = addresses(mode, exchange_url)
        self._lines: list[_Line] = []
        self._idle: dict[str, list[_Line]] = {}
        """Lines that nobody uses, by address; taking one and giving one back are atomic."""
        for url in self._urls.values():
            if url not in self._idle:
                self._idle[url] = [self._new_line(url)]

    @property
    def concurrency(self) -> int:
        """How many requests it carries at once."""
        return self._concurrency

    def __enter__(self) -> SdkTransport:
        """Give the transport itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections; a transport may be closed twice."""
        for line in self._lines:
            line.close()

    def ask(
        self,
        base: Base,
        method: Method,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Body | None = None,
    ) -> Answer:
        """Send one request through the SDK, once.

        Raises:
            NoAnswer: There was no HTTP answer; the reason is our own words, never the SDK's.
        """
        assert path.startswith("/v2/"), "the SDK puts the version before the path itself"
        assert method != "POST" or query is None, "what is posted goes into the body"
        idle = self._idle[self._urls[base]]
        try:
            line = idle.pop()
        except IndexError:
            line = self._new_line(self._urls[base])
        sends = {"GET": line.client.get, "DELETE": line.client.delete, "POST": line.client.post}
        content = dict(body or {}) if method == "POST" else dict(query or {})
        problem = line.send(partial(sends[method], path.removeprefix("/v2"), content))
        response, line.answered = line.answered, None
        reason = "no answer" if problem is None else self._reason(problem)
        problem = None
        idle.append(line)
        # Raised here, outside of any handler: an exception of the SDK would stay attached as its
        # context, and that one holds the request's headers with the keys.
        if response is None:
            raise NoAnswer(reason)
        return Answer(response.status_code, dict(response.headers), self._cleaned(response.content))

    def _new_line(self, url: str) -> _Line:
        line = _Line(url, *self._keys, self._timeout)
        self._lines.append(line)
        return line

    def _reason(self, error: Exception) -> str:
        from requests import exceptions

        if isinstance(error, exceptions.ConnectTimeout):
            return f"no connection within {self._timeout[0]:g} s"
        if isinstance(error, exceptions.ReadTimeout):
            return f"no answer within {self._timeout[1]:g} s"
        if isinstance(error, exceptions.SSLError):
            return "no secure connection"
        if isinstance(error, exceptions.ConnectionError):
            return "the connection was refused or dropped"
        return "the answer broke off or could not be read"

    def _cleaned(self, body: bytes) -> bytes:
        """Take our keys out of an answer: a proxy may quote the request, and bodies are kept."""
        for secret in self._secrets:
            body = body.replace(secret, b"***")
        return body


def _require_names(client: object) -> None:
    """Make sure that what is about to be changed is there, so that no change is without effect."""
    session = getattr(client, "_session", None)
    if isinstance(getattr(client, "_retry", None), int) and callable(
        getattr(session, "request", None)
    ):
        return
    raise UsageError(
        f"alpaca-py: not built as version {SDK_VERSION} is, so it cannot be kept from sending"
        f" twice; install alpaca-py=={SDK_VERSION}"
    )
