"""Orders of an opening: from Alpaca's JSON form, past or open, with their legs, to live orders."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final

from executor.exchange.groups import group_id, leg_client_order_id
from executor.exchange.messages import read_time
from executor.exchange.orders import COMPLEX, TERMINAL, Order, Ticket
from executor.exchange.prices import floor_minute
from executor.exchange.universe import stable_id
from executor.model.numbers import ONE, ZERO

_ENDS: Final = {"filled": "filled_at", "canceled": "canceled_at", "expired": "expired_at"}


def restore(raw: Mapping[str, object], account_number: str) -> tuple[Order, ...]:
    """Take over an order, and its legs behind it, from Alpaca's JSON form.

    `processed_through` (optional; legs have their parent's unless they name their own) tells up to
    when an open order is known not to have filled; without it the order is matched from
    `submitted_at` on, and a leg from when its entry filled. `hwm` is believed only beside
    `processed_through`; without it a trailing stop looks at its path again.

    A leg's `id`, `client_order_id`, `symbol` and times may be absent: they follow from its parent.
    An open order of a complex class that comes without legs and without a parent is a simple one.
    """
    legs = raw.get("legs")
    children = [one for one in legs if isinstance(one, Mapping)] if isinstance(legs, list) else []
    order = _restore(raw, account_number, grouped=bool(children))
    if not children:
        return (order,)
    oco = order.ticket.order_class == "oco"
    order.role = "take_profit" if oco else "entry"
    order.group_id = order.group_id or group_id(order.id)
    restored = [_restore_leg(one, raw, order, account_number) for one in children]
    order.legs = tuple(leg.id for leg in restored)
    sheltered = (order.is_open and oco) or any(
        leg.is_open and leg.role == "take_profit" for leg in restored
    )
    for leg in restored:
        if leg.is_dormant or (leg.is_open and leg.role == "stop_loss" and sheltered):
            leg.status = "held"
        elif leg.status == "held":
            leg.status = "new"
    return (order, *restored)


def _restore_leg(
    raw: Mapping[str, object], parent_raw: Mapping[str, object], parent: Order, account: str
) -> Order:
    role = str(raw.get("group_role") or ("take_profit" if _type(raw) == "limit" else "stop_loss"))
    inherited = {
        "client_order_id": leg_client_order_id(parent.id, role),
        "symbol": parent.ticket.symbol,
        "time_in_force": parent.ticket.time_in_force,
        "submitted_at": parent.submitted_at,
        "processed_through": parent_raw.get("processed_through"),
        "order_class": parent.ticket.order_class,
    }
    given = {name: value for name, value in raw.items() if value is not None}
    leg = _restore({**inherited, **given}, account, grouped=True)
    leg.parent_id, leg.group_id, leg.role = parent.id, parent.group_id, role
    if parent.is_open and parent.ticket.order_class != "oco":
        leg.live_from = None
    elif parent.ticket.order_class != "oco":
        ended = parent.filled_at or parent.updated_at
        leg.live_from = max(leg.submitted_at, ended)
    return leg


def _restore(raw: Mapping[str, object], account_number: str, *, grouped: bool) -> Order:
    status = str(raw.get("status") or "new")
    ticket = _ticket(raw, grouped or status in TERMINAL)
    submitted = _time(raw.get("submitted_at"))
    assert submitted is not None, f"the opening's order {ticket.client_order_id} has submitted_at"
    processed = _time(raw.get("processed_through"))
    filled = _number(raw.get("filled_qty")) or ZERO
    value = filled * (_number(raw.get("filled_avg_price")) or ZERO)
    updated = _time(raw.get("updated_at")) or submitted
    ended = {name: _time(raw.get(name)) for name in ("replaced_at", *_ENDS.values())}
    if status in _ENDS:
        ended[_ENDS[status]] = ended[_ENDS[status]] or submitted
    order = Order(
        id=str(raw.get("id") or stable_id(account_number, "order", ticket.client_order_id)),
        sequence=0,
        ticket=ticket,
        client_order_id=ticket.client_order_id,
        status=status,
        submitted_at=submitted,
        updated_at=updated,
        expires_at=_time(raw.get("expires_at")),
        filled_quantity=filled,
        filled_value=value,
        filled_at=ended["filled_at"],
        canceled_at=ended["canceled_at"],
        expired_at=ended["expired_at"],
        failed_at=submitted if status == "rejected" else None,
        replaced_at=ended["replaced_at"],
        replaced_by=_text(raw.get("replaced_by")),
        replaces=_text(raw.get("replaces")),
        live_from=submitted,
        group_id=_text(raw.get("group_id")) if ticket.order_class in COMPLEX else None,
        role=_text(raw.get("group_role")) if ticket.order_class in COMPLEX else None,
        hwm=_number(raw.get("hwm")) if processed or status in TERMINAL else None,
        looked_until=None if processed is None else floor_minute(processed),
    )
    if order.is_open and order.remaining(ONE) <= 0:
        order.status, order.filled_at = "filled", order.filled_at or updated
    return order


def _ticket(raw: Mapping[str, object], keeps_class: bool) -> Ticket:
    order_class = str(raw.get("order_class") or "")
    trail_percent, trail_price = _number(raw.get("trail_percent")), _number(raw.get("trail_price"))
    trails = trail_percent is not None or trail_price is not None
    return Ticket(
        symbol=str(raw["symbol"]),
        side="sell" if raw["side"] == "sell" else "buy",
        order_type=_type(raw),
        time_in_force=str(raw.get("time_in_force") or "day"),
        client_order_id=str(raw["client_order_id"]),
        quantity=_number(raw.get("qty")),
        notional=_number(raw.get("notional")),
        limit_price=_number(raw.get("limit_price")),
        # A trailing stop's moves with the price; it follows from the best price so far.
        stop_price=None if trails else _number(raw.get("stop_price")),
        order_class="simple" if order_class in COMPLEX and not keeps_class else order_class,
        position_intent=str(raw.get("position_intent") or _intent(str(raw["side"]))),
        trail_percent=trail_percent,
        trail_price=trail_price,
    )


def _type(raw: Mapping[str, object]) -> str:
    return str(raw.get("type") or raw.get("order_type") or "market")


def _intent(side: str) -> str:
    return "sell_to_close" if side == "sell" else "buy_to_open"


def _text(raw: object) -> str | None:
    return None if raw is None or raw == "" else str(raw)


def _number(raw: object) -> Decimal | None:
    return None if raw is None or raw == "" else Decimal(str(raw))


def _time(raw: object) -> datetime | None:
    if raw is None or isinstance(raw, datetime):
        return raw
    return read_time(str(raw), "time of an order")
