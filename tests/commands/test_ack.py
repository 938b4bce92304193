from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.commands.exchanges import Outside, nobody_there, outside
from tests.commands.strangers import PERSON, holds, named, orders, pays
from tests.scratch import IMPATIENT, Answer, Repository, line, plan, shipped

LATER = "2026-01-14T15:10:00Z"
LATEST = "2026-01-14T15:20:00Z"
AT_LAST = "2026-01-14T15:30:00Z"


@pytest.fixture(autouse=True)
def _no_keys_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ALPACA_API_KEY", "ALPACA_SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def exchange(monkeypatch: pytest.MonkeyPatch) -> Iterator[Outside]:
    with outside(monkeypatch) as found:
        yield found


@pytest.fixture
def repository(tmp_path: Path, exchange: Outside) -> Repository:
    """One whose ledger has begun: it holds ten shares of MU."""
    made = named(Repository.founded(tmp_path / "repository", shipped(*IMPATIENT)))
    made.commit_plan(plan())
    assert made.execute().code == 0
    return made


def acked(repository: Repository, *words: str, now: str = LATER) -> Answer:
    return repository.run("ack", "--now", now, *words)


def newest(repository: Repository) -> dict[str, Any]:
    return repository.results[-1]


def outstanding(repository: Repository, now: str = AT_LAST) -> list[str]:
    return [one["key"] for one in acked(repository, "--json", now=now).data["outstanding"]]


def test_nothing_to_acknowledge_is_said(repository: Repository) -> None:
    answer = acked(repository)
    assert (answer.code, "explains everything at the broker" in answer.out) == (0, True)
    unknown = acked(repository, "nonsense")
    assert (unknown.code, unknown.err) == (
        2,
        "nonsense: nothing of that name to acknowledge; there is nothing\n",
    )


def test_a_strangers_order_is_taken_over_with_what_it_filled(repository: Repository) -> None:
    orders("somebody-else")
    # Nothing has looked yet: it is observed and acknowledged in one go.
    answer = acked(repository, "somebody-else")
    assert (answer.code, "taken over into manual: somebody-else" in answer.out) == (0, True)
    result = newest(repository)
    (seen,) = result["observed"]
    assert (result["kind"], seen["kind"], seen["book"]) == ("observed", "order", "manual")
    assert seen["acknowledged_by"] == PERSON
    assert [one["quantity"] for one in seen["fills"]] == [5]
    assert seen["fills"][0]["price"] == seen["average_price"]
    assert repository.subjects[0] == "Acknowledge order for manual"
    assert outstanding(repository) == []
    assert repository.run("audit").code == 0


def test_new_risk_waits_for_it(repository: Repository) -> None:
    orders("somebody-else")
    repository.commit_plan(plan(reason="more"), "2026-01-14T15:05:00Z")
    assert repository.execute(now=LATER).code == 1
    assert acked(repository, "somebody-else", now=LATEST).code == 0
    repository.commit_plan(plan(reason="more, again"), LATEST)
    answer = repository.execute(now=AT_LAST)
    assert answer.code == 0, answer.text


def test_an_order_that_goes_on_filling_is_followed(
    repository: Repository, exchange: Outside
) -> None:
    exchange.fails("partial_fill", fraction="0.4", rest_seconds=600)
    orders("somebody-else")
    assert acked(repository, "somebody-else").code == 0
    assert [one["quantity"] for one in newest(repository)["observed"][0]["fills"]] == [2]
    exchange.move_to(LATEST)
    assert repository.settle(now=LATEST).code == 0
    assert [one["quantity"] for one in newest(repository)["observed"][0]["fills"]] == [3]
    assert outstanding(repository) == []
    assert repository.run("audit").code == 0


def test_shares_that_came_are_booked_at_what_the_broker_says_they_cost(
    repository: Repository,
) -> None:
    holds("AMD", 4, "150")
    assert repository.settle(now=LATER).code == 5
    answer = acked(repository, "AMD", now=LATEST)
    assert (answer.code, "AMD (position: +4 shares beyond the record)" in answer.out) == (0, True)
    (seen,) = newest(repository)["observed"]
    assert (seen["quantity"], seen["average_price"]) == (4, 150)
    assert outstanding(repository) == []


def test_shares_that_went_leave_no_cost_behind(repository: Repository) -> None:
    holds("MU", 0)
    assert acked(repository, "MU").code == 0
    (seen,) = newest(repository)["observed"]
    assert seen["quantity"] == -10
    assert newest(repository)["final_portfolio"]["realized_pl"] == 0
    assert newest(repository)["final_portfolio"]["positions"] == []
    assert outstanding(repository) == []


def test_cash_that_came_is_capital(repository: Repository, exchange: Outside) -> None:
    pays(exchange, 250)
    answer = acked(repository, "CASH")
    assert (answer.code, "CASH (cash: +250.00 USD beyond the record)" in answer.out) == (0, True)
    assert newest(repository)["observed"][0]["quantity"] == 250
    assert outstanding(repository) == []


def test_an_order_explains_shares_and_cash_so_it_comes_first(repository: Repository) -> None:
    orders("somebody-else")
    holds("AMD", 7, "150")
    assert sorted(outstanding(repository, now=LATER)) == ["AMD", "somebody-else"]
    early = acked(repository, "AMD", now=LATEST)
    assert (early.code, early.err.splitlines()[-1]) == (
        2,
        "AMD: acknowledge its orders first: somebody-else",
    )
    assert acked(repository, "somebody-else", now=LATEST).code == 0
    assert outstanding(repository, now=AT_LAST) == ["AMD"]
    assert acked(repository, "AMD", now="2026-01-14T15:40:00Z").code == 0
    assert newest(repository)["observed"][0]["quantity"] == 2
    assert outstanding(repository, now="2026-01-14T15:50:00Z") == []


def test_an_unknown_key_is_answered_with_what_there_is(repository: Repository) -> None:
    orders("somebody-else")
    answer = acked(repository, "somebody")
    assert answer.code == 2
    assert "there is somebody-else (order: buy 5 AMD, filled, 5 shares filled)" in answer.err
    listed = acked(repository, now=LATEST)
    assert (listed.code, "take one over with `autoinvestor ack KEY`" in listed.out) == (0, True)


def test_the_book_is_a_known_one(repository: Repository) -> None:
    orders("somebody-else")
    head = repository.head
    answer = acked(repository, "somebody-else", "--book", "momentum")
    assert (answer.code, "--book momentum: no book that is enabled" in answer.err) == (2, True)
    assert repository.head == head
    text = shipped(*IMPATIENT) + "\n[strategies.books.momentum]\nenabled = true\n"
    repository.commit({"autoinvestor.toml": text.encode()})
    assert acked(repository, "somebody-else", "--book", "momentum").code == 0
    assert newest(repository)["observed"][0]["book"] == "momentum"


def test_an_order_that_rests_may_be_taken_over(repository: Repository) -> None:
    orders("somebody-else", type="limit", limit_price="50", time_in_force="gtc")
    assert acked(repository, "somebody-else").code == 0
    (seen,) = newest(repository)["observed"]
    assert (seen["is_over"], seen["fills"]) == (False, [])
    repository.commit_plan(plan(line("BUY", "NVDA", quantity=1)), LATER)
    answer = repository.execute(now=LATEST)
    assert answer.code == 0, answer.text


def test_a_ledger_that_has_not_begun_is_adopted(tmp_path: Path, exchange: Outside) -> None:
    fresh = named(Repository.founded(tmp_path / "fresh", shipped(*IMPATIENT)))
    holds("AMD", 4)
    answer = acked(fresh, "AMD")
    assert (answer.code, "`autoinvestor adopt`" in answer.err) == (5, True)


def test_a_dead_broker_is_told(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody_there(monkeypatch)
    head = repository.head
    assert (acked(repository, "AMD").code, repository.head) == (4, head)
