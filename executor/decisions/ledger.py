"""The fold: results of one mode and account, in the order of the chain, become the ledger.

The sim account, the checks, protection and the audit read the same fold. It goes on from where an
earlier fold ended, so a checkpoint and the later results give what all results give.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from executor.decisions.booking import Books
from executor.decisions.lots import Lots
from executor.model.account import Mode
from executor.model.activity import Activity
from executor.model.ledger import (
    SENT,
    Ledger,
    Lot,
    LotKey,
    Order,
    stop_of,
    target_of,
)
from executor.model.numbers import ZERO, cents
from executor.model.order_id import parse_order_id
from executor.model.order_result import (
    InstructionResult,
    LegResult,
    OrderResult,
    Outcome,
    StopTerms,
)
from executor.model.position import Position
from executor.model.result import ExecutionResult, Observed

TRANSFERS_KEPT: Final = 200
"""Transfers that a ledger remembers one by one; older ones are in the sum."""

STOP_TYPES: Final = frozenset({"stop", "stop_limit", "trailing_stop"})
"""Order types whose sale is an exit by a stop."""


def fold(
    results: Iterable[tuple[str, ExecutionResult]],
    mode: Mode,
    account: str | None = None,
    start: Ledger | None = None,
) -> Ledger:
    """Add up results in the order of the chain, those of one mode (and account) only.

    Args:
        results: path and result, first to newest.
        mode: other modes' results are passed over.
        account: last four characters as `…1234`; None takes every account of the mode.
        start: a ledger that the results go on from; None starts empty.
    """
    folding = _Folding.from_ledger(start or Ledger())
    for path, result in results:
        if result.mode is mode and (account is None or result.account == account):
            folding.take(path, result)
    return folding.ledger()


@dataclass
class _Folding:
    """A ledger that is being written."""

    books: Books
    orders: dict[str, Order]
    stop_outs: list[tuple[str, str, datetime]]
    observed: dict[str, Observed]
    acknowledged: dict[str, Observed]
    activities: dict[str, datetime]
    activities_through: datetime | None
    opening_cash: Decimal | None
    opened_at: datetime | None
    adopted: bool
    peak_net: Decimal | None
    peak_at: datetime | None
    rebased_at: datetime | None
    results: int
    through: str | None
    as_of: datetime | None

    @classmethod
    def from_ledger(cls, start: Ledger) -> _Folding:
        books = Books(
            cash=start.cash_change,
            realized=start.realized_pl,
            income=start.income,
            transfers=start.transfers,
            transfer_log=list(start.transfer_log),
            suspense=dict(start.suspense),
            positions=dict(start.positions),
            lots=Lots(start.lots),
        )
        return cls(
            books=books,
            orders=dict(start.orders),
            stop_outs=list(start.stop_outs),
            observed=dict(start.observed),
            acknowledged=dict(start.acknowledged),
            activities=dict(start.activities),
            activities_through=start.activities_through,
            opening_cash=start.opening_cash,
            opened_at=start.opened_at,
            adopted=start.adopted,
            peak_net=start.peak_net,
            peak_at=start.peak_at,
            rebased_at=start.rebased_at,
            results=start.results,
            through=start.through,
            as_of=start.as_of,
        )

    def ledger(self) -> Ledger:
        books = self.books
        return Ledger(
            opening_cash=self.opening_cash,
            opened_at=self.opened_at,
            adopted=self.adopted,
            cash_change=books.cash,
            realized_pl=books.realized,
            income=books.income,
            transfers=books.transfers,
            transfer_log=tuple(books.transfer_log[-TRANSFERS_KEPT:]),
            suspense=dict(sorted(books.suspense.items())),
            positions=dict(sorted(books.positions.items())),
            lots=books.lots.by_key(),
            orders=self.orders,
            stop_outs=tuple(self.stop_outs),
            observed=self.observed,
            acknowledged=self.acknowledged,
            activities=self.activities,
            activities_through=self.activities_through,
            peak_net=self.peak_net,
            peak_at=self.peak_at,
            rebased_at=self.rebased_at,
            results=self.results,
            through=self.through,
            as_of=self.as_of,
        )

    def take(self, path: str, result: ExecutionResult) -> None:
        """Take in the next result of the chain."""
        self.through, self.as_of = path, result.timestamp
        self.results += 1
        self._opens(result)
        for activity in result.activities:
            self._activity(activity, result.timestamp)
        for instruction in result.instructions:
            self._instruction(path, result, instruction)
        for leg in result.legs:
            self._leg(path, result, leg)
        for instruction in result.instructions:
            self._protect(path, result, instruction)
        for seen in result.observed:
            self._observe(result, seen)
        self._measure(result)

    def _opens(self, result: ExecutionResult) -> None:
        if result.opening is not None:
            self.opening_cash = result.opening.cash - self.books.cash
            self.opened_at = result.timestamp
            self.adopted = True
            self.books.opens(
                Position(one.symbol, one.quantity, one.cost_basis)
                for one in result.opening.positions
            )
        elif self.opening_cash is None and result.account_before is not None:
            self.opening_cash = result.account_before.cash - self.books.cash
            self.opened_at = result.account_before.as_of

    def _activity(self, activity: Activity, booked_at: datetime) -> None:
        if activity.is_fill or activity.id in self.activities:
            return
        # When it was booked, not when it happened: that is what the next question goes on from, and
        # one that is told late or dated ahead must neither be forgotten nor hide the others.
        self.activities[activity.id] = booked_at
        self.activities_through = max(activity.at, self.activities_through or activity.at)
        self.books.activity(activity)

    def _instruction(self, path: str, result: ExecutionResult, told: InstructionResult) -> None:
        # A CANCEL that was carried out may name the order that it ended; it is none itself.
        if told.client_order_id is None or told.outcome is Outcome.DONE:
            return
        key = LotKey(result.plan_digest or "", told.index)
        order = Order(
            told=told,
            plan_digest=key.plan_digest,
            strategy=result.strategy or "",
            first_result=result.first_result or path,
            seen_at=result.timestamp,
        )
        self._order(order, key, told.stop)

    def _leg(self, path: str, result: ExecutionResult, told: LegResult) -> None:
        key = LotKey(told.plan_digest, told.index)
        known = self.orders.get(told.client_order_id or "")
        lot = self.books.lots.get(key)
        first = known.first_result if known else lot.first_result if lot else ""
        terms: StopTerms | None = None
        newest: OrderResult = told
        if told.leg == "entry" and known is not None and isinstance(known.told, InstructionResult):
            # An earlier plan's order keeps what its own result said of it.
            shared = {name: getattr(told, name) for name in OrderResult.model_fields}
            newest = known.told.model_copy(update=shared)
            terms = known.told.stop
        order = Order(
            told=newest,
            plan_digest=told.plan_digest,
            strategy=told.strategy or result.strategy or "",
            first_result=first or path,
            seen_at=result.timestamp,
            leg=told.leg,
            parent=told.parent or (known.parent if known else None),
        )
        self._order(order, key, terms)
        self._count(key, told)

    def _count(self, key: LotKey, told: LegResult) -> None:
        """Remember the number of a leg's order: the next one takes the next."""
        lot = self.books.lots.get(key)
        own = parse_order_id(told.client_order_id or "")
        # An order that the broker never confirmed is asked for again, under the same id.
        confirmed = told.outcome in SENT and told.broker_order_id is not None
        if lot is not None and own is not None and confirmed:
            self.books.lots.put(lot.numbered(own.leg, own.number))

    def _order(self, order: Order, key: LotKey, terms: StopTerms | None) -> None:
        told = order.told
        assert told.client_order_id is not None, "an order has an id"
        lot = self.books.lots.get(key)
        for fill in told.fills:
            assert told.side is not None, f"{told.client_order_id}: a fill has a side"
            self.books.fill(told.ticker, told.side, fill.quantity, fill.price, key)
        if order.leg == "entry" and told.side == "buy" and terms is not None:
            self._grow(order, key, terms)
        # A lot's fraction goes with its whole shares, whose stop is counted: both are one stop-out.
        if order.leg != "fraction" or lot is None or not lot.stops:
            self._stopped_out(order)
        if told.outcome in SENT:
            self.orders[told.client_order_id] = order
        else:
            # An order that had no answer, and of which it is known now that it never arrived.
            self.orders.pop(told.client_order_id, None)

    def _grow(self, order: Order, key: LotKey, terms: StopTerms) -> None:
        """Let the entry's lot grow with its fills; its stop follows the average price.

        A stop that a split has moved stays where it is, for the average is of both prices; shares
        under the old symbol of a lot that has a new one stay without.
        """
        told = order.told
        bought = sum((fill.quantity for fill in told.fills), ZERO)
        average = told.average_fill_price
        lot = self.books.lots.get(key)
        if not bought or average is None or (lot is not None and lot.symbol != told.ticker):
            return
        stop, target = stop_of(terms, average), target_of(terms, average)
        if stop is None and terms.trail_percent is None:
            return
        known = self.orders.get(told.client_order_id or "")
        before = known.told.average_fill_price if known else None
        if lot is not None and before is not None and lot.stop_price != stop_of(terms, before):
            stop, target = lot.stop_price, lot.take_profit_price
        self.books.lots.put(
            replace(
                lot or Lot(key, told.ticker, ZERO, None),
                quantity=bought + (lot.quantity if lot else ZERO),
                stop_price=stop,
                trail_percent=terms.trail_percent,
                take_profit_price=target,
                strategy=order.strategy,
                first_result=order.first_result,
            )
        )
        self.books.lots.trim(told.ticker, self.books.position(told.ticker).quantity)

    def _stopped_out(self, order: Order) -> None:
        told = order.told
        is_stop = order.leg in ("stop", "fraction") or told.order_type in STOP_TYPES
        if is_stop and told.side == "sell" and told.fills:
            self.stop_outs.append((order.strategy, told.ticker, told.fills[-1].at))

    def _protect(self, path: str, result: ExecutionResult, told: InstructionResult) -> None:
        """A PROTECT replaces every lot of its symbol by one over what is held now."""
        if told.outcome is not Outcome.DONE or told.stop is None:
            return
        self.books.lots.take(told.ticker)
        held = self.books.position(told.ticker).quantity
        if told.stop.stop_price is not None or told.stop.trail_percent is not None:
            key = LotKey(result.plan_digest or "", told.index)
            self.books.lots.put(
                Lot(
                    key=key,
                    symbol=told.ticker,
                    quantity=held,
                    stop_price=told.stop.stop_price,
                    trail_percent=told.stop.trail_percent,
                    strategy=result.strategy or "",
                    first_result=result.first_result or path,
                )
            )
            # Its orders of this result were told before there was a lot to count them.
            for leg in result.legs:
                if LotKey(leg.plan_digest, leg.index) == key:
                    self._count(key, leg)

    def _observe(self, result: ExecutionResult, seen: Observed) -> None:
        if seen.book is None:
            gone = seen.is_over and not seen.filled_quantity
            if gone if seen.kind == "order" else not seen.quantity:
                self.observed.pop(seen.key, None)  # it has explained itself since
            else:
                self.observed[seen.key] = seen
            return
        self.observed.pop(seen.key, None)
        if seen.kind == "order":
            self.acknowledged.pop(seen.key, None)
            self.acknowledged[seen.key] = seen
            for fill in seen.fills:
                assert seen.side is not None, f"{seen.key}: a fill has a side"
                assert seen.symbol is not None, f"{seen.key}: an order has a symbol"
                self.books.fill(seen.symbol, seen.side, fill.quantity, fill.price)
            return
        is_position = seen.kind == "position"
        self.books.activity(
            Activity(
                id=f"acknowledged {seen.key}",
                kind="JNLS" if is_position else "JNLC",
                at=result.timestamp,
                symbol=seen.symbol,
                quantity=seen.quantity if is_position else None,
                price=seen.average_price,
                net_amount=None if is_position else seen.quantity,
            )
        )

    def _measure(self, result: ExecutionResult) -> None:
        """Note the equity for the peak; a result that asked no broker has none.

        Capital that came and that no activity has told yet is cash beyond the record's: it is left
        out until it is told, so a deposit is never taken for a gain. An account whose shares are
        not the record's (an order that fills meanwhile, shares that were journaled) tells nothing.
        """
        rebased = result.state.peak_equity_rebased_at if result.state else None
        if rebased is not None and rebased != self.rebased_at:
            self.rebased_at, self.peak_net, self.peak_at = rebased, None, None
        portfolio = result.final_portfolio
        net = cents(portfolio.total_value) - self.books.transfers
        if portfolio.as_of is not None:
            held = {one.symbol: one.quantity for one in portfolio.positions if one.quantity}
            if held != {one.symbol: one.quantity for one in self.books.positions.values()}:
                return
            if self.opening_cash is None:
                self.opening_cash = cents(portfolio.cash) - self.books.cash
                self.opened_at = portfolio.as_of
            net -= max(ZERO, cents(portfolio.cash) - self.opening_cash - self.books.cash)
        elif not portfolio.total_value:
            return
        if self.peak_net is None or net > self.peak_net:
            self.peak_net, self.peak_at = net, portfolio.as_of or result.timestamp
