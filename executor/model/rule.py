"""What a check is: an id, the facts it needs, whether it judges exits, and a pure function."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from executor.model.context import Context, Line
from executor.model.facts import Moment
from executor.model.verdict import Answer, Verdict

Need = Literal[
    "account",
    "positions",
    "open_orders",
    "prices",
    "assets",
    "average_volumes",
    "market_clock",
    "record",
    "trading_state",
]
"""A field of `Facts` without which the check cannot answer."""

EVERY_MOMENT = frozenset(Moment)
WITH_ACCOUNT = frozenset({Moment.PULL_REQUEST, Moment.EXECUTION, Moment.REPLAY})


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check has to say; a check that has nothing to say means yes."""

    answer: Answer
    line: Line | int | None
    """The line (or the index of the instruction) that it is about; None: the whole plan."""
    observed: str
    limit: str
    remedy: str
    key: str | None = None
    """The key of the instruction, where one is to blame."""

    def verdict(self, check: str) -> Verdict:
        """Stamp the finding with the check's id."""
        index = self.line.index if isinstance(self.line, Line) else self.line
        pointer = None if index is None else f"/instructions/{index}"
        if self.key is not None:
            pointer = f"{pointer or ''}/{self.key}"
        is_warning = self.answer is Answer.YES
        return Verdict(
            check=check,
            answer=self.answer,
            warning=self.observed[:2_000] if is_warning else None,
            pointer=pointer,
            observed=None if is_warning else self.observed[:2_000],
            limit=self.limit[:2_000] or None,
            remedy=self.remedy[:2_000] or None,
        )


def no(
    line: Line | int | None, *, observed: str, limit: str, remedy: str, key: str | None = None
) -> Finding:
    """A fact proves the breach."""
    return Finding(Answer.NO, line, observed, limit, remedy, key)


def not_now(
    line: Line | int | None, *, observed: str, limit: str = "", remedy: str, key: str | None = None
) -> Finding:
    """A fact is missing or stale, or the hour is wrong."""
    return Finding(Answer.NOT_NOW, line, observed, limit, remedy, key)


def warn(
    line: Line | int | None,
    *,
    observed: str,
    limit: str = "",
    remedy: str = "",
    key: str | None = None,
) -> Finding:
    """Nothing stands against it, but the reviewer should see this."""
    return Finding(Answer.YES, line, observed, limit, remedy, key)


@dataclass(frozen=True, slots=True)
class Rule:
    """One pre-trade check."""

    id: str
    """Its name: the file's, and the one in every verdict."""
    judge: Callable[[Context], Iterable[Finding]]
    """The rule itself; pure."""
    needs: frozenset[Need] = frozenset()
    """Facts without which the answer is not now (for a bare file: not judged here)."""
    judges_exits: bool = False
    """True: it may deny a line that only reduces a position, or the whole plan."""
    moments: frozenset[Moment] = WITH_ACCOUNT
    """When it runs; at any other moment the answer is not judged here."""
