"""Audit: prove the history from git alone; no key, no network, a plain clone is enough."""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path
from typing import Final

from executor.commands.review import summarized
from executor.console import Console
from executor.decisions.auditing import audit
from executor.decisions.notes import DECLINED_BY, SUPERSEDES, WITHDRAWN_BY
from executor.history import HISTORY_FOLDER, RESULTS_FOLDER
from executor.repo.local_book import LocalBook
from executor.repo.work_tree import HISTORY_FOLDERS
from executor.reports.auditing import report_audit
from executor.reports.reply import Reply
from executor.wiring import SystemClock

COMMITS_MAX: Final = 1_000_000
"""Commits that set a plan aside, at most."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this verb."""
    parser.add_argument(
        "--ref", default="main", metavar="REF", help="the history to audit (default: main)"
    )


def run(options: argparse.Namespace, _console: Console) -> Reply:
    """Run the verb on this machine."""
    return summarized(os.environ, "audit", audit_repository(options.repo, options.ref))


def audit_repository(folder: Path, ref: str) -> Reply:
    """Audit the history that a name means, in the repository that holds a folder.

    Raises:
        UsageError: no repository, or no such commit.
    """
    with LocalBook(folder, SystemClock()) as book:
        commit = book.resolve(ref)
        trailers = {
            one.commit: one.trailers
            for key in (WITHDRAWN_BY, DECLINED_BY, SUPERSEDES)
            for one in book.with_trailer(key, None, commit, COMMITS_MAX)
        }
        changes = book.changes(HISTORY_FOLDERS, commit)
        found = audit(
            (replace(one, trailers=trailers.get(one.commit, {})) for one in changes),
            dict(book.read_folder(RESULTS_FOLDER, commit)),
            dict(book.read_folder(HISTORY_FOLDER, commit)),
        )
    return report_audit(found, commit)
