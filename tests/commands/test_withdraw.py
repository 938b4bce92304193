from __future__ import annotations

from pathlib import Path

import pytest

from executor.model.plan import PLAN_PATH
from executor.model.writing import write_document
from executor.repo.local_book import LocalBook
from executor.wiring import SystemClock
from tests.commands.cycle import cycle
from tests.commands.exchanges import nobody_there
from tests.commands.interrupted import validated_only
from tests.commands.strangers import PERSON, named
from tests.scratch import HISTORY, IMPATIENT, NOW, RESULTS, Answer, Repository, plan, shipped

ARCHIVED = f"{HISTORY}/2026-01/instructions_2026-01-14T14-45-00.json"


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    nobody_there(monkeypatch)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return named(Repository.founded(tmp_path / "repository", shipped(*IMPATIENT)))


def withdrawn(repository: Repository, *flags: str, reason: str = "second thoughts") -> Answer:
    return repository.run("withdraw", "--reason", reason, *flags)


def trailers(repository: Repository) -> dict[str, str]:
    printed = repository.git("log", "-1", "--format=%(trailers:only,unfold)")
    return dict(one.split(": ", 1) for one in printed.splitlines())


def test_the_plan_goes_into_the_archive_as_it_is_with_who_and_why(repository: Repository) -> None:
    repository.commit_plan(plan())
    data = (repository.folder / PLAN_PATH).read_bytes()
    answer = withdrawn(repository, "--json")
    assert (answer.code, answer.data["archived_as"]) == (0, ARCHIVED)
    assert not repository.has_plan
    assert (repository.folder / ARCHIVED).read_bytes() == data
    assert trailers(repository) == {
        "Plan-Digest": answer.data["plan_digest"],
        "Step": "withdrawn",
        "Withdrawn-By": PERSON,
        "Reason": "second thoughts",
    }
    assert repository.subjects[0] == f"Withdraw plan {answer.data['plan_digest'][:8]}"
    assert repository.git("status", "--porcelain") == ""


def test_in_a_job_of_actions_it_is_whoever_started_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTOR", "octo-owner")
    with cycle(tmp_path, monkeypatch) as it:
        owner = it.rig.clone("owner")
        owner.write({PLAN_PATH: write_document(plan()).decode()}, "Propose a plan")
        owner.push("HEAD:main")
        monkeypatch.setenv("GITHUB_ACTOR_ID", "1001")
        monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
        answer = it.runs("withdraw", "--reason", "second thoughts")
        assert answer.code == 0, answer.text
        assert (tmp_path / "summary.md").read_text("utf-8").startswith("### autoinvestor withdraw")
        owner.git("fetch", "--quiet", "origin", "main")
        printed = owner.git("log", "-1", "--format=%(trailers:only,unfold)", "FETCH_HEAD")
        assert "Withdrawn-By: octo-owner (GitHub 1001)" in printed.splitlines()
        monkeypatch.delenv("GITHUB_ACTOR_ID")
        owner.git("reset", "--quiet", "--hard", "FETCH_HEAD")
        owner.write({PLAN_PATH: write_document(plan(reason="again")).decode()}, "Propose another")
        owner.push("HEAD:main")
        assert it.runs("withdraw", "--reason", "second thoughts").code == 0
        owner.git("fetch", "--quiet", "origin", "main")
        printed = owner.git("log", "-1", "--format=%(trailers:only,unfold)", "FETCH_HEAD")
        assert "Withdrawn-By: octo-owner" in printed.splitlines()


def test_it_needs_no_result_and_the_audit_knows_why(repository: Repository) -> None:
    repository.commit_plan(plan())
    assert withdrawn(repository).code == 0
    assert [path for path in repository.paths(RESULTS) if "result_" in path] == []
    assert repository.run("audit").code == 0
    repository.commit({f"{HISTORY}/2026-01/instructions_stray.json": b"{}\n"})
    found = repository.run("audit", "--json").data["breaches"]
    assert [one["rule"] for one in found] == ["plan_has_result"]


def test_a_reason_is_one_line_that_orders_nothing(repository: Repository) -> None:
    repository.commit_plan(plan())
    withdrawn(repository, reason=f"so\nStep: validated\r\n[skip ci]\u202e {'very ' * 400}")
    said = trailers(repository)["Reason"]
    assert said.startswith("so Step: validated (skip ci) very very")
    assert len(said) <= 500
    assert trailers(repository)["Step"] == "withdrawn"


def test_a_plan_that_cannot_be_read_may_be_withdrawn(repository: Repository) -> None:
    repository.commit_plan(b"{ this is no plan")
    assert withdrawn(repository).code == 0
    assert not repository.has_plan
    assert repository.run("audit").code == 0


def test_the_same_plan_may_wait_again_and_be_withdrawn_again(repository: Repository) -> None:
    for _ in range(2):
        repository.commit_plan(plan())
        assert withdrawn(repository).code == 0
    assert len([one for one in repository.paths(HISTORY) if one.endswith(".json")]) == 2
    assert repository.run("audit").code == 0


def test_nothing_pending_is_nothing_to_do(repository: Repository) -> None:
    head = repository.head
    answer = withdrawn(repository)
    assert (answer.code, "nothing pending" in answer.out, repository.head) == (0, True, head)


def test_a_validated_plan_is_never_withdrawn(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AUTOINVESTOR_EXCHANGE_URL")
    validated_only(repository)
    head = repository.head
    answer = withdrawn(repository)
    assert (answer.code, repository.head) == (5, head)
    assert "finish it first: `autoinvestor execute --submit`" in answer.err
    # Nor where somebody has put another one in its place.
    repository.commit_plan(plan(reason="another"))
    assert withdrawn(repository).code == 5


def test_a_plan_that_only_says_validated_is_none_of_ours_to_withdraw(
    repository: Repository,
) -> None:
    intent = {"owner": {"run": "r", "attempt": 1}, "validated_at": NOW, "orders": []}
    repository.commit_plan(plan(status="validated", intent=intent))
    assert withdrawn(repository).code == 5


def test_another_run_is_not_disturbed(repository: Repository) -> None:
    repository.commit_plan(plan())
    with LocalBook(repository.folder, SystemClock()) as book, book.exclusive():
        answer = withdrawn(repository)
    assert (answer.code, repository.has_plan) == (4, True)


def test_with_a_remote_it_is_pushed(repository: Repository, tmp_path: Path) -> None:
    repository.commit_plan(plan())
    remote = repository.with_remote(tmp_path / "remote.git")
    assert withdrawn(repository).code == 0
    assert (remote.head, remote.has_plan) == (repository.head, False)


def test_a_reason_is_asked_for(repository: Repository) -> None:
    assert withdrawn(repository, reason="\t").code == 2


def test_a_present_before_the_last_result_is_refused(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AUTOINVESTOR_EXCHANGE_URL")
    repository.commit_plan(plan())
    assert repository.execute().code == 0
    answer = withdrawn(repository, "--now", "2026-01-14T14:00:00Z")
    assert (answer.code, "before the last result" in answer.err) == (2, True)
