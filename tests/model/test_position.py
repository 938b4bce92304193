from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.model.numbers import ZERO, decimals
from executor.model.position import Position, Side, apply_fill, fill_notional

QUANTITIES = st.decimals(Decimal("0.000000001"), 10**6, places=9)
PRICES = st.decimals(0, 10**5, places=4)
FILLS = st.lists(
    st.tuples(st.sampled_from(("buy", "sell")), QUANTITIES, PRICES), min_size=1, max_size=8
)


def folded(*fills: tuple[Side, str, str]) -> Position:
    position = Position("MU")
    for side, quantity, price in fills:
        position = apply_fill(position, side, Decimal(quantity), Decimal(price)).position
    return position


def test_nothing_held_has_no_average() -> None:
    assert Position("MU").average_entry_price == ZERO


def test_a_buy_opens_at_its_cost() -> None:
    effect = apply_fill(Position("MU"), "buy", Decimal("84.48"), Decimal("331.44"))
    assert effect.cash_change == Decimal("-28000.05")
    assert effect.realized_pl == ZERO
    assert effect.position == Position("MU", Decimal("84.48"), Decimal("28000.05"))
    assert effect.position.average_entry_price == Decimal("331.439985795")


def test_selling_half_at_a_profit_realizes_half_of_it() -> None:
    held = folded(("buy", "84.48", "331.44"))
    effect = apply_fill(held, "sell", Decimal("42.24"), Decimal("381.156"))
    assert effect.cash_change == Decimal("16100.03")
    assert effect.realized_pl == Decimal("2100.00")
    assert effect.position == Position("MU", Decimal("42.24"), Decimal("14000.02"))


def test_a_short_is_the_mirror_of_a_long() -> None:
    short = folded(("sell", "10", "100"))
    assert short == Position("MU", Decimal(-10), Decimal("-1000.00"))
    assert short.average_entry_price == Decimal(100)
    effect = apply_fill(short, "buy", Decimal(4), Decimal(90))
    assert effect.realized_pl == Decimal("40.00")
    assert effect.position == Position("MU", Decimal(-6), Decimal("-600.00"))


@pytest.mark.parametrize(("first", "then"), [("buy", "sell"), ("sell", "buy")])
def test_a_fill_larger_than_the_holding_opens_the_other_side(first: Side, then: Side) -> None:
    sign = 1 if first == "buy" else -1
    effect = apply_fill(folded((first, "10", "100")), then, Decimal(15), Decimal(110))
    assert effect.position == Position("MU", Decimal(-5 * sign), Decimal("-550.00") * sign)
    assert effect.realized_pl == Decimal("100.00") * sign
    assert effect.cash_change == Decimal("1650.00") * sign


def test_a_fill_without_shares_or_below_zero_is_our_own_mistake() -> None:
    with pytest.raises(AssertionError, match="positive quantity"):
        apply_fill(Position("MU"), "buy", ZERO, Decimal(1))
    with pytest.raises(AssertionError, match="at least 0"):
        apply_fill(Position("MU"), "buy", Decimal(1), Decimal(-1))


@given(FILLS)
def test_cash_and_cost_are_conserved_exactly(fills: list[tuple[Side, Decimal, Decimal]]) -> None:
    position, cash, realized = Position("MU"), ZERO, ZERO
    for side, quantity, price in fills:
        effect = apply_fill(position, side, quantity, price)
        change_of_cost = effect.position.cost_basis - position.cost_basis
        assert effect.cash_change + change_of_cost == effect.realized_pl
        assert effect.cash_change == fill_notional(quantity, price) * (1 if side == "sell" else -1)
        signed = quantity if side == "buy" else -quantity
        assert effect.position.quantity == position.quantity + signed
        position = effect.position
        cash += effect.cash_change
        realized += effect.realized_pl
    assert cash + position.cost_basis == realized


@given(FILLS, PRICES)
def test_closing_everything_leaves_no_cost_behind(
    fills: list[tuple[Side, Decimal, Decimal]], price: Decimal
) -> None:
    position = Position("MU")
    for side, quantity, at in fills:
        position = apply_fill(position, side, quantity, at).position
    if position.quantity:
        side = "sell" if position.quantity > 0 else "buy"
        position = apply_fill(position, side, abs(position.quantity), price).position
    assert position.quantity == 0
    assert position.cost_basis == 0


@given(FILLS)
def test_what_is_booked_is_to_the_cent_and_on_the_side_of_the_shares(
    fills: list[tuple[Side, Decimal, Decimal]],
) -> None:
    position = Position("MU")
    for side, quantity, price in fills:
        effect = apply_fill(position, side, quantity, price)
        position = effect.position
        for amount in (effect.cash_change, effect.realized_pl, position.cost_basis):
            assert decimals(amount) <= 2
        assert position.cost_basis * position.quantity >= 0
        assert position.average_entry_price >= 0
