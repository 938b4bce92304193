from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from executor.model.intent import Intent
from executor.model.plan import PlanStatus, TradingInstruction, TradingInstructionSet
from executor.model.reading import read_document
from tests.examples.corpus import FOLDER


def line(**keys: Any) -> TradingInstruction:
    return TradingInstruction(**{"action": "BUY", "ticker": "MU", "reason": "a reason"} | keys)


def test_the_missions_plan_reads_as_it_is_meant() -> None:
    data = (FOLDER / "valid/trading_instructions/mission_deployment.json").read_bytes()
    plan = TradingInstructionSet.model_validate(read_document(data))
    assert plan.timestamp is not None
    assert plan.timestamp.isoformat() == "2026-01-14T13:45:00+00:00"
    assert plan.use_margin
    assert plan.market_context == {"vix": Decimal("15.98"), "regime": "BULLISH"}
    assert plan.status is PlanStatus.PENDING
    assert plan.intent is None
    (only,) = plan.instructions
    assert only.quantity == Decimal("84.48")
    assert only.order_type == "market"
    assert only.time_in_force == "day"
    assert only.wants_stop


def test_the_missions_code_makes_a_plan() -> None:
    plan = TradingInstructionSet(
        strategy_type="aggressive_momentum",
        reason="Deploy $200k with 15% profit targets",
        use_margin=True,
        instructions=[  # type: ignore[arg-type]
            TradingInstruction(
                action="BUY",
                ticker="MU",
                quantity=84.48,  # type: ignore[arg-type]
                order_type="market",
                reason="HIGH conviction",
                target_allocation=28000,  # type: ignore[arg-type]
                profit_target_pct=15.0,  # type: ignore[arg-type]
                stop_loss_pct=8.0,  # type: ignore[arg-type]
            )
        ],
    )
    assert plan.instructions[0].quantity == Decimal("84.48")
    assert plan.instructions[0].profit_target_pct == 15


@pytest.mark.parametrize(
    ("action", "trades"), [("BUY", True), ("SELL", True), ("CANCEL", False), ("PROTECT", False)]
)
def test_two_of_the_actions_trade(action: str, trades: bool) -> None:
    assert line(action=action).is_trade == trades


@pytest.mark.parametrize(
    ("keys", "shares"),
    [
        ({"quantity": "84.48"}, Decimal("84.48")),
        ({"quantity": "all"}, None),
        ({"notional": 5}, None),
    ],
)
def test_shares_are_a_number_or_nothing(keys: dict[str, Any], shares: Decimal | None) -> None:
    assert line(**keys).shares == shares


@pytest.mark.parametrize(
    ("keys", "wants"),
    [
        ({}, False),
        ({"stop_loss_pct": 8}, True),
        ({"stop_loss_pct": 8, "protect": "none"}, False),
        ({"protect": "stop"}, True),
        ({"protect": "bracket"}, True),
        ({"stop_loss_pct": 8, "action": "SELL"}, False),
        ({"protect": "stop", "action": "PROTECT"}, False),
    ],
)
def test_an_entry_with_a_stop_loss_wants_a_stop(keys: dict[str, Any], wants: bool) -> None:
    assert line(**keys).wants_stop == wants


def test_a_plan_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        line().ticker = "AMD"


def test_null_is_no_way_to_leave_a_key_out() -> None:
    with pytest.raises(ValidationError):
        line(limit_price=None)


def test_an_intent_is_the_executors_own_form() -> None:
    intent = Intent.model_validate(
        {
            "owner": {"run": "123", "attempt": 1},
            "validated_at": "2026-01-14T13:50:00Z",
            "orders": [
                {
                    "index": 0,
                    "client_order_id": "ai-1",
                    "side": "sell",
                    "symbol": "MU",
                    "quantity": "42.24",
                    "notional": None,
                    "order_type": "market",
                    "time_in_force": "day",
                }
            ],
        }
    )
    assert intent.cancels == ()
    assert intent.orders[0].leg == "entry"
    assert Intent.model_validate_json(intent.model_dump_json()) == intent
