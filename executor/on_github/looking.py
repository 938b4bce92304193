"""What `tick` looks at: main, its record, the market's hours and the pull requests that wait.

No broker is asked. Questions to GitHub are few and each is asked once: two lists of pull requests,
the statuses of each open one, and the files of those that were closed without a merge.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from executor.decisions.due import slots_of, strategy_of
from executor.errors import AutoInvestorError, DocumentError, PersonNeeded
from executor.exchange.sessions import NyseSessions, Sessions, sessions_named
from executor.main_state import MainState, PlanOnMain
from executor.model.account import Mode
from executor.model.due import OpenPull, PlanDue, RecordDue, Reviewed, Situation, Slot
from executor.model.expiry import expiry
from executor.model.fields import parse_timestamp
from executor.model.forge import PullRequest
from executor.model.market import Session
from executor.model.plan import PlanStatus
from executor.model.reading import read_document
from executor.model.settings import Settings
from executor.on_github.declining import closed_without_merge
from executor.ports import Book, Forge
from executor.wiring import EXCHANGE_URL, World

REVIEWS_FOLDER: Final = "strategy_reviews"

SESSIONS_BACK: Final = timedelta(days=14)
"""How far back sessions are known: longer than a plan is good for, or a break lasts."""

SESSIONS_AHEAD: Final = timedelta(days=6)

REVIEWS_BACK: Final = timedelta(days=14)
"""How far back reviews are read: a book that was looked at before then has missed what came
since."""

PULLS_MAX: Final = 40
"""Open pull requests whose statuses are looked at, those of our own branches first."""


class Looking:
    """One look at everything, each part for itself: what is broken hides nothing else."""

    def __init__(self, world: World, forge: Forge) -> None:
        """Look at main as it is now."""
        self._world = world
        self._forge = forge
        self.now = world.clock.now()
        self.main = MainState(world.book, world.book.head())
        self.problems: list[AutoInvestorError] = []
        self.notes: list[str] = []
        """What is told, and is no reason for a red run: a file that somebody wrote."""

    @property
    def settings(self) -> Settings:
        """The settings in force.

        Raises:
            UsageError: main never had valid ones.
        """
        return self.main.settings

    def situation(self) -> Situation:
        """Everything that is looked at.

        Raises:
            UsageError: main never had valid settings.
            ForgeUnavailable: GitHub does not list its pull requests.
        """
        sessions = tuple(sessions_around(_hours(self.settings), self.now))
        return Situation(
            now=self.now,
            sessions=sessions,
            plan=self._plan(sessions),
            record=self._record(),
            pulls=tuple(self._pulls()),
            closed_with_plan=self._closed(),
        )

    def _plan(self, sessions: tuple[Session, ...]) -> PlanDue | None:
        main = self.main
        try:
            unfinished = main.unfinished
        except PersonNeeded as error:
            self.problems.append(error)
            unfinished = None
        if unfinished is not None:
            return PlanDue(unfinished.digest, unfinished.added.committed_at, half_executed=True)
        plan = main.plan
        if plan is None:
            return None
        return PlanDue(
            plan.digest,
            plan.added.committed_at,
            readable=plan.plan is not None and plan.status is PlanStatus.PENDING,
            expires_at=self._expiry(plan, sessions),
        )

    def _expiry(self, plan: PlanOnMain, sessions: tuple[Session, ...]) -> datetime | None:
        added = plan.added.committed_at
        if plan.plan is None:
            return None
        if sessions[0].opens > added:
            # It came before everything that is known here, which is longer than a plan is good for.
            return sessions[0].opens
        return expiry(plan.plan, added, sessions, self.settings.execution.sessions_valid)

    def _record(self) -> RecordDue | None:
        try:
            ledger = self.main.ledger
        except PersonNeeded as error:
            self.problems.append(error)
            return None
        if ledger.through is None:
            return None
        outside = self._world.environment.get(EXCHANGE_URL)
        open_orders = ledger.open_orders
        return RecordDue(
            entries_open=sum(one.leg == "entry" for one in open_orders),
            in_motion=bool(open_orders or ledger.lots or ledger.observed),
            alone=self.settings.mode is Mode.SIM and not outside,
        )

    def _pulls(self) -> Iterator[OpenPull]:
        found = self._forge.pull_requests("open")
        here = self._world.environment.get("GITHUB_REPOSITORY") or self.settings.repository
        for pull in sorted(found, key=lambda one: one.head_repository != here)[:PULLS_MAX]:
            try:
                yield OpenPull(pull, self._forge.marks(pull.head))
            except AutoInvestorError as error:
                self.problems.append(error)

    def _closed(self) -> tuple[PullRequest, ...]:
        try:
            head, left = self.main.head, self.problems.append
            return closed_without_merge(self._world, self._forge, head, left)
        except AutoInvestorError as error:
            self.problems.append(error)
            return ()

    # Reviews.

    def books(self) -> tuple[str, ...]:
        """The books that are reviewed on schedule."""
        found = self.settings.strategies.books.items()
        return tuple(sorted(name for name, one in found if one.enabled))

    def slots(self, sessions: tuple[Session, ...]) -> tuple[Slot, ...]:
        """Every slot that is looked at, and the next one; none where no review is scheduled."""
        hours = self.settings.reviews.every_hours
        return slots_of(sessions, timedelta(hours=hours)) if hours else ()

    def reviewed(self, pulls: tuple[OpenPull, ...]) -> tuple[Reviewed, ...]:
        """Reviews of the record, and plans that wait in a pull request."""
        told = [_asked(one.pull) for one in pulls]
        return (*self._written(), *(one for one in told if one is not None))

    def _written(self) -> Iterator[Reviewed]:
        since = self.now - REVIEWS_BACK
        for path, data in _reviews_since(self.main.head, self._world.book, since):
            try:
                tree = read_document(data, of_record=True)
                made = parse_timestamp(str(tree.get("timestamp")))
            except (DocumentError, ValueError):
                self.notes.append(f"{path}: a review that cannot be read; it counts as none")
                continue
            if made > self.now:
                self.notes.append(f"{path}: a review of a time to come; it counts as none")
                continue
            strategy = tree.get("strategy")
            yield Reviewed(self.settings.book_of(str(strategy) if strategy else None), made)


def _asked(pull: PullRequest) -> Reviewed | None:
    strategy = strategy_of(pull)
    return Reviewed(strategy, pull.created_at) if strategy is not None else None


def _reviews_since(head: str, book: Book, since: datetime) -> Iterator[tuple[str, bytes]]:
    """Reviews whose name tells a time after an instant, by the months that it lies in."""
    first = f"review_{since:%Y-%m-%dT%H-%M-%S}"
    months = {f"{since + timedelta(days=days):%Y-%m}" for days in range(REVIEWS_BACK.days + 2)}
    for month in sorted(months):
        for path, data in book.read_folder(f"{REVIEWS_FOLDER}/{month}", head):
            if path.endswith(".json") and path.rsplit("/", 1)[-1] >= first:
                yield path, data


def _hours(settings: Settings) -> Sessions:
    """The market's hours by the calendar alone; sim may be always open."""
    return sessions_named(settings.sim.calendar) if settings.mode is Mode.SIM else NyseSessions()


def sessions_around(hours: Sessions, now: datetime) -> Iterator[Session]:
    """Sessions before, at and after an instant, in order."""
    first, last = hours.day_of(now - SESSIONS_BACK), hours.day_of(now + SESSIONS_AHEAD)
    for one in hours.between(first, last):
        yield Session(one.opens, one.closes)
