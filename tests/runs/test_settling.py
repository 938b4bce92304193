from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from executor.exchange.engine import Exchange
from executor.model.state import STATE_PATH
from tests.commands.strangers import holds, orders, pays, status_of
from tests.scratch import line
from tests.stories import NEXT_DAY, Story, at_limit, buy, told_at


@pytest.fixture
def story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    with told_at(tmp_path, monkeypatch) as one:
        yield one


def kinds(story: Story) -> list[str]:
    """What each result records, first to newest."""
    return [one["kind"] for one in story.repository.results]


def observed(story: Story) -> dict[str, Any]:
    return {one["key"]: one for one in story.newest["observed"]}


# Activities.


def test_a_dividend_is_booked_once(story: Story) -> None:
    story.executes(buy())
    story.comes(NEXT_DAY)
    story.happens("dividend", symbol="MU", per_share="0.5")
    answer = story.settles()
    (one,) = story.newest["activities"]
    assert (story.newest["kind"], one["kind"], one["net_amount"]) == ("activity", "DIV", 5)
    assert "booked: 1 activity" in answer.out
    assert "DIV MU 5.00 USD" in answer.out
    story.rests()
    story.audited()


def test_a_fee_and_a_deposit_explain_cash(story: Story) -> None:
    story.executes(buy())
    story.comes(NEXT_DAY)
    story.happens("fee", amount="-0.02", sub_type="TAF")
    story.happens("transfer", amount="5000")
    story.settles()
    assert sorted(one["kind"] for one in story.newest["activities"]) == ["CSD", "FEE"]
    assert kinds(story) == ["execution", "activity"]
    assert story.newest["final_portfolio"]["cash"] == story.exchange.cash
    story.rests()
    story.audited()


def test_a_split_moves_the_stop(story: Story) -> None:
    story.executes(buy())
    story.comes(NEXT_DAY)
    story.happens("split", symbol="MU", new_rate="4", old_rate="1")
    answer = story.settles()
    assert story.exchange.held == {"MU": 40}
    assert story.stands == ["sell 40 MU stop 23 gtc"]
    # The stop that the split ended is told before it, the new one after it.
    assert kinds(story) == ["execution", "settlement", "activity", "settlement"]
    assert "SPLIT MU 30" in answer.out
    story.rests()
    story.audited()


def test_a_new_name_takes_the_stop_along(story: Story) -> None:
    story.executes(buy())
    story.comes(NEXT_DAY)
    story.happens("symbol_change", symbol="MU", new_symbol="MUX")
    story.settles()
    assert story.exchange.held == {"MUX": 10}
    assert story.stands == ["sell 10 MUX stop 92 gtc"]
    story.rests()
    story.audited()


def test_an_activity_of_a_holding_without_a_stop_places_none(story: Story) -> None:
    story.executes(line("BUY"))
    story.comes(NEXT_DAY)
    story.happens("split", symbol="MU", new_rate="2", old_rate="1")
    story.settles()
    assert story.stands == []
    assert story.exchange.held == {"MU": 20}
    story.rests()


# What no commit explains.


def test_a_foreign_order_is_observed_and_blocks_new_risk_but_no_exit(story: Story) -> None:
    story.executes(buy())
    orders("theirs", "AMD", 5, type="limit", limit_price="50", time_in_force="gtc")
    answer = story.settles(code=5)
    assert list(observed(story)) == ["theirs"]
    assert "autoinvestor ack theirs --book BOOK" in answer.out
    refused = story.executes(buy(3, "TSM"), code=1)
    assert "open orders that no commit explains: theirs" in refused.out
    story.executes(line("SELL", quantity=4))
    assert story.stands == ["buy 5 AMD limit 50 gtc", "sell 6 MU stop 92 gtc"]
    # What it fills is observed as well, and only once.
    story.moves("AMD", 49)
    story.settles(code=5)
    assert observed(story)["theirs"]["filled_quantity"] == 5
    assert "AMD" not in observed(story)
    head = story.repository.head
    story.settles(code=5)
    assert story.repository.head == head
    assert status_of("theirs") == "filled"
    story.audited()


def test_a_foreign_order_that_is_acknowledged_is_the_records(story: Story) -> None:
    story.executes(buy())
    orders("theirs", "AMD", 5)
    story.settles(code=5)
    now = story.now.isoformat().replace("+00:00", "Z")
    acked = story.repository.run("ack", "theirs", "--book", "manual", "--now", now)
    assert acked.code == 0, acked.text
    story.passes(minutes=1)
    story.rests()
    story.executes(buy(3, "TSM"))
    story.audited()


def test_shares_that_nobody_can_explain_are_observed_and_take_themselves_back(
    story: Story,
) -> None:
    story.executes(buy())
    holds("AMD", 7)
    story.settles(code=5)
    assert observed(story)["AMD"]["quantity"] == 7
    assert "positions differ" in story.executes(buy(3, "TSM"), code=1).out
    holds("AMD", 0)
    story.settles()
    assert observed(story)["AMD"]["quantity"] == 0
    story.executes(buy(3, "TSM"))
    assert [one["outcome"] for one in story.newest["instructions"]] == ["filled"]
    story.rests()
    story.audited()


def test_shares_that_are_gone_take_their_stop_along(story: Story) -> None:
    story.executes(buy())
    story.cancels(story.keys["sell 10 MU stop 92 gtc"])
    holds("MU", 4)
    answer = story.settles(code=5)
    assert story.stands == ["sell 4 MU stop 92 gtc"]
    assert observed(story)["MU"]["quantity"] == -6
    assert "6 shares without their stop" in answer.out


def test_more_shares_than_the_record_knows_are_not_sold_as_a_loss(story: Story) -> None:
    story.executes(buy())
    story.cancels(story.keys["sell 10 MU stop 92 gtc"])
    holds("MU", 40)
    story.moves("MU", 25)
    answer = story.settles(code=5)
    assert story.exchange.held == {"MU": 40}
    assert "perhaps a split" in answer.out


def test_a_few_cents_warn_and_more_block(story: Story) -> None:
    story.executes(buy())

    def gives(amount: str) -> None:
        def move(one: Exchange) -> None:
            one.desk.cash += Decimal(amount)

        story.exchange.ask(move)

    gives("0.40")
    answer = story.settles()
    assert "warning: cash: " in answer.out
    head = story.repository.head
    assert story.settles("--json").data["warnings"]
    assert story.repository.head == head
    pays(story.exchange, -100)
    answer = story.settles(code=5)
    assert observed(story)["CASH"]["quantity"] == Decimal("-99.60")
    assert "not explained: cash CASH -99.6" in answer.out
    assert "acknowledged it: CASH (cash)" in story.executes(buy(3, "TSM"), code=1).out
    pays(story.exchange, 100)
    story.settles()
    story.executes(buy(3, "TSM"))
    story.audited()


# Limits on losses.


def state(story: Story) -> Any:
    assert STATE_PATH in story.repository.paths()
    return story.repository.read(STATE_PATH)["state"]


def test_settle_commits_that_a_loss_limit_is_reached(story: Story) -> None:
    story.executes(line("BUY", quantity=300))
    story.comes(NEXT_DAY)
    story.settles()
    story.moves("MU", 70)
    answer = story.settles()
    assert state(story) == "REDUCE_ONLY"
    assert "trading is REDUCE_ONLY now" in answer.out
    assert story.newest["kind"] == "state"
    story.rests()
    assert "REDUCE_ONLY" in story.executes(buy(1, "TSM"), code=1).out
    story.executes(line("SELL", quantity=100))
    story.audited()


def test_execute_commits_a_trip_before_it_does_anything_else(story: Story) -> None:
    story.executes(line("BUY", quantity=300))
    story.moves("MU", 70)
    answer = story.executes(buy(1, "TSM"), code=1)
    assert kinds(story) == ["execution", "state", "execution"]
    assert state(story) == "REDUCE_ONLY"
    assert "trading is REDUCE_ONLY now" in answer.err
    story.audited()


# Both plans and runs.


def test_json_tells_everything_that_settling_found(story: Story) -> None:
    story.executes(at_limit(95))
    story.moves("MU", 94)
    story.comes(NEXT_DAY)
    story.happens("dividend", symbol="MU", per_share="0.5")
    data = story.settles("--json").data
    assert {"results", "still_open", "unknown", "unprotected", "observed", "warnings"} <= set(data)
    json.dumps(data, default=str)
    story.rests()
