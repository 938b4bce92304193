from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from executor.decisions.reviewing import NEEDED, SCHEDULED, alert_for, alert_name, hold
from executor.errors import UsageError
from executor.model.account import AccountRecord, HeldPosition, Mode
from executor.model.settings import Settings
from executor.settings import parse_settings
from tests.scratch import TEMPLATE

NOW = datetime(2026, 1, 14, 14, 30, 5, tzinfo=UTC)
SETTINGS: Settings = parse_settings(TEMPLATE.encode())


def portfolio(*positions: HeldPosition) -> AccountRecord:
    return AccountRecord(
        as_of=NOW,
        mode=Mode.SIM,
        account="…0001",
        cash=Decimal(100),
        equity=Decimal(350),
        buying_power=Decimal(700),
        margin_used=Decimal(0),
        positions=positions,
    )


def position(unrealized: str | None) -> HeldPosition:
    return HeldPosition(
        symbol="MU",
        quantity=Decimal(1),
        average_entry_price=Decimal(250),
        unrealized_pl=None if unrealized is None else Decimal(unrealized),
    )


def test_a_slot_makes_it_the_review_of_the_schedule() -> None:
    alert = alert_for(SETTINGS, now=NOW, reason="due", slot="2026-01-14T14:30Z")
    assert (alert.trigger, alert.slot) == ("scheduled_4hour", "2026-01-14T14:30Z")
    assert (alert.strategy, alert.reason, alert.timestamp) == ("manual", "due", NOW)
    assert alert_name(alert) == SCHEDULED


def test_without_one_it_is_a_person_who_asks() -> None:
    alert = alert_for(SETTINGS, now=NOW, reason="news", asked_by="alice")
    assert (alert.trigger, alert.slot, alert.asked_by) == ("manual", "2026-01-14T14:30Z", "alice")
    assert alert_name(alert) == NEEDED


@pytest.mark.parametrize("login", ["", "github-actions[bot]", "our-app[bot]"])
def test_a_bot_is_nobody(login: str) -> None:
    assert alert_for(SETTINGS, now=NOW, reason="due", asked_by=login).asked_by is None


def test_a_book_that_is_not_in_the_settings_is_named() -> None:
    with pytest.raises(UsageError, match=r"--strategy growth: .* name one of manual"):
        alert_for(SETTINGS, now=NOW, reason="due", strategy="growth")


@pytest.mark.parametrize(
    ("positions", "expected"),
    [
        ((), {"positions": 0, "unrealized_pl": Decimal(0)}),
        ((position("-3.5"), position("1")), {"positions": 2, "unrealized_pl": Decimal("-2.5")}),
        ((position("1"), position(None)), {"positions": 2}),
    ],
)
def test_the_built_in_agent_holds_and_says_that_it_judged_nothing(
    positions: tuple[HeldPosition, ...], expected: dict[str, Any]
) -> None:
    alert = alert_for(SETTINGS, now=NOW, reason="due", slot="2026-01-14T14:30Z")
    proposal = hold(alert, portfolio(*positions), NOW)
    assert proposal.plan is None
    review = proposal.review
    assert (review.decision, review.instructions_created) == ("HOLD (nothing was weighed)", False)
    assert (review.strategy, review.trigger, review.model) == ("manual", "scheduled_4hour", None)
    assert "no judgment" in review.reasoning
    figures = {"total_value": Decimal(350), "cash": Decimal(100)}
    assert review.portfolio_state == {**figures, **expected}
