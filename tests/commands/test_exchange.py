"""`autoinvestor exchange` serves any Alpaca client from a process of its own."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from executor.cli import run

HEADERS = {"APCA-API-KEY-ID": "id", "APCA-API-SECRET-KEY": "secret"}


@contextmanager
def served(*flags: str) -> Iterator[str]:
    command = [sys.executable, "-m", "executor", "exchange", "--port", "0", *flags]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        found = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
        assert found is not None
        yield found.group()
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    assert process.returncode == 0


def test_it_serves_the_account_and_ends_cleanly_when_interrupted() -> None:
    with served("--now", "2026-01-14T13:45:00Z", "--rate-limit", "0") as url:
        account = requests.get(f"{url}/v2/account", headers=HEADERS, timeout=10).json()
        clock = requests.get(f"{url}/v2/clock", headers=HEADERS, timeout=10).json()
    assert account["cash"] == "100000"
    assert clock["timestamp"].startswith("2026-01-14T08:45")  # New York, as Alpaca answers


def test_with_a_key_only_that_key_is_served() -> None:
    with served("--key", "id:other") as url:
        assert requests.get(f"{url}/v2/account", headers=HEADERS, timeout=10).status_code == 401
        right = {**HEADERS, "APCA-API-SECRET-KEY": "other"}
        assert requests.get(f"{url}/v2/account", headers=right, timeout=10).status_code == 200


def test_its_answers_may_be_later() -> None:
    with served("--latency-ms", "40") as url:
        answer = requests.get(f"{url}/v2/clock", headers=HEADERS, timeout=10)
    assert answer.elapsed.total_seconds() >= 0.04


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--key", "without-colon"], "ID:SECRET"),
        (["--port", "70000"], "0 to 65535"),
        (["--prices", "nowhere.json"], "nowhere.json"),
        (["--now", "noon"], "2026-01-14T13:45:00Z"),
        (["--calendar", "moon"], "nyse"),
        (["--latency-ms", "-1"], "0 to 60000"),
        (["--latency-ms", "60001"], "0 to 60000"),
        (["--latency-ms", "fast"], "0 to 60000"),
    ],
)
def test_a_flag_that_cannot_be_used_is_a_usage_error(
    flags: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["exchange", "--port", "0", *flags]) == 2
    assert said in capsys.readouterr().err
