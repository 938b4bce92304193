"""The loopback GitHub: routes, accounts, faults; and the socket before it."""

from __future__ import annotations

import asyncio
import re
import signal
import threading
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, TypeVar
from urllib.parse import unquote

from aiohttp import web

from tests.forge import actions, admin, commits, graphql, issues, people, pulls, rulesets, transport
from tests.forge.calls import REPOSITORY, Call, Route, require
from tests.forge.faults import SEEN, Fault, FaultPlan, strike
from tests.forge.messages import Refusal, Request, Response, not_found
from tests.forge.sim import Sim
from tests.forge.state import State

_SHUTDOWN_SECONDS: Final = 0.1
_BODY_LIMIT: Final = 256 * 1024 * 1024
_MANY: Final = ("ref", "path", "branch")
"""Names in a path that may hold slashes."""
Result = TypeVar("Result")

Watcher = Callable[[Route, Request, Response], None]


@dataclass(frozen=True, slots=True)
class _Compiled:
    route: Route
    pattern: re.Pattern[str]


class Forge:
    """A loopback GitHub without a socket: requests in, responses out."""

    def __init__(self, state: State) -> None:
        """Serve a state."""
        self.state = state
        self.faults = FaultPlan()
        self.watchers: list[Watcher] = []
        """Each is shown every honest answer of the API, with its route."""
        self.log: list[tuple[str, str, int]] = []
        """Method, path and status of every request, as they came."""
        modules = (commits, pulls, issues, rulesets, people, admin, actions, graphql)
        routes = [one for module in modules for one in module.ROUTES]
        routes += Sim(self.faults).routes()
        # A name at the end that may hold slashes would take what longer paths are for.
        routes.sort(key=lambda one: one.template.endswith(tuple(f"{{{name}}}" for name in _MANY)))
        self._routes = [_Compiled(one, _pattern(one.template)) for one in routes]
        # Not described by GitHub, but served by it, and asked for by PyGithub.
        statuses = next(one for one in routes if one.handler is commits.statuses)
        self._aliases = [_Compiled(statuses, _pattern(f"{REPOSITORY}/statuses/{{ref}}"))]

    @property
    def routes(self) -> list[Route]:
        """Every operation that is served."""
        return [one.route for one in self._routes]

    def handle(self, request: Request) -> Response:
        """Answer one request, under a fault where one strikes."""
        value = transport.credentials(request)
        fault = None
        if not request.path.startswith("/sim/"):
            fault = self.faults.take(request, value)

        def answer() -> Response:
            return self._answer(request, value, fault)

        if fault is None:
            response = answer()
        else:
            response = strike(fault, answer, self.state.clock.now().timestamp())
        self.log.append((request.method, request.path, response.status))
        return response

    def _answer(self, request: Request, value: str, fault: Fault | None) -> Response:
        token = self.state.tokens.get(value)
        is_bad = bool(request.header("authorization")) and token is None
        try:
            if transport.path_of(request.path) is not None:
                return transport.serve(self.state, request, token, is_bad)
            if is_bad:
                raise Refusal(401, "Bad credentials")
            found, params = self._find(request)
        except Refusal as refusal:
            return refusal.response()
        seen = fault if fault is not None and fault.kind in SEEN else None
        response = self._call(found, Call(self.state, request, params, token, seen))
        for watcher in self.watchers:
            watcher(found, request, response)
        return response

    def _find(self, request: Request) -> tuple[Route, dict[str, str]]:
        for one in (*self._routes, *self._aliases):
            match = one.pattern.fullmatch(request.path)
            if match is not None and one.route.method == request.method:
                return one.route, match.groupdict()
        raise not_found()

    def _call(self, found: Route, call: Call) -> Response:
        try:
            if found.template.startswith("/sim/"):
                return found.handler(call)
            require(call, found.need)
            response = found.handler(call)
        except Refusal as refusal:
            return refusal.response()
        except Exception:
            # A fault of the loopback GitHub itself, which a test has to see as one.
            traceback.print_exc()
            return Refusal(500, "the loopback GitHub failed:\n" + traceback.format_exc()).response()
        headers = {
            "X-GitHub-Request-Id": f"{len(self.log):04X}",
            "X-RateLimit-Limit": "5000",
            "X-RateLimit-Remaining": "4999",
            "X-RateLimit-Reset": str(int(call.state.clock.now().timestamp()) + 3600),
            "X-GitHub-Api-Version-Selected": "2022-11-28",
        }
        return Response(response.status, response.body, {**headers, **response.headers})


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", template)
    whole = ""
    for number, part in enumerate(parts):
        if number % 2 == 0:
            whole += re.escape(part)
        else:
            whole += f"(?P<{part}>{'.+' if part in _MANY else '[^/]+'})"
    return re.compile(whole)


class ForgeServer:
    """Serves a loopback GitHub from a thread of this process, while a `with` block lasts.

    with ForgeServer(tmp_path) as server:
        server.url, server.git_url("octo-owner/invest")
    """

    def __init__(
        self,
        folder: Path,
        *,
        repo: str | None = "invest",
        path: Path | None = None,
        events: Path | None = None,
        port: int = 0,
        host: str = "127.0.0.1",
    ) -> None:
        """Prepare the server.

        Args:
            folder: Where bare repositories that it makes lie.
            repo: Name of a first repository, of the owner; None: without one.
            path: The bare repository under it, if there is one already.
            events: Where payloads of events are written.
            port: 0 takes a free one.
            host: The address that it listens on.
        """
        self.state = State(folder, events)
        self.forge = Forge(self.state)
        if repo is not None:
            self.state.add_repository(repo, path=path)
        self._host, self._port = host, port
        self._ready: Future[str] = Future()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="forge", daemon=True)

    @property
    def url(self) -> str:
        """The base address of the API, without a slash at its end, once the server has started."""
        return self._ready.result()

    def git_url(self, full_name: str = "octo-owner/invest") -> str:
        """Where git clones a repository from."""
        return f"{self.url}/{full_name}.git"

    def call(self, function: Callable[[State], Result]) -> Result:
        """Run a function on the state between two requests, from any thread."""

        async def run() -> Result:
            return function(self.state)

        assert self._loop is not None, "the server has started"
        return asyncio.run_coroutine_threadsafe(run(), self._loop).result()

    def settle(self, seconds: float = 30.0) -> None:
        """Wait for what dispatches have started."""
        for thread in list(self.state.threads):
            thread.join(seconds)

    def __enter__(self) -> ForgeServer:
        """Start, and return when connections are accepted."""
        self._thread.start()
        try:
            self.state.base = self.url
        except BaseException:
            self._thread.join()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop: open connections are cut, stalled answers dropped, the thread ends."""
        self.settle()
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
        await serve(self.forge, self._host, self._port, self._stop, self._ready.set_result)


def run(forge: Forge, port: int, announce: Callable[[str], None]) -> None:
    """Serve in the foreground on this machine until SIGINT or SIGTERM."""

    async def until_signal() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)

        def ready(url: str) -> None:
            forge.state.base = url
            announce(url)

        await serve(forge, "127.0.0.1", port, stop, ready)

    asyncio.run(until_signal())


async def serve(
    forge: Forge, host: str, port: int, stop: asyncio.Event, announce: Callable[[str], None]
) -> None:
    """Serve until an event is set; requests are handled one after the other, waits overlap."""
    runner = web.ServerRunner(
        web.Server(_handler(forge), access_log=None), shutdown_timeout=_SHUTDOWN_SECONDS
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        announce(f"http://{host}:{runner.addresses[0][1]}")
        await stop.wait()
    finally:
        await runner.cleanup()


def _handler(
    forge: Forge,
) -> Callable[[web.BaseRequest], asyncio.Future[web.StreamResponse]]:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        # Read as a stream: a push is larger than what the library takes into one body.
        body = await request.content.read()
        if len(body) > _BODY_LIMIT:
            return web.Response(status=413)
        # As it came: git's own program reads the query by itself.
        raw_path, _, raw_query = request.raw_path.partition("?")
        response = forge.handle(
            Request(
                request.method,
                unquote(raw_path),
                dict(request.query),
                _headers(request.headers),
                body,
                raw_query,
            )
        )
        if response.delay_seconds:
            await asyncio.sleep(response.delay_seconds)
        if response.dropped and request.transport is not None:
            request.transport.abort()
        return web.Response(status=response.status, body=response.body, headers=response.headers)

    return handle  # type: ignore[return-value]


def _headers(headers: Mapping[str, Any]) -> dict[str, str]:
    return {name.lower(): str(value) for name, value in headers.items()}
