from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.decisions.booking import EVENT_DAYS, Books
from executor.decisions.lots import Lots
from executor.model.activity import Activity
from executor.model.ledger import Lot, LotKey, Transfer
from executor.model.numbers import ZERO
from executor.model.position import Position
from tests.decisions.histories import activities, prices, shares, symbols
from tests.decisions.record_builders import NOW

KEY = LotKey("ab" * 32, 0)
IDS = itertools.count()


def line(kind: str, symbol: str | None = None, quantity: object = None, **keys: Any) -> Activity:
    """One line of what happened; all of them are of one event unless told otherwise."""
    document = {
        "id": f"line-{next(IDS)}",
        "kind": kind,
        "at": NOW,
        "symbol": symbol,
        "quantity": None if quantity is None else str(quantity),
        "group": "event",
    }
    return Activity.model_validate({**document, **keys})


def holding(quantity: str = "10", cost: str = "1000", symbol: str = "MU", **lots: str) -> Books:
    """Books that hold one position, with lots by stop price as `s90="4"`."""
    books = Books(positions={symbol: Position(symbol, Decimal(quantity), Decimal(cost))})
    for index, (stop, size) in enumerate(lots.items()):
        key = LotKey(KEY.plan_digest, index)
        books.lots.put(Lot(key, symbol, Decimal(size), Decimal(stop[1:])))
    return books


def booked(books: Books, *lines: Activity) -> Books:
    for one in lines:
        books.activity(one)
    return books


def worth(books: Books) -> Decimal:
    """Cash and cost, less all that explains them: what no booking may change."""
    cost = sum((one.cost_basis for one in books.positions.values()), ZERO)
    return books.cash + cost - books.realized - books.income - books.transfers


def held(books: Books) -> dict[str, tuple[Decimal, Decimal]]:
    return {one.symbol: (one.quantity, one.cost_basis) for one in books.positions.values()}


def lots(books: Books) -> Any:
    return [(one.symbol, one.quantity, one.stop_price) for one in books.lots.by_key().values()]


def totals(books: Books) -> tuple[object, ...]:
    return (books.cash, books.realized, books.income, books.transfers, held(books), lots(books))


fills = st.tuples(symbols, st.sampled_from(("buy", "sell")), shares, prices)


@given(st.lists(st.one_of(fills, activities()), max_size=12))
def test_no_booking_makes_money_out_of_nothing(history: list[Any]) -> None:
    books = Books()
    for one in history:
        if isinstance(one, Activity):
            books.activity(one)
        else:
            books.fill(*one)
        assert worth(books) == ZERO
        assert all(one.quantity for one in books.positions.values())


@given(
    st.lists(st.tuples(symbols, shares, prices), max_size=6),
    st.lists(st.one_of(fills, activities()), max_size=10),
)
def test_lots_never_exceed_the_holding(bought: list[Any], history: list[Any]) -> None:
    books = Books()
    for index, (symbol, quantity, price) in enumerate(bought):
        books.fill(symbol, "buy", quantity, price)
        books.lots.put(Lot(LotKey("ab" * 32, index), symbol, quantity, price))
    for one in history:
        if isinstance(one, Activity):
            books.activity(one)
        else:
            symbol, side, quantity, price = one
            books.fill(symbol, side, quantity, price, LotKey("ab" * 32, 0))
        covered: dict[str, Decimal] = {}
        for lot in books.lots.by_key().values():
            assert lot.quantity > 0
            covered[lot.symbol] = covered.get(lot.symbol, ZERO) + lot.quantity
        for symbol, size in covered.items():
            assert size <= books.position(symbol).quantity


# What pays cash, and what brings or takes capital.


@pytest.mark.parametrize(
    ("kind", "symbol", "amount"),
    [("DIV", "MU", "12.34"), ("INT", None, "-3.21"), ("FEE", None, "-0.02"), ("PTC", "MU", "-1")],
)
def test_what_is_paid_is_income(kind: str, symbol: str | None, amount: str) -> None:
    books = booked(holding(), line(kind, symbol, net_amount=amount))
    assert (books.cash, books.income) == (Decimal(amount), Decimal(amount))
    assert (books.realized, books.transfers, books.transfer_log) == (ZERO, ZERO, [])


@pytest.mark.parametrize(("kind", "amount"), [("CSD", "500"), ("CSW", "-200"), ("JNLC", "0.01")])
def test_capital_is_no_profit(kind: str, amount: str) -> None:
    books = booked(Books(), line(kind, net_amount=amount))
    assert (books.cash, books.transfers) == (Decimal(amount), Decimal(amount))
    assert (books.income, books.realized) == (ZERO, ZERO)
    assert books.transfer_log == [Transfer(NOW, Decimal(amount))]


def test_a_transfer_of_nothing_is_none() -> None:
    assert booked(Books(), line("JNLC")).transfer_log == []


def test_shares_that_are_journaled_come_at_their_price() -> None:
    books = booked(Books(), line("JNLS", "MU", 4, price="250"))
    assert held(books) == {"MU": (Decimal(4), Decimal(1000))}
    assert (books.cash, books.transfers) == (ZERO, Decimal(1000))


def test_shares_that_are_journaled_away_leave_at_their_price_and_lots_shrink() -> None:
    books = booked(holding(s90="10"), line("JNLS", "MU", -4, price="150"))
    assert held(books) == {"MU": (Decimal(6), Decimal(600))}
    assert (books.transfers, books.realized) == (Decimal(-600), Decimal(200))
    assert lots(books) == [("MU", Decimal(6), Decimal(90))]


def test_without_a_price_they_leave_at_their_cost() -> None:
    books = booked(holding(), line("ACATS", "MU", -10))
    assert (held(books), books.transfers, books.realized) == ({}, Decimal(-1000), ZERO)


# Splits.


def test_a_split_changes_shares_and_stops_and_no_cost() -> None:
    books = holding(s90="4", s80="6")
    books.lots.put(Lot(LotKey("cd" * 32, 0), "AMD", Decimal(3), Decimal(50)))
    booked(books, line("SPLIT", "MU", 30))
    assert held(books) == {"MU": (Decimal(40), Decimal(1000))}
    assert lots(books) == [
        ("MU", Decimal(16), Decimal("22.5")),
        ("MU", Decimal(24), Decimal(20)),
        ("AMD", Decimal(3), Decimal(50)),
    ]


def test_a_reverse_split_rounds_stops_down_and_lots_stay_within_the_holding() -> None:
    books = booked(holding("7", "700", s90="7"), line("SPLIT", "MU", "-4.666666667"))
    assert held(books) == {"MU": (Decimal("2.333333333"), Decimal(700))}
    assert lots(books) == [("MU", Decimal("2.333333333"), Decimal("270"))]


def test_targets_and_trailing_stops_follow_too() -> None:
    books = holding()
    books.lots.put(
        Lot(KEY, "MU", Decimal(10), None, Decimal(5), take_profit_price=Decimal("115.01"))
    )
    booked(books, line("SPLIT", "MU", 10))
    (lot,) = books.lots.by_key().values()
    assert (lot.stop_price, lot.trail_percent) == (None, Decimal(5))
    assert (lot.quantity, lot.take_profit_price) == (Decimal(20), Decimal("57.51"))


def test_a_stop_is_never_scaled_to_nothing() -> None:
    books = booked(holding("1", "1", **{"s0.0001": "1"}), line("SPLIT", "MU", 99))
    assert lots(books) == [("MU", Decimal(100), Decimal("0.0001"))]


def test_a_dividend_in_shares_is_a_split() -> None:
    books = booked(holding(s90="10"), line("DIV", "MU", "10"))
    assert held(books) == {"MU": (Decimal(20), Decimal(1000))}
    assert (books.income, lots(books)) == (ZERO, [("MU", Decimal(20), Decimal(45))])


def test_a_split_that_leaves_no_share_is_a_loss() -> None:
    books = booked(holding(s90="10"), line("SPLIT", "MU", -10))
    assert (held(books), books.realized, lots(books)) == ({}, Decimal(-1000), [])


@pytest.mark.parametrize("order", list(itertools.permutations((0, 1))))
def test_a_split_in_two_lines_is_one(order: Sequence[int]) -> None:
    pair = (line("SPLIT", "MU", -10), line("SPLIT", "MU", 40))
    books = booked(holding(s90="10"), *(pair[at] for at in order))
    assert held(books) == {"MU": (Decimal(40), Decimal(1000))}
    assert (books.realized, books.income) == (ZERO, ZERO)
    assert lots(books) == [("MU", Decimal(40), Decimal("22.5"))]


def test_a_short_holding_is_split_as_well() -> None:
    books = booked(holding("-10", "-1000"), line("SPLIT", "MU", -10))
    assert held(books) == {"MU": (Decimal(-20), Decimal(-1000))}


# Events of several lines: their order makes no difference.


def both_ways(make: Any, *lines: Activity) -> Books:
    """Book lines in every order; all of them must end the same."""
    found = [booked(make(), *order) for order in itertools.permutations(lines)]
    assert all(totals(one) == totals(found[0]) for one in found)
    return found[0]


def test_a_new_name_takes_cost_and_stops_along() -> None:
    books = both_ways(
        lambda: holding(s90="4", s80="6"), line("NC", "MU", -10), line("NC", "MUX", 10)
    )
    assert held(books) == {"MUX": (Decimal(10), Decimal(1000))}
    assert lots(books) == [("MUX", Decimal(4), Decimal(90)), ("MUX", Decimal(6), Decimal(80))]
    assert (books.cash, books.realized, books.income) == (ZERO, ZERO, ZERO)


def test_a_new_name_for_another_number_of_shares_scales_stops() -> None:
    books = both_ways(lambda: holding(s90="10"), line("NC", "MU", -10), line("NC", "MUX", 5))
    assert lots(books) == [("MUX", Decimal(5), Decimal(180))]


def test_a_short_holding_has_a_new_name_too() -> None:
    books = booked(holding("-10", "-1000"), line("NC", "MU", 10), line("NC", "MUX", -10))
    assert held(books) == {"MUX": (Decimal(-10), Decimal(-1000))}
    assert (books.realized, books.income) == (ZERO, ZERO)


def test_a_merger_for_shares_moves_the_cost_and_drops_the_stops() -> None:
    books = both_ways(lambda: holding(s90="10"), line("MA", "MU", -10), line("MA", "AMD", 5))
    assert held(books) == {"AMD": (Decimal(5), Decimal(1000))}
    assert (books.realized, books.income, lots(books)) == (ZERO, ZERO, [])


@pytest.mark.parametrize(("paid", "realized"), [("1500", "500"), ("700", "-300")])
def test_a_merger_for_cash_closes_the_holding(paid: str, realized: str) -> None:
    books = booked(holding(s90="10"), line("MA", "MU", -10, net_amount=paid))
    assert (held(books), books.cash, books.realized) == ({}, Decimal(paid), Decimal(realized))
    assert lots(books) == []


@pytest.mark.parametrize(("paid", "cost", "realized"), [("300", "700", "0"), ("1200", "0", "200")])
def test_of_a_merger_for_both_the_cash_comes_out_of_the_cost_first(
    paid: str, cost: str, realized: str
) -> None:
    books = both_ways(
        holding, line("MA", "MU", -10, net_amount=paid), line("MA", "AMD", 5, price="90")
    )
    assert held(books) == {"AMD": (Decimal(5), Decimal(cost))}
    assert (books.realized, books.income) == (Decimal(realized), ZERO)


def test_a_short_merger_is_bought_back() -> None:
    books = booked(holding("-10", "-1000"), line("MA", "MU", 10, net_amount="-700"))
    assert (held(books), books.realized) == ({}, Decimal(300))


def test_a_spin_off_takes_its_cost_from_the_parent() -> None:
    child, parent = line("SPIN", "SPN", 5, price="40"), line("SPIN", "MU", 0)
    books = both_ways(lambda: holding(s90="10"), child, parent)
    assert held(books) == {
        "MU": (Decimal(10), Decimal(800)),
        "SPN": (Decimal(5), Decimal(200)),
    }
    assert (books.income, books.realized) == (ZERO, ZERO)
    assert lots(books) == [("MU", Decimal(10), Decimal(90))]


def test_a_spin_off_takes_no_more_than_the_parent_has() -> None:
    books = both_ways(holding, line("SPIN", "SPN", 50, price="40"), line("SPIN", "MU", 0))
    assert {symbol: cost for symbol, (_, cost) in held(books).items()} == {
        "MU": ZERO,
        "SPN": Decimal(1000),
    }


def test_two_spin_offs_of_one_event_take_theirs_each() -> None:
    books = both_ways(
        holding,
        line("SPIN", "SPN", 5, price="40"),
        line("SPIN", "SPO", 10, price="10"),
        line("SPIN", "MU", 0),
    )
    assert {symbol: cost for symbol, (_, cost) in held(books).items()} == {
        "MU": Decimal(700),
        "SPN": Decimal(200),
        "SPO": Decimal(100),
    }


def test_new_shares_that_were_sold_before_the_parent_s_line_leave_no_cost_behind() -> None:
    books = booked(holding(), line("SPIN", "SPN", 50, price="40"))
    books.fill("SPN", "sell", Decimal(50), Decimal(30))
    booked(books, line("SPIN", "MU", 0))
    assert held(books) == {"MU": (Decimal(10), ZERO)}
    assert (books.cash, books.realized, books.income) == (Decimal(1500), Decimal(500), ZERO)


def test_shares_for_which_none_left_are_income_at_their_own_price() -> None:
    books = booked(Books(), line("REO", "MU", 3, price="10", group=None))
    assert (held(books), books.income) == ({"MU": (Decimal(3), Decimal(30))}, Decimal(30))
    assert books.suspense == {}


def test_shares_that_nobody_holds_leave_all_the_same() -> None:
    books = booked(Books(), line("MA", "MU", -3, net_amount="50"))
    assert (held(books), books.realized) == ({"MU": (Decimal(-3), ZERO)}, Decimal(50))


def test_two_lines_that_leave_wait_for_one_that_comes() -> None:
    books = booked(holding(), line("MA", "MU", -4), line("MA", "MU", -6), line("MA", "AMD", 5))
    assert held(books) == {"AMD": (Decimal(5), Decimal(1000))}
    assert books.realized == ZERO


def test_a_line_waits_for_the_others_of_its_event_for_some_time_only() -> None:
    later = NOW + EVENT_DAYS + timedelta(days=1)
    books = booked(holding(), line("MA", "MU", -10, group="old"))
    assert set(books.suspense) == {"old"}
    booked(books, line("REO", "AMD", 1, at=later, group="new"))
    assert set(books.suspense) == {"new"}


# Lots by themselves.


def some_lots(*sizes: tuple[int, object, str]) -> Lots:
    return Lots(
        {
            LotKey("ab" * 32, index): Lot(
                LotKey("ab" * 32, index), "MU", Decimal(str(size)), Decimal(stop)
            )
            for index, size, stop in sizes
        }
    )


def sizes(found: Iterable[Lot]) -> Any:
    return [(one.key.index, one.quantity) for one in found]


def test_the_loosest_stop_goes_first() -> None:
    books = holding(s90="3", s70="4", s80="3")
    books.fill("MU", "sell", Decimal(5), Decimal(100))
    assert lots(books) == [("MU", Decimal(3), Decimal(90)), ("MU", Decimal(2), Decimal(80))]


def test_a_lot_s_own_leg_shrinks_it_first() -> None:
    books = holding(s90="3", s70="4", s80="3")
    books.fill("MU", "sell", Decimal(2), Decimal(100), LotKey("ab" * 32, 0))
    assert sizes(books.lots.by_key().values()) == [(0, 1), (1, 4), (2, 3)]
    books.fill("MU", "sell", Decimal(2), Decimal(100), LotKey("ab" * 32, 0))
    assert sizes(books.lots.by_key().values()) == [(1, 3), (2, 3)]


def test_a_leg_of_another_symbol_or_of_no_lot_shrinks_none() -> None:
    found = some_lots((0, 5, "90"))
    found.sell(LotKey("ab" * 32, 0), "AMD", Decimal(2))
    found.sell(LotKey("ab" * 32, 7), "MU", Decimal(2))
    found.drop(LotKey("ab" * 32, 7))
    assert sizes(found.by_key().values()) == [(0, Decimal(5))]


def test_shares_that_no_lot_covers_are_sold_before_any_stop_shrinks() -> None:
    books = holding("10", "1000", s90="4")
    books.fill("MU", "sell", Decimal(6), Decimal(100))
    assert lots(books) == [("MU", Decimal(4), Decimal(90))]
    books.fill("MU", "sell", Decimal(9), Decimal(100))
    assert lots(books) == []
