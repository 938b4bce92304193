"""Every side effect of the verbs, as a protocol, on one page.

A verb reaches the world through these and nothing else, so a test can stand in for each of them,
stop the program before or after each effect, and run two executors in one thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal, Protocol, TypeVar

from executor.model.activity import Activity
from executor.model.evidence import PathChange
from executor.model.facts import AccountFacts, PositionFacts
from executor.model.forge import (
    Actor,
    ChangedFile,
    Comment,
    Event,
    Issue,
    Mark,
    Proposed,
    PullCommit,
    PullRequest,
    RepositoryFacts,
    Review,
    Signature,
    WorkflowRun,
)
from executor.model.market import Asset, MarketClock, SymbolPrices
from executor.model.order import (
    Cancellation,
    EquityPoint,
    OrderReport,
    OrderRequest,
    Submission,
)

A = TypeVar("A")
B = TypeVar("B")


class Clock(Protocol):
    """Time, and the only way to wait."""

    def now(self) -> datetime:
        """The present instant, in UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class Broker(Protocol):
    """One account at a broker.

    Questions raise `BrokerUnavailable` where there is no usable answer and `BrokerRefused` where
    the answer is a definite no (a wrong key); they never guess. `submit_all` raises neither: what
    happens to an order is its `Submission`.
    """

    def at_once(self, first: Callable[[], A], second: Callable[[], B]) -> tuple[A, B]:
        """Ask two things of this broker at the same time; what each of them gives.

        What is passed asks questions and nothing else, and may ask two things at once itself.
        Where one raises, the other one is waited for; the first one's error is heard first.
        """
        ...

    def market_clock(self, since: datetime) -> MarketClock:
        """The market's hours: open or closed now, and the sessions from the one at `since` on."""
        ...

    def account(self) -> AccountFacts:
        """Cash, equity and the account's gates."""
        ...

    def positions(self) -> tuple[PositionFacts, ...]:
        """Every holding, by symbol."""
        ...

    def open_orders(self) -> tuple[OrderReport, ...]:
        """Every order that may still trade, the oldest first."""
        ...

    def orders_since(self, after: datetime) -> tuple[OrderReport, ...]:
        """Every order submitted after an instant, whatever became of it, the oldest first."""
        ...

    def order(self, client_order_id: str) -> OrderReport | None:
        """One order by our id; None where the broker says that it knows no such order."""
        ...

    def submit_all(self, requests: Sequence[OrderRequest]) -> tuple[Submission, ...]:
        """Send each order once, without a hidden retry; one submission a request, in order."""
        ...

    def cancel_all(self, broker_order_ids: Sequence[str]) -> tuple[Cancellation, ...]:
        """Ask for the end of each order; one answer an order, in order. Raises neither error.

        A cancel is a request only: whether the order ended, and with which fills, is seen by
        looking at it. Asking twice does no harm.
        """
        ...

    def activities(self, after: datetime) -> tuple[Activity, ...]:
        """Every account activity after an instant, fills among them, the oldest first."""
        ...

    def equity_history(self, since: datetime) -> tuple[EquityPoint, ...]:
        """The account's equity at the close of each session since then, the oldest first."""
        ...

    def prices(self, symbols: Sequence[str]) -> Mapping[str, SymbolPrices]:
        """Latest quote and trade; a symbol without either is absent."""
        ...

    def assets(self, symbols: Sequence[str]) -> Mapping[str, Asset | None]:
        """What each symbol is; None where the broker knows no such symbol."""
        ...

    def average_volumes(self, symbols: Sequence[str]) -> Mapping[str, Decimal]:
        """Shares a day, mean of the last 20 daily bars; a symbol without bars is absent."""
        ...


@dataclass(frozen=True, slots=True)
class Change:
    """What one commit does to main."""

    subject: str
    """One line, from our own template: nothing that an agent wrote."""
    writes: Mapping[str, bytes] = field(default_factory=dict)
    """New or changed files by path."""
    deletes: tuple[str, ...] = ()
    """Paths that go."""
    trailers: Mapping[str, str] = field(default_factory=dict)
    """`Plan-Digest`, `Result` and so on."""
    goes_on: bool = False
    """True where the same run commits again soon: a large index of git may wait for that."""


@dataclass(frozen=True, slots=True)
class CommitInfo:
    """One commit on main's first-parent line."""

    commit: str
    parents: tuple[str, ...]
    committed_at: datetime
    subject: str
    trailers: Mapping[str, str]


class Book(Protocol):
    """This repository as the database: main, read at a commit and moved by compare-and-swap."""

    def tidy(self) -> None:
        """Bring along a work tree that a killed run left behind, where there is one.

        Raises:
            UsageError: a path of ours has uncommitted changes.
        """
        ...

    def head(self) -> str:
        """The commit that main is at now, read afresh (from the remote, where there is one)."""
        ...

    def resolve(self, name: str) -> str:
        """The commit that a branch, tag or other name means.

        Raises:
            UsageError: it means none.
        """
        ...

    def bring(self, ref: str) -> str:
        """Fetch a full ref of the remote, such as `refs/pull/7/head`; its commit.

        Raises:
            UsageError: there is no remote, or no such ref.
            BookUnavailable: the remote does not answer.
        """
        ...

    def vouches(self, commit: str) -> bool:
        """True where the executor made a commit of main, as far as this book can tell.

        Raises:
            BookUnavailable: nobody answers who made it.
        """
        ...

    def read(self, path: str, at: str) -> bytes | None:
        """A file at a commit; None where there is none."""
        ...

    def read_folder(self, folder: str, at: str) -> Iterator[tuple[str, bytes]]:
        """Every file under a folder at a commit, by path."""
        ...

    def changed(self, folder: str, before: str, after: str) -> Mapping[str, str]:
        """What differs under a folder between two commits: `A`, `M` or `D` by path, as git says."""
        ...

    def differences(self, before: str, after: str) -> tuple[PathChange, ...]:
        """Every path that differs between two commits, by path, with the mode that it has after."""
        ...

    def fork_point(self, one: str, other: str) -> str:
        """The newest commit that two commits have in common.

        Raises:
            UsageError: they have none.
        """
        ...

    def is_on_line(self, commit: str, at: str) -> bool:
        """True where a commit is on the first-parent line of another one, or is that one."""
        ...

    def last_change(self, path: str, at: str) -> CommitInfo | None:
        """The newest commit on the first-parent line that added, changed or removed a path."""
        ...

    def with_trailer(
        self, key: str, value: str | None, at: str, most: int
    ) -> tuple[CommitInfo, ...]:
        """Commits on the first-parent line that carry a trailer (with that value), newest first."""
        ...

    def commit(self, change: Change, expected: str) -> str:
        """Commit on top of `expected` and move main to it; the new commit.

        A path that a change writes new must not exist; the caller looked.

        Raises:
            SwapLost: main is not at `expected` any more; nothing has changed.
            BookUnavailable: the repository or its remote does not answer. Where the answer of a
                push was lost, the book has looked whether main holds the commit before it raises.
        """
        ...

    def exclusive(self) -> AbstractContextManager[None]:
        """Keep other writers on this machine out while the block runs.

        Raises:
            BookUnavailable: another one is at work; run again.
        """
        ...


class Forge(Protocol):
    """This repository on GitHub: who asked, who judged, who merged; and what we tell people there.

    Questions raise `ForgeUnavailable` where there is no usable answer, and `ForgeRefused` where the
    answer is a definite no. Acts are sent once, without a hidden retry: after `ForgeUnavailable`
    nobody knows whether one happened, so each verb looks before it acts and may be run again.
    """

    def repository(self) -> RepositoryFacts:
        """The repository, and what whoever asks may do in it."""
        ...

    def pull_request(self, number: int) -> PullRequest | None:
        """One pull request; None where there is none of that number."""
        ...

    def pull_requests(
        self, state: Literal["open", "closed"], since: datetime | None = None
    ) -> tuple[PullRequest, ...]:
        """Pull requests into main, the last updated first; `since` leaves older ones out."""
        ...

    def pull_requests_of(self, commit: str) -> tuple[PullRequest, ...]:
        """Pull requests that hold a commit; GitHub may lag behind a merge and know of none yet."""
        ...

    def files(self, number: int) -> tuple[ChangedFile, ...]:
        """What a pull request touches; GitHub lists 3,000 files at most."""
        ...

    def commits(self, number: int) -> tuple[PullCommit, ...]:
        """Its commits, the oldest first; GitHub lists 250 at most."""
        ...

    def reviews(self, number: int) -> tuple[Review, ...]:
        """Its reviews, the oldest first."""
        ...

    def timeline(self, number: int) -> tuple[Event, ...]:
        """What happened to it, the oldest first."""
        ...

    def marks(self, commit: str) -> tuple[Mark, ...]:
        """Every commit status of a commit, the newest first."""
        ...

    def signature(self, commit: str) -> Signature | None:
        """Who made a commit; None where GitHub knows no such commit."""
        ...

    def permission(self, login: str) -> str:
        """What somebody may do here: `admin`, `maintain`, `write`, `triage`, `read` or `none`."""
        ...

    def comments(self, number: int) -> tuple[Comment, ...]:
        """Comments of a pull request or an issue, the oldest first."""
        ...

    def issues(self, label: str) -> tuple[Issue, ...]:
        """Open issues with a label."""
        ...

    def runs(self, workflow: str, since: datetime) -> tuple[WorkflowRun, ...]:
        """Runs of a workflow file, the newest first."""
        ...

    def person(self, number: int) -> Actor | None:
        """The account of that number; None where there is none."""
        ...

    def whoami(self) -> Actor | None:
        """Who acts with our token; None where GitHub does not say (a workflow's own token)."""
        ...

    def mark(self, commit: str, mark: Mark) -> None:
        """Set one commit status."""
        ...

    def say(self, number: int, body: str) -> None:
        """Comment on a pull request or an issue."""
        ...

    def rewrite(self, comment: int, body: str) -> None:
        """Replace what a comment of ours says."""
        ...

    def branch(self, name: str, commit: str) -> None:
        """Make a branch at a commit."""
        ...

    def drop_branch(self, name: str) -> None:
        """Remove a branch."""
        ...

    def commit_on(self, branch: str, change: Change, expected: str) -> str:
        """Commit on top of `expected` and move a branch to it, signed by GitHub; the new commit.

        Raises:
            SwapLost: the branch is not at `expected` any more; nothing has changed.
            ForgeUnavailable: nobody knows whether it was made; look at the branch.
        """
        ...

    def propose(self, proposed: Proposed) -> PullRequest:
        """Open a pull request into main."""
        ...

    def label(self, number: int, labels: Sequence[str]) -> None:
        """Put labels on a pull request or an issue, beside those that it has."""
        ...

    def close(self, number: int) -> None:
        """Close a pull request or an issue."""
        ...

    def open_issue(self, title: str, body: str, labels: Sequence[str]) -> int:
        """Open an issue; its number."""
        ...

    def dispatch(self, workflow: str, inputs: Mapping[str, str]) -> None:
        """Start a workflow file on main."""
        ...


class Progress(Protocol):
    """Who is told how far a verb has come; never asked anything."""

    def say(self, line: str) -> None:
        """One line of progress."""
        ...
