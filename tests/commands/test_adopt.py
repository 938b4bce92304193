from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.commands.exchanges import nobody_there, outside
from tests.commands.strangers import PERSON, holds, named, orders
from tests.scratch import IMPATIENT, NOW, Answer, Repository, line, plan, shipped

LATER = "2026-01-14T15:10:00Z"
LATEST = "2026-01-14T15:20:00Z"


@pytest.fixture(autouse=True)
def _no_keys_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ALPACA_API_KEY", "ALPACA_SECRET_KEY", "AUTOINVESTOR_EXCHANGE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return named(Repository.founded(tmp_path / "repository", shipped(*IMPATIENT)))


def adopted(repository: Repository, *flags: str, now: str = NOW) -> Answer:
    return repository.run("adopt", "--now", now, *flags)


def newest(repository: Repository) -> dict[str, Any]:
    return repository.results[-1]


def test_what_the_account_holds_is_where_the_ledger_begins(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    with outside(monkeypatch):
        holds("MU", "7.5", "300.123")
        holds("AMD", 3, "200")
        answer = adopted(repository)
    assert (answer.code, "begins with 100,000.00 USD and 2 positions" in answer.out) == (0, True)
    opened = newest(repository)
    assert (opened["kind"], opened["mode"], opened["account"]) == ("opening", "sim", "…0001")
    assert opened["opening"] == {
        "cash": 100_000,
        "positions": [
            {"symbol": "AMD", "quantity": 3, "cost_basis": 600, "strategy": "manual"},
            {
                "symbol": "MU",
                "quantity": Decimal("7.5"),
                "cost_basis": Decimal("2250.92"),
                "strategy": "manual",
            },
        ],
        "by": PERSON,
    }
    assert opened["final_portfolio"]["cash"] == 100_000
    assert repository.subjects[0] == "Adopt account …0001: 2 positions"
    assert repository.run("audit").code == 0


def test_a_plan_may_then_sell_what_was_there(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    with outside(monkeypatch):
        holds("MU", 10, "300")
        repository.commit_plan(plan())
        refused = repository.execute()
        assert (refused.code, "ledger_agrees" in refused.out) == (1, True)
        assert adopted(repository, now=LATER).code == 0
        repository.commit_plan(plan(line("SELL", quantity=4), reason="again"), LATER)
        answer = repository.execute(now=LATEST)
    assert answer.code == 0, answer.text
    sold = newest(repository)
    price = sold["instructions"][0]["average_fill_price"]
    assert sold["final_portfolio"]["realized_pl"] == 4 * price - 1_200
    assert repository.run("audit").code == 0


def test_an_account_without_holdings_may_begin_as_well(repository: Repository) -> None:
    answer = adopted(repository, "--json")
    assert (answer.code, answer.data["result"]["opening"]["positions"]) == (0, [])


def test_a_ledger_begins_once(repository: Repository) -> None:
    assert adopted(repository).code == 0
    head = repository.head
    answer = adopted(repository, now=LATER)
    assert (answer.code, "has begun with" in answer.err, repository.head) == (5, True, head)
    assert "`autoinvestor ack`" in answer.err


def test_a_ledger_that_traded_has_begun(repository: Repository) -> None:
    repository.commit_plan(plan())
    assert repository.execute().code == 0
    assert adopted(repository, now=LATER).code == 5


def test_what_changed_nothing_is_no_beginning(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    with outside(monkeypatch):
        holds("MU", 10, "300")
        assert repository.run("halt", "--reason", "first", "--now", NOW).code == 0
        # Settling finds shares that nothing explains, and writes that down.
        assert repository.settle(now=LATER).code in (0, 5)
        assert newest(repository)["kind"] == "observed"
        assert adopted(repository, now=LATEST).code == 0
        settled = repository.settle(now="2026-01-14T15:30:00Z")
        assert (settled.code, newest(repository)["kind"]) == (0, "opening")
    assert repository.run("audit").code == 0


def test_orders_that_nobody_explains_are_refused(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    with outside(monkeypatch):
        for number in range(7):
            orders(f"somebody-{number}", type="limit", limit_price="50")
        answer = adopted(repository)
    assert (answer.code, "open orders that nobody explains: somebody-" in answer.err) == (5, True)
    assert "and 2 more; cancel them at the broker" in answer.err
    assert repository.results == []


def test_the_book_is_a_known_one(repository: Repository) -> None:
    answer = adopted(repository, "--book", "momentum")
    assert (answer.code, "--book momentum: no book that is enabled" in answer.err) == (2, True)
    assert repository.results == []
    text = shipped(*IMPATIENT) + "\n[strategies.books.momentum]\nenabled = true\n"
    repository.commit({"autoinvestor.toml": text.encode()})
    assert adopted(repository, "--book", "momentum").code == 0


def test_another_account_is_refused(repository: Repository) -> None:
    text = shipped(*IMPATIENT, ('number_ends_with = ""', 'number_ends_with = "9999"'))
    repository.commit({"autoinvestor.toml": text.encode()})
    answer = adopted(repository)
    assert (answer.code, "number ends with 9999" in answer.err) == (5, True)


def test_a_dead_broker_is_told(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody_there(monkeypatch)
    assert adopted(repository).code == 4
    assert repository.results == []
