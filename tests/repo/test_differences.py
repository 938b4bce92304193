"""What differs between two commits, and where they part: the same of every book."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from executor.errors import UsageError
from executor.model.evidence import PathChange
from executor.ports import Change
from tests.repo.book_rigs import MemoryRig, Rig, git, github_rig, local_rig

PLAN = "trading_instructions.json"
DEEP = "strategy_reviews/2026-01/review.json"


@pytest.fixture(params=["memory", "local", "remote", "github"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    if request.param == "memory":
        yield MemoryRig()
    elif request.param == "github":
        with github_rig(tmp_path) as on_github:
            yield on_github
    else:
        local = local_rig(tmp_path, has_remote=request.param == "remote")
        yield local
        local.close()


def test_every_path_is_told_once_with_its_mode(rig: Rig) -> None:
    first = rig.book.commit(Change("Add", {PLAN: b"1", DEEP: b"2"}), rig.book.head())
    changed = Change("Change", {"a/b/c.txt": b"3", DEEP: b"4"}, deletes=(PLAN,))
    second = rig.book.commit(changed, first)
    assert rig.book.differences(first, second) == (
        PathChange("a/b/c.txt", "A", "100644"),
        PathChange(DEEP, "M", "100644"),
        PathChange(PLAN, "D", None),
    )
    assert rig.book.differences(second, second) == ()


def test_two_commits_part_where_one_of_them_left_the_other(rig: Rig) -> None:
    base = rig.book.head()
    merged = rig.push({PLAN: "1"}, merged=True)
    assert rig.book.head() == merged
    assert rig.book.fork_point(merged, base) == base
    assert rig.book.fork_point(base, merged) == base
    assert rig.book.fork_point(merged, merged) == merged


def test_what_a_merge_brought_is_not_on_the_line_of_main(rig: Rig) -> None:
    base = rig.book.head()
    merged = rig.push({PLAN: "1"}, merged=True)
    newest = rig.book.commit(Change("Add", {DEEP: b"2"}), rig.book.head())
    info = rig.book.last_change(PLAN, newest)
    assert info is not None
    side = info.parents[1]
    for commit in (base, merged, newest):
        assert rig.book.is_on_line(commit, newest)
    assert not rig.book.is_on_line(side, newest)
    assert not rig.book.is_on_line(newest, base)
    assert rig.book.is_on_line(side, side)


def test_links_and_programs_have_modes_of_their_own(tmp_path: Path) -> None:
    rig = local_rig(tmp_path, has_remote=False)
    before = rig.book.head()
    (rig.folder / "link").symlink_to("autoinvestor.toml")
    (rig.folder / "program").write_text("#!/bin/sh\n")
    (rig.folder / "program").chmod(0o755)
    (rig.folder / "autoinvestor.toml").chmod(0o755)
    git(rig.folder, "add", "--", "link", "program", "autoinvestor.toml")
    git(rig.folder, "commit", "--quiet", "-m", "Modes")
    assert rig.book.differences(before, rig.book.head()) == (
        PathChange("autoinvestor.toml", "M", "100755"),
        PathChange("link", "A", "120000"),
        PathChange("program", "A", "100755"),
    )
    rig.close()


def test_a_file_in_the_place_of_a_folder_is_both(tmp_path: Path) -> None:
    rig = local_rig(tmp_path, has_remote=False)
    first = rig.push({"a/b": "1"})
    git(rig.folder, "rm", "--quiet", "a/b")
    second = rig.push({"a": "2"})
    told = {(one.path, one.kind) for one in rig.book.differences(first, second)}
    assert told == {("a", "A"), ("a/b", "D")}
    rig.close()


def test_commits_without_a_common_history_never_part(tmp_path: Path) -> None:
    rig = local_rig(tmp_path, has_remote=False)
    main = rig.book.head()
    git(rig.folder, "checkout", "--quiet", "--orphan", "other")
    git(rig.folder, "commit", "--quiet", "-m", "Another beginning")
    other = git(rig.folder, "rev-parse", "HEAD")
    with pytest.raises(UsageError, match="shares no history"):
        rig.book.fork_point(main, other)
    rig.close()
