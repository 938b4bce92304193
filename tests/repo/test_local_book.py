"""What only a repository has: a work tree, people's edits in it, a remote, and git that dies."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from executor.errors import BookUnavailable, SwapLost, UsageError
from executor.model.state import STATE_PATH
from executor.ports import Change
from executor.repo.git import Git
from executor.repo.local_book import LocalBook
from tests.fakes.clock import SimulatedClock
from tests.repo.book_rigs import NOON, LocalRig, git, local_rig

PLAN = "trading_instructions.json"
RESULT = "execution_results/2026-01/result_2026-01-14T17-00-00.json"
ARCHIVE = "trading_instructions_history/2026-01/instructions_2026-01-14T17-00-00.json"

VALIDATE = Change("Validate", {PLAN: b"validated\n"})
END = Change("End", {RESULT: b"result\n", ARCHIVE: b"archived\n"}, deletes=(PLAN,))


@pytest.fixture(params=["local", "remote"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LocalRig]:
    made = local_rig(tmp_path, has_remote=request.param == "remote")
    yield made
    made.close()


class Died(BaseException):
    """The process is gone."""


class DyingGit(Git):
    """Git in a process that is killed around its nth call; what git did stays done."""

    def __init__(self, folder: Path, nth: int, *, after: bool) -> None:
        self._left = -1
        super().__init__(folder)
        self._left, self._after = nth, after

    def run(
        self,
        *arguments: str,
        stdin: bytes | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> bytes:
        self._left -= 1
        if self._left == 0 and not self._after:
            raise Died
        printed = super().run(*arguments, stdin=stdin, environment=environment)
        if self._left == 0:
            raise Died
        return printed


def use_git(book: LocalBook, git: Git) -> None:
    """Let a book and its work tree call another git."""
    book._git = git
    book._work_tree._git = git


def commit_and_die(rig: LocalRig, change: Change, nth: int, *, after: bool) -> bool:
    """Commit in a process that dies around its nth git call; whether it got that far."""
    head = rig.book.head()
    with LocalBook(rig.folder, rig.clock) as book:
        use_git(book, DyingGit(rig.folder, nth, after=after))
        try:
            book.commit(change, head)
        except Died:
            return True
    return False


def assert_brought_along(rig: LocalRig) -> None:
    """Work tree, index and branch are what main is."""
    assert git(rig.folder, "status", "--porcelain") == ""
    assert git(rig.folder, "rev-parse", "main") == rig.book.head()


@pytest.mark.parametrize("after", [False, True])
def test_a_kill_around_any_call_of_git_leaves_nothing_that_a_person_must_mend(
    rig: LocalRig, after: bool
) -> None:
    nth = 1
    while True:
        rig.push({PLAN: "pending\n"})
        head = rig.book.commit(VALIDATE, rig.book.head())
        if not commit_and_die(rig, END, nth, after=after):
            break
        with LocalBook(rig.folder, rig.clock) as book:
            book.tidy()
            now = book.head()
            if now == head:
                now = book.commit(END, now)
            assert book.read(PLAN, now) is None, f"killed around call {nth}"
            assert book.read(RESULT, now) == b"result\n"
            book.commit(Change("Next", deletes=(RESULT, ARCHIVE)), now)
        assert_brought_along(rig)
        nth += 1
    assert nth > 6


def test_a_kill_is_mended_where_a_large_index_is_left_behind(rig: LocalRig) -> None:
    validate = replace(VALIDATE, goes_on=True)
    nth = 1
    while True:
        rig.push({PLAN: "pending\n"})
        with LocalBook(rig.folder, rig.clock, large_index=0) as book:
            head = book.head()
            use_git(book, DyingGit(rig.folder, nth, after=True))
            try:
                book.commit(END, book.commit(validate, head))
                died = False
            except Died:
                died = True
                book._work_tree._left_behind = ()  # a killed process finishes nothing
        with LocalBook(rig.folder, rig.clock, large_index=0) as book:
            book.tidy()
            now = book.head()
            changed = [path for path in (PLAN, RESULT, ARCHIVE) if book.read(path, now) is not None]
            book.commit(Change("Next", {"n": b"%d" % nth}, tuple(changed)), now)
        assert_brought_along(rig)
        if not died:
            break
        nth += 1
    assert nth > 10


def test_a_large_index_catches_up_when_the_run_ends(rig: LocalRig) -> None:
    rig.push({PLAN: "pending\n"})
    rig.book.commit(Change("Bring along", {"n": b"1"}), rig.book.head())
    with LocalBook(rig.folder, rig.clock, large_index=0) as book:
        with book.exclusive():
            book.tidy()
            book.commit(replace(VALIDATE, goes_on=True), book.head())
            assert (rig.folder / PLAN).read_bytes() == b"validated\n"
            assert git(rig.folder, "status", "--porcelain") != ""
        assert_brought_along(rig)
        book.commit(replace(END, goes_on=True), book.head())
    assert_brought_along(rig)
    assert list((rig.folder / ".git").glob("autoinvestor.moving*")) == []


def test_a_large_index_that_was_left_behind_is_no_hindrance(rig: LocalRig) -> None:
    rig.push({PLAN: "pending\n"})
    with LocalBook(rig.folder, rig.clock, large_index=0) as book:
        book.commit(replace(VALIDATE, goes_on=True), book.head())
        rig.push({"notes.txt": "x"}) if rig.has_remote else None
        with contextlib.suppress(SwapLost):
            book.commit(END, book.head())
        book.tidy()
    assert_brought_along(rig)


def test_a_swap_that_is_lost_leaves_no_mark(rig: LocalRig) -> None:
    old = rig.book.head()
    rig.push({"notes.txt": "x"})
    with pytest.raises(SwapLost):
        rig.book.commit(VALIDATE, old)
    assert list((rig.folder / ".git").glob("autoinvestor.moving*")) == []


@pytest.mark.parametrize("path", [PLAN, f"{RESULT}/below", "execution_results"])
def test_what_stands_where_a_file_has_to_be_is_left_alone(rig: LocalRig, path: str) -> None:
    change = Change("Write", {PLAN: b"1\n", RESULT: b"1\n"})
    mine = rig.folder / path
    mine.parent.mkdir(parents=True, exist_ok=True)
    mine.write_text("mine\n", encoding="utf-8")
    new = rig.book.commit(change, rig.book.head())
    assert mine.read_text(encoding="utf-8") == "mine\n"
    assert rig.book.head() == new
    assert rig.book.read(RESULT, new) == b"1\n"


def test_nothing_is_written_through_a_link(rig: LocalRig, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (rig.folder / "execution_results").symlink_to(elsewhere)
    rig.book.commit(Change("Write", {RESULT: b"1\n"}), rig.book.head())
    assert list(elsewhere.iterdir()) == []


def test_a_new_file_that_lies_there_as_committed_is_taken_along(rig: LocalRig) -> None:
    file = rig.folder / PLAN
    file.write_text("1\n", encoding="utf-8")
    rig.book.commit(Change("Write", {PLAN: b"1\n"}), rig.book.head())
    assert_brought_along(rig)


def test_folders_that_are_empty_go_as_git_takes_them_away(rig: LocalRig) -> None:
    rig.book.commit(Change("Write", {RESULT: b"1\n"}), rig.book.head())
    rig.book.commit(Change("Away", deletes=(RESULT,)), rig.book.head())
    assert not (rig.folder / "execution_results").exists()
    assert_brought_along(rig)


def test_what_a_person_staged_is_seen_after_a_kill(rig: LocalRig) -> None:
    rig.push({PLAN: "pending\n"})
    rig.book.commit(VALIDATE, rig.book.head())
    (rig.folder / PLAN).write_text("mine\n", encoding="utf-8")
    git(rig.folder, "add", PLAN)
    (rig.folder / ".git" / "autoinvestor.moving.1").touch()
    with pytest.raises(UsageError, match="uncommitted changes"):
        rig.book.tidy()
    git(rig.folder, "checkout", "--quiet", "HEAD", "--", PLAN)
    rig.book.tidy()
    assert list((rig.folder / ".git").glob("autoinvestor.moving*")) == []


def test_two_kills_in_a_row_are_mended_as_well(rig: LocalRig) -> None:
    for nth in range(3, 11):
        rig.push({PLAN: "pending\n"})
        commit_and_die(rig, VALIDATE, nth, after=True)
        rig.book.tidy()
        commit_and_die(rig, END, nth, after=True)
        rig.book.tidy()
        head = rig.book.head()
        rig.book.commit(Change("Next", {"n": b"%d" % nth}, (PLAN, RESULT, ARCHIVE)), head)
        assert_brought_along(rig)


class BesideGit(Git):
    """Git in a process beside which, before its nth call, something else happens once."""

    def __init__(self, folder: Path, nth: int, beside: Callable[[], object]) -> None:
        self.left = -1
        super().__init__(folder)
        self.left, self._beside = nth, beside

    def run(
        self,
        *arguments: str,
        stdin: bytes | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> bytes:
        self.left -= 1
        if self.left == 0:
            self._beside()
        return super().run(*arguments, stdin=stdin, environment=environment)


def commit_now(book: LocalBook, change: Change) -> None:
    """Commit on top of whatever main is."""
    book.commit(change, book.head())


def test_a_commit_that_does_not_wait_for_the_lock_harms_no_run_beside_it(rig: LocalRig) -> None:
    nth = 1
    while True:
        rig.push({PLAN: "pending\n"})
        halt = Change("Halt", {STATE_PATH: b"%d\n" % nth, RESULT + str(nth): b"state\n"})
        with LocalBook(rig.folder, rig.clock) as book, book.exclusive():
            book.tidy()
            expected = book.head()
            git_beside = BesideGit(rig.folder, nth, partial(commit_now, rig.another(), halt))
            use_git(book, git_beside)
            try:
                book.commit(END, expected)
            except SwapLost:
                book.commit(END, book.head())
        if git_beside.left > 0:
            break
        head = rig.book.head()
        assert rig.book.read(STATE_PATH, head) == b"%d\n" % nth, f"beside call {nth}"
        assert rig.book.read(RESULT, head) == b"result\n"
        rig.book.tidy()
        rig.book.commit(Change("Next", deletes=(RESULT, ARCHIVE)), head)
        assert_brought_along(rig)
        nth += 1
    assert nth > 6


def test_another_git_that_is_at_work_is_waited_for(rig: LocalRig) -> None:
    lock = rig.folder / ".git" / "index.lock"
    rig.push({PLAN: "pending\n"})
    lock.touch()
    waits: list[float] = []

    class Working(SimulatedClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            waits.append(seconds)
            if len(waits) == 3:
                lock.unlink()

    with LocalBook(rig.folder, Working(NOON)) as book:
        book.commit(VALIDATE, book.head())
    assert len(waits) == 3
    assert_brought_along(rig)


def test_after_a_commit_the_work_tree_is_what_main_is(rig: LocalRig) -> None:
    rig.push({PLAN: "pending\n"})
    rig.book.commit(VALIDATE, rig.book.head())
    assert (rig.folder / PLAN).read_bytes() == b"validated\n"
    rig.book.commit(END, rig.book.head())
    assert not (rig.folder / PLAN).exists()
    assert_brought_along(rig)


@pytest.mark.parametrize("path", [PLAN, RESULT])
def test_a_person_s_uncommitted_edit_is_refused_and_kept(rig: LocalRig, path: str) -> None:
    rig.push({PLAN: "pending\n"})
    rig.book.commit(Change("Write", {PLAN: b"1\n", RESULT: b"1\n"}), rig.book.head())
    (rig.folder / path).write_text("mine\n", encoding="utf-8")
    with pytest.raises(UsageError, match="uncommitted changes"):
        rig.book.tidy()
    assert (rig.folder / path).read_text(encoding="utf-8") == "mine\n"


def test_a_person_s_other_work_is_in_nobody_s_way(rig: LocalRig) -> None:
    rig.push({PLAN: "pending\n", "notes.txt": "1\n"})
    rig.book.commit(VALIDATE, rig.book.head())
    (rig.folder / "notes.txt").write_text("mine\n", encoding="utf-8")
    (rig.folder / "new.txt").write_text("new\n", encoding="utf-8")
    rig.book.tidy()
    rig.book.commit(END, rig.book.head())
    rig.book.tidy()
    assert (rig.folder / "notes.txt").read_text(encoding="utf-8") == "mine\n"
    assert not (rig.folder / PLAN).exists()
    assert git(rig.folder, "status", "--porcelain").split() == ["M", "notes.txt", "??", "new.txt"]


def test_a_person_on_a_branch_stays_there(rig: LocalRig) -> None:
    git(rig.folder, "checkout", "--quiet", "-b", "mine")
    rig.book.tidy()
    new = rig.book.commit(Change("Write", {RESULT: b"1\n"}), rig.book.head())
    assert rig.book.head() == new
    assert not (rig.folder / RESULT).exists()
    assert git(rig.folder, "symbolic-ref", "HEAD") == "refs/heads/mine"


# With a remote.


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[LocalRig]:
    made = local_rig(tmp_path, has_remote=True)
    yield made
    made.close()


def test_of_two_clones_that_race_one_loses_and_goes_on_from_there(remote: LocalRig) -> None:
    git(remote.folder.parent, "clone", "--quiet", "remote.git", "second")
    with LocalBook(remote.folder.parent / "second", SimulatedClock(NOON)) as other:
        head = remote.book.head()
        assert other.head() == head
        first = remote.book.commit(Change("First", {RESULT: b"1\n"}), head)
        with pytest.raises(SwapLost):
            other.commit(Change("Second", {ARCHIVE: b"2\n"}), head)
        assert other.head() == first
        second = other.commit(Change("Second", {ARCHIVE: b"2\n"}), first)
        assert remote.book.head() == second
        assert remote.book.read(RESULT, second) == b"1\n"
    assert remote.book.commit(Change("Third", {PLAN: b"3\n"}), second)
    assert_brought_along(remote)


LOSES_THE_ANSWER = """#!/bin/sh
# A push that arrives and whose answer does not.
if [ "$1" = push ]; then
    shift
    {git} push "$@"
    exit 128
fi
exec {git} "$@"
"""

NEVER_ARRIVES = """#!/bin/sh
if [ "$1" = push ]; then
    exit 128
fi
exec {git} "$@"
"""


def wrapped_git(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put another git in front of the real one."""
    real = subprocess.run(["which", "git"], capture_output=True, text=True, check=True)
    program = folder / "bin" / "git"
    program.parent.mkdir()
    program.write_text(script.replace("{git}", real.stdout.strip()), encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")


def test_a_push_whose_answer_was_lost_is_found_on_the_remote(
    remote: LocalRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = remote.book.head()
    wrapped_git(remote.folder.parent, LOSES_THE_ANSWER, monkeypatch)
    new = remote.another().commit(Change("Write", {RESULT: b"1\n"}), head)
    assert remote.book.head() == new
    assert_brought_along(remote)


def test_a_push_that_never_arrived_is_no_commit(
    remote: LocalRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = remote.book.head()
    wrapped_git(remote.folder.parent, NEVER_ARRIVES, monkeypatch)
    with pytest.raises(BookUnavailable):
        remote.another().commit(Change("Write", {RESULT: b"1\n"}), head)
    assert remote.book.head() == head
    assert_brought_along(remote)


def test_commits_that_the_remote_lacks_are_for_a_person(remote: LocalRig) -> None:
    (remote.folder / "notes.txt").write_text("mine\n", encoding="utf-8")
    git(remote.folder, "add", ".")
    git(remote.folder, "commit", "--quiet", "-m", "Not pushed")
    with pytest.raises(UsageError, match="push or drop"):
        remote.book.head()


def test_a_shallow_clone_is_refused_with_its_remedy(tmp_path: Path, remote: LocalRig) -> None:
    shallow = tmp_path / "shallow"
    (remote.folder / "more.txt").write_text("more\n", encoding="utf-8")
    git(remote.folder, "add", ".")
    git(remote.folder, "commit", "--quiet", "-m", "More")
    source = f"file://{remote.folder}"
    git(tmp_path, "clone", "--quiet", "--depth", "1", "--branch", "main", source, str(shallow))
    with pytest.raises(UsageError, match="git fetch --unshallow"):
        LocalBook(shallow, remote.clock)


def test_main_in_another_work_tree_is_not_moved_under_it(tmp_path: Path, remote: LocalRig) -> None:
    linked = tmp_path / "linked"
    git(remote.folder, "worktree", "add", "--quiet", "-b", "elsewhere", str(linked))
    book = LocalBook(linked, remote.clock)
    remote.opened.append(book)
    with pytest.raises(UsageError, match="main is checked out in"):
        book.tidy()
    with book.exclusive(), pytest.raises(BookUnavailable, match="at work"), remote.book.exclusive():
        pass


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("log.showSignature", "true"),
        ("i18n.logOutputEncoding", "UTF-16"),
        ("trailer.separators", "="),
        ("grep.patternType", "fixed"),
        ("color.ui", "always"),
    ],
)
def test_a_person_s_git_settings_change_no_answer(rig: LocalRig, key: str, value: str) -> None:
    git(rig.folder, "config", key, value)
    book = rig.another()
    change = Change(
        "Say \x01 something", {PLAN: b"1\n"}, trailers={"Plan-Digest": "ab", "Step": "x"}
    )
    commit = book.commit(change, book.head())
    found = book.last_change(PLAN, commit)
    assert found is not None
    assert (found.commit, found.trailers) == (commit, {"Plan-Digest": "ab", "Step": "x"})
    assert book.with_trailer("Step", "x", commit, 1) == (found,)
