from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from executor.decisions.heartbeats import SILENT_INTERVALS
from executor.exchange.sessions import sessions_named
from tests.commands.hosted import LIVE, NAME, NAMED, PAPER, Hosted, hosted
from tests.forge.state import OWNER, STRANGER, WRITER, Repository, Run


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hosted]:
    """A copy that `setup` has been over, in sim."""
    with hosted(tmp_path, monkeypatch, NAMED) as made:
        assert made.run("setup", "--apply").code == 0
        made.commit()
        yield made


def enabled(one: Repository, days: int = 30) -> None:
    at = datetime.now(UTC) - timedelta(days=days)
    one.variables["TRADING_ENABLED"] = ("true", at, at)


def ticked(one: Repository, moments: list[datetime], conclusion: str = "success") -> None:
    for number, at in enumerate(moments):
        one.runs.append(
            Run(
                number + 1,
                "tick.yml",
                "schedule",
                one.git.branch("main") or "",
                "main",
                "tick",
                OWNER,
                at,
                at,
                "completed",
                conclusion,
            )
        )


def heartbeats(days: int, without: int | None = None) -> list[datetime]:
    """A run every half hour of the sessions of so many days, but for one session."""
    now = datetime.now(UTC)
    sessions = list(sessions_named("nyse").between((now - timedelta(days=days)).date(), now.date()))
    if without is not None:
        del sessions[without]
    half = timedelta(minutes=30)
    return [
        at
        for one in sessions
        for at in (one.opens + half * step for step in range(14))
        if at <= now
    ]


def test_a_set_up_in_order_is_said_to_be_with_who_could_do_what(copy: Hosted) -> None:
    answer = copy.run("doctor")
    assert answer.code == 0, answer.text
    for said in (
        "octo-owner/invest: public; trading is not enabled",
        "octo-owner/invest: as it should be, as far as it was read",
        "the mode's keys: out of reach of every branch but main",
        "the history of main: neither rewritten nor deleted",
        "code and settings: whoever can write can push them to main",
        "everybody: the repository is public",
        "not proven: that the pin of the ruleset `approval`",
        "heartbeats of `tick`: not looked at, trading is not enabled",
    ):
        assert said in answer.out, said
    assert "not read" not in answer.out
    rows = [line.split() for line in answer.out.splitlines() if " execute plans without" in line]
    assert [row[:3] for row in rows] == [
        ["octo-owner", str(OWNER.id), "admin"],
        ["octo-writer", str(WRITER.id), "write"],
    ]


def test_a_workflows_own_token_says_what_it_could_not_read(copy: Hosted) -> None:
    copy.acts("actions-token")
    data = copy.data("doctor")
    unread = {one["what"] for one in data["not_read"]}
    assert {
        "variables",
        "repository secrets",
        "rights of a workflow's token",
        "Actions permissions",
        "environment live: secrets",
    } <= unread
    assert data["drifts"] == []
    assert "as far as it was read" in copy.run("doctor").out


def test_it_changes_nothing(copy: Hosted) -> None:
    before = copy.calls("POST", "PUT", "PATCH", "DELETE")
    copy.run("doctor")
    assert copy.calls("POST", "PUT", "PATCH", "DELETE") == before


def test_each_drift_is_named_with_its_remedy(copy: Hosted) -> None:
    def spoil(one: Repository) -> None:
        one.settings["allow_squash_merge"] = True
        one.environments["paper"].policies.append((7, "*", "branch"))
        one.secrets["ALPACA_API_KEY"] = datetime.now(UTC)
        one.rulesets.clear()
        one.workflow_permissions["can_approve_pull_request_reviews"] = False

    copy.arrange(spoil)
    found = copy.data("doctor")
    assert [one["where"] for one in found["drifts"]] == [
        "merge settings",
        "rights of a workflow's token",
        "environment paper",
        "ruleset history",
        "repository secrets",
    ]
    assert all(one["remedy"] for one in found["drifts"])
    assert copy.run("doctor").code == 1


def test_broken_settings_on_main_are_a_drift_and_the_rest_is_said(copy: Hosted) -> None:
    (copy.clone.folder / "autoinvestor.toml").write_text("mode = 1\n")
    copy.commit()
    answer = copy.run("doctor")
    assert answer.code == 1
    assert "autoinvestor.toml" in answer.out
    assert "who could trade:" in answer.out


@pytest.mark.parametrize(
    ("approver", "observed"),
    [(STRANGER.id, "octo-stranger may not merge here"), (424242, "no account has this number")],
)
def test_an_approver_who_cannot_merge_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, approver: int, observed: str
) -> None:
    approvers = ("approvers = []", f"approvers = [{approver}]")
    with hosted(tmp_path, monkeypatch, NAMED, *PAPER, approvers) as copy:
        drifts = {one["where"]: one["observed"] for one in copy.data("doctor")["drifts"]}
        assert drifts[f"[approval] approvers: {approver}"] == observed


def test_on_private_free_it_says_that_whoever_can_write_can_trade(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hosted(tmp_path, monkeypatch, NAMED, *LIVE) as copy:
        copy.arrange(lambda one: setattr(one, "is_private", True))
        answer = copy.run("doctor")
        assert "octo-owner/invest: private Free" in answer.out
        assert "whoever can write can trade" in answer.out
        assert f'set [github] acknowledged_unprotected = "{NAME}"' in answer.out
        assert "read the keys by a workflow on a branch" in answer.out
        assert "collaborators: octo-owner, " in answer.out


def test_on_private_pro_everything_is_enforced_as_on_a_public_one(copy: Hosted) -> None:
    copy.arrange(lambda one: setattr(one, "is_private", True))
    copy.arrange(lambda one: setattr(one, "plan", "pro"))
    data = copy.data("doctor")
    assert (data["tier"], data["drifts"], data["not_read"]) == ("private Pro or Team", [], [])


def test_heartbeats_that_came_are_counted(copy: Hosted) -> None:
    copy.arrange(enabled)
    copy.arrange(lambda one: ticked(one, heartbeats(21)))
    answer = copy.run("doctor")
    assert answer.code == 0, answer.text
    assert "heartbeats of `tick`: none missed in" in answer.out


def test_a_session_without_its_heartbeats_is_told(copy: Hosted) -> None:
    copy.arrange(enabled)
    # The last session that is over, whichever weekday this is.
    now = datetime.now(UTC)
    sessions = list(sessions_named("nyse").between((now - timedelta(days=21)).date(), now.date()))
    gone = max(place for place, one in enumerate(sessions) if one.closes <= now)
    runs = heartbeats(21, without=gone)
    copy.arrange(lambda one: ticked(one, runs))
    # A run that was skipped or failed did nothing.
    copy.arrange(lambda one: ticked(one, heartbeats(21), "failure"))
    answer = copy.run("doctor")
    assert answer.code == 1
    assert f"session of {sessions[gone].opens:%Y-%m-%d}: 0 runs, silent for" in answer.out
    assert "wanted: a run every 30 min" in answer.out
    assert SILENT_INTERVALS == 2


def test_without_the_schedule_or_its_runs_nothing_is_said_to_be_fine(copy: Hosted) -> None:
    copy.arrange(enabled)
    copy.fails("server_error", {"method": "GET", "path": "*/runs"}, status=500)
    assert "heartbeats of `tick`: not looked at" in copy.run("doctor").out
    (copy.clone.folder / ".github" / "workflows" / "tick.yml").unlink()
    copy.commit()
    assert "has no schedule that can be read" in copy.run("doctor").out


def test_a_schedule_that_never_came_is_told_once_trading_is_enabled(copy: Hosted) -> None:
    copy.arrange(enabled)
    answer = copy.run("doctor")
    assert answer.code == 1
    assert "0 runs, silent for" in answer.out
    # What was before it was enabled is nobody's silence.
    copy.arrange(lambda one: enabled(one, days=0))
    answer = copy.run("doctor")
    assert answer.code == 0, answer.text


@pytest.mark.parametrize(
    ("switch", "said"),
    [
        (None, "no run of it in 14 days"),
        ("false", "trading is not enabled"),
        ("true", "no run of it in 14 days"),
    ],
)
def test_a_workflow_says_itself_whether_trading_is_enabled(
    copy: Hosted, monkeypatch: pytest.MonkeyPatch, switch: str | None, said: str
) -> None:
    copy.acts("actions-token")
    if switch is not None:
        monkeypatch.setenv("TRADING_ENABLED", switch)
    answer = copy.run("doctor")
    assert f"heartbeats of `tick`: not looked at, {said}" in answer.out
    assert ("whether trading is enabled was not read" in answer.out) == (switch is None)


def test_github_that_is_down_is_run_again(copy: Hosted) -> None:
    copy.fails("server_error", {"method": "GET", "path": f"/repos/{NAME}"}, status=502)
    assert copy.run("doctor").code == 4


def test_a_repository_that_is_not_there_is_for_a_person(
    copy: Hosted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_REPOSITORY", "octo-owner/gone")
    assert copy.run("doctor").code == 5


# On a runner.


@pytest.fixture
def runner(copy: Hosted, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[Hosted, Path]:
    """A job of Actions, with a token that may read everything and write issues."""
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    return copy, summary


def issues(copy: Hosted) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    copy.arrange(lambda one: found.extend((each.title, each.state) for each in one.issues.values()))
    return found


def comments(copy: Hosted) -> int:
    found: list[int] = []
    copy.arrange(lambda one: found.append(len(one.comments)))
    return found[0]


def test_one_issue_holds_what_has_drifted_until_it_is_over(runner: tuple[Hosted, Path]) -> None:
    copy, summary = runner
    title = "The set-up on GitHub has drifted"
    copy.arrange(enabled)
    copy.arrange(lambda one: ticked(one, heartbeats(21)))
    assert copy.run("doctor").code == 0
    assert issues(copy) == []
    copy.arrange(lambda one: one.settings.update(allow_squash_merge=True))
    assert copy.run("doctor").code == 1
    assert copy.run("doctor").code == 1
    assert issues(copy) == [(title, "open")]
    assert comments(copy) == 0
    copy.arrange(lambda one: one.settings.update(allow_auto_merge=True))
    copy.run("doctor")
    assert (issues(copy), comments(copy)) == ([(title, "open")], 1)
    copy.arrange(lambda one: one.settings.update(allow_squash_merge=False, allow_auto_merge=False))
    # A token that reads less is no sign that it is over.
    copy.acts("actions-token")
    assert copy.run("doctor").code == 0
    assert issues(copy) == [(title, "open")]
    copy.acts("owner-token")
    assert copy.run("doctor").code == 0
    assert issues(copy) == [(title, "closed")]
    assert "### autoinvestor doctor: done" in summary.read_text()


def test_an_issue_that_cannot_be_written_changes_no_answer(runner: tuple[Hosted, Path]) -> None:
    copy, _ = runner
    copy.arrange(lambda one: one.settings.update(allow_squash_merge=True))
    copy.fails("server_error", {"method": "POST", "path": "*/issues"}, status=500)
    answer = copy.run("doctor")
    assert answer.code == 1
    assert "not told in an issue" in answer.err
