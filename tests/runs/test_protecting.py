from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.commands.strangers import orders
from tests.scratch import line
from tests.stories import NEXT_DAY, Story, at_limit, buy, told_at


@pytest.fixture
def story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    with told_at(tmp_path, monkeypatch) as one:
        yield one


def outcomes(story: Story) -> list[str]:
    return [one["outcome"] for one in story.newest["instructions"]]


# What is bought gets its stop.


def test_what_was_bought_is_protected_whole_shares_and_fraction(story: Story) -> None:
    answer = story.executes(buy(Decimal("10.5")))
    assert story.stands == ["sell 0.5 MU stop 92 day", "sell 10 MU stop 92 gtc"]
    assert story.protection == [("stop", 10), ("stop", Decimal("0.5"))]
    assert "protected: 10 MU, stop at 92.00 USD" in answer.out
    assert [one["leg"] for one in story.newest["legs"]] == ["fraction", "stop"]
    assert story.newest["execution_summary"]["total_instructions"] == 1
    assert story.newest["errors"] == []
    story.rests()
    story.audited()


def test_a_resting_entry_brings_its_stop_along(story: Story) -> None:
    story.executes(at_limit(95))
    assert story.stands == ["(sell 10 MU stop 87.4 gtc)", "buy 10 MU limit 95 gtc"]
    assert story.newest["instructions"][0]["order_class"] == "oto"
    story.rests()
    story.moves("MU", 94)
    # It was filled better than its limit, and its stop goes by what was paid: it is tighter.
    answer = story.settles()
    assert story.stands == ["sell 10 MU stop 87.4 gtc"]
    assert story.protection == [("stop", 10)]
    assert "orders still open: 1" in answer.out
    story.rests()
    story.moves("MU", 87)
    story.settles()
    assert story.stands == []
    assert story.exchange.held == {}
    story.audited()


def test_a_bracket_brings_target_and_stop_along(story: Story) -> None:
    story.executes(buy(10, protect="bracket", profit_target_pct=15, time_in_force="gtc"))
    assert story.stands == ["sell 10 MU limit 115.01 gtc", "sell 10 MU stop 92 gtc"]
    assert story.protection == [("bracket", 10)]
    story.rests()
    story.moves("MU", 116)
    story.settles()
    assert (story.stands, story.exchange.held) == ([], {})
    assert story.newest["final_portfolio"]["realized_pl"] == Decimal("159.8")
    story.rests()
    story.audited()


def test_a_bracket_at_a_limit_waits_with_its_legs(story: Story) -> None:
    story.executes(at_limit(95, protect="bracket", profit_target_pct=20))
    assert len(story.stands) == 3
    story.rests()
    story.moves("MU", 94)
    story.settles()
    assert story.stands == ["sell 10 MU limit 114 gtc", "sell 10 MU stop 87.4 gtc"]
    story.rests()
    story.moves("MU", 80)
    story.settles()
    assert (story.stands, story.exchange.held) == ([], {})
    story.audited()


def test_a_stop_entry_gets_its_stop_once_it_has_filled(story: Story) -> None:
    entry = buy(10, order_type="stop", stop_price=105, time_in_force="gtc")
    story.executes(entry)
    assert story.stands == ["buy 10 MU stop 105 gtc"]
    story.moves("MU", 106)
    story.settles()
    (stop,) = story.stands
    assert stop.startswith("sell 10 MU stop 97.5")
    story.rests()


def test_without_a_stop_asked_for_nothing_is_placed(story: Story) -> None:
    story.executes(line("BUY"))
    assert (story.stands, story.newest["legs"]) == ([], [])
    story.rests()


def test_an_entry_that_filled_in_part_waits_and_is_then_protected_whole(story: Story) -> None:
    story.exchange.fails("partial_fill", fraction="0.4", rest_seconds=600)
    story.executes(buy())
    assert story.stands == ["buy 10 MU market day"]
    assert story.protection == [("unprotected", 4)]
    assert "its entry is still open" in str(story.newest["warnings"])
    story.passes(minutes=20)
    story.settles()
    assert story.stands == ["sell 10 MU stop 92 gtc"]
    assert story.protection == [("stop", 10)]
    story.rests()
    story.audited()


def test_a_price_that_is_through_the_stop_sells_at_once(story: Story) -> None:
    story.exchange.fails("partial_fill", fraction="0.4", rest_seconds=600)
    story.executes(buy())
    story.passes(minutes=10)
    story.moves("MU", 90)
    answer = story.settles()
    assert (story.stands, story.exchange.held) == ([], {})
    (exit_leg,) = story.newest["legs"]
    assert (exit_leg["order_type"], exit_leg["filled_quantity"]) == ("market", 10)
    assert story.protection == [("exited", 10)]
    assert "sold at once: the price was through its stop" in answer.out
    story.rests()
    story.audited()


# Trading what is protected.


def test_a_sale_of_half_leaves_the_rest_protected(story: Story) -> None:
    story.executes(buy())
    story.executes(line("SELL", quantity=5))
    assert outcomes(story) == ["filled"]
    assert story.stands == ["sell 5 MU stop 92 gtc"]
    assert story.legs == ["stop.1"]
    told = [(one["outcome"], one["quantity"]) for one in story.newest["legs"]]
    assert sorted(told) == [("canceled", 10), ("open", 5)]
    archived = story.repository.archived[-1]
    assert len(archived["intent"]["cancels"]) == 1
    story.rests()
    story.audited()


def test_a_sale_of_all_leaves_no_order_behind(story: Story) -> None:
    story.executes(buy(Decimal("10.5")))
    story.executes(line("SELL", quantity="all"))
    assert outcomes(story) == ["filled"]
    assert (story.stands, story.exchange.held) == ([], {})
    story.rests()
    story.audited()


def test_buying_more_protects_each_entry_by_its_own_price(story: Story) -> None:
    story.executes(buy())
    story.moves("MU", 110)
    story.executes(buy(5))
    assert story.stands == ["sell 10 MU stop 92 gtc", "sell 5 MU stop 101.2 gtc"]
    assert story.legs == ["stop", "stop.1"]
    story.rests()
    story.audited()


def test_a_limit_sale_that_rests_leaves_the_rest_protected(story: Story) -> None:
    story.executes(buy())
    story.executes(line("SELL", quantity=4, order_type="limit", limit_price=120))
    assert story.stands == ["sell 4 MU limit 120 day", "sell 6 MU stop 92 gtc"]
    story.rests()
    story.comes(NEXT_DAY)
    story.settles()
    assert story.stands == ["sell 10 MU stop 92 gtc"]


def test_a_swap_keeps_both_sides_protected(story: Story) -> None:
    story.executes(buy())
    story.executes(line("SELL", quantity=10), buy(4, "AMD"))
    assert outcomes(story) == ["filled", "filled"]
    assert story.stands == ["sell 4 AMD stop 92 gtc"]
    story.rests()


# PROTECT.


def test_protect_tightens_and_keeps_what_it_set(story: Story) -> None:
    story.executes(buy(Decimal("10.5")))
    story.executes(line("PROTECT", stop_price=95))
    assert outcomes(story) == ["done"]
    assert story.stands == ["sell 0.5 MU stop 95 day", "sell 10 MU stop 95 gtc"]
    assert story.protection == [("stop", 10), ("stop", Decimal("0.5"))]
    story.rests()
    story.audited()


def test_protect_loosens_only_where_it_says_so(story: Story) -> None:
    story.executes(buy())
    refused = story.executes(line("PROTECT", stop_price=85), code=1)
    assert "a stop only tightens" in refused.out
    assert story.stands == ["sell 10 MU stop 92 gtc"]
    story.executes(line("PROTECT", stop_price=85, loosen=True))
    assert story.stands == ["sell 10 MU stop 85 gtc"]
    story.rests()
    story.executes(line("PROTECT", protect="none", loosen=True))
    assert story.stands == []
    story.rests()
    story.audited()


def test_protect_takes_lots_together_and_covers_what_had_no_stop(story: Story) -> None:
    story.executes(buy())
    story.executes(line("BUY", quantity=5))
    assert story.stands == ["sell 10 MU stop 92 gtc"]
    story.executes(line("PROTECT", stop_price=94))
    assert story.stands == ["sell 15 MU stop 94 gtc"]
    story.rests()


def test_protect_may_trail(story: Story) -> None:
    story.executes(buy())
    story.executes(line("PROTECT", trail_percent=5))
    assert story.stands == ["sell 10 MU trailing_stop 5% gtc"]
    story.moves("MU", 120)
    story.rests()
    story.moves("MU", 113)
    story.settles()
    assert (story.stands, story.exchange.held) == ([], {})


def test_a_sale_and_a_protect_of_one_plan(story: Story) -> None:
    story.executes(buy())
    story.executes(line("SELL", quantity=4), line("PROTECT", stop_price=96))
    assert outcomes(story) == ["filled", "done"]
    assert story.stands == ["sell 6 MU stop 96 gtc"]
    story.rests()
    story.audited()


# CANCEL.


def test_a_cancel_withdraws_an_entry_that_rests(story: Story) -> None:
    story.executes(at_limit(90))
    key = story.keys["buy 10 MU limit 90 gtc"]
    story.executes(line("CANCEL", client_order_id=key))
    assert (outcomes(story), story.stands) == (["done"], [])
    told = {one["leg"]: one["outcome"] for one in story.newest["legs"]}
    assert told == {"entry": "canceled", "stop": "canceled"}
    assert "orders still open: 0" in story.settles().out
    story.rests()
    story.audited()


def test_a_cancel_that_comes_too_late_says_so(story: Story) -> None:
    story.executes(at_limit(90))
    key = story.keys["buy 10 MU limit 90 gtc"]
    story.plans(line("CANCEL", client_order_id=key))
    story.moves("MU", 89)
    answer = story.executes(code=1)
    assert "cancel_own" in answer.out
    story.settles()
    assert story.stands == ["sell 10 MU stop 82.8 gtc"]
    story.rests()
    story.audited()


def test_a_cancel_of_an_entry_that_filled_in_part_protects_what_it_bought(story: Story) -> None:
    story.exchange.fails("partial_fill", fraction="0.4", rest_seconds=6_000)
    story.executes(buy(10, order_type="limit", limit_price=101))
    key = next(key for words, key in story.keys.items() if words.startswith("buy"))
    story.executes(line("CANCEL", client_order_id=key))
    assert outcomes(story) == ["done"]
    assert story.exchange.held == {"MU": 4}
    assert story.stands == ["sell 4 MU stop 92 gtc"]
    story.rests()
    story.audited()


# What happens to stops.


def test_a_stop_that_fills_overnight_is_settled(story: Story) -> None:
    story.executes(buy())
    story.moves("MU", 91)
    story.comes(NEXT_DAY)
    answer = story.settles()
    assert (story.stands, story.exchange.held) == ([], {})
    (leg,) = story.newest["legs"]
    assert (leg["leg"], leg["outcome"], leg["filled_quantity"]) == ("stop", "filled", 10)
    assert story.newest["final_portfolio"]["realized_pl"] == Decimal("-90.2")
    assert "orders still open: 0" in answer.out
    story.rests()
    story.audited()


def test_stop_outs_cool_a_symbol_down(story: Story) -> None:
    for _ in range(3):
        story.executes(buy())
        story.moves("MU", 91)
        story.settles()
        story.moves("MU", 100)
    story.comes(NEXT_DAY)
    answer = story.executes(buy(), code=1)
    assert "stop_out_cooldown" in answer.out


def test_the_stop_of_a_fraction_is_renewed_each_session(story: Story) -> None:
    story.executes(buy(Decimal("0.5")))
    for day, leg in (("15", "fraction.1"), ("16", "fraction.2")):
        story.comes(f"2026-01-{day}T15:00:00Z")
        assert story.stands == []
        story.settles()
        assert (story.stands, story.legs) == (["sell 0.5 MU stop 92 day"], [leg])
    story.rests()
    story.audited()


def test_a_stop_that_somebody_canceled_is_placed_again(story: Story) -> None:
    story.executes(buy())
    story.cancels(story.keys["sell 10 MU stop 92 gtc"])
    assert story.stands == []
    story.settles()
    assert (story.stands, story.legs) == (["sell 10 MU stop 92 gtc"], ["stop.1"])
    assert sorted(one["outcome"] for one in story.newest["legs"]) == ["canceled", "open"]
    story.rests()
    story.audited()


def test_an_oto_stop_that_somebody_canceled_is_placed_again(story: Story) -> None:
    story.executes(at_limit(95))
    story.moves("MU", 94)
    story.settles()
    story.cancels(story.keys["sell 10 MU stop 87.4 gtc"])
    story.settles()
    assert len(story.stands) == 1
    assert story.legs == ["stop"]
    story.rests()


@pytest.mark.parametrize("entry", [buy(), at_limit(101, time_in_force="day")])
def test_what_hangs_on_an_entry_of_the_session_becomes_a_stop_that_lasts(
    story: Story, entry: dict[str, Any]
) -> None:
    story.executes(entry)
    assert [one.split()[-1] for one in story.stands] == ["gtc"]
    pair = entry | {"ticker": "AMD", "protect": "bracket", "profit_target_pct": 20}
    story.executes(pair)
    assert [one.split()[-1] for one in story.stands] == ["gtc"] * 3
    story.rests()
    story.audited()


def test_a_bracket_that_somebody_canceled_becomes_a_pair(story: Story) -> None:
    story.executes(buy(10, protect="bracket", profit_target_pct=15, time_in_force="gtc"))
    story.cancels(story.keys["sell 10 MU limit 115.01 gtc"])
    story.settles()
    assert story.stands == ["sell 10 MU limit 115.01 gtc", "sell 10 MU stop 92 gtc"]
    assert story.legs == ["target"]
    story.rests()
    story.moves("MU", 91)
    story.settles()
    assert (story.stands, story.exchange.held) == ([], {})
    story.audited()


def test_a_stop_that_the_broker_refuses_is_an_alarm_and_healed_later(story: Story) -> None:
    story.exchange.fails("rejection", match={"side": "sell"}, times=0)
    answer = story.executes(buy(), code=5)
    assert "MU: its stop order ai-" in answer.out
    assert "refused with status 403, code 40310000" in answer.out
    (leg,) = story.newest["legs"]
    assert (leg["outcome"], leg["refusal"]["code"]) == ("rejected", 40310000)
    assert any("was not placed" in one for one in story.newest["errors"])
    head = story.repository.head
    data = story.settles("--json", code=5).data
    assert "was not placed" in data["unprotected"][0]
    # The same refusal again is no news.
    assert story.repository.head == head
    assert "unprotected: " in story.settles(code=5).out
    story.exchange.heals()
    story.settles()
    assert (story.stands, story.legs) == (["sell 10 MU stop 92 gtc"], ["stop"])
    story.rests()
    story.audited()


@pytest.mark.parametrize("kind", ["accept_then_504", "drop_before"])
def test_a_lost_answer_about_a_stop_places_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    patient = ("lookup_deadline_seconds = 0.1", "lookup_deadline_seconds = 30")
    with told_at(tmp_path, monkeypatch, patient) as story:
        story.exchange.fails(kind, match={"method": "POST", "path": "/v2/orders", "side": "sell"})
        story.executes(buy())
        assert (story.stands, story.legs) == (["sell 10 MU stop 92 gtc"], ["stop"])
        story.rests()
        story.audited()


# Entries that rest.


def test_an_entry_that_rests_is_withdrawn_once_its_plan_is_over(story: Story) -> None:
    story.executes(at_limit(90), valid_until="2026-01-14T23:00:00Z")
    story.settles()
    assert len(story.stands) == 2
    story.comes("2026-01-14T23:01:00Z")
    answer = story.settles()
    assert story.stands == []
    assert outcomes(story) == ["canceled"]
    assert "its plan is over" in answer.err
    story.rests()
    story.audited()


def test_an_entry_of_a_plan_without_an_end_stays(story: Story) -> None:
    story.executes(at_limit(90))
    story.comes("2026-03-14T23:01:00Z")
    story.rests()
    assert len(story.stands) == 2


def test_an_own_entry_that_rests_gives_way_to_the_stop(story: Story) -> None:
    story.executes(at_limit(90, time_in_force="day"))
    story.executes(line("BUY", quantity=5))
    story.executes(line("PROTECT", stop_price=95))
    assert story.stands == ["sell 5 MU stop 95 gtc"]
    story.rests()


def test_an_entry_and_its_stop_that_both_filled_meanwhile_are_settled_together(
    story: Story,
) -> None:
    story.executes(at_limit(95))
    story.moves("MU", 94)
    story.moves("MU", 80)
    story.settles()
    assert (story.stands, story.exchange.held) == ([], {})
    assert story.newest["final_portfolio"]["realized_pl"] < 0
    story.rests()
    story.audited()


def test_an_entry_of_the_session_that_never_filled_leaves_nothing(story: Story) -> None:
    story.executes(at_limit(90, time_in_force="day"))
    story.comes(NEXT_DAY)
    answer = story.settles()
    assert outcomes(story) == ["expired"]
    assert "orders still open: 0" in answer.out
    story.rests()
    story.audited()


def test_what_was_bought_for_an_amount_is_protected(story: Story) -> None:
    asked = buy(notional=1_050)
    del asked["quantity"]
    story.executes(asked)
    assert len(story.stands) == 2
    assert sum(one["quantity"] for one in story.newest["legs"]) == story.exchange.held["MU"]
    story.rests()
    story.audited()


def test_a_stop_that_fills_in_part_goes_on_for_the_rest(story: Story) -> None:
    story.exchange.fails(
        "partial_fill", match={"side": "sell"}, fraction="0.4", rest_seconds=36_000
    )
    story.executes(buy())
    story.moves("MU", 91)
    story.settles()
    assert story.exchange.held == {"MU": 6}
    assert len(story.stands) == 1
    (leg,) = story.newest["legs"]
    assert (leg["outcome"], leg["filled_quantity"]) == ("open", 4)
    story.rests()
    story.comes(NEXT_DAY)
    story.settles()
    assert (story.stands, story.exchange.held) == ([], {})
    story.audited()


def test_protect_takes_the_place_of_a_pair(story: Story) -> None:
    story.executes(buy(10, protect="bracket", profit_target_pct=15))
    story.executes(line("PROTECT", stop_price=95))
    assert story.stands == ["sell 10 MU stop 95 gtc"]
    story.rests()
    story.audited()


def test_a_sale_takes_from_the_loosest_stop(story: Story) -> None:
    story.executes(buy())
    story.moves("MU", 110)
    story.executes(buy(5))
    story.executes(line("SELL", quantity=12))
    assert story.stands == ["sell 3 MU stop 101.2 gtc"]
    story.rests()
    story.audited()


def test_while_trading_is_halted_stops_are_placed_and_nothing_is_sold_at_the_market(
    story: Story,
) -> None:
    story.executes(buy())
    story.executes(buy(10, "AMD"))
    for key in story.keys.values():
        story.cancels(key)
    now = story.now.isoformat().replace("+00:00", "Z")
    story.repository.run("halt", "--halted", "--reason", "a drill", "--now", now)
    story.moves("AMD", 90)
    answer = story.settles(code=5)
    assert story.stands == ["sell 10 MU stop 92 gtc"]
    assert "nothing is sold at the market while trading is HALTED" in answer.out
    assert story.exchange.held == {"MU": 10, "AMD": 10}
    story.audited()


def test_a_foreign_buy_that_rests_keeps_the_stop_away_and_is_told(story: Story) -> None:
    story.executes(buy())
    story.cancels(story.keys["sell 10 MU stop 92 gtc"])
    orders("theirs", "MU", 1, type="limit", limit_price="50", time_in_force="gtc")
    answer = story.settles(code=5)
    assert "order theirs buys it; cancel that at the broker" in answer.out
    story.cancels("theirs")
    # Ended without a fill it has explained itself.
    story.settles()
    assert story.stands == ["sell 10 MU stop 92 gtc"]


def test_a_stop_that_the_broker_takes_for_late_exits_at_the_market(story: Story) -> None:
    story.exchange.fails(
        "rejection",
        match={"side": "sell"},
        status=422,
        code=42210000,
        message="stop price must be less than current price",
    )
    answer = story.executes(buy())
    assert (story.stands, story.exchange.held) == ([], {})
    assert story.protection == [("exited", 10)]
    assert "exited: 10 MU, stop at 92.00 USD: the price was through its stop" in answer.out
    story.rests()
    story.audited()


def test_buying_a_fraction_more_keeps_each_lot_covered(story: Story) -> None:
    story.executes(buy(Decimal("1.5")))
    story.executes(buy(Decimal("2.25")))
    assert len(story.stands) == 4
    assert story.legs == ["fraction", "fraction.1", "stop", "stop.1"]
    story.comes(NEXT_DAY)
    story.settles()
    assert story.legs == ["fraction.1", "fraction.2", "stop", "stop.1"]
    story.executes(line("SELL", quantity="all"))
    assert (story.stands, story.exchange.held) == ([], {})
    story.rests()
    story.audited()


def test_a_stop_of_ours_cannot_be_canceled_by_a_plan(story: Story) -> None:
    story.executes(buy())
    key = story.keys["sell 10 MU stop 92 gtc"]
    answer = story.executes(line("CANCEL", client_order_id=key), code=1)
    assert "cancel_own" in answer.out
    assert story.stands == ["sell 10 MU stop 92 gtc"]
