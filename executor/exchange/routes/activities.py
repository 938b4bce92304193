"""`/v2/account/activities`: what moved the account's cash or shares."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from executor.exchange.activities import FILL, KINDS, Activity, types_of
from executor.exchange.messages import Response, bad_request, json_response, unprocessable
from executor.exchange.routes.call import Call, Route
from executor.exchange.sessions import DAY

_PAGE: Final = 100


def list_activities(call: Call) -> Response:
    """List activities by Alpaca's filters; the latest first unless `direction=asc`."""
    wanted, category = call.query("activity_types"), call.query("category")
    if wanted and category:
        raise unprocessable("category cannot be used with activity_types")
    if category not in ("", "trade_activity", "non_trade_activity"):
        raise unprocessable(f"invalid category: {category}")
    if category:
        fills = category == "trade_activity"
        return _page(call, {FILL} if fills else {*KINDS} - {FILL})
    return _page(call, _types(wanted) if wanted else {*KINDS})


def list_activities_of_type(call: Call) -> Response:
    """List activities of one type."""
    return _page(call, _types(call.parameters["activity_type"]))


def _types(wanted: str) -> set[str]:
    types: set[str] = set()
    for one in wanted.split(","):
        found = types_of(one.strip())
        if not found:
            raise unprocessable(f"invalid activity type: {one.strip()}")
        types |= found
    return types


def _page(call: Call, types: set[str]) -> Response:
    """Cut one page out of the activities of some types, by the other filters of the query."""
    direction = call.query("direction", "desc")
    if direction not in ("asc", "desc"):
        raise bad_request(f"invalid direction: {direction}")
    size = call.whole("page_size", _PAGE, _PAGE)
    after, until, order_id = call.time("after"), call.time("until"), call.query("order_id")
    day = call.time("date")
    chosen = [
        one
        for one in call.desk.journal.activities
        if one.activity_type in types
        and (after is None or one.at > after)
        and (until is None or one.at < until)
        and (day is None or _on(one.at, day))
        and order_id in ("", one.order_id)
    ]
    if direction == "desc":
        chosen.reverse()
    chosen = _behind(chosen, call.query("page_token"), direction)
    return json_response(200, [dict(one.shown) for one in chosen[:size]])


def _on(at: datetime, day: datetime) -> bool:
    start = day.replace(hour=0, minute=0, second=0, microsecond=0)
    return start <= at < start + DAY


def _behind(activities: list[Activity], token: str, direction: str) -> list[Activity]:
    """Give what comes behind the activity whose id the token is, known or not."""
    if not token:
        return activities
    for index, one in enumerate(activities):
        if one.id == token:
            return activities[index + 1 :]
    later = direction == "asc"
    return [one for one in activities if (one.id > token if later else one.id < token)]


ROUTES: tuple[Route, ...] = (
    ("GET", "/v2/account/activities", list_activities),
    ("GET", "/v2/account/activities/{activity_type}", list_activities_of_type),
)
