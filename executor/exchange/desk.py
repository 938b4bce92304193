"""The account's state on the exchange and what changes it: orders in, time on, fills booked.

No clock and no input or output: every method is told the time, and time only moves forward.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from heapq import heapify, heappop, heappush

from executor.exchange.activities import Journal
from executor.exchange.configurations import Configurations
from executor.exchange.corporate import reprice, take_effect
from executor.exchange.events import Schedule, read_event
from executor.exchange.groups import (
    group_id,
    held_shares,
    is_entry,
    leg_tickets,
    others,
    release_legs,
    shrink_others,
    status_of_others,
)
from executor.exchange.matching import Event, next_event, side_price, was_triggered
from executor.exchange.messages import unprocessable
from executor.exchange.opening import Opening
from executor.exchange.orders import Fill, Order, Ticket, Treatment
from executor.exchange.prices import PriceSource
from executor.exchange.restoring import restore
from executor.exchange.sessions import MINUTE, Sessions
from executor.exchange.today import Today
from executor.exchange.universe import Instrument, listing, stable_id
from executor.model.numbers import ZERO
from executor.model.position import Position, apply_fill


@dataclass(slots=True)
class AccountFlags:
    """What blocks an account; set by tests and by `PATCH /sim/account`."""

    status: str = "ACTIVE"
    trading_blocked: bool = False
    transfers_blocked: bool = False
    account_blocked: bool = False
    trade_suspended_by_user: bool = False


class Desk:
    """One account with its cash, positions and orders."""

    def __init__(
        self, prices: PriceSource, sessions: Sessions, opening: Opening, now: datetime
    ) -> None:
        """Take over an opening. Nothing is matched before `advance`."""
        self.prices: PriceSource = prices
        """The source, under a layer for each corporate action that changed a path."""
        self.sessions = sessions
        self.opening = opening
        self.opened_at = now
        self.instruments: dict[str, Instrument] = listing(prices.symbols())
        self.flags = AccountFlags()
        self.configurations = Configurations()
        self.cash = opening.cash
        self.positions = {held.symbol: held for held in opening.positions if held.quantity}
        self.orders: dict[str, Order] = {}
        """By the exchange's id, in the order of submission."""
        self.by_client_id: dict[str, Order] = {}
        self.open_orders: dict[str, Order] = {}
        self.fills: list[Fill] = []
        """Every fill since the exchange was made, in time."""
        self.journal = Journal(opening.account_number)
        self.schedule = Schedule()
        self._today = Today(sessions.previous(now).closes)
        self._expect_events(now)
        past = [one for raw in opening.orders for one in restore(raw, opening.account_number)]
        for order in sorted(past, key=lambda one: one.submitted_at):
            taken = order.client_order_id in self.by_client_id
            assert not taken, f"the opening names order {order.client_order_id} once"
            order.sequence = len(self.orders)
            if order.is_open:
                self._recall(order)
            self._take_over(order)
            self.journal.known(order)

    def _expect_events(self, now: datetime) -> None:
        """Take over the opening's events: past ones have changed cash and holdings already."""
        for event in sorted(map(read_event, self.opening.events), key=lambda one: one.at):
            self.schedule.require_listed(event, self.instruments)
            if event.at <= now:
                reprice(self, event)
            else:
                self.schedule.add(event)

    def _recall(self, order: Order) -> None:
        """Find out of an open order of the opening what its form does not tell, the path does."""
        ticket = order.ticket
        if ticket.trails and order.hwm is None:
            order.hwm, order.looked_until = self.last_price(ticket.symbol, order.submitted_at), None
        order.estimate = self._estimate(ticket, order.submitted_at) or ZERO
        if ticket.order_type == "stop_limit" and order.looked_until and not order.is_dormant:
            until = order.looked_until
            order.triggered = was_triggered(order, self.prices, self.sessions, until)

    @property
    def multiplier(self) -> int:
        """Buying power over equity, no more than the account's owner wants."""
        return min(self.opening.multiplier, int(self.configurations.max_margin_multiplier))

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
        open_now = self.sessions.current(now) is not None
        status = "pending_new" if open_now else "accepted"
        order = self._order(ticket, client_order_id, status, now)
        order.treatment = treatment or Treatment()
        self._take_over(order)
        for role, leg_ticket in leg_tickets(ticket, order.id):
            leg = self._order(leg_ticket, leg_ticket.client_order_id, "held", now)
            leg.live_from = now if ticket.order_class == "oco" else None
            leg.parent_id, leg.role = order.id, role
            leg.group_id = order.group_id = group_id(order.id)
            order.role = "take_profit" if ticket.order_class == "oco" else "entry"
            order.legs = (*order.legs, leg.id)
            self._take_over(leg)
        return order

    def replace(self, order: Order, ticket: Ticket, now: datetime) -> Order:
        """Let a new order take the place of an open one, as itself, as a leg and before its legs.

        Args:
            order: The old one.
            ticket: The new one, which has been admitted.
            now: When.
        """
        client_order_id = ticket.client_order_id or self._generated_id()
        open_now = self.sessions.current(now) is not None
        status = "pending_new" if open_now else "accepted"
        new = self._order(ticket, client_order_id, status, now)
        if order.status == "held":
            new.status = "held"
        new.replaces, order.replaced_by = order.id, new.id
        new.hwm = order.hwm
        new.live_from = None if order.is_dormant else now
        new.parent_id, new.legs = order.parent_id, order.legs
        new.group_id, new.role = order.group_id, order.role
        for leg in order.legs:
            self.orders[leg].parent_id = new.id
        if order.parent_id:
            parent = self.orders[order.parent_id]
            parent.legs = tuple(new.id if leg == order.id else leg for leg in parent.legs)
        order.parent_id, order.legs = None, ()
        self._end(order, "replaced", now)
        self._take_over(new)
        return new

    def _order(self, ticket: Ticket, client_order_id: str, status: str, now: datetime) -> Order:
        assert client_order_id not in self.by_client_id, f"{client_order_id} has been admitted"
        return Order(
            id=stable_id(self.opening.account_number, "order", client_order_id),
            sequence=len(self.orders),
            ticket=ticket,
            client_order_id=client_order_id,
            status=status,
            submitted_at=now,
            updated_at=now,
            live_from=now,
            hwm=self.last_price(ticket.symbol, now) if ticket.trails else None,
            estimate=self.check_price(ticket, now),
        )

    def check_price(self, ticket: Ticket, now: datetime) -> Decimal:
        """Give the USD a share at which an order is checked.

        Its limit or stop, of a trailing stop the first one; for a market order the ask (bid) in
        session, the last trade when closed.

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
        if own is not None or last_price is None:
            return last_price
        if ticket.trails:
            return ticket.trailing_level(last_price)
        if self.sessions.current(now) is None:
            return last_price
        return side_price(ticket.side, last_price)

    def cancel(self, order: Order, now: datetime) -> None:
        """End an open order, and with it every open order of its group.

        Raises:
            Refusal: It has ended already.
        """
        if not order.is_open:
            raise unprocessable(f'order is already in "{order.status}" state')
        self._end(order, "canceled", now)

    def cancel_all(self, now: datetime) -> list[Order]:
        """End every open order, and give them."""
        canceled = list(self.open_orders.values())
        for order in canceled:
            if order.is_open:  # Not where another one of its group has taken it along.
                self._end(order, "canceled", now)
        return canceled

    def look(self, orders: Iterable[Order]) -> None:
        """Count a poll of each order, which injected late fills wait for."""
        for order in orders:
            order.polls += 1

    def advance(self, now: datetime) -> None:
        """Let everything happen that is due by now, in the order of time, then of submission."""
        while event := self.schedule.take_due(now):
            # The prices of its minute are those after it.
            self._pass_time(event.at - timedelta.resolution)
            take_effect(self, event)
        self._pass_time(now)

    def _pass_time(self, now: datetime) -> None:
        for order in [one for one in self.open_orders.values() if one.treatment.reject]:
            self._end(order, "rejected", now)
        due: list[tuple[datetime, int, Order, Event]] = []
        for order in self.open_orders.values():
            event = next_event(order, self.prices, self.sessions, now)
            if event is not None:
                due.append((event.at, order.sequence, order, event))
        heapify(due)
        while due:
            _, _, order, event = heappop(due)
            if not order.is_open:
                continue  # Another order of its group was earlier.
            for touched in self._apply(order, event):
                again = next_event(touched, self.prices, self.sessions, now)
                if again is not None:
                    heappush(due, (again.at, touched.sequence, touched, again))
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
        return sum(
            (held_shares(one, self.orders) for one in orders if one.ticket.symbol == symbol), ZERO
        )

    def reserved(self, apart_from: Order | None = None) -> Decimal:
        """Give the USD that open BUYs hold back, all or all but one."""
        orders = self.open_orders.values()
        return sum((one.reserve() for one in orders if one is not apart_from), ZERO)

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

    def _apply(self, order: Order, event: Event) -> list[Order]:
        """Let an event happen, and give the open orders for which there may now be another."""
        if event.quantity is None or event.price is None:
            self._end(order, "expired", event.at)
            return []
        # The other exit may have filled in part since the event was found.
        quantity = min(event.quantity, order.remaining(event.price))
        self._book(order, quantity, event.price, event.at)
        if order.is_open:
            shrink_others(order, self.orders, event.at)
            return [order]
        return release_legs(order, self.orders, event.at) if is_entry(order) else []

    def _book(self, order: Order, quantity: Decimal, price: Decimal, at: datetime) -> None:
        symbol, side = order.ticket.symbol, order.ticket.side
        before = self.positions.get(symbol, Position(symbol))
        effect = apply_fill(before, side, quantity, price)
        assert effect.position.quantity >= 0, f"a fill of {symbol} never opens a short position"
        self.cash += effect.cash_change
        self.positions.pop(symbol, None)
        if effect.position.quantity:
            self.positions[symbol] = effect.position
        fill = Fill(order.id, order.client_order_id, symbol, side, quantity, price, at)
        self.fills.append(fill)
        today = self.today(at)
        # A resting order of the opening may have filled before the day that the account is in.
        if at >= today.closed:
            today.trade(side, symbol, quantity, price, effect.cash_change)
        order.filled_quantity += quantity
        order.filled_value += quantity * price
        order.filled_at = at
        if order.remaining(price) > 0:
            order.status = "partially_filled"
            order.updated_at = at
        else:
            self._end(order, "filled", at)
        self.journal.filled(order, fill, effect.cash_change)

    def _end(self, order: Order, status: str, at: datetime) -> None:
        order.status = status
        order.updated_at = at
        order.canceled_at = at if status == "canceled" else order.canceled_at
        order.expired_at = at if status == "expired" else order.expired_at
        order.failed_at = at if status == "rejected" else order.failed_at
        order.replaced_at = at if status == "replaced" else order.replaced_at
        self.open_orders.pop(order.id, None)
        if status == "filled" and is_entry(order):
            return  # Its legs come to life.
        for other in others(order, self.orders):
            if other.is_open:  # Not where the one before has taken it along.
                self._end(other, status_of_others(order, status, other), at)
