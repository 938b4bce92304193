from __future__ import annotations

import pytest
from pydantic import ValidationError

from executor.model.review import Alert, Proposal, StrategyReview
from tests.examples.corpus import valid_trees


def test_the_missions_review_needs_none_of_our_keys() -> None:
    review = StrategyReview(
        timestamp="2026-01-14T14:30:00",  # type: ignore[arg-type]
        trigger="scheduled_4hour",
        market_analysis={"vix": 15.98, "regime": "BULLISH"},
        portfolio_state={"total_value": 99711.08},
        decision="HOLD",
        reasoning="All positions strong, no action needed",
    )
    assert not review.instructions_created
    assert review.strategy is None


def test_an_alert_has_no_facts_unless_it_has() -> None:
    alert = {"timestamp": "2026-01-14T14:30:00Z", "trigger": "t", "slot": "s", "reason": "r"}
    assert Alert.model_validate(alert).facts == {}


@pytest.mark.parametrize("tree", valid_trees("proposal"))
def test_a_proposal_keeps_its_plan_as_it_was_written(tree: dict[str, object]) -> None:
    assert Proposal.model_validate(tree).plan == tree.get("plan")


def test_a_proposal_without_a_review_is_none() -> None:
    with pytest.raises(ValidationError):
        Proposal.model_validate({"plan": None})
