"""What holds for every sequence of orders, prices and pauses."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from executor.exchange.opening import Opening
from executor.exchange.prices import SeededPrices
from executor.exchange.sessions import AlwaysOpen, NyseSessions
from executor.model.position import Position, apply_fill, fill_notional
from tests.exchange.rig import Rig

BEGIN = datetime(2026, 3, 4, 16, 0, 30, tzinfo=UTC)
SYMBOLS = ("MU", "TSLA", "KO")
LOW, HIGH = Decimal("0.97"), Decimal("1.03")

amounts = st.one_of(
    st.integers(1, 400).map(str),
    st.decimals("0.01", "50", places=9).map(lambda number: f"{number:f}"),
)
orders = st.fixed_dictionaries(
    {
        "symbol": st.sampled_from(SYMBOLS),
        "side": st.sampled_from(["buy", "sell"]),
        "type": st.sampled_from(["market", "limit", "stop", "stop_limit", "trailing_stop"]),
        "order_class": st.sampled_from(["", "", "bracket", "oto", "oco"]),
        "time_in_force": st.sampled_from(["day", "gtc"]),
        "qty": amounts,
        "percent": st.integers(-5, 5),
        "client_order_id": st.one_of(st.none(), st.sampled_from("abcdef")),
        "notional": st.booleans(),
    }
)
faults = st.sampled_from(
    [
        None,
        {"kind": "partial_fill", "fraction": "0.4", "rest_polls": 2},
        {"kind": "late_fill", "seconds": 4000},
        {"kind": "order_rejected"},
        {"kind": "accept_then_504"},
        {"kind": "accept_then_drop"},
    ]
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("order"), orders, faults),
        st.tuples(st.just("wait"), st.integers(1, 5_000), st.none()),
        st.tuples(st.just("cancel"), st.none(), st.none()),
    ),
    min_size=1,
    max_size=25,
)


def body_of(rig: Rig, asked: dict[str, Any]) -> dict[str, Any]:
    """Give the order some prices around the last one."""
    last = rig.exchange.desk.last_price(asked["symbol"], rig.now)
    assert last is not None
    near = str((last * (100 + asked["percent"]) / 100).quantize(Decimal("0.01")))
    body = {name: asked[name] for name in ("symbol", "side", "type", "time_in_force")}
    if asked["order_class"]:
        low, high = (str((last * part).quantize(Decimal("0.01"))) for part in (LOW, HIGH))
        body |= {"order_class": asked["order_class"], "stop_loss": {"stop_price": low}}
        if asked["order_class"] != "oto":
            body["take_profit"] = {"limit_price": high}
    if "limit" in asked["type"]:
        body["limit_price"] = near
    if asked["type"] in ("stop", "stop_limit"):
        body["stop_price"] = near
    if asked["type"] == "trailing_stop":
        body["trail_percent"] = "2"
    if asked["notional"]:
        body["notional"] = f"{Decimal(asked['qty']):.2f}"
    else:
        body["qty"] = asked["qty"]
    if asked["client_order_id"]:
        body["client_order_id"] = asked["client_order_id"]
    return body


@settings(max_examples=120, deadline=None)
@given(
    script=steps,
    nyse=st.booleans(),
    multiplier=st.sampled_from([1, 2, 4]),
    seed=st.integers(0, 500),
)
def test_an_account_always_adds_up(
    script: list[tuple[str, Any, Any]], nyse: bool, multiplier: int, seed: int
) -> None:
    opening = Opening(
        Decimal(20_000), (Position("MU", Decimal("12.5"), Decimal(4000)),), multiplier=multiplier
    )
    sessions = NyseSessions() if nyse else AlwaysOpen()
    rig = Rig(SeededPrices(seed), sessions, opening, at=BEGIN)
    taken: list[str] = []
    for verb, what, fault in script:
        if verb == "wait":
            rig.wait(minutes=what)
        elif verb == "cancel":
            assert rig.ask("DELETE", "/v2/orders").status == 207
        else:
            submit_and_judge(rig, body_of(rig, what), fault, taken)
        the_books_balance(rig, opening)
        no_exit_outlives_its_group(rig)
    tops = rig.get("/v2/orders", status="all", limit="500", direction="asc", nested="true")
    assert [one["client_order_id"] for one in tops] == taken
    every = rig.get("/v2/orders", status="all", limit="500")
    assert len(every) == len(tops) + sum(len(one["legs"] or []) for one in tops)
    assert len({one["id"] for one in every}) == len(every)


def submit_and_judge(
    rig: Rig, body: dict[str, Any], fault: dict[str, Any] | None, taken: list[str]
) -> None:
    """Submit an order under a fault; what is accepted has fitted into the account."""
    if fault is not None:
        rig.ask("POST", "/sim/faults", [fault])
    before = rig.account()["buying_power"]
    held = {one["symbol"]: Decimal(one["qty_available"]) for one in rig.get("/v2/positions")}
    count = len(rig.exchange.desk.orders)
    rig.ask("POST", "/v2/orders", body)
    rig.ask("DELETE", "/sim/faults")
    accepted = list(rig.exchange.desk.orders.values())[count:]
    assert len(accepted) in (0, 1, 2, 3)
    if body.get("client_order_id") in taken:
        assert not accepted
    if not accepted:
        return
    order = accepted[0]
    assert [one.id for one in accepted[1:]] == list(order.legs)
    taken.append(order.client_order_id)
    ticket = order.ticket
    if ticket.side == "buy":
        price = ticket.limit_price or ticket.stop_price or order.estimate
        cost = ticket.notional or fill_notional(ticket.quantity or Decimal(0), price)
        assert cost <= before
    elif ticket.quantity is not None:
        assert ticket.quantity <= held[ticket.symbol]


def no_exit_outlives_its_group(rig: Rig) -> None:
    """Of a group, open are an entry with its legs, or exits for the same shares, or nothing."""
    orders = rig.exchange.desk.orders
    for top in (one for one in orders.values() if one.legs):
        legs = [orders[leg] for leg in top.legs]
        exits = [top, *legs] if top.ticket.order_class == "oco" else legs
        alive = [one for one in exits if one.is_open]
        assert len(alive) in (0, len(exits))
        assert len({one.remaining(Decimal(1)) for one in alive}) <= 1
        if top.is_open and top not in exits:
            assert {one.status for one in alive} == {"held"}


def the_books_balance(rig: Rig, opening: Opening) -> None:
    """Fold the fills again, beside the exchange, through the ledger's own function."""
    positions = {held.symbol: held for held in opening.positions}
    cash, realized = opening.cash, Decimal(0)
    for fill in rig.exchange.fills():
        before = positions.get(fill.symbol, Position(fill.symbol))
        effect = apply_fill(before, fill.side, fill.quantity, fill.price)
        positions[fill.symbol] = effect.position
        cash += effect.cash_change
        realized += effect.realized_pl
    figures = rig.account()
    held = {one["symbol"]: one for one in rig.get("/v2/positions")}
    assert figures["cash"] == cash
    assert set(held) == {symbol for symbol, one in positions.items() if one.quantity}
    for symbol, shown in held.items():
        assert Decimal(shown["qty"]) == positions[symbol].quantity > 0
        assert Decimal(shown["cost_basis"]) == positions[symbol].cost_basis
        assert 0 <= Decimal(shown["qty_available"]) <= positions[symbol].quantity
    cost = sum((one.cost_basis for one in positions.values()), Decimal(0))
    start = opening.cash + sum((one.cost_basis for one in opening.positions), Decimal(0))
    assert cash + cost == start + realized
    value = sum((Decimal(one["market_value"]) for one in held.values()), Decimal(0))
    assert figures["equity"] == cash + value
    assert figures["long_market_value"] == value
    assert figures["buying_power"] >= 0
    assert figures["non_marginable_buying_power"] >= 0
