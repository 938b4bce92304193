"""Account activities page by page: each once, and none of them stops the others from being told."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Final, Literal

from executor.brokers.parsing import Row, Unreadable, as_number, as_time, is_plain, rows_of
from executor.brokers.questions import Questions
from executor.brokers.shapes import NEW_YORK
from executor.errors import BrokerUnavailable
from executor.model.activity import Activity
from executor.model.fields import timestamp_text

PAGE: Final = 100
"""Activities in one answer: the most that the broker gives."""

PAGES_MAX: Final = 1_000
"""A hundred thousand activities; more is an answer that never ends."""

TEXT_MAX: Final = 2_000
"""Characters of a description that are kept."""

_SIDES: Final[dict[object, Literal["buy", "sell"]]] = {
    "buy": "buy",
    "sell": "sell",
    "sell_short": "sell",
}


def all_activities(questions: Questions, after: datetime) -> tuple[Activity, ...]:
    """Ask for every activity that the broker noted after an instant, the oldest first.

    Raises:
        BrokerUnavailable: No usable answer, or pages that do not go on.
        BrokerRefused: A definite no.
    """
    query = {
        # The broker knows whole seconds here; what is told twice is booked once, by its id.
        "after": timestamp_text(after.replace(microsecond=0)),
        "direction": "asc",
        "page_size": str(PAGE),
    }
    found: dict[str, Activity] = {}
    for _ in range(PAGES_MAX):
        page = questions.ask("activities", "trading", "/v2/account/activities", query, _page)
        before = len(found)
        found |= {one.id: one for one in page}
        if len(page) < PAGE:
            return tuple(found.values())
        if len(found) == before:
            break
        query["page_token"] = page[-1].id
    raise BrokerUnavailable(
        f"activities, broker: pages of {PAGE} that do not go on; run again, and report it if it"
        " stays"
    )


def _page(tree: object) -> list[Activity]:
    return [activity(one) for one in rows_of(tree, "activities")]


def activity(value: object) -> Activity:
    """Read an activity.

    Its id and its day have to be there: it is booked once, and in its turn. Whatever else cannot be
    read is left out and named in the description; the comparison with the account then tells.
    """
    row = Row(value, "an activity")
    kind = row.word("activity_type", "missing")
    id_ = row.text("id")
    is_fill = kind == "FILL"
    names = ("qty", "price", "net_amount")
    numbers = {name: as_number(row.raw(name)) for name in names}
    unreadable = [name for name in names if row.raw(name) is not None and numbers[name] is None]
    quantity = numbers["qty"]
    if is_fill:
        quantity = None if quantity is None else abs(quantity)
    elif _counts_shares_paid_for(row, kind):
        quantity = None
    return Activity(
        id=id_,
        kind=kind,
        at=_when(row, id_),
        symbol=row.word("symbol", "") or None,
        quantity=quantity,
        price=numbers["price"],
        net_amount=numbers["net_amount"],
        side=_SIDES.get(row.word("side", "")) if is_fill else None,
        order_id=row.word("order_id", "") or None,
        group=row.word("group_id", "") or None,
        status=row.word("status", "") or None,
        description=_described(row, unreadable),
    )


def _counts_shares_paid_for(row: Row, kind: str) -> bool:
    """Say whether `qty` is what a payment was for, not a change (Alpaca: NonTradeActivities).

    A dividend in shares is one that names no amount a share.
    """
    if as_number(row.raw("per_share_amount")) is not None:
        return True
    return kind.startswith(("DIV", "CGD")) and row.raw("activity_sub_type") != "SDIV"


def _when(row: Row, id_: str) -> datetime:
    """Find when it happened: a time, else a day, else the time that its id begins with."""
    exact = as_time(row.raw("transaction_time"))
    if exact is not None:
        return exact
    day = row.raw("date")
    found = _start_of(day) or as_time(day) or as_time(row.raw("created_at"))
    found = found or _start_of(f"{id_[:4]}-{id_[4:6]}-{id_[6:8]}")
    if found is None:
        raise Unreadable("`date` of an activity cannot be read")
    return found


def _start_of(day: object) -> datetime | None:
    """Give the start of a day in New York, in UTC; None where it is no day."""
    if not isinstance(day, str) or not is_plain(day) or len(day) != len("2026-01-14"):
        return None
    try:
        start = datetime.combine(date.fromisoformat(day), time(), NEW_YORK).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return as_time(start.isoformat())


def _described(row: Row, unreadable: list[str]) -> str:
    text = row.prose("description", TEXT_MAX)
    if not unreadable:
        return text
    return f"{text} (unreadable: {', '.join(unreadable)})".strip()
