from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from executor.decisions.access import how_it_is_kept, powers, who_sees
from executor.decisions.heartbeats import Silence
from executor.decisions.setup import drifts, unread
from executor.errors import ExitCode
from executor.model.hosting import Hosting
from executor.model.market import Session
from executor.model.settings import Settings
from executor.reports.blocks import plain_text
from executor.reports.doctor import Health, Pulse, drift_lines, minutes, report_health
from tests.decisions.hosting_builders import (
    PAPER,
    UNREAD,
    WITH_APP,
    hosting,
    on_main,
    private_free,
    settings,
)
from tests.golden_files import assert_golden

OPENS = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
CLOSES = datetime(2026, 11, 20, 21, 0, tzinfo=UTC)
SILENCE = Silence(Session(OPENS, CLOSES), 3, timedelta(minutes=130), OPENS + timedelta(hours=1))


def health(seen: Hosting, main: Settings, **changes: Any) -> Health:
    whole: dict[str, Any] = {
        "hosting": seen,
        "drifts": drifts(seen, on_main(main)),
        "unread": unread(seen),
        "powers": powers(seen, main),
        "kept": how_it_is_kept(seen, main),
        "seen_by": who_sees(seen),
        "pulse": Pulse(sessions=5),
        "trading": "trading is enabled",
    }
    return Health(**whole | changes)


def test_a_set_up_in_order() -> None:
    main = settings(*PAPER, WITH_APP)
    found = report_health(health(hosting(main), main))
    assert_golden("doctor_in_order", plain_text(found.blocks))
    assert found.exit_code is ExitCode.DONE
    assert found.data["who_could_trade"][0]["login"] == "olivia"
    assert drift_lines(health(hosting(main), main)) == ()


def test_a_set_up_that_has_drifted() -> None:
    main = settings(*PAPER)
    seen = private_free(main, default_branch="trunk", members=UNREAD)
    pulse = Pulse((SILENCE,), interval=timedelta(minutes=30), sessions=5)
    made = health(seen, main, pulse=pulse)
    found = report_health(made)
    assert_golden("doctor_drifted", plain_text(found.blocks))
    assert found.exit_code is ExitCode.REFUSED
    assert found.data["silences"][0]["longest_minutes"] == 130
    assert drift_lines(made)[-1].startswith("session of 2026-11-20: 3 runs")
    assert len(drift_lines(made)) == len(made.drifts) + 2


def test_a_silence_alone_is_a_breach() -> None:
    main = settings()
    made = health(hosting(main), main, pulse=Pulse((SILENCE,), sessions=1))
    assert report_health(made).exit_code is ExitCode.REFUSED
    assert "wanted: a run every" not in plain_text(report_health(made).blocks)


def test_heartbeats_that_nobody_looked_at_are_never_fine() -> None:
    main = settings()
    made = health(hosting(main), main, pulse=Pulse(not_looked="trading is not enabled"))
    text = plain_text(report_health(made).blocks)
    assert "heartbeats of `tick`: not looked at, trading is not enabled" in text
    assert "none missed" not in text


@pytest.mark.parametrize(
    ("time", "said"),
    [
        (timedelta(minutes=30), "30 min"),
        (timedelta(hours=2), "2 h"),
        (timedelta(hours=2, minutes=10, seconds=59), "2 h 10 min"),
    ],
)
def test_a_time_is_spelled_in_hours_and_minutes(time: timedelta, said: str) -> None:
    assert minutes(time) == said
