from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from executor.checks.position_max import RULE
from executor.model.verdict import Answer
from tests.checks.builders import (
    account,
    answers,
    context,
    holding,
    judged,
    line,
    only,
    order,
    plan,
    position,
    quoted,
    told,
)


def test_a_new_holding_within_the_share_passes() -> None:
    assert answers(RULE, context(plan(line(quantity="104")))) == [Answer.YES]


def test_what_is_held_already_counts() -> None:
    held = holding(position(quantity="60"))
    assert answers(RULE, context(plan(line(quantity="44")), positions=held)) == [Answer.YES]
    verdict = only(RULE, context(plan(line(quantity="50")), positions=held))
    assert verdict.answer is Answer.NO
    assert verdict.index == 0
    assert verdict.observed == "MU would be worth 36,624.12 USD, 36.62 % of equity"
    assert verdict.limit == "35 % of equity, 35,000.00 USD"
    assert verdict.remedy == "reduce it to at most 45.14 shares"


def test_open_buys_of_the_symbol_count_and_others_do_not() -> None:
    big = plan(line(quantity="50"))
    assert answers(RULE, context(big, open_orders=(order("MU", "buy", "50"),))) == [Answer.NO]
    others = (order("AMD", "buy", "50"), order("MU", "sell", "50"))
    assert answers(RULE, context(big, open_orders=others)) == [Answer.YES]


def test_several_lines_of_a_symbol_are_one_holding() -> None:
    subject = context(plan(line(quantity="60"), line("BUY", "AMD"), line(quantity="60")))
    result = judged(RULE, subject)
    assert result.denied == {0, 2}
    assert result.verdicts[0].remedy == "reduce them to at most 35,000.00 USD in all, pad included"


def test_a_holding_that_the_plan_does_not_increase_is_let_be() -> None:
    held = holding(position(quantity="300"), position("AMD", "400", "221.08"))
    subject = context(plan(line("SELL"), line("BUY", "TSM")), positions=held)
    assert answers(RULE, subject) == [Answer.YES]


def test_a_short_counts_by_its_absolute_value() -> None:
    shorting = plan(line("SELL", quantity="50"))
    held = holding(position(quantity="-60"))
    assert answers(RULE, context(shorting)) == [Answer.YES]
    assert answers(RULE, context(shorting, positions=held)) == [Answer.NO]


def test_a_buy_covers_what_is_short_first() -> None:
    held = holding(position(quantity="-60"))
    assert answers(RULE, context(plan(line(quantity="160")), positions=held)) == [Answer.YES]


def test_without_a_price_it_waits() -> None:
    assert answers(RULE, context(prices={})) == [Answer.NOT_NOW]
    mixed = plan(line("BUY", "XYZ", order_type="limit", limit_price="10"), line("BUY", "XYZ"))
    result = judged(RULE, context(mixed))
    assert [one.index for one in result.verdicts] == [1]
    resting = order("XYZ", "buy", "249", order_type="market", limit_price=None)
    priced = plan(line("BUY", "XYZ", order_type="limit", limit_price="10"))
    assert answers(RULE, context(priced, open_orders=(resting,))) == [Answer.NOT_NOW]


@given(
    held=st.decimals(0, 200, places=4),
    ask=st.decimals(Decimal("0.01"), 10**4, places=2),
    quantity=st.decimals(Decimal("0.000000001"), 10**5, places=9),
    equity=st.decimals(1, 10**6, places=2),
)
def test_its_remedy_is_true(
    held: Decimal, ask: Decimal, quantity: Decimal, equity: Decimal
) -> None:
    def remedies(count: Decimal | str) -> list[str | None]:
        subject = context(
            plan(line(quantity=count)),
            account=account(equity=equity),
            positions=holding(position(quantity=str(held), price=str(ask))),
            prices={"MU": quoted(str(ask), str(ask))},
        )
        return [one.remedy for one in judged(RULE, subject).verdicts if one.answer is Answer.NO]

    for remedy in remedies(quantity):
        assert remedy is not None
        if "leave" not in remedy:
            assert not remedies(told(remedy, "shares"))
