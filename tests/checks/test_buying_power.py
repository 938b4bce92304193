from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from executor.checks.buying_power import RULE
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
    settings,
    told,
)


def test_what_is_there_may_be_spent_the_pad_included() -> None:
    fits = plan(line(quantity="298"))
    assert answers(RULE, context(fits)) == [Answer.YES]
    verdict = only(RULE, context(plan(line(quantity="299"))))
    assert verdict.answer is Answer.NO
    assert verdict.pointer is None
    assert verdict.observed == "the openings cost at worst 100,091.57 USD"
    assert (
        verdict.limit == "100,000.00 USD of cash without margin, and 0.00 USD from the plan's SELLs"
    )


def test_margin_counts_only_where_it_is_allowed_and_asked_for() -> None:
    lines = [line(quantity="500")]
    asking = plan(*lines, use_margin=True)
    assert answers(RULE, context(asking)) == [Answer.YES]
    assert answers(RULE, context(plan(*lines))) == [Answer.NO]
    forbidden = settings(margin={"allowed": False})
    assert answers(RULE, context(asking, settings=forbidden)) == [Answer.NO]
    verdict = only(RULE, context(plan(line(quantity="700"), use_margin=True)))
    assert verdict.limit == "200,000.00 USD of buying power, and 0.00 USD from the plan's SELLs"


def test_without_margin_the_lower_of_both_figures_counts() -> None:
    lower = account(cash=Decimal(90_000), non_marginable_buying_power=Decimal(3_000))
    assert answers(RULE, context(account=lower)) == [Answer.NO]
    poor = account(cash=Decimal(3_000))
    assert answers(RULE, context(account=poor)) == [Answer.NO]


def test_open_buys_come_off_the_cash() -> None:
    resting = order("AMD", "buy", "240")
    assert answers(RULE, context(open_orders=(resting,))) == [Answer.YES]
    verdict = only(RULE, context(plan(line(quantity="20")), open_orders=(resting,)))
    assert verdict.answer is Answer.NO
    assert told(verdict.limit, "USD") == "4000.00"
    unpriced = order("XYZ", "buy", "240", order_type="market", limit_price=None)
    assert answers(RULE, context(open_orders=(unpriced,))) == [Answer.YES]


def test_proceeds_of_the_plan_count_until_they_are_in_the_account() -> None:
    held = holding(position("AMD", "200", "221.08"))
    poor = account(cash=Decimal(0), non_marginable_buying_power=Decimal(0))
    rotation = plan(line("SELL", "AMD", quantity="200"), line(quantity="130"))
    assert answers(RULE, context(rotation, account=poor, positions=held)) == [Answer.YES]
    second = context(rotation, account=poor, positions={}, already_sent=frozenset({0}))
    assert answers(RULE, second) == [Answer.NO]


def test_a_sell_that_rests_pays_for_nothing() -> None:
    held = holding(position("AMD", "200", "221.08"))
    poor = account(cash=Decimal(0), non_marginable_buying_power=Decimal(0))
    for price, answer in (("230", Answer.NO), ("221", Answer.YES)):
        sell = line("SELL", "AMD", quantity="200", order_type="limit", limit_price=price)
        subject = context(plan(sell, line()), account=poor, positions=held)
        assert answers(RULE, subject) == [answer]


def test_a_buy_without_a_price_waits() -> None:
    subject = context(plan(line(), line("BUY", "XYZ")))
    verdict = only(RULE, subject)
    assert (verdict.answer, verdict.index) == (Answer.NOT_NOW, 1)


def test_what_is_over_even_without_the_unpriced_buy_is_denied() -> None:
    subject = context(plan(line(quantity="500"), line("BUY", "XYZ")))
    assert answers(RULE, subject) == [Answer.NOT_NOW, Answer.NO]


def test_a_sell_without_a_price_makes_it_wait_instead_of_denying_it() -> None:
    held = holding(position("XYZ", "200", "221.08"))
    poor = account(cash=Decimal(0), non_marginable_buying_power=Decimal(0))
    rotation = plan(line("SELL", "XYZ", quantity="200"), line())
    result = judged(RULE, context(rotation, account=poor, positions=held))
    assert [one.answer for one in result.verdicts] == [Answer.NOT_NOW]
    assert result.openings_wait
    assert not result.waits


def test_a_plan_of_exits_is_not_judged() -> None:
    poor = account(cash=Decimal(-5_000), non_marginable_buying_power=Decimal(0))
    held = holding(position())
    subject = context(plan(line("SELL")), account=poor, positions=held)
    assert answers(RULE, subject) == [Answer.YES]


@given(
    cash=st.decimals(-(10**5), 10**6, places=2),
    ask=st.decimals(Decimal("0.01"), 10**4, places=2),
    quantity=st.decimals(Decimal("0.000000001"), 10**5, places=9),
    lines=st.integers(1, 3),
)
def test_its_remedy_is_true(cash: Decimal, ask: Decimal, quantity: Decimal, lines: int) -> None:
    def ask_about(*instructions: dict[str, object]) -> list[str | None]:
        facts = account(cash=cash, non_marginable_buying_power=cash)
        subject = context(
            plan(*instructions), account=facts, prices={"MU": quoted(str(ask), str(ask))}
        )
        return [one.remedy for one in judged(RULE, subject).verdicts if one.answer is Answer.NO]

    for remedy in ask_about(*[line(quantity=quantity)] * lines):
        assert remedy is not None
        if "leave" in remedy:
            continue
        unit = "shares" if lines == 1 else "USD"
        key = "quantity" if lines == 1 else "notional"
        assert not ask_about(line(**{key: told(remedy, unit)}))
