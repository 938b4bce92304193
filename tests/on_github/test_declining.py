"""Plans whose pull requests were closed without a merge, over the real client and real git."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from executor.model.writing import write_document
from tests.commands.hub import NAME, Hub, hub
from tests.scratch import HISTORY, plan

ARCHIVED = f"{HISTORY}/2026-01/instructions_2026-01-14T14-45-00.json"


@pytest.fixture
def story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with hub(tmp_path, monkeypatch) as made:
        yield made


def trailers(story: Hub) -> dict[str, str]:
    printed = story.main.git("log", "-1", "--format=%(trailers:only,unfold)", "main")
    return dict(one.split(": ", 1) for one in printed.splitlines())


def settles(story: Hub) -> str:
    answer = story.run("settle")
    assert answer.code == 0, answer.text
    return answer.text


def plans(story: Hub) -> list[str]:
    return [one for one in story.main.paths(HISTORY) if one.endswith(".json")]


def test_a_no_is_part_of_the_record_with_who_and_why(story: Hub) -> None:
    number = story.proposes(plan())
    story.closes(number, "too much risk, fixes #1\nmore words")
    settles(story)
    assert plans(story) == [ARCHIVED]
    assert story.main.read(ARCHIVED)["reason"] == "a reason"
    told = trailers(story)
    digest = told.pop("Plan-Digest")
    assert told == {
        "Step": "declined",
        "Pull-Request": str(number),
        "Closed-At": "2026-01-14T15:01:00Z",
        "Declined-By": "octo-owner (1001)",
        "Reason": "too much risk, fixes no. 1",
    }
    assert story.main.subjects[0] == f"Decline plan {digest[:8]}"
    story.audited()
    # Once, however often it is looked at.
    head = story.main.head
    settles(story)
    assert story.main.head == head


def test_what_our_bot_closes_was_superseded(story: Hub) -> None:
    number = story.proposes(plan())
    story.closes(number, "Superseded by #2: a newer plan", who="actions")
    settles(story)
    told = trailers(story)
    assert (told["Step"], told["Reason"]) == ("superseded", "Superseded by no. 2: a newer plan")
    assert story.main.subjects[0].startswith("Supersede plan ")
    story.audited()


def test_opened_and_closed_again_is_declined_again_and_merged_it_is_executed(story: Hub) -> None:
    number = story.proposes(plan())
    for _ in range(2):
        story.closes(number)
        settles(story)
        story.api("PATCH", f"pulls/{number}", {"state": "open"})
    assert len(plans(story)) == 2
    story.judged(number)
    story.merges(number)
    assert story.run("execute", "--submit").code == 0
    assert len(plans(story)) == 3
    assert story.main.results[-1]["plan_status"] == "completed"
    story.audited()


def test_a_plan_that_cannot_be_read_is_archived_as_it_was(story: Hub) -> None:
    number = story.proposes(b"{ no plan")
    story.closes(number)
    settles(story)
    (path,) = plans(story)
    assert story.main.git("cat-file", "blob", f"main:{path}") == "{ no plan"
    assert trailers(story)["Reason"] == "none given"
    story.audited()


def test_a_plan_that_is_too_large_never_comes_to_main(story: Hub) -> None:
    number = story.proposes(b" " * (4 * 1024 * 1024 + 1))
    story.closes(number)
    head = story.main.head
    assert "no plan at its head that could be archived" in settles(story)
    assert story.main.head == head


def test_no_stranger_writes_into_the_record(story: Hub) -> None:
    import requests

    fork = requests.post(
        f"{story.server.url}/sim/repos/{NAME}/forks", json={"owner": "octo-stranger"}, timeout=20
    )
    fork.raise_for_status()
    path = story.folder / "fork"
    url = story.server.git_url("octo-stranger/invest")
    url = url.replace("://", "://x-access-token:stranger-token@")
    story.clone.git("clone", "--quiet", url, str(path))
    from tests.scratch import Repository

    theirs = Repository(path)
    theirs.git("switch", "--quiet", "--create", "plan")
    (path / "trading_instructions.json").write_bytes(write_document(plan()))
    theirs.git("add", ".")
    theirs.git("commit", "--quiet", "--message", "A plan")
    theirs.git("push", "--quiet", "origin", "plan")
    number = story.api(
        "POST",
        "pulls",
        {"title": "A plan", "head": "octo-stranger:plan", "base": "main"},
        "stranger",
    )["number"]
    story.closes(number, "hello", who="stranger")
    head = story.main.head
    settles(story)
    assert story.main.head == head
    assert "settle" not in story.ticks()


def test_what_github_does_not_tell_is_archived_by_the_next_run(story: Hub) -> None:
    number = story.proposes(plan())
    story.closes(number)
    story.fails("bad_gateway_before", {"path": "*/timeline*"}, times=0)
    assert "not every declined plan is archived yet" in settles(story)
    assert plans(story) == []
    story.heals()
    settles(story)
    assert plans(story) == [ARCHIVED]


def test_a_commit_whose_answer_was_lost_is_not_repeated(story: Hub) -> None:
    number = story.proposes(plan())
    story.closes(number)
    story.fails("bad_gateway_after", {"path": "/graphql"})
    settles(story)
    assert plans(story) == [ARCHIVED]
    settles(story)
    assert plans(story) == [ARCHIVED]


@pytest.mark.parametrize("path", ["*/issues/1/timeline*", "*/pulls/1/files*"])
def test_one_that_cannot_be_read_keeps_no_other_one_out(story: Hub, path: str) -> None:
    bad = story.proposes(plan(reason="bad"))
    good = story.proposes(plan())
    assert bad == 1
    story.closes(good)
    story.closes(bad)
    story.fails("bad_gateway_before", {"path": path}, times=0)
    assert "not every declined plan is archived yet" in settles(story)
    assert plans(story) == [ARCHIVED]
    assert story.main.read(ARCHIVED)["reason"] == "a reason"


def test_a_list_that_github_does_not_give_fails_no_settlement(story: Hub) -> None:
    story.closes(story.proposes(plan()))
    story.fails("bad_gateway_before", {"path": "*/pulls*"}, times=0)
    assert "not every declined plan is archived yet" in settles(story)
    assert plans(story) == []
