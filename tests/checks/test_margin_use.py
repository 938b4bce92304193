from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from executor.checks.margin_use import RULE
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
    settings,
    told,
)

FORBIDDEN = settings(margin={"allowed": False})
BIG = line(quantity="400")
"""134,000 USD and a debit of 34,000 USD."""


def test_a_plan_that_cash_covers_needs_no_margin() -> None:
    assert answers(RULE, context(settings=FORBIDDEN)) == [Answer.YES]


def test_a_debit_that_is_allowed_and_asked_for_passes() -> None:
    assert answers(RULE, context(plan(BIG, use_margin=True))) == [Answer.YES]


def test_a_debit_that_is_not_asked_for_is_denied_and_asking_helps() -> None:
    verdict = only(RULE, context(plan(BIG)))
    assert verdict.answer is Answer.NO
    assert verdict.pointer is None
    assert verdict.observed == "the debit would be 33,901.76 USD, 33.9 % of equity"
    assert verdict.limit == "the plan does not ask for margin"
    assert (verdict.remedy or "").startswith("set use_margin to true, or reduce it to at most")


def test_a_debit_that_the_settings_forbid_is_denied_whatever_the_plan_asks() -> None:
    verdict = only(RULE, context(plan(BIG, use_margin=True), settings=FORBIDDEN))
    assert verdict.limit == "margin is not allowed by the settings"
    assert "use_margin" not in (verdict.remedy or "")


def test_a_debit_over_the_limit_is_denied() -> None:
    narrow = settings(limits={"margin_use_max_pct": "10"})
    for asks in (True, False):
        verdict = only(RULE, context(plan(BIG, use_margin=asks), settings=narrow))
        assert verdict.limit == "10 % of equity, 10,000.00 USD"
        assert "use_margin" not in (verdict.remedy or "")


def test_lowering_a_debit_is_never_refused() -> None:
    deep = account(cash=Decimal(-90_000))
    held = holding(position("AMD", "400", "221.08"))
    rotation = plan(line("SELL", "AMD", quantity="400"), line(quantity="200"))
    subject = context(rotation, account=deep, positions=held, settings=FORBIDDEN)
    assert answers(RULE, subject) == [Answer.YES]
    more = plan(line("SELL", "AMD", quantity="400"), line(quantity="300"))
    subject = context(more, account=deep, positions=held, settings=FORBIDDEN)
    assert answers(RULE, subject) == [Answer.NO]


def test_an_open_buy_draws_on_the_cash_too() -> None:
    resting = order("AMD", "buy", "249")
    subject = context(open_orders=(resting,), settings=FORBIDDEN)
    verdict = only(RULE, subject)
    assert verdict.answer is Answer.NO
    assert told(verdict.observed, "USD") == "2947.54"


def test_prices_that_are_missing_make_it_wait() -> None:
    assert answers(RULE, context(plan(line("BUY", "XYZ")))) == [Answer.NOT_NOW]
    unpriced = order("XYZ", "buy", "249", order_type="market", limit_price=None)
    assert answers(RULE, context(open_orders=(unpriced,))) == [Answer.NOT_NOW]
    held = holding(position("XYZ", "400", "221.08"))
    rotation = plan(line("SELL", "XYZ", quantity="400"), BIG)
    assert answers(RULE, context(rotation, positions=held)) == [Answer.NOT_NOW]


def test_a_breach_is_a_breach_whatever_an_open_buy_costs() -> None:
    unpriced = order("XYZ", "buy", "249", order_type="market", limit_price=None)
    assert answers(RULE, context(plan(BIG), open_orders=(unpriced,))) == [Answer.NO]


def test_a_plan_of_exits_is_not_judged() -> None:
    subject = context(plan(line("SELL")), positions=holding(position()), settings=FORBIDDEN)
    assert answers(RULE, subject) == [Answer.YES]


@given(
    cash=st.decimals(-(10**5), 10**5, places=2),
    notional=st.decimals(1, 10**6, places=2),
    percent=st.integers(0, 200),
    allowed=st.booleans(),
    asks=st.booleans(),
)
def test_its_remedy_is_true(
    cash: Decimal, notional: Decimal, percent: int, allowed: bool, asks: bool
) -> None:
    rules = settings(limits={"margin_use_max_pct": percent}, margin={"allowed": allowed})

    def remedies(amount: Decimal | str, use_margin: bool) -> list[str | None]:
        subject = context(
            plan(line(notional=amount), use_margin=use_margin),
            account=account(cash=cash),
            settings=rules,
        )
        return [one.remedy for one in judged(RULE, subject).verdicts if one.answer is Answer.NO]

    for remedy in remedies(notional, asks):
        assert remedy is not None
        if "use_margin" in remedy:
            assert not remedies(notional, True)
        if "leave" not in remedy:
            assert not remedies(told(remedy, "USD"), asks)
