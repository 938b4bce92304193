from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.model.context import Context, Line
from executor.model.facts import RecordFacts
from executor.model.order import OrderStatus
from tests.checks.builders import (
    account,
    bare_file,
    context,
    holding,
    line,
    order,
    plan,
    position,
    protective,
    quoted,
    traded,
)


def worked_out(*instructions: dict[str, Any], **changes: Any) -> tuple[Line, ...]:
    return context(plan(*instructions), **changes).lines


def test_a_market_buy_is_judged_at_the_ask_with_the_pad() -> None:
    [buy] = worked_out(line(quantity="84.48"))
    assert buy.quantity == Decimal("84.48")
    assert buy.reference is not None
    assert buy.reference.price == Decimal("331.44")
    assert buy.worst_notional == Decimal("84.48") * Decimal("331.44") * Decimal("1.01")
    assert (buy.held, buy.reduces, buy.pointer) == (Decimal(0), False, "/instructions/0")


def test_a_sell_is_judged_at_the_bid_without_a_pad() -> None:
    [sell] = worked_out(line("SELL"), positions=holding(position()))
    assert sell.worst_notional == 10 * Decimal("331.40")
    assert (sell.held, sell.reduces) == (Decimal(100), True)


def test_the_worst_price_of_each_kind_of_order() -> None:
    limited = line(order_type="limit", limit_price="300")
    waiting = line(order_type="stop", stop_price="400")
    passed = line(order_type="stop", stop_price="300")
    both = line(order_type="stop_limit", stop_price="400", limit_price="410")
    trailing = line(order_type="trailing_stop", trail_percent="10")
    money = line(notional="500")
    lines = worked_out(limited, waiting, passed, both, trailing, money)
    pad = Decimal("1.01")
    assert [one.worst_notional for one in lines] == [
        3000,
        4000 * pad,
        Decimal("3314.4") * pad,
        4100,
        Decimal("3645.84") * pad,
        500,
    ]
    # A SELL may bring more than its limit, so the limit says nothing about the worst of it.
    [sell] = worked_out(line("SELL", order_type="limit", limit_price="400"))
    assert sell.worst_notional == Decimal(3314)


def test_an_older_price_widens_the_pad() -> None:
    [buy] = worked_out(line(), prices={"MU": traded("100")})
    assert buy.worst_notional == 10 * 100 * Decimal("1.02")


def test_without_a_price_only_what_the_plan_says_is_known() -> None:
    limited = line(order_type="limit", limit_price="300")
    market, priced, money = worked_out(line(), limited, line(notional="500"), prices={})
    assert market.reference is None
    assert [market.quantity, market.worst_notional] == [10, None]
    assert [priced.quantity, priced.worst_notional] == [10, 3000]
    assert [money.quantity, money.worst_notional] == [None, 500]
    # With a quote that is none, as well.
    [odd] = worked_out(line(), prices={"MU": quoted("2", "1")})
    assert odd.worst_notional == 10 * 2 * Decimal("1.02")


def test_a_notional_is_worked_out_in_shares() -> None:
    [money] = worked_out(line(notional="331.44"))
    assert money.quantity == 1


def test_all_is_what_is_available() -> None:
    held = holding(position(quantity="100", available=Decimal(70)))
    [everything] = worked_out(line("SELL", quantity="all"), positions=held)
    assert everything.quantity == 70


@pytest.mark.parametrize(
    ("action", "held"),
    [
        ("SELL", {}),
        ("SELL", None),
        ("SELL", holding(position(available=Decimal(0)))),
        ("SELL", holding(position(quantity="-5", available=Decimal(-5)))),
        ("BUY", holding(position())),
    ],
)
def test_all_of_nothing_is_not_known(action: str, held: object) -> None:
    [everything] = worked_out(line(action, quantity="all"), positions=held)
    assert everything.quantity is None
    assert everything.worst_notional is None


@pytest.mark.parametrize(
    ("action", "held", "quantity", "reduces"),
    [
        ("SELL", "100", "10", True),
        ("SELL", "5", "10", True),  # `oversell` says no to it
        ("SELL", "-5", "10", False),
        ("BUY", "100", "10", False),
        ("BUY", "-10", "10", True),
        ("BUY", "-9", "10", False),
    ],
)
def test_what_only_reduces(action: str, held: str, quantity: str, reduces: bool) -> None:
    subject = context(
        plan(line(action, quantity=quantity)), positions=holding(position(quantity=held))
    )
    assert subject.lines[0].reduces is reduces
    assert len(subject.exits) == reduces
    assert len(subject.openings) == (not reduces)


def test_a_buy_of_an_unknown_number_of_shares_opens() -> None:
    held = holding(position(quantity="-10"))
    [money] = worked_out(line(notional="500"), positions=held, prices={})
    assert not money.reduces


def test_a_sell_of_nothing_opens_and_one_of_an_unknown_holding_is_taken_for_an_exit() -> None:
    [short] = worked_out(line("SELL"))
    assert not short.reduces
    [unknown] = context(plan(line("SELL")), facts=bare_file()).lines
    assert (unknown.held, unknown.reduces) == (None, True)


def test_only_trades_are_lines_and_keep_their_index() -> None:
    cancel = line("CANCEL", client_order_id="other-1")
    mixed = (cancel, line("SELL"), line())
    assert [one.index for one in worked_out(*mixed)] == [1, 2]
    assert [one.index for one in worked_out(*mixed, already_sent=frozenset({2}))] == [1]


def test_cancels_and_protects_keep_their_index_and_go_once_they_are_done() -> None:
    mixed = plan(line(), line("CANCEL", client_order_id="a"), line("PROTECT", stop_price="300"))
    subject = context(mixed)
    assert [index for index, _ in subject.cancels] == [1]
    assert [index for index, _ in subject.protects] == [2]
    done = context(mixed, already_sent=frozenset({1, 2}))
    assert (done.cancels, done.protects) == ((), ())


def test_what_our_own_stops_hold_is_free_to_sell_and_other_orders_hold_it_back() -> None:
    held = holding(position(quantity="100", available=Decimal(20)))
    orders = (
        protective(quantity="50"),
        order("MU", "sell", "30"),
        order("MU", "buy", "5", "other-2"),
        order("AMD", "sell", "9", "other-3"),
        order("MU", "sell", "7", "gone", status=OrderStatus.CANCELED),
    )
    subject = context(positions=held, open_orders=orders)
    assert subject.free_to_sell("MU") == 20
    known = context(positions=held, open_orders=orders, protective=frozenset({"stop-1"}))
    assert known.free_to_sell("MU") == 70
    assert [one.client_order_id for one in known.in_the_way("MU")] == ["other-1", "other-2"]
    [sale] = context(
        plan(line("SELL", quantity="all")),
        positions=held,
        open_orders=orders,
        protective=frozenset({"stop-1"}),
    ).lines
    assert sale.quantity == 70


def test_a_pair_of_exits_holds_its_shares_once() -> None:
    stop = protective(client_order_id="leg", quantity="100", broker_status="held")
    target = order("MU", "sell", "100", "target-1", order_class="oco", legs=(stop,))
    held = holding(position(quantity="100", available=Decimal(0)))
    for orders in ((target,), (target, stop)):
        subject = context(positions=held, open_orders=orders, protective=frozenset({"target-1"}))
        assert subject.free_to_sell("MU") == 100
        assert subject.working_orders("MU") == [target]


def test_an_order_that_the_plan_withdraws_holds_nothing_back() -> None:
    held = holding(position(quantity="100", available=Decimal(70)))
    resting = (order("MU", "sell", "30", "ours"),)
    both = plan(line("CANCEL", client_order_id="ours"), line("SELL", quantity="all"))
    known = RecordFacts(positions={}, known_orders=frozenset({"ours"}))
    subject = context(both, positions=held, open_orders=resting, record=known)
    assert subject.free_to_sell("MU") == 100
    assert context(both, positions=held, open_orders=resting).free_to_sell("MU") == 70
    done = context(
        both, positions=held, open_orders=resting, record=known, already_sent=frozenset({0})
    )
    assert done.free_to_sell("MU") == 70


def test_nothing_is_free_of_what_is_not_held_long() -> None:
    for held in ({}, holding(position(quantity="-5"))):
        assert context(positions=held).free_to_sell("MU") == 0
    unknown = context(positions=holding(position()), open_orders=None)
    assert unknown.free_to_sell("MU") == 100


def test_what_a_check_reads_besides_the_lines() -> None:
    held = holding(position())
    subject = context(plan(line(), strategy="momentum"), positions=held, account=account())
    assert subject.book == "momentum"
    assert context().book == "manual"
    assert subject.equity == 100_000
    assert subject.position("MU") == held["MU"]
    assert subject.position("AMD") is None
    assert subject.limits is subject.settings.limits
    found = subject.reference("AMD", "sell")
    assert found is not None
    assert found.price == Decimal("221.08")
    assert subject.reference("XYZ", "buy") is None


def test_a_check_that_reads_what_it_did_not_ask_for_is_our_own_mistake() -> None:
    subject = context(facts=bare_file())
    reads: list[Callable[[Context], object]] = [
        lambda one: one.equity,
        lambda one: one.position("MU"),
        lambda one: one.free_to_sell("MU"),
    ]
    for read in reads:
        with pytest.raises(AssertionError, match="did not name"):
            read(subject)


@given(
    held=st.decimals(-1000, 1000, places=3),
    quantity=st.decimals(Decimal("0.001"), 1000, places=3),
    action=st.sampled_from(["BUY", "SELL"]),
)
def test_what_reduces_never_leaves_more_than_before_unless_it_oversells(
    held: Decimal, quantity: Decimal, action: str
) -> None:
    subject: Context = context(
        plan(line(action, quantity=quantity)), positions=holding(position(quantity=str(held)))
    )
    after = held + (quantity if action == "BUY" else -quantity)
    if subject.exits and not (action == "SELL" and quantity > held):
        assert abs(after) < abs(held)
    if abs(after) < abs(held) and after * held >= 0:
        assert subject.exits
