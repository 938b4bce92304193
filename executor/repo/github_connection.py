"""PyGithub's requester, held to one send a call, one answer, and none of its own exceptions.

By itself it sends again on errors and redirects, waits between requests, and raises exceptions that
carry the headers of the answer. This is the one module that imports it, when GitHub is first asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import requests
from github import Auth, Github
from github.Requester import HTTPSRequestsConnectionClass, RequestsResponse

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

CONNECT_SECONDS: Final = 3.05
"""A little more than a multiple of 3, TCP's first retransmission; as `requests` advises."""

ANSWER_MAX: Final = 32 * 1024 * 1024
"""Bytes of one answer, far above the largest page that GitHub makes."""

API_VERSION: Final = "2022-11-28"
"""The version that the shapes were written for."""

PAGE: Final = 100
"""Items a page, GitHub's most."""

_CHUNK: Final = 64 * 1024


class NoAnswer(Exception):
    """There was no whole HTTP answer; the text is our own, never the library's."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer."""

    status: int
    headers: Mapping[str, str]
    """By name in lower case."""
    body: bytes


class _Caught(Exception):
    """The answer is here; the requester, which may send again on some, is left."""


class _Once(HTTPSRequestsConnectionClass):
    """A connection that sends what it is given once, and keeps the answer for us."""

    def __init__(self, url: str, read_seconds: float) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None, "the address was looked at before"
        port = parts.port or (443 if parts.scheme == "https" else 80)
        super().__init__(parts.hostname, port, retry=None)
        self.read_seconds = read_seconds
        self.protocol = parts.scheme
        if parts.hostname in ("127.0.0.1", "localhost"):
            self.session.trust_env = False  # a server on this machine is never behind a proxy
        self.answered: Answer | None = None

    def getresponse(self) -> RequestsResponse:
        with self.session.request(
            self.verb,
            f"{self.protocol}://{self.host}:{self.port}{self.url}",
            headers=self.headers,
            data=self.input,
            timeout=(CONNECT_SECONDS, self.read_seconds),
            allow_redirects=False,
            stream=True,
        ) as response:
            body = bytearray()
            for chunk in response.iter_content(_CHUNK):
                body += chunk
                if len(body) > ANSWER_MAX:
                    raise NoAnswer(f"an answer of more than {ANSWER_MAX:,} bytes")
            headers = {name.lower(): value for name, value in response.headers.items()}
            self.answered = Answer(response.status_code, headers, bytes(body))
        raise _Caught


class Connection:
    """One address and token, and the connection to it that is kept."""

    def __init__(self, url: str, token: str, read_seconds: float) -> None:
        """Prepare; nothing is sent yet."""
        self._once = _Once(url, read_seconds)
        self._requester = Github(
            auth=Auth.Token(token),
            base_url=url,
            retry=None,
            seconds_between_requests=None,
            seconds_between_writes=None,
            per_page=PAGE,
            api_version=API_VERSION,
            user_agent="AutoInvestor",
        ).requester

    @property
    def graphql(self) -> str:
        """Where GraphQL is asked."""
        return self._requester.graphql_url

    def ask(
        self, method: Method, url: str, query: Mapping[str, str], body: object | None
    ) -> Answer:
        """Send one request, once.

        Args:
            method: what to do.
            url: a path below the address, or a whole URL that the caller has looked at.
            query: further parameters.
            body: goes as JSON; None sends none.

        Raises:
            NoAnswer: there was none, or not all of it.
        """
        self._once.answered = None
        problem: Exception | None = None
        parameters: dict[str, Any] = dict(query)
        headers = {"Accept": "application/vnd.github+json"}
        try:
            self._requester.requestJson(method, url, parameters, headers, body, self._once)
        except Exception as error:
            problem = error
        answered, self._once.answered = self._once.answered, None
        # Raised here, outside of any handler: an exception of the library would stay attached as
        # its context, and that one holds the request's headers with the token.
        reason = self._reason(problem)
        problem = None
        if answered is None:
            raise NoAnswer(reason)
        return answered

    def close(self) -> None:
        """Close the connection; it may be closed twice."""
        self._once.close()
        self._requester.close()

    def _reason(self, problem: Exception | None) -> str:
        if isinstance(problem, NoAnswer):
            return str(problem)
        if isinstance(problem, requests.ConnectTimeout):
            return f"no connection within {CONNECT_SECONDS:g} s"
        if isinstance(problem, requests.ReadTimeout):
            return f"no answer within {self._once.read_seconds:g} s"
        if isinstance(problem, requests.exceptions.SSLError):
            return "no secure connection"
        if isinstance(problem, requests.ConnectionError):
            return "the connection was refused or dropped"
        return "the answer broke off or could not be read"
