"""Setup: have GitHub keep what this repository relies on; without `--apply`, show what lacks."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from executor.console import Console
from executor.decisions.setup import OnMain, drifts, unread
from executor.errors import (
    AutoInvestorError,
    ExitCode,
    ForgeRefused,
    ForgeUnavailable,
    UsageError,
)
from executor.hosting import ADMINISTRATOR, look, open_github, read_main
from executor.model.hosting import Call, Drift
from executor.ports import Book, Progress
from executor.repo.git import Git
from executor.repo.github_admin import GitHubAdmin
from executor.reports.reply import Reply
from executor.reports.setup import Done, report_applied, report_shown
from executor.wiring import open_world

PASSES: Final = 3
"""Looks at most: what waits for an environment is mended once that one was read back."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this verb."""
    parser.add_argument(
        "--apply", action="store_true", help="mend what can be mended (default: show it)"
    )


def run(options: argparse.Namespace, console: Console) -> Reply:
    """Run the verb on this machine."""
    with open_world(options.repo) as world:
        main = read_main(world.book)
        with open_github(world.environment, main.settings) as api:
            admin = GitHubAdmin(api)
            if not options.apply:
                seen = look(admin, main)
                return report_shown(seen.name, drifts(seen, main), unread(seen))
            return apply(admin, main, world.book, Git(options.repo).top, console)


def apply(admin: GitHubAdmin, main: OnMain, book: Book, top: Path, progress: Progress) -> Reply:
    """Mend every drift that has a call, in order, and write the files that a person commits.

    It stops where GitHub first says no; what was done stays, and is not done again.

    Args:
        admin: the set-up on GitHub.
        main: what main says of it.
        book: the repository.
        top: its work tree.
        progress: is told each step.

    Raises:
        UsageError: the token is not an administrator's.
    """
    seen = look(admin, main)
    if not seen.may_administer:
        raise UsageError(
            f"setup --apply: this token may not administer {seen.name}; set GITHUB_TOKEN to"
            f" {ADMINISTRATOR}"
        )
    sent: list[Call] = []
    stopped: tuple[Call, AutoInvestorError] | None = None
    found = drifts(seen, main)
    for _ in range(PASSES):
        calls = [call for one in found for call in one.calls if call not in sent]
        if not calls or stopped is not None:
            break
        for call in calls:
            progress.say(call.words())
            try:
                admin.carry_out(call)
            except (ForgeRefused, ForgeUnavailable) as error:
                stopped = (call, error)
                break
            sent.append(call)
        seen = look(admin, main)
        found = drifts(seen, main)
    written, in_the_way = _write(book, top, found)
    done = Done(
        sent=tuple(sent),
        written=written,
        in_the_way=in_the_way,
        stopped_at=stopped[0] if stopped else None,
        why=str(stopped[1]) if stopped else None,
    )
    if stopped is not None:
        done = replace(done, exit_code=stopped[1].exit_code)
    elif any(one.calls for one in found):
        # GitHub took it, and does not show it: it may lag behind.
        done = replace(done, exit_code=ExitCode.RUN_AGAIN)
    return report_applied(seen.name, found, unread(seen), done)


def _write(
    book: Book, top: Path, found: Sequence[Drift]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Write what mends a drift into the work tree; never over what a person has changed."""
    written, in_the_way = [], []
    head = book.head()
    for path, text in ((path, text) for one in found for path, text in one.writes.items()):
        file, wanted = top / path, text.encode()
        lies = file.read_bytes() if file.is_file() else None
        if lies not in (None, wanted, book.read(path, head)):
            in_the_way.append(path)
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(wanted)
        written.append(path)
    return tuple(written), tuple(in_the_way)
