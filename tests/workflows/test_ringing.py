"""What rings the validator and the halt, by the conditions in the workflow files."""

from __future__ import annotations

from tests.workflows.files import FOLDER


def told(name: str) -> str:
    return " ".join((FOLDER / name).read_text("utf-8").split())


def test_a_pull_request_that_is_turned_to_main_rings_and_a_new_title_does_not() -> None:
    text = told("pull-request.yml")
    assert "types: [opened, reopened, synchronize, ready_for_review, edited]" in text
    ringing = "github.event.action != 'edited' || github.event.changes.base.ref.from != ''"
    assert ringing in text
    # A ring that is under way is not taken back by an edit that rings nothing.
    assert "cancel-in-progress: ${{ github.event.action != 'edited' }}" in text


def test_a_halt_with_a_blank_before_it_starts_a_run() -> None:
    text = told("halt.yml")
    assert "contains(github.event.comment.body, '/halt')" in text
    assert "startsWith(github.event.comment.body" not in text
