from __future__ import annotations

from typing import Any

import pytest

from executor.checks.account_match import RULE
from executor.model.verdict import Answer
from tests.checks.builders import (
    account,
    answers,
    context,
    facts,
    judged,
    line,
    only,
    plan,
    readme_example,
    sentence,
    settings,
    verdicts,
)

NAMED: dict[str, Any] = {"account": {"number_ends_with": "1234"}}


def test_sim_needs_no_name_and_the_named_account_passes_everywhere() -> None:
    assert answers(RULE, context()) == [Answer.YES]
    for mode in ("sim", "paper", "live"):
        assert answers(RULE, context(settings=settings(mode=mode, **NAMED))) == [Answer.YES]


def test_another_account_is_refused_even_in_sim_where_one_is_named() -> None:
    subject = context(settings=settings(**NAMED), account=account(account_number="PA0009999"))
    verdict = only(RULE, subject)
    assert verdict.answer is Answer.NO
    assert sentence(verdict) == readme_example(RULE)


@pytest.mark.parametrize("mode", ["paper", "live"])
def test_outside_sim_the_settings_must_name_the_account(mode: str) -> None:
    verdict = only(RULE, context(settings=settings(mode=mode)))
    assert verdict.answer is Answer.NO
    assert "number_ends_with" in (verdict.remedy or "")


def test_a_number_is_never_shown_in_full() -> None:
    subject = context(settings=settings(mode="paper"), account=account(status="CLOSED"))
    for verdict in verdicts(RULE, subject):
        assert "PA0001234" not in verdict.model_dump_json()


@pytest.mark.parametrize("flag", ["trading_blocked", "account_blocked", "trade_suspended_by_user"])
def test_each_flag_blocks(flag: str) -> None:
    verdict = only(RULE, context(account=account(**{flag: True})))
    assert verdict.answer is Answer.NO
    assert flag in (verdict.observed or "")


def test_only_an_active_account_trades() -> None:
    verdict = only(RULE, context(account=account(status="ACCOUNT_UPDATED")))
    assert verdict.answer is Answer.NO
    assert "ACCOUNT_UPDATED" in (verdict.observed or "")


def test_every_missing_agreement_of_live_is_named() -> None:
    missing = ("AUTOINVESTOR_MODE is not live", "the settings name no account")
    found = verdicts(RULE, context(live_agreements=missing))
    assert [one.observed for one in found] == list(missing)
    assert {one.answer for one in found} == {Answer.NO}


def test_the_wrong_account_stops_exits_too() -> None:
    subject = context(plan(line("SELL")), account=account(account_blocked=True))
    assert judged(RULE, subject).rejected


def test_without_an_account_it_waits() -> None:
    assert answers(RULE, context(facts=facts(account=None))) == [Answer.NOT_NOW]
