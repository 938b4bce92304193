"""Machines that refuse to write, for real: a read-only repository and a disk that is full."""

from __future__ import annotations

import contextlib
import os
import stat
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from tests.scratch import NOW, Answer, Repository

ROOT: Final = Path(__file__).parents[2]

_WITHOUT_OVERRIDE: Final = """
import ctypes, os, sys
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1
if os.geteuid() == 0:
    assert ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Starts a program for which a file's mode counts; for root it does not unless this is dropped."""

_SMALL_FILES: Final = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Starts a program that can write no file of more than 64 bytes."""

_FULL_DISK: Final = """
set -e
mount -t tmpfs -o size=4m tmpfs "$DISK"
cp -a "$REPOSITORY/." "$DISK"
dd if=/dev/zero of="$DISK/.git/filler" bs=4k 2> "$DISK.dd" || true
set +e
"$@" > "$OUTPUT/1.out" 2> "$OUTPUT/1.err"; echo $? > "$OUTPUT/1.code"
rm "$DISK/.git/filler"
"$@" > "$OUTPUT/2.out" 2> "$OUTPUT/2.err"; echo $? > "$OUTPUT/2.code"
cp -a "$DISK/." "$REPOSITORY"
"""
"""In a mount namespace of its own: run a command on a full disk, and again when there is room."""


def command(folder: Path, *arguments: str) -> list[str]:
    """Our command line as a process."""
    verb, *rest = arguments
    return [sys.executable, "-m", "executor", verb, "--repo", str(folder), *rest]


def as_process(arguments: Sequence[str]) -> Answer:
    """Run a program in a process of its own."""
    done = subprocess.run(
        arguments,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    return Answer(done.returncode, done.stdout, done.stderr)


def where_modes_count(folder: Path, *arguments: str) -> Answer:
    """Run our command line so that a read-only folder is one, also for root."""
    return as_process([sys.executable, "-c", _WITHOUT_OVERRIDE, *command(folder, *arguments)])


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Take the right to write from a folder and all that is in it."""
    paths = [folder, *folder.rglob("*")]
    modes = {path: stat.S_IMODE(path.lstat().st_mode) for path in paths if not path.is_symlink()}
    for path, mode in modes.items():
        path.chmod(mode & ~0o222)
    try:
        yield
    finally:
        for path, mode in modes.items():
            path.chmod(mode)


def on_a_full_disk(repository: Repository, scratch: Path) -> tuple[Answer, Answer, str]:
    """Run `execute --submit` on a disk without room, then with room.

    A small file system in memory is filled up, where this process may mount one (in a namespace of
    its own). Elsewhere the limit on a file's size stands in for it: each write fails then as well,
    though with another reason.

    Returns:
        Both answers, and which of the two ways it was.
    """
    arguments = ("execute", "--submit", "--now", NOW)
    disk, output = scratch / "disk", scratch / "output"
    disk.mkdir()
    output.mkdir()
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "DISK": str(disk),
        "REPOSITORY": str(repository.folder),
        "OUTPUT": str(output),
    }
    for unshare in (["unshare", "--mount"], ["unshare", "--mount", "--map-root-user"]):
        with contextlib.suppress(FileNotFoundError, subprocess.CalledProcessError):
            subprocess.run(
                [*unshare, "sh", "-c", _FULL_DISK, "sh", *command(disk, *arguments)],
                env=environment,
                check=True,
                capture_output=True,
            )
            return _answer(output, 1), _answer(output, 2), "disk"
    ours = command(repository.folder, *arguments)
    without_room = as_process([sys.executable, "-c", _SMALL_FILES, *ours])
    return without_room, as_process(ours), "limit"


def _answer(output: Path, number: int) -> Answer:
    code, out, err = ((output / f"{number}.{kind}").read_text() for kind in ("code", "out", "err"))
    return Answer(int(code), out, err)
