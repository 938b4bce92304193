from __future__ import annotations

import pytest

from executor.decisions.commit_rights import (
    ARCHIVED,
    BY_STEP,
    RESULTS,
    REVIEWS,
    breach,
    rights_of,
)
from executor.decisions.notes import DECLINED, SUPERSEDED, WITHDRAWN
from executor.decisions.results import alternatives, archive_name, result_name, review_name
from executor.history import RESULT, SETTLES, STEP
from executor.model.account import ACCOUNT_PATH
from executor.model.fields import parse_timestamp
from executor.model.plan import PLAN_PATH, PlanStatus
from executor.model.settings import SETTINGS_PATH
from executor.model.state import STATE_PATH

AT = parse_timestamp("2026-01-14T15:00:00Z")
ARCHIVE = archive_name(AT)
RESULT_FILE = result_name(AT)
REVIEW = review_name(AT)

STEPS = sorted(BY_STEP)
ENDS = ("completed", "rejected", "expired", "duplicate")
STRANGE = (
    SETTINGS_PATH,
    ".github/workflows/execute.yml",
    "executor/cli.py",
    "execution_results/README.md",
    "execution_results/2026-01/../account.json",
    f"{RESULT_FILE}\n",
    f"./{RESULT_FILE}",
    RESULT_FILE.upper(),
    "trading_instructions_history/2026-01/result_2026-01-14T15-00-00.json",
    "TRADING_INSTRUCTIONS.json",
    "",
)
"""Paths that no commit of ours may write."""


def refused(step: str | None, *writes: str, deletes: tuple[str, ...] = (), there: str = "") -> bool:
    trailers = {} if step is None else {STEP: step}
    return breach(trailers, writes, deletes, lambda path: path in there.split()) is not None


def test_the_trailers_are_those_that_the_commits_have() -> None:
    assert (STEP, RESULT) == ("Step", "Result")
    assert rights_of({RESULT: RESULT_FILE}) == rights_of({RESULT: RESULT_FILE, SETTLES: "ab"})


def test_every_step_of_a_plan_has_its_row() -> None:
    assert set(BY_STEP) == {
        *(str(one) for one in PlanStatus if one is not PlanStatus.PENDING),
        WITHDRAWN,
        SUPERSEDED,
        DECLINED,
    }


@pytest.mark.parametrize("step", ["pending", "", "Validated", "resumed"])
def test_a_step_that_is_none_of_ours_may_do_nothing(step: str) -> None:
    assert refused(step)


@pytest.mark.parametrize("digest", ["0" * 64, "deadbeef" * 8])
def test_every_name_that_history_files_get_is_one_of_the_patterns(digest: str) -> None:
    steps = {STEP: WITHDRAWN}, {STEP: "completed"}, {"Review": REVIEW}
    for name, trailers in zip((ARCHIVE, RESULT_FILE, REVIEW), steps, strict=True):
        names = iter(alternatives(name, digest))
        for _ in range(5):
            assert breach(trailers, (next(names),), (), lambda _: False) is None


@pytest.mark.parametrize("step", [*STEPS, None])
@pytest.mark.parametrize("path", STRANGE)
def test_nothing_else_is_ever_written_or_taken_away(step: str | None, path: str) -> None:
    assert refused(step, path)
    assert refused(step, path, there=path)
    assert refused(step, deletes=(path,), there=path)


@pytest.mark.parametrize("step", [*STEPS, None])
@pytest.mark.parametrize("path", [ARCHIVE, RESULT_FILE, REVIEW])
def test_no_history_file_is_overwritten_or_taken_away(step: str | None, path: str) -> None:
    assert refused(step, path, there=path)
    assert refused(step, deletes=(path,), there=path)


def test_validating_changes_the_plan_that_is_there() -> None:
    assert not refused("validated", PLAN_PATH, there=PLAN_PATH)
    assert not refused("validated", PLAN_PATH, ARCHIVE, there=PLAN_PATH)
    assert refused("validated", PLAN_PATH)
    assert refused("validated", PLAN_PATH, deletes=(PLAN_PATH,), there=PLAN_PATH)
    assert refused("validated", RESULT_FILE)
    assert refused("validated", STATE_PATH)


@pytest.mark.parametrize("step", ENDS)
@pytest.mark.parametrize("there", ["", f"{STATE_PATH} {ACCOUNT_PATH}"])
def test_an_end_archives_tells_and_takes_the_plan_away(step: str, there: str) -> None:
    written = (ARCHIVE, RESULT_FILE, STATE_PATH, ACCOUNT_PATH)
    assert not refused(step, *written, there=there)
    assert not refused(step, *written, deletes=(PLAN_PATH,), there=f"{there} {PLAN_PATH}")
    assert refused(step, *written, deletes=(PLAN_PATH,), there=there)
    assert refused(step, PLAN_PATH, there=PLAN_PATH)


def test_what_is_set_aside_is_archived_and_nothing_more() -> None:
    for step in (WITHDRAWN, SUPERSEDED, DECLINED):
        assert not refused(step, ARCHIVE)
        assert refused(step, RESULT_FILE)
        assert refused(step, STATE_PATH)
    assert not refused(WITHDRAWN, ARCHIVE, deletes=(PLAN_PATH,), there=PLAN_PATH)
    assert refused(DECLINED, ARCHIVE, deletes=(PLAN_PATH,), there=PLAN_PATH)


def test_news_writes_a_result_and_the_books() -> None:
    trailers = {RESULT: RESULT_FILE}
    writes = (RESULT_FILE, STATE_PATH, ACCOUNT_PATH)
    assert breach(trailers, writes, (), lambda _: False) is None
    assert breach(trailers, (ARCHIVE,), (), lambda _: False) == (
        f"{ARCHIVE}: this commit may not write it"
    )
    assert breach(trailers, writes, (), lambda path: path == RESULT_FILE) == (
        f"{RESULT_FILE}: lies there already"
    )
    assert breach(trailers, (), (STATE_PATH,), lambda _: True) == (
        f"{STATE_PATH}: this commit may not take it away"
    )


def test_a_review_that_asks_for_nothing_comes_alone() -> None:
    assert breach({"Review": REVIEW}, (REVIEW,), (), lambda _: False) is None
    assert breach({"Review": REVIEW}, (REVIEW, PLAN_PATH), (), lambda _: False) is not None
    assert breach({"Review": REVIEW}, (REVIEW,), (), lambda _: True) is not None


def test_a_commit_without_a_trailer_brings_a_plan() -> None:
    assert not refused(None, PLAN_PATH)
    assert refused(None, REVIEW)
    assert refused(None, PLAN_PATH, there=PLAN_PATH)
    assert refused(None, RESULT_FILE)
    assert refused(None, deletes=(PLAN_PATH,), there=PLAN_PATH)


def test_the_patterns_are_of_whole_paths() -> None:
    assert len({ARCHIVED, RESULTS, REVIEWS}) == 3
    assert breach({STEP: "validated"}, (PLAN_PATH,), (), lambda _: False) == (
        f"{PLAN_PATH}: is not there to be changed"
    )
