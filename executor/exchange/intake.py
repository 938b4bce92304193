"""Reading a client's order: is it well-formed, and does its shape obey the market's rules?

Every rule here looks at the order alone; those that need the account are in `desk`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Final

from executor.exchange.messages import bad_request, forbidden, unprocessable, unsupported
from executor.exchange.orders import Ticket
from executor.exchange.universe import Instrument
from executor.model.numbers import ONE, ZERO, decimals, is_bounded
from executor.model.position import Side

ID_LENGTH_MAX: Final = 128
_TYPES: Final = ("market", "limit", "stop", "stop_limit")
_FORCES: Final = ("day", "gtc")
_UNSUPPORTED_TYPES: Final = ("trailing_stop",)
_UNSUPPORTED_FORCES: Final = ("opg", "cls", "ioc", "fok")
_UNSUPPORTED_CLASSES: Final = ("bracket", "oco", "oto", "mleg")
_DIGITS: Final = frozenset("0123456789.eE+-")
_INTENTS: Final = ("", "buy_to_open", "buy_to_close", "sell_to_open", "sell_to_close")


def read_ticket(body: Mapping[str, object], instrument: Instrument) -> Ticket:
    """Read an order whose symbol has been found.

    Raises:
        Refusal: With Alpaca's status, code and message.
    """
    ticket = Ticket(
        symbol=instrument.symbol,
        side=_read_side(body),
        order_type=_choice(body, "type", _TYPES, _UNSUPPORTED_TYPES),
        time_in_force=_choice(body, "time_in_force", _FORCES, _UNSUPPORTED_FORCES),
        client_order_id=read_client_order_id(body),
        quantity=_number(body, "qty"),
        notional=_number(body, "notional"),
        limit_price=_number(body, "limit_price"),
        stop_price=_number(body, "stop_price"),
        order_class=_read_class(body),
        position_intent=_read_intent(body),
    )
    if body.get("extended_hours") not in (None, False):
        raise unsupported("extended_hours is")
    _require_size(ticket)
    _require_prices(ticket)
    _require_fraction_rules(ticket, instrument)
    return ticket


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


def _read_class(body: Mapping[str, object]) -> str:
    order_class = body.get("order_class") or "simple"
    if order_class in _UNSUPPORTED_CLASSES:
        raise unsupported(f"{order_class} orders are")
    if order_class != "simple":
        raise bad_request(f"invalid order_class: {order_class}")
    if body.get("take_profit") is not None or body.get("stop_loss") is not None:
        raise bad_request("simple orders must not have take_profit or stop_loss")
    return str(body.get("order_class") or "")


def _read_intent(body: Mapping[str, object]) -> str:
    intent = body.get("position_intent") or ""
    side = body.get("side")
    if intent not in _INTENTS or (intent and not str(intent).startswith(f"{side}_")):
        raise bad_request(f"invalid position_intent: {intent}")
    if intent:
        return str(intent)
    return "sell_to_close" if side == "sell" else "buy_to_open"


def _choice(
    body: Mapping[str, object], name: str, known: tuple[str, ...], later: tuple[str, ...]
) -> str:
    given = body.get(name)
    if given in (None, ""):
        raise bad_request(f"{name} is required")
    if given in later:
        raise unsupported(f"{name} {given} is")
    if given not in known:
        raise bad_request(f"invalid {name}: {given}")
    return str(given)


def _number(body: Mapping[str, object], name: str) -> Decimal | None:
    """Read a positive number, given as a string or as a JSON number."""
    given = body.get(name)
    if given is None or given == "":
        return None
    if isinstance(given, bool) or not isinstance(given, (str, int, Decimal)):
        raise bad_request(f"invalid {name}")
    # Decimal would read "1_000", " 1" and the digits of other scripts.
    if isinstance(given, str) and not set(given) <= _DIGITS:
        raise bad_request(f"invalid {name}: {given}")
    try:
        number = Decimal(given)
    except InvalidOperation as error:
        raise bad_request(f"invalid {name}: {given}") from error
    if not number.is_finite() or number <= 0:
        raise bad_request(f"{name} must be > 0")
    if not is_bounded(number):
        raise unprocessable(f"{name} must be limited to 9 decimal places and below 10^12")
    return number


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
        if decimals(price) > (2 if price >= ONE else 4):
            raise unprocessable(
                f"invalid {name} {price}. sub-penny increment does not fulfill minimum pricing "
                "criteria"
            )


def _require_fraction_rules(ticket: Ticket, instrument: Instrument) -> None:
    """Hold fractional and notional orders to DAY and to assets that can be split."""
    quantity = ticket.quantity if ticket.quantity is not None else ZERO
    if ticket.notional is None and quantity == quantity.to_integral_value():
        return
    if not instrument.fractionable:
        raise forbidden(f'asset "{instrument.symbol}" is not fractionable')
    if ticket.time_in_force != "day":
        raise unprocessable("fractional orders must be DAY orders")
