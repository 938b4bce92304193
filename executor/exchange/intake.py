"""Reading a client's order: is it well-formed, and does its shape obey the market's rules?

Every rule here looks at the order alone; those that need the account are in `admission`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from executor.exchange.fields import read_number, require_increment
from executor.exchange.legs import read_legs, require_complex
from executor.exchange.messages import bad_request, forbidden, unprocessable, unsupported
from executor.exchange.orders import Ticket
from executor.exchange.universe import Instrument
from executor.model.numbers import ONE, ZERO, decimals
from executor.model.position import Side

ID_LENGTH_MAX: Final = 128
_TYPES: Final = ("market", "limit", "stop", "stop_limit", "trailing_stop")
_FORCES: Final = ("day", "gtc")
_UNSUPPORTED_FORCES: Final = ("opg", "cls", "ioc", "fok")
_INTENTS: Final = ("", "buy_to_open", "buy_to_close", "sell_to_open", "sell_to_close")


def read_ticket(body: Mapping[str, object], instrument: Instrument) -> Ticket:
    """Read an order whose symbol has been found.

    Raises:
        Refusal: With Alpaca's status, code and message.
    """
    legs = read_legs(body)
    oco = legs.order_class == "oco"
    ticket = Ticket(
        symbol=instrument.symbol,
        side=_read_side(body),
        order_type=_choice(body, "type", _TYPES),
        time_in_force=read_time_in_force(body),
        client_order_id=read_client_order_id(body),
        quantity=read_number(body, "qty"),
        notional=read_number(body, "notional"),
        # An OCO order is its own take-profit; a limit price beside that one says nothing.
        limit_price=legs.take_profit if oco else read_number(body, "limit_price"),
        stop_price=read_number(body, "stop_price"),
        order_class=legs.order_class,
        position_intent=_read_intent(body),
        trail_percent=read_number(body, "trail_percent"),
        trail_price=read_number(body, "trail_price"),
        take_profit=None if oco else legs.take_profit,
        stop_loss=legs.stop_loss,
        stop_loss_limit=legs.stop_loss_limit,
    )
    if body.get("extended_hours") not in (None, False):
        raise unsupported("extended_hours is")
    _require_size(ticket)
    require_complex(ticket, legs.take_profit)
    require_shape(ticket, instrument)
    return ticket


def require_shape(ticket: Ticket, instrument: Instrument) -> None:
    """Hold an order, new or to take another's place, to the rules of its type and of fractions.

    Raises:
        Refusal: With Alpaca's status, code and message.
    """
    _require_prices(ticket)
    _require_trail(ticket)
    _require_fraction_rules(ticket, instrument)


def read_time_in_force(body: Mapping[str, object]) -> str:
    """Read `time_in_force`: day or gtc."""
    given = body.get("time_in_force")
    if given in _UNSUPPORTED_FORCES:
        raise unsupported(f"time_in_force {given} is")
    return _choice(body, "time_in_force", _FORCES)


def read_symbol(body: Mapping[str, object]) -> str:
    """Read the symbol, or the asset id that may stand in its place."""
    symbol = body.get("symbol")
    if not isinstance(symbol, str) or not symbol:
        raise bad_request("symbol is required")
    return symbol


def read_client_order_id(body: Mapping[str, object]) -> str:
    """Read the client's own id, empty where it gives none."""
    given = body.get("client_order_id")
    if given is None or given == "":
        return ""
    # JSON can escape half a surrogate pair, which no encoding can write.
    if not isinstance(given, str) or any("\ud800" <= one <= "\udfff" for one in given):
        raise bad_request("client_order_id must be a string")
    if len(given) > ID_LENGTH_MAX:
        raise bad_request(f"client_order_id must be no more than {ID_LENGTH_MAX} characters")
    return given


def _read_side(body: Mapping[str, object]) -> Side:
    side = body.get("side")
    if side == "buy":
        return "buy"
    if side == "sell":
        return "sell"
    raise bad_request("side is required" if side in (None, "") else f"invalid side: {side}")


def _read_intent(body: Mapping[str, object]) -> str:
    intent = body.get("position_intent") or ""
    side = body.get("side")
    if intent not in _INTENTS or (intent and not str(intent).startswith(f"{side}_")):
        raise bad_request(f"invalid position_intent: {intent}")
    if intent:
        return str(intent)
    return "sell_to_close" if side == "sell" else "buy_to_open"


def _choice(body: Mapping[str, object], name: str, known: tuple[str, ...]) -> str:
    given = body.get(name)
    if given in (None, ""):
        raise bad_request(f"{name} is required")
    if given not in known:
        raise bad_request(f"invalid {name}: {given}")
    return str(given)


def _require_size(ticket: Ticket) -> None:
    if ticket.quantity is None and ticket.notional is None:
        raise bad_request("qty or notional is required")
    if ticket.quantity is not None and ticket.notional is not None:
        raise bad_request("only one of qty or notional is accepted")
    if ticket.notional is not None:
        if decimals(ticket.notional) > 2:
            raise unprocessable("notional value must be limited to 2 decimal places")
        if ticket.notional < ONE:
            raise forbidden("cost basis must be >= minimal amount of order 1")


def _require_prices(ticket: Ticket) -> None:
    """Ask for exactly the prices that the type needs, in the increments of the market."""
    needed = {
        "limit_price": ticket.order_type in ("limit", "stop_limit"),
        "stop_price": ticket.order_type in ("stop", "stop_limit"),
    }
    for name, price in (("limit_price", ticket.limit_price), ("stop_price", ticket.stop_price)):
        if needed[name] and price is None:
            raise unprocessable(f"{ticket.order_type} orders require a {name.replace('_', ' ')}")
        if price is None:
            continue
        if not needed[name]:
            raise unprocessable(
                f"{ticket.order_type} orders must not have a {name.replace('_', ' ')}"
            )
        require_increment(name, price)


def _require_trail(ticket: Ticket) -> None:
    """Ask for exactly one trail of a trailing stop, and of no other order."""
    given = {"trail_price": ticket.trail_price, "trail_percent": ticket.trail_percent}
    names = [name for name, trail in given.items() if trail is not None]
    if ticket.order_type != "trailing_stop":
        if names:
            raise bad_request(f"{ticket.order_type} orders must not have {names[0]}")
        return
    if len(names) != 1:
        raise bad_request("trailing stop orders must specify one of trail_price or trail_percent")
    require_increment("trail_price", ticket.trail_price)


def _require_fraction_rules(ticket: Ticket, instrument: Instrument) -> None:
    """Hold fractional and notional orders to DAY and to assets that can be split."""
    quantity = ticket.quantity if ticket.quantity is not None else ZERO
    if ticket.notional is None and quantity == quantity.to_integral_value():
        return
    if ticket.order_type == "trailing_stop":
        raise unprocessable("trailing stop orders must be for whole shares")
    if not instrument.fractionable:
        raise forbidden(f'asset "{instrument.symbol}" is not fractionable')
    if ticket.time_in_force != "day":
        raise unprocessable("fractional orders must be DAY orders")
