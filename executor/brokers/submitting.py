"""Sends an order exactly once and says what came of it: report, refusal, or nobody knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from executor.brokers.pace import Pace
from executor.brokers.parsing import Unreadable, read_json, shown
from executor.brokers.questions import TEMPORARY, code_of
from executor.brokers.shapes import order_report
from executor.brokers.transport import Answer, NoAnswer, Transport
from executor.errors import BrokerRefused, BrokerUnavailable
from executor.model.numbers import plain
from executor.model.order import OrderReport, OrderRequest, Submission
from executor.model.result import Refusal

BODY_LIMIT: Final = 4_000
"""Characters of a refusal's body that are kept."""

RATE_LIMIT_TRIES: Final = 4
"""Sends of one order, all but the last of which the rate limit turned away."""

BAD_REQUEST: Final = 40010001
"""Alpaca's code of a client order id that was used before, and of other bad requests too."""

TAKEN: Final = "must be unique"
"""What its message says in the first case."""


class Submitter:
    """Sends orders; an answer that proves nothing is never taken for a yes or a no."""

    def __init__(
        self, transport: Transport, pace: Pace, look_up: Callable[[str], OrderReport | None]
    ) -> None:
        """Send through a transport; `look_up` finds an order by its client order id."""
        self._transport = transport
        self._pace = pace
        self._look_up = look_up

    def submit(self, request: OrderRequest) -> Submission:
        """Send one order.

        Sending again after a 429 is no hidden retry: the rate limiter stands before the book, so
        the order was provably not taken. Nothing else is ever sent again. An order that the limit
        still turns away in the end is refused with status 429, not ambiguous: it does not exist.
        """
        fields = order_fields(request)
        tries = RATE_LIMIT_TRIES
        while True:
            self._pace.wait()
            try:
                answer = self._transport.ask("trading", "POST", "/v2/orders", body=fields)
            except NoAnswer as silence:
                return _ambiguous(request, f"{silence.reason}; the order may have been accepted")
            self._pace.note(answer)
            if answer.status != 429:
                return self._judge(request, answer)
            tries -= 1
            if not tries:
                return Submission(request, refusal=_refusal(answer))
            self._pace.wait_out(answer)

    def _judge(self, request: OrderRequest, answer: Answer) -> Submission:
        status = answer.status
        try:
            tree = read_json(answer.body)
        except Unreadable as problem:
            return _ambiguous(request, f"status {status}, {problem}")
        if 200 <= status < 300:
            return _accepted(request, tree)
        definite = 400 <= status < 500 and status not in TEMPORARY and isinstance(tree, dict)
        if not definite:
            return _ambiguous(request, f"status {status}; the order may have been accepted")
        if status == 422 and (code_of(tree) == BAD_REQUEST or _says_taken(tree)):
            return self._settle(request, answer, taken=_says_taken(tree))
        return Submission(request, refusal=_refusal(answer))

    def _settle(self, request: OrderRequest, answer: Answer, *, taken: bool) -> Submission:
        """Ask whether the order is there: one code means "you have sent it before" and "no"."""
        try:
            report = self._look_up(request.client_order_id)
        except (BrokerUnavailable, BrokerRefused):
            return _ambiguous(request, "the id may be taken, and looking it up had no answer")
        if report is not None:
            return _matching(request, report)
        if taken:
            return _ambiguous(request, "the id is taken, but no order is found by it yet")
        return Submission(request, refusal=_refusal(answer))


def order_fields(request: OrderRequest) -> dict[str, str]:
    """Write an order as the broker takes it: every number as a plain decimal text."""
    sizes = (request.quantity, request.notional)
    assert sum(one is not None for one in sizes) == 1, "an order has a quantity or a notional"
    numbers = {
        "qty": request.quantity,
        "notional": request.notional,
        "limit_price": request.limit_price,
        "stop_price": request.stop_price,
    }
    given = {name: value for name, value in numbers.items() if value is not None}
    assert all(value > 0 for value in given.values()), "an order's numbers are above 0"
    return {
        "symbol": request.symbol,
        "side": request.side,
        "type": request.order_type,
        "time_in_force": request.time_in_force,
        **{name: plain(value) for name, value in given.items()},
        "client_order_id": request.client_order_id,
    }


def _accepted(request: OrderRequest, tree: object) -> Submission:
    try:
        report = order_report(tree)
    except Unreadable as problem:
        return _ambiguous(request, f"the order may have been accepted, but {problem}")
    return _matching(request, report)


def _matching(request: OrderRequest, report: OrderReport) -> Submission:
    """Take a report of the order that was sent; one of another order proves nothing about it."""
    told = (report.client_order_id, report.symbol, report.side)
    if told != (request.client_order_id, request.symbol, request.side):
        return _ambiguous(request, "the answer describes an order of another id, symbol or side")
    return Submission(request, report=report)


def _says_taken(tree: object) -> bool:
    message = tree.get("message") if isinstance(tree, dict) else None
    return isinstance(message, str) and TAKEN in message.lower()


def _refusal(answer: Answer) -> Refusal:
    try:
        code = code_of(read_json(answer.body))
    except Unreadable:
        code = None
    return Refusal(status=answer.status, code=code, body=shown(answer.body, BODY_LIMIT))


def _ambiguous(request: OrderRequest, why: str) -> Submission:
    return Submission(request, ambiguous=why)
