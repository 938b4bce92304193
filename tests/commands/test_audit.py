from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from executor.model.digest import digest
from executor.model.state import STATE_PATH
from executor.model.writing import write_document
from tests.scratch import HISTORY, RESULTS, Repository, autoinvestor, line, plan

COMMITTED = "2026-01-14T15:01:00Z"
LATER = "2026-01-14T15:05:00Z"
LATEST = "2026-01-14T15:10:00Z"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Two plans executed, one of them refused by the checks."""
    made = Repository.founded(tmp_path_factory.mktemp("audit") / "template")
    made.commit_plan(plan())
    assert made.execute().code == 0
    made.commit_plan(plan(line("SELL", quantity=999), reason="too much"), COMMITTED)
    assert made.execute(now=LATER).code == 1
    return made


@pytest.fixture
def repository(template: Repository, tmp_path: Path) -> Repository:
    """A copy of its own."""
    shutil.copytree(template.folder, tmp_path / "repository")
    return Repository(tmp_path / "repository")


def test_a_clean_history_holds(repository: Repository) -> None:
    answer = repository.run("audit")
    assert answer.code == 0
    assert "looked at 2 results and 2 archived plans" in answer.out
    assert "holds: nothing in the history was changed or removed" in answer.out
    assert f"newest result digest: {digest(repository.results[-1])}" in answer.out
    assert "not provable from a clone alone:" in answer.out


def test_a_job_gets_a_summary(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    assert repository.run("audit").code == 0
    told = (tmp_path / "summary.md").read_text("utf-8")
    assert told.startswith("### autoinvestor audit: done")
    assert "looked at 2 results and 2 archived plans" in told


def test_an_empty_history_holds(tmp_path: Path) -> None:
    answer = Repository.founded(tmp_path / "repository").run("audit")
    assert (answer.code, "looked at 0 results" in answer.out) == (0, True)


def test_a_plain_clone_is_enough_without_the_remote(repository: Repository, tmp_path: Path) -> None:
    clone = repository.cloned(tmp_path / "clone")
    shutil.rmtree(repository.folder)
    answer = clone.run("audit")
    assert (answer.code, "looked at 2 results" in answer.out) == (0, True)


def test_json_holds_the_findings(repository: Repository) -> None:
    data = repository.run("audit", "--json").data
    assert data["commit"] == repository.head
    assert (data["results"], data["plans"], data["breaches"]) == (2, 2, [])
    assert all(one["evidence"] for one in data["unproven"])


def first_result(repository: Repository) -> str:
    return repository.paths(RESULTS)[0]


def first_plan(repository: Repository) -> str:
    return repository.paths(HISTORY)[0]


def edited(repository: Repository, path: str) -> bytes:
    data = (repository.folder / path).read_bytes()
    return data.replace(b'"a reason"', b'"no reason"').replace(b'"manual"', b'"annual"')


def edit_a_result(repository: Repository) -> None:
    path = first_result(repository)
    repository.commit({path: edited(repository, path)})


def remove_a_result(repository: Repository) -> None:
    repository.commit({}, removes=(first_result(repository),))


def edit_a_plan(repository: Repository) -> None:
    path = first_plan(repository)
    repository.commit({path: edited(repository, path)})


def remove_a_plan(repository: Repository) -> None:
    repository.commit({}, removes=(first_plan(repository),))


def add_a_plan(repository: Repository) -> None:
    repository.commit({f"{HISTORY}/2026-01/instructions_stray.json": b"{}\n"})


def add_what_is_no_result(repository: Repository) -> None:
    repository.commit({f"{RESULTS}/2026-01/result_stray.json": b"{}\n"})


def copy_a_result(repository: Repository) -> None:
    data = (repository.folder / first_result(repository)).read_bytes()
    repository.commit({f"{RESULTS}/2026-01/result_copy.json": data})


def edit_and_restore(repository: Repository) -> None:
    path = first_result(repository)
    before = (repository.folder / path).read_bytes()
    repository.commit({path: edited(repository, path)})
    repository.commit({path: before})


def edit_a_review(repository: Repository) -> None:
    path = "strategy_reviews/2026-01/review_2026-01-14T14-30-00.json"
    repository.commit({path: b'{"decision": "HOLD"}\n'})
    repository.commit({path: b'{"decision": "SELL"}\n'})


def replace_by_a_link(repository: Repository) -> None:
    path = repository.folder / first_plan(repository)
    path.rename(repository.folder / "elsewhere.json")
    path.symlink_to("../../elsewhere.json")
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--message", "Link")


def set_the_state_by_hand(repository: Repository) -> None:
    state = {"state": "ACTIVE", "since": COMMITTED, "by": "mallory", "reason": "none"}
    repository.commit({STATE_PATH: write_document(state)})


def set_the_state_back_by_hand(repository: Repository) -> None:
    assert repository.run("halt", "--reason", "a drill", "--now", LATEST).code == 0
    before = (repository.folder / STATE_PATH).read_bytes()
    repository.commit({STATE_PATH: before.replace(b"REDUCE_ONLY", b"ACTIVE")})
    repository.commit({STATE_PATH: before})


def edit_on_a_branch_and_merge(repository: Repository) -> None:
    repository.git("switch", "--quiet", "--create", "topic")
    edit_a_result(repository)
    repository.git("switch", "--quiet", "main")
    repository.commit({"notes.txt": b"notes\n"})
    repository.git("merge", "--quiet", "--no-ff", "--message", "Merge", "topic")


BREACHES: dict[Callable[[Repository], None], set[str]] = {
    edit_a_result: {"append_only", "chain"},
    remove_a_result: {"append_only", "chain", "plan_has_result"},
    edit_a_plan: {"append_only", "result_has_plan"},
    remove_a_plan: {"append_only", "result_has_plan"},
    add_a_plan: {"plan_has_result"},
    add_what_is_no_result: {"readable"},
    copy_a_result: {"chain"},
    edit_and_restore: {"append_only"},
    edit_a_review: {"append_only"},
    replace_by_a_link: {"append_only", "result_has_plan"},
    edit_on_a_branch_and_merge: {"append_only", "chain"},
    set_the_state_by_hand: {"state_has_result"},
    set_the_state_back_by_hand: {"state_has_result"},
}


@pytest.mark.parametrize("breach", BREACHES, ids=lambda one: one.__name__)
def test_a_breach_is_found(repository: Repository, breach: Callable[[Repository], None]) -> None:
    breach(repository)
    answer = repository.run("audit", "--json")
    assert answer.code == 1
    found = answer.data["breaches"]
    assert {one["rule"] for one in found} == BREACHES[breach]
    assert all(one["sentence"] for one in found)
    told = repository.run("audit")
    assert told.code == 1
    assert f"breaches: {len(found)}" in told.out
    assert "Traceback" not in told.text


def test_a_rewrite_names_the_commit_that_made_it(repository: Repository) -> None:
    edit_on_a_branch_and_merge(repository)
    found = repository.run("audit", "--json").data["breaches"]
    commits = {one["commit"] for one in found if one["rule"] == "append_only"}
    assert commits == {repository.head, repository.git("rev-parse", "HEAD^2").strip()}


def test_the_history_before_a_breach_still_holds(repository: Repository) -> None:
    before = repository.head
    remove_a_plan(repository)
    assert repository.run("audit").code == 1
    assert repository.run("audit", "--ref", before).code == 0
    assert repository.run("audit", "--ref", "main~1").code == 0


def test_a_branch_that_was_merged_over_a_halt_changes_no_state(repository: Repository) -> None:
    repository.git("switch", "--quiet", "--create", "topic")
    repository.commit({"notes.txt": b"notes\n"})
    repository.git("switch", "--quiet", "main")
    assert repository.run("halt", "--reason", "a drill", "--now", LATEST).code == 0
    repository.git("merge", "--quiet", "--no-ff", "--message", "Merge", "topic")
    answer = repository.run("audit")
    assert (answer.code, "each trading state its result" in answer.out) == (0, True)


def test_what_lies_beside_the_history_is_no_breach(repository: Repository) -> None:
    for text in (b"one\n", b"two\n"):
        repository.commit({f"{RESULTS}/README.md": text, f"{HISTORY}/.gitkeep": text})
    answer = repository.run("audit")
    assert (answer.code, "2 results and 2 archived plans" in answer.out) == (0, True)


@pytest.mark.parametrize("name", ["nowhere", "--output=x", "main:README.md"])
def test_a_name_that_means_no_commit_is_usage(repository: Repository, name: str) -> None:
    answer = repository.run("audit", f"--ref={name}")
    assert answer.code == 2
    assert "name a branch or a commit" in answer.err
    assert "Traceback" not in answer.text


def test_no_repository(tmp_path: Path) -> None:
    answer = autoinvestor("audit", "--repo", str(tmp_path))
    assert answer.code == 2
    assert "not a git repository" in answer.err


def test_nothing_is_written(repository: Repository) -> None:
    head = repository.head
    repository.run("audit")
    assert repository.head == head
    assert repository.git("status", "--porcelain") == ""
