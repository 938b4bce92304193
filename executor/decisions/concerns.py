"""What only a person can look at, one concern a cause, as far as a run could judge it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from executor.model.ledger import Ledger
from executor.model.numbers import plain
from executor.model.order_result import Outcome, Protection
from executor.model.result import Observed
from executor.model.words import shares

LABEL: Final = "needs-person"
"""Label of the issues; only who may sort issues here can put it on one."""

LINES_MAX: Final = 30
"""What is listed of one cause."""

ON_SALE: Final = "an order of a plan sells them"
"""The reason for which approved orders leave shares without their stop (`decisions.protection`)."""

# At the very end only: what stands before it may be somebody else's words.
_MARKER: Final = re.compile(r"<!-- autoinvestor:cause ([a-z-]{1,40}) ([0-9a-f]{8}) -->\s*\Z")


@dataclass(frozen=True, slots=True)
class Concern:
    """Something that only a person can bring to an end."""

    cause: str
    """By which it is known again: `unknown`, `unprotected`, `foreign`, `stopped-execute` …"""
    title: str
    lines: tuple[str, ...]
    """What it is about, in words that others may have written."""
    remedy: str
    """What to do; Markdown of ours."""

    @property
    def digest(self) -> str:
        """Eight digits that change with what it is about."""
        return hashlib.sha256("\n".join(self.lines).encode()).hexdigest()[:8]

    @property
    def marker(self) -> str:
        """What its issue and comments carry, unseen."""
        return f"<!-- autoinvestor:cause {self.cause} {self.digest} -->"


def marked(body: str) -> tuple[str, str] | None:
    """Cause and digest that a text of ours carries; None where it carries none."""
    found = _MARKER.search(body)
    return (found[1], found[2]) if found else None


def without_stop(one: Protection) -> str:
    """One holding that has no stop now, in a sentence; of an alarm just the alarm's own words."""
    price = plain(one.stop_price) if one.stop_price is not None else ""
    if one.reason == ON_SALE:
        where = f" at {price}" if price else ""
        return (
            f"{one.symbol} ({shares(one.quantity)}) is without its stop{where} while the SELL"
            " rests; if it does not fill, settle puts the stop back"
        )
    where = f" at {price} USD" if price else ""
    return f"{one.symbol}: {plain(one.quantity)} shares without their stop{where}: {one.reason}"


def resting(stands: Iterable[Protection]) -> tuple[str, ...]:
    """The holdings that an approved SELL leaves without their stop, a sentence each."""
    return tuple(dict.fromkeys(without_stop(one) for one in stands if one.reason == ON_SALE))


def lacking(alarms: Iterable[str], stands: Iterable[Protection]) -> tuple[str, ...]:
    """Everything that has no stop now, whether or not that was approved, and new or not.

    Args:
        alarms: shares that should have one, and that no waiting cures.
        stands: how each holding that asked for a stop stands.
    """
    bare = (without_stop(one) for one in stands if one.state == "unprotected")
    return tuple(dict.fromkeys((*alarms, *bare)))


Judged = Mapping[str, Concern | None]
"""By cause: the concern, or None where it is over. What could not be judged is absent."""


def concerns(
    verb: str,
    ledger: Ledger | None,
    *,
    unprotected: Sequence[str] | None,
    stopped: Sequence[str] = (),
) -> Judged:
    """Everything that a person must look at after a run.

    Args:
        verb: the command that ran.
        ledger: the record afterwards; None where it cannot be read.
        unprotected: shares that have no stop now, by `lacking`; None where the run did not look.
        stopped: why it ended with a person's turn beside these; empty where it did not.
    """
    found: dict[str, Concern | None] = {}
    if ledger is not None:
        found["unknown"] = _unknown(ledger)
        found["foreign"] = _foreign(ledger.observed.values())
    if unprotected is not None:
        found["unprotected"] = _unprotected(unprotected)
    cause = f"stopped-{verb}"
    found[cause] = _stopped(cause, verb, stopped)
    return found


def _unknown(ledger: Ledger) -> Concern | None:
    keys = sorted(key for key, one in ledger.orders.items() if one.told.outcome is Outcome.UNKNOWN)
    if not keys:
        return None
    lines = tuple(f"{ledger.orders[key].told.ticker}: {key}" for key in keys)
    remedy = (
        "Look for each order at the broker, by its id. New risk waits until every one of them is"
        " found; exits in other symbols go on."
    )
    return Concern(
        "unknown", "Orders were sent and nobody knows what became of them", lines, remedy
    )


def _foreign(observed: Iterable[Observed]) -> Concern | None:
    lines = tuple(_seen(one) for one in observed)
    if not lines:
        return None
    remedy = (
        "New risk waits. Comment `/ack KEY` here (with `--book NAME` for another book than the"
        " default one) for each of them that is right, or put it right at the broker."
    )
    return Concern("foreign", "The account holds what no commit explains", lines, remedy)


def _seen(one: Observed) -> str:
    size = plain(one.quantity) if one.quantity is not None else ""
    parts = (one.kind, one.key, one.side or "", size, one.symbol or "")
    return " ".join(part for part in parts if part)


def _unprotected(bare: Sequence[str]) -> Concern | None:
    if not bare:
        return None
    remedy = (
        "Set a stop with a plan's `PROTECT` line, sell, or place one at the broker. While a SELL"
        " rests that a plan asked for, wait for its end, or withdraw it with a `CANCEL` line."
        " This issue is closed once a stop stands or the shares are gone."
    )
    return Concern("unprotected", "Shares are held without their stop", tuple(bare), remedy)


def _stopped(cause: str, verb: str, lines: Sequence[str]) -> Concern | None:
    if not lines:
        return None
    remedy = "Running it again alone does not help. This issue is closed once a run gets through."
    return Concern(cause, f"`{verb}` stopped for a person to look", tuple(lines), remedy)


@dataclass(frozen=True, slots=True)
class Notice:
    """An open issue of ours."""

    number: int
    cause: str
    told: str
    """Digest of what was told there last."""


@dataclass(frozen=True, slots=True)
class Steps:
    """What to do about the issues."""

    opens: tuple[Concern, ...] = ()
    updates: tuple[tuple[int, Concern], ...] = ()
    closes: tuple[int, ...] = ()


def steps(judged: Judged, notices: Iterable[Notice]) -> Steps:
    """One issue a cause: opened, told again only where it has changed, closed when it is over.

    Args:
        judged: what a person must look at, as far as the run could judge.
        notices: the open issues of ours; the first of a cause stays where there are several.
    """
    first: dict[str, Notice] = {}
    closes = []
    for one in sorted(notices, key=lambda one: one.number):
        is_over = one.cause in judged and judged[one.cause] is None
        if is_over or one.cause in first:
            closes.append(one.number)
        else:
            first[one.cause] = one
    current = [one for one in judged.values() if one is not None]
    return Steps(
        opens=tuple(one for one in current if one.cause not in first),
        updates=tuple(
            (first[one.cause].number, one)
            for one in current
            if one.cause in first and first[one.cause].told != one.digest
        ),
        closes=tuple(closes),
    )
