"""Corporate actions that are scheduled or past, as Alpaca announces them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from executor.exchange.events import AccountEvent
from executor.exchange.messages import Response, json_response, not_found, unprocessable
from executor.exchange.routes.call import Call, Route
from executor.exchange.universe import stable_id
from executor.model.numbers import ONE, plain

_PAGE: Final = 100
_MOST: Final = 1_000
_NO_CUSIP: Final = ""
"""Nothing here has one."""


def _dividend(event: AccountEvent) -> dict[str, object]:
    rate = float(event.number_of("per_share"))
    return {"symbol": event.symbol, "cusip": _NO_CUSIP, "rate": rate, "special": False} | {
        "foreign": False
    }


def _forward_split(event: AccountEvent) -> dict[str, object]:
    return {"symbol": event.symbol, "cusip": _NO_CUSIP, **_rates(event)}


def _reverse_split(event: AccountEvent) -> dict[str, object]:
    cusips = {"old_cusip": _NO_CUSIP, "new_cusip": _NO_CUSIP}
    return {"symbol": event.symbol, **cusips, **_rates(event)}


def _rates(event: AccountEvent) -> dict[str, object]:
    return {name: float(event.number_of(name)) for name in ("new_rate", "old_rate")}


def _spin_off(event: AccountEvent) -> dict[str, object]:
    return {
        "source_symbol": event.symbol,
        "source_cusip": _NO_CUSIP,
        "source_rate": 1,
        "new_symbol": event.new_symbol,
        "new_cusip": _NO_CUSIP,
        "new_rate": float(event.number_of("rate")),
    }


def _name_change(event: AccountEvent) -> dict[str, object]:
    return {
        "old_symbol": event.symbol,
        "old_cusip": _NO_CUSIP,
        "new_symbol": event.new_symbol,
        "new_cusip": _NO_CUSIP,
    }


def _cash_merger(event: AccountEvent) -> dict[str, object]:
    rate = float(event.number_of("cash"))
    return {"acquiree_symbol": event.symbol, "acquiree_cusip": _NO_CUSIP, "rate": rate}


def _stock_merger(event: AccountEvent) -> dict[str, object]:
    cash = event.numbers.get("cash")
    shown: dict[str, object] = {
        "acquiree_symbol": event.symbol,
        "acquiree_cusip": _NO_CUSIP,
        "acquiree_rate": 1,
        "acquirer_symbol": event.new_symbol,
        "acquirer_cusip": _NO_CUSIP,
        "acquirer_rate": float(event.number_of("rate")),
    }
    return shown if cash is None else {**shown, "cash_rate": float(cash)}


_SHAPES: Final[Mapping[str, tuple[Callable[[AccountEvent], dict[str, object]], str]]] = {
    "cash_dividend": (_dividend, "ex_date"),
    "forward_split": (_forward_split, "ex_date"),
    "reverse_split": (_reverse_split, "ex_date"),
    "spin_off": (_spin_off, "ex_date"),
    "name_change": (_name_change, ""),
    "cash_merger": (_cash_merger, "effective_date"),
    "stock_merger": (_stock_merger, "effective_date"),
    "stock_and_cash_merger": (_stock_merger, "effective_date"),
}
"""Alpaca's type of a corporate action: what it shows, and the date beside `process_date`."""

_KNOWN: Final = (
    *_SHAPES,
    *("unit_split", "stock_dividend", "redemption", "worthless_removal", "rights_distribution"),
    *("partial_call", "reorganization", "capital_gains_distribution"),
)
_OLD_TYPES: Final = {
    "dividend": "Dividend",
    "split": "Split",
    "spin_off": "Spinoff",
    "merger": "Merger",
}


def _type_of(event: AccountEvent) -> str:
    """Give Alpaca's word for an event, empty where it is no corporate action."""
    numbers = event.numbers
    if event.kind == "split":
        return "forward_split" if numbers["new_rate"] > numbers["old_rate"] else "reverse_split"
    if event.kind == "merger":
        both = "cash" in numbers and "rate" in numbers
        kind = "cash_merger" if "cash" in numbers else "stock_merger"
        return "stock_and_cash_merger" if both else kind
    words = {"dividend": "cash_dividend", "symbol_change": "name_change", "spin_off": "spin_off"}
    return words.get(event.kind, "")


def list_actions(call: Call) -> Response:
    """List corporate actions by type, symbol and date; by default those of today."""
    today = call.desk.sessions.day_of(call.now)
    first, last = _date(call, "start") or today, _date(call, "end") or today
    wanted = set(call.query("types").split(",")) - {""}
    unknown = sorted(wanted - set(_KNOWN))
    if unknown:
        raise unprocessable(f"invalid type: {unknown[0]}")
    symbols = set(call.symbols())
    limit = call.whole("limit", _PAGE, _MOST)
    found = [
        (day, event)
        for event in _announced(call)
        if first <= (day := call.desk.sessions.day_of(event.at)) <= last
        and (not wanted or _type_of(event) in wanted)
        and (not symbols or symbols & {event.symbol, event.new_symbol})
    ]
    if call.query("sort", "asc") == "desc":
        found.reverse()
    token = call.query("page_token")
    ids = [_id(call, event) for _, event in found]
    behind = ids.index(token) + 1 if token in ids else 0
    page = found[behind : behind + limit]
    actions: dict[str, list[dict[str, object]]] = {}
    for day, event in page:
        shape, dated = _SHAPES[_type_of(event)]
        shown = {"id": _id(call, event), "process_date": day.isoformat(), **shape(event)}
        if dated:
            shown[dated] = day.isoformat()
        actions.setdefault(f"{_type_of(event)}s", []).append(shown)
    more = len(found) > behind + limit
    content = {
        "corporate_actions": actions,
        "next_page_token": ids[behind + limit - 1] if more else None,
    }
    return json_response(200, content)


def list_announcements(call: Call) -> Response:
    """List corporate actions as Alpaca's former endpoint does."""
    first, last = _date(call, "since"), _date(call, "until")
    wanted = {one.lower() for one in call.query("ca_types").split(",")}
    if first is None or last is None or wanted == {""}:
        raise unprocessable("ca_types, since and until are required")
    if last - first > timedelta(days=90):
        raise unprocessable("the date range is limited to 90 days")
    symbol = call.query("symbol")
    shown = [
        _announcement(call, event)
        for event in _announced(call)
        if _OLD_TYPES.get(event.kind, "").lower() in wanted - {""}
        and first <= call.desk.sessions.day_of(event.at) <= last
        and symbol in ("", event.symbol)
    ]
    return json_response(200, shown)


def get_announcement(call: Call) -> Response:
    """Show one announcement."""
    wanted = call.parameters["id"]
    for event in _announced(call):
        if event.kind in _OLD_TYPES and _id(call, event) == wanted:
            return json_response(200, _announcement(call, event))
    raise not_found(f"announcement not found for {wanted}")


def _announcement(call: Call, event: AccountEvent) -> dict[str, object]:
    day = call.desk.sessions.day_of(event.at).isoformat()
    numbers = event.numbers
    sub_type = {"dividend": "cash", "split": "stock_split"}.get(event.kind, event.kind)
    return {
        "id": _id(call, event),
        "corporate_action_id": _id(call, event),
        "ca_type": _OLD_TYPES[event.kind],
        "ca_sub_type": sub_type,
        "initiating_symbol": event.symbol,
        "initiating_original_cusip": _NO_CUSIP,
        "target_symbol": event.new_symbol or event.symbol,
        "target_original_cusip": _NO_CUSIP,
        "effective_date": day,
        "ex_date": day,
        "record_date": day,
        "payable_date": day,
        "cash": plain(numbers.get("per_share", numbers.get("cash", Decimal(0)))),
        "old_rate": plain(numbers.get("old_rate", ONE)),
        "new_rate": plain(numbers.get("new_rate", numbers.get("rate", ONE))),
    }


def _announced(call: Call) -> list[AccountEvent]:
    schedule = call.desk.schedule
    return [one for one in (*schedule.past, *schedule.pending) if _type_of(one)]


def _id(call: Call, event: AccountEvent) -> str:
    return stable_id("corporate action", event.content, str(event.number))


def _date(call: Call, name: str) -> date | None:
    at = call.time(name)
    return None if at is None else at.date()


ROUTES: tuple[Route, ...] = (
    ("GET", "/v1/corporate-actions", list_actions),
    ("GET", "/v2/corporate_actions/announcements", list_announcements),
    ("GET", "/v2/corporate_actions/announcements/{id}", get_announcement),
)
