"""Plans around protective orders for the crash matrix, each with what makes it hard."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache
from typing import Final

from executor.exchange.faults import Fault
from executor.model.digest import plan_digest
from executor.model.order_id import client_order_id
from executor.model.reading import read_document
from executor.model.state import TradingState
from tests.simulation.documents import line, plan
from tests.simulation.people import (
    cancels_by_hand,
    commits_state,
    happens,
    orders_by_hand,
    price_moves,
)
from tests.simulation.scenarios import BUY_KO, KINDS, MADE, Scenario
from tests.simulation.world import START, Simulation

PAPER: Final = ("paper",)
BOTH: Final = ("paper", "embedded")

STOPPED: Final = {"stop_loss_pct": "3"}
BUY_STOPPED: Final = line("BUY", "AAPL", "10", **STOPPED)
BUY_FRACTION: Final = line("BUY", "AAPL", "10.5", **STOPPED)
WHOLE: Final = plan(BUY_STOPPED, timestamp=MADE)
FRACTION: Final = plan(BUY_FRACTION, timestamp=MADE)
RESTING: Final = plan(
    line(
        "BUY",
        "AAPL",
        "10",
        order_type="limit",
        limit_price="251",
        time_in_force="gtc",
        **STOPPED,
    ),
    timestamp=MADE,
    reason="rests",
)
BRACKET: Final = line("BUY", "AAPL", "10", protect="bracket", profit_target_pct="9", **STOPPED)
SECOND: Final = plan(
    line("BUY", "AAPL", "6.25", stop_loss_pct="8"), timestamp=MADE, reason="a second lot"
)


def entry_of(data: bytes, index: int = 0) -> str:
    """The id of a line's order."""
    return client_order_id("local", plan_digest(read_document(data)), index)


def at_second(second: int) -> Callable[[Simulation], None]:
    """Wait for a second of the next minute: what follows within it meets the minute's end."""

    def wait(sim: Simulation) -> None:
        now = sim.clock.now().replace(second=0, microsecond=0)
        sim.clock.move_to(now + timedelta(seconds=60 + second))

    return wait


def falls_at_the_minute(symbol: str, factor: str, cancels_after: float = 0) -> Callable[..., None]:
    """Five seconds before a minute's end, with another price in the next one."""

    def prepare(sim: Simulation) -> None:
        at_second(55)(sim)
        price_moves(sim, symbol, factor)
        sim.met.cancels_after = cancels_after

    return prepare


def _slow(seconds: float) -> Callable[[Simulation], None]:
    def prepare(sim: Simulation) -> None:
        sim.met.cancels_after = seconds

    return prepare


def _of_stop(kind: str, *, times: int = 1, **parameters: object) -> Fault:
    match = {"method": "POST", "path": "/v2/orders", "client_order_id": "*-stop*"}
    return Fault(kind, match, times=times, parameters=parameters)


ENTRIES: Final[Mapping[str, Scenario]] = {
    "protected": Scenario("a stop for whole shares", WHOLE, worlds=BOTH),
    "fraction": Scenario("a GTC stop and a DAY one", FRACTION, worlds=BOTH),
    "notional": Scenario(
        "shares that only the fill tells",
        plan(line("BUY", "KO", notional="250.50", **STOPPED), timestamp=MADE),
        worlds=PAPER,
    ),
    "oto_fills": Scenario(
        "an OTO limit that fills at once",
        plan(
            line("BUY", "AAPL", "10", order_type="limit", limit_price="265", **STOPPED),
            timestamp=MADE,
        ),
        worlds=BOTH,
    ),
    "oto_rests": Scenario("an OTO limit that rests", RESTING, worlds=BOTH),
    "oto_partly": Scenario(
        "an OTO limit that fills in part and expires with the day",
        plan(
            line("BUY", "AAPL", "10", order_type="limit", limit_price="265", **STOPPED),
            timestamp=MADE,
        ),
        faults=(Fault("partial_fill", {"side": "buy"}, parameters={"fraction": "0.4"}),),
        worlds=PAPER,
    ),
    "bracket": Scenario(
        "a bracket that the broker keeps itself", plan(BRACKET, timestamp=MADE), worlds=BOTH
    ),
    "through_at_once": Scenario(
        "the price is through the stop before it can be placed",
        plan(line("BUY", "AAPL", "10.5", stop_loss_pct="1"), timestamp=MADE),
        faults=(
            Fault(
                "partial_fill", {"side": "buy"}, parameters={"fraction": "0.8", "rest_seconds": 9}
            ),
        ),
        prepare=falls_at_the_minute("AAPL", "0.93"),
        worlds=PAPER,
    ),
}
"""Entries that bring their stop along."""


CHANGES_OF_HELD: Final[Mapping[str, Scenario]] = {
    "sell_half": Scenario(
        "the stop goes, half is sold, the rest is protected again",
        plan(line("SELL", "AAPL", "5"), timestamp=MADE),
        before=(FRACTION,),
        worlds=BOTH,
    ),
    "sell_all_protected": Scenario(
        "the stop goes and all is sold",
        plan(line("SELL", "AAPL", "all"), timestamp=MADE),
        before=(FRACTION,),
        worlds=BOTH,
    ),
    "buy_more": Scenario(
        "the broker takes no BUY beside a stop",
        plan(line("BUY", "AAPL", "4", stop_loss_pct="5"), timestamp=MADE),
        before=(FRACTION,),
        worlds=BOTH,
    ),
    "rotation": Scenario(
        "sells what is protected, buys what will be",
        plan(
            line("SELL", "AAPL", "all"),
            line("BUY", "KO", "7.5", stop_loss_pct="4"),
            line("BUY", "MU", "2", stop_loss_pct="4"),
            line("BUY", "BAC", "9"),
            timestamp=MADE,
        ),
        before=(FRACTION,),
        worlds=PAPER,
    ),
    "two_lots": Scenario(
        "two plans protect one symbol, the third sells some of it",
        plan(line("SELL", "AAPL", "7"), timestamp=MADE),
        before=(FRACTION, SECOND),
        worlds=PAPER,
    ),
    "bracket_sold": Scenario(
        "a pair of exits goes and comes back smaller",
        plan(line("SELL", "AAPL", "4"), timestamp=MADE),
        before=(plan(BRACKET, timestamp=MADE),),
        worlds=BOTH,
    ),
    "oto_sold": Scenario(
        "the stop of the broker's making goes",
        plan(line("SELL", "AAPL", "4"), timestamp=MADE),
        before=(
            plan(
                line("BUY", "AAPL", "10", order_type="limit", limit_price="265", **STOPPED),
                timestamp=MADE,
            ),
        ),
        worlds=BOTH,
    ),
    "tightens": Scenario(
        "PROTECT moves the stop up",
        plan(line("PROTECT", "AAPL", stop_price="256"), timestamp=MADE),
        before=(FRACTION, SECOND),
        worlds=BOTH,
    ),
    "loosens": Scenario(
        "PROTECT moves the stop down, and says so",
        plan(line("PROTECT", "AAPL", stop_price="220", loosen=True), timestamp=MADE),
        before=(FRACTION,),
        worlds=PAPER,
    ),
    "unprotects": Scenario(
        "PROTECT takes the stop away",
        plan(line("PROTECT", "AAPL", protect="none", loosen=True), timestamp=MADE),
        before=(FRACTION,),
        worlds=PAPER,
    ),
    "trails": Scenario(
        "a trailing stop for what was held before, whole shares only",
        plan(line("PROTECT", "MU", trail_percent="4"), timestamp=MADE),
        worlds=BOTH,
    ),
    "protects_rest": Scenario(
        "sells some of a holding and protects the rest, in one plan",
        plan(
            line("SELL", "MU", "20"),
            line("PROTECT", "MU", stop_price="310"),
            BUY_KO,
            timestamp=MADE,
        ),
        worlds=PAPER,
    ),
    "cancels_entry": Scenario(
        "CANCEL of an entry that rests, whose stop waits with it",
        plan(
            line("CANCEL", "AAPL", client_order_id=entry_of(RESTING)),
            line("BUY", "KO", "3", **STOPPED),
            timestamp=MADE,
        ),
        before=(RESTING,),
        worlds=BOTH,
    ),
}
"""Plans that touch what is protected."""


def _falls_twice(sim: Simulation, symbol: str) -> None:
    """Low enough for an entry in one minute, through its stop in the next."""
    for factor in ("0.99", "0.9"):
        price_moves(sim, symbol, factor)
        sim.clock.move_to(sim.clock.now() + timedelta(seconds=90))


TROUBLES: Final[Mapping[str, Scenario]] = {
    "slow_cancel": Scenario(
        "the stop takes a while to end",
        plan(line("SELL", "AAPL", "5"), timestamp=MADE),
        before=(FRACTION,),
        prepare=_slow(5),
        worlds=PAPER,
    ),
    "cancel_past_deadline": Scenario(
        "the stop does not end in time",
        plan(line("SELL", "AAPL", "5"), timestamp=MADE),
        before=(FRACTION,),
        prepare=_slow(30),
        worlds=PAPER,
    ),
    "fills_while_withdrawn": Scenario(
        "the stop sells while it is being withdrawn",
        plan(line("SELL", "AAPL", "5"), timestamp=MADE),
        before=(FRACTION,),
        prepare=falls_at_the_minute("AAPL", "0.95", cancels_after=9),
        worlds=PAPER,
    ),
    "all_fills_while_withdrawn": Scenario(
        "nothing is left to sell once the stop has ended",
        plan(line("SELL", "AAPL", "all"), BUY_KO, timestamp=MADE),
        before=(FRACTION,),
        prepare=falls_at_the_minute("AAPL", "0.95", cancels_after=9),
        worlds=PAPER,
    ),
    "by_hand_beside": Scenario(
        "somebody's BUY rests in the symbol",
        WHOLE,
        prepare=lambda sim: orders_by_hand(sim, "buy", "AAPL", "1", limit_price="200"),
        worlds=PAPER,
    ),
    "stop_canceled_by_hand": Scenario(
        "somebody has canceled the stop",
        plan(line("SELL", "AAPL", "5"), timestamp=MADE),
        before=(FRACTION,),
        prepare=lambda sim: cancels_by_hand(sim, "AAPL"),
        worlds=PAPER,
    ),
    "sold_by_hand": Scenario(
        "somebody has canceled the stop and sold",
        plan(line("BUY", "KO", "3", **STOPPED), timestamp=MADE),
        before=(FRACTION,),
        prepare=lambda sim: (
            cancels_by_hand(sim, "AAPL"),
            orders_by_hand(sim, "sell", "AAPL", "4"),
        ),
        worlds=PAPER,
    ),
    "stopped_unseen": Scenario(
        "an OTO entry has filled and its stop has sold, and nobody looked",
        plan(line("BUY", "KO", "3", **STOPPED), timestamp=MADE),
        before=(
            plan(line("BUY", "AAPL", "3"), timestamp=MADE),
            plan(
                line("BUY", "AAPL", "10", order_type="limit", limit_price="259.9", **STOPPED),
                timestamp=MADE,
                reason="near",
            ),
        ),
        prepare=lambda sim: _falls_twice(sim, "AAPL"),
        worlds=PAPER,
    ),
    "split_before": Scenario(
        "a split has ended the stop and doubled the shares",
        plan(line("SELL", "AAPL", "5"), BUY_KO, timestamp=MADE),
        before=(FRACTION,),
        prepare=lambda sim: happens(sim, "split", symbol="AAPL", new_rate="2", old_rate="1"),
        worlds=PAPER,
    ),
}
"""Plans that meet something else on the way."""

FAULTS: Final[Mapping[str, tuple[Mapping[str, object], ...]]] = {
    "accept_then_504": ({},),
    "accept_then_drop": ({},),
    "drop_before": ({},),
    "stall": ({"seconds": 30, "accepted": True}, {"seconds": 30, "accepted": False}),
    "latency": ({"ms": 5000},),
    "rate_limit_429": ({"reset_seconds": 2},),
    "html_502": ({"accepted": True}, {"accepted": False}),
    "not_json_200": ({"accepted": True}, {"accepted": False}),
    "unknown_status": ({},),
    "partial_fill": ({"fraction": "0.5", "rest_seconds": 60},),
    "late_fill": ({"seconds": 60},),
    "rejection": ({},),
    "order_rejected": ({},),
}
"""Every fault of the exchange, with what to try of it."""

FAULTY: Final[Mapping[str, Scenario]] = {
    f"{kind}-{times}-{number}": Scenario(
        f"protective orders meet {kind}",
        FRACTION,
        faults=(_of_stop(kind, times=times, **parameters),),
        worlds=PAPER,
    )
    for kind, found in FAULTS.items()
    for number, parameters in enumerate(found)
    for times in (1, 0)
}
"""Each fault once, and for good until somebody looks after the exchange."""


def _passes(**time: float) -> Callable[[Simulation], None]:
    return lambda sim: sim.clock.move_to(sim.clock.now() + timedelta(**time))


def _in_turn(*acts: Callable[[Simulation], object]) -> Callable[[Simulation], None]:
    def act(sim: Simulation) -> None:
        for one in acts:
            one(sim)

    return act


def _books(kind: str, **keys: object) -> Callable[[Simulation], object]:
    return lambda sim: happens(sim, kind, **keys)


def _moves(symbol: str, factor: str) -> Callable[[Simulation], None]:
    return lambda sim: price_moves(sim, symbol, factor)


PAST: Final = plan(
    line(
        "BUY", "AAPL", "10", order_type="limit", limit_price="251", time_in_force="gtc", **STOPPED
    ),
    timestamp=MADE,
    valid_until=(START + timedelta(hours=2)).isoformat(),
)

SETTLED: Final[Mapping[str, tuple[tuple[bytes, ...], Callable[[Simulation], object]]]] = {
    "next_session": ((FRACTION, SECOND), _passes(days=1)),
    "limit_expired": (
        (
            plan(
                line("SELL", "MU", "20", order_type="limit", limit_price="345"),
                line("PROTECT", "MU", stop_price="300"),
                timestamp=MADE,
            ),
        ),
        _passes(days=1),
    ),
    "past_valid_until": ((PAST,), _passes(hours=3)),
    "filled_before_its_end": (
        (PAST,),
        _in_turn(_moves("AAPL", "0.95"), _passes(hours=3)),
    ),
    "stopped_out": ((FRACTION, SECOND), _in_turn(_moves("AAPL", "0.95"), _passes(hours=3))),
    "through_over_night": (
        (FRACTION,),
        _in_turn(_passes(days=1), _moves("AAPL", "0.9"), _passes(minutes=2)),
    ),
    "target_reached": (
        (plan(BRACKET, timestamp=MADE),),
        _in_turn(_moves("AAPL", "1.2"), _passes(minutes=2)),
    ),
    "split": ((FRACTION, SECOND), _books("split", symbol="AAPL", new_rate="3", old_rate="1")),
    "reverse_split": ((FRACTION,), _books("split", symbol="AAPL", new_rate="1", old_rate="4")),
    "symbol_change": (
        (FRACTION,),
        _books("symbol_change", symbol="AAPL", new_symbol="AAPLX"),
    ),
    "split_and_renamed": (
        (FRACTION,),
        _in_turn(
            _books("split", symbol="AAPL", new_rate="2", old_rate="1"),
            _books("symbol_change", symbol="AAPL", new_symbol="AAPLX"),
        ),
    ),
    "merger": ((FRACTION,), _books("merger", symbol="AAPL", cash="300")),
    "spin_off": (
        (FRACTION,),
        _books("spin_off", symbol="AAPL", new_symbol="SPUN", rate="0.5", price="4"),
    ),
    "dividend_and_transfer": (
        (FRACTION,),
        _in_turn(
            _books("dividend", symbol="AAPL", per_share="0.26"),
            _books("transfer", amount="-2500"),
            _books("fee", amount="-0.13"),
        ),
    ),
    "canceled_by_hand": ((FRACTION,), lambda sim: cancels_by_hand(sim, "AAPL")),
    "sold_by_hand": (
        (FRACTION, SECOND),
        lambda sim: (cancels_by_hand(sim, "AAPL"), orders_by_hand(sim, "sell", "AAPL", "12.5")),
    ),
    "bought_by_hand": ((FRACTION,), lambda sim: orders_by_hand(sim, "buy", "KO", "2.5")),
    "daily_loss": (
        (plan(line("BUY", "AAPL", "130", stop_loss_pct="8"), timestamp=MADE),),
        _in_turn(_moves("AAPL", "0.8"), _moves("SPY", "0.8"), _passes(minutes=2)),
    ),
    "halted": (
        (FRACTION,),
        _in_turn(
            lambda sim: commits_state(sim, TradingState.HALTED),
            lambda sim: cancels_by_hand(sim, "AAPL"),
        ),
    ),
}
"""What a settling finds: the plans before, and what happened since they were executed."""


def to_settle(name: str) -> Simulation:
    """The world just before it is settled."""
    return _to_settle(name).fork()


@cache
def _to_settle(name: str) -> Simulation:
    before, since = SETTLED[name]
    sim = Simulation(KINDS["paper"])
    for one in before:
        sim.merge(one)
        assert sim.execute().reply is not None, "what came before ended"
    since(sim)
    return sim


ALL: Final[Mapping[str, Scenario]] = {**ENTRIES, **CHANGES_OF_HELD, **TROUBLES}
