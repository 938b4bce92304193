"""The account's state on the exchange and what changes it: orders in, time on, fills booked.

No clock and no input or output: every method is told the time, and time only moves forward.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from heapq import heapify, heappop, heappush

from executor.exchange.matching import Event, next_event, side_price
from executor.exchange.messages import unprocessable
from executor.exchange.opening import Opening
from executor.exchange.orders import Fill, Order, Ticket, Treatment, restore
from executor.exchange.prices import PriceSource
from executor.exchange.sessions import MINUTE, Sessions
from executor.exchange.universe import Instrument, listing, stable_id
from executor.model.numbers import ZERO
from executor.model.position import Position, Side, apply_fill


@dataclass(slots=True)
class AccountFlags:
    """What blocks an account; set by tests and by `PATCH /sim/account`."""

    status: str = "ACTIVE"
    trading_blocked: bool = False
    transfers_blocked: bool = False
    account_blocked: bool = False
    trade_suspended_by_user: bool = False


@dataclass(slots=True)
class Traded:
    """What was traded in one symbol since the last close."""

    bought: Decimal = ZERO
    """Shares."""
    bought_value: Decimal = ZERO
    """USD paid for them, not rounded."""
    change: Decimal = ZERO
    """Shares bought less shares sold."""


@dataclass(slots=True)
class Today:
    """The trades since a session's close, kept as sums so that a look at them costs nothing."""

    closed: datetime
    """The close that they follow."""
    cash_change: Decimal = ZERO
    """USD, to the cent."""
    symbols: dict[str, Traded] = field(default_factory=dict)


class Desk:
    """One account with its cash, positions and orders."""

    def __init__(
        self, prices: PriceSource, sessions: Sessions, opening: Opening, now: datetime
    ) -> None:
        """Take over an opening. Nothing is matched before `advance`."""
        self.prices = prices
        self.sessions = sessions
        self.opening = opening
        self.opened_at = now
        self.instruments: dict[str, Instrument] = listing(prices.symbols())
        self.flags = AccountFlags()
        self.cash = opening.cash
        self.positions = {held.symbol: held for held in opening.positions if held.quantity}
        self.orders: dict[str, Order] = {}
        """By the exchange's id, in the order of submission."""
        self.by_client_id: dict[str, Order] = {}
        self.open_orders: dict[str, Order] = {}
        self.fills: list[Fill] = []
        """Every fill since the exchange was made, in time."""
        self._today = Today(sessions.previous(now).closes)
        past = [restore(raw, opening.account_number) for raw in opening.orders]
        for order in sorted(past, key=lambda one: one.submitted_at):
            taken = order.client_order_id in self.by_client_id
            assert not taken, f"the opening names order {order.client_order_id} once"
            order.sequence = len(self.orders)
            if order.is_open:
                order.estimate = self._estimate(order.ticket, order.submitted_at) or ZERO
            self._take_over(order)

    def instrument(self, symbol_or_id: str) -> Instrument | None:
        """Find a listed symbol, by its name or its asset id."""
        found = self.instruments.get(symbol_or_id)
        if found is None and len(symbol_or_id) == 36:
            found = next(
                (one for one in self.instruments.values() if one.asset_id == symbol_or_id), None
            )
        return found

    def asset_id(self, symbol: str) -> str:
        """Give the asset id of a symbol, also of one that is listed no more."""
        return stable_id("asset", symbol)

    def submit(self, ticket: Ticket, now: datetime, treatment: Treatment | None = None) -> Order:
        """Accept an order that has been admitted; `advance` fills it."""
        client_order_id = ticket.client_order_id or self._generated_id()
        assert client_order_id not in self.by_client_id, f"{client_order_id} has been admitted"
        open_now = self.sessions.current(now) is not None
        order = Order(
            id=stable_id(self.opening.account_number, "order", client_order_id),
            sequence=len(self.orders),
            ticket=ticket,
            client_order_id=client_order_id,
            status="pending_new" if open_now else "accepted",
            submitted_at=now,
            updated_at=now,
            estimate=self.check_price(ticket, now),
            treatment=treatment or Treatment(),
        )
        self._take_over(order)
        return order

    def check_price(self, ticket: Ticket, now: datetime) -> Decimal:
        """Give the USD a share at which an order is checked.

        Its limit or stop; for a market order the ask (bid) in session, the last trade when closed.

        Raises:
            Refusal: There is no price at all.
        """
        estimate = self._estimate(ticket, now)
        if estimate is None:
            raise unprocessable(f'no quote is available for "{ticket.symbol}"')
        return estimate

    def _estimate(self, ticket: Ticket, now: datetime) -> Decimal | None:
        own = ticket.limit_price or ticket.stop_price
        last_price = own or self.last_price(ticket.symbol, now)
        if own is not None or last_price is None or self.sessions.current(now) is None:
            return last_price
        return side_price(ticket.side, last_price)

    def cancel(self, order: Order, now: datetime) -> None:
        """End an open order.

        Raises:
            Refusal: It has ended already.
        """
        if not order.is_open:
            raise unprocessable(f'order is already in "{order.status}" state')
        order.canceled_at = now
        self._end(order, "canceled", now)

    def look(self, orders: Iterable[Order]) -> None:
        """Count a poll of each order, which injected late fills wait for."""
        for order in orders:
            order.polls += 1

    def advance(self, now: datetime) -> None:
        """Let everything happen that is due by now, in the order of time, then of submission."""
        for order in [one for one in self.open_orders.values() if one.treatment.reject]:
            order.failed_at = now
            self._end(order, "rejected", now)
        due: list[tuple[datetime, int, Order, Event]] = []
        for order in self.open_orders.values():
            event = next_event(order, self.prices, self.sessions, now)
            if event is not None:
                due.append((event.at, order.sequence, order, event))
        heapify(due)
        while due:
            _, _, order, event = heappop(due)
            self._apply(order, event)
            again = next_event(order, self.prices, self.sessions, now) if order.is_open else None
            if again is not None:
                heappush(due, (again.at, order.sequence, order, again))
        self._acknowledge(now)

    def last_price(self, symbol: str, at: datetime) -> Decimal | None:
        """Give the USD a share of the last trade by a time; None where there was none yet.

        While the market is closed that is the price at the last close: the path goes on, but
        nobody trades along it.
        """
        if self.sessions.current(at) is None:
            at = self.sessions.previous(at).closes - MINUTE
        return self.prices.price(symbol, at)

    def mark(self, symbol: str, at: datetime) -> Decimal:
        """Give the USD a share at which a holding is valued; its own cost where no price exists."""
        price = self.last_price(symbol, at)
        if price is not None:
            return price
        held = self.positions.get(symbol)
        return held.average_entry_price if held is not None else ZERO

    def held_for_orders(self, symbol: str) -> Decimal:
        """Give the shares of a symbol that open SELLs hold back."""
        orders = self.open_orders.values()
        return sum((one.held() for one in orders if one.ticket.symbol == symbol), ZERO)

    def reserved(self) -> Decimal:
        """Give the USD that open BUYs hold back."""
        return sum((one.reserve() for one in self.open_orders.values()), ZERO)

    def today(self, now: datetime) -> Today:
        """Give what was traded since the last close before now."""
        closed = self.sessions.previous(now).closes
        if self._today.closed < closed:
            self._today = Today(closed)
        return self._today

    def _take_over(self, order: Order) -> None:
        if order.ticket.time_in_force == "day" and order.is_open:
            order.expires_at = self.sessions.serving(order.submitted_at).closes
        self.orders[order.id] = order
        self.by_client_id[order.client_order_id] = order
        if order.is_open:
            self.open_orders[order.id] = order

    def _generated_id(self) -> str:
        number = len(self.orders)
        while True:
            made = stable_id(self.opening.account_number, "generated", str(number))
            if made not in self.by_client_id:
                return made
            number += 1

    def _acknowledge(self, now: datetime) -> None:
        """Call what came in `new` once the market is open, `accepted` until then."""
        waiting = [
            one for one in self.open_orders.values() if one.status in ("pending_new", "accepted")
        ]
        if not waiting:
            return
        status = "new" if self.sessions.current(now) is not None else "accepted"
        for order in waiting:
            order.status = status

    def _apply(self, order: Order, event: Event) -> None:
        if event.quantity is None or event.price is None:
            order.expired_at = event.at
            self._end(order, "expired", event.at)
        else:
            self._book(order, event.quantity, event.price, event.at)

    def _book(self, order: Order, quantity: Decimal, price: Decimal, at: datetime) -> None:
        symbol, side = order.ticket.symbol, order.ticket.side
        before = self.positions.get(symbol, Position(symbol))
        effect = apply_fill(before, side, quantity, price)
        assert effect.position.quantity >= 0, f"a fill of {symbol} never opens a short position"
        self.cash += effect.cash_change
        self.positions.pop(symbol, None)
        if effect.position.quantity:
            self.positions[symbol] = effect.position
        self.fills.append(Fill(order.id, order.client_order_id, symbol, side, quantity, price, at))
        self._add_to_today(side, symbol, quantity, price, effect.cash_change, at)
        order.filled_quantity += quantity
        order.filled_value += quantity * price
        order.filled_at = at
        if order.remaining(price) > 0:
            order.status = "partially_filled"
            order.updated_at = at
        else:
            self._end(order, "filled", at)

    def _add_to_today(
        self,
        side: Side,
        symbol: str,
        quantity: Decimal,
        price: Decimal,
        cash_change: Decimal,
        at: datetime,
    ) -> None:
        today = self.today(at)
        if at < today.closed:
            return  # A resting order of the opening filled before the day that the account is in.
        traded = today.symbols.setdefault(symbol, Traded())
        today.cash_change += cash_change
        if side == "buy":
            traded.bought += quantity
            traded.bought_value += quantity * price
            traded.change += quantity
        else:
            traded.change -= quantity

    def _end(self, order: Order, status: str, at: datetime) -> None:
        order.status = status
        order.updated_at = at
        self.open_orders.pop(order.id, None)
