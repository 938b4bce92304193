"""Sends an order exactly once and says what came of it: report, refusal, or nobody knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from executor.brokers.carrying import Carrier, Outcome
from executor.brokers.parsing import Unreadable, read_json, shown
from executor.brokers.questions import TEMPORARY, code_of
from executor.brokers.shapes import order_report
from executor.brokers.transport import Answer, NoAnswer, Request
from executor.errors import BrokerRefused, BrokerUnavailable
from executor.model.numbers import plain
from executor.model.order import OrderReport, OrderRequest, Submission
from executor.model.order_result import Refusal

ORDERS: Final = "/v2/orders"

BODY_LIMIT: Final = 4_000
"""Characters of a refusal's body that are kept."""

BAD_REQUEST: Final = 40010001
"""Alpaca's code of a client order id that was used before, and of other bad requests too."""

TAKEN: Final = "must be unique"
"""What its message says in the first case."""


class Submitter:
    """Sends orders; an answer that proves nothing is never taken for a yes or a no."""

    def __init__(
        self,
        carrier: Carrier,
        look_up: Callable[[str], OrderReport | None],
        with_legs: Callable[[OrderReport], OrderReport],
    ) -> None:
        """Send over a carrier.

        Args:
            carrier: Sends each order once; again only after a 429, which proves that it was not
                taken. An order that the limit still turns away in the end is refused with status
                429, not ambiguous: it does not exist.
            look_up: Finds an order by its client order id.
            with_legs: Completes the report of an order that has legs.
        """
        self._carrier = carrier
        self._look_up = look_up
        self._with_legs = with_legs

    def submit_all(self, requests: Sequence[OrderRequest]) -> tuple[Submission, ...]:
        """Send orders, each once; their submissions in the same order."""
        ids = {one.client_order_id for one in requests}
        assert len(ids) == len(requests), "an order is sent once in a wave"
        sends = [Request("trading", "POST", ORDERS, body=order_fields(one)) for one in requests]
        outcomes = self._carrier.carry(sends)
        return tuple(self._judge(*pair) for pair in zip(requests, outcomes, strict=True))

    def _judge(self, request: OrderRequest, answer: Outcome) -> Submission:
        if isinstance(answer, NoAnswer):
            return _ambiguous(request, f"{answer.reason}; the order may have been accepted")
        status = answer.status
        if status == 429:
            return Submission(request, refusal=_refusal(answer))
        try:
            tree = read_json(answer.body)
        except Unreadable as problem:
            return _ambiguous(request, f"status {status}, {problem}")
        if 200 <= status < 300:
            return self._accepted(request, tree)
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

    def _accepted(self, request: OrderRequest, tree: object) -> Submission:
        try:
            submission = _matching(request, order_report(tree))
            if submission.report is None:
                return submission
            return Submission(request, report=self._with_legs(submission.report))
        except (Unreadable, BrokerUnavailable, BrokerRefused) as problem:
            reason = str(problem) if isinstance(problem, Unreadable) else "its legs are not known"
        return _ambiguous(request, f"the order may have been accepted, but {reason}")


def order_fields(request: OrderRequest) -> dict[str, str | Mapping[str, str]]:
    """Write an order as the broker takes it: every number as a plain decimal text."""
    sizes = (request.quantity, request.notional)
    assert sum(one is not None for one in sizes) == 1, "an order has a quantity or a notional"
    fields: dict[str, str | Mapping[str, str]] = {
        "symbol": request.symbol,
        "side": request.side,
        "type": request.order_type,
        "time_in_force": request.time_in_force,
        **_numbers(
            qty=request.quantity,
            notional=request.notional,
            limit_price=request.limit_price,
            stop_price=request.stop_price,
            trail_percent=request.trail_percent,
        ),
        "client_order_id": request.client_order_id,
    }
    if request.order_class == "simple":
        prices = (request.take_profit_price, request.stop_loss_price)
        assert prices == (None, None), "an order without a class has no legs"
        return fields
    legs = {
        "take_profit": _numbers(limit_price=request.take_profit_price),
        "stop_loss": _numbers(stop_price=request.stop_loss_price),
    }
    given = {name: one for name, one in legs.items() if one}
    assert given, "an order of a class has a leg"
    return {**fields, "order_class": request.order_class, **given}


def _numbers(**numbers: Decimal | None) -> dict[str, str]:
    given = {name: value for name, value in numbers.items() if value is not None}
    assert all(value > 0 for value in given.values()), "an order's numbers are above 0"
    return {name: plain(value) for name, value in given.items()}


def _matching(request: OrderRequest, report: OrderReport) -> Submission:
    """Take a report of the order that was sent; one of another order proves nothing about it."""
    told = (report.client_order_id, report.symbol, report.side)
    if told != (request.client_order_id, request.symbol, request.side):
        return _ambiguous(request, "the answer describes an order of another id, symbol or side")
    if report.order_class != request.order_class:
        return _ambiguous(request, f"the answer describes an order of class {report.order_class}")
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
