from __future__ import annotations

import tomllib
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.decisions.rule_changes import (
    RuleChanges,
    Scope,
    SettingChange,
    judge_scope,
    settings_changes,
)
from executor.model.evidence import PathChange
from executor.model.paths import PathKind
from executor.model.plan import PLAN_PATH
from executor.model.settings import SETTINGS_PATH
from tests.scratch import TEMPLATE, shipped

REVIEW = "strategy_reviews/2026-01/review_2026-01-14T14-30-00.json"
RESULT = "execution_results/2026-01/result_2026-01-14T15-00-00.json"


def toml(text: str) -> dict[str, Any]:
    return tomllib.loads(text, parse_float=Decimal)


SHIPPED = toml(TEMPLATE)


def changed(path: str, kind: Any = "A") -> PathChange:
    return PathChange(path, kind, None if kind == "D" else "100644")


def scope(
    *changes: PathChange, from_fork: bool = False, after: Any = SHIPPED, refused: Any = ()
) -> Scope:
    return judge_scope(changes, from_fork=from_fork, before=SHIPPED, after=after, refused=refused)


def test_a_plan_with_its_review_is_fine() -> None:
    found = scope(changed(PLAN_PATH), changed(REVIEW))
    assert found.carries_plan
    assert not found.changes_rules
    assert found.problems == ()
    assert not found.rules


@pytest.mark.parametrize("kind", ["A", "M", "D"])
def test_history_is_the_executors(kind: str) -> None:
    found = scope(changed(RESULT, kind), changed("execution_results/account.json", kind))
    assert found.problems == (
        f"{RESULT} and 1 more: history, account and state are the executor's to write;"
        " take them out",
    )


@pytest.mark.parametrize("kind", ["M", "D"])
def test_a_review_never_changes(kind: str) -> None:
    (problem,) = scope(changed(REVIEW, kind)).problems
    assert problem == f"{REVIEW}: a review that is there never changes; add another one"


def test_a_review_may_be_added_by_itself() -> None:
    found = scope(changed(REVIEW))
    assert found.kinds == {PathKind.REVIEW}
    assert found.problems == ()


@pytest.mark.parametrize("path", [PLAN_PATH, REVIEW])
@pytest.mark.parametrize("mode", ["100755", "120000", "160000"])
def test_a_plan_and_a_review_are_plain_files(path: str, mode: str) -> None:
    (problem,) = scope(PathChange(path, "A", mode)).problems
    assert problem == f"{path}: no plain file, mode 100644; add it as one: no link, no program"


def test_a_plan_is_not_taken_away_by_hand() -> None:
    assert "`autoinvestor withdraw` does" in scope(changed(PLAN_PATH, "D")).problems[0]


def test_a_fork_carries_no_plan_but_may_change_code() -> None:
    assert scope(changed(PLAN_PATH), from_fork=True).problems == (
        "a plan from a fork; propose it from a branch of this repository",
    )
    assert scope(changed("executor/cli.py", "M"), from_fork=True).problems == ()


@pytest.mark.parametrize("path", ["executor/cli.py", SETTINGS_PATH, "README.md"])
def test_a_plan_brings_nothing_along(path: str) -> None:
    (problem,) = scope(changed(PLAN_PATH), changed(path, "M")).problems
    assert problem.startswith(f"{path}: a plan brings nothing but its review")


def test_a_limit_is_told_old_and_new() -> None:
    looser = shipped(("position_max_pct = 35", "position_max_pct = 50"), ("deny = []", ""))
    found = scope(changed(SETTINGS_PATH, "M"), after=toml(looser))
    assert found.problems == ()
    assert found.changes_rules
    assert found.rules.settings == (
        SettingChange("limits.position_max_pct", "35", "50"),
        SettingChange("symbols.deny", "[]", None),
    )
    assert found.rules.counted() == "2 settings"


def test_settings_that_cannot_be_read_are_told() -> None:
    found = scope(changed(SETTINGS_PATH, "M"), after=None)
    assert found.rules.unreadable == (f"{SETTINGS_PATH}: no settings file that can be read",)
    assert found.problems == (f"settings that cannot be read: {found.rules.unreadable[0]}",)
    assert found.rules.counted() == "settings that cannot be read"


def test_settings_that_the_code_on_main_refuses_may_come_with_code_that_knows_them() -> None:
    refused = ("x: unknown key", "y: unknown key")
    found = scope(changed(SETTINGS_PATH, "M"), refused=refused)
    assert found.rules.unreadable == refused
    assert found.problems == ("settings that cannot be read: x: unknown key",)
    found = scope(changed(SETTINGS_PATH, "M"), changed("executor/cli.py", "M"), refused=refused)
    assert found.rules.unreadable == refused
    assert found.problems == ()
    assert scope(changed("README.md", "M"), refused=refused).rules.unreadable == ()


@pytest.mark.parametrize(
    ("key", "old", "new", "loosens"),
    [
        ("limits.position_max_pct", "35", "50", True),
        ("limits.position_max_pct", "35", "20", False),
        ("limits.position_max_pct", "35", None, True),
        ("limits.position_max_pct", None, "35", False),
        ("limits.position_max_pct", '"x"', "nan", None),
        ("limits.price_floor_usd", "5", "1", True),
        ("limits.price_floor_usd", "1", "5", False),
        ("margin.allowed", "false", "true", True),
        ("margin.allowed", "true", "false", False),
        ("execution.require_stop", "true", "false", True),
        ("acknowledged_disabled", "[]", '["sector_max"]', True),
        ("acknowledged_disabled", '["sector_max"]', "[]", False),
        ("symbols.deny", '["MU"]', "[]", True),
        ("symbols.deny", "[]", '["MU"]', False),
        ("symbols.allow", '["MU"]', "[]", True),
        ("symbols.allow", '["MU"]', '["MU", "AMD"]', True),
        ("symbols.allow", "[]", '["MU"]', False),
        ("symbols.allow", '["MU", "AMD"]', '["MU"]', False),
        ("sectors.MU", None, '"Technology"', None),
    ],
)
def test_what_loosens(key: str, old: str | None, new: str | None, loosens: bool | None) -> None:
    assert SettingChange(key, old, new).loosens is loosens


def test_whose_money_it_is_stands_before_limits_and_what_loosens_before_what_tightens() -> None:
    before = {
        "account": {"number_ends_with": ""},
        "approval": {"approvers": []},
        "limits": {"a": 1, "b": 1},
        "github": {"zone": "x"},
        "mode": "sim",
    }
    after = {
        "account": {"number_ends_with": "1"},
        "approval": {"approvers": [1]},
        "limits": {"a": 0, "b": 2},
        "github": {"zone": "y"},
        "mode": "live",
    }
    assert [one.key for one in settings_changes(before, after)] == [
        "mode",
        "account.number_ends_with",
        "approval.approvers",
        "limits.b",
        "limits.a",
        "github.zone",
    ]


def test_settings_that_could_not_be_read_before_are_all_new() -> None:
    found = judge_scope(
        [changed(SETTINGS_PATH, "M")], from_fork=False, before=None, after={"mode": "sim"}
    )
    assert found.rules.settings == (SettingChange("mode", None, '"sim"'),)


def test_files_of_rules_are_named_and_counted() -> None:
    found = scope(
        changed("executor/cli.py", "M"),
        changed(".github/workflows/execute.yml", "M"),
        changed("README.md", "M"),
    )
    assert found.rules.paths == (".github/workflows/execute.yml", "executor/cli.py")
    assert found.rules.counted() == "1 workflow file, 1 file of code"
    owners = RuleChanges(paths=(".github/CODEOWNERS",))
    assert owners.counted() == "1 file of owners"
    assert RuleChanges(paths=("executor/a.py", "executor/b.py")).counted() == "2 files of code"


def test_a_comment_in_the_settings_changes_none_of_them() -> None:
    found = scope(changed(SETTINGS_PATH, "M"))
    assert found.changes_rules
    assert not found.rules
    assert found.rules.counted() == "formatting of the settings only"


def test_values_are_told_as_they_are_written() -> None:
    text = """
    a = true
    b = 1.50
    c = inf
    d = [1, "x", {y = 2}]
    e = 2026-01-14T15:00:00Z
    f = 2026-01-14
    g = 15:00:00
    h = {}
    [t.u]
    v = 7
    """
    told = {one.key: one.new for one in settings_changes({}, toml(text))}
    assert told == {
        "a": "true",
        "b": "1.5",
        "c": "nan",
        "d": '[1, "x", {y = 2}]',
        "e": "2026-01-14T15:00:00+00:00",
        "f": "2026-01-14",
        "g": "15:00:00",
        "h": "{}",
        "t.u.v": "7",
    }
    (long,) = settings_changes({}, {"a": "x" * 500})
    assert long.new is not None
    assert len(long.new) == 200
    (strange,) = settings_changes({}, {"a": None})
    assert strange.new == "None"


TREES = st.dictionaries(
    st.sampled_from("abc"),
    st.one_of(st.integers(), st.text(max_size=3), st.dictionaries(st.just("x"), st.integers())),
)


@given(TREES, TREES)
def test_nothing_changes_where_nothing_differs_and_both_ways_tell_the_same(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    assert settings_changes(one, one) == ()
    there = {(change.key, change.old, change.new) for change in settings_changes(one, other)}
    back = {(change.key, change.new, change.old) for change in settings_changes(other, one)}
    assert there == back
