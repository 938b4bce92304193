from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from executor.errors import ForgeRefused, ForgeUnavailable
from executor.model.forge import Actor
from executor.model.hosting import BranchPolicy, Call, Member, Tier, Unread
from executor.repo.github_admin import GitHubAdmin, plan_tier, tier_of
from executor.repo.github_api import GitHubApi
from tests.forge.faults import Fault
from tests.forge.server import ForgeServer
from tests.forge.state import APP_BOT, APP_ID, OWNER, READER, WRITER, Environment, Repository

NAME = "octo-owner/invest"


class Rig:
    """The loopback GitHub, and the API for one token of it."""

    def __init__(self, server: ForgeServer) -> None:
        """Use a server that runs."""
        self.server = server

    def admin(self, token: str = "owner-token") -> GitHubAdmin:
        return GitHubAdmin(self.api(token))

    def api(self, token: str = "owner-token") -> GitHubApi:
        return GitHubApi(NAME, token, self.server.url)

    def arrange(self, change: Any) -> None:
        def act(state: Any) -> None:
            found = state.repository(NAME)
            assert isinstance(found, Repository)
            change(found)

        self.server.call(act)

    def fails(self, kind: str, match: dict[str, str], **parameters: Any) -> None:
        fault = Fault(kind, match, parameters=parameters)
        self.server.call(lambda _: self.server.forge.faults.add(fault))


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with ForgeServer(tmp_path) as server:
        made = Rig(server)
        made.arrange(lambda one: one.roles.update({WRITER.id: "write", READER.id: "triage"}))
        yield made


def test_a_fresh_repository_is_read_whole(rig: Rig) -> None:
    seen = rig.admin().read()
    assert (seen.name, seen.tier, seen.default_branch) == (NAME, Tier.PUBLIC, "main")
    assert seen.may_administer
    assert seen.environments == {"sim": None, "paper": None, "live": None}
    assert (seen.rulesets, seen.variables, seen.secrets) == ((), {}, frozenset())
    assert (seen.pages, seen.app, seen.accounts) == ("none", None, {})
    assert not isinstance(seen.merging, Unread)
    assert seen.merging["allow_squash_merge"] is True
    assert not isinstance(seen.members, Unread)
    assert {(one.actor.login, one.access) for one in seen.members} >= {
        (OWNER.login, "admin"),
        (WRITER.login, "write"),
        (READER.login, "triage"),
    }
    assert Member(Actor(WRITER.id, WRITER.login), "write") in seen.writers()


def test_an_environment_is_read_with_all_that_protects_it(rig: Rig) -> None:
    def arrange(one: Repository) -> None:
        at = one.created_at
        one.environments["live"] = Environment(
            7,
            "live",
            at,
            at,
            wait_timer=5,
            prevent_self_review=True,
            reviewers=[WRITER],
            branch_policy={"protected_branches": False, "custom_branch_policies": True},
            policies=[(8, "main", "branch"), (9, "v*", "tag")],
            secrets={"ALPACA_API_KEY": at},
            variables={"AUTOINVESTOR_MODE": ("live", at, at)},
        )

    rig.arrange(arrange)
    live = rig.admin().read().environments["live"]
    assert live is not None
    assert not isinstance(live, Unread)
    assert live.is_limited
    assert live.policies == (BranchPolicy(8, "main"), BranchPolicy(9, "v*", "tag"))
    assert (live.reviewers, live.prevents_self_review) == ((("User", WRITER.id),), True)
    assert live.wait_minutes == 5
    assert live.secrets == frozenset({"ALPACA_API_KEY"})
    assert live.variables == {"AUTOINVESTOR_MODE": "live"}


def test_protected_branches_are_no_limit_to_main(rig: Rig) -> None:
    policy = {"protected_branches": True, "custom_branch_policies": False}

    def arrange(one: Repository) -> None:
        at = one.created_at
        one.environments["sim"] = Environment(7, "sim", at, at, branch_policy=policy)

    rig.arrange(arrange)
    sim = rig.admin().read().environments["sim"]
    assert sim is not None
    assert not isinstance(sim, Unread)
    assert not sim.is_limited


def test_accounts_are_looked_up_and_the_app_is_found_by_its_bot(rig: Rig) -> None:
    seen = rig.admin().read([WRITER.id, 424242], APP_BOT.id)
    assert seen.accounts == {
        WRITER.id: Actor(WRITER.id, WRITER.login),
        424242: None,
        APP_BOT.id: Actor(APP_BOT.id, APP_BOT.login, "Bot"),
    }
    assert seen.app == APP_ID


@pytest.mark.parametrize("number", [WRITER.id, 424242])
def test_the_app_of_no_bot_is_unread(rig: Rig, number: int) -> None:
    app = rig.admin().read(bot=number).app
    assert app == Unread("[github] bot_id is not the account of an App's bot")


def test_what_a_workflows_token_may_not_read_is_unread_with_githubs_answer(rig: Rig) -> None:
    seen = rig.admin("actions-token").read()
    for unread in (seen.variables, seen.secrets, seen.rights, seen.actions_enabled):
        assert isinstance(unread, Unread)
        assert "403" in unread.why
    assert not isinstance(seen.rulesets, Unread)
    assert not seen.may_administer


def test_one_question_that_github_does_not_answer_hides_no_other(rig: Rig) -> None:
    rig.fails("server_error", {"method": "GET", "path": "*/labels"}, status=500)
    rig.fails("server_error", {"method": "GET", "path": "*/user/7"}, status=500)
    rig.fails("server_error", {"method": "GET", "path": "*/environments/sim"}, status=403)
    rig.fails("server_error", {"method": "GET", "path": "*/pages"}, status=403)
    seen = rig.admin().read(bot=7)
    for unread in (seen.labels, seen.app, seen.environments["sim"], seen.pages):
        assert isinstance(unread, Unread)
    assert seen.variables == {}


def test_without_the_repository_nothing_is_said(rig: Rig) -> None:
    rig.fails("server_error", {"method": "GET", "path": f"/repos/{NAME}"}, status=500)
    with pytest.raises(ForgeUnavailable):
        rig.admin().read()
    with pytest.raises(ForgeRefused):
        GitHubAdmin(GitHubApi("octo-owner/gone", "owner-token", rig.server.url)).read()


@pytest.mark.parametrize(
    ("plan", "tier"), [("free", Tier.PRIVATE_FREE), ("pro", Tier.PRIVATE_PAID)]
)
@pytest.mark.parametrize("token", ["owner-token", "actions-token"])
def test_the_plan_of_a_private_repository_is_told_by_its_rulesets(
    rig: Rig, plan: str, tier: Tier, token: str
) -> None:
    def arrange(one: Repository) -> None:
        one.is_private, one.plan = True, plan

    rig.arrange(arrange)
    assert rig.admin(token).read().tier is tier
    assert plan_tier(rig.api(token)) == (NAME, tier)


def test_the_tier_is_unknown_where_github_refuses_for_another_reason(rig: Rig) -> None:
    assert plan_tier(rig.api()) == (NAME, Tier.PUBLIC)
    assert tier_of(True, Unread("refused with status 403: Resource not accessible")) is Tier.UNKNOWN
    rig.arrange(lambda one: setattr(one, "is_private", True))
    rig.fails("server_error", {"method": "GET", "path": "*/rulesets"}, status=500)
    with pytest.raises(ForgeUnavailable):
        plan_tier(rig.api())


def test_every_method_of_a_call_is_carried_out(rig: Rig) -> None:
    admin = rig.admin()
    admin.carry_out(Call("POST", ("labels",), {"name": "plan", "color": "0e8a16"}))
    admin.carry_out(Call("PATCH", (), {"allow_squash_merge": False}))
    rights = {"default_workflow_permissions": "read", "can_approve_pull_request_reviews": True}
    admin.carry_out(Call("PUT", ("actions", "permissions", "workflow"), rights))
    limited = {"protected_branches": False, "custom_branch_policies": True}
    admin.carry_out(Call("PUT", ("environments", "sim"), {"deployment_branch_policy": limited}))
    policies = ("environments", "sim", "deployment-branch-policies")
    admin.carry_out(Call("POST", policies, {"name": "*", "type": "branch"}))
    sim = admin.read().environments["sim"]
    assert sim is not None
    assert not isinstance(sim, Unread)
    assert not isinstance(sim.policies, Unread)
    admin.carry_out(Call("DELETE", (*policies, sim.policies[0].id)))
    seen = admin.read()
    assert not isinstance(seen.labels, Unread)
    assert "plan" in seen.labels
    assert not isinstance(seen.rights, Unread)
    assert seen.rights.may_open_pull_requests
    left = seen.environments["sim"]
    assert left is not None
    assert not isinstance(left, Unread)
    assert left.policies == ()


def test_a_call_that_is_refused_is_a_definite_no(rig: Rig) -> None:
    with pytest.raises(ForgeRefused, match="403"):
        rig.admin("writer-token").carry_out(Call("PATCH", (), {"allow_auto_merge": True}))


def test_a_ruleset_file_is_taken_as_it_stands(rig: Rig) -> None:
    folder = Path(__file__).parents[2] / ".github" / "rulesets"
    for path in sorted(folder.glob("*.json")):
        document = json.loads(path.read_text())
        rig.admin().carry_out(Call("POST", ("rulesets",), document))
        seen = rig.admin().read().ruleset(path.stem)
        assert seen is not None
        assert seen.is_active
        assert seen.document["rules"] == document["rules"]
