"""The server in the foreground, as runs under act use it."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

from tests.forge.rig import Api

ROOT = Path(__file__).resolve().parents[2]


def test_it_serves_a_bare_repository_until_it_is_told_to_stop(seed: Path, tmp_path: Path) -> None:
    bare = tmp_path / "book.git"
    shutil.copytree(seed, bare)
    events = tmp_path / "events"
    command = [sys.executable, "-m", "tests.forge", "--repo", str(bare), "--name"]
    command += ["octo-owner/book", "--events", str(events), "--plan", "private_free"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            url = process.stdout.readline().strip()
            owner = Api(url, "owner-token", "octo-owner/book")
            assert owner.get("")["private"] is True
            owner.ok("POST", "issues", {"title": "a", "labels": ["halt"]})
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    names = sorted(path.name for path in events.iterdir())
    assert names == ["0001-issues.json", "0002-issues.json", "events.jsonl"]


def test_an_owner_that_is_no_account_is_refused(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.forge", "--repo", str(tmp_path), "--name", "x/y"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "octo-owner is" in done.stderr
