"""Propose: judge what an agent hands over, as data, and open its pull request."""

from __future__ import annotations

import argparse
import base64
import binascii
import gzip
import os
import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from executor.checks import all_rules
from executor.commands.validate import read_file
from executor.console import Console
from executor.decisions.proposals import Proposed, judge_bare_plan, judge_proposal
from executor.decisions.validate import judge
from executor.errors import DocumentError, UsageError
from executor.main_state import MainState
from executor.model.context import Context
from executor.model.digest import plan_digest
from executor.model.facts import Facts, Moment
from executor.model.reading import SIZE_LIMIT, read_document
from executor.model.settings import Settings
from executor.model.verdict import Answer, Verdict
from executor.on_github.pull_opening import propose, pulls_link
from executor.on_github.pulling import forge_of
from executor.repo.schema_files import load_schema
from executor.reports.proposed import handed_over, refused, refused_by, summary
from executor.reports.reply import Reply
from executor.wiring import World, open_world

NAME: Final = "proposal.json"
"""What an agent's artifact holds."""

PACKED: Final = "AUTOINVESTOR_PROPOSAL"
"""The environment's variable in which the workflow hands a packed proposal over: no shell reads it,
and no command line shows it."""

WORKFLOW: Final = "propose.yml"

ACTOR: Final = "GITHUB_ACTOR"
"""Names who started the run, in each of GitHub's jobs."""

SUMMARY: Final = "GITHUB_STEP_SUMMARY"
"""Names the file that becomes the job's summary."""

INPUTS_MAX: Final = 65_535
"""Characters of all inputs of a dispatch (GitHub docs, "workflow_dispatch")."""

BESIDE: Final = 35
"""Characters that the other inputs take."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this verb."""
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--artifact", type=Path, metavar="PATH", help=f"a {NAME}, or the folder that holds one"
    )
    source.add_argument("--file", type=Path, metavar="F", help="a plan without a review")
    source.add_argument(
        "--packed", action="store_true", help=f"what --remote sent, in the variable {PACKED}"
    )
    parser.add_argument(
        "--remote", action="store_true", help="hand it over, for the bot on GitHub to open"
    )
    parser.add_argument("--now", metavar="TIME", help="take this as the present; sim only")


def run(options: argparse.Namespace, console: Console) -> Reply:
    """Run the verb on this machine."""
    if options.packed and options.remote:
        raise UsageError("--packed: was handed over already; leave out --remote")
    with open_world(options.repo, options.now) as world:
        data, is_plan = _handed(options, world.environment)
        handed_by = _handed_by(world.environment) if options.packed else None
        reply = propose_data(
            world, console, data, is_plan=is_plan, remote=options.remote, handed_by=handed_by
        )
        path = world.environment.get(SUMMARY)
        if path:
            with Path(path).open("a", encoding="utf-8") as file:
                file.write(summary(reply))
        return reply


def _handed_by(environment: Mapping[str, str]) -> str | None:
    """Login of the person whose dispatch this is; a bot's, or what is no login, is left out."""
    login = environment.get(ACTOR) or ""
    return login if re.fullmatch("[A-Za-z0-9][A-Za-z0-9_-]{0,99}", login) else None


def propose_data(
    world: World,
    console: Console,
    data: bytes,
    *,
    is_plan: bool,
    remote: bool,
    handed_by: str | None = None,
) -> Reply:
    """Judge bytes that nobody trusts, and bring them to GitHub where nothing stands against them.

    Args:
        world: the ports.
        console: told what takes its time.
        data: what was handed over.
        is_plan: whether it is a bare plan.
        remote: whether the bot on GitHub is to open it.
        handed_by: login of the person who handed it over from a laptop.

    Raises:
        DocumentError: they are no document.
        UsageError: GitHub cannot be asked, or the proposal is too large to be handed over.
    """
    try:
        tree = read_document(data)
    except DocumentError as error:
        raise DocumentError(f"the proposal: {error}") from None
    settings = MainState(world.book, world.book.head()).settings
    schemas = {name: load_schema(name) for name in ("proposal", "trading_instructions")}
    judged = judge_bare_plan if is_plan else judge_proposal
    asked, problems = judged(tree, schemas, settings, world.clock.now())
    if asked is None:
        return refused(problems)
    verdicts = _judge(world, asked, settings)
    if any(one.answer is Answer.NO for one in verdicts):
        return refused_by(verdicts)
    if remote:
        packed = pack(data, is_plan=is_plan)
        forge = forge_of(world)
        forge.dispatch(WORKFLOW, {"what": "propose", "proposal": packed})
        return handed_over(len(packed), pulls_link(world, forge))
    return propose(world, console, asked, handed_by)


def _judge(world: World, asked: Proposed, settings: Settings) -> tuple[Verdict, ...]:
    """What the plan alone says; the validator asks again, with the account."""
    if asked.plan is None or asked.plan_tree is None:
        return ()
    facts = Facts(
        now=world.clock.now(),
        moment=Moment.FILE,
        mode=settings.mode,
        plan_digest=plan_digest(asked.plan_tree),
    )
    return judge(Context(asked.plan, settings, facts), all_rules()).verdicts


def _handed(options: argparse.Namespace, environment: Mapping[str, str]) -> tuple[bytes, bool]:
    """The bytes that were handed over, and whether they are a bare plan."""
    if options.packed:
        text = environment.get(PACKED) or ""
        if not text:
            raise UsageError(f"--packed: {PACKED} is empty; `propose --remote` fills it")
        return unpack(text)
    path: Path = options.file or options.artifact
    if options.artifact and path.is_dir():
        path = path / NAME
    if options.artifact and path.is_symlink():
        # An artifact is an agent's: a link in it would have us read what it names.
        raise UsageError(f"{path}: a link; an artifact holds the proposal itself")
    data = read_file(path, "name a proposal that can be read")
    return data, options.file is not None


def pack(data: bytes, *, is_plan: bool) -> str:
    """A proposal as one input of a dispatch.

    Raises:
        UsageError: it is larger than GitHub takes.
    """
    kind = b"plan " if is_plan else b"proposal "
    text = base64.b64encode(gzip.compress(kind + data, mtime=0)).decode()
    most = INPUTS_MAX - BESIDE
    if len(text) > most:
        raise UsageError(
            f"the proposal takes {len(text):,} characters when packed, at most {most:,} can be"
            " handed over; shorten its texts or split the plan"
        )
    return text


def unpack(text: str) -> tuple[bytes, bool]:
    """The proposal of such an input, and whether it is a bare plan; JSON as it is counts as well.

    Raises:
        DocumentError: it is neither, or larger than a document may be.
    """
    if text.lstrip().startswith("{"):
        return os.fsencode(text), False
    try:
        stream = zlib.decompressobj(wbits=31)
        # No further than a document may be long: a small input may hold a very large one.
        whole = stream.decompress(base64.b64decode(text, validate=True), SIZE_LIMIT + 16)
    except (binascii.Error, ValueError, zlib.error):
        raise DocumentError(f"{PACKED}: not what `propose --remote` sends; send it again") from None
    kind, _, data = whole.partition(b" ")
    if kind not in (b"plan", b"proposal"):
        raise DocumentError(f"{PACKED}: not what `propose --remote` sends; send it again")
    return data, kind == b"plan"
