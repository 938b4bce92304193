"""`/v2/account`."""

from __future__ import annotations

from executor.exchange.account import account_json
from executor.exchange.messages import Response, json_response
from executor.exchange.routes.call import Call, Route


def get_account(call: Call) -> Response:
    """Show the account."""
    return json_response(200, account_json(call.desk, call.now))


ROUTES: tuple[Route, ...] = (("GET", "/v2/account", get_account),)
