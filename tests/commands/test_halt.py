from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from executor.commands.execute import execute
from executor.commands.halt import Halting, halt
from executor.model.digest import digest
from executor.model.ledger import Ledger
from executor.model.plan import PLAN_PATH
from executor.model.settings import Settings
from executor.model.state import STATE_PATH, TradingState
from executor.ports import Broker
from executor.repo.local_book import LocalBook
from executor.wiring import SystemClock, open_world
from tests.commands.exchanges import nobody_there, outside
from tests.commands.strangers import PERSON, ask, named, orders, status_of
from tests.fakes.progress import Heard
from tests.scratch import ADDED, IMPATIENT, NOW, RESULTS, Answer, Repository, line, plan, shipped

LATER = "2026-01-14T15:10:00Z"
LATEST = "2026-01-14T15:20:00Z"


@pytest.fixture(autouse=True)
def _no_keys_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ALPACA_API_KEY", "ALPACA_SECRET_KEY", "AUTOINVESTOR_EXCHANGE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return named(Repository.founded(tmp_path / "repository", shipped(*IMPATIENT)))


def halted(
    repository: Repository, *flags: str, reason: str = "it looks wrong", now: str | None = LATER
) -> Answer:
    story = () if now is None else ("--now", now)
    return repository.run("halt", "--reason", reason, *story, *flags)


def resting(repository: Repository, *lines: dict[str, Any]) -> str:
    """Execute a plan whose first order rests; its id."""
    far = line("BUY", "MU", order_type="limit", limit_price=200, time_in_force="gtc")
    repository.commit_plan(plan(far, *lines))
    assert repository.execute().code == 0
    key = repository.results[-1]["instructions"][0]["client_order_id"]
    return str(key)


def newest(repository: Repository) -> dict[str, Any]:
    return repository.results[-1]


# The state.


def test_exits_only_is_the_default_and_stands_in_one_commit_with_its_result(
    repository: Repository,
) -> None:
    before = repository.head
    answer = halted(repository)
    assert (answer.code, "trading state: REDUCE_ONLY (exits only)" in answer.out) == (0, True)
    assert repository.git("rev-parse", "main~1") == before
    state = repository.read(STATE_PATH)
    assert (state["state"], state["by"]) == ("REDUCE_ONLY", PERSON)
    assert (state["reason"], str(state["since"])[:19]) == ("it looks wrong", LATER[:19])
    result = newest(repository)
    assert (result["kind"], result["state"], result["mode"]) == ("state", state, "sim")
    assert result["code_commit"] == before
    assert repository.git("status", "--porcelain") == ""
    assert repository.run("audit").code == 0


def test_a_commit_says_what_was_done_and_nothing_that_anybody_wrote(repository: Repository) -> None:
    halted(repository, reason="look\n\nStep: validated\n[skip ci] \u202e")
    message = repository.git("log", "-1", "--format=%B").splitlines()
    (path,) = (one for one in repository.paths(RESULTS) if "result_" in one)
    assert message[0] == "Halt: REDUCE_ONLY"
    assert message[2:] == ["Trading-State: REDUCE_ONLY", f"Result: {path}"]
    assert repository.read(STATE_PATH)["reason"] == "look Step: validated (skip ci)"


def test_it_only_tightens_and_may_be_run_again(repository: Repository) -> None:
    assert halted(repository, "--halted").code == 0
    assert repository.read(STATE_PATH)["state"] == "HALTED"
    head = repository.head
    for flags in ((), ("--halted",)):
        answer = halted(repository, *flags, now=LATEST)
        assert (answer.code, repository.head) == (0, head)
        assert "already as tight as asked for, or tighter" in answer.out
    assert halted(repository, "--json", now=LATEST).data["already"] is True


def test_reduce_only_may_be_tightened_further(repository: Repository) -> None:
    halted(repository)
    assert halted(repository, "--halted", now=LATEST).code == 0
    assert [one["state"]["state"] for one in repository.results] == ["REDUCE_ONLY", "HALTED"]
    assert newest(repository)["previous_result_digest"] == digest(repository.results[0])
    assert repository.run("audit").code == 0


def test_a_state_that_cannot_be_read_becomes_halted_as_nothing_else_tightens_it(
    repository: Repository,
) -> None:
    repository.commit({STATE_PATH: b'{"state": "OPEN"}\n'})
    assert halted(repository).code == 0
    assert repository.read(STATE_PATH)["state"] == "HALTED"


def test_an_opening_plan_is_denied_from_then_on(repository: Repository) -> None:
    halted(repository)
    repository.commit_plan(plan(), LATER)
    answer = repository.execute(now=LATEST)
    assert (answer.code, "exits only" in answer.out) == (1, True)


def test_with_a_remote_the_state_is_pushed(repository: Repository, tmp_path: Path) -> None:
    remote = repository.with_remote(tmp_path / "remote.git")
    assert halted(repository).code == 0
    assert remote.head == repository.head
    assert remote.read(STATE_PATH)["state"] == "REDUCE_ONLY"


@pytest.mark.parametrize("reason", ["", " \n\u200b "])
def test_a_reason_is_asked_for(repository: Repository, reason: str) -> None:
    head = repository.head
    answer = halted(repository, reason=reason)
    assert (answer.code, "--reason: empty" in answer.err, repository.head) == (2, True, head)


def test_a_present_is_for_sim_and_never_before_the_last_result(repository: Repository) -> None:
    halted(repository, now=LATEST)
    early = halted(repository, "--halted", now=LATER)
    assert (early.code, "before the last result" in early.err) == (2, True)
    text = shipped(*IMPATIENT, ('mode = "sim"', 'mode = "paper"'))
    repository.commit({"autoinvestor.toml": text.encode()})
    answer = halted(repository, "--halted", now=LATEST)
    assert (answer.code, "--now is for sim only" in answer.err) == (2, True)
    assert repository.read(STATE_PATH)["state"] == "REDUCE_ONLY"


# Whatever else is wrong.


def test_a_plan_that_cannot_be_read_is_in_no_ones_way(repository: Repository) -> None:
    repository.commit_plan(b"{ this is no plan")
    assert halted(repository).code == 0
    assert repository.has_plan


def test_broken_settings_leave_the_last_valid_ones(repository: Repository) -> None:
    key = resting(repository)
    repository.commit({"autoinvestor.toml": b"mode = [nonsense"})
    answer = halted(repository, "--json")
    assert (answer.code, answer.data["canceled"]) == (0, [key])


def test_settings_that_never_were_valid_leave_the_orders_to_a_person(tmp_path: Path) -> None:
    broken = named(Repository.founded(tmp_path / "broken", "mode = [nonsense"))
    answer = halted(broken, now=None)
    assert (answer.code, broken.read(STATE_PATH)["state"]) == (5, "REDUCE_ONLY")
    assert "not every order was canceled" in answer.out
    assert "settings_digest" not in newest(broken)
    assert "mode" not in newest(broken)


def test_a_broken_chain_is_gone_on_with_where_it_is_mended(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    with outside(monkeypatch):
        key = resting(repository)
        (path,) = [one for one in repository.paths(RESULTS) if "result_" in one]
        whole = (repository.folder / path).read_bytes()
        repository.commit({path: whole.replace(b'"sim"', b'"sim",\n  "nonsense": 1')})
        answer = halted(repository)
        assert (answer.code, "the record cannot be read" in answer.out) == (5, True)
        # The ids tell which orders are ours.
        assert status_of(key) == "canceled"
    assert repository.read(STATE_PATH)["state"] == "REDUCE_ONLY"
    repository.commit({path: whole})
    rules = {one["rule"] for one in repository.run("audit", "--json").data["breaches"]}
    assert rules == {"append_only"}, "the chain holds again"


def test_a_run_that_holds_the_lock_is_not_waited_for(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    with outside(monkeypatch):
        key = resting(repository)
        with LocalBook(repository.folder, SystemClock()) as book, book.exclusive():
            answer = halted(repository)
            assert repository.read(STATE_PATH)["state"] == "REDUCE_ONLY"
            assert status_of(key) == "canceled"
        assert (answer.code, "run `autoinvestor settle`" in answer.out) == (4, True)
        assert repository.settle(now=LATEST).code == 0
    assert newest(repository)["instructions"][0]["outcome"] == "canceled"
    assert repository.git("status", "--porcelain") == ""


def test_a_run_under_way_loses_its_swap_and_reads_the_state_again(repository: Repository) -> None:
    repository.commit_plan(plan())
    with open_world(repository.folder, NOW) as world:
        halts = 0

        @contextmanager
        def connect(settings: Settings, ledger: Ledger) -> Iterator[Broker]:
            nonlocal halts
            with world.connect(settings, ledger) as broker:
                if not halts:
                    halts += 1
                    _halt_beside(repository)
                yield broker

        heard = Heard()
        reply = execute(replace(world, connect=connect), heard, submit=True)
    assert (reply.exit_code, reply.data["state"]) == (1, "rejected")
    assert "main moved meanwhile; reading it again" in heard.lines
    assert [one["kind"] for one in repository.results] == ["state", "execution"]
    assert repository.git("status", "--porcelain") == ""


def _halt_beside(repository: Repository) -> None:
    with open_world(repository.folder, NOW) as world:
        reply = halt(world, Heard(), Halting(TradingState.REDUCE_ONLY, "beside", "Bob"))
    assert reply.exit_code == 0


def test_somebodys_work_in_the_work_tree_stays_and_is_named(repository: Repository) -> None:
    repository.commit_plan(plan())
    (repository.folder / "trading_instructions.json").write_text("{}")
    answer = halted(repository)
    assert (answer.code, "the work tree was left as it is" in answer.out) == (0, True)
    assert (repository.folder / "trading_instructions.json").read_text() == "{}"
    assert repository.read(STATE_PATH)["state"] == "REDUCE_ONLY"


# What would open is withdrawn.


def test_entries_are_canceled_and_that_is_written_down(repository: Repository) -> None:
    key = resting(repository, line("BUY", "AMD"))
    answer = halted(repository)
    assert (answer.code, key in answer.out) == (0, True)
    assert "orders still open: 0" in answer.out
    settled = newest(repository)
    assert (settled["kind"], settled["instructions"][0]["outcome"]) == ("settlement", "canceled")
    assert halted(repository, now=LATEST).out.count(key) == 0
    assert repository.run("audit").code == 0


def test_what_an_earlier_halt_did_not_reach_is_canceled_by_the_next(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    with outside(monkeypatch) as exchange:
        key = resting(repository)
        exchange.fails("html_502", match={"path": "/v2/orders"}, times=0)
        answer = halted(repository)
        assert (answer.code, "not every order was canceled" in answer.out) == (4, True)
        assert repository.read(STATE_PATH)["state"] == "REDUCE_ONLY"
        exchange.heals()
        again = halted(repository, now=LATEST)
        assert (again.code, status_of(key)) == (0, "canceled")
        assert "already as tight" in again.out


def test_a_dead_broker_does_not_keep_the_state_from_main(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody_there(monkeypatch)
    answer = halted(repository)
    assert (answer.code, repository.read(STATE_PATH)["state"]) == (4, "REDUCE_ONLY")
    assert "not every order was canceled; run the same command again" in answer.out
    assert "Traceback" not in answer.text


def test_exits_and_orders_of_others_stay(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    with outside(monkeypatch):
        repository.commit_plan(plan())
        assert repository.execute().code == 0
        # Only a SELL: the record has no lot that it would be in the way of.
        sell = line("SELL", "MU", order_type="limit", limit_price=900, time_in_force="gtc")
        repository.commit_plan(plan(sell, reason="an exit"), "2026-01-14T15:01:00Z")
        assert repository.execute(now="2026-01-14T15:02:00Z").code == 0
        exit_key = newest(repository)["instructions"][0]["client_order_id"]
        orders("somebody-else", type="limit", limit_price="50")
        answer = halted(repository, "--json")
        assert (answer.code, answer.data["canceled"]) == (0, [])
        for key in (exit_key, "somebody-else"):
            assert status_of(key) in ("new", "accepted")


def protected(repository: Repository) -> None:
    repository.commit_plan(plan(line("BUY", "MU", stop_loss_pct=20)))
    assert repository.execute().code == 0


def open_stops() -> list[str]:
    found = ask("GET", "/v2/orders?status=open&nested=true")
    return [one["client_order_id"] for one in found if one["side"] == "sell"]


def test_what_protects_stays_unless_it_is_asked_for(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    with outside(monkeypatch):
        protected(repository)
        (stop,) = open_stops()
        assert halted(repository, "--json").data["canceled"] == []
        assert open_stops() == [stop]
        answer = halted(repository, "--cancel-protective", now=LATEST)
        assert (answer.code, stop in answer.out, open_stops()) == (0, True, [])
        assert "no stop is put back while this state holds" in answer.out
        assert repository.settle(now=LATEST).code == 0
        assert open_stops() == []
        resumed(repository)
        assert repository.settle(now=LATEST).code == 0
        assert len(open_stops()) == 1


def resumed(repository: Repository) -> None:
    """A resume plan, written, committed and executed."""
    assert repository.run("resume", "--reason", "over", "--now", LATEST).code == 0
    repository.git("add", PLAN_PATH)
    repository.git("commit", "--quiet", "--message", "Resume", when=ADDED)
    assert repository.execute(now=LATEST).code == 0


def test_an_order_that_does_not_end_is_named(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    with outside(monkeypatch) as exchange:
        key = resting(repository)
        exchange.fails("html_502", match={"method": "DELETE"}, times=0)
        answer = halted(repository, "--json")
        assert (answer.code, answer.data["still_open"]) == (4, [key])
        assert "asked to end, still open" in halted(repository, now=LATEST).out


def test_no_repository(tmp_path: Path) -> None:
    answer = halted(Repository(tmp_path))
    assert (answer.code, "not a git repository" in answer.err) == (2, True)
