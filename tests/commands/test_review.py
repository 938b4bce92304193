from __future__ import annotations

from pathlib import Path

import pytest

from executor.model.reading import read_document
from tests.commands.exchanges import nobody_there
from tests.scratch import NOW, Answer, Repository, autoinvestor, line, plan

LATER = "2026-01-14T15:10:00Z"
SLOT = "2026-01-14T14:30Z"


@pytest.fixture(autouse=True)
def _no_keys_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ALPACA_API_KEY", "ALPACA_SECRET_KEY", "AUTOINVESTOR_EXCHANGE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository.founded(tmp_path / "repository")
    made.commit_plan(plan(line()))
    assert made.execute().code == 0
    return made


def asked(repository: Repository, folder: Path, *flags: str) -> Answer:
    fixed = ("--reason", "four hours have passed", "--to", str(folder), "--now", LATER)
    return repository.run("review", *fixed, *flags)


def test_the_schedule_s_alert_and_the_portfolio(repository: Repository, tmp_path: Path) -> None:
    head, folder = repository.head, tmp_path / "brief"
    answer = asked(repository, folder, "--slot", SLOT, "--asked-by", "github-actions[bot]")
    assert (answer.code, repository.head) == (0, head)
    assert sorted(one.name for one in folder.iterdir()) == [
        "portfolio.json",
        "scheduled_review_needed.json",
    ]
    alert = read_document((folder / "scheduled_review_needed.json").read_bytes())
    assert (alert["slot"], alert["strategy"], "asked_by" in alert) == (SLOT, "manual", False)
    held = read_document((folder / "portfolio.json").read_bytes())
    assert [(one["symbol"], one["quantity"]) for one in held["positions"]] == [("MU", 10)]
    assert held["account"].startswith("…")
    validated = autoinvestor(
        *("validate", "--document", "alert", "--repo", str(repository.folder)),
        *("--file", str(folder / "scheduled_review_needed.json")),
    )
    assert validated.code == 0, validated.text


def test_what_a_person_asks_for_is_another_file(repository: Repository, tmp_path: Path) -> None:
    assert asked(repository, tmp_path / "brief", "--asked-by", "alice").code == 0
    alert = read_document((tmp_path / "brief" / "strategy_review_needed.json").read_bytes())
    assert (alert["trigger"], alert["asked_by"]) == ("manual", "alice")


def test_a_job_gets_a_summary(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    assert asked(repository, tmp_path / "brief").code == 0
    told = (tmp_path / "summary.md").read_text("utf-8")
    assert told.startswith("### autoinvestor review: done")
    assert "review of manual: four hours have passed" in told


def test_nothing_is_written_for_a_book_that_is_not_there(
    repository: Repository, tmp_path: Path
) -> None:
    answer = asked(repository, tmp_path / "brief", "--strategy", "growth")
    assert answer.code == 2
    assert "growth" in answer.err
    assert not (tmp_path / "brief").exists()


def test_nor_while_the_broker_does_not_answer(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody_there(monkeypatch)
    answer = asked(repository, tmp_path / "brief")
    assert answer.code == 4
    assert not (tmp_path / "brief").exists()


def test_a_file_where_the_folder_should_be(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "brief").write_text("mine")
    answer = asked(repository, tmp_path / "brief")
    assert answer.code == 2
    assert "is no folder" in answer.err
    assert (tmp_path / "brief").read_text() == "mine"


def test_its_present_may_be_set(repository: Repository, tmp_path: Path) -> None:
    early = repository.run("review", "--reason", "x", "--to", str(tmp_path / "b"), "--now", NOW)
    assert early.code == 0, early.text
