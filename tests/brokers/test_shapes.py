"""The broker's objects as our values: what is tolerated, and what is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from executor.brokers import shapes
from executor.brokers.parsing import Unreadable
from executor.model.market import Session
from executor.model.order import OrderStatus
from tests.brokers.support import ORDER


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("filled", OrderStatus.FILLED),
        ("canceled", OrderStatus.CANCELED),
        ("expired", OrderStatus.EXPIRED),
        ("rejected", OrderStatus.REJECTED),
        ("replaced", OrderStatus.REPLACED),
        *((one, OrderStatus.OPEN) for one in ("new", "accepted", "pending_cancel", "held")),
        *((one, OrderStatus.OPEN) for one in ("done_for_day", "stopped", "open", "Filled")),
        ("awaiting_allocation", OrderStatus.OPEN),
    ],
)
def test_a_status_is_terminal_only_where_no_fill_can_follow(word: str, status: OrderStatus) -> None:
    report = shapes.order_report({**ORDER, "status": word})
    assert (report.status, report.broker_status) == (status, word)


@pytest.mark.parametrize("gone", ["status", "type", "time_in_force", "qty", "submitted_at"])
def test_an_order_without_what_only_describes_is_still_one(gone: str) -> None:
    report = shapes.order_report({key: value for key, value in ORDER.items() if key != gone})
    assert report.client_order_id == "ai-1"
    assert not report.status.is_terminal


def test_a_canceled_order_keeps_its_fills() -> None:
    told = {**ORDER, "status": "canceled", "filled_qty": 1.5, "filled_avg_price": "331.4400000001"}
    report = shapes.order_report(told | {"filled_qty": Decimal("1.5")})
    assert report.status.is_terminal
    assert (report.filled_quantity, report.average_fill_price) == (
        Decimal("1.5"),
        Decimal("331.44"),
    )


def test_a_fill_without_a_price_cannot_be_booked_and_is_not_guessed() -> None:
    with pytest.raises(Unreadable, match="filled_avg_price"):
        shapes.order_report({**ORDER, "filled_qty": "1", "filled_avg_price": None})


def test_an_order_by_notional_has_no_quantity() -> None:
    report = shapes.order_report({**ORDER, "qty": None, "notional": "25.50"})
    assert (report.quantity, report.notional) == (None, Decimal("25.5"))


@pytest.mark.parametrize("gone", ["id", "client_order_id", "symbol", "side", "filled_qty"])
def test_an_order_without_what_matters_is_none(gone: str) -> None:
    with pytest.raises(Unreadable, match=gone):
        shapes.order_report({key: value for key, value in ORDER.items() if key != gone})


def test_a_position_in_short_form() -> None:
    told = {"symbol": "MU", "qty": "5", "avg_entry_price": "10.005", "market_value": None}
    position = shapes.position_facts(told)
    assert position.quantity == position.available == 5
    assert position.unrealized_pl == 0
    assert position.market_value == Decimal("50.03"), "the cost stands in where there is no price"
    short = shapes.position_facts({**told, "side": "short"})
    assert short.quantity == -5


NEW_YORK_DAYS = [
    ("2026-01-14", "09:30", "16:00", (14, 30), (21, 0)),
    ("2026-07-01", "09:30", "16:00", (13, 30), (20, 0)),
    ("2026-11-27", "09:30", "13:00", (14, 30), (18, 0)),
]


@pytest.mark.parametrize(("date", "opens", "closes", "start", "end"), NEW_YORK_DAYS)
def test_calendar_times_are_new_yorks(
    date: str, opens: str, closes: str, start: tuple[int, int], end: tuple[int, int]
) -> None:
    day = datetime.fromisoformat(date).replace(tzinfo=UTC)
    assert shapes.session({"date": date, "open": opens, "close": closes}) == Session(
        day + timedelta(hours=start[0], minutes=start[1]),
        day + timedelta(hours=end[0], minutes=end[1]),
    )


def test_an_exchange_that_never_closes_has_the_utc_day() -> None:
    found = shapes.session({"date": "2026-03-08", "open": "00:00", "close": "23:59"})
    day = datetime(2026, 3, 8, tzinfo=UTC)
    assert found == Session(day, day + timedelta(days=1))


@pytest.mark.parametrize(
    ("date", "opens", "closes"),
    [
        ("2026-02-30", "09:30", "16:00"),
        ("soon", "09:30", "16:00"),
        ("2026-01-14", "9:30", "16:00"),
        ("2026-01-14", "09:30", "24:00"),
        ("2026-01-14", "16:00", "09:30"),
        ("9999-12-31", "09:30", "23:59"),
        ("9999-12-31", "00:00", "23:59"),
    ],
)
def test_no_calendar_day(date: str, opens: str, closes: str) -> None:
    with pytest.raises(Unreadable):
        shapes.session({"date": date, "open": opens, "close": closes})
