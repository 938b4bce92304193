from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from executor.checks.plan_fresh import RULE
from executor.model.facts import Moment
from executor.model.verdict import Answer
from tests.checks.builders import (
    NOW,
    always_open,
    answers,
    bare_file,
    clock,
    context,
    judged,
    line,
    only,
    plan,
    readme_example,
    sentence,
    settings,
    verdicts,
)

YESTERDAY = NOW - timedelta(days=1)


def test_a_plan_of_this_session_passes() -> None:
    assert answers(RULE, context()) == [Answer.YES]


@pytest.mark.parametrize("moment", list(Moment))
def test_a_named_end_that_has_passed_is_a_no_at_every_moment(moment: Moment) -> None:
    late = plan(valid_until=NOW - timedelta(seconds=1))
    verdict = only(RULE, context(late, moment=moment))
    assert verdict.answer is Answer.NO
    assert verdict.pointer == "/valid_until"
    assert only(RULE, context(plan(valid_until=NOW), moment=moment)).answer is Answer.YES


def test_a_bare_file_without_an_end_passes() -> None:
    assert answers(RULE, context(facts=bare_file())) == [Answer.YES]


def test_a_session_after_the_approval_the_plan_is_past_for_exits_too() -> None:
    subject = context(plan(line("SELL")), added_at=YESTERDAY)
    assert sentence(only(RULE, subject)) == readme_example(RULE)
    assert judged(RULE, subject).rejected


def test_an_approval_after_the_close_is_good_for_the_next_session() -> None:
    evening = YESTERDAY.replace(hour=22)
    assert answers(RULE, context(added_at=evening)) == [Answer.YES]


def test_a_pull_request_does_not_age_before_its_approval() -> None:
    subject = context(moment=Moment.PULL_REQUEST, added_at=YESTERDAY)
    assert answers(RULE, subject) == [Answer.YES]


def test_the_settings_say_how_many_sessions() -> None:
    two = settings(execution={"sessions_valid": 2})
    assert answers(RULE, context(added_at=YESTERDAY, settings=two)) == [Answer.YES]
    tomorrow = NOW + timedelta(days=1)
    subject = context(added_at=YESTERDAY, settings=two, now=tomorrow, market_clock=clock(YESTERDAY))
    assert only(RULE, subject).limit == "2 sessions from the approval: 2026-01-14T21:00:00Z"


def test_a_named_end_reaches_three_sessions_at_most() -> None:
    far = plan(valid_until=NOW + timedelta(days=30))
    assert answers(RULE, context(far, added_at=YESTERDAY)) == [Answer.YES]
    later = datetime(2026, 1, 15, 21, 0, 1, tzinfo=UTC)
    verdict = only(RULE, context(far, added_at=YESTERDAY, now=later))
    assert verdict.answer is Answer.NO
    assert verdict.limit == "3 sessions from the approval: 2026-01-15T21:00:00Z"


@pytest.mark.parametrize(
    ("days", "warning"),
    [
        (3, "made 2026-01-17T15:00:00Z, which is yet to come"),
        (-3, "made 2026-01-11T15:00:00Z, long before it came here, 2026-01-14T14:50:00Z"),
        (-1, None),
    ],
)
def test_an_odd_timestamp_is_a_warning(days: int, warning: str | None) -> None:
    odd = plan(timestamp=NOW + timedelta(days=days))
    assert [one.warning for one in verdicts(RULE, context(odd))] == [warning]


def test_in_sim_a_session_is_the_utc_day() -> None:
    always = always_open()
    assert answers(RULE, context(market_clock=always)) == [Answer.YES]
    assert answers(RULE, context(market_clock=always, added_at=YESTERDAY)) == [Answer.NO]


def test_what_is_not_known_waits() -> None:
    assert "approval" in (only(RULE, context(added_at=None)).observed or "")
    assert "sessions" in (only(RULE, context(market_clock=None)).observed or "")
    for subject in (
        context(added_at=None),
        context(market_clock=None),
        context(added_at=NOW - timedelta(days=5)),
    ):
        assert answers(RULE, subject) == [Answer.NOT_NOW]
        assert judged(RULE, subject).waits
