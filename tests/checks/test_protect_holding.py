from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.checks.protect_holding import RULE
from executor.model.context import Context
from executor.model.facts import RecordFacts
from executor.model.ledger import Lot
from executor.model.market import SymbolPrices
from executor.model.verdict import Answer
from tests.checks.builders import (
    answers,
    bare_file,
    context,
    holding,
    judged,
    line,
    lot,
    only,
    plan,
    position,
    protective,
    quoted,
    readme_example,
    sentence,
    settings,
    told,
    traded,
)

HELD = holding(position())


def protecting(
    *others: dict[str, Any],
    lots: tuple[Lot, ...] = (),
    price: SymbolPrices | None = None,
    **keys: Any,
) -> Context:
    """Protect the holding of 100 MU, whose bid is 331.40 USD."""
    facts = {name: keys.pop(name) for name in ("positions", "open_orders") if name in keys}
    subject = context(
        plan(line("PROTECT", **keys), *others),
        positions=HELD,
        record=RecordFacts(positions={"MU": Decimal(100)}, lots=lots),
        prices={"MU": price or quoted()},
        protective=frozenset({"stop-1"}),
    )
    return context(subject.plan, facts=replace(subject.facts, **facts))


@pytest.mark.parametrize(
    "keys", [{"stop_price": "300"}, {"trail_percent": "5"}, {"protect": "none", "loosen": True}]
)
def test_a_holding_without_a_stop_gets_one(keys: dict[str, Any]) -> None:
    assert judged(RULE, protecting(**keys)).is_clean
    assert answers(RULE, protecting(**keys)) == [Answer.YES]


def test_a_plan_without_a_protect_is_not_its_matter() -> None:
    assert answers(RULE, context()) == [Answer.YES]
    done = protecting(stop_price="999")
    facts = replace(done.facts, already_sent=frozenset({0}))
    assert answers(RULE, context(done.plan, facts=facts)) == [Answer.YES]


@pytest.mark.parametrize("held", [{}, holding(position(quantity="-5"))])
def test_what_is_not_held_long_is_not_protected(held: dict[str, Any]) -> None:
    verdict = only(RULE, protecting(stop_price="300", positions=held))
    assert (verdict.answer, verdict.pointer) == (Answer.NO, "/instructions/0/ticker")
    assert verdict.limit == "a holding to protect"


def test_a_symbol_has_one_protect() -> None:
    result = judged(RULE, protecting(line("PROTECT", stop_price="310"), stop_price="300"))
    assert result.denied == {0, 1}
    assert result.verdicts[0].observed == "MU protect: 2 lines"


def test_a_holding_that_the_plan_sells_is_not_protected() -> None:
    for sale in (line("SELL", quantity="all"), line("SELL", quantity="100")):
        result = judged(RULE, protecting(sale, stop_price="300"))
        assert result.denied == {0}
        assert result.going == {1}
    half = [line("SELL", quantity="50"), line("BUY", quantity="100"), line("SELL", "AMD")]
    assert answers(RULE, protecting(*half, stop_price="300")) == [Answer.YES]


def test_a_stop_over_the_price_is_a_sale_that_nobody_proposed() -> None:
    for stop in ("331.40", "340"):
        verdict = only(RULE, protecting(stop_price=stop))
        assert verdict.answer is Answer.NO
        assert verdict.limit == "under the price, 331.4 USD"
        assert "SELL" in (verdict.remedy or "")


def test_a_stop_keeps_its_distance() -> None:
    verdict = only(RULE, protecting(stop_price="330"))
    assert verdict.observed == "MU protect: the stop is 0.42 % from the price, 331.4 USD"
    assert verdict.remedy == "set stop_price to at most 329.74 USD"
    trailing = only(RULE, protecting(trail_percent="0.4"))
    assert trailing.pointer == "/instructions/0/trail_percent"
    assert answers(RULE, protecting(trail_percent="0.5")) == [Answer.YES]


def test_where_the_distance_is_no_limit_only_the_price_is() -> None:
    off = settings(off=("sector_max", "protective_exit"))
    for stop, expected in (("331.39", Answer.YES), ("331.40", Answer.NO)):
        subject = protecting(stop_price=stop)
        assert answers(RULE, context(subject.plan, facts=subject.facts, settings=off)) == [expected]


def test_a_delayed_price_proves_nothing_and_none_makes_it_wait() -> None:
    for stop, expected in (("300", Answer.YES), ("330", Answer.NOT_NOW), ("340", Answer.NOT_NOW)):
        old = traded(age=timedelta(hours=1))
        assert answers(RULE, protecting(stop_price=stop, price=old)) == [expected]
    assert answers(RULE, protecting(stop_price="300", price=SymbolPrices())) == [Answer.NOT_NOW]


def test_a_stop_only_tightens_unless_it_says_so() -> None:
    lots = (lot(stop_price="290"), lot(), lot("AMD", "320"))
    for stop in ("300", "310"):
        assert answers(RULE, protecting(lots=lots, stop_price=stop)) == [Answer.YES]
    for stop in ("299.99", "290"):
        assert answers(RULE, protecting(lots=lots, stop_price=stop)) == [Answer.NO]
        loose = protecting(lots=lots, stop_price=stop, loosen=True)
        assert answers(RULE, loose) == [Answer.YES]
    verdict = only(RULE, protecting(lots=lots, stop_price="290"))
    assert sentence(verdict) == readme_example(RULE)


def test_a_stop_that_trails_counts_from_the_price() -> None:
    fixed = (lot(),)
    assert answers(RULE, protecting(lots=fixed, trail_percent="9")) == [Answer.YES]
    verdict = only(RULE, protecting(lots=fixed, trail_percent="10"))
    assert verdict.pointer == "/instructions/0/trail_percent"
    assert verdict.remedy == (
        "set stop_price to at least 300 USD instead of trail_percent, or `loosen` to true"
    )
    trailing = (lot(stop_price=None, trail_percent=Decimal(5)),)
    assert answers(RULE, protecting(lots=trailing, trail_percent="5")) == [Answer.YES]
    assert answers(RULE, protecting(lots=trailing, trail_percent="6")) == [Answer.NO]
    assert answers(RULE, protecting(lots=trailing, stop_price="314.83")) == [Answer.YES]
    assert answers(RULE, protecting(lots=trailing, stop_price="314.82")) == [Answer.NO]


def test_a_stop_that_has_trailed_stands_where_the_broker_says() -> None:
    trailing = (lot(stop_price=None, trail_percent=Decimal(5)),)

    def stands(stop: Any, **changes: Any) -> tuple[Any, ...]:
        return (protective(stop_price=stop, trail_percent=Decimal(5), **changes),)

    moved = protecting(lots=trailing, stop_price="318", open_orders=stands(Decimal(320)))
    assert told(only(RULE, moved).remedy, "USD") == "320"
    for orders in (
        stands(None),
        stands(Decimal(320), client_order_id="other-1"),
        (protective(stop_price=Decimal(320)),),
    ):
        untold = protecting(lots=trailing, stop_price="318", open_orders=orders)
        assert answers(RULE, untold) == [Answer.YES]


def test_shares_that_a_trailing_stop_leaves_out_are_a_warning() -> None:
    part = holding(position(quantity="84.48"))
    verdict = only(RULE, protecting(trail_percent="5", positions=part))
    assert verdict.warning == (
        "MU protect: a trailing stop takes whole shares, 0.48 shares stay without one"
    )
    assert only(RULE, protecting(stop_price="300", positions=part)).warning is None


def test_it_never_holds_an_exit_of_the_plan_back() -> None:
    result = judged(RULE, protecting(line("SELL", quantity="10"), stop_price="340"))
    assert result.denied == {0}
    assert 1 in result.going


def test_without_its_facts_it_waits_and_a_bare_file_is_not_judged() -> None:
    subject = protecting(stop_price="300")
    for facts in (replace(subject.facts, positions=None), replace(subject.facts, record=None)):
        assert answers(RULE, context(subject.plan, facts=facts)) == [Answer.NOT_NOW]
    assert answers(RULE, context(subject.plan, facts=bare_file())) == [Answer.NOT_JUDGED_HERE]


@given(
    bid=st.decimals(Decimal("0.01"), 10**4, places=2),
    stop=st.decimals(Decimal("0.01"), 10**4, places=2),
    stands=st.decimals(Decimal("0.0001"), 10**4, places=6),
)
def test_its_remedies_are_true(bid: Decimal, stop: Decimal, stands: Decimal) -> None:
    def verdicts_on(price: Decimal | str, **keys: Any) -> list[str | None]:
        subject = protecting(
            lots=(lot(stop_price=str(stands)),),
            price=quoted(str(bid), str(bid)),
            stop_price=price,
            **keys,
        )
        found = judged(RULE, subject).verdicts
        return [one.remedy for one in found if one.answer is Answer.NO]

    for remedy in verdicts_on(stop):
        assert remedy is not None
        if "at least" in remedy:
            assert not any("at least" in (one or "") for one in verdicts_on(told(remedy, "USD")))
            loose = verdicts_on(stop, loosen=True)
            assert not any("at least" in (one or "") for one in loose)
        if "at most" in remedy and Decimal(told(remedy, "USD")) > 0:
            assert not any("at most" in (one or "") for one in verdicts_on(told(remedy, "USD")))
