from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from executor.decisions.adopting import explained, opening
from executor.decisions.ledger import fold
from executor.decisions.notes import observed_result, opening_result
from executor.decisions.results import account_record
from executor.model.account import Mode
from executor.model.facts import PositionFacts
from executor.model.numbers import cents
from executor.model.result import Observed
from tests.checks.builders import NOW, account, position
from tests.decisions.record_builders import numbered

held = st.lists(
    st.builds(
        lambda symbol, quantity, price: position(symbol, str(quantity), str(price)),
        st.sampled_from(["MU", "AMD", "TSM", "BTC/USD"]),
        st.decimals(-1_000, 1_000, places=9),
        st.decimals(0, 5_000, places=4),
    ),
    unique_by=lambda one: one.symbol,
)


@given(held, st.decimals(-100_000, 100_000, places=4))
def test_the_ledger_begins_with_what_the_account_holds(
    positions: list[PositionFacts], cash: Decimal
) -> None:
    facts = account(cash=cash)
    opened = opening(facts, positions, book="manual", by="alice")
    after = account_record(facts, positions, (), Mode.SIM)
    ledger = fold(numbered([opening_result(opened, after, now=NOW)]), Mode.SIM)
    assert ledger.cash == cents(cash)
    assert {one.symbol: one.quantity for one in positions if one.quantity} == {
        symbol: one.quantity for symbol, one in ledger.positions.items()
    }
    for one in positions:
        if one.quantity:
            cost = ledger.positions[one.symbol].cost_basis
            assert cost == cents(one.quantity * one.average_entry_price)


def test_what_was_observed_before_is_explained_by_it() -> None:
    seen = (
        Observed(kind="position", key="MU", symbol="MU", quantity=Decimal(100), status="held"),
        Observed(kind="cash", key="CASH", quantity=Decimal(5), status="held"),
        Observed(
            kind="order",
            key="somebody-else",
            symbol="MU",
            side="buy",
            filled_quantity=Decimal(100),
            average_price=Decimal(300),
            status="filled",
        ),
    )
    after = account_record(account(), [position()], (), Mode.SIM)
    before = observed_result(seen, after, now=NOW)
    ledger = fold(numbered([before]), Mode.SIM)
    assert len(ledger.observed) == 3
    opened = opening(account(), [position()], book="manual", by="alice")
    note = opening_result(opened, after, now=NOW, seen_before=explained(ledger, opened, "manual"))
    begun = fold(numbered([before, note]), Mode.SIM)
    assert begun.observed == {}
    assert begun.acknowledged["somebody-else"].acknowledged_by == "alice"
    assert begun.positions["MU"].quantity == 100
    assert begun.cash == account().cash
