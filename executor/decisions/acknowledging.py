"""What no commit explains, as it is at the broker now, and what taking it over books.

What an observed order filled is no difference of shares or cash: acknowledging the order books it.
So orders come first, and nothing is booked twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from executor.decisions.comparing import (
    CASH,
    cash_difference,
    compare,
    foreign_orders,
    observed_order,
)
from executor.model.facts import AccountFacts, PositionFacts
from executor.model.ledger import Ledger
from executor.model.numbers import ZERO, cents, nanos
from executor.model.order import OrderReport
from executor.model.order_result import Fill
from executor.model.position import Position
from executor.model.result import Observed
from executor.model.settings import SettleSettings


def outstanding(
    ledger: Ledger,
    reports: Iterable[OrderReport],
    account: AccountFacts,
    positions: Mapping[str, PositionFacts],
    settings: SettleSettings,
) -> dict[str, Observed]:
    """Everything that may be acknowledged, by its key: what was observed, brought up to date.

    Args:
        ledger: the record.
        reports: the observed orders, as the broker tells them now.
        account: the account at the broker.
        positions: its holdings by symbol.
        settings: how far cash may differ without being observed; it may be acknowledged all the
            same.
    """
    news = (
        *foreign_orders(ledger, reports, frozenset()),
        *compare(ledger, account, positions, settings).observed,
    )
    found = {**ledger.observed, **{one.key: one for one in news}}
    cash = cash_difference(ledger, account)
    if cash:
        found[CASH] = Observed(kind="cash", key=CASH, quantity=cents(cash), status="held")
    # A difference of 0 has explained itself; an order that was taken over is no longer asked about.
    return {
        key: one
        for key, one in found.items()
        if one.book is None and (one.kind == "order" or one.quantity)
    }


def taken_over(
    seen: Observed,
    ledger: Ledger,
    *,
    report: OrderReport | None,
    held: PositionFacts | None,
    by: str,
    book: str,
    now: datetime,
) -> Observed:
    """The same as an acknowledgment: what it books, and to which book it belongs from then on.

    Args:
        seen: what is acknowledged.
        ledger: the record.
        report: of an order: the broker's account of it; None where it tells no more.
        held: of a difference of shares: the holding at the broker; None where nothing is held.
        by: who acknowledges it.
        book: the book that takes it over.
        now: the present, where nobody tells when an order filled.
    """
    owner = {"acknowledged_by": by, "book": book}
    if seen.kind == "order":
        untold = {"filled_quantity": ZERO, "average_price": None}
        if report is not None:
            return observed_order(report, seen.model_copy(update={**owner, **untold}))
        return seen.model_copy(update={**owner, "fills": _as_seen(seen, now)})
    if seen.kind == "position":
        return seen.model_copy(update={**owner, "average_price": _price(seen, ledger, held)})
    return seen.model_copy(update=owner)


def _as_seen(seen: Observed, now: datetime) -> tuple[Fill, ...]:
    if not seen.filled_quantity or seen.average_price is None:
        return ()
    return (Fill(quantity=seen.filled_quantity, price=seen.average_price, at=now),)


def _price(seen: Observed, ledger: Ledger, held: PositionFacts | None) -> Decimal:
    """USD a share that makes the record's cost of the holding the broker's."""
    assert seen.symbol is not None, "a difference of shares has a symbol"
    assert seen.quantity, "and is not 0"
    recorded = ledger.positions.get(seen.symbol, Position(seen.symbol))
    cost = cents(held.quantity * held.average_entry_price) if held else ZERO
    price = nanos((cost - recorded.cost_basis) / seen.quantity)
    # Where no price does, shares come at the broker's average and go at the record's.
    average = held.average_entry_price if held else recorded.average_entry_price
    return price if price >= 0 else nanos(abs(average))
