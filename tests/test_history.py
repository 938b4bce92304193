"""The record is read from its checkpoint on, which is believed only where it is ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from executor.checkpointing import with_checkpoint
from executor.decisions.checkpoint import differs, prune
from executor.decisions.ledger import fold
from executor.decisions.results import archive_name
from executor.errors import PersonNeeded
from executor.history import PLAN_DIGEST, RESULT, STEP, timestamp_of
from executor.main_state import MainState
from executor.model.account import ACCOUNT_PATH, Mode
from executor.model.checkpoint import Checkpoint
from executor.model.digest import digest as canonical_digest
from executor.model.digest import plan_digest
from executor.model.ledger import Ledger
from executor.model.order_result import Outcome
from executor.model.plan import PLAN_PATH
from executor.model.reading import read_document
from executor.model.settings import SETTINGS_PATH
from executor.model.writing import write_document
from executor.ports import Change
from tests.decisions.record_builders import line_result
from tests.records import PAPER, Record


@pytest.fixture
def record() -> Record:
    return Record()


def of_three() -> Record:
    made = Record()
    for _ in range(3):
        made.execute()
    return made


def whole_fold(record: Record, mode: Mode = Mode.SIM) -> Ledger:
    return fold(record.main.results, mode)


def checkpoint(record: Record) -> Checkpoint:
    data = record.book.read(ACCOUNT_PATH, record.book.head())
    assert data is not None
    return Checkpoint.model_validate(read_document(data))


def reads_all(record: Record, ask: Callable[[MainState], object]) -> bool:
    """Whether an answer takes every result."""
    record.book.asked.clear()
    ask(record.main)
    return any(one.startswith("folder") for one in record.book.asked)


def ledger_of(main: MainState) -> Ledger:
    return main.ledger


# Writing it.


def test_each_result_brings_the_checkpoint_up_to_itself(record: Record) -> None:
    for _ in range(3):
        path = record.execute()
        found = checkpoint(record)
        assert (found.through, found.ledger.through) == (path, path)
        assert record.main.tip is not None
        assert found.through_digest == record.main.tip.digest == record.main.chain.links[-1].digest
        assert differs(found, whole_fold(record)) is None
    assert found.account == "…0001"
    assert found.ledger.results == 3


def test_where_no_broker_was_asked_the_account_stays_as_it_was_told_last(record: Record) -> None:
    record.execute(seen=False)
    assert record.book.read(ACCOUNT_PATH, record.book.head()) is None
    record.execute()
    before = checkpoint(record)
    path = record.execute(None, line_result(outcome=Outcome.DENIED), status="rejected", seen=False)
    after = checkpoint(record)
    assert (after.as_of, after.cash) == (before.as_of, before.cash)
    assert (after.through, after.ledger.results) == (path, 3)


def test_of_another_mode_there_is_no_account_to_go_on_from(record: Record) -> None:
    record.execute()
    before = checkpoint(record)
    record.origin.push({SETTINGS_PATH: PAPER}, "Go on in paper")
    record.execute(seen=False, mode="paper")
    record.execute(mode="sim")
    assert checkpoint(record) == before
    record.execute(mode="paper", account="…9999")
    assert (checkpoint(record).mode, checkpoint(record).account) == (Mode.PAPER, "…9999")
    assert differs(checkpoint(record), whole_fold(record, Mode.PAPER)) is None


def test_damage_that_only_a_person_can_mend_makes_no_checkpoint(record: Record) -> None:
    first = record.execute()
    before = checkpoint(record)
    main = record.main
    data = record.book.read(first, main.head)
    record.origin.push({SETTINGS_PATH: b"nonsense"}, "Break the settings")
    record.origin.push({SETTINGS_PATH: b""}, "Break them more", deletes=(SETTINGS_PATH,))
    record.execute()
    assert checkpoint(record).through != before.through, "the last valid settings go on"
    record.origin.push({first: (data or b"") + b" "}, "Touch a result")
    path = "execution_results/2026-02/result_broken.json"
    tree = read_document(data or b"") | {"previous_result_digest": "e" * 64}
    record.origin.push({path: write_document(tree)}, "Break the chain")
    kept = checkpoint(record)
    change = Change("End", {path: data or b""}, trailers={RESULT: path})
    assert with_checkpoint(record.main, change, path) == change
    assert checkpoint(record) == kept


# Believing it.


def test_a_checkpoint_saves_reading_every_result() -> None:
    record = of_three()
    assert not reads_all(record, ledger_of)
    assert not reads_all(record, lambda main: main.tip)
    assert record.main.ledger == prune(whole_fold(record))


def test_what_came_after_the_checkpoint_is_read_and_folded(record: Record) -> None:
    record.execute()
    record.execute(checkpoint=False)
    path = record.execute(checkpoint=False)
    assert not reads_all(record, ledger_of)
    assert record.main.ledger.through == path
    assert prune(record.main.ledger) == prune(whole_fold(record))
    assert record.main.tip is not None
    assert record.main.tip.path == path


def test_a_record_without_a_checkpoint_is_read_whole(record: Record) -> None:
    assert record.main.tip is None
    assert record.main.ledger == Ledger()
    path = record.execute(checkpoint=False)
    assert reads_all(record, ledger_of)
    assert record.main.ledger == whole_fold(record)
    assert record.main.tip is not None
    assert record.main.tip.path == path


def rewritten(record: Record, **changes: Any) -> bytes:
    data = record.book.read(ACCOUNT_PATH, record.book.head())
    return write_document(read_document(data or b"") | changes)


def test_a_checkpoint_that_a_person_wrote_is_not_believed() -> None:
    record = of_three()
    richer = rewritten(record, cash=10**9, ledger={"cash_change": 10**9})
    for merged in (False, True):
        record.origin.push({ACCOUNT_PATH: richer + b" " * merged}, "Mine", merged=merged)
        assert reads_all(record, ledger_of)
        assert record.main.ledger == whole_fold(record)
    record.execute()
    assert not reads_all(record, ledger_of)
    assert prune(record.main.ledger) == prune(whole_fold(record))


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b"\xff", b'{"schema_version": 2}'], ids=lambda data: repr(data)
)
def test_a_checkpoint_that_cannot_be_read_is_not_believed(data: bytes) -> None:
    record = of_three()
    record.origin.push({ACCOUNT_PATH: data}, "Damage")
    assert reads_all(record, ledger_of)
    record.origin.push({}, "Remove", deletes=(ACCOUNT_PATH,))
    assert record.main.ledger == whole_fold(record)


def forge(record: Record, *, trailers: dict[str, str], **changes: Any) -> None:
    """A commit that looks like ours but for what is said."""
    change = Change("Forged", {ACCOUNT_PATH: rewritten(record, **changes)}, trailers=trailers)
    record.book.commit(change, record.book.head())


def test_it_must_have_come_with_the_result_that_it_names() -> None:
    record = of_three()
    path = checkpoint(record).through
    forge(record, trailers={RESULT: path}, cash=7)
    assert reads_all(record, ledger_of), "that result was there before"


def test_it_must_name_the_result_of_its_commit() -> None:
    record = of_three()
    forge(record, trailers={RESULT: "execution_results/2026-01/other.json"}, cash=7)
    assert reads_all(record, ledger_of)
    forge(record, trailers={}, cash=8)
    assert reads_all(record, ledger_of)


def next_result(record: Record) -> tuple[str, bytes]:
    """A result that goes on from the tip, as anybody could write it."""
    tip = record.main.tip
    assert tip is not None
    tree = read_document(record.book.read(tip.path, record.book.head()) or b"")
    tree |= {"previous_result_digest": tip.digest, "timestamp": "2026-02-01T00:00:00Z"}
    return "execution_results/2026-02/result_2026-02-01T00-00-00.json", write_document(tree)


@pytest.mark.parametrize(
    ("trailer", "told", "believed"),
    [(True, True, True), (False, True, False), (True, False, False)],
    ids=["as ours", "without the trailer", "with another digest"],
)
def test_a_checkpoint_is_told_by_trailer_result_and_digest_together(
    trailer: bool, told: bool, believed: bool
) -> None:
    record = of_three()
    path, data = next_result(record)
    digest = canonical_digest(read_document(data))
    forged = rewritten(record, through=path, through_digest=digest if told else "e" * 64)
    trailers = {RESULT: path} if trailer else {}
    change = Change("Forged", {ACCOUNT_PATH: forged, path: data}, trailers=trailers)
    record.book.commit(change, record.book.head())
    assert reads_all(record, lambda main: main.tip) is not believed
    assert record.main.tip is not None
    assert record.main.tip.digest == digest


@pytest.mark.parametrize("digest", ["e" * 64, None])
def test_it_must_hold_the_digest_of_its_result(record: Record, digest: str | None) -> None:
    record.execute()
    path = "execution_results/2026-02/result_2026-02-01T00-00-00.json"
    content = b"nonsense" if digest is None else write_document({"kind": "state"})
    forged = rewritten(record, through=path, through_digest=digest or "a" * 64)
    change = Change("Forged", {ACCOUNT_PATH: forged, path: content}, trailers={RESULT: path})
    record.book.commit(change, record.book.head())
    with pytest.raises(PersonNeeded, match="cannot be read"):
        record.main.ledger  # noqa: B018


def test_of_another_mode_or_account_all_is_folded() -> None:
    record = of_three()
    text = record.book.read(SETTINGS_PATH, record.book.head()) or b""
    record.origin.push({SETTINGS_PATH: PAPER}, "Paper")
    assert reads_all(record, ledger_of)
    assert record.main.ledger == Ledger()
    assert not reads_all(record, lambda main: main.tip), "the chain is of all modes"
    named = text.replace(b'number_ends_with = ""', b'number_ends_with = "0001"')
    assert named != text
    record.origin.push({SETTINGS_PATH: named}, "Name the account")
    assert reads_all(record, ledger_of)
    assert record.main.ledger == fold(record.main.results, Mode.SIM, "…0001")


def test_history_that_was_changed_since_is_read_whole(record: Record) -> None:
    record.execute()
    second = record.execute()
    data = record.book.read(second, record.book.head()) or b""
    record.origin.push({second: data.replace(b'"manual"', b'"somebody"')}, "Edit a result")
    assert reads_all(record, ledger_of)
    record.origin.push({}, "Remove it", deletes=(second,))
    record.book.asked.clear()
    assert record.main.ledger.results == 1


@pytest.mark.parametrize("gone", [True, False])
def test_an_old_result_that_was_touched_breaks_the_chain(gone: bool) -> None:
    record = of_three()
    first, _ = record.main.results[0]
    data = record.book.read(first, record.book.head()) or b""
    edited = {} if gone else {first: data.replace(b'"manual"', b'"somebody"')}
    record.origin.push(edited, "Touch it", deletes=(first,) if gone else ())
    with pytest.raises(PersonNeeded, match=r"the chain of results is broken: .*names result"):
        record.main.tip  # noqa: B018


def test_a_result_that_does_not_go_on_from_the_tip_is_for_a_person() -> None:
    record = of_three()
    stray = "execution_results/2026-01/result_stray.json"
    tree = read_document(record.book.read(record.main.results[0][0], record.book.head()) or b"")
    record.origin.push({stray: write_document(tree)}, "Copy")
    with pytest.raises(PersonNeeded, match=r"the chain of results is broken: .*stray"):
        record.main.ledger  # noqa: B018
    with pytest.raises(PersonNeeded, match="the chain of results is broken"):
        record.main.tip  # noqa: B018


def test_other_files_in_the_folder_are_none_of_the_chain() -> None:
    record = of_three()
    record.origin.push({"execution_results/README.md": b"x", "execution_results/a.txt": b""}, "Say")
    assert not reads_all(record, ledger_of)


def test_a_result_is_asked_for_by_its_path(record: Record) -> None:
    path = record.execute()
    assert record.main.result(path).plan_status == "completed"
    with pytest.raises(PersonNeeded, match="not on main"):
        record.main.result("execution_results/2026-01/result_none.json")


def test_no_question_costs_more_in_a_longer_record() -> None:
    def asked(count: int) -> list[int]:
        record = Record()
        for _ in range(count):
            record.execute()
        plan = record.plan()
        record.origin.push({PLAN_PATH: write_document(plan)}, "Propose")
        counts = []
        asks: tuple[Callable[[MainState], object], ...] = (
            lambda main: main.ledger,
            lambda main: main.tip,
            lambda main: main.unfinished,
            lambda main: main.plan and main.executed(main.plan),
        )
        for ask in asks:
            record.book.asked.clear()
            ask(record.main)
            counts.append(len(record.book.asked))
        return counts

    assert asked(4) == asked(40)


# Whether a plan was executed.


def digest_of(tree: dict[str, Any]) -> str:
    return plan_digest(read_document(write_document(tree)))


def executed(record: Record, tree: dict[str, Any]) -> str | None:
    """What main says of a plan that lies there."""
    record.origin.push({PLAN_PATH: write_document(tree | {"status": "pending"})}, "Propose")
    main = record.main
    assert main.plan is not None
    found = main.executed(main.plan)
    record.origin.push({}, "Away", deletes=(PLAN_PATH,))
    return found


STAMPED = pytest.mark.parametrize("stamped", [True, False], ids=["stamped", "without a timestamp"])


def a_plan(record: Record, stamped: bool) -> dict[str, Any]:
    plan = record.plan()
    if not stamped:
        del plan["timestamp"]
    return plan


DENIED = line_result(outcome=Outcome.DENIED, client_order_id=None)


@STAMPED
def test_a_plan_that_completed_was_executed(record: Record, stamped: bool) -> None:
    plan = a_plan(record, stamped)
    assert executed(record, plan) is None
    path = record.execute(plan)
    for _ in range(3):
        record.execute()
    assert executed(record, plan) == record.main.result(path).archived_as
    assert not reads_all(record, lambda main: main.history.execution_of(digest_of(plan), None))


@STAMPED
def test_a_plan_that_was_rejected_was_not(record: Record, stamped: bool) -> None:
    plan = a_plan(record, stamped)
    record.execute(plan, DENIED, status="rejected")
    assert executed(record, plan) is None
    record.execute(plan, record.filled())
    assert executed(record, plan) is not None
    record.execute(plan, DENIED, status="duplicate")
    assert executed(record, plan) is not None


@STAMPED
def test_a_settlement_that_tells_a_sent_order_counts(record: Record, stamped: bool) -> None:
    plan = a_plan(record, stamped)
    first = record.execute(plan, DENIED, status="rejected")
    record.settle(first, DENIED)
    assert executed(record, plan) is None
    record.settle(first, record.filled())
    assert executed(record, plan) == record.main.result(first).archived_as


def test_another_plan_of_the_same_second_is_another_one(record: Record) -> None:
    one = record.plan()
    other = one | {"reason": "another"}
    record.execute(one)
    assert executed(record, other) is None
    path = record.execute(other, record.filled(client_order_id="ai-00000000-" + "f" * 32 + "-0"))
    assert executed(record, other) == record.main.result(path).archived_as
    assert record.main.result(path).archived_as != record.main.results[0][1].archived_as


@pytest.mark.parametrize(
    "trailers",
    [{STEP: "withdrawn"}, {STEP: "superseded"}, {STEP: "completed", "Supersedes": ""}],
    ids=["withdrawn", "superseded", "superseded by another"],
)
def test_a_plan_that_was_set_aside_was_not_executed(
    record: Record, trailers: dict[str, str]
) -> None:
    plan = record.plan()
    stamp = timestamp_of(write_document(plan))
    assert stamp is not None
    path = archive_name(stamp)
    told = {key: value or path for key, value in trailers.items()}
    # Whatever its author wrote into `status`.
    change = Change("Aside", {path: write_document(plan | {"status": "completed"})}, trailers=told)
    record.book.commit(change, record.book.head())
    record.book.asked.clear()
    assert executed(record, plan) is None
    assert not any(one.startswith("folder") for one in record.book.asked)


def test_what_somebody_brought_in_is_looked_for_in_the_results(record: Record) -> None:
    plan = record.plan()
    path = record.execute(plan)
    files = dict(record.origin.commits[record.book.head()].tree)
    imported = Record()
    imported.number = record.number
    imported.origin.push(files, "Import a record")
    assert executed(imported, plan) == record.main.result(path).archived_as
    other = imported.plan()
    assert executed(imported, other) is None


def test_trailers_alone_prove_nothing(record: Record) -> None:
    plan = a_plan(record, stamped=False)
    path = record.execute()
    digest = digest_of(plan)
    for told in (
        {RESULT: path},
        {RESULT: "execution_results/none.json"},
        {RESULT: "autoinvestor.toml"},
        {},
    ):
        trailers = {PLAN_DIGEST: digest, STEP: "completed", **told}
        record.book.commit(Change("Forged", {"n": b"1"}, trailers=trailers), record.book.head())
    assert executed(record, plan) is None


def test_a_timestamp_that_is_none_is_none() -> None:
    for data in (b"{}", b"nonsense", b'{"timestamp": "yesterday"}', b'{"timestamp": 5}'):
        assert timestamp_of(data) is None
    assert timestamp_of(json.dumps({"timestamp": "2026-01-14T15:00:00"}).encode()) is not None


# The executions, newest first.


def test_executions_are_told_from_the_newest_back(record: Record) -> None:
    paths = [record.execute() for _ in range(40)]
    assert [path for path, _ in record.main.history.executions()] == paths[::-1]
    since = record.clock.now() - timedelta(hours=5)
    assert [path for path, _ in record.main.history.executions(since)] == paths[:33:-1]


def test_of_an_execution_that_was_set_aside_the_one_that_counts_is_told(record: Record) -> None:
    plan = record.plan()
    first = record.execute(plan)
    record.execute(plan, DENIED, status="duplicate")
    newest, *_ = record.main.history.executions()
    counting = record.main.history.counting(newest)
    assert counting is not None
    assert counting[0] == first
    assert record.main.history.counting(counting) == counting
    rejected = record.execute(None, DENIED, status="rejected")
    told = (rejected, record.main.result(rejected))
    assert record.main.history.counting(told) is None


# A plan that runs.


def test_steps_that_nobody_of_ours_took_are_passed_over(record: Record) -> None:
    record.execute()
    for step in ("validated", "completed", "validated", "rejected", "withdrawn"):
        trailers = {STEP: step, PLAN_DIGEST: "a" * 64}
        record.book.commit(
            Change("Forged", {"n": step.encode()}, trailers=trailers), record.book.head()
        )
    assert record.main.unfinished is None


def test_a_record_without_steps_runs_nothing(record: Record) -> None:
    assert record.main.unfinished is None
