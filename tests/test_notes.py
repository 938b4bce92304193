"""Commits of results that are no execution, in a real repository."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from executor.decisions.notes import observed_result
from executor.decisions.results import account_record
from executor.errors import PersonNeeded, SwapLost, UsageError
from executor.main_state import MainState
from executor.model.account import AccountRecord, Mode
from executor.model.digest import digest, raw_digest
from executor.model.result import ExecutionResult, Observed
from executor.model.state import STATE_PATH, TradingState
from executor.notes import (
    commit_note,
    commit_state,
    commit_trip,
    known_book,
    person,
    refuse_other_account,
    stated,
)
from executor.repo.local_book import LocalBook
from executor.wiring import SystemClock
from tests.checks.builders import NOW, account, settings, state
from tests.scratch import RESULTS, Repository, shipped

AFTER: AccountRecord = account_record(account(account_number="SIM000001"), (), (), Mode.SIM)
CASH = Observed(kind="cash", key="CASH", quantity=Decimal(5), status="held")
PATH = f"{RESULTS}/2026-01/result_2026-01-14T15-00-00"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository.founded(tmp_path / "repository")


@pytest.fixture
def book(repository: Repository) -> Iterator[LocalBook]:
    with LocalBook(repository.folder, SystemClock(NOW)) as opened:
        yield opened


def at(book: LocalBook) -> MainState:
    return MainState(book, book.head())


def noted(quantity: int = 5) -> ExecutionResult:
    seen = CASH.model_copy(update={"quantity": Decimal(quantity)})
    return observed_result((seen,), AFTER, now=NOW)


def note(book: LocalBook, quantity: int = 5) -> ExecutionResult:
    result, commit = commit_note(book, at(book), noted(quantity), subject="Observe 1")
    assert commit == book.head()
    return result


def test_a_note_takes_its_place_in_the_chain(repository: Repository, book: LocalBook) -> None:
    head = repository.head
    first = note(book)
    assert first.code_commit == head
    assert first.settings_digest == raw_digest(
        (repository.folder / "autoinvestor.toml").read_bytes()
    )
    assert first.previous_result_digest is None
    second = note(book, 6)
    assert second.previous_result_digest == digest(repository.read(f"{PATH}.json"))
    assert repository.run("audit").code == 0


def test_a_name_that_is_taken_stays_as_it_is(repository: Repository, book: LocalBook) -> None:
    for quantity in (5, 6, 7):
        note(book, quantity)
    paths = [one for one in repository.paths(RESULTS) if "result_" in one]
    assert len(paths) == 3
    assert all(one.startswith(PATH) for one in paths)
    assert f"{PATH}.json" in paths


def test_other_files_and_trailers_go_with_it(repository: Repository, book: LocalBook) -> None:
    repository.commit({"old.txt": b"old\n"})
    commit_note(
        book,
        at(book),
        noted(),
        subject="Observe 1",
        trailers={"Kind": "cash"},
        writes={"new.txt": b"new\n"},
        deletes=("old.txt",),
    )
    assert {"new.txt", "old.txt"} & set(repository.paths()) == {"new.txt"}
    message = repository.git("log", "-1", "--format=%B").splitlines()
    assert message == ["Observe 1", "", "Kind: cash", f"Result: {PATH}.json"]


def test_a_main_that_moved_loses_the_swap_and_nothing_is_written(
    repository: Repository, book: LocalBook
) -> None:
    before = at(book)
    repository.commit({"notes.txt": b"notes\n"})
    with pytest.raises(SwapLost):
        commit_note(book, before, noted(), subject="Observe 1")
    assert [one for one in repository.paths(RESULTS) if "result_" in one] == []


def damaged(repository: Repository, book: LocalBook) -> str:
    """Damage the newest result; the digest that it had."""
    note(book)
    kept = digest(repository.read(f"{PATH}.json"))
    repository.commit({f"{PATH}.json": b"{}\n"})
    return kept


def test_a_broken_chain_is_for_a_person(repository: Repository, book: LocalBook) -> None:
    damaged(repository, book)
    with pytest.raises(PersonNeeded):
        note(book, 6)


def test_in_spite_of_damage_it_goes_on_from_what_was_written_last(
    repository: Repository, book: LocalBook
) -> None:
    kept = damaged(repository, book)
    found, _ = commit_state(
        book,
        at(book),
        state(TradingState.HALTED),
        subject="Halt: HALTED",
        mode=Mode.SIM,
        account=None,
        in_spite_of_damage=True,
    )
    assert found.previous_result_digest == kept


def test_where_nothing_of_ours_can_be_read_it_begins_anew(
    repository: Repository, book: LocalBook
) -> None:
    for trailer in ("nowhere.json", "notes.txt"):
        repository.commit({"notes.txt": trailer.encode()}, message=f"Forge\n\nResult: {trailer}")
    repository.commit({f"{PATH}.json": b"{}\n", "autoinvestor.toml": b"mode = [nonsense"})
    found, _ = commit_state(
        book,
        at(book),
        state(TradingState.HALTED),
        subject="Halt: HALTED",
        mode=None,
        account=None,
        in_spite_of_damage=True,
    )
    assert found.previous_result_digest is None


def test_a_trip_is_the_state_and_its_result(repository: Repository, book: LocalBook) -> None:
    tripped = state(TradingState.REDUCE_ONLY, by="drawdown", since=NOW)
    result, _ = commit_trip(book, at(book), tripped, AFTER)
    assert (result.kind, result.state, result.account) == ("state", tripped, "…0001")
    assert result.final_portfolio.total_value == AFTER.equity
    assert repository.read(STATE_PATH)["by"] == "drawdown"
    assert repository.subjects[0] == "Trip drawdown: REDUCE_ONLY"
    assert repository.run("audit").code == 0


def test_a_trip_never_rebases_the_peak_of_its_ledger(
    repository: Repository, book: LocalBook
) -> None:
    elsewhere = NOW - timedelta(days=3)
    tripped = state(TradingState.REDUCE_ONLY, since=NOW, peak_equity_rebased_at=elsewhere)
    note(book)
    peak = at(book).ledger.peak_equity
    result, _ = commit_trip(book, at(book), tripped, AFTER)
    assert result.state is not None
    assert result.state.peak_equity_rebased_at is None
    assert at(book).ledger.peak_equity == peak


def test_a_person_is_named_by_git_or_by_the_machine(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "none"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    assert person(repository.folder, {"USER": "al\u202eice"}) == "al ice"
    assert person(repository.folder, {"LOGNAME": "bob", "USER": "alice"}) == "bob"
    assert person(repository.folder, {}) == "somebody"
    assert person(tmp_path / "nowhere", {"USER": "alice"}) == "alice"
    repository.git("config", "user.name", "Alice " + "A" * 300)
    assert len(person(repository.folder, {})) == 200
    repository.git("config", "user.name", "Alice")
    assert person(repository.folder, {}) == "Alice"
    repository.git("config", "user.email", "alice@example.com")
    assert person(repository.folder, {}) == "Alice <alice@example.com>"


def test_a_reason_is_one_line_of_bounded_length() -> None:
    assert stated("a\nb") == "a b"
    assert len(stated("a" * 9_000)) == 2_000
    with pytest.raises(UsageError, match="say why"):
        stated(" \u200b")


def test_a_book_is_known_and_enabled() -> None:
    books = {"default": "manual", "books": {"old": {"enabled": False}, "new": {}}}
    found = settings(strategies=books)
    assert known_book(found, None) == "manual"
    assert known_book(found, "new") == "new"
    for name in ("old", "none", "New\n"):
        with pytest.raises(UsageError, match="there is manual, new"):
            known_book(found, name)


def test_an_account_is_the_one_that_the_settings_name(
    repository: Repository, book: LocalBook
) -> None:
    refuse_other_account(at(book), "SIM000001")
    paper = shipped(('mode = "sim"', 'mode = "paper"'))
    repository.commit({"autoinvestor.toml": paper.encode()})
    with pytest.raises(PersonNeeded, match="the settings name none"):
        refuse_other_account(at(book), "PA0001234")
    ours = paper.replace('number_ends_with = ""', 'number_ends_with = "1234"')
    repository.commit({"autoinvestor.toml": ours.encode()})
    refuse_other_account(at(book), "PA0001234")
    with pytest.raises(PersonNeeded, match="ends with 1234"):
        refuse_other_account(at(book), "PA0009999")
