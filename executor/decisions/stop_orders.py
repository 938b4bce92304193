"""Orders that protect: what to ask the broker for, and whether one that stands is as good."""

from __future__ import annotations

from decimal import Decimal

from executor.model.ledger import Lot
from executor.model.order import OrderReport, OrderRequest
from executor.model.order_id import Leg, client_order_id


def stop_request(repository: str, lot: Lot, leg: Leg, quantity: Decimal) -> OrderRequest:
    """The order that protects shares of a lot, under the next id of its leg.

    Args:
        repository: the settings' name of this repository.
        lot: what is protected.
        leg: `stop` lasts; `fraction` is for the session; `target` is a pair, whose stop the broker
            hangs on its target.
        quantity: shares.
    """
    if leg == "target":
        return OrderRequest(
            client_order_id=_key(repository, lot, leg),
            symbol=lot.symbol,
            side="sell",
            order_type="limit",
            time_in_force="gtc",
            quantity=quantity,
            order_class="oco",
            take_profit_price=lot.take_profit_price,
            stop_loss_price=lot.stop_price,
        )
    return OrderRequest(
        client_order_id=_key(repository, lot, leg),
        symbol=lot.symbol,
        side="sell",
        order_type="stop" if lot.trail_percent is None else "trailing_stop",
        time_in_force="day" if leg == "fraction" else "gtc",
        quantity=quantity,
        stop_price=lot.stop_price,
        trail_percent=lot.trail_percent,
    )


def exit_request(repository: str, lot: Lot, quantity: Decimal) -> OrderRequest:
    """The order that sells shares at the market in place of their stop."""
    return OrderRequest(
        client_order_id=_key(repository, lot, "stop"),
        symbol=lot.symbol,
        side="sell",
        order_type="market",
        time_in_force="day",
        quantity=quantity,
    )


def _key(repository: str, lot: Lot, leg: Leg) -> str:
    place, number = lot.key, lot.next_number(leg)
    return client_order_id(repository, place.plan_digest, place.index, leg, number)


def is_stop(report: OrderReport) -> bool:
    """True for an order that a falling price sets off."""
    return report.order_type in ("stop", "stop_limit", "trailing_stop")


def stops(lot: Lot, leg: Leg, quantity: Decimal, report: OrderReport) -> bool:
    """True for a stop of the right size at the lot's price or a tighter one, that lasts.

    Args:
        lot: what is protected.
        leg: the part that is asked for.
        quantity: shares.
        report: the order that stands.
    """
    if not is_stop(report) or not _is_as_asked(leg, quantity, report):
        return False
    if lot.trail_percent is not None:
        trail = report.trail_percent
        trails = report.order_type == "trailing_stop" and trail is not None
        return trails and (trail or Decimal(0)) <= lot.trail_percent
    assert lot.stop_price is not None, "a lot has a stop price or trails"
    return report.stop_price is not None and report.stop_price >= lot.stop_price


def takes_profit(quantity: Decimal, report: OrderReport) -> bool:
    """True for the target of a pair, of the right size, that lasts."""
    return report.order_type == "limit" and _is_as_asked("target", quantity, report)


def _is_as_asked(leg: Leg, quantity: Decimal, report: OrderReport) -> bool:
    """True for the right size, and a life that no session ends but a fraction's.

    What the broker hung on a DAY entry ends with that entry's session.
    """
    lasts = leg == "fraction" or report.time_in_force == "gtc"
    return lasts and report.open_quantity == quantity
