"""The exchange behind a socket: connections are cut and answers stall for real."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Final, TypeVar

from aiohttp import web

from executor.errors import UsageError
from executor.exchange.engine import Exchange
from executor.exchange.messages import Request, json_response

_SHUTDOWN_SECONDS: Final = 0.1
"""How long a stop waits for answers that are under way; a stalled one is not worth more."""

Result = TypeVar("Result")


class ThreadedServer:
    """Serves an exchange from a thread of this process, for as long as a `with` block lasts.

    with ThreadedServer(exchange) as server:
        client = TradingClient("key", "secret", url_override=server.url)
    """

    def __init__(
        self,
        exchange: Exchange,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        latency_seconds: float = 0.0,
    ) -> None:
        """Prepare the server; port 0 takes a free one, and each answer is so much later."""
        self._exchange = exchange
        self._latency_seconds = latency_seconds
        self._host = host
        self._port = port
        self._ready: Future[str] = Future()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="exchange", daemon=True)

    @property
    def url(self) -> str:
        """The base address, without a slash at its end, once the server has started."""
        return self._ready.result()

    def call(self, function: Callable[[Exchange], Result]) -> Result:
        """Run a function on the exchange between two requests, from any thread."""

        async def run() -> Result:
            return function(self._exchange)

        assert self._loop is not None, "the server has started"
        return asyncio.run_coroutine_threadsafe(run(), self._loop).result()

    def __enter__(self) -> ThreadedServer:
        """Start, and return when connections are accepted."""
        self._thread.start()
        try:
            self.url  # noqa: B018  waits for the start and raises what prevented it
        except BaseException:
            self._thread.join()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop: open connections are cut, stalled answers dropped, the thread ends."""
        assert self._loop is not None, "the server has started"
        assert self._stop is not None, "the server has started"
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            if self._ready.done():
                raise
            self._ready.set_exception(error)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        await serve(
            self._exchange,
            self._host,
            self._port,
            self._stop,
            self._ready.set_result,
            self._latency_seconds,
        )


def run(
    exchange: Exchange,
    port: int,
    announce: Callable[[str], None],
    latency_seconds: float = 0.0,
) -> None:
    """Serve in the foreground on this machine until SIGINT or SIGTERM.

    Args:
        exchange: What is served.
        port: 0 takes a free one.
        announce: Told the base address once connections are accepted.
        latency_seconds: How much later each answer is.

    Raises:
        UsageError: The port is taken.
    """

    async def until_signal() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        await serve(exchange, "127.0.0.1", port, stop, announce, latency_seconds)

    asyncio.run(until_signal())


async def serve(
    exchange: Exchange,
    host: str,
    port: int,
    stop: asyncio.Event,
    announce: Callable[[str], None],
    latency_seconds: float = 0.0,
) -> None:
    """Serve until an event is set; requests are handled one after the other, waits overlap."""
    runner = web.ServerRunner(
        web.Server(_handler(exchange, latency_seconds), access_log=None),
        shutdown_timeout=_SHUTDOWN_SECONDS,
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            raise UsageError(
                f"exchange: port {port} on {host} cannot be used ({error.strerror}); "
                "choose another with --port"
            ) from error
        announce(f"http://{host}:{runner.addresses[0][1]}")
        await stop.wait()
    finally:
        await runner.cleanup()


def _handler(
    exchange: Exchange, latency_seconds: float
) -> Callable[[web.BaseRequest], asyncio.Future[web.StreamResponse]]:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            refused = json_response(413, {"message": "request body is too large"})
            return web.Response(status=413, body=refused.body, headers=refused.headers)
        response = exchange.handle(
            Request(request.method, request.path, dict(request.query), request.headers, body)
        )
        delay_seconds = response.delay_seconds + latency_seconds
        if delay_seconds:
            await asyncio.sleep(delay_seconds)
        if response.dropped and request.transport is not None:
            request.transport.abort()
        return web.Response(status=response.status, body=response.body, headers=response.headers)

    return handle  # type: ignore[return-value]
