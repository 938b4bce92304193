"""Agent: read what `review` gathered, and write a proposal.

It runs where nothing is to be had: it is given a folder, asks nobody, and needs no key. What it
writes is data that `propose` judges like anybody's.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TypeVar

from executor.commands.review import summarized, write_file
from executor.commands.validate import read_file
from executor.console import Console
from executor.decisions.gates import judge_tree
from executor.decisions.reviewing import NEEDED, PORTFOLIO, PROPOSAL, SCHEDULED, hold
from executor.decisions.schemas import schema_of
from executor.errors import DocumentError, UsageError
from executor.model.account import AccountRecord
from executor.model.fields import Document
from executor.model.reading import read_document
from executor.model.review import Alert
from executor.model.writing import write_document
from executor.reports.reply import Reply
from executor.reports.reviewing import report_proposed
from executor.wiring import read_clock

D = TypeVar("D", bound=Document)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this verb."""
    parser.add_argument(
        "--brief", type=Path, required=True, metavar="DIR", help="what `review` wrote"
    )
    parser.add_argument(
        "--to", type=Path, required=True, metavar="DIR", help="where the proposal goes"
    )
    parser.add_argument("--now", metavar="TIME", help="take this as the present")


def run(options: argparse.Namespace, _console: Console) -> Reply:
    """Run the built-in agent on a folder.

    Raises:
        UsageError: the folder holds no alert, or no portfolio.
        DocumentError: one of them is no document of its kind.
    """
    brief: Path = options.brief
    alerts = [brief / name for name in (NEEDED, SCHEDULED) if (brief / name).is_file()]
    if len(alerts) != 1:
        raise UsageError(
            f"{brief}: {len(alerts)} alerts, it takes one ({NEEDED} or {SCHEDULED});"
            " let `autoinvestor review --to` write it"
        )
    alert = _read(alerts[0], Alert)
    portfolio = _read(brief / PORTFOLIO, AccountRecord)
    proposal = hold(alert, portfolio, read_clock(options.now).now())
    file = write_file(options.to / PROPOSAL, write_document(proposal))
    return summarized(os.environ, "agent", report_proposed(proposal, file))


def _read(path: Path, model: type[D]) -> D:
    data = read_file(path, "let `autoinvestor review --to` write it")
    try:
        document, problems = judge_tree(read_document(data), schema_of(model), model)
    except DocumentError as error:
        raise DocumentError(f"{path}: {error}") from None
    if document is None:
        raise DocumentError(
            f"{path}: {problems[0].verdict().pointer}: {problems[0].verdict().observed}"
        )
    return document
