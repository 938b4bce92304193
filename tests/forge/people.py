"""People and Apps, and what people may in a repository."""

from __future__ import annotations

from typing import Any, Final

from tests.forge.accounts import Account
from tests.forge.calls import NOT_BY_INTEGRATION, Call, Need, Route, reading, route
from tests.forge.messages import Refusal, Response, json_response, not_found
from tests.forge.shapes import node_id, permissions, user

_LEGACY: Final = {"maintain": "write", "triage": "read"}


def _me(call: Call) -> Response:
    if call.acting.scopes is not None:
        raise Refusal(403, NOT_BY_INTEGRATION)
    return json_response(200, _whole_user(call, call.actor))


def _whole_user(call: Call, account: Account) -> dict[str, Any]:
    at = "2020-01-01T00:00:00Z"
    nothing_said = dict.fromkeys(("company", "blog", "location", "email", "hireable", "bio"))
    return {
        **user(call.base, account),
        **nothing_said,
        "blog": "",
        "name": account.name or None,
        "twitter_username": None,
        "public_repos": 1,
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "created_at": at,
        "updated_at": at,
    }


def _person(call: Call) -> Response:
    found = call.state.accounts.get(call.number("account_id"))
    if found is None:
        raise not_found()
    return json_response(200, _whole_user(call, found))


def _by_login(call: Call) -> Response:
    found = call.state.account(call.params["username"])
    if found is None:
        raise not_found()
    return json_response(200, _whole_user(call, found))


def _app(call: Call) -> Response:
    found = call.state.apps.get(call.params["app_slug"])
    if found is None:
        raise not_found()
    number, bot = found
    at = "2024-01-01T00:00:00Z"
    shown = {
        "id": number,
        "slug": call.params["app_slug"],
        "node_id": node_id("Integration", number),
        "client_id": f"Iv1.{number}",
        "owner": user(call.base, call.state.owner_of_apps),
        "name": bot.login.removesuffix("[bot]"),
        "description": None,
        "external_url": "https://example.com",
        "html_url": f"{call.base}/apps/{call.params['app_slug']}",
        "created_at": at,
        "updated_at": at,
        "permissions": {"contents": "write", "metadata": "read"},
        "events": ["push"],
    }
    return json_response(200, shown)


def _people(call: Call) -> list[tuple[Account, str]]:
    repository = call.repository
    found = [(repository.owner, "admin")]
    for number, role in repository.roles.items():
        account = call.state.accounts[number]
        if account.kind == "User":
            found.append((account, role))
    return found


def _collaborators(call: Call) -> Response:
    def show(one: tuple[Account, str]) -> dict[str, Any]:
        account, role = one
        return {
            **user(call.base, account),
            "permissions": permissions(role),
            "role_name": role,
        }

    return call.page(_people(call), show)


def _permission(call: Call) -> Response:
    account = call.state.account(call.params["username"])
    if account is None:
        raise not_found()
    if account.kind == "Bot":
        raise Refusal(404, f"{account.login} is not a user")
    role = call.repository.role(account)
    shown = {
        "permission": _LEGACY.get(role, role),
        "user": {**user(call.base, account), "permissions": permissions(role), "role_name": role},
        "role_name": role,
    }
    return json_response(200, shown)


ROUTES: Final[tuple[Route, ...]] = (
    route("GET", "/user", _me),
    route("GET", "/user/{account_id}", _person),
    route("GET", "/users/{username}", _by_login),
    route("GET", "/apps/{app_slug}", _app),
    route("GET", "collaborators", _collaborators, Need("metadata", "read", "write")),
    route("GET", "collaborators/{username}/permission", _permission, reading()),
)
