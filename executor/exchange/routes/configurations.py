"""`/v2/account/configurations`."""

from __future__ import annotations

from executor.exchange.configurations import SUSPEND, changed
from executor.exchange.messages import Response, json_response, read_object
from executor.exchange.routes.call import Call, Route


def get_configurations(call: Call) -> Response:
    """Show the account's configurations."""
    suspended = call.desk.flags.trade_suspended_by_user
    return json_response(200, call.desk.configurations.as_json(suspend_trade=suspended))


def patch_configurations(call: Call) -> Response:
    """Change those that are given, all or none, and show all."""
    body = read_object(call.request.body)
    call.desk.configurations = changed(call.desk.configurations, body)
    if body.get(SUSPEND) is not None:
        call.desk.flags.trade_suspended_by_user = body[SUSPEND] is True
    return get_configurations(call)


ROUTES: tuple[Route, ...] = (
    ("GET", "/v2/account/configurations", get_configurations),
    ("PATCH", "/v2/account/configurations", patch_configurations),
)
