"""One contract, four books: in memory, a repository alone, one with a remote, one on GitHub."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from executor.errors import BookUnavailable, SwapLost, UsageError
from executor.ports import Change
from tests.repo.book_rigs import NOON, GitHubRig, LocalRig, MemoryRig, Rig, github_rig, local_rig

PLAN = "trading_instructions.json"
RESULT = "execution_results/2026-01/result_2026-01-14T17-00-00.json"


@pytest.fixture(params=["memory", "local", "remote", "github"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    if request.param == "memory":
        yield MemoryRig()
        return
    if request.param == "github":
        with github_rig(tmp_path) as on_github:
            yield on_github
        return
    local = local_rig(tmp_path, has_remote=request.param == "remote")
    yield local
    local.close()


def test_what_was_committed_is_read(rig: Rig) -> None:
    before = rig.book.head()
    new = rig.book.commit(Change("Add", {PLAN: b"{}\n", RESULT: b"\xc3\xa4\r\n"}), before)
    assert rig.book.head() == new != before
    assert rig.book.read(PLAN, new) == b"{}\n"
    assert rig.book.read(RESULT, new) == b"\xc3\xa4\r\n"
    assert rig.book.read(PLAN, before) is None
    assert rig.book.read("autoinvestor.toml", new) == b"first\n"
    assert rig.book.read("execution_results", new) is None, "a folder is no file"


def test_what_was_deleted_is_gone_from_then_on(rig: Rig) -> None:
    first = rig.book.commit(Change("Add", {PLAN: b"1"}), rig.book.head())
    second = rig.book.commit(Change("Go", {RESULT: b"2"}, deletes=(PLAN,)), first)
    assert rig.book.read(PLAN, second) is None
    assert rig.book.read(PLAN, first) == b"1"
    assert rig.book.read(RESULT, second) == b"2"


def test_a_commit_is_known_by_its_name_and_main_by_its_own(rig: Rig) -> None:
    new = rig.book.commit(Change("Add", {PLAN: b"1"}), rig.book.head())
    assert rig.book.resolve("main") == rig.book.resolve(new) == new
    for name in ("nowhere", "--all", "0" * 40, ""):
        with pytest.raises(UsageError):
            rig.book.resolve(name)


def test_an_empty_change_is_a_commit_all_the_same(rig: Rig) -> None:
    head = rig.book.head()
    new = rig.book.commit(Change("Say", trailers={"Step": "x"}), head)
    assert rig.book.head() == new != head


def test_a_folder_is_read_by_path_and_without_its_neighbors(rig: Rig) -> None:
    files = {
        "execution_results/b.json": b"b",
        "execution_results/2026-01/a.json": b"a",
        "execution_results_not/c.json": b"c",
    }
    new = rig.book.commit(Change("Add", files), rig.book.head())
    assert list(rig.book.read_folder("execution_results", new)) == [
        ("execution_results/2026-01/a.json", b"a"),
        ("execution_results/b.json", b"b"),
    ]
    assert list(rig.book.read_folder("nothing", new)) == []


def test_what_differs_between_two_commits_is_told_by_folder(rig: Rig) -> None:
    files = {"execution_results/b.json": b"b", "execution_results/2026-01/a.json": b"a"}
    first = rig.book.commit(Change("Add", files), rig.book.head())
    second = rig.book.commit(
        Change("Change", {"execution_results/b.json": b"B", PLAN: b"1"}), first
    )
    third = rig.book.commit(
        Change("More", {RESULT: b"r"}, deletes=("execution_results/2026-01/a.json",)), second
    )
    assert rig.book.changed("execution_results", first, first) == {}
    assert rig.book.changed("execution_results", first, second) == {"execution_results/b.json": "M"}
    assert rig.book.changed("execution_results", first, third) == {
        "execution_results/2026-01/a.json": "D",
        RESULT: "A",
        "execution_results/b.json": "M",
    }
    assert rig.book.changed("strategy_reviews", first, third) == {}


def test_a_swap_that_expects_an_older_main_is_lost_and_changes_nothing(rig: Rig) -> None:
    before = rig.book.head()
    theirs = rig.push({"notes.txt": "x"})
    with pytest.raises(SwapLost):
        rig.book.commit(Change("Late", {PLAN: b"1"}), before)
    assert rig.book.head() == theirs
    assert rig.book.read(PLAN, theirs) is None


def test_a_person_s_commit_is_seen_and_built_upon(rig: Rig) -> None:
    rig.push({PLAN: "1"})
    head = rig.book.head()
    assert rig.book.read(PLAN, head) == b"1"
    new = rig.book.commit(Change("End", {RESULT: b"2"}, deletes=(PLAN,)), head)
    later = rig.push({"notes.txt": "x"})
    assert rig.book.head() == later
    assert rig.book.read(RESULT, later) == b"2"
    changed = rig.book.last_change(PLAN, later)
    assert changed is not None
    assert changed.commit == new


def test_a_merge_is_what_changed_a_path_not_the_branch_behind_it(rig: Rig) -> None:
    before = rig.book.head()
    merge = rig.push({PLAN: "1"}, merged=True)
    later = rig.push({"notes.txt": "x"})
    assert rig.book.head() == later
    changed = rig.book.last_change(PLAN, later)
    assert changed is not None
    assert changed.commit == merge
    assert changed.parents[0] == before
    assert len(changed.parents) == 2
    assert rig.book.last_change("nowhere.txt", later) is None


def test_a_removal_is_a_change_too(rig: Rig) -> None:
    rig.push({PLAN: "1"})
    gone = rig.push({}, deletes=(PLAN,))
    changed = rig.book.last_change(PLAN, rig.book.head())
    assert changed is not None
    assert changed.commit == gone


def test_commits_are_dated_by_the_clock_to_the_second(rig: Rig) -> None:
    rig.clock.move_to(NOON + timedelta(hours=1, seconds=2, microseconds=300))
    new = rig.book.commit(Change("Add", {PLAN: b"1"}), rig.book.head())
    changed = rig.book.last_change(PLAN, new)
    assert changed is not None
    assert changed.committed_at == NOON + timedelta(hours=1, seconds=2)
    assert changed.subject == "Add"


def test_trailers_are_found_newest_first(rig: Rig) -> None:
    names = []
    for number, value in enumerate(("a", "b", "a", "b", "b")):
        trailers = {"Plan-Digest": value, "Step": f"step {number}"}
        names.append(
            rig.book.commit(Change("Do", {"n": b"%d" % number}, (), trailers), rig.book.head())
        )
    rig.push({"notes.txt": "x"})
    head = rig.book.head()
    assert [one.commit for one in rig.book.with_trailer("Plan-Digest", None, head, 2)] == [
        names[4],
        names[3],
    ]
    (newest,) = rig.book.with_trailer("Plan-Digest", "a", head, 1)
    assert newest.commit == names[2]
    assert newest.trailers == {"Plan-Digest": "a", "Step": "step 2"}
    assert len(rig.book.with_trailer("Plan-Digest", "b", head, 9)) == 3
    assert rig.book.with_trailer("Plan-Digest", "c", head, 9) == ()
    assert [one.commit for one in rig.book.with_trailer("Step", "step 1", names[3], 1)] == [
        names[1]
    ]


def test_one_at_a_time_on_one_machine(rig: Rig) -> None:
    if isinstance(rig, GitHubRig):
        pytest.skip("runners share no machine; GitHub keeps their jobs apart")
    other = rig.another()
    with rig.book.exclusive(), pytest.raises(BookUnavailable), other.exclusive():
        raise AssertionError("two at once")
    with other.exclusive():
        pass


def test_whoever_fails_lets_go(rig: Rig) -> None:
    with pytest.raises(KeyboardInterrupt), rig.book.exclusive():
        raise KeyboardInterrupt
    with rig.another().exclusive():
        pass


def test_a_tidy_repository_stays_as_it_is(rig: Rig) -> None:
    head = rig.book.head()
    rig.book.tidy()
    new = rig.book.commit(Change("Add", {PLAN: b"1"}), head)
    rig.book.tidy()
    assert rig.book.head() == new


def test_a_commit_of_ours_is_vouched_for(rig: Rig) -> None:
    first = rig.book.commit(Change("Add", {PLAN: b"1"}), rig.book.head())
    second = rig.book.commit(Change("Add", {RESULT: b"1"}), first)
    assert rig.book.vouches(first)
    assert rig.book.vouches(second)


def test_a_ref_of_the_remote_is_brought(rig: Rig) -> None:
    if isinstance(rig, LocalRig) and not rig.has_remote:
        with pytest.raises(UsageError, match="no remote"):
            rig.book.bring("refs/heads/main")
        return
    theirs = rig.push({"notes.txt": "x"})
    assert rig.book.bring("refs/heads/main") == theirs
    with pytest.raises(UsageError, match="refs/pull/7/head: the remote has no such ref"):
        rig.book.bring("refs/pull/7/head")
