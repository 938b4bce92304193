from __future__ import annotations

from typing import Any

import pytest

from executor.decisions.setup import LABELS, MERGING, OnMain, codeowners, drifts, unread
from executor.model.forge import ACTIONS_APP, MARKS, Actor
from executor.model.hosting import Call, Drift, Hosting, Member, Tier, Unread, WorkflowRights
from executor.model.settings import Settings
from tests.decisions.hosting_builders import (
    BOT,
    FILES,
    LIVE,
    NAME,
    OLIVIA,
    PAPER,
    RITA,
    UNREAD,
    WILLIAM,
    WITH_APP,
    environment,
    hosting,
    on_main,
    private_free,
    ruleset,
    settings,
)


def only(found: tuple[Drift, ...]) -> Drift:
    (one,) = found
    return one


@pytest.mark.parametrize(
    "main",
    [
        settings(),
        settings(*PAPER),
        settings(*LIVE),
        settings(WITH_APP),
        settings(*LIVE, WITH_APP),
        settings(WITH_APP, ('policy = "merge"', 'policy = "review"')),
    ],
)
def test_a_set_up_in_order_has_no_drift_and_nothing_unread(main: Settings) -> None:
    assert drifts(hosting(main), on_main(main)) == ()
    assert unread(hosting(main)) == ()


def test_a_drift_is_one_sentence() -> None:
    drift = only(drifts(hosting(default_branch="trunk"), on_main()))
    assert drift.sentence() == (
        "default branch: `trunk`; wanted: `main`; rename it, GitHub → Settings → General →"
        " Default branch"
    )


def test_settings_that_cannot_be_read_are_a_drift_and_hide_none_of_the_others() -> None:
    broken = OnMain(settings=None, fault="autoinvestor.toml: not TOML", rulesets=dict(FILES))
    found = drifts(hosting(labels=frozenset()), broken)
    assert [one.where for one in found] == ["autoinvestor.toml", "labels"]
    assert found[0].observed == "autoinvestor.toml: not TOML"
    missing = OnMain(settings=None, rulesets=dict(FILES))
    assert only(drifts(hosting(), missing)).observed == "not there"


def test_another_way_to_merge_is_turned_off() -> None:
    seen = hosting(merging=dict(MERGING) | {"allow_squash_merge": True, "allow_auto_merge": True})
    drift = only(drifts(seen, on_main()))
    assert drift.observed == "allow_squash_merge is true, allow_auto_merge is true"
    wanted = {"allow_squash_merge": False, "allow_auto_merge": False}
    assert drift.calls == (Call("PATCH", (), wanted),)


def test_title_and_message_of_a_merge_are_set_together() -> None:
    seen = hosting(merging=dict(MERGING) | {"merge_commit_message": "PR_BODY"})
    drift = only(drifts(seen, on_main()))
    assert drift.observed == "merge_commit_message is PR_BODY"
    wanted = {"merge_commit_title": "MERGE_MESSAGE", "merge_commit_message": "PR_TITLE"}
    assert drift.calls == (Call("PATCH", (), wanted),)


@pytest.mark.parametrize(
    ("rights", "observed"),
    [
        (WorkflowRights("write", True), "a workflow's token may write by default"),
        (WorkflowRights("read", False), "Actions may not open pull requests"),
    ],
)
def test_a_workflows_token_may_read_and_open_pull_requests(
    rights: WorkflowRights, observed: str
) -> None:
    drift = only(drifts(hosting(rights=rights), on_main()))
    assert drift.observed == observed
    body = {"default_workflow_permissions": "read", "can_approve_pull_request_reviews": True}
    assert drift.calls == (Call("PUT", ("actions", "permissions", "workflow"), body),)


@pytest.mark.parametrize("may_open", [True, False])
def test_with_an_app_it_does_not_matter_what_actions_may_open(may_open: bool) -> None:
    main = settings(WITH_APP)
    seen = hosting(main, rights=WorkflowRights("read", may_open))
    assert drifts(seen, on_main(main)) == ()
    wide = hosting(main, rights=WorkflowRights("write", may_open))
    (call,) = only(drifts(wide, on_main(main))).calls
    assert call.body is not None
    assert call.body["can_approve_pull_request_reviews"] is may_open


def test_actions_that_are_off_are_a_drift() -> None:
    assert only(drifts(hosting(actions_enabled=False), on_main())).where == "Actions"


def test_missing_labels_are_made_and_others_stay() -> None:
    seen = hosting(labels=frozenset(LABELS) - {"plan"} | {"bug"})
    drift = only(drifts(seen, on_main()))
    assert drift.observed == "without `plan`"
    (call,) = drift.calls
    assert (call.method, call.parts) == ("POST", ("labels",))
    assert call.words() == "POST labels"
    assert call.body is not None
    assert call.body["name"] == "plan"


def test_every_label_is_one_that_github_takes() -> None:
    for color, meaning in LABELS.values():
        assert len(color) == 6
        assert int(color, 16) >= 0
        assert len(meaning) <= 100


def test_the_name_of_the_repository_is_written_where_it_was_never_set() -> None:
    local = settings()
    main = on_main(
        local.model_copy(update={"repository": "local"}),
        settings_text='mode = "sim"\nrepository = "local"\n',
    )
    drift = only(drifts(hosting(), main))
    assert drift.writes == {"autoinvestor.toml": f'mode = "sim"\nrepository = "{NAME}"\n'}
    assert drift.calls == ()
    other = on_main(local.model_copy(update={"repository": "octo/old"}), settings_text="")
    drift = only(drifts(hosting(), other))
    assert drift.writes == {}
    assert drift.remedy == f'write `repository = "{NAME}"`'


def approved_by(*numbers: int) -> Settings:
    return settings(("approvers = []", f"approvers = {list(numbers)}"))


@pytest.mark.parametrize(
    ("account", "observed"),
    [
        (None, "no account has this number"),
        (BOT, "trader[bot] is a Bot"),
        (RITA, "rita may not merge here"),
    ],
)
def test_an_approver_who_cannot_merge_is_named(account: Actor | None, observed: str) -> None:
    number = account.id if account else 77
    main = approved_by(number)
    found = drifts(hosting(main, accounts={number: account}), on_main(main))
    assert (found[0].where, found[0].observed) == (f"[approval] approvers: {number}", observed)


def test_an_approver_who_can_merge_is_none() -> None:
    main = approved_by(WILLIAM.id)
    seen = hosting(main, accounts={WILLIAM.id: WILLIAM})
    assert drifts(seen, on_main(main, codeowners=codeowners(seen, main))) == ()


@pytest.mark.parametrize(
    "changes", [{"members": UNREAD, "accounts": {1003: RITA}}, {"accounts": {1003: UNREAD}}]
)
def test_an_approver_who_was_not_read_is_neither_fine_nor_a_drift(changes: dict[str, Any]) -> None:
    main = approved_by(RITA.id)
    seen = hosting(main, **changes)
    written = on_main(main, codeowners=codeowners(seen, main))
    assert drifts(seen, written) == ()
    assert unread(seen)


@pytest.mark.parametrize(
    ("account", "observed"),
    [(None, "no account has this number"), (OLIVIA, "olivia is a User")],
)
def test_a_bot_id_that_is_no_bots_is_named(account: Actor | None, observed: str) -> None:
    main = settings(WITH_APP)
    seen = hosting(main, accounts={BOT.id: account})
    drift = only(drifts(seen, on_main(main)))
    assert (drift.where, drift.observed) == (f"[github] bot_id: {BOT.id}", observed)
    assert drifts(hosting(main, accounts={BOT.id: UNREAD}), on_main(main)) == ()


def test_owners_are_the_approvers_or_every_person_who_may_write() -> None:
    main = settings()
    seen = hosting(members=(Member(WILLIAM, "write"), Member(BOT, "write"), Member(RITA, "read")))
    text = codeowners(seen, main)
    assert text is not None
    assert text.splitlines()[-1] == "* @William"
    named = approved_by(WILLIAM.id, OLIVIA.id)
    both = hosting(named, accounts={OLIVIA.id: OLIVIA, WILLIAM.id: WILLIAM})
    text = codeowners(both, named)
    assert text is not None
    assert text.splitlines()[-1] == "* @olivia @William"
    assert codeowners(hosting(named, accounts={OLIVIA.id: OLIVIA}), named) is None
    assert codeowners(hosting(members=UNREAD), main) is None


@pytest.mark.parametrize(("text", "observed"), [(None, "not there"), ("* @rita", "names others")])
def test_owners_that_differ_are_written_for_a_person_to_commit(
    text: str | None, observed: str
) -> None:
    drift = only(drifts(hosting(), on_main(codeowners=text)))
    assert drift.observed == observed
    assert drift.writes == {".github/CODEOWNERS": codeowners(hosting(), settings())}


ABOUT = {
    "merging": "merge settings",
    "labels": "labels",
    "variables": "variables",
    "rights": "rights of a workflow's token",
    "rulesets": "rulesets",
    "secrets": "repository secrets",
    "actions_enabled": "Actions permissions",
    "members": "who has access",
    "pages": "Pages",
    "app": "the App of bot_id",
}


@pytest.mark.parametrize("field", ABOUT)
def test_what_is_unread_is_named_and_no_drift(field: str) -> None:
    changes: dict[str, Any] = {field: UNREAD}
    seen = hosting(**changes)
    assert drifts(seen, on_main()) == ()
    assert unread(seen) == ((ABOUT[field], UNREAD.why),)


def test_unread_parts_of_an_environment_are_named() -> None:
    kept = environment("sim", policies=UNREAD, secrets=UNREAD, variables=UNREAD)
    seen = hosting(environments={"sim": kept, "paper": UNREAD, "live": None})
    assert [what for what, _ in unread(seen)] == [
        "environment sim: branches",
        "environment sim: secrets",
        "environment sim: variables",
        "environment paper",
    ]


def test_on_private_free_what_is_not_there_is_not_called_unread() -> None:
    assert unread(private_free()) == ()
    assert drifts(private_free(), on_main()) == ()
    assert unread(private_free(tier=Tier.UNKNOWN))[0][0] == "rulesets"


def test_who_may_bypass_a_ruleset_is_unread_where_it_is_not_shown() -> None:
    hidden = {key: one for key, one in FILES["history"].items() if key != "bypass_actors"}
    seen = hosting(rulesets=(ruleset(1, hidden),))
    assert drifts(seen, on_main()) == ()
    assert unread(seen) == (("ruleset history: who may bypass it", "not shown to this token"),)


def test_the_rulesets_pin_each_status_to_github_actions() -> None:
    (checks,) = (
        rule["parameters"]
        for rule in FILES["approval"]["rules"]
        if rule["type"] == "required_status_checks"
    )
    assert checks["required_status_checks"] == [
        {"context": context, "integration_id": ACTIONS_APP} for context in MARKS
    ]
    assert checks["strict_required_status_checks_policy"] is False
    assert {rule["type"] for rule in FILES["history"]["rules"]} == {
        "deletion",
        "non_fast_forward",
    }


def test_nothing_is_known_of_what_nobody_read() -> None:
    seen: Hosting = hosting(members=UNREAD, rulesets=UNREAD)
    assert seen.writers() == ()
    assert seen.ruleset("history") is None
    assert Unread("why").why == "why"


def test_what_an_organization_adds_is_not_looked_at() -> None:
    seen = hosting(owner=Actor(9, "octo", "Organization"))
    assert drifts(seen, on_main()) == ()
    ((what, _),) = unread(seen)
    assert what == "secrets and variables of the organization"
