"""Sending a wave of orders and waiting for its end: each order once, and never a guess.

Works through the `Broker` and `Clock` ports only; it starts no thread and never sleeps by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from executor.decisions.ending import Answers
from executor.errors import BrokerUnavailable
from executor.model.order import OrderReport, OrderRequest
from executor.model.result import Refusal
from executor.model.settings import Settings
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
        )

    @property
    def is_over(self) -> bool:
        """True where no order of the wave may still trade."""
        return all(report.status.is_terminal for report in self.reports.values())


def send(
    broker: Broker,
    clock: Clock,
    settings: Settings,
    requests: Sequence[OrderRequest],
    progress: Progress,
) -> Sent:
    """Send each order exactly once and find out what became of those without an answer."""
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
            found = _find(broker, clock, settings, submission.request)
            if isinstance(found, OrderReport):
                reports[key] = found
            elif isinstance(found, Refusal):
                refusals[key] = found
            else:
                unknown[key] = reason
    return Sent(reports, refusals, unknown)


def _find(
    broker: Broker, clock: Clock, settings: Settings, request: OrderRequest
) -> OrderReport | Refusal | None:
    """Look for an order without an answer; by policy, send it once more under its own id.

    A second send cannot trade twice: an id is unique for ever at the broker, which answers a
    known one with the order it has.
    """
    resends_left = 1 if settings.unknown_policy() == "resend_same_id" else 0
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
            progress.say(f"waiting for {open_orders} order{'s' if open_orders > 1 else ''} to fill")
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
