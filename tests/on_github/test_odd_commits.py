"""Commits and files that a person can bring to main, and that must not silence or stop anything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands.hub import Hub, hub
from tests.scratch import plan


@pytest.fixture
def story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with hub(tmp_path, monkeypatch) as made:
        yield made


def merges_titled(story: Hub, title: str, path: str) -> None:
    """Merge a harmless pull request with a title of one's own."""
    number = story.proposes(b"# hello\n", who="owner", path=path)
    story.api("PATCH", f"pulls/{number}", {"title": title})
    story.merges(number)


def executes(story: Hub, reason: str) -> int:
    number = story.proposes(plan(reason=reason))
    story.judged(number)
    story.merges(number)
    answer = story.run("execute", "--submit")
    assert answer.code == 0, answer.text
    return number


def test_a_title_that_reads_like_a_trailer_silences_nothing(story: Hub) -> None:
    merges_titled(story, "Result: README.md", "README.md")
    first = executes(story, "first")
    assert (len(story.comments(first)), len(story.marks(first))) == (1, 1)
    (there,) = (one for one in story.main.paths("execution_results") if "/result_" in one)
    merges_titled(story, f"Result: {there}", "NOTES.md")
    second = executes(story, "second")
    assert (len(story.comments(first)), len(story.comments(second))) == (1, 1)
    assert len(story.marks(second)) == 1


@pytest.mark.parametrize("data", [b'{"timestamp": "2099-01-01T00:00:00Z"}\n', b"{no", b"{}"])
def test_no_review_that_somebody_wrote_stops_the_scheduled_ones(story: Hub, data: bytes) -> None:
    path = "strategy_reviews/2026-01/review_2026-01-14T14-00-00.json"
    number = story.proposes(data, who="writer", path=path)
    story.merges(number)
    story.comes("2026-01-14T16:10:00Z")
    answer = story.run("tick", "--show", "--json")
    assert answer.code == 0, answer.text
    assert any(one["title"].startswith("review ") for one in answer.data["started"])
    assert path in answer.text


def test_a_commit_of_the_year_ten_thousand_is_read(story: Hub) -> None:
    first = story.folder / "first"
    from tests.scratch import Repository

    person = Repository(first)
    person.commit({"NOTES.md": b"later\n"})
    tree = person.git("rev-parse", "HEAD^{tree}").strip()
    parent = person.git("rev-parse", "HEAD~1").strip()
    raw = (
        f"tree {tree}\nparent {parent}\nauthor A <a@example.com> 999999999999 +0000\n"
        "committer A <a@example.com> 999999999999 +0000\n\nlater\n"
    )
    path = story.folder / "raw"
    path.write_text(raw)
    made = person.git("hash-object", "-t", "commit", "-w", str(path)).strip()
    from executor.repo.local_book import LocalBook
    from executor.wiring import SystemClock

    with LocalBook(first, SystemClock()) as book:
        found = book.last_change("NOTES.md", made)
    assert found is not None
    assert found.committed_at.year == 9999
