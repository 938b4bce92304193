"""Answers that GitHub may give one day: more than we know, less than we need, or nonsense."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from executor.errors import ForgeUnavailable
from executor.model.forge import Actor
from executor.repo import github_shapes as shapes
from executor.repo.github_shapes import GHOST, Shape, shape

ABSENT = object()
ADA: dict[str, Any] = {"id": 7, "login": "ada", "type": "User", "site_admin": False}
NOON = datetime(2026, 1, 14, 17, tzinfo=UTC)

PULL: dict[str, Any] = {
    "number": 7,
    "title": "BUY 1",
    "state": "open",
    "user": ADA,
    "head": {"ref": "plan", "sha": "a" * 40, "repo": {"full_name": "ada/investor"}},
    "base": {"ref": "main", "sha": "b" * 40},
    "created_at": "2026-01-14T17:00:00Z",
    "merged_at": None,
    "merge_commit_sha": "c" * 40,
    "labels": [{"name": "plan"}],
}
MARK: dict[str, Any] = {
    "context": "plan/schema",
    "state": "success",
    "description": None,
    "creator": ADA,
    "created_at": "2026-01-14T17:00:00Z",
}
COMMIT: dict[str, Any] = {
    "sha": "a" * 40,
    "parents": [{"sha": "b" * 40}],
    "author": ADA,
    "committer": None,
    "commit": {"verification": {"verified": True, "reason": "valid"}},
}
REVIEW: dict[str, Any] = {
    "user": ADA,
    "state": "approved",
    "commit_id": "a" * 40,
    "submitted_at": "2026-01-14T17:00:00Z",
}
COMMENT: dict[str, Any] = {
    "id": 1,
    "user": ADA,
    "body": "x",
    "created_at": "2026-01-14T17:00:00Z",
}
ISSUE: dict[str, Any] = {"number": 1, "title": "x", "body": None, "labels": []}
EVENT: dict[str, Any] = {"event": "merged", "actor": ADA, "created_at": "2026-01-14T17:00:00Z"}
FILE: dict[str, Any] = {"filename": "a", "status": "added"}
RUN: dict[str, Any] = {
    "id": 1,
    "event": "schedule",
    "status": "queued",
    "created_at": "2026-01-14T17:00:00Z",
    "head_sha": "a" * 40,
}
REPOSITORY: dict[str, Any] = {
    "full_name": "ada/investor",
    "id": 1,
    "default_branch": "main",
    "owner": ADA,
}

READERS: list[tuple[Callable[[Shape], object], dict[str, Any], tuple[str, ...]]] = [
    (
        shapes.pull_request,
        PULL,
        ("number", "title", "state", "head", "base", "created_at", "labels"),
    ),
    (shapes.mark, MARK, ("context", "state", "created_at")),
    (shapes.pull_commit, COMMIT, ("sha", "parents")),
    (shapes.signature, COMMIT, ("commit",)),
    (shapes.review, REVIEW, ("state",)),
    (shapes.comment, COMMENT, ("id", "created_at")),
    (shapes.issue, ISSUE, ("number", "title", "labels")),
    (shapes.event, EVENT, ("event",)),
    (shapes.changed_file, FILE, ("filename", "status")),
    (shapes.run_of("tick.yml"), RUN, ("id", "event", "created_at", "head_sha")),
    (shapes.repository, REPOSITORY, ("full_name", "id", "default_branch")),
    (shapes.actor, ADA, ("id", "login")),
]
NEEDED = [(read, tree, key) for read, tree, keys in READERS for key in keys]


def told(tree: dict[str, Any]) -> Shape:
    return shape(tree, "x")


@pytest.mark.parametrize(("read", "tree", "keys"), READERS)
def test_what_we_do_not_know_is_passed_over(
    read: Callable[[Shape], object], tree: dict[str, Any], keys: tuple[str, ...]
) -> None:
    assert read(told({**tree, "brand_new": {"x": [1]}, "_links": None})) == read(told(tree))


@pytest.mark.parametrize(("read", "tree", "key"), NEEDED)
@pytest.mark.parametrize("value", [ABSENT, None, 1.5, [7], True])
def test_what_we_need_and_is_none_is_no_answer(
    read: Callable[[Shape], object], tree: dict[str, Any], key: str, value: object
) -> None:
    broken = {name: one for name, one in tree.items() if name != key}
    if value is not ABSENT:
        broken[key] = value
    with pytest.raises(ForgeUnavailable, match=r"^GitHub, x.*; run again later$"):
        read(told(broken))


@pytest.mark.parametrize(("read", "tree"), [(shapes.pull_request, PULL), (shapes.mark, MARK)])
def test_a_state_that_there_is_none_of_is_no_answer(
    read: Callable[[Shape], object], tree: dict[str, Any]
) -> None:
    with pytest.raises(ForgeUnavailable, match="'state'"):
        read(told({**tree, "state": "brand_new"}))


@pytest.mark.parametrize("content", [None, [], "x", 7, True])
def test_what_is_no_object_is_no_answer(content: object) -> None:
    with pytest.raises(ForgeUnavailable, match="the answer is no object"):
        shape(content, "x")


@pytest.mark.parametrize(
    "moment", ["2026-01-14", "2026-01-14T17:00:00", "soon", "", "2026-13-01T0Z"]
)
def test_a_time_without_a_zone_is_none(moment: str) -> None:
    with pytest.raises(ForgeUnavailable, match="created_at"):
        shapes.comment(told({**COMMENT, "created_at": moment}))


def test_an_open_pull_request_has_no_merge() -> None:
    found = shapes.pull_request(told(PULL))
    assert (found.merge_commit, found.merged_at, found.is_merged) == (None, None, False)
    late = {**PULL, "state": "closed", "merged_at": "2026-01-14T18:00:00+01:00"}
    found = shapes.pull_request(told(late))
    assert (found.merge_commit, found.merged_at, found.is_merged) == ("c" * 40, NOON, True)


def test_a_fork_that_is_gone() -> None:
    head = {**PULL["head"], "repo": None}
    assert shapes.pull_request(told({**PULL, "head": head})).head_repository is None


def test_an_account_that_is_gone_is_no_person() -> None:
    found = shapes.pull_request(told({**PULL, "user": None}))
    assert found.author == GHOST
    assert not found.author.is_person
    assert shapes.comment(told({**COMMENT, "user": None})).author is None
    assert shapes.review(told({**REVIEW, "user": None})).author is None


def test_an_author_that_github_knows_no_account_of() -> None:
    """GitHub tells it as null, or as an empty object."""
    nobodies: tuple[object, ...] = (None, {})
    for nobody in nobodies:
        assert shapes.pull_commit(told({**COMMIT, "author": nobody})).author is None
        assert shapes.signature(told({**COMMIT, "author": nobody})).author is None


def test_a_commit_that_says_nothing_of_a_signature_is_not_verified() -> None:
    assert shapes.signature(told(COMMIT)).is_verified
    silent: tuple[dict[str, object], ...] = ({}, {"verification": None}, {"verification": {}})
    for commit in silent:
        assert not shapes.signature(told({**COMMIT, "commit": commit})).is_verified
    with pytest.raises(ForgeUnavailable):
        shapes.signature(told({**COMMIT, "commit": {"verification": {"verified": "yes"}}}))


def test_events_name_an_actor_a_user_or_nobody() -> None:
    reviewed = {"event": "reviewed", "user": ADA, "submitted_at": "2026-01-14T17:00:00Z"}
    found = shapes.event(told(reviewed))
    assert (found.actor, found.at) == (Actor(7, "ada"), NOON)
    committed = {"event": "committed", "author": {"name": "Ada"}, "sha": "a" * 40}
    found = shapes.event(told(committed))
    assert (found.name, found.actor, found.at) == ("committed", None, None)
    odd = {"event": "line-commented", "user": {"name": "Ada"}}
    assert shapes.event(told(odd)).actor is None


def test_a_pull_request_among_issues_is_none() -> None:
    assert shapes.issue(told({**ISSUE, "pull_request": {"url": "x"}})) is None
    found = shapes.issue(told(ISSUE))
    assert found is not None
    assert found.body == ""


def test_rights_are_those_that_are_true() -> None:
    found = shapes.repository(told({**REPOSITORY, "permissions": {"push": True, "admin": "yes"}}))
    assert found.permissions == {"push": True, "admin": False}
    assert not found.is_private
    assert shapes.repository(told(REPOSITORY)).permissions == {}
