from __future__ import annotations

import pytest

from executor.model.facts import RecordFacts
from executor.model.order import OrderStatus
from executor.model.order_id import client_order_id
from executor.model.standing import (
    Obstacle,
    leg_ids,
    obstacles,
    open_at_broker,
    unexplained,
    working,
)
from tests.checks.builders import bare_file, facts, line, lot, order, plan, protective

HOME = "local"
LEG = protective(client_order_id="leg", broker_status="held")
ENTRY = order("MU", "buy", client_order_id="entry", legs=(LEG,))


def test_a_leg_is_told_once_whether_the_broker_lists_it_or_not() -> None:
    for orders in ((ENTRY,), (ENTRY, LEG)):
        assert open_at_broker(orders) == (ENTRY, LEG)
        assert working(orders) == (ENTRY,)
        assert leg_ids(orders) == {"leg"}


def test_the_legs_of_an_entry_that_has_filled_work_and_those_that_ended_do_not() -> None:
    live = protective(client_order_id="leg")
    over = protective(client_order_id="over", status=OrderStatus.CANCELED)
    filled = order("MU", "buy", status=OrderStatus.FILLED, legs=(live, over))
    assert open_at_broker((filled,)) == working((filled,)) == (live,)


@pytest.mark.parametrize(
    ("ticker", "name", "expected"),
    [
        ("MU", "known", None),
        ("MU", client_order_id(HOME, "c" * 64, 1), None),
        ("MU", client_order_id("other", "c" * 64, 1), Obstacle.FOREIGN),
        ("MU", client_order_id("other", "c" * 64, 1, "stop"), Obstacle.FOREIGN),
        ("MU", client_order_id(HOME, "c" * 64, 1, "target"), Obstacle.PROTECTIVE),
        ("MU", "stop-1", Obstacle.PROTECTIVE),
        ("MU", "leg", Obstacle.PROTECTIVE),
        ("AMD", "known", Obstacle.OTHER_SYMBOL),
        ("MU", "nowhere", Obstacle.NOT_OPEN),
    ],
)
def test_what_keeps_an_order_from_being_withdrawn(
    ticker: str, name: str, expected: Obstacle | None
) -> None:
    there = facts(
        open_orders=(
            order(client_order_id="known"),
            order(client_order_id=client_order_id(HOME, "c" * 64, 1)),
            order(client_order_id=client_order_id("other", "c" * 64, 1)),
            order(client_order_id=client_order_id("other", "c" * 64, 1, "stop")),
            order(client_order_id=client_order_id(HOME, "c" * 64, 1, "target")),
            protective(),
            ENTRY,
        ),
        protective=frozenset({"stop-1"}),
        record=RecordFacts(positions={}, known_orders=frozenset({"known", "stop-1", "leg"})),
    )
    asked = plan(line(), line("CANCEL", ticker, client_order_id=name))
    assert obstacles(asked, there, HOME) == {1: expected}


def test_without_the_broker_or_the_record_nothing_is_ours() -> None:
    asked = plan(line("CANCEL", client_order_id="other-1"))
    assert obstacles(asked, bare_file(), HOME) == {0: Obstacle.NOT_OPEN}
    assert obstacles(asked, facts(open_orders=(order(),), record=None), HOME) == {
        0: Obstacle.FOREIGN
    }


def test_what_no_commit_explains() -> None:
    ours = client_order_id(HOME, "c" * 64, 5, "stop")
    there = facts(
        open_orders=(
            order(client_order_id="foreign"),
            order(client_order_id="ended", status=OrderStatus.FILLED),
            order(client_order_id=ours),
            order(client_order_id=client_order_id(HOME, "e" * 64, 0)),
            ENTRY,
        ),
        record=RecordFacts(positions={}, known_orders=frozenset({"entry"}), lots=(lot(),)),
    )
    assert [one.client_order_id for one in unexplained(there)] == [
        "foreign",
        client_order_id(HOME, "e" * 64, 0),
    ]
