"""The founding document's own plans pass every check under the shipped settings."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from executor.checks import all_rules
from executor.decisions.validate import judge
from executor.model.context import Context
from executor.model.facts import Moment, RecordFacts
from executor.model.plan import TradingInstructionSet
from executor.model.rule import Rule
from executor.model.verdict import Answer
from tests.checks.builders import (
    SHIPPED,
    account,
    always_open,
    asset,
    bare_file,
    context,
    facts,
    holding,
    position,
    quoted,
)

DEPLOYMENT: dict[str, Any] = {
    "timestamp": "2026-01-14T13:45:00",
    "strategy_type": "aggressive_momentum",
    "reason": "Deploy $200k with 15% profit targets",
    "use_margin": True,
    "market_context": {"vix": Decimal("15.98"), "regime": "BULLISH"},
    "instructions": [
        {
            "action": "BUY",
            "ticker": "MU",
            "quantity": Decimal("84.48"),
            "order_type": "market",
            "reason": "HIGH conviction - explosive momentum",
            "target_allocation": 28000,
            "profit_target_pct": Decimal("15.0"),
            "stop_loss_pct": Decimal("8.0"),
        }
    ],
    "status": "pending",
}

PROFIT_TAKING: dict[str, Any] = {
    "strategy_type": "profit_taking",
    "reason": "MU hit +15% profit target - take profits on 50%",
    "instructions": [
        {
            "action": "SELL",
            "ticker": "MU",
            "quantity": Decimal("42.24"),
            "order_type": "market",
            "reason": "Profit taking: +15% target hit, sell 50%",
        }
    ],
    "status": "pending",
}

RULES = [pytest.param(rule, id=rule.id) for rule in all_rules()]


def deployment(moment: Moment) -> Context:
    """The plan that buys, and an account that holds nothing but its opening cash."""
    fresh = facts(moment, market_clock=always_open())
    return context(TradingInstructionSet.model_validate(DEPLOYMENT), facts=fresh, settings=SHIPPED)


def profit_taking(moment: Moment) -> Context:
    """The plan that sells half, 15 % above the deployment's price."""
    bought = position("MU", "84.48", "381.16", average_entry_price=Decimal("331.44"))
    later = facts(
        moment,
        market_clock=always_open(),
        account=account(
            cash=Decimal("71999.95"),
            equity=Decimal("104200.35"),
            buying_power=Decimal("176200.30"),
            non_marginable_buying_power=Decimal("71999.95"),
        ),
        positions=holding(bought),
        prices={"MU": quoted("381.16", "381.20")},
        assets={"MU": asset("MU")},
        record=RecordFacts(
            positions={"MU": Decimal("84.48")},
            orders_today=1,
            entries_today={("manual", "MU"): 1},
            peak_equity=Decimal(100_000),
        ),
    )
    return context(
        TradingInstructionSet.model_validate(PROFIT_TAKING), facts=later, settings=SHIPPED
    )


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("story", [deployment, profit_taking])
def test_each_check_says_yes_to_the_founding_plans(
    story: Callable[[Moment], Context], rule: Rule
) -> None:
    found = judge(story(Moment.EXECUTION), [rule]).verdicts
    assert {one.answer for one in found} == {Answer.YES}, [one.sentence() for one in found]


@pytest.mark.parametrize("moment", [Moment.PULL_REQUEST, Moment.EXECUTION])
@pytest.mark.parametrize("story", [deployment, profit_taking])
def test_all_checks_together_let_everything_go(
    story: Callable[[Moment], Context], moment: Moment
) -> None:
    result = judge(story(moment), all_rules())
    assert result.is_clean, [one.sentence() for one in result.verdicts]
    assert result.going == {0}


@pytest.mark.parametrize("document", [DEPLOYMENT, PROFIT_TAKING])
def test_both_pass_as_bare_files(document: dict[str, Any]) -> None:
    plan = TradingInstructionSet.model_validate(document)
    result = judge(context(plan, facts=bare_file(), settings=SHIPPED), all_rules())
    assert result.is_clean, [one.sentence() for one in result.verdicts]
