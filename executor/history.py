"""The record on main at one commit: its checkpoint, and the results that came after that.

What a run costs does not grow with the record: it reads the checkpoint and what is newer, and asks
for single results by their path. The whole chain is read where there is no checkpoint to believe.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Final

from pydantic import ValidationError

from executor.decisions.auditing import REWRITTEN, flaw
from executor.decisions.chain import Chain, Link, order
from executor.decisions.checkpoint import ledger_of
from executor.decisions.ledger import fold
from executor.decisions.notes import DECLINED, SUPERSEDED, SUPERSEDES, WITHDRAWN
from executor.decisions.record_facts import executed_as
from executor.decisions.results import alternatives, archive_name
from executor.errors import DocumentError, PersonNeeded
from executor.model.account import ACCOUNT_PATH, Mode
from executor.model.checkpoint import Checkpoint
from executor.model.digest import digest, plan_digest, raw_digest
from executor.model.fields import parse_timestamp
from executor.model.ledger import SENT, Ledger
from executor.model.reading import read_document
from executor.model.result import ExecutionResult
from executor.ports import Book, CommitInfo

RESULTS_FOLDER: Final = "execution_results"
HISTORY_FOLDER: Final = "trading_instructions_history"

STEP, PLAN_DIGEST, OWNER, RESULT, SETTLES = "Step", "Plan-Digest", "Owner", "Result", "Settles"
"""Trailers of our commits; a settlement names its plan by `Settles`, for it is no step of it."""

COMMITS_MAX: Final = 1_000
"""Commits about one plan that are looked at: a document may come back, but not for ever."""

Told = tuple[str, ExecutionResult]


@dataclass(frozen=True, slots=True)
class Tip:
    """The newest result of all modes: the next one names it."""

    path: str
    digest: str


class History:
    """The results on main, each question answered by reading as little as it needs."""

    def __init__(self, book: Book, head: str) -> None:
        """Read at a commit."""
        self._book = book
        self._head = head

    @cached_property
    def chain(self) -> Chain:
        """Every result, in the order of the chain.

        Raises:
            PersonNeeded: a result cannot be read, or the chain does not hold.
        """
        files = self._book.read_folder(RESULTS_FOLDER, self._head)
        return _whole(order(_link(path, data) for path, data in files if is_result(path)))

    @cached_property
    def tip(self) -> Tip | None:
        """The end of the chain; None where there is no result.

        Raises:
            PersonNeeded: as `chain`.
        """
        if self._known is None:
            links = self.chain.links
        else:
            checkpoint, links = self._known
            if not links:
                return Tip(checkpoint.through, checkpoint.through_digest)
        return Tip(links[-1].path, links[-1].digest) if links else None

    def ledger(self, mode: Mode, account: str | None) -> Ledger:
        """The fold of the results of one mode and account (`…1234`; None: every account)."""
        if self._known is not None:
            checkpoint, links = self._known
            if checkpoint.mode is mode and checkpoint.of_account == account:
                start = _read_checkpoint(self._book.read(ACCOUNT_PATH, self._head) or b"")[1]
                return fold(_told(links), mode, account, start)
        return fold(_told(self.chain.links), mode, account)

    def account_told(self, mode: Mode, account: str | None) -> Checkpoint | None:
        """The account as it was told last; None where no checkpoint of this ledger is believed."""
        if self._known is None:
            return None
        checkpoint, _ = self._known
        fits = checkpoint.mode is mode and checkpoint.of_account == account
        return checkpoint if fits else None

    @cached_property
    def _known(self) -> tuple[Checkpoint, tuple[Link, ...]] | None:
        """The checkpoint, and the results since; None where all results have to be read."""
        found = self._believed()
        if found is None:
            return None
        checkpoint, commit = found
        links = self._added_since(commit)
        if links is None:
            return None
        return checkpoint, _whole(order(links, checkpoint.through_digest)).links

    def _believed(self) -> tuple[Checkpoint, str] | None:
        """Believe a checkpoint only from the executor: written in the commit that added its result.

        Its numbers are not looked at: `audit` computes them again.
        """
        data = self._book.read(ACCOUNT_PATH, self._head)
        checkpoint = _read_checkpoint(data or b"")[0]
        if checkpoint is None:
            return None
        commit = self._book.last_change(ACCOUNT_PATH, self._head)
        if commit is None or commit.trailers.get(RESULT) != checkpoint.through:
            return None
        before = commit.parents[0] if commit.parents else None
        if before is not None and self._book.read(checkpoint.through, before) is not None:
            return None
        result = self._book.read(checkpoint.through, self._head)
        try:
            is_it = result is not None and _link(checkpoint.through, result).digest
        except PersonNeeded:
            return None
        return (checkpoint, commit.commit) if is_it == checkpoint.through_digest else None

    def _added_since(self, commit: str) -> tuple[Link, ...] | None:
        """The results that were added after a commit; None where any was changed or removed."""
        changed = self._book.changed(RESULTS_FOLDER, commit, self._head)
        paths = {path: kind for path, kind in changed.items() if is_result(path)}
        if any(kind != "A" for kind in paths.values()):
            return None
        return tuple(self._link_at(path) for path in sorted(paths))

    def added_since(self, commit: str) -> tuple[Told, ...]:
        """The results that were added after a commit, by path.

        Raises:
            PersonNeeded: one of them cannot be read.
        """
        changed = self._book.changed(RESULTS_FOLDER, commit, self._head)
        paths = sorted(path for path, kind in changed.items() if kind == "A" and is_result(path))
        return tuple((path, self._link_at(path).result) for path in paths)

    def _link_at(self, path: str) -> Link:
        data = self._book.read(path, self._head)
        if data is None:
            raise PersonNeeded(f"{path}: not on main; see `autoinvestor audit`")
        return _link(path, data)

    def result(self, path: str) -> ExecutionResult:
        """One result of the record.

        Raises:
            PersonNeeded: it is not there, or cannot be read.
        """
        return self._link_at(path).result

    # Single executions.

    def executions(self, since: datetime | None = None) -> Iterator[Told]:
        """Executions from the newest back to an instant, by the commits that brought them."""
        seen, most = 0, 16
        while True:
            commits = self._book.with_trailer(STEP, None, self._head, most)
            for commit in commits[seen:]:
                told = self.told_by(commit)
                if told is not None and since is not None and told[1].timestamp < since:
                    return
                if told is not None:
                    yield told
            if len(commits) < most:
                return
            seen, most = len(commits), most * 8

    def told_by(self, commit: CommitInfo) -> Told | None:
        """The execution that a commit of ours wrote down; None where it wrote none.

        Its trailers alone say nothing: the result has to be there, to be of the same plan, and to
        have come with this commit.
        """
        path = commit.trailers.get(RESULT)
        if path is None or not is_result(path):
            return None
        before = commit.parents[0] if commit.parents else None
        if before is not None and self._book.read(path, before) is not None:
            return None
        if self._book.read(path, self._head) is None:
            return None
        result = self.result(path)
        of_it = result.plan_digest == commit.trailers.get(PLAN_DIGEST)
        return (path, result) if of_it and result.kind == "execution" else None

    def execution_of(self, digest: str, stamp: datetime | None) -> Told | None:
        """The execution of a plan that completed, or had an order sent; None where none did.

        Args:
            digest: the plan's.
            stamp: its own timestamp, by which it was archived; None for a plan without one, which
                is looked for in all of main's commits.
        """
        ended: list[Told] = []
        commits = self._archiving(digest, stamp) if stamp else self._naming(digest)
        for path, commit in commits:
            told = self.told_by(commit)
            if told is not None and (path is None or told[1].archived_as == path):
                ended.append(told)
            elif path is not None and not _is_set_aside(commit, path):
                # Not by a commit of ours: the results themselves have to say.
                ended += [one for one in self._results if one[1].plan_digest == digest]
        for one in ended:
            if executed_as([one], digest) is not None:
                return one
        return self._sent_late(digest, ended) if ended else None

    def counting(self, told: Told) -> Told | None:
        """The execution of the same plan that completed or had an order sent, where there is one.

        A plan that came back was set aside: an earlier execution counts.
        """
        path, result = told
        if executed_as([told], result.plan_digest or "") is not None:
            return told
        archived = self._book.read(result.archived_as or path, self._head)
        stamp = timestamp_of(archived) if archived is not None else None
        return self.execution_of(result.plan_digest or "", stamp)

    @property
    def _results(self) -> tuple[Told, ...]:
        return _told(self.chain.links)

    def _archiving(self, digest: str, stamp: datetime) -> Iterator[tuple[str | None, CommitInfo]]:
        """Where a plan was archived, and by which commits."""
        for path in alternatives(archive_name(stamp), digest):
            data = self._book.read(path, self._head)
            if data is None:
                return
            commit = self._book.last_change(path, self._head)
            if commit is not None and _plan_digest(data) == digest:
                yield path, commit

    def _naming(self, digest: str) -> Iterator[tuple[str | None, CommitInfo]]:
        for commit in self._book.with_trailer(PLAN_DIGEST, digest, self._head, COMMITS_MAX):
            yield None, commit

    def _sent_late(self, digest: str, ended: list[Told]) -> Told | None:
        """A run that lost a race had sent what the plan's end says was not: a settlement tells."""
        for commit in self._book.with_trailer(SETTLES, digest, self._head, COMMITS_MAX):
            path = commit.trailers.get(RESULT, "")
            data = self._book.read(path, self._head) if is_result(path) else None
            told = _link(path, data).result.instructions if data is not None else ()
            if any(one.outcome in SENT for one in told):
                return ended[0]
        return None


def _is_set_aside(commit: CommitInfo, path: str) -> bool:
    """True for a commit that archived a plan which was never executed."""
    is_step = commit.trailers.get(STEP) in (WITHDRAWN, SUPERSEDED, DECLINED)
    return is_step or commit.trailers.get(SUPERSEDES) == path


def is_result(path: str) -> bool:
    """True for where a result lies; anybody may name a path in a commit's message."""
    in_folder = path.startswith(f"{RESULTS_FOLDER}/") and path.endswith(".json")
    return in_folder and path not in REWRITTEN


def _told(links: tuple[Link, ...]) -> tuple[Told, ...]:
    return tuple((link.path, link.result) for link in links)


def _whole(chain: Chain) -> Chain:
    if chain.breaches:
        raise PersonNeeded(
            f"the chain of results is broken: {chain.breaches[0]}; see `autoinvestor audit`"
        )
    return chain


# A run reads main several times, and most of it is as it was. What bytes mean never changes.


@lru_cache(maxsize=5_000)
def _link(path: str, data: bytes) -> Link:
    try:
        tree = read_document(data, of_record=True)
        result = ExecutionResult.model_validate(tree)
        if (problem := flaw(result)) is not None:
            raise DocumentError(problem)
    except (DocumentError, ValidationError):
        raise PersonNeeded(
            f"{path}: a result that cannot be read; see `autoinvestor audit`"
        ) from None
    return Link(path, digest(tree), result)


@lru_cache(maxsize=4)
def _read_checkpoint(data: bytes) -> tuple[Checkpoint | None, Ledger]:
    try:
        found = Checkpoint.model_validate(read_document(data, of_record=True))
    except (DocumentError, ValidationError):
        return None, Ledger()
    return found, ledger_of(found)


def timestamp_of(data: bytes) -> datetime | None:
    """A plan's own timestamp; None where it has none, or one that cannot be read."""
    try:
        return parse_timestamp(str(read_document(data, of_record=True).get("timestamp")))
    except (DocumentError, ValueError):
        return None


def _plan_digest(data: bytes) -> str:
    try:
        return plan_digest(read_document(data, of_record=True))
    except DocumentError:
        return raw_digest(data)
