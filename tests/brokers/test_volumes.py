"""Average volumes: complete days only, at most twenty, all pages."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from executor.errors import BrokerUnavailable
from executor.model.fields import timestamp_text
from tests.brokers.support import NOON, answer, scripted

MIDNIGHT = NOON - timedelta(hours=12)
"""Of this day, New York's: where today's bar starts."""


def bars(*volumes: object, newest: int = 1) -> list[dict[str, object]]:
    """Daily bars that end so many days ago, the oldest first."""
    ages = range(newest + len(volumes) - 1, newest - 1, -1)
    return [
        {"t": timestamp_text(MIDNIGHT - timedelta(days=age)), "v": volume}
        for age, volume in zip(ages, volumes, strict=True)
    ]


def test_the_running_day_does_not_count() -> None:
    told = {"MU": bars(10, 20, 999, newest=0), "AAPL": bars(5, newest=0)}
    broker, _, _ = scripted(answer({"bars": told, "next_page_token": None}))
    assert broker.average_volumes(["AAPL", "MU"]) == {"MU": 15}


def test_only_the_last_twenty_count() -> None:
    told = {"MU": bars(*[1_000_000] * 5, *range(1, 21))}
    broker, _, _ = scripted(answer({"bars": told}))
    assert broker.average_volumes(["MU"]) == {"MU": Decimal("10.5")}


def test_pages_are_joined() -> None:
    broker, transport, _ = scripted(
        answer({"bars": {"MU": bars(3, newest=2)}, "next_page_token": "more"}),
        answer({"bars": {"MU": bars(4), "AAPL": bars(8)}, "next_page_token": ""}),
    )
    assert broker.average_volumes(["MU", "AAPL"]) == {"MU": Decimal("3.5"), "AAPL": 8}
    first, second = (one[3] for one in transport.asked)
    assert first["feed"] == "iex"
    assert first["timeframe"] == "1Day"
    assert "page_token" not in first
    assert second["page_token"] == "more"


def test_no_bars_are_no_average() -> None:
    broker, _, _ = scripted(answer({"bars": None, "next_page_token": None}))
    assert broker.average_volumes(["MU"]) == {}


def test_a_third_is_rounded() -> None:
    broker, _, _ = scripted(answer({"bars": {"MU": bars(1, 1, 2)}}))
    assert broker.average_volumes(["MU"]) == {"MU": Decimal("1.333333333")}


def test_pages_without_end_are_no_answer() -> None:
    broker, _, _ = scripted(answer({"bars": {}, "next_page_token": "more"}))
    with pytest.raises(BrokerUnavailable, match="without end"):
        broker.average_volumes(["MU"])
