from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from executor.errors import UsageError
from executor.exchange.engine import Exchange
from executor.exchange.messages import Request
from executor.exchange.prices import SeededPrices
from executor.main_state import MainState
from executor.model.fields import parse_timestamp, timestamp_text
from executor.ports import Change
from executor.repo.github_book import GitHubBook
from executor.repo.github_forge import GitHubForge
from executor.repo.local_book import LocalBook
from executor.wiring import KEEP, open_world, sim_exchange
from tests.commands.exchanges import Outside, outside
from tests.forge.rig import NAME
from tests.forge.server import ForgeServer
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


# On GitHub.

RUNNER: Final = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_TOKEN": "actions-token",
    "GITHUB_REPOSITORY": NAME,
    "GITHUB_RUN_ID": "123456",
    "GITHUB_RUN_ATTEMPT": "2",
}


@pytest.fixture
def clone(made: Repository) -> Repository:
    """As a job checks it out; nothing of these tests is fetched."""
    made.git("remote", "add", "origin", f"https://github.com/{NAME}")
    return made


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The environment of a job, without what this machine itself may have set."""
    for name in (*RUNNER, "GITHUB_API_URL", "GITHUB_SERVER_URL", KEEP):
        monkeypatch.delenv(name, raising=False)
    for name, value in RUNNER.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_a_job_commits_through_github_and_is_known_by_its_run(
    clone: Repository, runner: pytest.MonkeyPatch
) -> None:
    with open_world(clone.folder) as world:
        assert isinstance(world.book, GitHubBook)
        assert isinstance(world.forge, GitHubForge)
        assert (world.owner.run, world.owner.attempt) == ("123456", 2)


@pytest.mark.parametrize(
    ("absent", "has_forge"),
    [("GITHUB_ACTIONS", True), ("GITHUB_TOKEN", False), ("GITHUB_REPOSITORY", False)],
)
@pytest.mark.parametrize("is_empty", [False, True])
def test_a_laptop_commits_through_git(
    clone: Repository,
    runner: pytest.MonkeyPatch,
    absent: str,
    has_forge: bool,
    is_empty: bool,
) -> None:
    runner.setenv(absent, "") if is_empty else runner.delenv(absent)
    with open_world(clone.folder) as world, open_world(clone.folder) as other:
        assert type(world.book) is LocalBook
        assert (world.forge is not None) is has_forge
        assert world.owner.attempt == 1
        assert world.owner.run not in ("123456", other.owner.run)


@pytest.mark.parametrize(
    ("url", "is_clone"),
    [
        (f"https://github.com/{NAME}.git", True),
        ("https://github.com/Octo-Owner/Invest/", True),
        (f"git@github.com:{NAME}.git", True),
        (f"https://github.com/{NAME}-2", False),
        (f"https://github.com/not{NAME}", False),
        ("../remote.git", False),
        (None, False),
    ],
)
def test_a_scratch_repository_in_a_job_is_none_of_githubs(
    made: Repository, runner: pytest.MonkeyPatch, url: str | None, is_clone: bool
) -> None:
    if url is not None:
        made.git("remote", "add", "origin", url)
    with open_world(made.folder) as world:
        assert isinstance(world.book, GitHubBook) is is_clone
        assert (world.forge is not None) is is_clone


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GITHUB_REPOSITORY", "invest"),
        ("GITHUB_API_URL", "http://api.github.com"),
        ("GITHUB_TOKEN", "two words"),
    ],
)
def test_an_environment_that_cannot_be_one_is_named(
    clone: Repository, runner: pytest.MonkeyPatch, name: str, value: str
) -> None:
    runner.setenv(name, value)
    with pytest.raises(UsageError, match=name), open_world(clone.folder):
        raise AssertionError("it was opened")


def test_a_world_with_a_forge_loads_nothing_before_it_is_asked(clone: Repository) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom executor.wiring import open_world\n"
        f"with open_world(Path({str(clone.folder)!r})) as world:\n"
        "    print(world.forge is not None, 'github' in sys.modules, 'requests' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **RUNNER},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["True", "False", "False"]


@pytest.mark.parametrize("bot_id", [0, 2001])
def test_a_commit_is_vouched_for_by_the_bot_of_the_settings_before_it(
    tmp_path: Path, runner: pytest.MonkeyPatch, bot_id: int
) -> None:
    settings = shipped(("bot_id = 0", f"bot_id = {bot_id}"))
    with ForgeServer(tmp_path / "forge") as server:
        origin = Repository.founded(tmp_path / "origin", settings)
        bare = tmp_path / "forge" / "octo-owner" / "invest.git"
        origin.git("push", "--quiet", str(bare), "main")
        ours = tmp_path / "ours"
        origin.git("clone", "--quiet", server.git_url(NAME), str(ours))
        runner.setenv("GITHUB_API_URL", server.url)
        runner.setenv("GITHUB_SERVER_URL", server.url)
        runner.setenv(KEEP, str(tmp_path / "keep"))
        with open_world(ours) as world:
            change = Change("Add plan", {"trading_instructions.json": b"{}\n"})
            new = world.book.commit(change, world.book.head())
            assert world.book.vouches(new) is (bot_id == 0)
        assert (tmp_path / "keep" / "trading_instructions.json").read_bytes() == b"{}\n"
