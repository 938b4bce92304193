"""Where a ledger begins: what an account held before the first plan."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from executor.model.facts import AccountFacts, PositionFacts
from executor.model.ledger import Ledger
from executor.model.numbers import cents
from executor.model.result import Observed, OpeningPosition, OpeningRecord


def opening(
    account: AccountFacts, positions: Iterable[PositionFacts], *, book: str, by: str
) -> OpeningRecord:
    """Take over cash and holdings as the broker tells them, each at what it cost.

    The cost is quantity times average entry price, to the cent, as no fills are known.
    """
    return OpeningRecord(
        cash=cents(account.cash),
        positions=tuple(
            OpeningPosition(
                symbol=one.symbol,
                quantity=one.quantity,
                cost_basis=cents(one.quantity * one.average_entry_price),
                strategy=book,
            )
            for one in sorted(positions, key=lambda one: one.symbol)
            if one.quantity
        ),
        by=by,
    )


def explained(ledger: Ledger, opened: OpeningRecord, book: str) -> tuple[Observed, ...]:
    """What had been observed before the ledger began: the opening holds all of it.

    A difference is told again as none; an order is taken over without a fill, which is in the
    holdings already.
    """
    return tuple(
        one.model_copy(update={"acknowledged_by": opened.by, "book": book, "fills": ()})
        if one.kind == "order"
        else one.model_copy(update={"quantity": Decimal(0), "average_price": None})
        for one in ledger.observed.values()
    )
