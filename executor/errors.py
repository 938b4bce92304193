"""What can go wrong outside our own code, and the exit code that each kind ends with.

A rule that says no is a `Verdict`, never an exception; a mistake of ours is an `assert`.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """How a command ends. A workflow, a shell and a person read the same number."""

    DONE = 0
    """Done, nothing pending, already executed, or not now."""
    REFUSED = 1
    """A plan or an order was refused, or a breach was found."""
    USAGE = 2
    """Unknown flag, missing file, bad settings."""
    BUG = 3
    """Our own mistake."""
    RUN_AGAIN = 4
    """The world did not answer; the same command may be run again."""
    PERSON = 5
    """A person looks first; running again alone does not help."""
    INTERRUPTED = 130
    """Stopped from the keyboard or by the runner."""


class AutoInvestorError(Exception):
    """The root of the tree; its text is one line: what, where: observed, limit; remedy."""

    exit_code: ExitCode = ExitCode.PERSON


class UsageError(AutoInvestorError):
    """The command cannot start as it was given: a flag, a file or the settings are wrong."""

    exit_code = ExitCode.USAGE


class DocumentError(AutoInvestorError):
    """A document cannot be read at all, so nothing in it can be judged."""

    exit_code = ExitCode.REFUSED

    def __init__(self, problem: str, *, line: int | None = None, column: int | None = None) -> None:
        """Say what is wrong and, where known, at which line and column (both from 1)."""
        self.problem = problem
        self.line = line
        self.column = column
        where = f"line {line} column {column}: " if line is not None else ""
        super().__init__(where + problem)


class WorldError(AutoInvestorError):
    """Something outside did not answer, or oddly; nothing was lost and it may run again."""

    exit_code = ExitCode.RUN_AGAIN


class BrokerUnavailable(WorldError):
    """The broker gave no usable answer to a question (never raised for a submission)."""


class BrokerRefused(AutoInvestorError):
    """The broker answered a question with a definite no: a wrong key, a blocked account."""

    exit_code = ExitCode.PERSON


class SwapLost(WorldError):
    """Main moved between reading and committing; the step starts again from what main holds now."""


class BookUnavailable(WorldError):
    """The repository or its remote could not be read or written."""


class ForgeUnavailable(WorldError):
    """GitHub gave no usable answer, or one that lags behind; whether an act happened is unknown."""


class ForgeRefused(AutoInvestorError):
    """GitHub answered with a definite no: a right that is missing, a thing that is not there."""

    exit_code = ExitCode.PERSON

    def __init__(self, what: str, status: int) -> None:
        """Say what was asked and answered, and keep the HTTP status."""
        self.status = status
        super().__init__(what)


class PersonNeeded(AutoInvestorError):
    """The record contradicts itself or the broker; only a person can say which is right."""

    exit_code = ExitCode.PERSON
