from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from executor.model.plan import PLAN_PATH
from executor.model.reading import read_document
from executor.model.state import STATE_PATH
from tests.commands.strangers import named
from tests.scratch import IMPATIENT, Answer, Repository, plan, shipped

HALTED_AT = "2026-01-14T15:10:00Z"
LATER = "2026-01-14T15:20:00Z"
LATEST = "2026-01-14T15:30:00Z"


@pytest.fixture(autouse=True)
def _no_keys_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ALPACA_API_KEY", "ALPACA_SECRET_KEY", "AUTOINVESTOR_EXCHANGE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """One that is halted."""
    made = named(Repository.founded(tmp_path / "repository", shipped(*IMPATIENT)))
    assert made.run("halt", "--halted", "--reason", "a drill", "--now", HALTED_AT).code == 0
    return made


def resumed(repository: Repository, *flags: str, now: str | None = LATER) -> Answer:
    story = () if now is None else ("--now", now)
    return repository.run("resume", "--reason", "it was a drill", *story, *flags)


def written(repository: Repository) -> dict[str, Any]:
    return read_document((repository.folder / PLAN_PATH).read_bytes())


def test_it_writes_a_plan_and_changes_nothing_else(repository: Repository) -> None:
    head = repository.head
    answer = resumed(repository)
    assert (answer.code, repository.head) == (0, head)
    assert repository.read(STATE_PATH)["state"] == "HALTED"
    assert written(repository) == {
        "timestamp": LATER,
        "strategy_type": "resume",
        "reason": "it was a drill",
        "trading_state": {"state": "ACTIVE", "reason": "it was a drill"},
        "instructions": [],
    }
    assert repository.git("status", "--porcelain") == f"?? {PLAN_PATH}"
    assert "asks for ACTIVE: it was a drill" in answer.out


def test_it_may_go_half_way_and_rebase_the_peak(repository: Repository) -> None:
    answer = resumed(repository, "--state", "REDUCE_ONLY", "--rebase-peak", "--json")
    asked = {"state": "REDUCE_ONLY", "reason": "it was a drill", "rebase_peak": True}
    assert written(repository)["trading_state"] == asked
    assert (answer.data["state"], answer.data["plan"]["trading_state"]) == ("written", asked)


def test_the_steps_that_follow_do_it_in_sim(repository: Repository) -> None:
    steps = resumed(repository, "--json").data["next"]
    assert steps[-1] == "autoinvestor execute --submit"
    for step in steps[:-1]:
        repository.git(*shlex.split(step)[1:], when=LATER)
    answer = repository.execute(now=LATEST)
    assert answer.code == 0, answer.text
    assert repository.read(STATE_PATH)["state"] == "ACTIVE"
    assert repository.run("audit").code == 0


def test_where_an_approval_is_asked_for_the_steps_are_a_pull_request(
    repository: Repository,
) -> None:
    text = shipped(*IMPATIENT, ('mode = "sim"', 'mode = "paper"'))
    repository.commit({"autoinvestor.toml": text.encode()})
    answer = resumed(repository, now=None)
    assert (answer.code, "git switch -c plan/resume" in answer.out) == (0, True)
    assert "open a pull request: another person's merge is the approval" in answer.out
    assert "autoinvestor propose --remote --file trading_instructions.json" in answer.out


def test_a_state_that_is_in_force_needs_no_plan(repository: Repository) -> None:
    repository.commit({}, removes=(STATE_PATH,))
    answer = resumed(repository)
    assert (answer.code, "the trading state is ACTIVE already" in answer.out) == (0, True)
    assert not (repository.folder / PLAN_PATH).exists()
    # The peak may be counted anew all the same.
    assert resumed(repository, "--rebase-peak").code == 0
    assert written(repository)["trading_state"]["rebase_peak"] is True


def test_it_never_tightens(repository: Repository) -> None:
    repository.commit({}, removes=(STATE_PATH,))
    answer = resumed(repository, "--state", "REDUCE_ONLY")
    assert (answer.code, "resume only loosens; use `autoinvestor halt" in answer.err) == (2, True)
    assert not (repository.folder / PLAN_PATH).exists()


def test_a_state_that_cannot_be_read_may_be_resumed_from(repository: Repository) -> None:
    repository.commit({STATE_PATH: b"{}\n"})
    assert resumed(repository).code == 0
    assert written(repository)["trading_state"]["state"] == "ACTIVE"


def test_a_plan_that_waits_is_not_overwritten(repository: Repository) -> None:
    repository.commit_plan(plan())
    before = (repository.folder / PLAN_PATH).read_bytes()
    answer = resumed(repository)
    assert (answer.code, "waits on main; execute it" in answer.err) == (2, True)
    assert (repository.folder / PLAN_PATH).read_bytes() == before


def test_somebodys_file_is_not_overwritten(repository: Repository) -> None:
    (repository.folder / PLAN_PATH).write_text("a draft")
    answer = resumed(repository)
    assert (answer.code, "put it away first" in answer.err) == (2, True)
    assert (repository.folder / PLAN_PATH).read_text() == "a draft"


def test_a_reason_is_asked_for(repository: Repository) -> None:
    assert repository.run("resume", "--reason", " ").code == 2
    assert repository.run("resume").code == 2
