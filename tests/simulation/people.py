"""What happens beside our runs: people, other programs, the broker's own bookings, the market."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal

from executor.commands.ack import Acknowledgment, ack
from executor.errors import AutoInvestorError
from executor.exchange.adjusted import ScaledPrices
from executor.exchange.messages import Request, Response
from executor.exchange.prices import floor_minute
from executor.exchange.sessions import MINUTE
from executor.main_state import MainState
from executor.model.account import Mode
from executor.model.state import TradingState, TradingStateRecord
from executor.notes import commit_state
from tests.fakes.memory_book import MemoryBook
from tests.simulation.documents import ACCOUNT
from tests.simulation.effects import PERSON, Effects
from tests.simulation.world import Simulation

MOST_ACKNOWLEDGED = 12


def asks(
    sim: Simulation, method: str, path: str, body: Mapping[str, object] | None = None
) -> Response:
    """Somebody else asks the exchange."""
    sent = b"" if body is None else json.dumps(dict(body), default=str).encode()
    return sim.exchange.handle(Request(method, path, {}, PERSON, sent))


def orders_by_hand(sim: Simulation, side: str, symbol: str, quantity: str, **keys: object) -> bool:
    """Somebody sends an order past us; False where the exchange refuses it."""
    name = f"by-hand-{len(sim.foreign)}"
    kind = "limit" if "limit_price" in keys else "market"
    body = {"client_order_id": name, "symbol": symbol, "side": side, "qty": quantity}
    force = "day" if "." in quantity else "gtc"
    asks(sim, "POST", "/v2/orders", body | {"type": kind, "time_in_force": force} | keys)
    taken = name in sim.exchange.desk.by_client_id
    if taken:
        sim.foreign.add(name)
    return taken


def cancels_by_hand(sim: Simulation, symbol: str) -> bool:
    """Somebody cancels whatever is open in a symbol, stops among it; False where nothing is."""
    found = [one for one in sim.exchange.desk.open_orders.values() if one.ticket.symbol == symbol]
    for order in found:
        if order.is_open:
            asks(sim, "DELETE", f"/v2/orders/{order.id}")
    sim.tampered = sim.tampered or bool(found)
    return bool(found)


def happens(sim: Simulation, kind: str, **keys: object) -> bool:
    """The broker books an event; False where it makes no sense for the account."""
    answer = asks(sim, "POST", "/sim/events", {"kind": kind, **keys})
    if answer.status == 200 and kind in ("split", "symbol_change", "merger"):
        sim.converted.add(str(keys["symbol"]))
    return answer.status == 200


def price_moves(sim: Simulation, symbol: str, factor: str) -> None:
    """From the next minute on a symbol costs so many times what it would have."""
    assert sim.outside is not None, "the path of the embedded exchange is the settings'"
    since = floor_minute(sim.clock.now()) + MINUTE
    desk = sim.outside.desk
    desk.prices = ScaledPrices(desk.prices, symbol, since, Decimal(factor))


def commits_state(sim: Simulation, state: TradingState) -> None:
    """A person, or `halt`, commits another trading state, with its result."""
    book = MemoryBook(sim.origin)
    main = MainState(book, sim.origin.main)
    record = TradingStateRecord(
        state=state, since=sim.clock.now(), by="somebody", reason="simulated"
    )
    commit_state(
        book,
        main,
        record,
        subject=f"State {state}",
        mode=Mode(sim.setup.mode),
        account=ACCOUNT,
        in_spite_of_damage=True,
    )
    sim.origin.pushed.append(sim.origin.main)


def acknowledges(sim: Simulation) -> None:
    """A listed person takes over whatever was observed, orders first, then shares and cash."""
    for _ in range(MOST_ACKNOWLEDGED):
        seen = sim.main.ledger.observed
        if not seen:
            return
        keys = sorted(seen, key=lambda key: (seen[key].kind != "order", key))
        try:
            ack(
                sim.world(Effects(run=0), "one"),
                sim.heard,
                Acknowledgment(keys[0], by="somebody", book=None),
            )
        except AutoInvestorError as error:
            sim.heard.say(f"ack {keys[0]}: {error}")


def tidies_up(sim: Simulation) -> None:
    """People leave nothing behind: no order of theirs, no halt, nothing that nobody looked at."""
    for name in sim.foreign:
        order = sim.exchange.desk.by_client_id.get(name)
        if order is not None and order.is_open:
            asks(sim, "DELETE", f"/v2/orders/{order.id}")
    state = sim.main.trading_state
    if state is None or state.state is not TradingState.ACTIVE:
        commits_state(sim, TradingState.ACTIVE)
    acknowledges(sim)
