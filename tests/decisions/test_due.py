from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.decisions.due import (
    PAUSE,
    STALE_AFTER,
    looked_back_to,
    newest_marks,
    review_due,
    review_wanted,
    sift,
    slots_of,
    strategy_of,
    validate_title,
    wanted,
)
from executor.exchange.sessions import NyseSessions
from executor.model.due import (
    DOCTOR,
    EXECUTE,
    REVIEW,
    SETTLE,
    VALIDATE,
    OpenPull,
    PlanDue,
    RecordDue,
    Situation,
    Wanted,
)
from executor.model.fields import parse_timestamp
from executor.model.forge import ACTIONS_ID, MARKS, Actor, Mark, PullRequest, WorkflowRun
from executor.on_github.looking import sessions_around

NOW = parse_timestamp("2026-01-14T15:00:00Z")
"""A Wednesday, half an hour after the exchanges open."""
CLOSED = parse_timestamp("2026-01-14T22:00:00Z")
OPENED = parse_timestamp("2026-01-14T14:30:00Z")
LAST_CLOSE = parse_timestamp("2026-01-13T21:00:00Z")
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
BOT = Actor(ACTIONS_ID, "github-actions[bot]", "Bot")
ALICE = Actor(1001, "alice")
DIGEST = "ab" * 32


def at(text: str) -> datetime:
    return parse_timestamp(f"2026-01-{text}:00Z")


def sessions(now: datetime = NOW) -> Any:
    return tuple(sessions_around(NyseSessions(), now))


def situation(now: datetime = NOW, **keys: Any) -> Situation:
    return Situation(now=now, sessions=sessions(now), **keys)


def pull(number: int = 12, **keys: Any) -> PullRequest:
    given = {
        "number": number,
        "title": "SELL 1",
        "state": "open",
        "author": BOT,
        "head_ref": "plan/1",
        "head": "c" * 40,
        "head_repository": "alice/trading",
        "base_ref": "main",
        "created_at": NOW,
    }
    return PullRequest(**{**given, **keys})


def mark(context: str, when: datetime = NOW, **keys: Any) -> Mark:
    description = f"digest {DIGEST[:32]}…" if context == "plan/schema" else "all well"
    given = {"state": "success", "description": description, "creator": BOT, "created_at": when}
    return Mark(context, **{**given, **keys})


def marks(when: datetime = NOW, **keys: Any) -> tuple[Mark, ...]:
    return tuple(mark(one, when, **keys) for one in MARKS)


def run(title: str = "settle", created: datetime = NOW, **keys: Any) -> WorkflowRun:
    given = {
        "id": 1,
        "workflow": SETTLE,
        "event": "workflow_dispatch",
        "status": "completed",
        "conclusion": "success",
        "head": "c" * 40,
    }
    return WorkflowRun(created_at=created, title=title, **{**given, **keys})


def titles(found: Situation) -> list[str]:
    return [one.title for one in wanted(found) if one.workflow != DOCTOR]


# Slots.


def test_slots_are_at_the_open_and_each_interval_until_the_close() -> None:
    names = [one.name for one in slots_of(sessions(), 4 * HOUR) if one.at.date() == NOW.date()]
    assert names == ["2026-01-14T14:30Z", "2026-01-14T18:30Z"]
    half_day = parse_timestamp("2026-11-27T15:00:00Z")
    found = slots_of(sessions(half_day), 2 * HOUR)
    assert [one.name for one in found if one.at.date() == half_day.date()] == [
        "2026-11-27T14:30Z",
        "2026-11-27T16:30Z",
    ]


def due(now: str, *made: str, every: timedelta = 4 * HOUR) -> list[list[str]] | None:
    """Slots that a review serves, and slots that were missed."""
    moment = at(now)
    found = review_due("momentum", slots_of(sessions(moment), every), map(at, made), moment)
    if found is None:
        return None
    assert found.slot is found.serves[-1]
    return [[f"{one.at:%dT%H:%M}" for one in part] for part in (found.serves, found.missed)]


@pytest.mark.parametrize(
    ("now", "made", "expected"),
    [
        ("14T14:30", (), [["14T14:30"], []]),
        ("14T14:29", ("13T18:30",), None),
        # late by however much, until the next one comes
        ("14T16:29", ("13T18:35",), [["14T14:30"], []]),
        # within half an interval of the next one: both
        ("14T16:30", ("13T18:35",), [["14T14:30", "14T18:30"], []]),
        ("14T18:29", ("13T18:35",), [["14T14:30", "14T18:30"], []]),
        # made in time, late, and early for the next one
        ("14T15:00", ("14T14:30",), None),
        ("14T18:29", ("14T14:45",), None),
        ("14T18:30", ("14T14:45",), [["14T18:30"], []]),
        ("14T18:30", ("14T16:30",), None),
        ("14T18:30", ("14T16:29",), [["14T18:30"], []]),
        # one before the open is not for the session to come
        ("14T14:31", ("14T14:29",), [["14T14:30"], []]),
        # closed: the newest slot is served late; the morning's is no reason to wait
        ("14T23:00", ("14T14:45",), [["14T18:30"], []]),
        ("17T12:00", ("16T14:45",), [["16T18:30"], []]),
        # a long silence
        ("15T15:00", ("13T14:31",), [["15T14:30"], ["13T18:30", "14T14:30", "14T18:30"]]),
    ],
)
def test_which_slot_is_due(now: str, made: tuple[str, ...], expected: Any) -> None:
    assert due(now, *made) == expected


def test_nothing_is_due_before_the_first_slot_that_is_known() -> None:
    assert review_due("momentum", (), (), NOW) is None


moments = st.integers(0, 12 * 24 * 60).map(lambda one: at("05T00:00") + one * MINUTE)


@given(moments, moments, st.sampled_from([1, 2, 4, 7]))
def test_a_review_that_is_made_when_it_is_due_serves_what_it_says(
    now: datetime, made: datetime, hours: int
) -> None:
    slots = slots_of(sessions(now), hours * HOUR)
    found = review_due("momentum", slots, [made] if made <= now else [], now)
    if found is None:
        return
    assert not set(found.serves) & set(found.missed)
    # Made right away, nothing is due any more, until a slot that it does not serve.
    assert review_due("momentum", slots, [now], now) is None
    for slot in slots:
        if slot.at <= now or slot in found.serves:
            later = max(slot.at, now)
            again = review_due("momentum", slots, [now], later)
            assert again is None or slot not in again.serves


def test_a_review_says_how_late_it_is_and_what_was_missed() -> None:
    moment = at("16T15:20")
    slots = slots_of(sessions(moment), HOUR)
    found = review_due("momentum", slots, [at("15T14:31")], moment)
    assert found is not None
    run_wanted = review_wanted(found, moment)
    assert run_wanted.title == "review momentum 2026-01-16T15:30Z"
    assert run_wanted.like == ("review momentum 2026-01-16T14:30Z",)
    assert run_wanted.inputs == {
        "strategy": "momentum",
        "slot": "2026-01-16T15:30Z",
        "reason": run_wanted.why,
    }
    assert run_wanted.why == (
        "scheduled review of 2026-01-16T14:30Z and 2026-01-16T15:30Z; 50 min late; missed:"
        " 2026-01-15T15:30Z, 2026-01-15T16:30Z, 2026-01-15T17:30Z, 2026-01-15T18:30Z,"
        " 2026-01-15T19:30Z, 2026-01-15T20:30Z"
    )
    earlier = review_due("momentum", slots, [at("14T14:31")], moment)
    assert earlier is not None
    assert review_wanted(earlier, moment).why.endswith("2026-01-15T20:30Z and 7 before")


def test_hours_of_lateness_are_told_as_hours() -> None:
    found = review_due("momentum", slots_of(sessions(CLOSED), 4 * HOUR), [], CLOSED)
    assert found is not None
    assert (
        review_wanted(found, CLOSED).why == "scheduled review of 2026-01-14T18:30Z; 3 h 30 min late"
    )


def test_the_book_of_a_pull_request_is_on_its_label() -> None:
    assert strategy_of(pull(labels=("plan", "strategy: momentum"))) == "momentum"
    assert strategy_of(pull(labels=("plan",))) is None


# Plans.


@pytest.mark.parametrize(
    ("keys", "now", "why"),
    [
        ({}, NOW, "plan abababab waits on main"),
        ({"half_executed": True}, CLOSED, "plan abababab is half executed"),
        ({"readable": False}, CLOSED, "plan abababab is none that may wait and is to be set aside"),
        ({"expires_at": LAST_CLOSE}, CLOSED, "plan abababab is over since 2026-01-13T21:00:00Z"),
        ({"expires_at": CLOSED}, NOW, "plan abababab waits on main"),
    ],
)
def test_a_plan_on_main_is_executed(keys: dict[str, Any], now: datetime, why: str) -> None:
    found = wanted(situation(now, plan=PlanDue(DIGEST, LAST_CLOSE, **keys)))[0]
    assert (found.workflow, found.title, found.why) == (EXECUTE, "execute", why)
    assert found.unless_since is None


def test_while_closed_a_plan_is_looked_at_once_in_case_its_event_was_lost() -> None:
    found = wanted(situation(CLOSED, plan=PlanDue(DIGEST, LAST_CLOSE)))[0]
    assert found.unless_since == LAST_CLOSE
    seen = run("execute", LAST_CLOSE, workflow=EXECUTE, conclusion="failure")
    assert sift([found], {EXECUTE: [seen]}, CLOSED) == ((), ())
    before = run("execute", LAST_CLOSE - MINUTE, workflow=EXECUTE)
    assert sift([found], {EXECUTE: [before]}, CLOSED) == ((found,), ())


# Settling.


def test_nothing_to_settle_without_a_record_or_where_nothing_moves() -> None:
    assert titles(situation()) == []
    assert titles(situation(record=RecordDue(alone=True))) == []


def settles(now: datetime, **keys: Any) -> Wanted:
    return next(one for one in wanted(situation(now, **keys)) if one.workflow == SETTLE)


def test_an_open_order_is_followed_in_every_tick_of_a_session() -> None:
    found = settles(NOW, record=RecordDue(entries_open=2, in_motion=True, alone=True))
    assert (found.why, found.unless_since) == ("2 orders still open", None)
    closed = settles(CLOSED, record=RecordDue(entries_open=2, in_motion=True))
    assert closed.unless_since == parse_timestamp("2026-01-14T21:00:00Z")


def test_what_protects_is_looked_at_when_a_session_opens_and_when_one_has_closed() -> None:
    found = settles(NOW, record=RecordDue(in_motion=True))
    assert found.unless_since == OPENED
    assert sift([found], {SETTLE: [run(created=OPENED + MINUTE)]}, NOW) == ((), ())
    failed = run(created=OPENED + MINUTE, conclusion="failure")
    assert sift([found], {SETTLE: [failed]}, NOW) == ((found,), ())


def test_an_account_of_others_too_is_looked_at_once_a_session() -> None:
    assert settles(NOW, record=RecordDue()).unless_since == LAST_CLOSE
    never = Situation(NOW, sessions=(), record=RecordDue())
    assert [one for one in wanted(never) if one.workflow == SETTLE] == []


def test_closed_pull_requests_are_archived_by_settle_in_one_run_with_the_rest() -> None:
    closed = (pull(9, closed_at=NOW - HOUR, state="closed"), pull(8, closed_at=None))
    found = [
        one
        for one in wanted(
            situation(record=RecordDue(entries_open=1, in_motion=True), closed_with_plan=closed)
        )
        if one.workflow == SETTLE
    ]
    assert found[0].why == "closed without a merge, to be archived: #9, #8"
    assert found[0].unless_since == NOW
    assert len(found) == 2
    going, held = sift(found, {}, NOW)
    assert (going, held) == ((found[0],), ())


# Validating.


def checked(now: datetime = NOW, **keys: Any) -> list[str]:
    return [one.why for one in wanted(situation(now, **keys)) if one.workflow == VALIDATE]


def test_a_head_without_its_statuses_is_validated() -> None:
    found = wanted(situation(pulls=(OpenPull(pull(), marks()[:1]),)))[0]
    assert (found.title, found.inputs) == ("validate #12", {"pull_request": "12"})
    assert found.why == "#12 lacks plan/scope, plan/capital"
    assert validate_title(12) == found.title
    assert checked(pulls=(OpenPull(pull(), marks()),)) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"creator": ALICE},
        {"creator": None},
        {"state": "pending"},
    ],
)
def test_a_status_of_somebody_else_or_without_an_answer_is_none(wrong: dict[str, Any]) -> None:
    shown = (mark("plan/capital", **wrong), *marks()[:2])
    assert checked(pulls=(OpenPull(pull(), shown),)) == ["#12 lacks plan/capital"]


def test_the_newest_status_counts() -> None:
    newest = mark("plan/capital", description="newest")
    assert newest_marks([newest, *marks()])["plan/capital"] is newest


def test_a_red_status_is_an_answer() -> None:
    assert checked(pulls=(OpenPull(pull(), marks(state="failure")),)) == []


def test_an_answer_about_the_account_ages_in_session_only() -> None:
    before_open = (OpenPull(pull(), marks(OPENED - MINUTE)),)
    assert checked(pulls=before_open) == ["#12 was judged by an account of 2026-01-14T14:29:00Z"]
    later = OPENED + STALE_AFTER + 2 * MINUTE
    assert checked(later, pulls=(OpenPull(pull(), marks(OPENED + MINUTE)),)) != []
    assert checked(later, pulls=(OpenPull(pull(), marks(OPENED + 3 * MINUTE)),)) == []
    assert checked(CLOSED, pulls=before_open) == []
    no_plan = (mark("plan/schema", description="no plan"), *marks(OPENED - MINUTE)[1:])
    assert checked(pulls=(OpenPull(pull(), no_plan),)) == []
    timeless = marks(created_at=None)
    assert checked(pulls=(OpenPull(pull(), timeless),)) == []


# What is under way.


def test_what_is_under_way_is_not_started_again_until_it_is_lost() -> None:
    asked = Wanted(SETTLE, "settle", "why")
    for status in ("queued", "in_progress", "waiting"):
        going, held = sift([asked], {SETTLE: [run(status=status, conclusion=None)]}, NOW)
        assert going == ()
        assert held[0].why.startswith("under way since 2026-01-14T15:00:00Z (")
    lost = run(created=NOW - timedelta(days=1), status="in_progress", conclusion=None)
    assert sift([asked], {SETTLE: [lost]}, NOW) == ((asked,), ())
    other = run("settle for others", status="queued", conclusion=None)
    assert sift([asked], {SETTLE: [other]}, NOW) == ((asked,), ())


def test_what_keeps_failing_has_a_pause() -> None:
    asked = Wanted(SETTLE, "settle", "why")
    failed = [run(created=NOW - one * MINUTE, conclusion="failure") for one in (5, 10)]
    going, held = sift([asked], {SETTLE: failed}, NOW)
    assert (going, held[0].why) == ((), "failed 2 times; again from 2026-01-14T15:55:00Z on")
    assert sift([asked], {SETTLE: failed}, NOW + PAUSE) == ((asked,), ())
    assert sift([asked], {SETTLE: failed[:1]}, NOW) == ((asked,), ())
    once = [failed[0], run(created=NOW - 7 * MINUTE), failed[1]]
    assert sift([asked], {SETTLE: once}, NOW) == ((asked,), ())


def test_a_review_that_was_started_for_a_slot_is_one_for_the_next_one_too() -> None:
    moment = at("14T16:45")
    found = review_due("momentum", slots_of(sessions(moment), 4 * HOUR), [], moment)
    assert found is not None
    asked = review_wanted(found, moment)
    running = run("review momentum 2026-01-14T14:30Z", at("14T16:20"), status="in_progress")
    assert sift([asked], {REVIEW: [running]}, moment)[0] == ()
    other = run("review value 2026-01-14T14:30Z", at("14T16:20"), status="in_progress")
    assert sift([asked], {REVIEW: [other]}, moment)[0] == (asked,)


def test_the_doctor_comes_once_a_week_whatever_it_finds() -> None:
    (found,) = wanted(situation())
    assert (found.workflow, found.title) == (DOCTOR, "doctor")
    week = timedelta(days=7)
    red = run("doctor", NOW - week, workflow=DOCTOR, conclusion="failure")
    assert sift([found], {DOCTOR: [red]}, NOW) == ((), ())
    old = run("doctor", NOW - week - MINUTE, workflow=DOCTOR)
    assert sift([found], {DOCTOR: [old]}, NOW) == ((found,), ())
    assert looked_back_to([found], NOW) == NOW - week
    assert looked_back_to([], NOW) == NOW - timedelta(days=1)


def test_a_slot_is_named_in_utc() -> None:
    assert slots_of(sessions(), HOUR)[0].at.tzinfo is UTC


def test_a_review_in_time_says_no_more_than_its_slot() -> None:
    moment = at("14T14:37")
    found = review_due("momentum", slots_of(sessions(moment), 4 * HOUR), [], moment)
    assert found is not None
    assert review_wanted(found, moment).why == "scheduled review of 2026-01-14T14:30Z"


@pytest.mark.parametrize("conclusion", ["skipped", "cancelled"])
def test_a_run_that_did_nothing_is_none(conclusion: str) -> None:
    found = wanted(situation(CLOSED, plan=PlanDue(DIGEST, LAST_CLOSE)))[0]
    skipped = run("execute", NOW, workflow=EXECUTE, conclusion=conclusion)
    assert sift([found], {EXECUTE: [skipped]}, CLOSED) == ((found,), ())
    asked = Wanted(SETTLE, "settle", "why")
    failed = [run(created=NOW - one * MINUTE, conclusion="failure") for one in (5, 10)]
    mixed = [failed[0], run(created=NOW - 7 * MINUTE, conclusion=conclusion), failed[1]]
    assert sift([asked], {SETTLE: mixed}, NOW)[0] == ()
