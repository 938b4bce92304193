from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from executor.exchange.engine import Exchange
from executor.exchange.messages import Request
from executor.exchange.prices import SeededPrices
from executor.main_state import MainState
from executor.model.fields import parse_timestamp, timestamp_text
from executor.wiring import open_world, sim_exchange
from tests.commands.exchanges import Outside, outside
from tests.scratch import IMPATIENT, NOW, Repository, line, plan, shipped

HEADERS: Final = {"APCA-API-KEY-ID": "key", "APCA-API-SECRET-KEY": "secret"}
MOMENT: Final = parse_timestamp(NOW)
PATH: Final = SeededPrices(2030)

SHOWN: Final = (
    "id",
    "client_order_id",
    "symbol",
    "side",
    "type",
    "order_class",
    "time_in_force",
    "qty",
    "notional",
    "filled_qty",
    "filled_avg_price",
    "limit_price",
    "stop_price",
    "trail_percent",
    "hwm",
    "status",
)


def ask(exchange: Exchange, path: str, **query: str) -> Any:
    answer = exchange.handle(Request("GET", path, query, HEADERS, b""))
    assert answer.status == 200, answer.body
    return answer.json()


def shown(order: dict[str, Any]) -> dict[str, Any]:
    """An order without its times, with what hangs on it."""
    legs = [shown(one) for one in order.get("legs") or ()]
    return {name: order[name] for name in SHOWN} | {"legs": legs}


def account(exchange: Exchange) -> dict[str, Any]:
    """Cash, holdings, and every open order with its legs, as any client sees them."""
    money = ask(exchange, "/v2/account")
    held = ask(exchange, "/v2/positions")
    orders = ask(exchange, "/v2/orders", status="open", nested="true")
    return {
        "cash": money["cash"],
        "equity": money["equity"],
        "buying_power": money["buying_power"],
        "positions": [(one["symbol"], one["qty"], one["cost_basis"]) for one in held],
        "available": [(one["symbol"], one["qty_available"]) for one in held],
        "orders": sorted((shown(one) for one in orders), key=lambda one: str(one["id"])),
    }


def folded(repository: Repository, now: Callable[[], datetime]) -> Exchange:
    """The exchange as a new process makes it, from the record alone."""
    with open_world(repository.folder, timestamp_text(now())) as world:
        main = MainState(world.book, world.book.head())
        return sim_exchange(main.settings, main.ledger, now)


class Restarting:
    """One exchange that goes on, against new ones that are folded from the record."""

    def __init__(self, repository: Repository, exchange: Outside) -> None:
        self.repository, self.exchange, self.now = repository, exchange, MOMENT
        self.plans = 0

    def passes(self, **time: float) -> None:
        self.now += timedelta(**time)
        self.exchange.move_to(timestamp_text(self.now))

    def executes(self, *lines: dict[str, Any], **keys: Any) -> None:
        self.plans += 1
        self.passes(minutes=2)
        tree = plan(*lines, **({"reason": f"plan {self.plans}"} | keys))
        tree["timestamp"] = timestamp_text(self.now - timedelta(seconds=2))
        self.repository.commit_plan(tree, timestamp_text(self.now - timedelta(seconds=1)))
        answer = self.repository.execute(now=timestamp_text(self.now))
        assert answer.code == 0, answer.text
        self.is_same()

    def settles(self) -> None:
        answer = self.repository.settle(now=timestamp_text(self.now))
        assert answer.code == 0, answer.text
        self.is_same()

    def is_same(self) -> None:
        """A new process sees the same account."""
        # A run takes its time, and what it wrote is of then.
        self.passes(minutes=1)
        assert account(folded(self.repository, lambda: self.now)) == self.exchange.ask(account)

    def goes_on(self, days: int) -> set[str]:
        """Hour by hour a new process sees the same; every status that an order had meanwhile."""
        other = folded(self.repository, lambda: self.now)
        statuses = set()
        for _ in range(days * 24):
            self.passes(hours=1)
            seen = account(other)
            assert seen == self.exchange.ask(account)
            statuses |= {one["status"] for order in seen["orders"] for one in order["legs"]}
            statuses |= {one["status"] for one in seen["orders"]}
        self.is_same()
        return statuses


@pytest.fixture
def made(tmp_path: Path) -> Repository:
    return Repository.founded(tmp_path / "repository", shipped(*IMPATIENT))


def bought(**keys: Any) -> dict[str, Any]:
    return line("BUY", **({"stop_loss_pct": 8} | keys))


def below(symbol: str, now: datetime, percent: float) -> float:
    """USD a share a little under a price."""
    price = PATH.price(symbol, now)
    assert price is not None
    return round(float(price) * (100 - percent) / 100, 2)


@pytest.fixture
def story(made: Repository, monkeypatch: pytest.MonkeyPatch) -> Iterator[Restarting]:
    with outside(monkeypatch) as exchange:
        yield Restarting(made, exchange)


RESTS: Final = {"order_type": "limit", "time_in_force": "gtc"}
PAIR: Final = {"protect": "bracket", "profit_target_pct": 4, "stop_loss_pct": 3}


def test_a_new_process_sees_the_same_account_after_every_run(story: Restarting) -> None:
    story.executes(bought(quantity=10.5), line("BUY", "AMD", quantity=4))
    story.executes(line("SELL", quantity=5))
    story.executes(line("PROTECT", "AMD", stop_price=below("AMD", story.now, 6)))
    assert story.goes_on(2) == {"new"}


def test_a_new_process_sees_the_same_account_after_it_was_settled(story: Restarting) -> None:
    story.executes(bought(quantity=10.5))
    story.passes(days=1)
    story.settles()
    story.goes_on(2)
    story.settles()


def test_an_oto_goes_on_in_a_new_process(story: Restarting) -> None:
    price = below("MU", story.now, 3)
    story.executes(bought(limit_price=price, stop_loss_pct=4, **RESTS))
    assert {"held", "new"} <= story.goes_on(6)
    story.settles()
    assert story.exchange.orders[0] == ("MU", "filled")


def test_a_bracket_goes_on_in_a_new_process(story: Restarting) -> None:
    story.executes(bought(time_in_force="gtc", **PAIR))
    assert {"held", "new"} <= story.goes_on(6)
    story.settles()
    assert story.exchange.held == {}


def test_a_bracket_whose_entry_rests_goes_on_in_a_new_process(story: Restarting) -> None:
    story.executes(bought(limit_price=below("MU", story.now, 3), **RESTS, **PAIR))
    assert {"held", "new"} <= story.goes_on(6)
    story.settles()
    assert [status for _, status in story.exchange.orders].count("filled") == 2


def test_a_pair_that_took_a_brackets_place_goes_on_in_a_new_process(story: Restarting) -> None:
    story.executes(bought(**PAIR))
    story.executes(line("SELL", quantity=4))
    assert {one["order_class"] for one in story.exchange.ask(account)["orders"]} == {"oco"}
    assert {"held", "new"} <= story.goes_on(6)
    story.settles()
    assert story.exchange.held == {}


def test_a_stop_that_trails_goes_on_in_a_new_process(story: Restarting) -> None:
    story.executes(bought())
    story.executes(line("PROTECT", trail_percent=6, loosen=True))
    assert "new" in story.goes_on(6)
    story.settles()
