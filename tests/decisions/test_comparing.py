from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from executor.decisions.comparing import (
    CASH,
    cash_difference,
    compare,
    fills_since,
    foreign_orders,
    observed_order,
)
from executor.decisions.ledger import fold
from executor.decisions.notes import observed_result
from executor.model.account import Mode
from executor.model.ledger import Ledger, Order
from executor.model.order import OrderReport, OrderStatus
from executor.model.position import Position, fill_notional
from executor.model.result import ExecutionResult, Observed
from executor.model.settings import SettleSettings
from tests.checks.builders import account, holding, position
from tests.decisions.record_builders import NOW, line_result
from tests.decisions.test_results import record
from tests.decisions.toy_broker import working

SETTLE = SettleSettings()
ZERO = Decimal(0)
NOBODY: frozenset[str] = frozenset()


def ledger(*positions: Position, cash: object = 100_000, **keys: Any) -> Ledger:
    held = {one.symbol: one for one in positions}
    return Ledger(opening_cash=Decimal(str(cash)), positions=held, **keys)


def theirs(quantity: object = 10, filled: object = 0, **keys: Any) -> OrderReport:
    """An order that is none of ours."""
    shares = Decimal(str(filled))
    base: dict[str, Any] = {
        "filled_quantity": shares,
        "average_fill_price": Decimal(300) if shares else None,
        "filled_at": NOW if shares else None,
    }
    return working("theirs", "MU", "buy", quantity, "market", **(base | keys))


def noted(start: Ledger, *observed: Observed) -> Ledger:
    """The ledger once a result holds these."""
    if not observed:
        return start
    return fold([("r", noted_result(*observed))], Mode.SIM, start=start)


def noted_result(*observed: Observed) -> ExecutionResult:
    return observed_result(observed, record(), now=NOW)


def taken(report: OrderReport) -> Observed:
    """The order as somebody took it over."""
    return observed_order(report).model_copy(
        update={
            "acknowledged_by": "alice",
            "book": "manual",
            "fills": fills_since(report, ZERO, None),
        }
    )


# Orders that no commit explains.


def test_a_foreign_order_is_observed_as_it_is() -> None:
    (found,) = foreign_orders(ledger(), [theirs(10, 4)], NOBODY)
    assert (found.kind, found.key, found.symbol, found.side) == ("order", "theirs", "MU", "buy")
    assert (found.quantity, found.filled_quantity) == (Decimal(10), Decimal(4))
    assert (found.average_price, found.status, found.is_over) == (Decimal(300), "new", False)
    assert (found.fills, found.book, found.acknowledged_by) == ((), None, None)


def test_what_a_plan_or_the_record_explains_is_not_foreign() -> None:
    told = Order(line_result(client_order_id="theirs"), "ab" * 32, "manual", "r", NOW)
    assert foreign_orders(ledger(orders={"theirs": told}), [theirs()], NOBODY) == ()
    assert foreign_orders(ledger(), [theirs()], frozenset({"theirs"})) == ()


def test_a_foreign_order_that_came_to_nothing_is_passed_over() -> None:
    ended = theirs(status=OrderStatus.CANCELED, broker_status="canceled")
    assert foreign_orders(ledger(), [ended], NOBODY) == ()
    seen = noted(ledger(), *foreign_orders(ledger(), [theirs()], NOBODY))
    (over,) = foreign_orders(seen, [ended], NOBODY)
    assert over.is_over


@pytest.mark.parametrize(
    "later",
    [
        theirs(10, 7),
        theirs(10, 4, broker_status="held"),
        theirs(10, 4, status=OrderStatus.CANCELED),
    ],
    ids=["more of it filled", "another status", "it has ended"],
)
def test_what_is_new_about_it_is_observed_again(later: OrderReport) -> None:
    seen = noted(ledger(), *foreign_orders(ledger(), [theirs(10, 4)], NOBODY))
    assert len(foreign_orders(seen, [later], NOBODY)) == 1
    assert foreign_orders(seen, [theirs(10, 4)], NOBODY) == ()


def test_what_an_acknowledged_order_filled_since_is_booked() -> None:
    first = noted(ledger(), taken(theirs(10, 4)))
    assert first.positions["MU"].quantity == 4
    (found,) = foreign_orders(first, [theirs(10, 10, average_fill_price=Decimal(303))], NOBODY)
    assert [(str(one.quantity), str(one.price)) for one in found.fills] == [("6", "305.000000000")]
    assert (found.acknowledged_by, found.book) == ("alice", "manual")
    after = noted(first, found)
    assert after.positions["MU"].quantity == 10
    assert after.cash == Decimal("96970.00")
    assert after.observed == {}


@given(st.lists(st.integers(0, 10), min_size=1, max_size=5).map(sorted))
def test_following_an_acknowledged_order_books_each_share_once(looks: list[int]) -> None:
    now = ledger()
    for at, filled in enumerate(looks):
        report = theirs(10, filled, broker_status=f"look {at}")
        seen = foreign_orders(now, [report], NOBODY) if at else (taken(report),)
        now = noted(now, *seen)
    held = sum((one.quantity for one in now.positions.values()), ZERO)
    assert held == looks[-1]
    assert now.cash == 100_000 - 300 * looks[-1]


@pytest.mark.parametrize(
    "report",
    [theirs(), theirs(10, 4, average_fill_price=None), theirs(10, 4, filled_at=None)],
    ids=["nothing filled", "no price", "no time"],
)
def test_without_shares_a_price_and_a_time_there_is_no_fill(report: OrderReport) -> None:
    assert fills_since(report, ZERO, None) == ()


@pytest.mark.parametrize("name", ["filled_at", "updated_at", "submitted_at"])
def test_a_fill_is_of_the_best_time_that_is_known(name: str) -> None:
    times = {"filled_at": None, "updated_at": None, "submitted_at": None}
    report = theirs(10, 4, **(times | {name: NOW + timedelta(minutes=1)}))
    (found,) = fills_since(report, ZERO, None)
    assert found.at == NOW + timedelta(minutes=1)


# Positions.


def found(start: Ledger, *held: Any, **changes: Any) -> dict[str, Decimal | None]:
    """Differences by key."""
    result = compare(start, account(**changes), holding(*held), SETTLE)
    return {one.key: one.quantity for one in result.observed}


def test_a_record_that_agrees_is_silent() -> None:
    start = ledger(Position("MU", Decimal(10), Decimal("3314.40")))
    result = compare(start, account(), holding(position("MU", "10")), SETTLE)
    assert (result.observed, result.warnings) == ((), ())


@pytest.mark.parametrize(
    ("booked", "held", "difference"), [("10", "12", 2), ("10", "9.5", "-0.5"), ("10", None, -10)]
)
def test_a_difference_of_shares_is_observed_however_small(
    booked: str, held: str | None, difference: object
) -> None:
    start = ledger(Position("MU", Decimal(booked), Decimal(3_000)))
    at_broker = [position("MU", held)] if held is not None else []
    assert found(start, *at_broker) == {"MU": Decimal(str(difference))}


def test_shares_that_the_record_knows_nothing_of_are_observed() -> None:
    (one,) = compare(ledger(), account(), holding(position("TSM", "3")), SETTLE).observed
    assert (one.kind, one.key, one.quantity) == ("position", "TSM", Decimal(3))
    assert (one.average_price, one.status, one.is_over) == (Decimal("331.44"), "held", True)


sizes = st.integers(-5, 5).map(Decimal)


@given(st.dictionaries(st.sampled_from(("MU", "AMD")), sizes), st.lists(sizes, max_size=4))
def test_what_is_observed_once_is_not_observed_again_and_takes_itself_back(
    booked: dict[str, Decimal], looks: list[Decimal]
) -> None:
    positions = [Position(name, count, count * 300) for name, count in booked.items() if count]
    now = ledger(*positions)
    for count in looks:
        held = [position("MU", str(count))] if count else []
        seen = compare(now, account(), holding(*held), SETTLE).observed
        now = noted(now, *seen)
        assert compare(now, account(), holding(*held), SETTLE).observed == ()
    agreed = [position(one.symbol, str(one.quantity)) for one in positions]
    back = noted(now, *compare(now, account(), holding(*agreed), SETTLE).observed)
    assert back.observed == {}
    assert back.positions == now.positions


def test_acknowledged_shares_are_the_records() -> None:
    (seen,) = compare(ledger(), account(), holding(position("TSM", "3")), SETTLE).observed
    mine = seen.model_copy(update={"acknowledged_by": "alice", "book": "manual"})
    after = noted(noted(ledger(), seen), mine)
    assert after.positions["TSM"].quantity == 3
    assert found(after, position("TSM", "3")) == {}


def test_what_a_foreign_order_filled_is_no_difference_of_its_own() -> None:
    seen = noted(ledger(), *foreign_orders(ledger(), [theirs(10, 4)], NOBODY))
    moved = {"cash": Decimal(98_800)}
    assert found(seen, position("MU", "4"), **moved) == {}
    # What differs beside it still is one.
    assert found(seen, position("MU", "5"), **moved) == {"MU": Decimal(1)}


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_shares_and_cash_of_an_unbooked_order_are_taken_out(side: str) -> None:
    start = ledger(Position("MU", Decimal(10), Decimal(3_000)))
    order = working(
        "theirs",
        "MU",
        side,
        4,
        "market",
        filled_quantity=Decimal(4),
        average_fill_price=Decimal(300),
    )
    seen = noted(start, *foreign_orders(start, [order], NOBODY))
    sign = 1 if side == "buy" else -1
    held = position("MU", str(10 + sign * 4))
    assert found(seen, held, cash=Decimal(100_000) - sign * 1_200) == {}


def test_an_order_without_a_price_or_symbol_moves_what_it_can() -> None:
    one = observed_order(theirs(10, 4, average_fill_price=None))
    start = noted(ledger(), one, one.model_copy(update={"key": "other", "symbol": None}))
    assert cash_difference(start, account()) == ZERO
    assert found(start, position("MU", "4")) == {}


# Average prices.


@pytest.mark.parametrize(("price", "warns"), [("331.44", False), ("331.47", False), ("332", True)])
def test_an_average_price_that_differs_by_too_much_is_a_warning(price: str, warns: bool) -> None:
    start = ledger(Position("MU", Decimal(10), Decimal("3314.40")))
    result = compare(start, account(), holding(position("MU", "10", price)), SETTLE)
    assert result.observed == ()
    assert (len(result.warnings) == 1) is warns
    if warns:
        assert result.warnings[0] == (
            "MU: average price 332 USD at the broker, 331.44 USD by the record, over 0.01 %"
        )


def test_prices_are_compared_only_where_the_shares_agree() -> None:
    start = ledger(Position("MU", Decimal(9), Decimal(900)))
    result = compare(start, account(), holding(position("MU", "10"), position("X", "0")), SETTLE)
    assert result.warnings == ()


# Cash.


def test_where_nobody_knows_how_the_account_began_cash_is_not_compared() -> None:
    assert found(Ledger()) == {}
    assert cash_difference(Ledger(), account()) is None


TOLERANCE = Decimal("1.05")
"""0.05 USD and 0.001 % of 100,000 USD."""


@given(st.integers(-400, 400).map(lambda cents: Decimal(cents) / 100))
def test_cash_within_the_tolerance_warns_and_beyond_it_is_observed(difference: Decimal) -> None:
    result = compare(ledger(), account(cash=100_000 + difference), {}, SETTLE)
    if abs(difference) > TOLERANCE:
        (one,) = result.observed
        assert (one.kind, one.key, one.quantity) == ("cash", CASH, difference)
        assert result.warnings == ()
    else:
        assert result.observed == ()
        assert len(result.warnings) == (1 if difference else 0)


def test_a_warning_about_cash_names_both_sides() -> None:
    result = compare(ledger(), account(cash=Decimal("100000.40")), {}, SETTLE)
    assert result.warnings == (
        "cash: 100,000.40 USD at the broker, 100,000.00 USD by the record, within 1.05 USD",
    )


@given(st.integers(-400, 400), st.integers(-400, 400))
def test_a_difference_of_cash_is_observed_again_only_where_it_moved_by_too_much(
    first: int, second: int
) -> None:
    before, after = Decimal(first) / 100, Decimal(second) / 100
    assume(abs(before) > TOLERANCE)
    start = noted(ledger(), *compare(ledger(), account(cash=100_000 + before), {}, SETTLE).observed)
    result = compare(start, account(cash=100_000 + after), {}, SETTLE)
    if abs(after) <= TOLERANCE:
        (back,) = result.observed
        assert back.quantity == 0
        assert noted(start, back).observed == {}
    else:
        assert (result.observed == ()) is (abs(after - before) <= TOLERANCE)


def test_acknowledged_cash_is_the_records() -> None:
    short = account(cash=Decimal(99_990))
    (seen,) = compare(ledger(), short, {}, SETTLE).observed
    mine = seen.model_copy(update={"acknowledged_by": "alice", "book": "manual"})
    after = noted(noted(ledger(), seen), mine)
    assert after.cash == 99_990
    assert compare(after, short, {}, SETTLE).observed == ()


def test_a_cash_of_which_the_size_is_unknown_is_observed_anew() -> None:
    unsized = Observed(kind="cash", key=CASH, quantity=None, status="held")
    start = replace(ledger(), observed={CASH: unsized})
    assert found(start, cash=Decimal(99_990)) == {CASH: Decimal(-10)}


def test_cash_follows_from_fills_to_the_cent() -> None:
    spent = fill_notional(Decimal("84.48"), Decimal("331.4471"))
    start = noted(ledger(), taken(theirs("84.48", "84.48", average_fill_price=Decimal("331.4471"))))
    assert cash_difference(start, account(cash=100_000 - spent)) == 0


def test_what_ended_before_an_account_was_adopted_is_in_its_opening() -> None:
    order = theirs(10, 10, status=OrderStatus.FILLED, broker_status="filled")
    adopted = ledger(opened_at=NOW + timedelta(minutes=1), adopted=True)
    assert foreign_orders(adopted, [order], NOBODY) == ()
    later = replace(order, filled_at=NOW + timedelta(minutes=2))
    assert len(foreign_orders(adopted, [later], NOBODY)) == 1
    assert len(foreign_orders(replace(adopted, adopted=False), [order], NOBODY)) == 1
