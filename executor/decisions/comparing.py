"""The record against the broker: what no commit explains, and what differs by too much."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from executor.model.facts import AccountFacts, PositionFacts
from executor.model.ledger import Ledger
from executor.model.market import percent_of
from executor.model.numbers import HUNDRED, ZERO, plain
from executor.model.order import OrderReport
from executor.model.order_result import Fill
from executor.model.position import fill_notional
from executor.model.result import Observed
from executor.model.settings import SettleSettings
from executor.model.words import usd

CASH: Final = "CASH"
"""The key under which cash that the record does not know of is observed and acknowledged."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the record and the broker do not agree on."""

    observed: tuple[Observed, ...] = ()
    """News of what no commit explains; a difference of 0 takes an earlier one back."""
    warnings: tuple[str, ...] = ()
    """What differs within the tolerance, or in nothing but a price."""


def foreign_orders(
    ledger: Ledger, reports: Iterable[OrderReport], own: frozenset[str]
) -> tuple[Observed, ...]:
    """What is new about orders that no commit explains; one without any effect is passed over.

    Args:
        ledger: the record.
        reports: the broker's orders, open and lately ended.
        own: client order ids that a plan or a lot explains although no result tells them yet.
    """
    found = []
    for report in reports:
        key = report.client_order_id
        if key in own or key in ledger.orders:
            continue
        taken = ledger.acknowledged.get(key)
        known = taken or ledger.observed.get(key)
        if known is None and report.status.is_terminal and not report.filled_quantity:
            continue
        if known is None and _is_of_before(report, ledger):
            continue
        seen = observed_order(report, taken)
        if known is None or _differs(seen, known):
            found.append(seen)
    return tuple(found)


def observed_order(report: OrderReport, taken: Observed | None = None) -> Observed:
    """A foreign order as it is now; one that was taken over books what it filled since."""
    filled, average = report.filled_quantity, report.average_fill_price
    fills: tuple[Fill, ...] = ()
    if taken is not None:
        fills = fills_since(report, taken.filled_quantity, taken.average_price)
    return Observed(
        kind="order",
        key=report.client_order_id,
        broker_order_id=report.broker_order_id,
        symbol=report.symbol,
        side=report.side,
        quantity=report.quantity,
        filled_quantity=filled,
        average_price=average,
        status=report.broker_status,
        is_over=report.status.is_terminal,
        fills=fills,
        acknowledged_by=taken.acknowledged_by if taken else None,
        book=taken.book if taken else None,
    )


def fills_since(
    report: OrderReport, before: Decimal, average_before: Decimal | None
) -> tuple[Fill, ...]:
    """What an order filled beyond what was known, at the price that makes the totals agree."""
    quantity, average = report.filled_quantity - before, report.average_fill_price
    at = report.filled_at or report.updated_at or report.submitted_at
    if quantity <= 0 or average is None or at is None:
        return ()
    spent = fill_notional(report.filled_quantity, average)
    spent -= fill_notional(before, average_before) if average_before is not None else ZERO
    price = average if not before else (max(spent, ZERO) / quantity).quantize(Decimal("1e-9"))
    return (Fill(quantity=quantity, price=price, at=at),)


def _is_of_before(report: OrderReport, ledger: Ledger) -> bool:
    """True for an order that had ended when the ledger began: the opening holds what it did."""
    ended = report.filled_at or report.updated_at or report.submitted_at
    opened = ledger.opened_at if ledger.adopted else None
    return report.status.is_terminal and ended is not None and opened is not None and ended < opened


def _differs(seen: Observed, known: Observed) -> bool:
    keys = ("filled_quantity", "status", "is_over")
    return any(getattr(seen, key) != getattr(known, key) for key in keys)


def compare(
    ledger: Ledger,
    account: AccountFacts,
    positions: Mapping[str, PositionFacts],
    settings: SettleSettings,
) -> Comparison:
    """Hold the record against the account: shares exactly, prices and cash within tolerance.

    What observed orders filled is taken out first: acknowledging the order explains it.
    """
    observed = [*_shares(ledger, positions)]
    cash = _cash(ledger, account, settings)
    warnings = [*_prices(ledger, positions, settings)]
    if isinstance(cash, Observed):
        observed.append(cash)
    elif cash is not None:
        warnings.append(cash)
    return Comparison(tuple(observed), tuple(warnings))


def _unbooked(ledger: Ledger) -> tuple[dict[str, Decimal], Decimal]:
    """Shares by symbol and cash that orders moved which nobody has acknowledged."""
    shares: dict[str, Decimal] = {}
    cash = ZERO
    for one in ledger.observed.values():
        if one.kind != "order" or not one.filled_quantity or one.symbol is None:
            continue
        sign = 1 if one.side == "buy" else -1
        shares[one.symbol] = shares.get(one.symbol, ZERO) + sign * one.filled_quantity
        cash -= sign * fill_notional(one.filled_quantity, one.average_price or ZERO)
    return shares, cash


def _shares(ledger: Ledger, positions: Mapping[str, PositionFacts]) -> Iterator[Observed]:
    unbooked, _ = _unbooked(ledger)
    known = {key for key, one in ledger.observed.items() if one.kind == "position"}
    for symbol in sorted(positions.keys() | ledger.positions.keys() | known):
        held = positions.get(symbol)
        booked = ledger.positions.get(symbol)
        difference = (held.quantity if held else ZERO) - (booked.quantity if booked else ZERO)
        difference -= unbooked.get(symbol, ZERO)
        before = ledger.observed.get(symbol)
        if difference == (before.quantity if before else ZERO):
            continue
        yield Observed(
            kind="position",
            key=symbol,
            symbol=symbol,
            quantity=difference,
            average_price=abs(held.average_entry_price) if held else None,
            status="held",
        )


def cash_difference(ledger: Ledger, account: AccountFacts) -> Decimal | None:
    """USD that the account has beyond the record; None where nobody knows how it began."""
    if ledger.cash is None:
        return None
    return account.cash - ledger.cash - _unbooked(ledger)[1]


def _cash(ledger: Ledger, account: AccountFacts, settings: SettleSettings) -> Observed | str | None:
    difference = cash_difference(ledger, account)
    if difference is None:
        return None
    allowed = settings.cash_tolerance_usd + (
        settings.cash_tolerance_pct * abs(account.equity) / HUNDRED
    )
    before = ledger.observed.get(CASH)
    if abs(difference) > allowed:
        known = before.quantity if before and before.quantity is not None else ZERO
        if abs(difference - known) <= allowed and before is not None:
            return None
        return _observed_cash(difference)
    if before is not None:
        return _observed_cash(ZERO)
    if not difference:
        return None
    return (
        f"cash: {usd(account.cash)} at the broker, {usd(account.cash - difference)} by the record,"
        f" within {usd(allowed)}"
    )


def _observed_cash(difference: Decimal) -> Observed:
    return Observed(kind="cash", key=CASH, quantity=difference, status="held")


def _prices(
    ledger: Ledger, positions: Mapping[str, PositionFacts], settings: SettleSettings
) -> Iterator[str]:
    for symbol, held in sorted(positions.items()):
        booked = ledger.positions.get(symbol)
        if booked is None or booked.quantity != held.quantity or not held.quantity:
            continue
        ours, theirs = abs(booked.average_entry_price), abs(held.average_entry_price)
        if percent_of(abs(ours - theirs), theirs) > settings.average_price_tolerance_pct:
            yield (
                f"{symbol}: average price {plain(theirs)} USD at the broker, {plain(ours)} USD by"
                f" the record, over {plain(settings.average_price_tolerance_pct)} %"
            )
