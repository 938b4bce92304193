"""GitHub's API below one repository: every failure is no usable answer, or a definite no."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

from executor.errors import ForgeRefused, ForgeUnavailable, UsageError

if TYPE_CHECKING:
    from executor.repo.github_connection import Answer, Connection, Method

DEFAULT_URL: Final = "https://api.github.com"

READ_SECONDS: Final = 20.0
"""Seconds without a byte of an answer; GitHub itself gives up on a request after 10."""

PAGES_MAX: Final = 50
"""Pages of 100 items of one list. More is no usable answer, as a list that is cut would lie."""

MESSAGE_MAX: Final = 300
"""Characters of what GitHub says that we repeat."""

Query = Mapping[str, str]
NO_QUERY: Final[Query] = {}

_REPOSITORY: Final = re.compile(r"[A-Za-z0-9._-]{1,100}/[A-Za-z0-9._-]{1,100}")
_LOOPBACK: Final = ("127.0.0.1", "localhost")
_NEXT: Final = re.compile(r'<([^<>]{1,2000})>\s*;\s*rel="next"')

_REMEDIES: Final = {
    401: "give GITHUB_TOKEN a token that is valid",
    403: "grant the token this right, and run again",
    404: "look whether it is there and the token may see it",
}
_REMEDY: Final = "correct that and run again"

_WITHOUT_BODY: Final = (204, 205)

_GRAPHQL: Final = {
    "FORBIDDEN": 403,
    "INSUFFICIENT_SCOPES": 403,
    "NOT_FOUND": 404,
    "STALE_DATA": 409,
    "UNPROCESSABLE": 422,
}
"""A definite no of GraphQL, by type, and the status that REST would have given it."""


class GitHubApi:
    """One repository's part of the API. Nothing is loaded or sent before the first question.

    Every method raises `ForgeUnavailable` where there is no usable answer (none at all, an error
    of the server, a rate limit, JSON that cannot be read), and `ForgeRefused` where the answer is a
    definite no. Each request is sent once: whether to ask again is for the caller.
    """

    def __init__(
        self,
        repository: str,
        token: str,
        url: str = DEFAULT_URL,
        *,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        """Hold what is needed to ask.

        Args:
            repository: `owner/name`.
            token: goes into the header of each request, and nowhere else.
            url: the API's address, https unless it is on this machine.
            read_seconds: how long GitHub may stay silent.

        Raises:
            UsageError: one of them cannot be one.
        """
        parts = urlsplit(url)
        is_safe = parts.scheme == "https" or (
            parts.scheme == "http" and parts.hostname in _LOOPBACK
        )
        if not is_safe or not parts.hostname or parts.username or parts.query or parts.fragment:
            raise UsageError("GITHUB_API_URL: not https:// with a host; correct it")
        if not _REPOSITORY.fullmatch(repository) or repository.split("/")[1] in (".", ".."):
            raise UsageError(f"GITHUB_REPOSITORY: {repository!r}: not owner/name; correct it")
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise UsageError(
                "GITHUB_TOKEN: empty, or holds what is no part of a token; copy it again"
            )
        self.repository = repository
        self.url = url.rstrip("/")
        self._token = token
        self._read_seconds = read_seconds
        self._opened: Connection | None = None

    def close(self) -> None:
        """Close the connection, where one was opened."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def get(self, *parts: str | int, query: Query = NO_QUERY) -> object:
        """What lies at a place below the repository; from the root where the first part is `/`."""
        return self._content(self._ask("GET", parts, query), _words("GET", parts))

    def pages(
        self,
        *parts: str | int,
        query: Query = NO_QUERY,
        key: str | None = None,
        most: int = PAGES_MAX,
    ) -> Iterator[object]:
        """Every item of a list, page by page, each page asked for when the one before was read.

        Args:
            parts: as in `get`.
            query: as in `get`.
            key: where the list lies in an answer that is an object.
            most: pages that are read; a longer list is no usable answer.
        """
        words = _words("GET", parts)
        answer = self._ask("GET", parts, {**query, "per_page": "100"})
        for _ in range(most):
            content = self._content(answer, words)
            if key is not None:
                content = content.get(key) if isinstance(content, dict) else None
            if not isinstance(content, list):
                raise ForgeUnavailable(f"GitHub, {words}: the answer is no list; run again later")
            yield from content
            following = _NEXT.search(answer.headers.get("link", ""))
            if following is None:
                return
            answer = self._send("GET", self._own(following[1], words), NO_QUERY, None, words)
        raise ForgeUnavailable(
            f"GitHub, {words}: more than {most * 100:,} items, which no list of ours has; a"
            " person looks there"
        )

    def post(self, *parts: str | int, body: object = None) -> object:
        """Add something."""
        return self._write("POST", parts, body)

    def put(self, *parts: str | int, body: object = None) -> object:
        """Set something."""
        return self._write("PUT", parts, body)

    def patch(self, *parts: str | int, body: object) -> object:
        """Change something."""
        return self._write("PATCH", parts, body)

    def delete(self, *parts: str | int) -> object:
        """Take something away."""
        return self._write("DELETE", parts, None)

    def graphql(
        self, name: str, query: str, variables: Mapping[str, object]
    ) -> Mapping[str, object]:
        """Ask GraphQL; the answer's data.

        Args:
            name: what is asked, for messages.
            query: the document.
            variables: what goes into it.

        Raises:
            ForgeRefused: with status 409 where what was expected is not so any more.
        """
        words = f"POST graphql {name}"
        body = {"query": query, "variables": variables}
        url = self._connection.graphql
        content = self._content(self._send("POST", url, NO_QUERY, body, words), words)
        tree = content if isinstance(content, dict) else {}
        if tree.get("errors"):
            raise self._graphql_problem(tree["errors"], words)
        data = tree.get("data")
        if not isinstance(data, dict):
            raise ForgeUnavailable(f"GitHub, {words}: an answer without data; run again")
        return data

    def _graphql_problem(self, errors: object, words: str) -> ForgeRefused | ForgeUnavailable:
        found = [one for one in errors if isinstance(one, dict)] if isinstance(errors, list) else []
        said = self._cleaned("; ".join(str(one.get("message", "")) for one in found))
        statuses = [_graphql_status(one) for one in found]
        if not statuses or None in statuses:
            # An error without a type may be one of the server, after it did what was asked.
            return ForgeUnavailable(f"GitHub, {words}: {said or 'an error'}; run again")
        return _refused(words, max(one for one in statuses if one is not None), said)

    def _write(self, method: Method, parts: tuple[str | int, ...], body: object) -> object:
        words = _words(method, parts)
        return self._content(self._send(method, self._place(parts), NO_QUERY, body, words), words)

    def _ask(self, method: Method, parts: tuple[str | int, ...], query: Query) -> Answer:
        return self._send(method, self._place(parts), query, None, _words(method, parts))

    @property
    def _connection(self) -> Connection:
        if self._opened is None:
            from executor.repo.github_connection import Connection

            self._opened = Connection(self.url, self._token, self._read_seconds)
        return self._opened

    def _send(self, method: Method, url: str, query: Query, body: object, words: str) -> Answer:
        connection = self._connection
        from executor.repo.github_connection import NoAnswer

        try:
            answer = connection.ask(method, url, query, body)
        except NoAnswer as error:
            raise ForgeUnavailable(f"GitHub, {words}: {error}; run again") from None
        status = answer.status
        if status == 202 and method == "GET":
            raise ForgeUnavailable(f"GitHub, {words}: not worked out yet; run again")
        if 200 <= status < 300:
            return answer
        said = self._message(answer)
        if _is_limit(answer, said):
            wait = answer.headers.get("retry-after", "")
            when = f"in {wait} s" if wait.isdecimal() and len(wait) < 6 else "later"
            raise ForgeUnavailable(f"GitHub, {words}: too many requests; run again {when}")
        if status >= 500 or status < 300 or status == 408:
            raise ForgeUnavailable(f"GitHub, {words}: status {status}; run again")
        raise _refused(words, status, said)

    def _place(self, parts: tuple[str | int, ...]) -> str:
        """A path of quoted parts, so that no text of anybody's can lead elsewhere."""
        first, rest = parts[0] if parts else "", parts
        prefix = f"/repos/{self.repository}"
        if first == "/":
            prefix, rest = "", parts[1:]
        for part in rest:
            assert part not in ("", ".", ".."), "a part that a server would resolve away"
        return "/".join((prefix, *(quote(str(part), safe="") for part in rest)))

    def _own(self, url: str, words: str) -> str:
        """The address of a further page, which must not lead to another host."""
        if urlsplit(url)[:2] != urlsplit(self.url)[:2]:
            raise ForgeUnavailable(f"GitHub, {words}: the next page lies elsewhere; run again")
        return url

    def _content(self, answer: Answer, words: str) -> object:
        if answer.status in _WITHOUT_BODY:
            return None
        try:
            # An answer that was cut within its headers has no body and no length, and is no answer.
            content: object = json.loads(answer.body)
        except (ValueError, RecursionError):
            raise ForgeUnavailable(
                f"GitHub, {words}: an answer that cannot be read; run again"
            ) from None
        return content

    def _message(self, answer: Answer) -> str:
        """What GitHub says, in one line."""
        try:
            tree = json.loads(answer.body)
        except (ValueError, RecursionError):
            return ""
        if not isinstance(tree, dict):
            return ""
        told = [tree.get("message")]
        errors = tree.get("errors")
        for one in errors[:3] if isinstance(errors, list) else []:
            told.append(one.get("message") or one.get("code") if isinstance(one, dict) else one)
        return self._cleaned(": ".join(one for one in told if isinstance(one, str) and one))

    def _cleaned(self, text: str) -> str:
        """Text of others as one line of ours, without the token should somebody quote it."""
        line = "".join(one if one.isprintable() else " " for one in text)
        return " ".join(line.replace(self._token, "***").split())[:MESSAGE_MAX]


def place_name(parts: tuple[str | int, ...]) -> str:
    """A place below the repository as messages name it, quoted as it is asked for."""
    return "/".join(quote(str(part), safe="") for part in parts if part != "/") or "repository"


def _words(method: str, parts: tuple[str | int, ...]) -> str:
    return f"{method} {place_name(parts)}"


def _refused(words: str, status: int, said: str) -> ForgeRefused:
    if 300 <= status < 400:
        told = "the repository has moved; correct its name"
        return ForgeRefused(f"GitHub, {words}: status {status}: {told}", status)
    remedy = _REMEDIES.get(status, _REMEDY)
    shown = f": {said.rstrip('.')}" if said else ""
    return ForgeRefused(f"GitHub, {words}: refused with status {status}{shown}; {remedy}", status)


def _graphql_status(error: Mapping[str, object]) -> int | None:
    kind = error.get("type")
    if isinstance(kind, str) and kind in _GRAPHQL:
        return _GRAPHQL[kind]
    # A query that the schema does not allow is refused before anything is done.
    extensions = error.get("extensions")
    if kind is None and isinstance(extensions, dict) and extensions.get("code"):
        return 400
    return None


def _is_limit(answer: Answer, said: str) -> bool:
    """True for GitHub's limits: 429, or 403 with a sign that it is not about rights."""
    if answer.status == 429:
        return True
    return answer.status == 403 and (
        "retry-after" in answer.headers
        or answer.headers.get("x-ratelimit-remaining") == "0"
        or "rate limit" in said.lower()
    )
