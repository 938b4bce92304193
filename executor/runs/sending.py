"""Sending a wave of orders and waiting for its end: each order once, and never a guess.

Works through the `Broker` and `Clock` ports only; it starts no thread and never sleeps by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Final

from executor.decisions.ending import Answers, Judged
from executor.errors import BrokerUnavailable
from executor.gather import AccountView
from executor.model.account import AccountRecord
from executor.model.activity import Activity
from executor.model.intent import Intent, PlannedOrder
from executor.model.numbers import plain
from executor.model.order import OrderReport, OrderRequest
from executor.model.order_result import Refusal
from executor.model.settings import Settings
from executor.model.verdict import Answer, Verdict
from executor.model.words import count
from executor.ports import Broker, Clock, Progress

FIRST_PAUSE_SECONDS: Final = 0.25
LONGEST_PAUSE_SECONDS: Final = 5.0
"""Pauses between look-ups double from the first to the longest."""

ABSENT_LOOKUPS: Final = 3
"""How often the broker must say that it knows no such order before the same id is sent again."""


@dataclass(frozen=True, slots=True)
class Sent(Answers):
    """What is known of the orders of a wave, by client order id. Each id is in one mapping."""

    def merged(self, other: Sent) -> Sent:
        """Both together; what the other knows is newer."""
        return Sent(
            {**self.reports, **other.reports},
            {**self.refusals, **other.refusals},
            {**self.unknown, **other.unknown},
            {**self.pieces, **other.pieces},
        )

    def with_pieces(self, pieces: Mapping[str, Sequence[Activity]]) -> Sent:
        """The same, with the pieces of what filled."""
        return replace(self, pieces=pieces)

    @property
    def is_over(self) -> bool:
        """True where no order of the wave may still trade."""
        return all(report.status.is_terminal for report in self.reports.values())


@dataclass
class Tally:
    """What is known of a plan while its waves go out."""

    sent: Sent
    """What the broker answered so far."""
    first: Judged | None
    """The judgment before the intent; None where an earlier run made it."""
    intent: Intent
    lines: int
    """How many instructions the plan has."""
    before: AccountRecord | None = None
    """The account when it was first judged."""
    is_late: bool = False
    """True where orders of the plan had traded before that: it is not the account before them."""
    verdicts: tuple[Verdict, ...] = ()
    """The newest answer of each check, and the noes of earlier ones."""
    denied: frozenset[int] = frozenset()
    """Indexes of the lines that a check denied, now or before."""
    arrivals: dict[str, Decimal] = field(default_factory=dict)
    """The price at sending, by client order id."""
    done: set[int] = field(default_factory=set)
    """Indexes of the CANCEL and PROTECT lines that were carried out."""
    undone: dict[int, str] = field(default_factory=dict)
    """Of those that cannot be: why."""

    def __post_init__(self) -> None:
        """Start from the first judgment, or from what the intent left out."""
        planned = {one.index for one in self.intent.orders} | set(self.intent.lines)
        left_out = set(range(self.lines)) - planned
        if self.first is not None:
            self.note(self.first)
        else:
            # Only what the checks denied is left out of an intent.
            self.denied = frozenset(left_out)

    def note(self, judged: Judged) -> None:
        """Take in a judgment: its verdicts are newer, what it denied stays denied."""
        newer = {(one.check, one.pointer) for one in judged.judgment.verdicts}
        asked_again = {one.check for one in judged.judgment.verdicts}
        kept = tuple(
            one
            for one in self.verdicts
            if (one.answer is Answer.NO and (one.check, one.pointer) not in newer)
            or one.check not in asked_again
        )
        self.verdicts = kept + judged.judgment.verdicts
        self.denied |= judged.judgment.denied
        self.before = self.before or judged.before

    def missing(self, side: str) -> list[PlannedOrder]:
        """Orders of a side that the broker does not have."""
        return [
            one
            for one in self.intent.orders
            if one.side == side and one.client_order_id not in self.sent.reports
        ]

    @property
    def lines_left(self) -> list[int]:
        """CANCEL and PROTECT lines of the intent that nothing was done about yet."""
        return [one for one in self.intent.lines if one not in self.done | self.undone.keys()]

    def refresh(self, broker: Broker, view: AccountView) -> None:
        """Take in what became of the plan's own orders that were open."""
        still_open = {one.client_order_id: one for one in view.open_orders}
        newer = {
            key: report
            for key, one in self.sent.reports.items()
            if not one.status.is_terminal
            if (report := still_open.get(key) or broker.order(key)) is not None
        }
        self.sent = self.sent.merged(Sent(newer))

    def stops_openings(self, settings: Settings) -> bool:
        """True where a SELL's outcome is unknown: no new risk on top of that."""
        return bool(self.sent.unknown) and settings.unknown_policy() == "stop"


def send(
    broker: Broker,
    clock: Clock,
    settings: Settings,
    requests: Sequence[OrderRequest],
    progress: Progress,
    *,
    may_resend: bool = False,
) -> Sent:
    """Send each order exactly once and find out what became of those without an answer.

    Args:
        broker: the broker.
        clock: time.
        settings: deadlines, and what to do about an order without an answer.
        requests: the orders.
        progress: who is told.
        may_resend: True sends an order that is not found again under its own id, whatever the
            settings say: what protects a holding may rather be asked for twice than be missing.
    """
    reports: dict[str, OrderReport] = {}
    refusals: dict[str, Refusal] = {}
    unknown: dict[str, str] = {}
    for submission in broker.submit_all(requests):
        key = submission.request.client_order_id
        if submission.report is not None:
            reports[key] = submission.report
        elif submission.refusal is not None:
            refusals[key] = submission.refusal
        else:
            reason = submission.ambiguous or ""
            progress.say(f"{submission.request.symbol}: {reason}; looking for the order")
            found = _find(broker, clock, settings, submission.request, may_resend)
            if isinstance(found, OrderReport):
                reports[key] = found
            elif isinstance(found, Refusal):
                refusals[key] = found
            else:
                unknown[key] = reason
    return Sent(reports, refusals, unknown)


def _find(
    broker: Broker, clock: Clock, settings: Settings, request: OrderRequest, may_resend: bool
) -> OrderReport | Refusal | None:
    """Look for an order without an answer; by policy, send it once more under its own id.

    A second send cannot trade twice: an id is unique for ever at the broker, which answers a
    known one with the order it has.
    """
    resends = may_resend or settings.unknown_policy() == "resend_same_id"
    resends_left = 1 if resends else 0
    deadline = clock.now() + timedelta(seconds=float(settings.execution.lookup_deadline_seconds))
    pause = FIRST_PAUSE_SECONDS
    absent = 0
    while True:
        try:
            report = broker.order(request.client_order_id)
        except BrokerUnavailable:
            report = None
        else:
            absent += 1
        if report is not None:
            return report
        if absent >= ABSENT_LOOKUPS and resends_left:
            resends_left -= 1
            again = broker.submit_all((request,))[0]
            if again.ambiguous is None:
                return again.report or again.refusal
            absent = 0
        if clock.now() >= deadline:
            return None
        clock.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


def wait(broker: Broker, clock: Clock, settings: Settings, sent: Sent, progress: Progress) -> Sent:
    """Poll until every order of the wave has ended or the deadline has passed.

    One list call serves all orders. A broker that stops answering costs the news, not the orders:
    what is known last is kept, and `settle` goes on from there.
    """
    deadline = clock.now() + timedelta(seconds=float(settings.execution.fill_deadline_seconds))
    pause = float(settings.execution.poll_interval_seconds)
    told = -1
    while not sent.is_over:
        sent = _refreshed(broker, sent)
        open_orders = sum(not one.status.is_terminal for one in sent.reports.values())
        if not open_orders or clock.now() >= deadline:
            break
        if open_orders != told:
            patience = plain(settings.execution.fill_deadline_seconds)
            progress.say(f"waiting up to {patience} s for {count(open_orders, 'order')} to fill")
            told = open_orders
        clock.sleep(pause)
    return sent


def _refreshed(broker: Broker, sent: Sent) -> Sent:
    oldest = min(
        (one.submitted_at for one in sent.reports.values() if one.submitted_at is not None),
        default=None,
    )
    try:
        if oldest is None:
            return Sent(lookup(broker, sent.reports), sent.refusals, sent.unknown)
        listed = broker.orders_since(oldest - timedelta(seconds=1))
    except BrokerUnavailable:
        return sent
    newer = {one.client_order_id: one for one in listed if one.client_order_id in sent.reports}
    return Sent({**sent.reports, **newer}, sent.refusals, sent.unknown)


def lookup(broker: Broker, keys: Iterable[str]) -> dict[str, OrderReport]:
    """Ask for each order by its id; those that the broker does not know are absent."""
    found = {key: broker.order(key) for key in keys}
    return {key: report for key, report in found.items() if report is not None}


def look_again(
    broker: Broker,
    clock: Clock,
    settings: Settings,
    sent: Sent,
    keys: Iterable[str],
    progress: Progress,
) -> Sent:
    """Before an order is written down as not sent or refused, ask whether the broker has it.

    Another run, on another machine, may have sent it since this one looked, and the broker may have
    refused ours for the shares or the money that the other one holds.
    """
    try:
        found = lookup(broker, [key for key in keys if key not in sent.reports])
    except BrokerUnavailable:
        # What this run knows is enough, and has to be written down.
        return sent
    if not found:
        return sent
    ended = wait(broker, clock, settings, Sent(found), progress)
    return Sent(
        {**sent.reports, **ended.reports},
        {key: one for key, one in sent.refusals.items() if key not in found},
        {key: one for key, one in sent.unknown.items() if key not in found},
        sent.pieces,
    )


def never_received(
    broker: Broker, clock: Clock, settings: Settings, keys: Sequence[str], sender_ended: bool
) -> dict[str, OrderReport]:
    """Look for orders that a dead run may have sent; the ids absent afterwards were never received.

    The sockets of a dead process are closed, so what it sent reaches the broker at once or never.
    The bounded back-off gives the broker time to show it.

    Args:
        broker: the broker.
        clock: time.
        settings: for the deadline.
        keys: client order ids to look for.
        sender_ended: True where the intent is older than the deadline, so one look is enough.
    """
    deadline = clock.now() + timedelta(seconds=float(settings.execution.lookup_deadline_seconds))
    found = lookup(broker, keys)
    pause = FIRST_PAUSE_SECONDS
    looks = 1
    # An embedded exchange dies with its process, and an external one answers at once: a few looks
    # are enough in sim; the whole deadline is waited for where a shared broker is at stake.
    enough = 1 if settings.unknown_policy() == "resend_same_id" else None
    while len(found) < len(keys) and not sender_ended and looks != enough:
        if clock.now() >= deadline:
            break
        clock.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        found |= lookup(broker, [key for key in keys if key not in found])
        looks += 1
    return found
