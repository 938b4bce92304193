from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.decisions.proposals import (
    Proposed,
    branch_name,
    is_branch_of,
    is_stamped_from,
    judge_bare_plan,
    judge_proposal,
    labels,
    review_document,
    stamp,
)
from executor.decisions.schemas import MODELS
from executor.model.digest import plan_digest
from executor.model.reading import read_document
from executor.model.settings import Settings
from executor.model.writing import write_document
from executor.repo.schema_files import load_schema
from tests.checks.builders import NOW, SHIPPED
from tests.scratch import line, plan

SCHEMAS = {name: load_schema(name) for name in ("proposal", "trading_instructions")}
MADE = datetime(2026, 1, 14, 14, 30, 0, 500_000, tzinfo=UTC)


def review(**keys: Any) -> dict[str, Any]:
    return {
        "timestamp": "2026-01-14T14:30:00Z",
        "trigger": "scheduled_4hour",
        "market_analysis": {"vix": 16},
        "portfolio_state": {},
        "decision": "HOLD",
        "reasoning": "nothing moves",
    } | keys


def judged(
    tree: dict[str, Any], settings: Settings = SHIPPED, *, bare: bool = False
) -> tuple[Proposed | None, list[str]]:
    read = read_document(write_document(tree))
    ask = judge_bare_plan if bare else judge_proposal
    found, problems = ask(read, SCHEMAS, settings, NOW)
    return found, [one.sentence() for one in problems]


def test_a_hold_is_a_review_without_a_plan() -> None:
    for tree in ({"review": review()}, {"plan": None, "review": review()}):
        found, problems = judged(tree)
        assert problems == []
        assert found is not None
        assert found.plan is None
        assert found.plan_tree is None
        assert found.strategy == "manual"


def test_a_plan_and_its_review() -> None:
    found, _ = judged({"plan": plan(line("SELL")), "review": review(strategy="manual")})
    assert found is not None
    assert found.plan is not None
    assert found.review is not None
    assert found.plan_tree == read_document(write_document(plan(line("SELL"))))


@pytest.mark.parametrize(
    ("tree", "problem"),
    [
        ({}, "review: missing; add it"),
        ({"review": review(), "also": 1}, "also: unknown key; take it out"),
        ({"review": review(decision="")}, "review.decision: an empty text"),
        ({"review": review(), "plan": {}}, "plan.strategy_type: missing; add it"),
        ({"review": review(), "plan": []}, "plan: not an object"),
        ({"plan": plan(status="validated"), "review": review()}, "plan.status: validated; write"),
        (
            {"plan": plan(strategy="momentum"), "review": review()},
            "plan.strategy: `momentum` is no book in the settings; name one of them",
        ),
        (
            {"review": review(strategy="momentum")},
            "review.strategy: `momentum` is no book in the settings",
        ),
        (
            {"review": review(timestamp="2026-01-14T15:05:01Z")},
            "review.timestamp: 2026-01-14T15:05:01Z, which has not come yet; write when it was",
        ),
        (
            {"plan": plan(timestamp="2027-01-14T15:00:00Z"), "review": review()},
            "plan.timestamp: 2027-01-14T15:00:00Z, which has not come yet",
        ),
        (
            {"plan": plan(), "review": review(strategy="momentum")},
            "review.strategy: momentum, the plan's is manual; name the same",
        ),
    ],
)
def test_each_flaw_is_named(tree: dict[str, Any], problem: str) -> None:
    found, problems = judged(tree)
    assert found is None
    assert any(one.startswith(problem) for one in problems), problems


def test_an_intent_is_refused() -> None:
    example = load_example("plan_unchanged--intent-in-a-proposal.json")
    _, problems = judged({"plan": example, "review": review()})
    assert "plan.intent: an intent; take it out, it is the executor's" in problems
    _, problems = judged(example, bare=True)
    assert "intent: an intent; take it out, it is the executor's" in problems


def load_example(name: str) -> dict[str, Any]:
    from tests.examples.corpus import FOLDER

    path = FOLDER / "invalid" / "trading_instructions" / name
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def test_a_clock_that_is_a_little_ahead_is_none_of_the_future() -> None:
    assert judged({"review": review(timestamp="2026-01-14T15:05:00Z")})[1] == []


def test_a_bare_plan_needs_no_review() -> None:
    found, problems = judged(plan(strategy="manual"), bare=True)
    assert problems == []
    assert found is not None
    assert found.review is None
    _, problems = judged({"instructions": []}, bare=True)
    assert "strategy_type: missing; add it" in problems


def test_the_models_are_those_of_the_schemas() -> None:
    assert set(SCHEMAS) <= set(MODELS)


# Stamps.


def test_what_is_absent_is_stamped() -> None:
    tree = plan(line(), line("SELL", "AMD"))
    del tree["timestamp"]
    done = stamp(tree, MADE, {0: Decimal("331.44")})
    assert done.tree["timestamp"] == "2026-01-14T14:30:00Z"
    assert [one.get("decision_price") for one in done.tree["instructions"]] == [
        Decimal("331.44"),
        None,
    ]
    assert done.digest == plan_digest(done.tree)
    assert done.key == plan_digest({**tree, "timestamp": "2026-01-14T14:30:00Z"})
    assert is_stamped_from(done.tree, tree)


def test_what_is_there_is_never_changed() -> None:
    tree = plan(line(decision_price="330.00"))
    done = stamp(tree, MADE, {0: Decimal("331.44")})
    assert done.tree == tree
    assert done.key == done.digest == plan_digest(tree)


def test_prices_do_not_change_the_key() -> None:
    keys = {stamp(plan(), MADE, {0: Decimal(price)}).key for price in (1, 2)}
    assert len(keys) == 1


VALUES = st.one_of(st.none(), st.just("2026-01-14T14:00:00Z"))


@given(
    st.one_of(st.none(), st.just("2026-01-14T14:00:00Z")),
    st.lists(st.one_of(st.none(), st.integers(1, 500)), min_size=1, max_size=4),
    st.dictionaries(st.integers(0, 3), st.integers(1, 500)),
)
def test_a_stamped_plan_is_recognized(
    stamped_at: str | None, prices: list[int | None], seen: dict[int, int]
) -> None:
    lines = [line() if one is None else line(decision_price=one) for one in prices]
    tree = plan(*lines)
    if stamped_at is None:
        del tree["timestamp"]
    done = stamp(tree, MADE, {key: Decimal(one) for key, one in seen.items()})
    back = read_document(write_document(done.tree))
    assert is_stamped_from(back, tree)
    assert plan_digest(back) == done.digest
    assert not is_stamped_from({**back, "reason": "another"}, tree)


def test_another_plan_is_not_recognized() -> None:
    tree = plan(line())
    assert not is_stamped_from({}, tree)
    assert not is_stamped_from(plan(line(), line()), tree)
    assert not is_stamped_from(plan(line(quantity=11)), tree)
    assert not is_stamped_from({**tree, "instructions": ["x"]}, tree)
    assert not is_stamped_from({**tree, "timestamp": "2026-01-14T14:46:00Z"}, tree)
    assert is_stamped_from({**tree, "status": "pending"}, tree), "status is the executor's"


def test_a_review_says_what_came_of_it() -> None:
    held = review_document(review(), "manual", None)
    assert held["instructions_created"] is False
    assert held["plan_digest"] is None
    assert held["strategy"] == "manual"
    asked = review_document(review(strategy=None, plan_digest="f" * 64), "manual", "a" * 64)
    assert asked["instructions_created"] is True
    assert asked["plan_digest"] == "a" * 64
    assert asked["strategy"] == "manual"
    kept = review_document(review(strategy="momentum"), "manual", None)
    assert kept["strategy"] == "momentum"


# Names.


def test_a_branch_is_named_by_book_and_digest() -> None:
    name = branch_name("take_profit", "0123456789abcdef")
    assert name == "plan/take_profit-01234567"
    assert is_branch_of(name, "take_profit")
    for other in (
        "plan/take_profit-0123456",
        "plan/take_profit-0123456x",
        "plan/take-01234567",
        "plan/take_profit-012345678",
        "take_profit-01234567",
    ):
        assert not is_branch_of(other, "take_profit"), other


def test_labels_name_the_book() -> None:
    assert labels("manual", False) == ("plan", "strategy: manual")
    assert labels("manual", True) == ("plan", "strategy: manual", "exits only")
