from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from executor.errors import ForgeRefused
from executor.ports import Change
from tests.commands.hosted import LIVE, NAME, NAMED, PAPER, WITH_APP, Hosted, hosted
from tests.forge.state import APP_ID, Repository


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hosted]:
    with hosted(tmp_path, monkeypatch) as made:
        yield made


def seen(copy: Hosted) -> dict[str, Any]:
    """What GitHub keeps, as a test compares it."""
    found: dict[str, Any] = {}

    def look(one: Repository) -> None:
        found["environments"] = {
            name: [policy[1:] for policy in made.policies]
            for name, made in one.environments.items()
        }
        found["rulesets"] = {made.content["name"]: made.content for made in one.rulesets.values()}
        found["labels"] = set(one.labels)
        found["variables"] = {name: made[0] for name, made in one.variables.items()}
        found["settings"] = dict(one.settings)
        found["rights"] = dict(one.workflow_permissions)

    copy.arrange(look)
    return deepcopy(found)


def test_without_apply_it_shows_everything_and_changes_nothing(copy: Hosted) -> None:
    answer = copy.run("setup")
    assert answer.code == 1
    assert "PUT environments/live" in answer.out
    assert "would write .github/CODEOWNERS" in answer.out
    assert "nothing was changed" in answer.out
    assert copy.calls("POST", "PUT", "PATCH", "DELETE") == []
    assert copy.clone.git("status", "--porcelain") == ""


def test_apply_makes_it_so_and_a_second_time_does_nothing(copy: Hosted) -> None:
    answer = copy.run("setup", "--apply")
    assert answer.code == 0, answer.text
    now = seen(copy)
    only_main = [("main", "branch")]
    assert now["environments"] == {"sim": only_main, "paper": only_main, "live": only_main}
    assert set(now["rulesets"]) == {"history"}
    assert now["labels"] >= {"plan", "exits only", "halt", "needs-person"}
    assert now["variables"] == {"TRADING_ENABLED": "false", "AUTOINVESTOR_ENVIRONMENT": "sim"}
    assert now["settings"]["allow_squash_merge"] is False
    assert now["settings"]["allow_rebase_merge"] is False
    assert now["settings"]["allow_merge_commit"] is True
    assert now["rights"] == {
        "default_workflow_permissions": "read",
        "can_approve_pull_request_reviews": True,
    }
    owners = (copy.clone.folder / ".github" / "CODEOWNERS").read_text()
    assert owners.endswith("* @octo-owner @octo-writer\n")
    assert f'repository = "{NAME}"' in (copy.clone.folder / "autoinvestor.toml").read_text()

    copy.commit()
    sent = len(copy.calls("POST", "PUT", "PATCH", "DELETE"))
    again = copy.run("setup", "--apply")
    assert again.code == 0
    assert "nothing is left" in again.out
    assert len(copy.calls("POST", "PUT", "PATCH", "DELETE")) == sent
    assert copy.run("setup").code == 0
    assert seen(copy) == now


def test_the_environment_is_named_last_and_only_once_it_was_read_back(copy: Hosted) -> None:
    assert copy.run("setup", "--apply").code == 0
    calls = copy.calls("POST", "PUT", "PATCH", "DELETE", "GET")
    named = [place for place, one in enumerate(calls) if one[1].endswith("actions/variables")]
    writes = [place for place in named if calls[place][0] == "POST"]
    environments = [
        place
        for place, one in enumerate(calls)
        if one == ("POST", f"/repos/{NAME}/environments/sim/deployment-branch-policies")
    ]
    read_back = ("GET", f"/repos/{NAME}/environments/sim/deployment-branch-policies")
    assert environments[0] < calls.index(read_back, environments[0]) < writes[-1]


def test_what_was_changed_by_hand_is_mended(copy: Hosted) -> None:
    copy.run("setup", "--apply")
    before = seen(copy)

    def spoil(one: Repository) -> None:
        one.settings["allow_auto_merge"] = True
        one.environments["live"].policies.append((99, "*", "branch"))
        one.environments["sim"].branch_policy = None
        one.environments["sim"].policies.clear()
        (ruleset,) = one.rulesets.values()
        ruleset.content["enforcement"] = "disabled"
        one.workflow_permissions["default_workflow_permissions"] = "write"
        del one.labels["plan"]

    copy.arrange(spoil)
    assert {"merge settings", "environment live", "environment sim", "ruleset history"} <= set(
        copy.drifts()
    )
    assert copy.run("setup", "--apply").code == 0
    after = seen(copy)
    assert after == before


def test_with_an_app_the_approval_is_enforced_and_the_app_may_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hosted(tmp_path, monkeypatch, NAMED, WITH_APP) as copy:
        assert copy.run("setup", "--apply").code == 0
        approval = seen(copy)["rulesets"]["approval"]
        assert approval["bypass_actors"] == [
            {"actor_id": APP_ID, "actor_type": "Integration", "bypass_mode": "exempt"}
        ]
        assert copy.run("setup", "--apply").code == 0
        left = set(copy.drifts())
        assert left == {"the App", ".github/CODEOWNERS", "environment sim: secrets"}


@pytest.mark.parametrize("token", ["writer-token", "actions-token"])
def test_apply_wants_an_administrator(copy: Hosted, token: str) -> None:
    copy.acts(token)
    answer = copy.run("setup", "--apply")
    assert answer.code == 2
    assert "may not administer octo-owner/invest" in answer.err
    assert "a person's token" in answer.err
    assert copy.calls("POST", "PUT", "PATCH", "DELETE") == []


def test_it_stops_at_the_first_refusal_and_says_what_is_left(copy: Hosted) -> None:
    copy.arrange(lambda one: setattr(one, "is_private", True))
    copy.arrange(lambda one: setattr(one, "plan", "pro"))
    match = {"method": "PUT", "path": "*/environments/paper"}
    copy.fails("server_error", match, status=422)
    answer = copy.run("setup", "--apply", "--json")
    assert answer.code == 5
    data = answer.data
    assert data["stopped_at"]["parts"] == ["environments", "paper"]
    assert "422" in data["why"]
    done = [one["parts"] for one in data["done"]]
    assert ["environments", "sim"] in done
    assert ["rulesets"] not in done
    assert "environment paper" in [one["where"] for one in data["drifts"]]
    # The same command again goes on where it stopped.
    assert copy.run("setup", "--apply").code == 0


def test_an_answer_that_was_lost_is_found_by_looking_again(copy: Hosted) -> None:
    copy.fails("drop_after", {"method": "POST", "path": "*/rulesets"})
    first = copy.run("setup", "--apply")
    assert first.code == 4
    assert copy.run("setup", "--apply").code == 0
    assert set(seen(copy)["rulesets"]) == {"history"}


def test_on_private_free_what_the_plan_lacks_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hosted(tmp_path, monkeypatch, NAMED) as copy:
        copy.arrange(lambda one: setattr(one, "is_private", True))
        assert copy.run("setup", "--apply").code == 0
        now = seen(copy)
        assert now["environments"] == {}
        assert now["rulesets"] == {}
        assert now["variables"] == {"TRADING_ENABLED": "false"}


@pytest.mark.parametrize("settings", [PAPER, LIVE])
def test_keys_and_agreements_are_left_to_a_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: tuple[tuple[str, str], ...]
) -> None:
    with hosted(tmp_path, monkeypatch, NAMED, *settings) as copy:
        assert copy.run("setup", "--apply").code == 0
        mode = settings[0][1].split('"')[1]
        left = copy.drifts()
        assert f"environment {mode}: secrets" in left
        assert ("variable AUTOINVESTOR_MODE of the environment live" in left) == (mode == "live")
        now = seen(copy)["variables"]
        assert (now["AUTOINVESTOR_ENVIRONMENT"], now["TRADING_ENABLED"]) == (mode, "false")


def test_a_file_that_a_person_has_changed_is_not_written(copy: Hosted) -> None:
    file = copy.clone.folder / "autoinvestor.toml"
    file.write_text(file.read_text() + "\n# a note of mine\n")
    before = file.read_bytes()
    answer = copy.run("setup", "--apply")
    assert "not written, you have changed it: autoinvestor.toml" in answer.out
    assert file.read_bytes() == before


@pytest.mark.parametrize("verb", ["setup", "doctor"])
def test_a_token_and_a_name_are_needed(
    copy: Hosted, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    monkeypatch.delenv("GITHUB_REPOSITORY")
    answer = copy.run(verb)
    assert (answer.code, "GITHUB_REPOSITORY is not set" in answer.err) == (2, True)
    monkeypatch.delenv("GITHUB_TOKEN")
    answer = copy.run(verb)
    assert (answer.code, "a person's token" in answer.err) == (2, True)


def test_the_name_is_taken_from_the_settings_where_they_have_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hosted(tmp_path, monkeypatch, NAMED) as copy:
        monkeypatch.delenv("GITHUB_REPOSITORY")
        assert copy.data("setup")["repository"] == NAME


def test_our_own_commits_pass_what_setup_puts_in_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "app").mkdir()
    change = Change("Complete plan", {"execution_results/2026-11/result.json": b"{}\n"})
    with hosted(tmp_path / "plain", monkeypatch, NAMED) as copy:
        assert copy.run("setup", "--apply").code == 0
        main = copy.clone.git("rev-parse", "origin/main")
        # Nothing but history is kept: a workflow's own token commits.
        assert copy.forge("actions-token").commit_on("main", change, main) != main
        # And nobody takes it away.
        with pytest.raises(AssertionError, match=r"(?i)rule|protected|denied|cannot"):
            copy.clone.git("push", "--force", copy.pushing("owner-token"), f"{main}:main")
    with hosted(tmp_path / "app", monkeypatch, NAMED, WITH_APP) as copy:
        assert copy.run("setup", "--apply").code == 0
        main = copy.clone.git("rev-parse", "origin/main")
        for token in ("actions-token", "owner-token"):
            with pytest.raises(ForgeRefused):
                copy.forge(token).commit_on("main", change, main)
        assert copy.forge("app-token").commit_on("main", change, main) != main
