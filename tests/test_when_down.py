"""The README's table "When something is down": every row is one test here, by its first cell."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from executor.exchange.engine import Exchange
from executor.model.plan import PLAN_PATH
from executor.model.writing import write_document
from tests.commands.broken_machine import ROOT, command
from tests.commands.exchanges import Outside, nobody_there, outside
from tests.scratch import IMPATIENT, Repository, line, plan, shipped

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
LATER = "2026-01-14T15:30:00Z"
NEXT_DAY = "2026-01-15T15:00:00Z"
EXCHANGE = "AUTOINVESTOR_EXCHANGE_URL"

BUY_WITH_A_STOP = line("BUY", "MU", quantity=10, stop_loss_pct=8)


@pytest.fixture(autouse=True)
def _no_keys_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ALPACA_API_KEY", "ALPACA_SECRET_KEY", EXCHANGE):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def exchange(monkeypatch: pytest.MonkeyPatch) -> Iterator[Outside]:
    with outside(monkeypatch) as found:
        yield found


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository.founded(tmp_path / "repository", shipped(*IMPATIENT))


def rows() -> list[str]:
    """The first cells of the README's table."""
    table = re.search(r"\n## When something is down\n(.*?)\n## ", README, re.DOTALL)
    assert table is not None, "the README has the section"
    found = re.findall(r"^\| ([^|]+?) \|", table[1], re.MULTILINE)
    return [one for one in found if one not in ("down", "---")]


TESTS = {
    "GitHub, or the remote": "test_the_remote_is_gone",
    "Alpaca": "test_the_broker_is_down",
    "the agent": "test_the_agent_is_silent",
    "the network, in the middle of a run": "test_the_network_goes_in_the_middle",
    "the machine that executes": "test_the_machine_dies_in_the_middle",
    "your phone": "test_nobody_approves_and_nobody_looks",
    "the settings file": "test_the_settings_are_broken",
    "the record": "test_the_record_is_damaged",
}


def test_every_row_is_a_test() -> None:
    assert rows() == list(TESTS)
    assert set(TESTS.values()) <= set(globals())


def buy(repository: Repository, *, push: bool = False) -> None:
    repository.commit_plan(plan(BUY_WITH_A_STOP))
    if push:
        repository.git("push", "--quiet", "origin", "main")
    answer = repository.execute()
    assert answer.code == 0, answer.text


def stops(exchange: Outside) -> list[tuple[str, str]]:
    """Symbol and shares of each open stop at the exchange."""

    def look(one: Exchange) -> list[tuple[str, str]]:
        return [
            (order.ticket.symbol, str(order.ticket.quantity))
            for order in one.desk.open_orders.values()
            if order.ticket.order_type == "stop"
        ]

    return exchange.ask(look)


def sold(exchange: Outside, symbol: str) -> int:
    """How many SELL orders of a symbol filled."""

    def look(one: Exchange) -> int:
        return sum(
            order.ticket.symbol == symbol and order.ticket.side == "sell" and not order.is_open
            for order in one.desk.orders.values()
            if order.filled_quantity
        )

    return exchange.ask(look)


STANDS = [("MU", "10")]


def test_the_remote_is_gone(repository: Repository, exchange: Outside, tmp_path: Path) -> None:
    remote = tmp_path / "remote.git"
    repository.with_remote(remote)
    buy(repository, push=True)
    repository.commit_plan(plan(line("SELL", "MU", quantity=4), reason="less of it"), LATER)
    repository.git("push", "--quiet", "origin", "main")
    shutil.move(remote, tmp_path / "gone.git")
    exchange.move_to(LATER)
    assert repository.execute(now=LATER).code == 4
    assert (stops(exchange), sold(exchange, "MU")) == (STANDS, 0)
    shutil.move(tmp_path / "gone.git", remote)
    assert repository.execute(now=LATER).code == 0
    assert (stops(exchange), sold(exchange, "MU")) == ([("MU", "6")], 1)


def test_the_broker_is_down(
    repository: Repository, exchange: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    buy(repository)
    head = repository.commit_plan(plan(line("SELL", "MU", quantity=4), reason="less"), LATER)
    exchange.move_to(LATER)
    with monkeypatch.context() as down:
        nobody_there(down)
        for verb in ("execute", "settle"):
            answer = getattr(repository, verb)(now=LATER)
            assert answer.code == 4, answer.text
    assert (repository.head, stops(exchange)) == (head, STANDS)
    assert repository.execute(now=LATER).code == 0
    assert stops(exchange) == [("MU", "6")]


def test_the_agent_is_silent(repository: Repository, exchange: Outside) -> None:
    buy(repository)
    exchange.move_to(NEXT_DAY)
    assert "nothing pending" in repository.execute(now=NEXT_DAY).out
    assert repository.settle(now=NEXT_DAY).code == 0
    assert stops(exchange) == STANDS
    assert repository.run("flatten", "--reason", "nobody decides", "--now", NEXT_DAY).code == 0


def test_the_network_goes_in_the_middle(repository: Repository, exchange: Outside) -> None:
    buy(repository)
    two = plan(line("SELL", "MU", quantity=4), line("BUY", "AAPL", quantity=1), reason="swap")
    repository.commit_plan(two, LATER)
    exchange.move_to(LATER)
    # The order arrives, its answer does not, and nothing else is answered either.
    exchange.fails(
        "accept_then_504", match={"side": "sell", "path": "/v2/orders", "method": "POST"}
    )
    exchange.fails("drop_before", match={"method": "GET", "path": "/v2/orders*"}, nth=3, times=60)
    cut = repository.execute(now=LATER)
    assert cut.code in (4, 5), cut.text
    exchange.heals()
    after = repository.execute(now=LATER)
    assert after.code == 0, after.text
    assert (sold(exchange, "MU"), stops(exchange)) == (1, [("MU", "6")])


def test_the_machine_dies_in_the_middle(
    repository: Repository, exchange: Outside, tmp_path: Path
) -> None:
    remote = tmp_path / "remote.git"
    repository.with_remote(remote)
    buy(repository, push=True)
    repository.commit_plan(plan(line("SELL", "MU", quantity=4), reason="less"), LATER)
    repository.git("push", "--quiet", "origin", "main")
    exchange.move_to(LATER)
    # The SELL arrives, its answer is on the way, the stop is withdrawn: there it dies.
    sell = {"method": "POST", "path": "/v2/orders", "side": "sell"}
    exchange.fails("stall", match=sell, seconds=60, accepted=True)
    executing = command(repository.folder, "execute", "--submit", "--now", LATER)
    with subprocess.Popen(executing, env={**os.environ, "PYTHONPATH": str(ROOT)}) as dying:
        while not sold(exchange, "MU") and dying.poll() is None:
            time.sleep(0.05)
        dying.kill()
    assert (sold(exchange, "MU"), stops(exchange)) == (1, [])
    # Whatever it left behind, another machine goes on from main and the broker.
    shutil.rmtree(repository.folder)
    other = Repository(remote).cloned(tmp_path / "other")
    assert other.execute(now=LATER).code == 0
    assert other.settle(now="2026-01-14T15:40:00Z").code == 0
    assert (sold(exchange, "MU"), stops(exchange)) == (1, [("MU", "6")])
    assert other.run("audit").code == 0


def test_nobody_approves_and_nobody_looks(repository: Repository, exchange: Outside) -> None:
    buy(repository)
    repository.git("switch", "--quiet", "--create", "plan/next")
    proposed = plan(line("BUY", "AAPL", quantity=1), reason="one more")
    repository.commit({PLAN_PATH: write_document(proposed)}, LATER)
    repository.git("switch", "--quiet", "main")
    exchange.move_to(NEXT_DAY)
    assert "nothing pending" in repository.execute(now=NEXT_DAY).out
    assert repository.settle(now=NEXT_DAY).code == 0
    assert stops(exchange) == STANDS
    # Merged at last, and far too late: its session is over.
    late = plan(line("BUY", "AAPL", quantity=1), reason="late", valid_until=LATER)
    repository.commit_plan(late, NEXT_DAY)
    assert repository.execute(now=NEXT_DAY).code == 1
    assert sorted(one["status"] for one in repository.archived) == ["completed", "expired"]
    assert not any(symbol == "AAPL" for symbol, _ in exchange.orders)


def test_the_settings_are_broken(repository: Repository, exchange: Outside) -> None:
    buy(repository)
    repository.commit({"autoinvestor.toml": b"mode = "}, LATER)
    opens = plan(line("BUY", "AAPL", quantity=1), reason="more")
    repository.commit_plan(opens, LATER)
    exchange.move_to(LATER)
    waits = repository.execute(now=LATER)
    assert (waits.code, "not now" in waits.out) == (0, True), waits.text
    assert repository.settle(now=LATER).code == 0
    assert stops(exchange) == STANDS
    exits = plan(line("SELL", "MU", quantity=4), reason="less", timestamp="2026-01-14T15:29:00Z")
    repository.commit_plan(exits, LATER)
    assert repository.execute(now=LATER).code == 0
    assert (sold(exchange, "MU"), stops(exchange)) == (1, [("MU", "6")])


def test_the_record_is_damaged(repository: Repository, exchange: Outside) -> None:
    buy(repository)
    (path,) = [one for one in repository.paths("execution_results") if "result_" in one]
    repository.commit({path: b"{}"}, LATER)
    repository.commit({"execution_results/account.json": b"{}"}, LATER)
    repository.commit_plan(plan(line("BUY", "AAPL", quantity=1), reason="more"), LATER)
    exchange.move_to(LATER)
    assert repository.execute(now=LATER).code == 5
    assert repository.run("audit").code == 1
    halted = repository.run("halt", "--halted", "--reason", "the record is damaged")
    assert halted.code in (0, 4, 5), halted.text
    assert repository.read("execution_results/trading_state.json")["state"] == "HALTED"
    assert stops(exchange) == STANDS
