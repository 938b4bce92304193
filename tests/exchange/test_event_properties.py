"""What holds for every sequence of events, orders and pauses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from executor.exchange.opening import Opening
from executor.exchange.prices import SeededPrices
from executor.exchange.sessions import AlwaysOpen, NyseSessions
from executor.model.numbers import ZERO, cents
from executor.model.position import Position, Side, apply_fill
from tests.exchange.rig import Rig

BEGIN = datetime(2026, 3, 4, 16, 0, 30, tzinfo=UTC)
D = Decimal

symbols = st.sampled_from(["MU", "AMD", "KO", "NEWA", "NEWB"])
amounts = st.integers(-50_000, 50_000).filter(bool).map(lambda one: str(D(one) / 100))
rates = st.sampled_from(["0.1", "0.333333333", "0.5", "1", "2", "7"])
events = st.one_of(
    st.fixed_dictionaries(
        {"kind": st.just("dividend"), "symbol": symbols, "per_share": rates},
    ),
    st.fixed_dictionaries(
        {"kind": st.sampled_from(["interest", "transfer", "fee"]), "amount": amounts},
    ),
    st.fixed_dictionaries(
        {"kind": st.just("split"), "symbol": symbols, "new_rate": rates, "old_rate": rates},
    ),
    st.fixed_dictionaries(
        {
            "kind": st.just("spin_off"),
            "symbol": symbols,
            "new_symbol": symbols,
            "rate": rates,
            "price": st.sampled_from(["1", "7.77", "40"]),
        },
    ),
    st.fixed_dictionaries(
        {"kind": st.just("merger"), "symbol": symbols},
        optional={"cash": rates, "new_symbol": symbols, "rate": rates},
    ),
    st.fixed_dictionaries(
        {"kind": st.just("symbol_change"), "symbol": symbols, "new_symbol": symbols},
    ),
)
trades = st.fixed_dictionaries(
    {
        "symbol": symbols,
        "side": st.sampled_from(["buy", "sell"]),
        "qty": st.sampled_from(["1", "3.5", "20", "0.123456789"]),
        "type": st.sampled_from(["market", "limit"]),
    }
)
scripts = st.lists(
    st.one_of(
        st.tuples(st.just("event"), events, st.integers(0, 3_000)),
        st.tuples(st.just("order"), trades, st.none()),
        st.tuples(st.just("wait"), st.integers(1, 3_000), st.none()),
    ),
    min_size=1,
    max_size=20,
)


@settings(max_examples=150, deadline=None)
@given(script=scripts, nyse=st.booleans(), seed=st.integers(0, 100))
def test_activities_alone_tell_cash_and_holdings(
    script: list[tuple[str, Any, Any]], nyse: bool, seed: int
) -> None:
    """Cash plus cost changes by what was realized, earned and transferred, and by nothing else."""
    opening = Opening(D(20_000), (Position("MU", D("12.5"), D(4000)),))
    rig = Rig(SeededPrices(seed), NyseSessions() if nyse else AlwaysOpen(), opening, at=BEGIN)
    for number, (verb, what, later) in enumerate(script):
        if verb == "wait":
            rig.wait(minutes=what)
        elif verb == "event":
            at = datetime.fromtimestamp(rig.now.timestamp() + 60 * later, UTC)
            body = {**what, **({"at": at.isoformat()} if later else {})}
            assert rig.ask("POST", "/sim/events", body).status in (200, 422)
        else:
            place(rig, what, number)
        fold_and_compare(rig, opening)
    rig.wait(days=5)
    fold_and_compare(rig, opening)
    told = rig.get("/v2/account/activities", direction="asc")
    assert len({one["id"] for one in told}) == len(told)
    prefixes = [one["id"][:17] for one in told]
    assert prefixes == sorted(prefixes)


def place(rig: Rig, what: dict[str, Any], number: int) -> None:
    body = {**what, "time_in_force": "day", "client_order_id": f"order-{number}"}
    last = rig.exchange.desk.last_price(what["symbol"], rig.now)
    if what["type"] == "limit" and last is not None:
        body["limit_price"] = str(cents(last * D("0.98")) + 1)
    rig.ask("POST", "/v2/orders", body)


def fold_and_compare(rig: Rig, opening: Opening) -> None:
    """Fold the activities by the README's convention, beside the exchange."""
    account = rig.account()
    held = {one.symbol: one for one in opening.positions}
    cash, realized, flows = opening.cash, ZERO, ZERO
    told = rig.get("/v2/account/activities", direction="asc")
    for _, group in groupby(told, key=lambda one: one.get("group_id", one["id"])):
        lines = list(group)
        kind = lines[0]["activity_type"]
        paid = sum((D(line.get("net_amount", "0")) for line in lines), ZERO)
        if kind == "FILL":
            paid, profit = book_fill(held, lines[0])
        else:
            profit = BOOK[kind](held, lines) if kind in BOOK else ZERO
            flows += paid if kind not in BOOK else ZERO
        cash += paid
        realized += profit
    held = {symbol: one for symbol, one in held.items() if one.quantity}
    shown = {one["symbol"]: one for one in rig.get("/v2/positions")}
    assert account["cash"] == cash
    assert set(shown) == set(held)
    for symbol, position in shown.items():
        assert D(position["qty"]) == held[symbol].quantity > 0
        assert D(position["cost_basis"]) == held[symbol].cost_basis >= 0
        assert 0 <= D(position["qty_available"]) <= held[symbol].quantity
    cost = sum((one.cost_basis for one in held.values()), ZERO)
    start = opening.cash + sum((one.cost_basis for one in opening.positions), ZERO)
    assert cash + cost == start + realized + flows
    value = sum((D(one["market_value"]) for one in shown.values()), ZERO)
    assert account["equity"] == cash + value
    history = rig.get("/v2/account/portfolio/history", period="1W", timeframe="1D")
    closed = int(rig.exchange.desk.sessions.previous(rig.now).closes.timestamp())
    at_close = dict(zip(history["timestamp"], history["equity"], strict=True))
    assert at_close[closed] == account["last_equity"]


def book_fill(held: dict[str, Position], line: Line) -> tuple[Decimal, Decimal]:
    before = held.get(line["symbol"], Position(line["symbol"]))
    side: Side = "buy" if line["side"] == "buy" else "sell"
    effect = apply_fill(before, side, D(line["qty"]), D(line["price"]))
    held[line["symbol"]] = effect.position
    return effect.cash_change, effect.realized_pl


def book_split(held: dict[str, Position], lines: list[Line]) -> Decimal:
    """Cost stays, where a share is left to hold it."""
    symbol = lines[0]["symbol"]
    before = held[symbol]
    after = before.quantity + D(lines[0]["qty"])
    held[symbol] = Position(symbol, after, before.cost_basis if after else ZERO)
    return held[symbol].cost_basis - before.cost_basis


def book_exchange(held: dict[str, Position], lines: list[Line]) -> Decimal:
    """A symbol change or merger: cash comes out of the cost, what is left moves or is lost."""
    old = held.pop(lines[0]["symbol"])
    assert D(lines[0]["qty"]) == -old.quantity
    paid = D(lines[0]["net_amount"])
    moved = max(ZERO, old.cost_basis - paid) if lines[1:] else ZERO
    for line in lines[1:]:
        join(held, line["symbol"], D(line["qty"]), moved)
    return paid + moved - old.cost_basis


def book_spin_off(held: dict[str, Position], lines: list[Line]) -> Decimal:
    """The child's quantity times price leaves the parent's cost, as far as there is any."""
    child, parent = lines
    assert (parent["qty"], child["net_amount"], parent["net_amount"]) == ("0", "0", "0")
    cost = held[parent["symbol"]].cost_basis
    moved = min(cost, cents(D(child["qty"]) * D(child["price"])))
    join(held, parent["symbol"], ZERO, -moved)
    join(held, child["symbol"], D(child["qty"]), moved)
    return ZERO


def join(held: dict[str, Position], symbol: str, quantity: Decimal, cost: Decimal) -> None:
    before = held.get(symbol, Position(symbol))
    held[symbol] = Position(symbol, before.quantity + quantity, before.cost_basis + cost)


Line = dict[str, str]
BOOK: dict[str, Callable[[dict[str, Position], list[Line]], Decimal]] = {
    "SPLIT": book_split,
    "NC": book_exchange,
    "MA": book_exchange,
    "SPIN": book_spin_off,
}
"""Corporate actions, each with what it realizes; all other activities are flows of cash."""
