"""Trees against what git itself makes of the same changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from executor.errors import BookUnavailable
from executor.repo.git import Git, ObjectReader, create_repository
from executor.repo.trees import changed_paths, write_blobs, write_tree
from tests.repo.book_rigs import git

PATHS = ("a.txt", "b/c.txt", "b/d/e.txt", "b/d/f.txt", "b.txt", "ä/ö.txt", "x y/z")
FILES = st.dictionaries(st.sampled_from(PATHS), st.binary(max_size=3))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("trees")
    create_repository(made)
    git(made, "commit", "--quiet", "--allow-empty", "-m", "First")
    return made


@pytest.fixture(scope="module")
def opened(folder: Path) -> Iterator[tuple[Git, ObjectReader]]:
    found = Git(folder)
    objects = found.open_batch()
    yield found, objects
    objects.close()


def commit_of(folder: Path, tree: str) -> str:
    return git(folder, "commit-tree", "-m", "Any", tree)


def paths_at(folder: Path, commit: str) -> list[str]:
    return git(folder, "ls-tree", "-r", "-z", "--name-only", commit).split("\0")[:-1]


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=FILES, then=FILES, gone=st.sets(st.sampled_from(PATHS)))
def test_a_tree_is_the_one_before_with_what_changed(
    folder: Path,
    opened: tuple[Git, ObjectReader],
    first: dict[str, bytes],
    then: dict[str, bytes],
    gone: set[str],
) -> None:
    found, objects = opened
    empty = git(folder, "rev-parse", "HEAD")
    before = commit_of(folder, write_tree(found, objects, empty, write_blobs(found, first)))
    changes = {**dict.fromkeys(gone), **write_blobs(found, then)}
    after = commit_of(folder, write_tree(found, objects, before, changes))
    expected = {path: data for path, data in first.items() if path not in gone} | then
    listed = paths_at(folder, after)
    assert set(listed) == set(expected)
    assert {path: found.run("cat-file", "blob", f"{after}:{path}") for path in listed} == expected
    assert git(folder, "fsck", "--strict", "--no-dangling") == ""
    for under in (["a.txt"], ["b"], ["b/d", "x y/z"], [*PATHS, "b"]):
        options = ("-c", "core.quotePath=false", "diff-tree", "-r", "--no-renames", "--name-status")
        printed = git(folder, *options, before, after, "--", *under)
        told = {path: kind for kind, path in (one.split("\t") for one in printed.splitlines())}
        assert changed_paths(objects, before, after, under) == told


def test_what_was_no_folder_may_become_one(folder: Path, opened: tuple[Git, ObjectReader]) -> None:
    found, objects = opened
    empty = git(folder, "rev-parse", "HEAD")
    one = commit_of(folder, write_tree(found, objects, empty, write_blobs(found, {"p": b"1"})))
    changes = {"p": None, **write_blobs(found, {"q/r": b"2"})}
    two = commit_of(folder, write_tree(found, objects, one, changes))
    assert changed_paths(objects, one, two, ("p", "q")) == {"p": "D", "q/r": "A"}
    (inner,) = write_blobs(found, {"x": b"3"}).values()
    tree = git(folder, "rev-parse", f"{two}:q")
    listing = f"040000 tree {tree}\tp\n100644 blob {inner}\tq\n".encode()
    three = commit_of(folder, found.run("mktree", stdin=listing).decode().strip())
    assert changed_paths(objects, one, three, ("p", "q")) == {"p": "D", "p/r": "A", "q": "A"}
    assert changed_paths(objects, "0" * 40, one, ("p",)) == {"p": "A"}


def test_a_tree_of_nothing_is_empty(folder: Path, opened: tuple[Git, ObjectReader]) -> None:
    found, objects = opened
    empty = git(folder, "rev-parse", "HEAD")
    assert write_blobs(found, {}) == {}
    assert write_tree(found, objects, empty, {}) == git(folder, "rev-parse", "HEAD^{tree}")


def test_a_git_that_ends_early_is_named(folder: Path, opened: tuple[Git, ObjectReader]) -> None:
    found, objects = opened
    with pytest.raises(BookUnavailable, match="git mktree ended early"):
        write_tree(found, objects, "HEAD", {"a": "no id"})
