from __future__ import annotations

from typing import Any

import pytest

from executor.checks.plan_scope import RULE
from executor.model.evidence import PathChange, PlanBefore
from executor.model.facts import Moment
from executor.model.plan import PLAN_PATH
from executor.model.verdict import Answer
from tests.checks.approved import evidence, request
from tests.checks.builders import (
    answers,
    context,
    holding,
    judged,
    line,
    only,
    plan,
    position,
    readme_example,
    sentence,
    verdicts,
)

WAITING = "b" * 64
HELD = holding(position(), position("AMD", "-10", "221.08"))


def test_where_nothing_waited_any_plan_passes() -> None:
    assert answers(RULE, context()) == [Answer.YES]


@pytest.mark.parametrize(
    "lines",
    [
        [line("SELL")],
        [line("SELL", quantity="all"), line("BUY", "AMD", quantity="10")],
        [line("CANCEL", client_order_id="other-1")],
        [line("PROTECT", stop_price="300"), line("SELL")],
    ],
)
def test_a_plan_of_exits_replaces_one_that_waits(lines: list[dict[str, Any]]) -> None:
    subject = context(plan(*lines), positions=HELD, replaces=WAITING)
    assert judged(RULE, subject).is_clean


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        ([line("SELL"), line("BUY", "TSM")], "buys TSM"),
        ([line("BUY", "AMD", quantity="11")], "buys AMD"),
        ([line("PROTECT", protect="none", loosen=True)], "loosens the stop of MU"),
        ([], "has no instructions"),
    ],
)
def test_any_other_plan_is_refused_as_a_whole(lines: list[dict[str, Any]], what: str) -> None:
    resume = {} if lines else {"trading_state": {"state": "ACTIVE", "reason": "found"}}
    asked = plan(**{"instructions": lines, **resume})
    result = judged(RULE, context(asked, positions=HELD, replaces=WAITING))
    assert result.rejected
    assert (result.verdicts[0].observed or "").endswith(what)
    assert judged(RULE, context(asked, positions=HELD)).is_clean


def test_a_sell_of_nothing_is_for_another_check_to_refuse() -> None:
    assert answers(RULE, context(plan(line("SELL")), replaces=WAITING)) == [Answer.YES]


def test_the_example_of_the_page() -> None:
    assert sentence(only(RULE, context(replaces=WAITING))) == readme_example(RULE)


# What the pull request brings.

ADDED = PathChange(PLAN_PATH, "A", "100644")
REVIEW = "strategy_reviews/2026-01/review_2026-01-14T14-30-00.json"
REVIEWED = PathChange(REVIEW, "A", "100644")


def also(path: str, kind: Any = "A", mode: str | None = "100644") -> dict[str, Any]:
    return {"changes": (ADDED, PathChange(path, kind, mode))}


@pytest.mark.parametrize("moment", [Moment.EXECUTION, Moment.PULL_REQUEST])
def test_the_plan_and_its_review_pass(moment: Moment) -> None:
    alone, both = evidence(), evidence(changes=(ADDED, REVIEWED))
    assert answers(RULE, context(evidence=alone, moment=moment)) == [Answer.YES]
    assert answers(RULE, context(evidence=both, moment=moment)) == [Answer.YES]
    named = context(plan(review=REVIEW), evidence=both, moment=moment)
    assert answers(RULE, named) == [Answer.YES]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (also("autoinvestor.toml", "M"), "touches autoinvestor.toml as well"),
        (also(".github/workflows/validate.yml", "M"), "touches .github/workflows/validate.yml as"),
        (also("README.md", "M"), "touches README.md as well"),
        (also("strategy_reviews/notes.txt"), "touches strategy_reviews/notes.txt as well"),
        (also("execution_results/trading_state.json", "M"),
         "touches execution_results/trading_state.json"),
        (also("trading_instructions_history/2026-01/a.json", "D", None),
         "touches trading_instructions_history/2026-01/a.json"),
        (also(REVIEW, "M"), f"touches {REVIEW}"),
        (also(REVIEW, "D", None), f"touches {REVIEW}"),
        ({"changes": (ADDED, *(PathChange(f"docs/{one}", "A", "100644") for one in "dbca"))},
         "touches docs/a, docs/b, docs/c and 1 more as well"),
        ({"changes": (ADDED, REVIEWED, PathChange(REVIEW + "2.json", "A", "100644"))},
         f"adds {REVIEW}, {REVIEW}2.json"),
        (also(REVIEW, mode="120000"), f"{REVIEW} has the mode 120000"),
        ({"changes": (PathChange(PLAN_PATH, "A", "120000"),)}, f"{PLAN_PATH} has the mode 120000"),
        ({"changes": (PathChange(PLAN_PATH, "A", "100755"),)}, f"{PLAN_PATH} has the mode 100755"),
        ({"changes": (PathChange(PLAN_PATH, "M", "100644"),)},
         f"changes {PLAN_PATH}, where no plan waits on main"),
        ({"changes": (PathChange(PLAN_PATH, "D", None),)},
         f"removes {PLAN_PATH}, where no plan waits on main"),
        ({"pull_request": request(head_repository="mallory/trading")},
         "pull request #7 comes from mallory/trading"),
        ({"pull_request": request(head_repository=None)},
         "pull request #7 comes from a deleted fork"),
    ],
)  # fmt: skip
def test_whatever_rides_along_is_refused_before_the_merge_and_after(
    changes: dict[str, Any], told: str
) -> None:
    for moment in (Moment.EXECUTION, Moment.PULL_REQUEST):
        subject = context(plan(line("SELL")), evidence=evidence(**changes), moment=moment)
        verdict = only(RULE, subject)
        assert verdict.answer is Answer.NO
        assert (verdict.observed or "").startswith(told)
        assert judged(RULE, subject).rejected
    # The intent was committed after all this had been looked at.
    after = context(plan(line("SELL")), evidence=evidence(**changes), intent_in="f" * 40)
    assert answers(RULE, after) == [Answer.YES]


def test_a_review_that_the_plan_does_not_name_is_refused() -> None:
    subject = context(plan(review="strategy_reviews/other.json"), evidence=evidence(**also(REVIEW)))
    verdict = only(RULE, subject)
    assert verdict.limit == "the review that the plan names, strategy_reviews/other.json"


def test_a_name_in_another_case_is_the_same_repository() -> None:
    found = evidence(pull_request=request(head_repository="Alice/Trading"))
    assert answers(RULE, context(evidence=found)) == [Answer.YES]


def test_a_repository_that_github_does_not_name_waits() -> None:
    assert only(RULE, context(evidence=evidence(repository=None))).answer is Answer.NOT_NOW
    assert answers(RULE, context(evidence=evidence(pull_request=None))) == [Answer.YES]


def test_only_exits_change_a_plan_that_waits() -> None:
    found = evidence(
        changes=(PathChange(PLAN_PATH, "M", "100644"),), before=PlanBefore(WAITING, True)
    )
    exits = context(plan(line("SELL")), positions=HELD, replaces=WAITING, evidence=found)
    assert answers(RULE, exits) == [Answer.YES]
    opening = context(positions=HELD, replaces=WAITING, evidence=found)
    assert [one.answer for one in verdicts(RULE, opening)] == [Answer.NO]


def test_nothing_replaces_a_plan_that_is_being_executed() -> None:
    found = evidence(
        changes=(PathChange(PLAN_PATH, "M", "100644"),), before=PlanBefore(WAITING, False)
    )
    exits = context(plan(line("SELL")), positions=HELD, evidence=found)
    verdict = only(RULE, exits)
    assert verdict.answer is Answer.NO
    assert "which was being executed" in (verdict.observed or "")
    before = context(plan(line("SELL")), evidence=found, moment=Moment.PULL_REQUEST)
    assert only(RULE, before).answer is Answer.NOT_NOW


def test_a_plan_in_the_place_of_what_was_no_file_is_added() -> None:
    """A link to a repository that lies there must not hold the next exit up."""
    changed = (PathChange(PLAN_PATH, "M", "100644"),)
    assert answers(RULE, context(evidence=evidence(changes=changed, had_file=False))) == [
        Answer.YES
    ]
    assert answers(RULE, context(evidence=evidence(changes=changed))) == [Answer.NO]
