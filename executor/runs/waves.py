"""The waves of a plan: CANCELs, then SELLs, then BUYs, and protection around each of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from executor.decisions.ending import Judged
from executor.decisions.plan import request_of
from executor.decisions.validate import Judgment
from executor.errors import BrokerUnavailable
from executor.main_state import PlanOnMain
from executor.model.intent import PlannedOrder
from executor.model.numbers import ZERO
from executor.model.order import OrderStatus
from executor.model.settings import Settings
from executor.model.state import TradingStateRecord
from executor.model.words import count
from executor.ports import Broker, Clock, Progress
from executor.runs.protecting import Guardian
from executor.runs.sending import Sent, Tally, send, wait

WHY_TRADED: Final = "the plan trades its symbol"


@dataclass
class Waves:
    """One run's way through its plan; what it learns goes into the tally."""

    broker: Broker
    clock: Clock
    settings: Settings
    progress: Progress
    plan: PlanOnMain
    tally: Tally
    guardian: Guardian
    judge_rest: Callable[[], Judged]
    """Asks the checks again about what the broker does not have, with main as it is now."""
    state: Callable[[], TradingStateRecord | None]
    """The trading state on main, read afresh; None where it cannot be read."""
    timed: Callable[[str], Callable[[], None]]
    """Starts the time of a phase; what it gives ends it."""

    def send(self) -> Judgment | None:
        """Send what is not at the broker yet; the judgment that has the rest wait, where one does.

        Raises:
            BrokerUnavailable: what protects a symbol did not end in time; nothing was sent there.
        """
        judged = self.tally.first
        waits = self._lines(judged)
        if waits is not None:
            return waits
        for side in ("sell", "buy"):
            if side == "buy" and self.tally.stops_openings(self.settings):
                break
            if not self.tally.missing(side):
                continue
            ended = self.timed(side)
            waits = self._wave(side, judged)
            if waits is not None:
                return waits
            judged = None
            ended()
        return None

    def _judged(self, judged: Judged | None) -> Judged:
        if judged is None:
            judged = self.judge_rest()
            self.tally.note(judged)
        return judged

    # CANCEL and PROTECT lines.

    def _lines(self, judged: Judged | None) -> Judgment | None:
        instructions = self.plan.proposal.instructions
        if judged is None:
            # An earlier run may have canceled it already; asked again, a check would say no.
            for index in self.tally.lines_left:
                self._ended_line(index, instructions[index].client_order_id)
        left = self.tally.lines_left
        if not left:
            return None
        judged = self._judged(judged)
        if judged.judgment.waits:
            return judged.judgment
        for index in left:
            if index not in judged.judgment.going:
                continue
            if instructions[index].action == "CANCEL":
                self._cancel_line(index, instructions[index].client_order_id or "")
            else:
                # What it asks for is in the record from here on; the guardian places it.
                self.tally.done.add(index)
        return None

    def _ended_line(self, index: int, key: str | None) -> None:
        """Note what a CANCEL came to whose order has ended; a PROTECT names none."""
        report = self.broker.order(key) if key is not None else None
        if report is not None and report.status.is_terminal:
            self._cancel_line(index, report.client_order_id)

    def _cancel_line(self, index: int, key: str) -> None:
        report = self.broker.order(key)
        if report is None:
            self.tally.undone[index] = f"the broker knows no order {key}"
            return
        self.guardian.knows(report)
        if not report.status.is_terminal:
            self.guardian.cancel([report], "the plan asks for it")
            report = self.broker.order(key) or report
            self.guardian.knows(report)
        if not report.status.is_terminal:
            self.tally.undone[index] = f"order {key} did not end in time; run settle"
        elif report.status is OrderStatus.FILLED:
            self.tally.undone[index] = f"order {key} had filled before it could be canceled"
        else:
            self.tally.done.add(index)

    # Orders.

    def _wave(self, side: str, judged: Judged | None) -> Judgment | None:
        size = self.settings.execution.batch_size
        waved = Sent()
        cleared = False
        while missing := [one for one in self.tally.missing(side) if not self._is_settled(one)]:
            judged = self._judged(judged)
            judgment = judged.judgment
            if judgment.waits or (side == "buy" and judgment.openings_wait):
                self._wait(waved)
                return judgment
            going = [one for one in missing if one.index in judgment.going][:size]
            if not going:
                break
            moved, withdrew = self._clear(going)
            cleared = cleared or withdrew
            if moved:
                # A stop filled while it was withdrawn: what may be sold is another number now.
                judged = None
                continue
            if self.state() != judged.facts.trading_state:
                # Whoever tightens the state is heard before each batch, the first one included.
                judged = None
                continue
            sent = self._send(going, judged)
            self.tally.arrivals |= judged.arrivals(going)
            self.tally.sent = self.tally.sent.merged(sent)
            waved = waved.merged(sent)
        self._wait(waved)
        if cleared and side == "sell":
            self.guardian.protect()
        return None

    def _is_settled(self, order: PlannedOrder) -> bool:
        """True for an order of which this run has an answer, or gave up to have one."""
        key = order.client_order_id
        return key in self.tally.sent.refusals or key in self.tally.sent.unknown

    def _clear(self, going: Sequence[PlannedOrder]) -> tuple[bool, bool]:
        """Withdraw what protects the symbols; whether shares moved, and whether anything went."""
        before = _filled(self.guardian)
        symbols = {one.symbol for one in going}
        if not self.guardian.may_protect(symbols):
            return False, False
        if not self.guardian.clear(symbols, WHY_TRADED):
            raise BrokerUnavailable(
                f"what protects {', '.join(sorted(symbols))} did not end in time, so nothing was"
                " sent there; run again"
            )
        return _filled(self.guardian) != before, True

    def _send(self, orders: Sequence[PlannedOrder], judged: Judged) -> Sent:
        self.progress.say(f"sending {count(len(orders), orders[0].side.upper() + ' order')}")
        requests = [request_of(self._sized(one, judged)) for one in orders]
        sent = send(self.broker, self.clock, self.settings, requests, self.progress)
        for report in sent.reports.values():
            self.guardian.knows_entry(report)
        return sent

    def _wait(self, waved: Sent) -> None:
        """Wait for the whole wave at once: one list call serves all its orders."""
        ended = wait(self.broker, self.clock, self.settings, waved, self.progress)
        self.tally.sent = self.tally.sent.merged(ended)

    def _sized(self, order: PlannedOrder, judged: Judged) -> PlannedOrder:
        """Fill in what the plan leaves open: the size of a SELL of `all`, by the broker's word."""
        if self.plan.proposal.instructions[order.index].quantity != "all":
            return order
        return order.model_copy(
            update={"quantity": judged.available.get(order.symbol, order.quantity)}
        )


def _filled(guardian: Guardian) -> Decimal:
    """Shares that orders which protect have sold so far."""
    seen = guardian.memory.seen.values()
    return sum((report.filled_quantity for _, report in seen), ZERO)
