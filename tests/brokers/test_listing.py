"""Orders page by page: none lost at the seam, none twice, no page for ever."""

from __future__ import annotations

from datetime import timedelta

import pytest

from executor.brokers.listing import PAGE
from executor.errors import BrokerUnavailable
from executor.model.fields import timestamp_text
from executor.model.order_id import client_order_id
from tests.brokers.support import NOON, ORDER, answer, scripted


def page(*numbers: int, at: str | None = None) -> list[dict[str, object]]:
    """Orders with these numbers, a second apart, or all at one moment."""
    return [
        {
            **ORDER,
            "id": f"id-{one}",
            "client_order_id": f"ai-{one}",
            "submitted_at": at or timestamp_text(NOON + timedelta(seconds=one)),
        }
        for one in numbers
    ]


def test_a_short_page_is_the_last() -> None:
    broker, transport, _ = scripted(answer(page(1, 2)))
    assert [one.client_order_id for one in broker.orders_since(NOON)] == ["ai-1", "ai-2"]
    assert transport.asked[0][3] == {
        "status": "all",
        "after": "2026-01-14T17:00:00Z",
        "direction": "asc",
        "limit": "500",
        "nested": "false",
    }


def test_the_next_page_overlaps_a_little_and_nothing_comes_twice() -> None:
    broker, transport, _ = scripted(answer(page(*range(PAGE))), answer(page(PAGE - 1, PAGE)))
    found = broker.open_orders()
    assert [one.client_order_id for one in found] == [f"ai-{one}" for one in range(PAGE + 1)]
    assert transport.asked[1][3]["after"] == "2026-01-14T17:08:18.999999Z"


@pytest.mark.parametrize("at", ["2026-01-14T17:00:00Z", "never"])
def test_pages_that_do_not_go_on_are_no_answer(at: str) -> None:
    broker, _, _ = scripted(answer(page(*range(PAGE), at=at)))
    with pytest.raises(BrokerUnavailable, match="do not go on"):
        broker.open_orders()


def test_one_unreadable_order_of_ours_is_no_list() -> None:
    ours = {"client_order_id": client_order_id("a/b", "0" * 64, 0), "side": None}
    broker, _, _ = scripted(answer([*page(1), {**ORDER, **ours}]))
    with pytest.raises(BrokerUnavailable, match="`side` of an order"):
        broker.open_orders()


def test_an_order_of_another_program_that_cannot_be_read_still_counts() -> None:
    legs = {**page(1)[0], "client_order_id": "options-1", "symbol": "", "side": None}
    broker, _, _ = scripted(answer([legs, *page(2)]))
    foreign, ours = broker.open_orders()
    assert (foreign.client_order_id, foreign.status.is_terminal) == ("options-1", False)
    assert ours.client_order_id == "ai-2"
