from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from executor.checks.oversell import RULE
from executor.model.facts import RecordFacts
from executor.model.verdict import Answer
from tests.checks.builders import (
    answers,
    context,
    holding,
    judged,
    line,
    only,
    order,
    plan,
    position,
    protective,
    told,
)

HELD = holding(position(quantity="100"))


def test_what_is_held_may_be_sold_to_the_last_share() -> None:
    for quantity in ("42.24", "100", "all"):
        assert answers(RULE, context(plan(line("SELL", quantity=quantity)), positions=HELD)) == [
            Answer.YES
        ]


def test_more_than_is_held_is_denied_and_the_holding_named() -> None:
    verdict = only(RULE, context(plan(line("SELL", quantity="100.5")), positions=HELD))
    assert verdict.answer is Answer.NO
    assert verdict.pointer == "/instructions/0/quantity"
    assert verdict.observed == "MU sell: 100.5 shares in this plan"
    assert verdict.limit == "100 shares held"
    assert verdict.remedy == "sell at most 100 shares, or all"


def test_the_sells_of_a_symbol_are_added_up() -> None:
    sells = plan(line("SELL", quantity="60"), line(), line("SELL", quantity="all"))
    result = judged(RULE, context(sells, positions=HELD))
    assert result.denied == {0, 2}
    assert result.verdicts[0].remedy == "sell at most 100 shares of it in all"


def test_nothing_is_sold_short() -> None:
    for held in ({}, holding(position(quantity="-5"))):
        for quantity in ("10", "all"):
            verdict = only(RULE, context(plan(line("SELL", quantity=quantity)), positions=held))
            assert verdict.answer is Answer.NO
            assert verdict.limit == "nothing is sold short"


def test_an_open_sell_is_named_and_its_shares_are_not_free() -> None:
    resting = (order("MU", "sell", "30"), order("AMD", "sell", "30"), order("MU", "buy", "5"))
    held = holding(position(quantity="100", available=Decimal(70)))
    verdict = only(
        RULE, context(plan(line("SELL", quantity="80")), positions=held, open_orders=resting)
    )
    assert verdict.limit == "100 shares held, 70 shares of them free (open SELL other-1)"
    assert verdict.remedy == "sell at most 70 shares, or all"


def test_all_means_what_is_free_and_a_warning_says_so() -> None:
    held = holding(position(quantity="100", available=Decimal(70)))
    verdict = only(
        RULE,
        context(
            plan(line("SELL", quantity="all")), positions=held, open_orders=(order(quantity="30"),)
        ),
    )
    assert verdict.answer is Answer.YES
    assert verdict.warning == "MU sell: all means 70 shares of 100 shares held"


def test_all_with_nothing_free_is_denied() -> None:
    held = holding(position(quantity="100", available=Decimal(0)))
    everything = plan(line("SELL", quantity="all"))
    verdict = only(RULE, context(everything, positions=held, open_orders=(order(quantity="100"),)))
    assert verdict.answer is Answer.NO
    assert verdict.observed == "MU sell: all in this plan"
    assert verdict.remedy == "cancel other-1 first, or leave it out"
    silent = only(RULE, context(everything, positions=held))
    assert silent.limit == "100 shares held, 0 shares of them free"
    assert silent.remedy == "leave it out until the broker frees the shares"


def test_the_broker_may_count_fewer_free_shares_than_we_do_and_we_fewer_than_he() -> None:
    fewer = holding(position(quantity="100", available=Decimal(40)))
    verdict = only(RULE, context(plan(line("SELL", quantity="50")), positions=fewer))
    assert verdict.remedy == "sell at most 40 shares, or all"
    late = context(
        plan(line("SELL", quantity="80")), positions=HELD, open_orders=(order(quantity="30"),)
    )
    assert only(RULE, late).remedy == "sell at most 70 shares, or all"


def test_shares_that_our_own_stops_hold_are_free() -> None:
    held = holding(position(quantity="100", available=Decimal(0)))
    for quantity in ("100", "all"):
        selling = plan(line("SELL", quantity=quantity))
        stopped = context(selling, positions=held, open_orders=(protective(quantity="100"),))
        assert answers(RULE, stopped) == [Answer.NO]
        known = replace(stopped.facts, protective=frozenset({"stop-1"}))
        assert answers(RULE, context(selling, facts=known)) == [Answer.YES]


def test_shares_of_an_order_that_the_plan_withdraws_are_free() -> None:
    held = holding(position(quantity="100", available=Decimal(0)))
    record = RecordFacts(positions={}, known_orders=frozenset({"other-1"}))
    resting = (order("MU", "sell", "100"),)
    sale = line("SELL", quantity="all")
    both = plan(line("CANCEL", client_order_id="other-1"), sale)
    for subject, expected in ((plan(sale), Answer.NO), (both, Answer.YES)):
        found = context(subject, positions=held, open_orders=resting, record=record)
        assert answers(RULE, found) == [expected]


def test_a_notional_without_a_price_waits_and_over_the_holding_is_denied() -> None:
    selling = plan(line("SELL", notional="500"))
    assert answers(RULE, context(selling, positions=HELD, prices={})) == [Answer.NOT_NOW]
    assert answers(RULE, context(selling, positions=HELD)) == [Answer.YES]
    verdict = only(RULE, context(plan(line("SELL", notional="50000")), positions=HELD))
    assert verdict.pointer == "/instructions/0/notional"


def test_in_the_second_wave_the_sells_are_out_and_not_asked_about() -> None:
    rotation = plan(line("SELL", quantity="100"), line("BUY", "AMD"))
    assert answers(RULE, context(rotation, positions={}, already_sent=frozenset({0}))) == [
        Answer.YES
    ]


@given(
    held=st.decimals(Decimal("0.000000001"), 10**4, places=9),
    resting=st.decimals(0, 10**4, places=9),
    quantity=st.decimals(Decimal("0.000000001"), 10**4, places=9),
)
def test_its_remedy_is_true(held: Decimal, resting: Decimal, quantity: Decimal) -> None:
    def remedies(count: Decimal | str, orders: bool = True) -> list[str | None]:
        blocked = (order(quantity=str(resting)),) if resting and orders else ()
        free = max(Decimal(0), held - resting) if blocked else held
        subject = context(
            plan(line("SELL", quantity=count)),
            positions=holding(position(quantity=str(held), available=free)),
            open_orders=blocked,
        )
        return [one.remedy for one in judged(RULE, subject).verdicts if one.answer is Answer.NO]

    for remedy in remedies(quantity):
        assert remedy is not None
        if "at most" in remedy:
            assert not remedies(told(remedy, "shares"))
        if "or all" in remedy:
            assert not remedies("all")
        if "cancel" in remedy and quantity <= held:
            assert not remedies(quantity, orders=False)
