from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.decisions.acknowledging import outstanding, taken_over
from executor.decisions.ledger import fold
from executor.decisions.notes import observed_result, opening_result
from executor.decisions.results import account_record
from executor.model.account import AccountRecord, Mode
from executor.model.facts import AccountFacts, PositionFacts
from executor.model.ledger import Ledger
from executor.model.numbers import cents
from executor.model.order import OrderReport, OrderStatus
from executor.model.result import ExecutionResult, Observed, OpeningPosition, OpeningRecord
from tests.checks.builders import NOW, SHIPPED, account, holding, order, position
from tests.decisions.record_builders import numbered

SETTINGS = SHIPPED.settle


class Account:
    """An account and its record, which begins with some shares of MU and 100,000 USD."""

    def __init__(self, recorded: str = "10", cost: str = "3000") -> None:
        opened = OpeningRecord(
            cash=Decimal(100_000),
            positions=(
                OpeningPosition(
                    symbol="MU",
                    quantity=Decimal(recorded),
                    cost_basis=Decimal(cost),
                    strategy="manual",
                ),
            ),
            by="alice",
        )
        self.results: list[ExecutionResult] = [opening_result(opened, self._after(), now=NOW)]

    @staticmethod
    def _after() -> AccountRecord:
        return account_record(account(), (), (), Mode.SIM)

    @property
    def ledger(self) -> Ledger:
        return fold(numbered(self.results), Mode.SIM)

    def found(
        self,
        *positions: PositionFacts,
        orders: Sequence[OrderReport] = (),
        facts: AccountFacts | None = None,
    ) -> dict[str, Observed]:
        held = holding(*positions)
        return outstanding(self.ledger, orders, facts or account(), held, SETTINGS)

    def sees(self, *seen: Observed) -> None:
        self.results.append(observed_result(seen, self._after(), now=NOW))

    def takes(
        self,
        seen: Observed,
        *,
        report: OrderReport | None = None,
        held: PositionFacts | None = None,
    ) -> Observed:
        taken = taken_over(
            seen, self.ledger, report=report, held=held, by="alice", book="manual", now=NOW
        )
        self.sees(taken)
        return taken


AS_RECORDED = position("MU", "10", "300")


def test_an_account_that_agrees_has_nothing_outstanding() -> None:
    assert Account().found(AS_RECORDED) == {}


@given(
    st.decimals("0.000000001", 1_000, places=9),
    st.decimals(0, 100_000, places=2),
    st.decimals("0.000000001", 1_000, places=9),
    st.decimals(0, 900, places=4),
)
def test_acknowledged_shares_leave_quantity_and_cost_as_the_broker_tells_them(
    recorded: Decimal, cost: Decimal, quantity: Decimal, price: Decimal
) -> None:
    ours = Account(str(recorded), str(cost))
    there = position("MU", str(quantity), str(price))
    found = ours.found(there)
    if recorded == quantity:
        assert found == {}
        return
    ours.takes(found["MU"], held=there)
    booked = ours.ledger.positions["MU"]
    assert booked.quantity == quantity
    assert booked.cost_basis >= 0
    assert ours.found(there) == {}
    if quantity > recorded and quantity * price >= cost:
        assert abs(booked.cost_basis - cents(quantity * price)) <= Decimal("0.01")


def test_shares_that_are_gone_leave_at_what_they_cost() -> None:
    ours = Account()
    taken = ours.takes(ours.found()["MU"])
    assert taken.quantity == -10
    assert taken.average_price == 300
    assert ours.ledger.positions == {}
    assert ours.ledger.realized_pl == 0


def test_where_no_price_makes_the_costs_agree_the_brokers_average_is_taken() -> None:
    ours = Account("10", "3000")
    there = position("MU", "11", "100")  # more shares, at less cost than the record has
    taken = ours.takes(ours.found(there)["MU"], held=there)
    assert taken.average_price == 100
    gone = Account("10", "3000")
    dearer = position("MU", "9", "400")  # fewer shares, at more cost
    assert gone.takes(gone.found(dearer)["MU"], held=dearer).average_price == 400


FILLED = order(
    "AMD",
    "buy",
    "5",
    "somebody-else",
    status=OrderStatus.FILLED,
    broker_status="filled",
    filled_quantity=Decimal(5),
    average_fill_price=Decimal(200),
    filled_at=NOW,
)
AFTER_IT = (AS_RECORDED, position("AMD", "5", "200"))
PAID = account(cash=Decimal(99_000))


def test_an_order_books_its_fills_and_explains_shares_and_cash() -> None:
    ours = Account()
    seen = ours.found(*AFTER_IT, orders=[FILLED], facts=PAID)["somebody-else"]
    ours.sees(seen)
    # What an observed order filled is no difference of its own.
    assert list(ours.found(*AFTER_IT, orders=[FILLED], facts=PAID)) == ["somebody-else"]
    taken = ours.takes(seen, report=FILLED)
    assert [(int(one.quantity), int(one.price)) for one in taken.fills] == [(5, 200)]
    assert (taken.acknowledged_by, taken.book, taken.is_over) == ("alice", "manual", True)
    assert ours.found(*AFTER_IT, orders=[FILLED], facts=PAID) == {}


def test_an_order_that_filled_on_since_it_was_seen_books_all_of_it() -> None:
    ours = Account()
    early = replace(
        FILLED, status=OrderStatus.OPEN, filled_quantity=Decimal(2), broker_status="new"
    )
    ours.sees(ours.found(orders=[early])["somebody-else"])
    taken = ours.takes(ours.ledger.observed["somebody-else"], report=FILLED)
    assert [one.quantity for one in taken.fills] == [5]
    assert ours.ledger.observed == {}


def test_an_order_that_the_broker_forgot_books_what_was_seen() -> None:
    ours = Account()
    ours.sees(ours.found(*AFTER_IT, orders=[FILLED], facts=PAID)["somebody-else"])
    taken = ours.takes(ours.ledger.observed["somebody-else"])
    (fill,) = taken.fills
    assert (int(fill.quantity), int(fill.price), fill.at) == (5, 200, NOW)
    assert ours.found(*AFTER_IT, facts=PAID) == {}


def test_an_order_that_filled_nothing_books_nothing() -> None:
    ours = Account()
    rests = order("AMD", "buy", "5", "somebody-else")
    ours.sees(ours.found(AS_RECORDED, orders=[rests])["somebody-else"])
    seen = ours.ledger.observed["somebody-else"]
    assert ours.takes(seen, report=rests).fills == ()
    assert ours.takes(seen).fills == ()


@pytest.mark.parametrize("difference", ["250", "-0.01"])
def test_any_difference_of_cash_may_be_acknowledged(difference: str) -> None:
    ours = Account()
    facts = account(cash=100_000 + Decimal(difference))
    seen = ours.found(AS_RECORDED, facts=facts)["CASH"]
    assert seen.quantity == Decimal(difference)
    ours.takes(seen)
    assert ours.ledger.transfers == Decimal(difference)
    assert ours.found(AS_RECORDED, facts=facts) == {}


def test_what_explained_itself_is_no_longer_asked_about() -> None:
    ours = Account()
    more = position("MU", "12", "300")
    ours.sees(ours.found(more)["MU"])
    assert ours.found(AS_RECORDED) == {}
    assert ours.found(more)["MU"].quantity == 2
