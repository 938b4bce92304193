"""What an event does to an account: its lines, its holdings, its prices and its listing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from typing import Final, Protocol

from executor.exchange.activities import Journal, Line
from executor.exchange.adjusted import FollowingPrices, ScaledPrices
from executor.exchange.events import AccountEvent, Schedule
from executor.exchange.messages import unprocessable
from executor.exchange.orders import Order
from executor.exchange.prices import PriceSource, floor_minute
from executor.exchange.today import Today
from executor.exchange.universe import Instrument
from executor.model.numbers import NANO, ONE, ZERO, cents, plain
from executor.model.position import Position

STOPS_ORDERS: Final = frozenset({"split", "merger", "symbol_change"})
"""Events that cancel every open order of their symbol: its price, number or name is another."""


class Account(Protocol):
    """What an event has to see and may change."""

    prices: PriceSource
    instruments: dict[str, Instrument]
    positions: dict[str, Position]
    open_orders: dict[str, Order]
    cash: Decimal
    journal: Journal
    schedule: Schedule

    def last_price(self, symbol: str, at: datetime) -> Decimal | None:
        """Give the USD a share of the last trade by a time."""
        ...

    def cancel(self, order: Order, now: datetime) -> None:
        """End an open order."""
        ...

    def today(self, now: datetime) -> Today:
        """Give what changed since the last close before now."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an event does to the cash and the holdings of an account."""

    lines: tuple[Line, ...] = ()
    """None where the account holds nothing that the event is about."""
    positions: tuple[Position, ...] = ()
    """The holdings that it touches, as they are afterwards."""
    realized_pl: Decimal = ZERO
    """USD: profit or loss on shares that it closed."""
    income: Decimal = ZERO
    """USD that came (went) for what is held or owed: dividends, interest, fees."""
    transferred: Decimal = ZERO
    """USD that came from outside, or went there."""
    ratio: Decimal = ONE
    """Shares afterwards for one before, of what was bought today."""


Holdings = Mapping[str, Position]


def _dividend(event: AccountEvent, holdings: Holdings) -> Outcome:
    held = holdings.get(event.symbol)
    if held is None:
        return Outcome()
    rate = event.number_of("per_share")
    paid = cents(held.quantity * rate)
    told = event.description or f"cash dividend {plain(rate)} USD a share"
    line = Line("DIV", "CDIV", event.symbol, held.quantity, paid, rate, description=told)
    return Outcome((line,), income=paid)


def _interest(event: AccountEvent, holdings: Holdings) -> Outcome:
    amount = event.number_of("amount")
    sub_type = "CDT" if amount > 0 else "MGN"
    told = event.description or ("credit interest" if amount > 0 else "margin interest")
    return Outcome((Line("INT", sub_type, net_amount=amount, description=told),), income=amount)


def _fee(event: AccountEvent, holdings: Holdings) -> Outcome:
    amount = event.number_of("amount")
    sub_type = event.sub_type or "REG"
    told = event.description or f"{sub_type} fee"
    return Outcome((Line("FEE", sub_type, net_amount=amount, description=told),), income=amount)


def _transfer(event: AccountEvent, holdings: Holdings) -> Outcome:
    amount = event.number_of("amount")
    kind = "JNLC" if event.journal else "CSD" if amount > 0 else "CSW"
    told = event.description or ("cash in" if amount > 0 else "cash out")
    return Outcome((Line(kind, net_amount=amount, description=told),), transferred=amount)


def _split(event: AccountEvent, holdings: Holdings) -> Outcome:
    held = holdings.get(event.symbol)
    if held is None:
        return Outcome()
    new, old = event.number_of("new_rate"), event.number_of("old_rate")
    quantity = (held.quantity * new / old).quantize(NANO, rounding=ROUND_DOWN)
    kept = held.cost_basis if quantity else ZERO
    told = event.description or f"split {plain(new)} for {plain(old)}"
    sub_type = "FSPLIT" if new > old else "RSPLIT"
    line = Line("SPLIT", sub_type, event.symbol, quantity - held.quantity, description=told)
    return Outcome(
        (line,),
        (Position(event.symbol, quantity, kept),),
        realized_pl=kept - held.cost_basis,
        ratio=new / old,
    )


def _symbol_change(event: AccountEvent, holdings: Holdings) -> Outcome:
    held = holdings.get(event.symbol)
    if held is None:
        return Outcome()
    told = event.description or f"{event.symbol} is now {event.new_symbol}"
    lines = (
        Line("NC", "SNC", event.symbol, -held.quantity, description=told),
        Line("NC", "SNC", event.new_symbol, held.quantity, description=told),
    )
    into = _joined(holdings, event.new_symbol, held.quantity, held.cost_basis)
    return Outcome(lines, (Position(event.symbol), into))


def _merger(event: AccountEvent, holdings: Holdings) -> Outcome:
    held = holdings.get(event.symbol)
    if held is None:
        return Outcome()
    rate, cash = event.numbers.get("rate", ZERO), event.numbers.get("cash", ZERO)
    paid = cents(held.quantity * cash)
    quantity = (held.quantity * rate).quantize(NANO, rounding=ROUND_DOWN)
    # Cash comes out of the cost first; what cost is left moves, where there are shares to hold it.
    moved = max(ZERO, held.cost_basis - paid) if quantity else ZERO
    parts = [f"{plain(cash)} USD"] if cash else []
    parts += [f"{plain(rate)} {event.new_symbol}"] if rate else []
    told = event.description or f"merger: {' and '.join(parts)} for one {event.symbol}"
    sub_type = "SCMA" if cash and rate else "CMA" if cash else "SMA"
    lines = [Line("MA", sub_type, event.symbol, -held.quantity, paid, description=told)]
    after = [Position(event.symbol)]
    if quantity:
        lines.append(Line("MA", sub_type, event.new_symbol, quantity, description=told))
        after.append(_joined(holdings, event.new_symbol, quantity, moved))
    realized = paid + moved - held.cost_basis
    return Outcome(tuple(lines), tuple(after), realized_pl=realized, ratio=rate)


def _spin_off(event: AccountEvent, holdings: Holdings) -> Outcome:
    held = holdings.get(event.symbol)
    if held is None:
        return Outcome()
    rate, price = event.number_of("rate"), event.number_of("price")
    quantity = (held.quantity * rate).quantize(NANO, rounding=ROUND_DOWN)
    if not quantity:
        return Outcome()
    moved = min(held.cost_basis, cents(quantity * price))
    told = event.description or "spin-off"
    told = f"{told}: {plain(rate)} {event.new_symbol} for one {event.symbol}"
    lines = (
        Line("SPIN", "", event.new_symbol, quantity, price=price, description=told),
        Line("SPIN", "", event.symbol, ZERO, description=told),
    )
    parent = Position(event.symbol, held.quantity, held.cost_basis - moved)
    return Outcome(lines, (parent, _joined(holdings, event.new_symbol, quantity, moved)))


def _joined(holdings: Holdings, symbol: str, quantity: Decimal, cost: Decimal) -> Position:
    before = holdings.get(symbol, Position(symbol))
    return Position(symbol, before.quantity + quantity, before.cost_basis + cost)


_OUTCOMES: Final[Mapping[str, Callable[[AccountEvent, Holdings], Outcome]]] = {
    "dividend": _dividend,
    "interest": _interest,
    "fee": _fee,
    "transfer": _transfer,
    "split": _split,
    "spin_off": _spin_off,
    "merger": _merger,
    "symbol_change": _symbol_change,
}


def outcome_of(event: AccountEvent, holdings: Holdings) -> Outcome:
    """Work out what an event does to an account that holds this; nothing is booked."""
    return _OUTCOMES[event.kind](event, holdings)


def take_effect(account: Account, event: AccountEvent) -> Outcome:
    """Book an event that is due: orders end, prices and listing change, then cash and holdings."""
    if event.kind in STOPS_ORDERS:
        for order in list(account.open_orders.values()):
            # Ending one may have ended another that belongs to it.
            if order.ticket.symbol == event.symbol and order.is_open:
                account.cancel(order, event.at)
    outcome = outcome_of(event, account.positions)
    reprice(account, event)
    today = account.today(event.at)
    for line in outcome.lines:
        account.cash += line.net_amount
        today.cash_change += line.net_amount
    for after in outcome.positions:
        before = account.positions.pop(after.symbol, Position(after.symbol))
        today.move(after.symbol, after.quantity - before.quantity)
        if after.quantity:
            account.positions[after.symbol] = after
    if event.kind in STOPS_ORDERS:
        today.convert(event.symbol, event.new_symbol or event.symbol, outcome.ratio)
    account.journal.happened(event, outcome.lines)
    return outcome


def reprice(account: Account, event: AccountEvent) -> None:
    """Change prices and listing as an event does, whatever the account holds."""
    since = floor_minute(event.at)
    if event.kind == "split":
        usual = event.number_of("old_rate") / event.number_of("new_rate")
        factor = event.numbers.get("price_factor", usual)
        account.prices = ScaledPrices(account.prices, event.symbol, since, factor)
    elif event.kind == "symbol_change":
        account.prices = FollowingPrices(account.prices, event.new_symbol, event.symbol)
        _list(account, event.new_symbol, event.symbol)
        _delist(account, event.symbol)
    elif event.kind == "spin_off":
        _reprice_parent_and_child(account, event, since)
    elif event.kind == "merger":
        _delist(account, event.symbol)


def _reprice_parent_and_child(account: Account, event: AccountEvent, since: datetime) -> None:
    """Let the parent lose what the child is worth, and a new child follow the parent's path."""
    whole = account.last_price(event.symbol, event.at)
    rate, price = event.number_of("rate"), event.number_of("price")
    if event.new_symbol not in account.instruments:
        _list(account, event.new_symbol, event.symbol)
        if whole is not None:
            # Under the parent's own layer: the child follows what the whole would have been.
            account.prices = FollowingPrices(
                account.prices, event.new_symbol, event.symbol, price / whole
            )
    if whole is not None and whole > rate * price:
        factor = (whole - rate * price) / whole
        account.prices = ScaledPrices(account.prices, event.symbol, since, factor)


def _list(account: Account, symbol: str, like: str) -> None:
    old = account.instruments[like]
    account.instruments[symbol] = replace(old, symbol=symbol, name=f"{symbol} (from {like})")


def _delist(account: Account, symbol: str) -> None:
    account.instruments[symbol] = replace(account.instruments[symbol], active=False)


def put_position(
    account: Account, symbol: str, quantity: Decimal, price: Decimal, at: datetime
) -> None:
    """Let the account hold so many shares at that average price, whatever it held before.

    No order and no activity tells of it: cash stays, and what the change is worth comes from
    nowhere.
    """
    before = account.positions.pop(symbol, Position(symbol))
    change = quantity - before.quantity
    account.today(at).move(symbol, change)
    account.journal.moved(at, symbol, change)
    if quantity:
        account.positions[symbol] = Position(symbol, quantity, cents(quantity * price))


def require_room(account: Account, event: AccountEvent, now: datetime) -> None:
    """Refuse a spin-off whose part would be worth more than the whole.

    Raises:
        Refusal: It would.
    """
    whole = account.last_price(event.symbol, now) if event.kind == "spin_off" else None
    if whole is not None and event.numbers["rate"] * event.numbers["price"] >= whole:
        part = plain(event.numbers["rate"] * event.numbers["price"])
        raise unprocessable(
            f"event spin_off: rate times price {part}, limit below the last price {plain(whole)} "
            f"of {event.symbol}"
        )
