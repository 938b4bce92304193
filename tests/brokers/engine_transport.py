"""A transport straight into the exchange's core: no socket, no thread, the same faults."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import unquote

from executor.brokers.transport import Answer, Base, Body, Method, NoAnswer
from executor.exchange.engine import Exchange
from executor.exchange.messages import Request
from executor.ports import Clock


class EngineTransport:
    """Asks `Exchange.handle`; what the fault plan drops or stalls has no answer."""

    concurrency = 1

    def __init__(
        self,
        exchange: Exchange,
        clock: Clock,
        *,
        keys: tuple[str, str] = ("key", "secret"),
        read_seconds: float = 20.0,
    ) -> None:
        """Ask an exchange.

        Args:
            exchange: What answers.
            clock: Every delay of an answer is slept on it, so a simulated one costs nothing.
            keys: Key id and secret.
            read_seconds: A delay from here on is a timeout.
        """
        self._exchange = exchange
        self._clock = clock
        self._headers = {"APCA-API-KEY-ID": keys[0], "APCA-API-SECRET-KEY": keys[1]}
        self._read_seconds = read_seconds

    def ask(
        self,
        base: Base,
        method: Method,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Body | None = None,
    ) -> Answer:
        sent = b"" if body is None else json.dumps(dict(body)).encode()
        response = self._exchange.handle(
            Request(method, unquote(path), dict(query or {}), self._headers, sent)
        )
        if response.delay_seconds:
            self._clock.sleep(min(response.delay_seconds, self._read_seconds))
        if response.delay_seconds >= self._read_seconds:
            raise NoAnswer(f"no answer within {self._read_seconds:g} s")
        if response.dropped:
            raise NoAnswer("the connection was refused or dropped")
        return Answer(response.status, dict(response.headers), response.body)
