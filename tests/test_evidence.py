"""How a plan came to main, or would: gathered over the real client, a loopback GitHub and git."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from executor.errors import ForgeUnavailable
from executor.evidence import (
    AGAIN_MAX,
    BACK_OFF,
    LAG_MAX,
    evidence_before_merge,
    evidence_of,
)
from executor.main_state import MainState
from executor.model.evidence import Evidence, PathChange
from executor.model.plan import PLAN_PATH
from executor.model.writing import write_document
from executor.ports import Change
from tests.attacks.scene import OWNER, WRITER, Scene, buying, on_github

REVIEW = "strategy_reviews/2026-01/review_2026-01-14T14-30-00.json"
ADDED = PathChange(PLAN_PATH, "A", "100644")


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with on_github(tmp_path) as made:
        yield made


def before(scene: Scene, number: int) -> Evidence | None:
    with scene.world() as world:
        main = MainState(world.book, world.book.head())
        assert world.forge is not None
        return evidence_before_merge(world.book, world.forge, main, number)


def after(scene: Scene, *, asked: bool = True) -> Evidence | None:
    with scene.world() as world:
        main = MainState(world.book, world.book.head())
        assert main.plan is not None
        forge = world.forge if asked else None
        return evidence_of(world.book, forge, main, main.plan, scene.clock.now())


# Before the merge.


def test_what_a_pull_request_would_bring(scene: Scene) -> None:
    number = scene.proposes(buying(), also={REVIEW: b"{}\n"})
    found = before(scene, number)
    assert found is not None
    assert found.changes == (PathChange(REVIEW, "A", "100644"), ADDED)
    assert found.plan_at_head == write_document(buying())
    assert (found.before, found.plan_on_main, found.added_in) == (None, None, None)
    assert found.repository == "octo-owner/invest"
    assert found.pull_request is not None
    assert found.pull_request.author.login == "github-actions[bot]"


def test_what_came_to_main_meanwhile_is_not_what_it_brings(scene: Scene) -> None:
    number = scene.proposes(buying())
    scene.branch_off("main")
    scene.commit({"README.md": b"More\n"})
    scene.push("main")
    found = before(scene, number)
    assert found is not None
    assert found.changes == (ADDED,)


def test_the_plan_that_waits_on_main_is_known(scene: Scene) -> None:
    first, second = scene.proposes(buying()), scene.proposes(buying(5, "AMD"))
    scene.judged(first)
    scene.merges(first)
    waits = before(scene, second)
    assert waits is not None
    assert waits.before is not None
    assert waits.before.is_pending
    scene.dies_after_the_intent()
    runs = before(scene, second)
    assert runs is not None
    assert runs.before is not None
    assert not runs.before.is_pending


def test_a_pull_request_that_is_not_there(scene: Scene) -> None:
    assert before(scene, 99) is None


def test_a_silent_github_is_no_evidence(scene: Scene) -> None:
    number = scene.proposes(buying())
    scene.lets({"kind": "bad_gateway_before", "match": {"path": "*/pulls/*"}, "times": 0})
    with pytest.raises(ForgeUnavailable):
        before(scene, number)


# After it.


def test_everything_is_known_of_a_merge(scene: Scene) -> None:
    number = scene.proposes(buying())
    scene.judged(number)
    scene.approves(number)
    scene.merges(number)
    found = after(scene)
    assert found is not None
    assert found.is_merge
    assert found.changes == (ADDED,)
    assert found.plan_on_main == found.plan_at_head == write_document(buying())
    assert found.edits is not None
    (only,) = found.edits
    assert (only.introduces, only.is_verified, only.before) == (True, True, None)
    assert only.after is not None
    assert {one.login for one in only.writers} == {"github-actions[bot]", "web-flow"}
    assert found.commit_count == 1
    assert found.rights == {1001: "admin", 1002: "write"}
    assert len(found.marks or ()) == 3
    assert not found.is_old
    scene.passes(seconds=LAG_MAX.total_seconds() + 1)
    later = after(scene)
    assert later is not None
    assert later.is_old


def test_commits_that_leave_the_plan_alone_are_no_edits(scene: Scene) -> None:
    number = scene.proposes(buying())
    scene.branch_off("main")
    scene.commit({"README.md": b"More\n"})
    scene.push("main")
    scene.branch_off("plan/1", "plan/1")
    scene.git("fetch", "--quiet", scene.server.git_url("octo-owner/invest"), "main")
    scene.git("merge", "--quiet", "--message", "Take main in", "FETCH_HEAD")
    scene.push("plan/1", by=WRITER)
    scene.edits(number, buying(9), by=WRITER)
    scene.merges(number)
    found = after(scene)
    assert found is not None
    assert found.commit_count == 3
    assert [one.introduces for one in found.edits or ()] == [True, False]


def test_the_plan_that_another_one_replaces_is_no_plan_that_is_edited(scene: Scene) -> None:
    first = scene.proposes(buying())
    scene.merges(first)
    second = scene.proposes(buying(5))
    scene.merges(second)
    found = after(scene)
    assert found is not None
    assert found.changes == (PathChange(PLAN_PATH, "M", "100644"),)
    assert [one.introduces for one in found.edits or ()] == [True]
    assert found.before is not None
    assert found.before.is_pending


def test_where_nothing_is_asked_nobody_is_asked(tmp_path: Path) -> None:
    with on_github(tmp_path, ("none_in_paper = false", "none_in_paper = true")) as scene:
        scene.merges(scene.proposes(buying()))
        asked = len(scene.server.forge.log)
        assert after(scene) is None
        paths = [path for _, path, _ in scene.server.forge.log[asked:]]
        assert not [path for path in paths if path.startswith("/repos")]


def test_without_github_there_is_no_evidence(scene: Scene) -> None:
    scene.merges(scene.proposes(buying()))
    assert after(scene, asked=False) is None


def test_a_plan_in_the_first_commit_of_all(scene: Scene) -> None:
    scene.git("checkout", "--quiet", "--orphan", "begin")
    scene.commit({PLAN_PATH: write_document(buying())}, "Begin with a plan")
    scene.push("main", "--force")
    found = after(scene)
    assert found is not None
    assert (found.parents, found.changes, found.before) == ((), (), None)
    assert found.pull_request is None


def test_silence_never_makes_a_commit_old(scene: Scene) -> None:
    scene.merges(scene.proposes(buying()))
    scene.passes(seconds=LAG_MAX.total_seconds() + 1)
    scene.lets({"kind": "bad_gateway_before", "match": {"path": "*/pulls"}, "times": 0})
    found = after(scene)
    assert found is not None
    assert (found.is_old, found.pull_request) == (False, None)


def test_the_rights_of_listed_people_are_not_asked_for(tmp_path: Path) -> None:
    with on_github(tmp_path, ("approvers = []", "approvers = [1001]")) as scene:
        scene.merges(scene.proposes(buying()))
        found = after(scene)
        assert found is not None
        assert found.rights == {}


def test_a_person_may_take_the_plan_out_and_put_it_back(scene: Scene) -> None:
    number = scene.proposes(buying())
    for change in (Change("Out", deletes=(PLAN_PATH,)), Change("In", {PLAN_PATH: b"{}\n"})):
        scene.forge(OWNER).commit_on("plan/1", change, scene.head(number))
    scene.edits(number, buying(9), by=OWNER)
    scene.merges(number)
    found = after(scene)
    assert found is not None
    told = [(one.introduces, one.before is None, one.after is None) for one in found.edits or ()]
    assert told == [
        (True, True, False),
        (False, False, True),
        (True, True, True),
        (False, True, False),
    ]


# Asked again.


@pytest.mark.parametrize(("times", "is_known"), [(2, True), (3, False)])
def test_a_question_is_asked_three_times(scene: Scene, times: int, is_known: bool) -> None:
    scene.judged(scene.proposes(buying()))
    scene.merges(1)
    scene.lets({"kind": "bad_gateway_before", "match": {"path": "*/reviews"}, "times": times})
    waited: list[float] = []
    with scene.world() as world:
        main = MainState(world.book, world.book.head())
        assert main.plan is not None
        now = scene.clock.now()
        found = evidence_of(world.book, world.forge, main, main.plan, now, waited.append)
    assert found is not None
    assert (found.reviews is not None) == is_known
    assert found.marks is not None
    assert waited == [*BACK_OFF]


def test_a_silent_github_is_asked_a_few_times_only(scene: Scene) -> None:
    scene.merges(scene.proposes(buying()))
    paths = ("*/commits", "*/reviews", "*/statuses", "*/timeline", "*/permission")
    scene.lets(
        *({"kind": "bad_gateway_before", "match": {"path": one}, "times": 0} for one in paths)
    )
    waited: list[float] = []
    with scene.world() as world:
        main = MainState(world.book, world.book.head())
        assert main.plan is not None
        now = scene.clock.now()
        evidence_of(world.book, world.forge, main, main.plan, now, waited.append)
    assert len(waited) == AGAIN_MAX


# Several of one head.


def test_every_pull_request_of_the_same_merge_is_known_but_a_forks(scene: Scene) -> None:
    first = scene.proposes(buying())
    scene.branch_off("twin", "plan/1")
    scene.push("twin", by=WRITER)
    second = scene.opens("twin", by=WRITER)
    scene.opens_from_a_fork("other")
    scene.merges(second)
    found = after(scene)
    assert found is not None
    assert found.pull_request is not None
    assert found.pull_request.number == first
    assert [one.pull_request.number for one in found.twins] == [second]
    assert all(one.timeline for one in found.twins)
    assert found.is_one_commit
