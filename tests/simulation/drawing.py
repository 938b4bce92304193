"""What a seed draws: accounts, plans and faults, mostly sound, sometimes not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Final

from executor.exchange.faults import Fault
from tests.simulation.documents import line, plan
from tests.simulation.world import START, Setup, Simulation

SYMBOLS: Final = {
    "MU": "331.44",
    "AAPL": "260.40",
    "KO": "71.20",
    "SPY": "692.10",
    "BAC": "54.20",
}
"""Symbols of the plans, and about what they cost on the first day."""

OF_QUESTIONS: Final = (
    "drop_before",
    "stall",
    "latency",
    "rate_limit_429",
    "html_502",
    "not_json_200",
)
"""Faults that questions have as well as orders."""

FAULTS: Final = (
    *OF_QUESTIONS,
    "accept_then_504",
    "accept_then_drop",
    "unknown_status",
    "partial_fill",
    "late_fill",
    "rejection",
    "order_rejected",
)
"""Every fault of the exchange's list."""


def _order_fault(rng: Random, kind: str, **parameters: object) -> Fault:
    match = {"method": "POST", "path": "/v2/orders"}
    if rng.random() < 0.5:
        match["side"] = rng.choice(["buy", "sell"])
    times = rng.choice([1, 1, 1, 2, 0])
    return Fault(kind, match, rng.choice([1, 1, 2]), times, parameters)


def _ask_fault(rng: Random, kind: str, **parameters: object) -> Fault:
    path = rng.choice(["/v2/*", "/v2/orders*", "/v2/positions", "/v2/account", "/v2/stocks/*"])
    match = {"method": "GET", "path": path}
    return Fault(kind, match, rng.randint(1, 8), rng.choice([1, 2, 5]), parameters)


def random_fault(rng: Random) -> Fault:
    """One fault of the exchange's list, of an order or of a question."""
    yes = rng.random() < 0.5
    kind = rng.choice(FAULTS)
    known: Mapping[str, Mapping[str, object]] = {
        "stall": {"seconds": 30, "accepted": yes},
        "rate_limit_429": {"reset_seconds": rng.choice([1, 2, 40])},
        "html_502": {"accepted": yes},
        "not_json_200": {"accepted": yes},
        "late_fill": _rest(rng, "seconds", "polls"),
        "latency": {"ms": rng.choice([300, 5000])},
        "partial_fill": {
            "fraction": rng.choice(["0.1", "0.5", "0.93"]),
            **_rest(rng, "rest_seconds", "rest_polls"),
        },
    }
    parameters = known.get(kind, {})
    if kind == "unknown_status":
        return Fault(kind, nth=rng.randint(1, 6), times=rng.choice([1, 2, 5]))
    if kind in OF_QUESTIONS and rng.random() < 0.4:
        return _ask_fault(rng, kind, **parameters)
    return _order_fault(rng, kind, **parameters)


def _rest(rng: Random, seconds: str, polls: str) -> Mapping[str, object]:
    return rng.choice([{seconds: rng.choice([2, 8, 20, 400])}, {polls: rng.choice([1, 2, 4])}, {}])


def random_setup(rng: Random) -> Setup:
    """Mode, policies and what is held; about half of it the ordinary case."""
    holdings: dict[str, tuple[str, str]] = {}
    for symbol in rng.sample(sorted(SYMBOLS), rng.choice([0, 1, 2, 2])):
        holdings[symbol] = (rng.choice(["10", "25.5", "40"]), SYMBOLS[symbol])
    kind = rng.choice(["sim", "sim", "embedded", "paper", "paper", "paper_resend"])
    return Setup(
        mode="paper" if kind.startswith("paper") else "sim",
        on_unknown="resend_same_id" if kind == "paper_resend" else "stop",
        on_denied=rng.choice(["exits_go", "plan_stops", "rest_goes"]),
        calendar=rng.choice(["always", "always", "nyse"]),
        sessions_valid=rng.choice([1, 1, 2]),
        embedded=kind == "embedded",
        rate_limit=rng.choice([0, 0, 0, 0, 60]),
        holdings=holdings,
        start=START + timedelta(minutes=rng.choice([0, 0, 0, 357, 540, 1000])),
    )


@dataclass
class Author:
    """Writes plans for a world as it is."""

    rng: Random
    sim: Simulation

    def plan(self) -> bytes:
        """A plan: mostly sound, sometimes with a line that is denied, sometimes no plan at all."""
        rng = self.rng
        if rng.random() < 0.05:
            return rng.choice(
                [b"{", b"[]", plan(line("BUY", "MU", "-1")), plan(), plan(line("HOLD", "MU", "1"))]
            )
        lines = []
        for symbol in self._symbols():
            lines += self._lines(symbol)
        if rng.random() < 0.2:
            lines += self._cancels()
        if rng.random() < 0.06:
            lines.append(rng.choice([line("BUY", "ZDEAD", "1"), line("BUY", "MU", "90000")]))
        keys: dict[str, object] = {}
        if rng.random() < 0.7:
            keys["timestamp"] = self.sim.clock.now().isoformat()
        return plan(*lines, **keys)

    def _symbols(self) -> list[str]:
        """Held ones rather than others: what is held may have a stop."""
        held = sorted(self._held() & set(SYMBOLS))
        found = set(self.rng.sample(sorted(SYMBOLS), self.rng.choice([1, 1, 2, 2, 3, 4])))
        if held and self.rng.random() < 0.6:
            found.add(self.rng.choice(held))
        return sorted(found)

    def _held(self) -> set[str]:
        return {key for key, one in self.sim.exchange.desk.positions.items() if one.quantity}

    def _price(self, symbol: str) -> float:
        now = self.sim.clock.now()
        return float(self.sim.exchange.desk.last_price(symbol, now) or SYMBOLS[symbol])

    def _lines(self, symbol: str) -> list[dict[str, object]]:
        roll = self.rng.random()
        if symbol not in self._held():
            return [self._buys(symbol)]
        if roll < 0.45:
            return [self._sells(symbol)]
        if roll < 0.55:
            return [self._sells(symbol), self._protects(symbol)]
        return [self._protects(symbol) if roll < 0.75 else self._buys(symbol)]

    def _sells(self, symbol: str) -> dict[str, object]:
        if self.rng.random() < 0.15:
            # Above the market: it rests, and holds its shares back.
            limit = f"{self._price(symbol) * 1.03:.2f}"
            return line("SELL", symbol, "4", order_type="limit", limit_price=limit)
        return line("SELL", symbol, self.rng.choice(["all", "all", "3", "5.5", "9"]))

    def _protects(self, symbol: str) -> dict[str, object]:
        rng = self.rng
        keys: dict[str, object] = {"loosen": True} if rng.random() < 0.4 else {}
        roll = rng.random()
        if roll < 0.2:
            return line("PROTECT", symbol, trail_percent=rng.choice(["1", "4"]), **keys)
        if roll < 0.3:
            return line("PROTECT", symbol, protect="none", loosen=True)
        stop = f"{self._price(symbol) * rng.choice([0.8, 0.95, 0.985, 0.994]):.2f}"
        return line("PROTECT", symbol, stop_price=stop, **keys)

    def _cancels(self) -> list[dict[str, object]]:
        entries = [one for one in self.sim.main.ledger.open_orders if one.leg == "entry"]
        if not entries:
            return []
        told = self.rng.choice(entries).told
        return [line("CANCEL", told.ticker, client_order_id=told.client_order_id)]

    def _buys(self, symbol: str) -> dict[str, object]:
        rng, price = self.rng, self._price(symbol)
        stop: dict[str, object] = {}
        if rng.random() < 0.7:
            stop = {"stop_loss_pct": rng.choice(["0.6", "2", "8"])}
        roll = rng.random()
        if roll < 0.2:
            return line("BUY", symbol, notional=rng.choice(["50", "333.33", "2000.01"]), **stop)
        if stop and roll < 0.35:
            stop |= {"protect": "bracket", "profit_target_pct": rng.choice(["0.8", "5"])}
            if rng.random() < 0.5:
                return line("BUY", symbol, "6", **stop)
        if roll < 0.6:
            limit = f"{price * rng.choice([0.97, 0.998, 1.02]):.2f}"
            force = rng.choice(["day", "gtc"])
            keys = {"order_type": "limit", "limit_price": limit, "time_in_force": force}
            return line("BUY", symbol, rng.choice(["3", "8"]), **keys, **stop)
        if "protect" in stop:
            return line("BUY", symbol, "5", **stop)
        return line("BUY", symbol, rng.choice(["1", "7", "2.123456789", "6.5"]), **stop)
