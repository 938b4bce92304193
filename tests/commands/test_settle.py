from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from executor.exchange.prices import SeededPrices
from executor.model.digest import digest
from executor.model.fields import parse_timestamp, timestamp_text
from executor.model.plan import PLAN_PATH
from executor.model.position import Position
from executor.settings import parse_settings
from tests.commands.exchanges import nobody_there, outside
from tests.scratch import IMPATIENT, NOW, RESULTS, TEMPLATE, Repository, line, plan, shipped

NEXT_DAY = "2026-01-15T09:00:00Z"
OUT_OF_REACH = "320"
"""USD: MU does not fall as low in the days of these tests."""


@pytest.fixture(autouse=True)
def _no_keys_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ALPACA_API_KEY", "ALPACA_SECRET_KEY", "AUTOINVESTOR_EXCHANGE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository.founded(tmp_path / "repository", shipped(*IMPATIENT))


def limit(action: str = "BUY", price: object = OUT_OF_REACH, **keys: Any) -> dict[str, Any]:
    return line(action, order_type="limit", limit_price=float(str(price)), **keys)


def lowest(hours: int = 8) -> tuple[datetime, float]:
    """When MU is at its lowest within some hours of the present, and USD a share then."""
    start = parse_timestamp(NOW)
    minutes = [start + timedelta(minutes=at) for at in range(5, hours * 60)]
    path = SeededPrices(parse_settings(TEMPLATE.encode()).sim.seed)
    price, at = min((path.price("MU", at) or 0, at) for at in minutes)
    return at, float(price)


def newest(repository: Repository) -> dict[str, Any]:
    return repository.results[-1]


def test_an_order_that_fills_later_becomes_a_further_result(repository: Repository) -> None:
    at, price = lowest()
    repository.commit_plan(plan(limit(price=round(price + 0.1, 2))))
    assert repository.execute().code == 0
    assert newest(repository)["execution_summary"]["open"] == 1
    first_path = repository.paths(RESULTS)[0]
    answer = repository.settle(now=timestamp_text(at + timedelta(minutes=2)))
    assert answer.code == 0
    assert "orders still open: 0" in answer.out
    first, second = repository.results
    assert (second["kind"], second["first_result"]) == ("settlement", first_path)
    assert second["previous_result_digest"] == digest(first)
    assert second["plan_digest"] == first["plan_digest"]
    (settled,) = second["instructions"]
    assert (settled["outcome"], settled["filled_quantity"]) == ("filled", 10)
    assert [one["quantity"] for one in settled["fills"]] == [10]
    assert second["final_portfolio"]["positions"][0]["symbol"] == "MU"
    assert repository.git("status", "--porcelain") == ""
    assert repository.run("audit").code == 0


@pytest.mark.parametrize("begun", [True, False])
def test_keys_of_another_account_end_it_before_anything_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begun: bool
) -> None:
    story = Repository.founded(tmp_path / "other", shipped(*IMPATIENT))
    with outside(monkeypatch):
        if begun:
            story.commit_plan(plan())
            assert story.execute().code == 0
        named = shipped(*IMPATIENT, ('number_ends_with = ""', 'number_ends_with = "9999"'))
        story.commit({"autoinvestor.toml": named.encode()}, message="Name another account")
        head = story.head
        answer = story.settle()
        assert (answer.code, story.head, answer.out) == (5, head, "")
        assert "the settings name the one whose number ends with 9999" in answer.err


def test_settling_again_finds_nothing_new(repository: Repository) -> None:
    at, price = lowest()
    repository.commit_plan(plan(limit(price=round(price + 0.1, 2))))
    repository.execute()
    later = timestamp_text(at + timedelta(minutes=2))
    repository.settle(now=later)
    head = repository.head
    answer = repository.settle(now=later)
    assert "nothing new" in answer.out
    assert repository.head == head


def test_an_order_that_still_rests_stays_open(repository: Repository) -> None:
    repository.commit_plan(plan(limit()))
    repository.execute()
    head = repository.head
    answer = repository.settle(now="2026-01-14T16:00:00Z")
    assert (answer.code, "orders still open: 1" in answer.out) == (0, True)
    assert repository.head == head


def test_a_day_order_expires_with_its_session(repository: Repository) -> None:
    repository.commit_plan(plan(limit()))
    repository.execute()
    assert repository.settle(now=NEXT_DAY).code == 0
    (settled,) = newest(repository)["instructions"]
    assert (settled["outcome"], settled["fills"]) == ("expired", [])
    assert newest(repository)["execution_summary"]["failed"] == 1
    assert repository.settle(now=NEXT_DAY).out.startswith("nothing new")


def test_an_order_good_until_canceled_outlives_its_session(repository: Repository) -> None:
    repository.commit_plan(plan(limit(time_in_force="gtc")))
    repository.execute()
    assert "orders still open: 1" in repository.settle(now=NEXT_DAY).out


def test_orders_of_several_plans_are_settled_apart(repository: Repository) -> None:
    repository.commit_plan(plan(limit(), reason="first"))
    repository.execute()
    second = plan(limit("BUY", "200", ticker="AMD"), limit(), reason="second")
    repository.commit_plan(second, "2026-01-14T15:01:00Z")
    assert repository.execute(now="2026-01-14T15:02:00Z").code == 0
    answer = repository.settle("--json", now=NEXT_DAY)
    assert [len(one["instructions"]) for one in answer.data["results"]] == [1, 2]
    assert answer.data["still_open"] == 0
    assert [one["kind"] for one in repository.results] == ["execution"] * 2 + ["settlement"] * 2
    assert repository.subjects[0].startswith("Settle plan ")
    assert repository.run("audit").code == 0


def test_what_filled_in_part_is_told_once(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit_plan(plan())
    with outside(monkeypatch) as exchange:
        exchange.fails("partial_fill", fraction="0.4", rest_seconds=600)
        assert repository.execute().code == 0
        exchange.move_to("2026-01-14T15:20:00Z")
        assert repository.settle(now="2026-01-14T15:20:00Z").code == 0
    first, second = (one["instructions"][0] for one in repository.results)
    assert (first["outcome"], second["outcome"]) == ("open", "filled")
    assert [one["quantity"] for one in first["fills"]] == [4]
    assert [one["quantity"] for one in second["fills"]] == [6]
    assert second["filled_quantity"] == 10


def unknown(repository: Repository, exchange: Any) -> None:
    """Execute a plan of whose order nobody knows."""
    repository.commit_plan(plan())
    exchange.fails("drop_before", match={"method": "POST", "path": "/v2/orders"}, times=0)
    assert repository.execute().code == 5
    exchange.heals()


def test_an_order_that_never_arrived_is_given_up_after_its_session_and_once(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    with outside(monkeypatch) as exchange:
        unknown(repository, exchange)
        before = repository.settle(now="2026-01-14T16:00:00Z")
        assert "orders still open: 1" in before.out
        exchange.move_to(NEXT_DAY)
        assert repository.settle(now=NEXT_DAY).code == 0
        (settled,) = newest(repository)["instructions"]
        assert settled["outcome"] == "not_sent"
        head = repository.head
        assert "orders still open: 0" in repository.settle(now="2026-01-15T09:01:00Z").out
        assert repository.head == head


def test_an_order_that_turns_up_late_is_followed(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    with outside(monkeypatch) as exchange:
        repository.commit_plan(plan())
        # It was taken, and then the broker fell silent about it.
        exchange.fails("accept_then_drop")
        exchange.fails("html_502", match={"path": "/v2/orders:by_client_order_id"}, times=0)
        assert repository.execute().code == 5
        exchange.heals()
        assert repository.settle(now="2026-01-14T15:30:00Z").code == 0
        assert exchange.orders == [("MU", "filled")]
    assert [one["instructions"][0]["outcome"] for one in repository.results] == [
        "unknown",
        "filled",
    ]


def test_what_was_bought_late_has_the_stop_that_it_brought_along(repository: Repository) -> None:
    at, price = lowest()
    asked = limit(price=round(price + 0.1, 2), stop_loss_pct=8, time_in_force="gtc")
    repository.commit_plan(plan(asked))
    repository.execute()
    answer = repository.settle(now=timestamp_text(at + timedelta(minutes=2)))
    (settled,) = newest(repository)["instructions"]
    (protection,) = settled["protection"]
    assert (protection["state"], protection["quantity"]) == ("stop", 10)
    assert float(protection["stop_price"]) <= round(float(settled["average_fill_price"]) * 0.92, 2)
    assert "orders still open: 1" in answer.out
    assert newest(repository)["warnings"] == []


def test_a_record_without_open_orders_asks_no_broker(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = repository.settle()
    assert (answer.code, answer.out.splitlines()[-1]) == (0, "orders still open: 0")
    nobody_there(monkeypatch)
    # Elsewhere somebody may hold something that the empty record does not know.
    assert repository.settle().code == 4


def test_an_account_that_holds_something_before_the_first_result_is_named(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    with outside(monkeypatch) as exchange:
        assert (
            repository.settle().out == "nothing new: no record yet in sim, and an empty account\n"
        )
        exchange.ask(lambda one: one.desk.positions.update(MU=Position("MU", Decimal(5))))
        answer = repository.settle("--json")
    assert (answer.code, answer.data["held"]) == (5, ["MU"])


def test_with_a_remote_the_settlement_is_pushed(repository: Repository, tmp_path: Path) -> None:
    remote = repository.with_remote(tmp_path / "remote.git")
    repository.commit_plan(plan(limit()))
    repository.git("push", "--quiet", "origin", "main")
    repository.execute()
    clone = remote.cloned(tmp_path / "clone")
    assert clone.settle(now=NEXT_DAY).code == 0
    assert remote.head == clone.head
    assert newest(remote)["instructions"][0]["outcome"] == "expired"


def test_a_dead_exchange_is_told_and_nothing_is_written(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit_plan(plan(limit()))
    repository.execute()
    head = repository.head
    nobody_there(monkeypatch)
    answer = repository.settle("--json", now=NEXT_DAY)
    assert answer.code == answer.data["exit_code"] == 4
    assert answer.err.splitlines()[-1].endswith("; run the same command again")
    assert "Traceback" not in answer.text
    assert repository.head == head


def test_a_present_that_is_no_time_is_refused(repository: Repository) -> None:
    answer = repository.settle(now="tomorrow")
    assert answer.code == 2
    assert "not a timestamp; write one" in answer.err


def test_no_repository(tmp_path: Path) -> None:
    answer = Repository(tmp_path).settle()
    assert answer.code == 2
    assert "not a git repository" in answer.err


def test_uncommitted_work_on_a_plan_refuses(repository: Repository) -> None:
    (repository.folder / PLAN_PATH).write_text("{}")
    answer = repository.settle()
    assert (answer.code, "uncommitted changes; commit them" in answer.err) == (2, True)


def test_a_chain_that_is_broken_is_left_to_a_person(repository: Repository) -> None:
    repository.commit_plan(plan(limit()))
    repository.execute()
    (path,) = (one for one in repository.paths(RESULTS) if "result_" in one)
    data = (repository.folder / path).read_bytes().replace(b'"sim"', b'"sim",\n  "nonsense": 1')
    repository.commit({path: data})
    answer = repository.settle()
    assert answer.code == 5
    assert f"{path}: a result that cannot be read; see `autoinvestor audit`" in answer.err


def test_each_mode_has_a_ledger_of_its_own(repository: Repository) -> None:
    repository.commit_plan(plan(limit()))
    repository.execute()
    text = shipped(*IMPATIENT, ('mode = "sim"', 'mode = "paper"'))
    repository.commit({"autoinvestor.toml": text.encode()})
    # Nothing of sim is open in paper; what that account holds, only its broker knows.
    answer = repository.settle(now=None)
    assert (answer.code, "set ALPACA_API_KEY" in answer.err) == (2, True)
