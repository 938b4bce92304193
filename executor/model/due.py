"""What `tick` looks at: hours, plan, record and pull requests at one moment, and what it starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from executor.model.forge import Mark, PullRequest
from executor.model.market import Session

REVIEW: Final = "review.yml"
VALIDATE: Final = "validate.yml"
EXECUTE: Final = "execute.yml"
SETTLE: Final = "settle.yml"
DOCTOR: Final = "doctor.yml"


@dataclass(frozen=True, slots=True)
class Slot:
    """One scheduled review of the market's hours; whatever runs late, a slot is served once."""

    at: datetime
    counts_from: datetime
    """From when on a review serves this slot: half an interval before it, in its own session."""

    @property
    def name(self) -> str:
        """`2026-01-14T14:30Z`."""
        return f"{self.at:%Y-%m-%dT%H:%MZ}"


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A review that was made, or a plan that a pull request asks for."""

    strategy: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PlanDue:
    """The plan on main, or the one that an earlier run left half executed."""

    digest: str
    added_at: datetime
    half_executed: bool = False
    readable: bool = True
    """False for one that cannot be read, or that claims to be validated."""
    expires_at: datetime | None = None
    """None where the sessions that are known do not tell."""


@dataclass(frozen=True, slots=True)
class RecordDue:
    """What the record says is in motion."""

    entries_open: int = 0
    """Orders of plans that may still trade, or whose fate nobody knows."""
    in_motion: bool = False
    """True where any order is open, a holding is to be protected, or something is unexplained."""
    alone: bool = False
    """True where nobody but us can trade: the exchange lives in our own process."""


@dataclass(frozen=True, slots=True)
class OpenPull:
    """A pull request that waits, with the statuses of its head."""

    pull: PullRequest
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything that is looked at, at one moment."""

    now: datetime
    sessions: tuple[Session, ...]
    """In order: past ones, the running one where there is one, and the next."""
    plan: PlanDue | None = None
    record: RecordDue | None = None
    """None where no result has begun a ledger, or the record cannot be read."""
    pulls: tuple[OpenPull, ...] = ()
    closed_with_plan: tuple[PullRequest, ...] = ()
    """Pull requests that were closed without a merge, carried a plan and are not archived."""

    @property
    def session(self) -> Session | None:
        """The session that runs now; None while closed."""
        return next((one for one in self.sessions if one.opens <= self.now < one.closes), None)

    @property
    def last_close(self) -> datetime | None:
        """When the last session closed."""
        return max((one.closes for one in self.sessions if one.closes <= self.now), default=None)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A run of a workflow that is due."""

    workflow: str
    title: str
    """The run's `run-name`, by which it is recognized."""
    why: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    like: tuple[str, ...] = ()
    """Other run-names that do the same."""
    unless_since: datetime | None = None
    """A run that ended well since then has done it; None: only one that is under way counts."""
    any_end: bool = False
    """True where a run since then counts however it ended."""


@dataclass(frozen=True, slots=True)
class Held:
    """A run that is due and is not started."""

    wanted: Wanted
    why: str
