"""`autoinvestor validate`: judge a plan, or the form of any other document."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from executor.console import Console
from executor.errors import DocumentError, ExitCode, UsageError
from executor.model.reading import SIZE_LIMIT, Tree, read_document
from executor.reports.reply import Reply

if TYPE_CHECKING:
    from executor.model.settings import Settings
    from executor.model.verdict import Verdict

PLAN: Final = "trading_instructions"

DOCUMENTS: Final = (
    PLAN,
    "execution_result",
    "strategy_review",
    "alert",
    "proposal",
    "account",
    "trading_state",
)
"""What a file may be; the settings are judged by every command that reads them."""

ELSEWHERE: Final = "needs the account or the record, which a bare file has not"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--file", type=Path, metavar="F", help="a file; neither git nor an account is asked"
    )
    what.add_argument(
        "--ref",
        default="HEAD",
        metavar="REF",
        help="the plan at a branch or commit, with the account (default: HEAD)",
    )
    what.add_argument(
        "--pull-request",
        type=_number,
        metavar="N",
        help="a pull request on GitHub: what it touches, and its plan with the account",
    )
    parser.add_argument(
        "--post",
        action="store_true",
        help="with --pull-request: set its three statuses and keep its comment",
    )
    parser.add_argument(
        "--document",
        choices=DOCUMENTS,
        default=PLAN,
        metavar="NAME",
        help=f"what the file is: {', '.join(DOCUMENTS)} (default: {PLAN})",
    )
    parser.add_argument(
        "--now",
        type=_instant,
        metavar="TIME",
        help="judge as of this instant, such as 2026-01-14T15:00:00Z; files and sim only",
    )


def run(options: argparse.Namespace, _console: Console) -> Reply:
    """Judge what the options name."""
    if options.post and options.pull_request is None:
        raise UsageError("--post: goes with --pull-request; name one")
    if options.pull_request is not None and options.document == PLAN:
        return validate_pull_request(options.repo, options.pull_request, options.post, options.now)
    if options.file is None:
        if options.document != PLAN:
            raise UsageError(f"--document {options.document}: goes with --file; name one")
        return validate_commit(options.repo, options.ref, options.now)
    if options.document == PLAN:
        return validate_plan_file(options.file, options.repo, options.now or datetime.now(UTC))
    return validate_document_file(options.file, options.document)


def validate_commit(repository: Path, name: str, now: datetime | None) -> Reply:
    """Judge the plan at a commit with the account as it is, under main's settings.

    Raises:
        UsageError: no repository, no such commit, or no plan there.
        AutoInvestorError: the broker or the repository did not answer.
    """
    from executor.judge_commit import judge_commit
    from executor.model.fields import timestamp_text
    from executor.wiring import open_world

    with open_world(repository, timestamp_text(now) if now else None) as world:
        return judge_commit(world, name, world.book.resolve(name))


def validate_pull_request(repository: Path, number: int, post: bool, now: datetime | None) -> Reply:
    """Judge an open pull request by main's code; with `post`, tell it there.

    Raises:
        UsageError: no access to GitHub, or no such pull request.
        AutoInvestorError: GitHub or the repository did not answer.
    """
    from executor.model.fields import timestamp_text
    from executor.on_github.judge_pull import judge_pull
    from executor.wiring import open_world

    with open_world(repository, timestamp_text(now) if now else None) as world:
        return judge_pull(world, number, post=post)


def validate_plan_file(path: Path, repository: Path, now: datetime) -> Reply:
    """Judge a plan without git and without an account, under the settings of a folder.

    Raises:
        UsageError: the file or the settings cannot be opened, or the settings are wrong.
        DocumentError: the file is no document.
    """
    from executor.checks import all_rules
    from executor.decisions.gates import judge_tree
    from executor.decisions.validate import judge
    from executor.model.context import Context
    from executor.model.digest import plan_digest
    from executor.model.facts import Facts, Moment
    from executor.model.plan import TradingInstructionSet
    from executor.repo.schema_files import load_schema

    settings = _settings(repository)
    tree = _read_tree(path)
    plan, problems = judge_tree(tree, load_schema(PLAN), TradingInstructionSet)
    if plan is None:
        return _outcome(path, PLAN, [problem.verdict() for problem in problems])
    digest = plan_digest(tree)
    facts = Facts(now=now, moment=Moment.FILE, mode=settings.mode, plan_digest=digest)
    judgment = judge(Context(plan, settings, facts), all_rules())
    return _outcome(path, PLAN, judgment.verdicts, digest=digest)


def validate_document_file(path: Path, document: str) -> Reply:
    """Judge the form of a document that is no plan; of a proposal, its plan's form as well.

    Raises:
        UsageError: the file cannot be opened.
        DocumentError: the file is no document.
    """
    from executor.decisions.gates import judge_tree
    from executor.decisions.schemas import MODELS
    from executor.model.verdict import Answer, Verdict
    from executor.repo.schema_files import load_schema

    tree = _read_tree(path)
    _, problems = judge_tree(tree, load_schema(document), MODELS[document])
    verdicts = [problem.verdict() for problem in problems]
    if document == "proposal" and isinstance(tree.get("plan"), dict):
        _, inner = judge_tree(tree["plan"], load_schema(PLAN), MODELS[PLAN])
        verdicts += [problem.under("plan").verdict() for problem in inner]
    return _outcome(path, document, verdicts or [Verdict(check="document", answer=Answer.YES)])


def read_file(path: Path, remedy: str, limit: int = SIZE_LIMIT) -> bytes:
    """Read a file, or a pipe to its end, but no more than one byte over the limit.

    Raises:
        UsageError: there is no such file, or it cannot be opened or read.
    """
    try:
        # Without O_NONBLOCK a named pipe that nobody writes to would hold the command for ever.
        with open(
            path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)
        ) as file:
            os.set_blocking(file.fileno(), True)
            return file.read(limit + 1)
    except IsADirectoryError:
        raise UsageError(f"{path}: a folder; {remedy}") from None
    except FileNotFoundError:
        raise UsageError(f"{path}: no such file; {remedy}") from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(f"{path}: cannot be read: {reason}; {remedy}") from None


def _read_tree(path: Path) -> Tree:
    data = read_file(path, "name a file that can be read")
    try:
        return read_document(data)
    except DocumentError as error:
        raise DocumentError(f"{path}: {error}") from None


def _settings(repository: Path) -> Settings:
    from executor.model.settings import SETTINGS_PATH
    from executor.settings import parse_settings

    path = repository / SETTINGS_PATH
    data = read_file(path, "run in the repository, or name its folder with --repo")
    return parse_settings(data, str(path))


def _outcome(
    path: Path, document: str, verdicts: Sequence[Verdict], *, digest: str | None = None
) -> Reply:
    from executor.model.verdict import Answer
    from executor.reports.verdicts import verdict_report

    given = {verdict.answer for verdict in verdicts}
    answer = next((one for one in (Answer.NO, Answer.NOT_NOW) if one in given), Answer.YES)
    data: dict[str, Any] = {
        "file": str(path),
        "document": document,
        "digest": digest,
        "answer": answer.value,
        "verdicts": [verdict.model_dump(mode="json") for verdict in verdicts],
    }
    return Reply(
        ExitCode.REFUSED if answer is Answer.NO else ExitCode.DONE,
        data,
        verdict_report(str(path), verdicts, ELSEWHERE),
    )


def _instant(text: str) -> datetime:
    from executor.model.fields import parse_timestamp

    try:
        return parse_timestamp(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is {error}") from None


def _number(text: str) -> int:
    # Python reads the digits of every script, and GitHub's paths none but ours.
    if not re.fullmatch("[1-9][0-9]{0,11}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of a pull request")
    return int(text)
