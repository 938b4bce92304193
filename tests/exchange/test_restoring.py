"""An exchange made anew from Alpaca's form of its orders goes on as the one that lived."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from executor.exchange.opening import Opening
from executor.exchange.prices import SeededPrices
from executor.exchange.sessions import AlwaysOpen, NyseSessions
from executor.model.position import Position
from tests.exchange.rig import Rig, flat, holding, steps

BEGIN = datetime(2026, 3, 4, 16, 0, 30, tzinfo=UTC)
START = datetime(2026, 1, 14, 15, 0, tzinfo=UTC)
SYMBOLS = ("MU", "TSLA", "KO")
TYPES = ("market", "limit", "stop", "stop_limit", "trailing_stop")

near = st.integers(-6, 6)
asked_orders = st.fixed_dictionaries(
    {
        "symbol": st.sampled_from(SYMBOLS),
        "side": st.sampled_from(["buy", "sell"]),
        "type": st.sampled_from(TYPES),
        "order_class": st.sampled_from(["", "simple", "bracket", "oto", "oco"]),
        "time_in_force": st.sampled_from(["day", "gtc"]),
        "qty": st.integers(1, 9),
        "percent": near,
        "width": st.integers(1, 6),
        "stop": st.booleans(),
    }
)
script = st.lists(
    st.one_of(
        st.tuples(st.just("order"), asked_orders),
        st.tuples(st.just("order"), asked_orders),
        st.tuples(st.just("wait"), st.integers(1, 2_000)),
        st.tuples(st.just("cancel"), st.integers(0, 50)),
        st.tuples(st.just("replace"), st.integers(0, 50)),
    ),
    min_size=1,
    max_size=14,
)


def body_of(rig: Rig, asked: dict[str, Any]) -> dict[str, Any]:
    """Give an order of any class prices around the last one."""
    last = rig.exchange.desk.last_price(asked["symbol"], rig.now)
    assert last is not None

    def at(percent: int) -> str:
        assert last is not None
        return str((last * (100 + percent) / 100).quantize(Decimal("0.01")))

    body = {name: asked[name] for name in ("symbol", "side", "type", "time_in_force", "qty")}
    percent, width = asked["percent"], asked["width"]
    if asked["order_class"]:
        body["order_class"] = asked["order_class"]
    if asked["order_class"] in ("bracket", "oto", "oco"):
        body["type"] = "market" if asked["type"] == "market" else "limit"
        base = 0 if body["type"] == "market" else min(percent, 0)
        stop = {"stop_price": at(base - width)}
        if asked["stop"]:
            stop["limit_price"] = at(base - width - 1)
        if asked["order_class"] != "oto" or not asked["stop"]:
            body["take_profit"] = {"limit_price": at(base + width)}
        if asked["order_class"] != "oto" or asked["stop"]:
            body["stop_loss"] = stop
    if "limit" in body["type"] and asked["order_class"] != "oco":
        body["limit_price"] = at(percent)
    if body["type"] in ("stop", "stop_limit"):
        body["stop_price"] = at(percent)
    if body["type"] == "trailing_stop":
        body["trail_percent"] = width
    return body


def act(rig: Rig, verb: str, what: Any) -> None:
    """Take one step of a script; what the exchange refuses is no step."""
    if verb == "wait":
        rig.wait(minutes=what)
        rig.get("/v2/account")
    elif verb == "order":
        rig.ask("POST", "/v2/orders", body_of(rig, what))
    else:
        resting = rig.get("/v2/orders", limit="500")
        if not resting:
            return
        one = resting[what % len(resting)]
        if verb == "cancel":
            rig.ask("DELETE", f"/v2/orders/{one['id']}")
            return
        changes: dict[str, object] = {"trail": "3"}
        for name in ("limit_price", "stop_price"):
            if one[name] is not None and one["trail_percent"] is None:
                shift = Decimal("0.995") if what % 2 else Decimal("1.005")
                changes = {name: str((Decimal(one[name]) * shift).quantize(Decimal("0.01")))}
        rig.ask("PATCH", f"/v2/orders/{one['id']}", changes)


def made_anew(rig: Rig, prices: SeededPrices, sessions: Any, opening: Opening) -> Rig:
    """Make an exchange from what this one shows: account, positions, orders."""
    rolled = rig.get("/v2/orders", status="all", nested="true", direction="asc", limit="500")
    desk = rig.exchange.desk
    through = rig.now.isoformat()
    orders = tuple({**one, "processed_through": through} for one in rolled)
    positions = tuple(desk.positions.values())
    taken = replace(opening, cash=desk.cash, positions=positions, orders=orders)
    return Rig(prices, sessions, taken, at=rig.now)


def everything(rig: Rig) -> dict[str, Any]:
    """Give all that a client sees, apart from the order in which legs are numbered."""
    orders = rig.get("/v2/orders", status="all", nested="true", limit="500")
    account = rig.account()
    return {
        "orders": {one["id"]: one for one in orders},
        "flat": {one["id"]: one for one in rig.get("/v2/orders", status="all", limit="500")},
        "open": {one["id"] for one in rig.get("/v2/orders", limit="500")},
        "positions": {
            one["symbol"]: (one["qty"], one["qty_available"], one["cost_basis"])
            for one in rig.get("/v2/positions")
        },
        "account": {name: account[name] for name in ("cash", "equity", "buying_power")},
    }


@settings(max_examples=80, deadline=None)
@given(
    before=script,
    after=script,
    nyse=st.booleans(),
    seed=st.integers(0, 500),
)
def test_made_anew_in_the_middle_it_goes_on_as_before(
    before: list[tuple[str, Any]], after: list[tuple[str, Any]], nyse: bool, seed: int
) -> None:
    prices, sessions = SeededPrices(seed), NyseSessions() if nyse else AlwaysOpen()
    positions = tuple(Position(one, Decimal(20), Decimal(5000)) for one in SYMBOLS)
    opening = Opening(Decimal(50_000), positions)
    old = Rig(prices, sessions, opening, at=BEGIN)
    for verb, what in before:
        old.wait(seconds=1)
        act(old, verb, what)
    new = made_anew(old, prices, sessions, opening)
    assert everything(new) == everything(old)
    for verb, what in after:
        for rig in (old, new):
            rig.wait(seconds=1)
            act(rig, verb, what)
    assert everything(new) == everything(old)
    settle = max(len(after), 1) * 700
    for rig in (old, new):
        rig.wait(minutes=settle)
    assert everything(new) == everything(old)


CLASSES: dict[str, dict[str, Any]] = {
    "bracket": {"order_class": "bracket", "type": "limit", "side": "buy"},
    "oto": {"order_class": "oto", "type": "limit", "side": "buy"},
    "oco": {"order_class": "oco", "type": "limit", "side": "sell"},
    "trailing": {"type": "trailing_stop", "side": "sell"},
}


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1000),
    kinds=st.lists(st.sampled_from(sorted(CLASSES)), min_size=1, max_size=4),
    width=st.integers(1, 6),
    limit_leg=st.booleans(),
    pauses=st.lists(st.integers(1, 3_000), min_size=1, max_size=6),
    nyse=st.booleans(),
)
def test_made_anew_without_its_life_it_lives_it_again(
    seed: int, kinds: list[str], width: int, limit_leg: bool, pauses: list[int], nyse: bool
) -> None:
    """As if nothing had happened yet: the path alone makes the same fills."""
    prices, sessions = SeededPrices(seed), NyseSessions() if nyse else AlwaysOpen()
    opening = Opening(Decimal(10**6), (Position("MU", Decimal(50), Decimal(5000)),))
    watched, alone = (Rig(prices, sessions, opening, at=BEGIN) for _ in range(2))
    last = prices.price("MU", BEGIN)
    assert last is not None

    def at(percent: int) -> str:
        return str((last * (100 + percent) / 100).quantize(Decimal("0.01")))

    for rig in (watched, alone):
        for index, kind in enumerate(kinds):
            body = {**CLASSES[kind], "time_in_force": "gtc" if index % 2 else "day"}
            if kind == "trailing":
                body["trail_percent"] = str(width)
            else:
                limit = {"limit_price": at(-width - 2)} if limit_leg else {}
                body["stop_loss"] = {"stop_price": at(-width - 1), **limit}
                if kind != "oto":
                    body["take_profit"] = {"limit_price": at(width)}
                if kind != "oco":
                    body["limit_price"] = at(-min(index, width))
            rig.submit(**body, qty="2", client_order_id=f"order-{index}")
    for pause in pauses:
        watched.wait(minutes=pause)
        watched.get("/v2/account")
    alone.now = watched.now
    assert everything(alone) == everything(watched)
    rolled = alone.get("/v2/orders", status="all", nested="true", direction="asc")
    unlived = tuple(fresh(one, "new") for one in rolled)
    reborn = Rig(prices, sessions, replace(opening, orders=unlived), at=watched.now)
    assert reborn.exchange.fills() == watched.exchange.fills()
    assert reborn.account()["cash"] == watched.account()["cash"]
    for index in range(len(kinds)):
        old, new = (rig.order(f"order-{index}") for rig in (watched, reborn))
        assert [one["status"] for one in (new, *(new["legs"] or []))] == [
            one["status"] for one in (old, *(old["legs"] or []))
        ]


def fresh(raw: dict[str, Any], status: str) -> dict[str, Any]:
    """Give an order's form as it was when nothing had happened to it."""
    legs = [fresh(leg, "held") for leg in raw["legs"] or []]
    forgotten = ("filled_avg_price", "filled_at", "canceled_at", "expired_at", "updated_at", "hwm")
    lived = {**raw, "status": status, "filled_qty": "0", "legs": legs or None}
    return {name: None if name in forgotten else value for name, value in lived.items()}


STOP: dict[str, object] = {
    "client_order_id": "stop",
    "symbol": "MU",
    "side": "sell",
    "type": "stop",
    "stop_price": "90",
    "qty": "2",
    "time_in_force": "gtc",
    "order_class": "bracket",
    "status": "held",
    "submitted_at": "2026-01-14T14:00:00Z",
}
ENTRY: dict[str, object] = {
    "client_order_id": "entry",
    "symbol": "MU",
    "side": "buy",
    "type": "market",
    "qty": "2",
    "time_in_force": "gtc",
    "order_class": "oto",
    "status": "filled",
    "filled_qty": "2",
    "filled_avg_price": "100",
    "submitted_at": "2026-01-14T14:00:00Z",
    "filled_at": "2026-01-14T14:00:00Z",
}


def path(*prices: str) -> Any:
    return steps(MU=[(START + timedelta(minutes=i), price) for i, price in enumerate(prices)])


def opened(rig_prices: Any, *orders: dict[str, Any]) -> Rig:
    opening = replace(holding("MU", "2", "200"), orders=orders)
    return Rig(rig_prices, opening=opening, at=START)


def test_a_stop_leg_alone_is_a_simple_order() -> None:
    rig = opened(path("100", "89"), STOP)
    shown = rig.order("stop")
    assert (shown["status"], shown["order_class"], shown["legs"]) == ("held", "simple", None)
    assert "group_id" not in shown
    rig.wait(minutes=1)
    assert rig.order("stop")["status"] == "filled"


def test_an_entry_without_its_legs_is_a_simple_order() -> None:
    raw = {**ENTRY, "status": "new", "filled_qty": "0", "filled_at": None}
    rig = opened(flat("100"), {**raw, "type": "limit", "limit_price": "95"})
    assert rig.order("entry")["order_class"] == "simple"
    ended = opened(flat("100"), ENTRY).order("entry")
    assert (ended["order_class"], ended["status"]) == ("oto", "filled")


@pytest.mark.parametrize("status", ["accepted", "held"])
def test_a_leg_needs_few_keys(status: str) -> None:
    leg = {"side": "sell", "type": "stop", "stop_price": "90", "qty": "2", "status": status}
    rig = opened(path("100", "89"), {**ENTRY, "legs": [leg]})
    shown = rig.order("entry")
    (made,) = shown["legs"]
    keys = ("status", "time_in_force", "order_class", "group_role", "submitted_at", "symbol")
    assert [made[key] for key in keys] == [
        *("new", "gtc", "oto", "stop_loss", "2026-01-14T14:00:00Z", "MU")
    ]
    assert made["group_id"] == shown["group_id"]
    again = opened(flat("100"), {**ENTRY, "legs": [leg]}).order("entry")
    assert [again["legs"][0][key] for key in ("id", "client_order_id")] == [
        made[key] for key in ("id", "client_order_id")
    ]
    rig.wait(minutes=1)
    assert rig.order("entry")["legs"][0]["status"] == "filled"


@pytest.mark.parametrize("status", ["held", "new", "accepted"])
def test_live_legs_of_a_filled_entry(status: str) -> None:
    profit = {"side": "sell", "type": "limit", "limit_price": "110", "qty": "2", "status": "new"}
    stop = {"side": "sell", "type": "stop", "stop_price": "90", "qty": "2", "status": status}
    rig = opened(path("100", "111"), {**ENTRY, "order_class": "bracket", "legs": [profit, stop]})
    assert [one["status"] for one in rig.order("entry")["legs"]] == ["new", "held"]
    assert rig.get("/v2/positions/MU")["qty_available"] == "0"
    rig.wait(minutes=1)
    assert [one["status"] for one in rig.order("entry")["legs"]] == ["filled", "canceled"]


def test_a_leg_that_is_open_behind_a_canceled_entry_lives() -> None:
    leg = {"side": "sell", "type": "stop", "stop_price": "90", "qty": "2", "status": "new"}
    raw = {**ENTRY, "status": "canceled", "filled_qty": "1", "legs": [leg]}
    rig = opened(path("100", "89"), raw)
    assert rig.order("entry")["legs"][0]["status"] == "new"
    rig.wait(minutes=1)
    assert rig.order("entry")["legs"][0]["status"] == "filled"


def test_a_lived_leg_is_not_looked_at_before_its_entry_filled() -> None:
    leg = {"side": "sell", "type": "stop", "stop_price": "90", "qty": "2", "status": "new"}
    raw = {**ENTRY, "filled_at": "2026-01-14T15:02:00Z", "legs": [leg]}
    rig = Rig(
        path("100", "80", "100", "100"),
        opening=replace(holding("MU", "2", "200"), orders=(raw,)),
        at=START + timedelta(minutes=3),
    )
    assert rig.order("entry")["legs"][0]["status"] == "new"


@pytest.mark.parametrize(
    ("left", "status"), [("100", "filled"), ("99.9999999996", "filled"), ("99.99", "partially")]
)
def test_an_order_for_an_amount_with_nothing_left_is_taken_as_filled(
    left: str, status: str
) -> None:
    raw = {
        "client_order_id": "first",
        "symbol": "MU",
        "side": "buy",
        "type": "limit",
        "notional": "100",
        "limit_price": "95",
        "filled_qty": "1",
        "filled_avg_price": left,
        "status": "partially_filled",
        "submitted_at": "2026-01-14T14:00:00Z",
        "updated_at": "2026-01-14T14:30:00Z",
    }
    rig = opened(flat("100"), raw)
    shown = rig.order()
    assert shown["status"].startswith(status)
    assert shown["filled_at"] == ("2026-01-14T14:30:00Z" if status == "filled" else None)
    assert rig.get("/v2/positions/MU")["qty"] == "2"


def test_an_order_for_shares_with_nothing_left_is_taken_as_filled() -> None:
    raw = {**ENTRY, "order_class": "", "status": "partially_filled", "filled_at": None}
    assert opened(flat("100"), raw).order("entry")["status"] == "filled"


def test_replaced_orders_keep_their_links() -> None:
    ids = [f"5a7b1c3e-0000-4000-8000-00000000000{number}" for number in "12"]
    old = {**STOP, "id": ids[0], "status": "replaced", "replaced_by": ids[1], "group_role": "x"}
    old["replaced_at"] = "2026-01-14T14:30:00Z"
    new = {**STOP, "client_order_id": "new", "id": ids[1], "replaces": ids[0]}
    rig = opened(flat("100"), old, new)
    shown = rig.order("stop")
    assert (shown["status"], shown["replaced_by"]) == ("replaced", ids[1])
    assert shown["replaced_at"] == "2026-01-14T14:30:00Z"
    assert rig.order("new")["replaces"] == ids[0]


def test_a_stop_limit_that_was_triggered_before_stays_triggered() -> None:
    raw = {
        **STOP,
        "order_class": "",
        "status": "new",
        "type": "stop_limit",
        "limit_price": "89",
        "submitted_at": "2026-01-14T15:00:00Z",
        "processed_through": "2026-01-14T15:02:00Z",
    }
    prices = path("100", "88", "88", "95")
    at = START + timedelta(minutes=2)
    rig = Rig(prices, opening=replace(holding("MU", "2", "200"), orders=(raw,)), at=at)
    assert rig.order("stop")["status"] == "new"
    rig.wait(minutes=1)
    assert rig.order("stop")["filled_avg_price"] == "94.99"
