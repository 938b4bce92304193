from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from executor.decisions.enforcing import (
    approval_wanted,
    differences,
    environment_drifts,
    is_ready,
    ruleset_drifts,
)
from executor.model.hosting import BranchPolicy, Call, Drift, Environment, Unread
from tests.decisions.hosting_builders import (
    APP,
    FILES,
    UNREAD,
    WITH_APP,
    environment,
    hosting,
    private_free,
    ruleset,
    settings,
)

POLICIES = ("environments", "sim", "deployment-branch-policies")
ALLOW_MAIN = Call("POST", POLICIES, {"name": "main", "type": "branch"})
LIMITED = {"protected_branches": False, "custom_branch_policies": True}


def judged(sim: Environment | Unread | None) -> list[Drift]:
    environments = {"sim": sim, "paper": environment("paper"), "live": environment("live")}
    return list(environment_drifts(hosting(environments=environments), "sim"))


def test_a_missing_environment_is_made_and_limited_to_main() -> None:
    (drift,) = judged(None)
    make = Call("PUT", ("environments", "sim"), {"deployment_branch_policy": LIMITED})
    assert drift.calls == (make, ALLOW_MAIN)


def test_an_open_environment_is_limited_and_keeps_the_rest() -> None:
    seen = environment("sim", is_limited=False, policies=())
    (drift,) = judged(seen)
    body: dict[str, Any] = {"deployment_branch_policy": LIMITED}
    assert drift.calls == (Call("PUT", ("environments", "sim"), body), ALLOW_MAIN)


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({"wait_minutes": 5}, {"wait_timer": 5}),
        (
            {"reviewers": (("User", 7),), "prevents_self_review": True},
            {"reviewers": [{"type": "User", "id": 7}], "prevent_self_review": True},
        ),
    ],
)
def test_a_limit_resets_nothing_else(changes: dict[str, Any], kept: dict[str, Any]) -> None:
    opened = environment("sim", is_limited=False, policies=(), **changes)
    limit, _ = judged(opened)
    assert limit.calls[0].body == kept | {"deployment_branch_policy": LIMITED}


def test_other_branches_and_tags_are_taken_out() -> None:
    others = (BranchPolicy(8, "*"), BranchPolicy(9, "main", "tag"))
    (drift,) = judged(environment("sim", policies=(BranchPolicy(1, "main"), *others)))
    assert drift.observed == "branch `*`, tag `main` may"
    assert drift.calls == (Call("DELETE", (*POLICIES, 8)), Call("DELETE", (*POLICIES, 9)))
    (drift,) = judged(environment("sim", policies=others))
    assert drift.observed == "main may not use it; branch `*`, tag `main` may"
    # Main is let in first: a job that runs meanwhile finds its keys.
    assert drift.calls[0] == ALLOW_MAIN
    (drift,) = judged(environment("sim", policies=()))
    assert (drift.observed, drift.calls) == ("main may not use it", (ALLOW_MAIN,))


@pytest.mark.parametrize("changes", [{"reviewers": (("User", 7),)}, {"wait_minutes": 5}])
def test_a_wait_is_a_drift_that_a_person_takes_out(changes: dict[str, Any]) -> None:
    (drift,) = judged(environment("sim", **changes))
    assert drift.observed == "its jobs wait for a reviewer or a timer"
    assert drift.calls == ()


def test_what_was_not_read_is_neither_ready_nor_a_drift() -> None:
    assert judged(UNREAD) == []
    assert judged(environment("sim", policies=UNREAD)) == []
    assert not is_ready(environment("sim", policies=UNREAD))
    assert not is_ready(UNREAD)
    assert not is_ready(None)
    assert is_ready(environment("sim"))
    assert list(environment_drifts(private_free(), "sim")) == []


def test_a_missing_ruleset_is_made() -> None:
    (drift,) = ruleset_drifts(hosting(rulesets=()), FILES, settings())
    assert drift.calls == (Call("POST", ("rulesets",), FILES["history"]),)


def test_approval_is_made_once_there_is_an_app() -> None:
    main = settings(WITH_APP)
    (drift,) = ruleset_drifts(hosting(main, rulesets=(ruleset(1, FILES["history"]),)), FILES, main)
    (call,) = drift.calls
    assert call.body is not None
    assert call.body["bypass_actors"] == [
        {"actor_id": APP, "actor_type": "Integration", "bypass_mode": "exempt"}
    ]
    unsure = hosting(main, rulesets=(ruleset(1, FILES["history"]),), app=UNREAD)
    assert list(ruleset_drifts(unsure, FILES, main)) == []


def test_approval_without_an_app_would_keep_our_own_commits_out() -> None:
    both = (ruleset(1, FILES["history"]), ruleset(2, FILES["approval"]))
    (drift,) = ruleset_drifts(hosting(rulesets=both), FILES, settings())
    assert drift.where == "ruleset approval"
    assert drift.calls == ()
    off = ruleset(2, FILES["approval"] | {"enforcement": "disabled"})
    assert list(ruleset_drifts(hosting(rulesets=(both[0], off)), FILES, settings())) == []


def test_a_ruleset_that_was_changed_is_set_back_and_keeps_further_rules() -> None:
    further = {"type": "required_signatures"}
    document = FILES["history"] | {"rules": [{"type": "deletion"}, further]}
    (drift,) = ruleset_drifts(hosting(rulesets=(ruleset(5, document),)), FILES, settings())
    assert drift.observed == "without the rule non_fast_forward"
    (call,) = drift.calls
    assert (call.method, call.parts) == ("PUT", ("rulesets", 5))
    assert call.body is not None
    assert call.body["rules"] == [*FILES["history"]["rules"], further]


def test_a_file_that_is_missing_is_named_and_nothing_is_done_without_it() -> None:
    found = list(ruleset_drifts(hosting(rulesets=()), {"history": None}, settings(WITH_APP)))
    assert [one.where for one in found] == [
        ".github/rulesets/history.json",
        ".github/rulesets/approval.json",
    ]


def wanted() -> dict[str, Any]:
    return deepcopy(dict(approval_wanted(FILES["approval"], APP, settings(WITH_APP))))


def parameters(document: dict[str, Any], kind: str) -> dict[str, Any]:
    (found,) = (rule["parameters"] for rule in document["rules"] if rule["type"] == kind)
    assert isinstance(found, dict)
    return found


def test_order_and_further_keys_of_a_ruleset_do_not_count() -> None:
    seen = wanted()
    seen["rules"].reverse()
    parameters(seen, "required_status_checks")["required_status_checks"].reverse()
    parameters(seen, "pull_request")["required_reviewers"] = []
    assert differences(wanted(), ruleset(2, seen)) == []


def test_each_difference_of_a_ruleset_is_told() -> None:
    seen = wanted() | {"enforcement": "evaluate", "conditions": {}}
    parameters(seen, "pull_request")["allowed_merge_methods"] = ["merge", "squash"]
    parameters(seen, "pull_request")["dismiss_stale_reviews_on_push"] = False
    checks = parameters(seen, "required_status_checks")["required_status_checks"]
    del checks[0]["integration_id"]
    seen["bypass_actors"].append(
        {"actor_id": 5, "actor_type": "RepositoryRole", "bypass_mode": "always"}
    )
    assert differences(wanted(), ruleset(2, seen)) == [
        "another enforcement",
        "another conditions",
        "pull_request: allowed_merge_methods is not merge",
        "pull_request: dismiss_stale_reviews_on_push is not true",
        "required_status_checks: required_status_checks is not plan/schema, plan/scope,"
        " plan/capital",
        "others may bypass it, or the App may not",
    ]
    bare = FILES["history"] | {"rules": None, "bypass_actors": None}
    assert len(differences(FILES["history"], ruleset(1, bare))) == 2


def test_a_review_is_asked_for_where_the_policy_says_so() -> None:
    main = settings(WITH_APP, ('policy = "merge"', 'policy = "review"'))
    document = deepcopy(dict(approval_wanted(FILES["approval"], APP, main)))
    assert parameters(document, "pull_request")["required_approving_review_count"] == 1
    assert parameters(wanted(), "pull_request")["required_approving_review_count"] == 0


def stricter() -> dict[str, Any]:
    """The ruleset `approval`, as somebody made it who asks for more."""
    seen = wanted()
    parameters(seen, "pull_request").update(
        required_approving_review_count=2,
        require_last_push_approval=True,
        require_code_owner_review=True,
    )
    checks = parameters(seen, "required_status_checks")["required_status_checks"]
    checks.append({"context": "ci", "integration_id": 15368})
    seen["conditions"] = {"ref_name": {"include": ["~ALL"], "exclude": []}}
    return seen


def test_what_is_stricter_is_no_difference() -> None:
    assert differences(wanted(), ruleset(2, stricter())) == []
    two = {"ref_name": {"include": ["refs/heads/main", "refs/heads/next"], "exclude": []}}
    assert differences(wanted(), ruleset(2, stricter() | {"conditions": two})) == []


def test_what_is_stricter_is_kept_where_something_else_is_set_back() -> None:
    main, seen = settings(WITH_APP), stricter()
    parameters(seen, "pull_request")["dismiss_stale_reviews_on_push"] = False
    del parameters(seen, "required_status_checks")["required_status_checks"][0]
    further = {"type": "required_signatures"}
    seen["rules"].append(further)
    there = (ruleset(1, FILES["history"]), ruleset(2, seen))
    (drift,) = ruleset_drifts(hosting(main, rulesets=there), FILES, main)
    (call,) = drift.calls
    assert call.body is not None
    body = dict(call.body)
    asked = parameters(stricter(), "pull_request")
    assert parameters(body, "pull_request") == asked
    assert body["conditions"] == seen["conditions"]
    assert further in body["rules"]
    checks = parameters(body, "required_status_checks")["required_status_checks"]
    assert [one["context"] for one in checks] == [
        "plan/schema",
        "plan/scope",
        "plan/capital",
        "ci",
    ]


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [
        ("pull_request", "required_approving_review_count", None),
        ("pull_request", "require_last_push_approval", None),
        ("pull_request", "allowed_merge_methods", []),
        ("pull_request", "allowed_merge_methods", ["merge", "rebase"]),
        ("pull_request", "dismiss_stale_reviews_on_push", False),
        ("required_status_checks", "do_not_enforce_on_create", True),
        ("required_status_checks", "required_status_checks", []),
        ("required_status_checks", "required_status_checks", "none"),
    ],
)
def test_what_is_looser_is_set_back(kind: str, key: str, value: object) -> None:
    seen = wanted()
    parameters(seen, kind)[key] = value
    assert len(differences(wanted(), ruleset(2, seen))) == 1
    main = settings(WITH_APP)
    there = (ruleset(1, FILES["history"]), ruleset(2, seen))
    (drift,) = ruleset_drifts(hosting(main, rulesets=there), FILES, main)
    assert [call.body for call in drift.calls] == [wanted()]


@pytest.mark.parametrize(
    "names",
    [
        None,
        {"include": ["refs/heads/next"], "exclude": []},
        {"include": ["~ALL"], "exclude": ["refs/heads/main"]},
        {"include": None},
    ],
)
def test_what_leaves_main_out_is_set_back(names: object) -> None:
    seen = wanted() | {"conditions": {"ref_name": names}}
    assert differences(wanted(), ruleset(2, seen)) == ["another conditions"]
    main = settings(WITH_APP)
    there = (ruleset(1, FILES["history"]), ruleset(2, seen))
    (drift,) = ruleset_drifts(hosting(main, rulesets=there), FILES, main)
    assert [call.body for call in drift.calls] == [wanted()]
