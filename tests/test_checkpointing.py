"""The checkpoint as a run on this machine writes it, and as the audit sees it."""

from __future__ import annotations

from pathlib import Path

import pytest

from executor.model.account import ACCOUNT_PATH
from executor.model.reading import read_document
from executor.model.writing import write_document
from tests.scratch import Repository, line, plan


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository.founded(tmp_path / "repository")
    made.commit_plan(plan(line(stop_loss_pct=8)))
    assert made.execute().code == 0
    return made


def test_it_comes_in_the_commit_of_the_result_and_is_valid(repository: Repository) -> None:
    touched = repository.git("show", "--format=", "--name-only", "main").splitlines()
    checkpoint = repository.read(ACCOUNT_PATH)
    assert {ACCOUNT_PATH, checkpoint["through"]} <= set(touched)
    assert (
        repository.git("log", "-1", "--format=%(trailers:key=Result,valueonly)", "main").strip()
        == (checkpoint["through"])
    )
    file = str(repository.folder / ACCOUNT_PATH)
    assert repository.run("validate", "--document", "account", "--file", file).code == 0
    (lot,) = checkpoint["ledger"]["lots"]
    assert (lot["symbol"], lot["quantity"]) == ("MU", 10)
    assert repository.run("audit").code == 0


def test_a_checkpoint_that_somebody_edited_is_a_breach_and_changes_nothing(
    repository: Repository,
) -> None:
    tree = repository.read(ACCOUNT_PATH)
    tree["ledger"]["positions"] = []
    repository.commit({ACCOUNT_PATH: write_document(tree)})
    told = repository.run("audit")
    assert told.code == 1
    assert f"{ACCOUNT_PATH}: `positions` is not what the results up to" in told.out
    repository.commit_plan(plan(line("SELL", quantity="all"), timestamp="2026-01-14T14:55:00Z"))
    assert repository.execute().code == 0
    assert read_document((repository.folder / ACCOUNT_PATH).read_bytes())["positions"] == []
    assert repository.read(ACCOUNT_PATH)["ledger"].get("lots", []) == []
    assert repository.run("audit").code == 0
