from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from executor.model.plan import PLAN_PATH
from executor.model.reading import read_document
from tests.commands.exchanges import nobody_there, outside
from tests.commands.interrupted import validated_only
from tests.commands.strangers import holds, named, orders
from tests.scratch import IMPATIENT, Answer, Repository, line, plan, shipped

LATER = "2026-01-14T15:10:00Z"
LATEST = "2026-01-14T15:20:00Z"


@pytest.fixture(autouse=True)
def _no_keys_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ALPACA_API_KEY", "ALPACA_SECRET_KEY", "AUTOINVESTOR_EXCHANGE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """One that holds MU and has an order for AMD that rests."""
    made = named(Repository.founded(tmp_path / "repository", shipped(*IMPATIENT)))
    far = line("BUY", "AMD", order_type="limit", limit_price=50, time_in_force="gtc")
    made.commit_plan(plan(line(), far))
    assert made.execute().code == 0
    return made


def flattened(repository: Repository, *flags: str, now: str = LATER) -> Answer:
    return repository.run("flatten", "--reason", "get out", "--now", now, *flags)


def written(repository: Repository) -> dict[str, Any]:
    return read_document((repository.folder / PLAN_PATH).read_bytes())


def actions(repository: Repository) -> list[tuple[str, str, object]]:
    return [
        (one["action"], one["ticker"], one.get("quantity"))
        for one in written(repository)["instructions"]
    ]


def test_it_writes_the_plan_that_closes_everything(repository: Repository) -> None:
    head = repository.head
    answer = flattened(repository)
    assert (answer.code, repository.head) == (0, head)
    assert actions(repository) == [("CANCEL", "AMD", None), ("SELL", "MU", "all")]
    cancel, sell = written(repository)["instructions"]
    bought = repository.results[-1]["instructions"]
    assert cancel["client_order_id"] == bought[1]["client_order_id"]
    assert (sell["order_type"], sell["time_in_force"]) == ("market", "day")
    assert (written(repository)["strategy_type"], sell["reason"]) == ("flatten", "get out")
    assert "autoinvestor execute --submit" in answer.out


def test_the_plan_is_executed_like_any_other(repository: Repository) -> None:
    flattened(repository)
    repository.git("add", PLAN_PATH)
    repository.git("commit", "-qm", "Propose: flatten", when=LATER)
    answer = repository.execute(now=LATEST)
    assert answer.code == 0, answer.text
    told = [(one["ticker"], one["outcome"]) for one in repository.results[-1]["instructions"]]
    assert told == [("AMD", "done"), ("MU", "filled")]
    assert repository.results[-1]["final_portfolio"]["positions"] == []
    empty = flattened(repository, now="2026-01-14T15:30:00Z")
    assert empty.out.startswith("nothing to sell and nothing to cancel; nothing was written")
    assert repository.run("audit").code == 0


def test_only_some_symbols(repository: Repository) -> None:
    assert flattened(repository, "--only", "MU").code == 0
    assert actions(repository) == [("SELL", "MU", "all")]
    (repository.folder / PLAN_PATH).unlink()
    answer = flattened(repository, "--only", "MU", "NVDA")
    assert (answer.code, "--only NVDA: neither held nor ordered" in answer.err) == (2, True)
    assert not (repository.folder / PLAN_PATH).exists()


def test_a_plan_that_waits_is_replaced_and_that_is_said(repository: Repository) -> None:
    repository.commit_plan(plan(reason="it waits"), LATER)
    answer = flattened(repository, "--json", now=LATEST)
    assert answer.code == 0
    assert answer.data["replaces"]
    assert actions(repository)[-1] == ("SELL", "MU", "all")
    (repository.folder / PLAN_PATH).write_text("a draft")
    assert flattened(repository, now=LATEST).code == 2
    assert (repository.folder / PLAN_PATH).read_text() == "a draft"


def test_a_plan_that_was_replaced_needs_no_result(repository: Repository) -> None:
    repository.commit_plan(plan(reason="it waits"), LATER)
    assert "it replaces plan" in flattened(repository, now=LATEST).out
    repository.git("commit", "-qam", "Propose: flatten", when=LATEST)
    assert repository.execute(now="2026-01-14T15:30:00Z").code == 0
    assert sorted(one["reason"] for one in repository.archived) == [
        "a reason",
        "get out",
        "it waits",
    ]
    audited = repository.run("audit", "--json")
    assert (audited.code, audited.data["breaches"]) == (0, [])


def test_orders_of_others_and_names_that_no_plan_can_hold_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = named(Repository.founded(tmp_path / "empty", shipped(*IMPATIENT)))
    with outside(monkeypatch):
        holds("MU", 7)
        stranger = {"side": "sell", "type": "limit", "limit_price": "900"}
        orders("somebody-else", "MU", 3, **stranger)
        answer = flattened(repository)
    assert (answer.code, actions(repository)) == (0, [("SELL", "MU", "all")])
    assert "MU: open order somebody-else is not ours and may stand in the way" in answer.out


def test_while_halted_it_says_that_nothing_is_sent(repository: Repository) -> None:
    assert repository.run("halt", "--halted", "--reason", "a drill", "--now", LATER).code == 0
    answer = flattened(repository, now=LATEST)
    assert (answer.code, "the trading state is HALTED, in which nothing" in answer.out) == (0, True)


def test_a_plan_under_way_goes_first(repository: Repository) -> None:
    validated_only(repository)
    answer = flattened(repository, now=LATEST)
    assert (answer.code, "finish it first: `autoinvestor execute --submit`" in answer.err) == (
        5,
        True,
    )


def test_a_dead_broker_is_told(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody_there(monkeypatch)
    answer = flattened(repository)
    assert (answer.code, (repository.folder / PLAN_PATH).exists()) == (4, False)


def test_another_account_is_refused(repository: Repository) -> None:
    text = shipped(*IMPATIENT, ('number_ends_with = ""', 'number_ends_with = "9999"'))
    repository.commit({"autoinvestor.toml": text.encode()})
    answer = flattened(repository)
    assert (answer.code, "the one whose number ends with 9999" in answer.err) == (5, True)
