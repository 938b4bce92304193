from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from executor.model.forge import digest_told
from executor.model.settings import SETTINGS_PATH
from executor.model.writing import write_document
from executor.reports.comment import MARKER
from tests.commands.cycle import Cycle, cycle
from tests.commands.test_propose import BUY, SELL, review
from tests.forge.rig import NAME
from tests.scratch import line, plan

GREEN = ("success", "no plan")
PLAN = "trading_instructions.json"


@pytest.fixture
def it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cycle]:
    with cycle(tmp_path, monkeypatch) as made:
        yield made


def opened(it: Cycle, files: dict[str, str], branch: str = "change") -> tuple[int, str]:
    """A person's pull request; its number and head."""
    pull = it.rig.pull(files, branch=branch)
    return pull["number"], pull["head"]["sha"]


def written(tree: object) -> str:
    return write_document(tree).decode()


def test_a_plan_gets_its_marks_and_one_comment(it: Cycle) -> None:
    it.proposes({"plan": BUY, "review": review()})
    head = it.pulls()[0]["head"]["sha"]
    answer = it.validates(1, "--json")
    assert answer.code == 0, answer.text
    told = it.marks(head)
    assert {name: state for name, (state, _) in told.items()} == dict.fromkeys(
        ("plan/schema", "plan/scope", "plan/capital"), "success"
    )
    assert digest_told(told["plan/schema"][1]) == answer.data["plan_digest"][:32]
    assert told["plan/capital"][1].startswith("1 line may go; exposure 0 % → 3.")
    (comment,) = it.comments(1)
    assert comment.startswith(f"{MARKER}\n✅ **May be merged** [sim]: BUY 10 MU\n")
    assert "@octocat" not in comment
    it.validates(1, now="2026-01-14T15:20:00Z")
    (again,) = it.comments(1)
    assert "judged Wed 14 Jan 10:20 ET" in again


def test_what_is_refused_is_red_and_the_run_has_done_its_work(it: Cycle) -> None:
    number, head = opened(it, {PLAN: written(plan(line(quantity=5_000)))})
    posted = it.validates(number)
    assert posted.code == 0
    state, says = it.marks(head)["plan/capital"]
    assert state == "failure"
    assert says.startswith("refused: ")
    assert it.comments(number)[0].startswith(f"{MARKER}\n❌ **Refused** [sim]: BUY 5000 MU\n- ❌ ")
    shown = it.runs("validate", "--pull-request", str(number))
    assert shown.code == 1
    assert "plan/capital: failure: refused: " in shown.out


def test_without_post_nothing_is_told(it: Cycle) -> None:
    it.proposes({"plan": BUY, "review": review()})
    head = it.pulls()[0]["head"]["sha"]
    answer = it.runs("validate", "--pull-request", "1")
    assert answer.code == 0, answer.text
    assert "plan/scope: success: brings a plan and nothing but its review" in answer.out
    assert it.marks(head) == {}
    assert it.comments(1) == []


def test_a_market_that_is_closed_is_green_and_says_when(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with cycle(tmp_path, monkeypatch, ('calendar = "always"', 'calendar = "nyse"')) as it:
        late = "2026-01-14T22:00:00Z"
        assert it.proposes({"plan": BUY, "review": review()}, now=late).code == 0
        (pull,) = it.pulls()
        assert pull["title"] == "[sim] BUY 10 MU"
        it.validates(1, now=late)
        state, says = it.marks(pull["head"]["sha"])["plan/capital"]
        assert state == "success"
        assert says.startswith("not now: ")
        assert "2026-01-15T14:35:00Z" in says


@pytest.mark.parametrize(
    "path",
    [
        "execution_results/2026-01/result_2026-01-14T15-00-00.json",
        "execution_results/account.json",
        "execution_results/trading_state.json",
        "trading_instructions_history/2026-01/instructions_2026-01-14T15-00-00.json",
    ],
)
@pytest.mark.parametrize("with_plan", [False, True])
def test_history_is_red(it: Cycle, path: str, with_plan: bool) -> None:
    files = {path: "{}\n"} | ({PLAN: written(BUY)} if with_plan else {})
    number, head = opened(it, files)
    it.validates(number)
    state, says = it.marks(head)["plan/scope"]
    assert state == "failure"
    assert says.startswith(f"refused: {path}: history, account and state are the executor's")
    assert it.marks(head)["plan/schema"][0] == "success"


def test_a_change_of_the_rules_is_green_and_lists_old_and_new(it: Cycle) -> None:
    settings = (it.folder / SETTINGS_PATH).read_text()
    looser = settings.replace("position_max_pct = 35", "position_max_pct = 90")
    number, head = opened(
        it, {SETTINGS_PATH: looser, "executor/checks/__init__.py": "raise SystemExit\n"}
    )
    it.validates(number)
    assert it.marks(head) == {
        "plan/schema": GREEN,
        "plan/scope": ("success", "changes the rules: 1 setting, 1 file of code"),
        "plan/capital": GREEN,
    }
    (comment,) = it.comments(number)
    assert "- 🔺 looser: `limits.position_max_pct`: `35` → `90`" in comment
    assert "- `executor/checks/__init__.py`" in comment


@pytest.mark.parametrize("broken", [True, False])
def test_settings_that_cannot_be_read_are_red(it: Cycle, broken: bool) -> None:
    settings = (it.folder / SETTINGS_PATH).read_text()
    wrong = settings.replace('mode = "sim"', 'mode = "papers"')
    number, head = opened(it, {SETTINGS_PATH: "no = toml = at all\n" if broken else wrong})
    it.validates(number)
    state, says = it.marks(head)["plan/scope"]
    assert state == "failure"
    assert says.startswith("refused: settings that cannot be read: autoinvestor.toml: ")
    comment = it.comments(number)[0]
    assert comment.startswith(f"{MARKER}\n❌ **These settings cannot be read** [sim]: ")
    assert ("papers" in comment) is not broken


def test_settings_that_are_taken_away_are_red(it: Cycle) -> None:
    clone = it.rig.clone("writer")
    clone.git("switch", "--quiet", "--create", "gone")
    clone.git("rm", "--quiet", SETTINGS_PATH)
    clone.write({})
    clone.push("gone")
    pull = it.rig.api("writer").ok("POST", "pulls", {"title": "x", "head": "gone", "base": "main"})
    it.validates(pull["number"])
    state, says = it.marks(pull["head"]["sha"])["plan/scope"]
    assert (state, "it is taken away" in says) == ("failure", True)


def test_a_mark_links_the_run_that_set_it(it: Cycle) -> None:
    number, head = opened(it, {"README.md": "Another book.\n"})
    it.validates(number)
    found = it.rig.owner.get(f"commits/{head}/statuses")
    assert {one["target_url"].partition("/octo")[2] for one in found} == {
        "-owner/invest/actions/runs/1"
    }
    it.monkeypatch.delenv("GITHUB_RUN_ID")
    it.validates(number)
    assert it.rig.owner.get(f"commits/{head}/statuses")[0]["target_url"] is None


def test_a_plan_beside_a_change_of_the_rules_is_red(it: Cycle) -> None:
    settings = (it.folder / SETTINGS_PATH).read_text()
    looser = settings.replace("position_max_pct = 35", "position_max_pct = 90")
    number, head = opened(it, {SETTINGS_PATH: looser, PLAN: written(plan(line(quantity=200)))})
    it.validates(number)
    told = it.marks(head)
    assert told["plan/scope"][0] == "failure"
    assert told["plan/capital"][0] == "failure", "main's limits judge"


def test_documents_alone_are_green_without_a_comment(it: Cycle) -> None:
    number, head = opened(it, {"README.md": "Another book.\n"})
    answer = it.validates(number)
    assert "carries no plan" in answer.out
    assert it.marks(head) == {
        "plan/schema": GREEN,
        "plan/scope": ("success", "no plan, no change of the rules"),
        "plan/capital": GREEN,
    }
    assert it.comments(number) == []


def test_a_comment_that_stands_already_is_kept_current(it: Cycle) -> None:
    number, _ = opened(it, {"executor/x.py": "\n"})
    it.validates(number)
    clone = it.rig.clone("writer")
    clone.git("switch", "--quiet", "change")
    clone.git("rm", "--quiet", "executor/x.py")
    clone.write({"README.md": "Another book.\n"})
    clone.push("change")
    it.validates(number)
    (comment,) = it.comments(number)
    assert comment.startswith(f"{MARKER}\n✅ **No plan**")


def test_somebody_elses_comment_with_our_marker_is_not_touched(it: Cycle) -> None:
    number, _ = opened(it, {PLAN: written(BUY)})
    forged = f"{MARKER}\n✅ **May be merged**"
    for who in ("writer", "app"):
        it.rig.api(who).ok("POST", f"issues/{number}/comments", {"body": forged})
    it.validates(number)
    comments = it.comments(number)
    assert comments[:2] == [forged, forged]
    assert len(comments) == 3
    it.validates(number)
    assert len(it.comments(number)) == 3


def test_a_plan_from_a_fork_is_red(it: Cycle) -> None:
    it.rig.owner.ok("POST", "/sim/repos/octo-owner/invest/forks", {"owner": "octo-reader"})
    clone = it.rig.clone("reader", "octo-reader/invest")
    clone.git("switch", "--quiet", "--create", "plan")
    head = clone.write({PLAN: written(BUY)})
    clone.push("plan")
    pull = it.rig.api("reader").ok(
        "POST", "pulls", {"title": "x", "head": "octo-reader:plan", "base": "main"}
    )
    it.validates(pull["number"])
    state, says = it.marks(head)["plan/scope"]
    assert (state, says.split(";")[0]) == ("failure", "refused: a plan from a fork")


def test_a_stranger_s_copy_of_a_branch_does_not_redden_it(it: Cycle) -> None:
    """Statuses are of a commit, and a fork's pull request may have the very same head."""
    number, head = opened(it, {PLAN: written(BUY)})
    it.validates(number)
    before = it.marks(head)
    it.rig.owner.ok("POST", "/sim/repos/octo-owner/invest/forks", {"owner": "octo-reader"})
    clone = it.rig.clone("reader", "octo-reader/invest")
    clone.git("fetch", "--quiet", it.rig.server.git_url(), head)
    clone.git("push", "--quiet", "origin", f"{head}:refs/heads/same")
    copy = it.rig.api("reader").ok(
        "POST", "pulls", {"title": "x", "head": "octo-reader:same", "base": "main"}
    )
    assert copy["head"]["sha"] == head
    answer = it.validates(copy["number"])
    assert f"has the head of #{number}, and is judged there" in answer.text
    assert it.marks(head) == before


def test_history_that_is_touched_on_the_way_is_red_as_well(it: Cycle) -> None:
    """Nothing of it is left in the sum, but it would be in main's history for ever."""
    clone = it.rig.clone("writer")
    clone.git("switch", "--quiet", "--create", "typo")
    path = "trading_instructions_history/2026-01/oops.json"
    clone.write({path: "{}", "README.md": "A repository."})
    clone.git("rm", "--quiet", "--", path)
    clone.git("commit", "--quiet", "--message", "and back")
    head = clone.git("rev-parse", "HEAD")
    clone.push("typo")
    pull = it.rig.api("writer").ok("POST", "pulls", {"title": "x", "head": "typo", "base": "main"})
    it.validates(pull["number"])
    state, says = it.marks(head)["plan/scope"]
    assert state == "failure"
    assert says.startswith(f"refused: {path}: changed or removed on the way")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "… refused: line "),
        (written({"instructions": []}), "… refused: "),
        (written(plan(status="validated")), "accepted"),
    ],
)
def test_a_plan_that_no_gate_lets_through(it: Cycle, text: str, says: str) -> None:
    number, head = opened(it, {PLAN: text})
    it.validates(number)
    told = it.marks(head)
    assert says in told["plan/schema"][1]
    assert "failure" in {state for state, _ in told.values()}
    assert digest_told(told["plan/schema"][1])


def test_a_plan_that_is_taken_away_is_red(it: Cycle) -> None:
    it.proposes({"plan": BUY, "review": review()})
    it.merge(1)
    clone = it.rig.clone("writer")
    clone.git("switch", "--quiet", "--create", "gone")
    clone.git("rm", "--quiet", PLAN)
    clone.write({})
    clone.push("gone")
    pull = it.rig.api("writer").ok("POST", "pulls", {"title": "x", "head": "gone", "base": "main"})
    it.validates(pull["number"])
    told = it.marks(pull["head"]["sha"])
    assert told["plan/scope"][1].startswith("refused: it takes the plan off main")
    assert told["plan/schema"] == GREEN


def test_a_second_plan_may_only_exit(it: Cycle) -> None:
    it.proposes({"plan": BUY, "review": review()})
    second, head = opened(it, {PLAN: written(plan(line("BUY", "AMD", quantity=3)))})
    leaving, exits = opened(it, {PLAN: written(SELL)}, "leaving")
    it.validates(second)
    assert it.marks(head)["plan/scope"][0] == "success"
    it.merge(1)
    for number in (second, leaving):
        it.validates(number)
    assert it.marks(head)["plan/scope"][0] == "failure"
    assert it.marks(exits)["plan/scope"][0] == "success"


def test_a_broker_that_is_silent_leaves_it_pending(it: Cycle) -> None:
    it.proposes({"plan": BUY, "review": review()})
    head = it.pulls()[0]["head"]["sha"]
    it.monkeypatch.setenv("AUTOINVESTOR_EXCHANGE_URL", "http://127.0.0.1:9")
    answer = it.validates(1)
    assert answer.code == 4
    state, says = it.marks(head)["plan/capital"]
    assert state == "pending"
    assert says.startswith("not judged yet: ")
    assert "**Not judged yet**" in it.comments(1)[0]


def test_rules_that_were_merged_since_the_last_execution_are_listed(it: Cycle) -> None:
    it.proposes({"plan": BUY, "review": review()})
    it.validates(1)
    assert "No plan was executed yet" in it.comments(1)[0]
    it.merge(1)
    done = it.runs("execute", "--submit", now="2026-01-14T15:01:00Z")
    assert done.code == 0, done.text
    settings = (it.folder / SETTINGS_PATH).read_text()
    clone = it.rig.clone("owner")
    clone.write(
        {SETTINGS_PATH: settings.replace("position_max_pct = 35", "position_max_pct = 90")},
        "Loosen @everyone [skip ci]",
    )
    clone.push("HEAD:main")
    number, _ = opened(it, {PLAN: written(plan(line("BUY", "AMD", quantity=3)))})
    it.validates(number, now="2026-01-14T15:10:00Z")
    (comment,) = it.comments(number)
    assert "⚠️ Rules changed since the last execution: 1 setting" in comment
    assert "- 🔺 looser: `limits.position_max_pct`: `35` → `90`" in comment
    assert "`Loosen @`<!-- -->`everyone [`<!-- -->`skip ci]`" in comment


def test_the_summary_of_the_job(it: Cycle, tmp_path: Path) -> None:
    it.proposes({"plan": BUY, "review": review()})
    summary = tmp_path / "summary.md"
    it.monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    it.validates(1)
    assert summary.read_text().startswith("### Pull request #1\n\n✅ **May be merged** [sim]")


def test_what_cannot_be_judged_says_so(it: Cycle) -> None:
    assert "#9: no such pull request" in it.validates(9).err
    number, _ = opened(it, {"README.md": "x\n"})
    it.rig.owner.ok("PATCH", f"pulls/{number}", {"state": "closed"})
    answer = it.validates(number)
    assert answer.code == 0
    assert "is closed; nothing to judge" in answer.out
    assert it.runs("validate", "--post").code == 2
    for wrong in ("0", "x", "\u0661", "9" * 20):
        assert it.runs("validate", "--pull-request", wrong).code == 2
    it.monkeypatch.delenv("GITHUB_ACTIONS")
    it.monkeypatch.delenv("GITHUB_TOKEN")
    assert "set GITHUB_TOKEN" in it.validates(number).err


@pytest.mark.parametrize("path", ["*/statuses/*", "*/comments", "*/pulls/1"])
def test_a_lost_answer_is_healed_by_running_again(it: Cycle, path: str) -> None:
    it.proposes({"plan": BUY, "review": review()})
    head = it.pulls()[0]["head"]["sha"]
    it.rig.owner.ok("POST", "/sim/faults", {"kind": "bad_gateway_after", "match": {"path": path}})
    assert it.validates(1).code == 4
    assert it.validates(1).code == 0
    assert len(it.comments(1)) == 1
    assert len(it.marks(head)) == 3


def test_a_pull_request_into_another_branch_is_nobodys_business(it: Cycle) -> None:
    clone = it.rig.clone("writer")
    clone.push("HEAD:other")
    clone.git("switch", "--quiet", "--create", "change")
    clone.write({PLAN: written(BUY)})
    clone.push("change")
    pull = it.rig.api("writer").ok(
        "POST", "pulls", {"title": "x", "head": "change", "base": "other"}
    )
    answer = it.validates(pull["number"])
    assert answer.code == 0
    assert "is not into main; nothing to judge" in answer.out
    assert it.marks(pull["head"]["sha"]) == {}


def test_a_head_that_moves_while_it_is_judged_is_marked_by_nobody(it: Cycle) -> None:
    number, head = opened(it, {PLAN: written(BUY)})
    server = it.rig.server
    clone = it.rig.clone("writer")
    clone.git("switch", "--quiet", "change")
    newer = clone.write({"README.md": "another"})
    moved: list[str] = []

    def move(_route: object, request: object, _response: object) -> None:
        """Push to the branch as soon as the head was read."""
        if getattr(request, "path", "") == f"/repos/{NAME}" and not moved:
            moved.append(newer)
            repository = server.state.repositories[NAME]
            bare = str(repository.git.path)
            clone.git("push", "--quiet", bare, "change", f"change:refs/pull/{number}/head")
            pull = repository.pull(number)
            assert pull is not None
            pull.head = newer

    server.forge.watchers.append(move)
    answer = it.validates(number)
    assert moved
    assert answer.code == 4
    assert f"pull request #{number}: its head moved meanwhile; run again" in answer.err
    assert it.marks(head) == it.marks(newer) == {}
    assert it.validates(number).code == 0
    assert it.marks(newer)["plan/scope"][0] == "failure"
