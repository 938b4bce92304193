from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.decisions.ledger import fold
from executor.decisions.legs import is_news, leg_result, never_arrived, unsent_leg
from executor.decisions.protection import Role
from executor.model.account import Mode
from executor.model.ledger import LotKey, Order
from executor.model.order import OrderReport, OrderRequest, OrderStatus
from executor.model.order_id import client_order_id
from executor.model.order_result import LegResult, Outcome, Refusal, StopTerms
from tests.decisions.record_builders import (
    NOW,
    PLAN_DIGEST,
    fill,
    line_result,
    numbered,
    piece,
    result,
)
from tests.decisions.toy_broker import working

ROLE = Role(LotKey(PLAN_DIGEST, 2), "stop", 1)
KEY = client_order_id("local", PLAN_DIGEST, 2, "stop", 1)
AT = NOW + timedelta(hours=1)


def stop(**changes: Any) -> OrderReport:
    keys: dict[str, Any] = {"stop_price": Decimal(300), "submitted_at": NOW}
    return working(KEY, quantity=10, **(keys | changes))


def filled(quantity: object = 10, price: object = 299, **changes: Any) -> OrderReport:
    keys: dict[str, Any] = {
        "status": OrderStatus.FILLED,
        "filled_quantity": Decimal(str(quantity)),
        "average_fill_price": Decimal(str(price)),
        "filled_at": AT,
    }
    return stop(**(keys | changes))


def told(report: OrderReport, **keys: Any) -> LegResult:
    base: dict[str, Any] = {"seen_at": AT, "strategy": "manual"}
    return leg_result(ROLE, report, **(base | keys))


def test_a_leg_says_which_plan_and_line_it_serves() -> None:
    found = told(stop())
    assert (found.plan_digest, found.index, found.leg) == (PLAN_DIGEST, 2, "stop")
    assert (found.outcome, found.fills, found.parent) == (Outcome.OPEN, (), None)
    assert (found.ticker, found.side, found.quantity) == ("MU", "sell", Decimal(10))
    assert (found.stop_price, found.time_in_force) == (Decimal(300), "gtc")
    assert (found.client_order_id, found.broker_order_id) == (KEY, f"broker {KEY}")
    assert found.submitted_at == NOW


def test_a_leg_that_the_broker_made_names_what_it_hangs_on() -> None:
    role = Role(ROLE.key, "target", 0, "ai-entry")
    one = working("theirs", order_type="limit", limit_price=Decimal(360), order_class="bracket")
    found = leg_result(role, one, seen_at=AT, strategy="manual")
    assert (found.leg, found.parent, found.order_class) == ("target", "ai-entry", "bracket")
    assert found.limit_price == Decimal(360)


@pytest.mark.parametrize(
    ("word", "expected"), [("simple", None), ("", None), ("oco", "oco"), ("oto", "oto")]
)
def test_only_a_class_of_several_orders_is_told(word: str, expected: str | None) -> None:
    assert told(stop(order_class=word)).order_class == expected


@pytest.mark.parametrize(("book", "expected"), [("manual", "manual"), ("", None), (None, None)])
def test_a_leg_of_no_known_book_has_none(book: str | None, expected: str | None) -> None:
    assert told(stop(), strategy=book).strategy == expected


def test_the_arrival_price_of_a_stop_is_the_stop() -> None:
    found = told(filled())
    assert found.arrival_price == Decimal(300)
    assert found.slippage_bps == Decimal("33.33")
    assert found.fills == (fill(10, 299, AT),)


def test_what_filled_before_is_not_told_again() -> None:
    half = told(filled(4, 300, status=OrderStatus.OPEN))
    rest = told(filled(10, "299.4"), earlier=half)
    assert [(str(one.quantity), str(one.price)) for one in rest.fills] == [("6", "299.000000000")]
    assert rest.arrival_price == half.arrival_price


def test_what_the_broker_forgets_is_kept() -> None:
    earlier = told(stop())
    assert told(stop(submitted_at=None), earlier=earlier).submitted_at == NOW
    assert told(stop(submitted_at=None)).submitted_at is None


def test_its_pieces_are_its_fills() -> None:
    pieces = (piece(4, 300), piece(6, 299, 1))
    assert [one.quantity for one in told(filled(10, "299.4"), pieces=pieces).fills] == [4, 6]


@given(st.lists(st.integers(0, 10), min_size=1, max_size=5).map(sorted))
def test_following_a_stop_sells_each_share_once(looks: list[int]) -> None:
    bought = line_result(2, fills=[fill("10", "330")], stop=StopTerms(stop_loss_pct=Decimal(8)))
    results = [result(bought)]
    earlier: LegResult | None = None
    for quantity in looks:
        status = OrderStatus.FILLED if quantity == 10 else OrderStatus.OPEN
        price = Decimal(299) if quantity else None
        report = stop(status=status, filled_quantity=Decimal(quantity), average_fill_price=price)
        found = told(report, earlier=earlier)
        if is_news(found, earlier):
            results.append(result(legs=(found,), kind="settlement"))
            earlier = found
    ledger = fold(numbered(results), Mode.SIM)
    held = sum((one.quantity for one in ledger.positions.values()), Decimal(0))
    covered = sum((one.quantity for one in ledger.lots.values()), Decimal(0))
    assert held == covered == 10 - looks[-1]


# What is news.


def test_an_order_that_no_result_tells_is_news() -> None:
    assert is_news(told(stop()), None)


def test_the_same_again_is_no_news() -> None:
    earlier = told(stop())
    assert not is_news(told(stop(), earlier=earlier), earlier)


@pytest.mark.parametrize(
    "change",
    [
        {"status": OrderStatus.CANCELED},
        {"broker_order_id": "another"},
        {"filled_quantity": Decimal(4), "average_fill_price": Decimal(300)},
    ],
    ids=["an end", "another id", "a fill"],
)
def test_every_change_is_news(change: dict[str, Any]) -> None:
    earlier = told(stop())
    assert is_news(told(stop(**change), earlier=earlier), earlier)


REQUEST = OrderRequest(
    client_order_id=KEY,
    symbol="MU",
    side="sell",
    order_type="limit",
    time_in_force="gtc",
    quantity=Decimal(10),
    order_class="oco",
    take_profit_price=Decimal(360),
    stop_loss_price=Decimal(300),
)


def refused(code: int | None = 40310000) -> LegResult:
    refusal = Refusal(status=403, code=code, body="{}")
    return unsent_leg(ROLE, REQUEST, Outcome.REJECTED, strategy="manual", refusal=refusal)


def test_what_the_broker_refused_is_told_with_its_prices() -> None:
    found = refused()
    assert (found.outcome, found.client_order_id) == (Outcome.REJECTED, KEY)
    assert (found.limit_price, found.stop_price) == (Decimal(360), Decimal(300))
    assert (found.order_class, found.broker_order_id) == ("oco", None)
    assert found.refusal is not None


def test_what_nobody_knows_of_has_no_refusal() -> None:
    simple = OrderRequest(KEY, "MU", "sell", "stop", "gtc", Decimal(1), stop_price=Decimal(300))
    found = unsent_leg(ROLE, simple, Outcome.UNKNOWN, strategy="")
    assert (found.outcome, found.refusal, found.strategy) == (Outcome.UNKNOWN, None, None)
    assert (found.order_class, found.stop_price, found.limit_price) == (None, Decimal(300), None)


def test_what_never_arrived_was_not_sent() -> None:
    simple = OrderRequest(KEY, "MU", "sell", "stop", "gtc", Decimal(1), stop_price=Decimal(300))
    unknown = unsent_leg(ROLE, simple, Outcome.UNKNOWN, strategy="manual")
    found = never_arrived(Order(unknown, PLAN_DIGEST, "manual", "a result", NOW, "stop"))
    assert found == unknown.model_copy(update={"outcome": Outcome.NOT_SENT})


@pytest.mark.parametrize(
    ("code", "earlier", "news"),
    [
        (40310000, 40310000, False),
        (40310000, 42210000, True),
        (None, None, False),
        (None, 40310000, True),
    ],
)
def test_the_same_refusal_again_is_no_news(
    code: int | None, earlier: int | None, news: bool
) -> None:
    assert is_news(refused(code), refused(earlier)) is news


def test_a_first_refusal_of_an_order_is_news() -> None:
    without = refused().model_copy(update={"refusal": None})
    assert is_news(refused(), without)
    assert not is_news(without, refused())
