"""One call of the API: who asks, in which repository, with which rights; pages of a list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

from tests.forge.accounts import Account, Token
from tests.forge.faults import Fault
from tests.forge.messages import Refusal, Request, Response, json_response, not_found
from tests.forge.records import Pull
from tests.forge.state import Repository, State

Item = TypeVar("Item")

PAGE_LIMIT: Final = 100
_PAGE_DEFAULT: Final = 30


@dataclass(frozen=True)
class Call:
    """One request, as its handler sees it."""

    state: State
    request: Request
    params: Mapping[str, str]
    """What the path names, decoded."""
    token: Token | None
    fault: Fault | None = None
    """A fault that changes what is seen rather than how it arrives."""

    @cached_property
    def content(self) -> dict[str, Any]:
        """The body as a JSON object."""
        return self.request.json()

    @property
    def account(self) -> Account | None:
        """Who asks; None without a token."""
        return None if self.token is None else self.token.account

    @property
    def actor(self) -> Account:
        """Who asks, where a right has been required already."""
        assert self.token is not None, "a route that writes requires a token"
        return self.token.account

    @property
    def acting(self) -> Token:
        """The token, where a right has been required already."""
        assert self.token is not None, "a route that writes requires a token"
        return self.token

    @cached_property
    def repository(self) -> Repository:
        """The repository that the path names, where whoever asks may see it."""
        found = self.state.repository(f"{self.params['owner']}/{self.params['repo']}")
        if found is None or not self._sees(found):
            raise not_found()
        return found

    def _sees(self, repository: Repository) -> bool:
        # An App, and that of Actions, is installed where the repository's owner is.
        is_installed = (
            self.token is not None
            and self.token.scopes is not None
            and repository.owner.id == self.state.owner_of_apps.id
        )
        return is_installed or repository.allows(self.account, "read")

    @property
    def base(self) -> str:
        """The address that the client used."""
        return self.request.base

    def number(self, name: str) -> int:
        """A number in the path."""
        if not self.params[name].isdecimal():
            raise not_found()
        return int(self.params[name])

    def pull(self, name: str = "pull_number") -> Pull:
        """The pull request that the path names."""
        found = self.repository.pull(self.number(name))
        if found is None:
            raise not_found()
        return found

    def commit(self, name: str) -> str:
        """The commit that the path names, by its id, a branch or a tag."""
        wanted = self.params[name]
        git = self.repository.git
        found = git.resolve(wanted) or git.branch(wanted.removeprefix("heads/"))
        if found is None:
            raise Refusal(422, f"No commit found for SHA: {wanted}")
        return found

    def page(self, items: Sequence[Item], show: Callable[[Item], object]) -> Response:
        """One page of a list as an array, with the `Link` header."""
        kept, headers = self.paged(items)
        return json_response(200, [show(one) for one in kept], headers)

    def counted(self, key: str, items: Sequence[Item], show: Callable[[Item], object]) -> Response:
        """One page of a list inside an object, beside the count of all."""
        kept, headers = self.paged(items)
        shown = {"total_count": len(items), key: [show(one) for one in kept]}
        return json_response(200, shown, headers)

    def paged(self, items: Sequence[Item]) -> tuple[Sequence[Item], dict[str, str]]:
        """One page of a list and its headers."""
        size = min(max(self._count("per_page", _PAGE_DEFAULT), 1), PAGE_LIMIT)
        page = max(self._count("page", 1), 1)
        last = max((len(items) + size - 1) // size, 1)
        links = []
        if page > 1:
            links += [self._link(page - 1, "prev"), self._link(1, "first")]
        if page < last:
            links += [self._link(page + 1, "next"), self._link(last, "last")]
        headers = {"Link": ", ".join(links)} if links else {}
        return items[(page - 1) * size : page * size], headers

    def _count(self, name: str, default: int) -> int:
        raw = self.request.query.get(name, "")
        return int(raw) if raw.isdecimal() else default

    def _link(self, page: int, relation: str) -> str:
        query = urlencode({**self.request.query, "page": page})
        return f'<{self.base}{self.request.path}?{query}>; rel="{relation}"'


@dataclass(frozen=True, slots=True)
class Need:
    """What a call requires of whoever makes it."""

    scope: str
    """The right of an installation's token, such as `contents`."""
    level: str
    """`read`, `write` or `admin`: of the token's right."""
    role: str
    """Of the account in the repository."""


PUBLIC: Final = Need("metadata", "read", "none")
NOT_BY_INTEGRATION: Final = "Resource not accessible by integration"


def require(call: Call, need: Need) -> None:
    """Let a call pass, or refuse it as GitHub does.

    Raises:
        Refusal: 404 where the repository is not even seen, 403 where the right is missing.
    """
    if "owner" not in call.params:
        if call.token is None:
            raise Refusal(401, "Requires authentication")
        return
    repository = call.repository
    if call.token is None:
        if need.role not in ("none", "read"):
            raise Refusal(401, "Requires authentication")
        return
    # What anybody may read needs no right of the token where the repository is public.
    is_open = need.level == "read" and need.role == "read" and not repository.is_private
    if not is_open and not _granted(call, call.token, need):
        raise Refusal(403, NOT_BY_INTEGRATION)
    if call.token.scopes is not None:
        return
    if not repository.allows(call.account, need.role):
        if need.role == "admin":
            raise Refusal(403, "Must have admin rights to Repository.")
        raise (
            Refusal(403, "Must have write access to repository.")
            if need.role
            in (
                "triage",
                "write",
            )
            else not_found()
        )


def _granted(call: Call, token: Token, need: Need) -> bool:
    if token.grants(need.scope, need.level):
        return True
    # A pull request is an issue too: either right does there.
    return (
        need.scope == "issues"
        and _is_about_a_pull(call)
        and token.grants("pull_requests", need.level)
    )


def _is_about_a_pull(call: Call) -> bool:
    raw = call.params.get("issue_number", "")
    if "comment_id" in call.params and call.params["comment_id"].isdecimal():
        comment = call.repository.comments.get(int(call.params["comment_id"]))
        raw = "" if comment is None else str(comment.number)
    return raw.isdecimal() and call.repository.pull(int(raw)) is not None


Handler = Callable[[Call], Response]


@dataclass(frozen=True, slots=True)
class Route:
    """One operation, by its template in GitHub's own description."""

    method: str
    template: str
    handler: Handler
    need: Need


REPOSITORY: Final = "/repos/{owner}/{repo}"


def route(method: str, path: str, handler: Handler, need: Need = PUBLIC) -> Route:
    """A route below a repository, or one from the root where the path starts with a slash."""
    template = path if path.startswith("/") else f"{REPOSITORY}/{path}".rstrip("/")
    return Route(method, template, handler, need)


def reading(scope: str = "metadata") -> Need:
    """What whoever can see the repository may do."""
    return Need(scope, "read", "read")


def writing(scope: str, role: str = "write") -> Need:
    """What takes a token with a right to write, and a role."""
    return Need(scope, "write", role)


def administering(level: str = "write") -> Need:
    """What only an administrator may do."""
    return Need("administration", level, "admin")


def newest_first(items: Iterable[Item]) -> list[Item]:
    """Turn round what is kept the oldest first."""
    return list(items)[::-1]
