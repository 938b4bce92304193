from __future__ import annotations

import copy
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from executor.decisions.protection import (
    Moves,
    Role,
    Standing,
    is_through,
    plan_protection,
)
from executor.model.ledger import Lot, LotKey
from executor.model.order import OrderReport, OrderStatus
from executor.model.order_id import Leg, client_order_id, parse_order_id
from executor.model.order_result import Refusal
from tests.decisions.toy_broker import REPOSITORY, Toy, by_key, working

DIGESTS = ("ab" * 32, "cd" * 32)
SYMBOLS = ("MU", "AMD")
LEGS: tuple[Leg, ...] = ("stop", "fraction", "target")
ZERO = Decimal(0)

FEWER = settings(max_examples=60)
"""Accounts are large: this many find what more would find."""


def lot(
    quantity: object = 10,
    stop: object = 300,
    *,
    index: int = 0,
    symbol: str = "MU",
    **keys: Any,
) -> Lot:
    """Ten shares of MU with a stop at 300 unless told otherwise."""
    price = None if stop is None else Decimal(str(stop))
    return Lot(LotKey(DIGESTS[0], index), symbol, Decimal(str(quantity)), price, **keys)


def toy(*lots: Lot, held: object = None, **keys: Any) -> Toy:
    """A broker that holds what the lots say, or `held` shares of MU."""
    holdings: dict[str, Decimal] = {}
    for one in lots:
        holdings[one.symbol] = holdings.get(one.symbol, ZERO) + one.quantity
    if held is not None:
        holdings["MU"] = Decimal(str(held))
    return Toy(by_key(lots), holdings, **keys)


def stop(
    of: Lot, quantity: object, price: object, leg: Leg = "stop", number: int = 0, **keys: Any
) -> Standing:
    """A stop of ours that stands."""
    key = client_order_id(REPOSITORY, of.key.plan_digest, of.key.index, leg, number)
    level = None if price is None else Decimal(str(price))
    report = working(key, of.symbol, quantity=quantity, stop_price=level, **keys)
    return Standing(Role(of.key, leg, number), report)


def pair(of: Lot, quantity: object, target: object, price: object) -> list[Standing]:
    """Target and stop that the broker hung on a bracket's entry."""
    entry = client_order_id(REPOSITORY, of.key.plan_digest, of.key.index)
    limit = working(
        "target", of.symbol, quantity=quantity, order_type="limit", limit_price=Decimal(str(target))
    )
    loss = working("loss", of.symbol, quantity=quantity, stop_price=Decimal(str(price)))
    return [
        Standing(Role(of.key, "target", 0, entry), limit),
        Standing(Role(of.key, "stop", 0, entry), loss),
    ]


def entry_of(of: Lot, **keys: Any) -> OrderReport:
    """The lot's own BUY, still open."""
    key = client_order_id(REPOSITORY, of.key.plan_digest, of.key.index)
    return working(key, of.symbol, "buy", order_type="limit", **keys)


def asked(moves: Moves) -> list[tuple[str, Any, str]]:
    """Each order to send: leg with its number, shares, time in force."""
    found: list[tuple[str, Any, str]] = []
    for one in moves.placements:
        own = parse_order_id(one.request.client_order_id)
        assert own is not None
        name = own.leg + (f".{own.number}" if own.number else "")
        found.append((name, one.request.quantity, one.request.time_in_force))
    return found


def canceled(moves: Moves) -> list[str]:
    return [report.client_order_id for report, _ in moves.cancels]


def states(moves: Moves, of: Lot) -> list[tuple[str, Any]]:
    return [(one.state, one.quantity) for one in moves.states.get(of.key, ())]


# Properties: any lots, orders, holdings and prices.

whole = st.integers(1, 30).map(Decimal)
sizes = whole | st.decimals(Decimal("0.000000001"), 30, places=9)
levels = st.integers(1, 400).map(Decimal)


@st.composite
def some_lots(draw: st.DrawFn) -> list[Lot]:
    places = draw(
        st.lists(
            st.tuples(st.sampled_from(DIGESTS), st.integers(0, 3)),
            min_size=1,
            max_size=4,
            unique=True,
        )
    )
    found = []
    for digest, index in places:
        base = Lot(LotKey(digest, index), draw(st.sampled_from(SYMBOLS)), draw(sizes), None)
        match draw(st.sampled_from(("stop", "trailing", "bracket"))):
            case "stop":
                base = replace(base, stop_price=draw(levels))
            case "trailing":
                base = replace(base, trail_percent=Decimal(draw(st.integers(1, 20))))
            case _:
                level = draw(levels)
                base = replace(base, stop_price=level, take_profit_price=level + 50)
        stops, fractions, targets = (draw(st.integers(0, 3)) for _ in range(3))
        found.append(replace(base, stops=stops, fractions=fractions, targets=targets))
    return found


@st.composite
def some_standing(draw: st.DrawFn, lots: list[Lot]) -> list[Standing]:
    """Orders of ours that stand: right ones, wrong ones, and of lots that are gone."""
    found: list[Standing] = []
    for at in range(draw(st.integers(0, 4))):
        of = draw(st.sampled_from(lots))
        if draw(st.booleans()) and draw(st.booleans()):
            of = replace(of, key=LotKey("ef" * 32, at))  # nothing is left of this one
        size = draw(st.sampled_from([of.quantity, of.quantity // 1 or Decimal(1), Decimal(3)]))
        price = draw(st.sampled_from([of.stop_price or Decimal(90), Decimal(50), Decimal(350)]))
        match draw(st.sampled_from(("stop", "fraction", "pair", "trailing"))):
            case "pair":
                if any(one.report.client_order_id == "loss" for one in found):
                    continue
                found += pair(of, size // 1 or 1, price + 50, price)
            case "trailing":
                trail = Decimal(draw(st.integers(1, 20)))
                kind = "trailing_stop"
                found.append(
                    stop(of, size, None, "stop", 900 + at, order_type=kind, trail_percent=trail)
                )
            case leg:
                name: Leg = "stop" if leg == "stop" else "fraction"
                found.append(stop(of, size, price, name, 900 + at))
    return found


@st.composite
def accounts(draw: st.DrawFn) -> Toy:
    lots = draw(some_lots())
    others = []
    for at in range(draw(st.integers(0, 2))):
        symbol, side = draw(st.sampled_from(SYMBOLS)), draw(st.sampled_from(("buy", "sell")))
        others.append(working(f"other {at}", symbol, side, draw(whole), "limit"))
    standing = draw(some_standing(lots))
    if draw(st.booleans()):
        waits = draw(st.sampled_from(lots))
        others.append(entry_of(waits))
        # Nothing is placed for a lot before its entry has ended.
        standing = [one for one in standing if one.role.key != waits.key]
    own = frozenset(one.client_order_id for one in others if draw(st.booleans()))
    may_exit = draw(st.booleans())
    return Toy(
        by_key(lots),
        {symbol: draw(st.just(ZERO) | sizes) for symbol in SYMBOLS},
        standing=standing,
        others=others,
        own=own | {one.client_order_id for one in others if one.client_order_id.startswith("ai-")},
        prices=draw(st.dictionaries(st.sampled_from(SYMBOLS), levels)),
        may_exit=may_exit,
        why_no_exit="" if may_exit else draw(st.sampled_from(("", "trading is HALTED"))),
        grown=draw(st.sets(st.sampled_from(SYMBOLS)).map(frozenset)),
        withdrawn_by=draw(st.sampled_from(("", "", "alice"))),
        through=frozenset(
            (one.key, draw(st.sampled_from(LEGS)))
            for one in lots
            if draw(st.booleans()) and draw(st.booleans())
        ),
    )


@given(accounts())
@FEWER
def test_it_comes_to_rest_in_a_few_rounds_and_the_broker_refuses_nothing(broker: Toy) -> None:
    rest = broker.settle()
    assert broker.plan() == rest  # asked again, it says the same


@given(accounts())
@FEWER
def test_at_rest_every_share_of_every_lot_is_covered_once_or_named(broker: Toy) -> None:
    moves = broker.settle()
    for key, one in broker.lots.items():
        told = moves.states[key]
        assert sum((each.quantity for each in told if each.state != "unprotected"), ZERO) == sum(
            (
                each.report.open_quantity
                for each in broker.standing
                if each.role.key == key and each.report.order_type != "limit"
            ),
            ZERO,
        )
        named = [each for each in told if each.state == "unprotected"]
        assert all(each.reason for each in named)
        assert sum((each.quantity for each in told), ZERO) >= one.quantity


@given(accounts())
@FEWER
def test_at_rest_stops_never_sell_more_than_is_held(broker: Toy) -> None:
    broker.settle()
    for symbol in SYMBOLS:
        held = broker.held.get(symbol, ZERO)
        # Other SELLs may be larger than the holding all by themselves: that is not ours to mend.
        alone = sum((one.open_quantity for one in broker.others if one.side == "sell"
                     and one.symbol == symbol), ZERO)  # fmt: skip
        assert broker.on_sale(symbol) <= max(held, alone)


@given(accounts())
@FEWER
def test_at_rest_every_stop_is_as_tight_as_its_lot_asks(broker: Toy) -> None:
    broker.settle()
    for one in broker.standing:
        of, report = broker.lots[one.role.key], one.report
        if report.order_type == "limit":
            continue
        if of.trail_percent is not None:
            assert report.trail_percent is not None
            assert report.trail_percent <= of.trail_percent
        else:
            assert report.stop_price is not None
            assert of.stop_price is not None
            assert report.stop_price >= of.stop_price


@given(accounts())
@FEWER
def test_planning_changes_nothing_by_itself(broker: Toy) -> None:
    before = copy.deepcopy(broker)
    assert broker.plan() == broker.plan()
    assert broker == before


@given(accounts())
@FEWER
def test_nothing_is_placed_in_a_symbol_before_its_cancels_have_ended(broker: Toy) -> None:
    moves = broker.plan()
    moving = {report.symbol for report, _ in moves.cancels}
    assert not moving & {one.request.symbol for one in moves.placements}
    assert moves.is_rest == (not moves.cancels and not moves.placements)


@given(accounts())
@FEWER
def test_a_market_exit_is_asked_for_only_where_it_is_allowed(broker: Toy) -> None:
    for one in broker.plan().placements:
        price = broker.prices.get(one.request.symbol)
        level = broker.lots[one.role.key].stop_price
        through = price is not None and level is not None and price <= level
        through = through or one.role.key in {key for key, _ in broker.through}
        assert (one.request.order_type == "market") == (through and broker.may_exit)
        assert not (through and one.request.symbol in broker.grown)
        assert not broker.withdrawn_by


@given(accounts())
@FEWER
def test_foreign_orders_are_never_touched(broker: Toy) -> None:
    foreign = {one.client_order_id for one in broker.others} - broker.own
    broker.settle()
    assert foreign <= {one.client_order_id for one in broker.others}


# What should stand.


def test_whole_shares_get_a_stop_that_lasts_and_the_fraction_one_for_the_session() -> None:
    bought = lot("10.25")
    broker = toy(bought)
    moves = broker.plan()
    assert asked(moves) == [("stop", 10, "gtc"), ("fraction", Decimal("0.25"), "day")]
    assert {one.request.stop_price for one in moves.placements} == {300}
    assert all(one.request.side == "sell" for one in moves.placements)
    assert states(broker.settle(), bought) == [("stop", 10), ("stop", Decimal("0.25"))]
    assert moves.alarms == ()


def test_less_than_a_share_has_the_stop_of_the_session_alone() -> None:
    assert asked(toy(lot("0.5")).plan()) == [("fraction", Decimal("0.5"), "day")]


def test_a_trailing_stop_takes_whole_shares_and_the_fraction_is_named() -> None:
    bought = lot("10.25", None, trail_percent=Decimal(5))
    broker = toy(bought)
    (placement,) = broker.plan().placements
    request: Any = placement.request
    assert (request.order_type, request.trail_percent) == ("trailing_stop", 5)
    assert request.stop_price is None
    moves = broker.settle()
    assert states(moves, bought) == [("unprotected", Decimal("0.25")), ("stop", 10)]
    assert moves.states[bought.key][0].reason == "a trailing stop takes whole shares only"
    assert moves.alarms == ()


def test_a_bracket_gets_a_pair_and_its_fraction_a_stop() -> None:
    bought = lot("10.25", 300, take_profit_price=Decimal(360))
    broker = toy(bought)
    requests: list[Any] = [one.request for one in broker.plan().placements]
    oco, fraction = requests
    assert (oco.order_class, oco.order_type, oco.time_in_force) == ("oco", "limit", "gtc")
    assert (oco.take_profit_price, oco.stop_loss_price, oco.quantity) == (360, 300, 10)
    assert (fraction.order_class, fraction.stop_price) == ("simple", 300)
    assert states(broker.settle(), bought) == [("bracket", 10), ("stop", Decimal("0.25"))]


def test_the_pair_of_a_bracket_is_left_where_it_fits() -> None:
    bought = lot(10, 300, take_profit_price=Decimal(360))
    broker = toy(bought, standing=pair(bought, 10, 360, 300))
    moves = broker.plan()
    assert moves.is_rest
    assert states(moves, bought) == [("bracket", 10)]


@pytest.mark.parametrize(("quantity", "price"), [(7, 300), (10, 299)])
def test_a_pair_of_the_wrong_size_or_price_becomes_another_one(quantity: int, price: int) -> None:
    bought = lot(10, 300, take_profit_price=Decimal(360))
    broker = toy(bought, standing=pair(bought, quantity, 360, price))
    assert canceled(broker.plan()) == ["target", "loss"]
    broker.settle()
    assert [one.report.order_class for one in broker.standing] == ["oco", "oco"]


def test_half_a_pair_is_no_pair() -> None:
    bought = lot(10, 300, take_profit_price=Decimal(360))
    for half in pair(bought, 10, 360, 300):
        assert canceled(toy(bought, standing=[half]).plan()) == [half.report.client_order_id]


def test_a_tighter_stop_is_kept_and_a_looser_one_replaced() -> None:
    bought = lot(10, 300)
    assert toy(bought, standing=[stop(bought, 10, 310)]).plan().is_rest
    assert toy(bought, standing=[stop(bought, 10, 300)]).plan().is_rest
    broker = toy(replace(bought, stops=1), standing=[stop(bought, 10, "299.99")])
    moves = broker.plan()
    assert [reason for _, reason in moves.cancels] == [
        "one of another size, price or duration is wanted now"
    ]
    assert moves.placements == ()
    broker.settle()
    (one,) = broker.standing
    assert one.report.client_order_id.endswith("-0-stop.1")


@pytest.mark.parametrize(
    "one", [lot(10), lot(10, take_profit_price=Decimal(360))], ids=["a stop", "a pair"]
)
def test_what_ends_with_the_session_is_replaced_by_what_lasts(one: Lot) -> None:
    short = [stop(one, 10, 300, time_in_force="day")]
    if one.take_profit_price is not None:
        short = pair(one, 10, 360, 300)
        short = [replace(each, report=replace(each.report, time_in_force="day")) for each in short]
    broker = toy(replace(one, stops=1), standing=short)
    assert len(canceled(broker.plan())) == len(short)
    broker.settle()
    assert {each.report.time_in_force for each in broker.standing} == {"gtc"}


@pytest.mark.parametrize(("trail", "kept"), [(4, True), (5, True), (6, False)])
def test_a_trailing_stop_that_follows_closer_is_kept(trail: int, kept: bool) -> None:
    bought = lot(10, None, trail_percent=Decimal(5))
    keys: dict[str, Any] = {"order_type": "trailing_stop", "trail_percent": Decimal(trail)}
    assert toy(bought, standing=[stop(bought, 10, 320, **keys)]).plan().is_rest is kept


def test_a_plain_stop_is_none_that_trails_and_one_that_trails_is_none_with_a_price() -> None:
    trailing, plain = lot(10, None, trail_percent=Decimal(5)), lot(10, 300)
    assert canceled(toy(trailing, standing=[stop(trailing, 10, 390)]).plan())
    follows = stop(plain, 10, None, order_type="trailing_stop", trail_percent=Decimal(1))
    assert canceled(toy(plain, standing=[follows]).plan())


@pytest.mark.parametrize("quantity", [9, 11, "10.5"])
def test_a_stop_of_the_wrong_size_is_replaced(quantity: object) -> None:
    bought = replace(lot(10), stops=1)
    broker = toy(bought, held=20, standing=[stop(bought, quantity, 300)])
    broker.settle()
    assert [one.report.open_quantity for one in broker.standing] == [10]


def test_what_filled_of_a_stop_is_no_part_of_its_size() -> None:
    left = lot(6)
    part = stop(left, 10, 300, filled_quantity=Decimal(4))
    assert toy(left, standing=[part]).plan().is_rest


def test_a_second_stop_for_the_same_shares_is_canceled() -> None:
    bought = lot(10)
    twice = [stop(bought, 10, 300), stop(bought, 10, 305, number=1)]
    assert len(canceled(toy(bought, held=20, standing=twice).plan())) == 1


def test_an_orphan_is_canceled() -> None:
    gone = lot(10)
    broker = toy(standing=[stop(gone, 10, 300)], held=0)
    moves = broker.plan()
    assert [reason for _, reason in moves.cancels] == ["nothing is left that it protects"]
    assert broker.settle() == Moves()
    assert broker.standing == []


def test_a_stop_that_nobody_wants_any_more_is_canceled_beside_its_shares() -> None:
    moves = toy(standing=[stop(lot(10), 10, 300)], held=10).plan()
    assert [reason for _, reason in moves.cancels] == ["its shares are to have no stop any more"]


def test_lots_of_one_symbol_stand_side_by_side() -> None:
    lots = (lot(10, 300), lot("5.5", 310, index=1), lot(2, None, index=2, trail_percent=Decimal(3)))
    broker = toy(*lots)
    broker.settle()
    assert broker.on_sale("MU") == Decimal("17.5")
    assert len(broker.standing) == 4


# Where shares are missing.


def test_the_loosest_stop_goes_without_where_shares_are_missing() -> None:
    loose, tight = lot(10, 250), lot(10, 310, index=1)
    broker = toy(loose, tight, held=14)
    moves = broker.settle()
    assert states(moves, tight) == [("stop", 10)]
    assert states(moves, loose) == [("unprotected", 6), ("stop", 4)]
    assert moves.alarms == (
        "MU: 6 shares without their stop at 250 USD: the shares are not there, or another open"
        " order sells them",
    )


def test_without_any_share_its_stop_is_canceled() -> None:
    bought = lot(10)
    broker = toy(bought, held=0, standing=[stop(bought, 10, 300)])
    moves = broker.plan()
    assert [reason for _, reason in moves.cancels] == ["the shares that it protects are not there"]
    assert states(broker.settle(), bought) == [("unprotected", 10)]


def test_a_short_holding_has_nothing_to_protect() -> None:
    assert toy(lot(10), held=-5).plan().placements == ()


def test_shares_that_another_order_sells_are_not_protected_as_well() -> None:
    bought = lot(10)
    broker = toy(bought, others=[working("elsewhere", quantity=4, order_type="limit")])
    moves = broker.settle()
    assert states(moves, bought) == [("unprotected", 4), ("stop", 6)]
    assert len(moves.alarms) == 1


def test_shares_that_a_plan_sells_go_without_and_are_no_alarm() -> None:
    tight, loose = lot(4, 310), lot(6, 250, index=1)
    sale = working("ours", quantity=5, order_type="limit")
    theirs = working("theirs", quantity=2, order_type="limit")
    broker = toy(tight, loose, others=[sale, theirs], own=frozenset({"ours"}))
    moves = broker.settle()
    assert states(moves, tight) == [("unprotected", 1), ("stop", 3)]
    assert states(moves, loose) == [("unprotected", 4), ("unprotected", 2)]
    assert moves.states[tight.key][0].reason == "an order of a plan sells them"
    assert len(moves.alarms) == 1
    assert moves.alarms[0].startswith("MU: 2 shares without their stop at 250 USD")


def test_an_order_that_has_ended_sells_nothing() -> None:
    bought = lot(10)
    ended = working("elsewhere", quantity=4, status=OrderStatus.CANCELED)
    assert states(toy(bought, others=[ended]).settle(), bought) == [("stop", 10)]


def test_a_trailing_stop_without_its_shares_is_named_without_a_price() -> None:
    moves = toy(lot(10, None, trail_percent=Decimal(5)), held=0).settle()
    assert moves.alarms[0].startswith("MU: 10 shares without their stop: ")


# BUYs that rest.


def test_a_lot_whose_entry_is_still_open_waits_for_it() -> None:
    bought = lot(4)
    broker = toy(bought, others=[entry_of(bought)])
    moves = broker.settle()
    assert broker.log == []
    assert [one.reason for one in moves.states[bought.key]] == [
        "its entry is still open; the stop follows its end"
    ]
    assert moves.alarms == ()


def test_an_own_buy_that_rests_gives_way_to_the_stop() -> None:
    bought = lot(10)
    rests = working("ours", "MU", "buy", order_type="limit")
    broker = toy(bought, others=[rests], own=frozenset({"ours"}))
    moves = broker.plan()
    assert moves.cancels == ((rests, "it rests where a stop has to stand"),)
    assert states(broker.settle(), bought) == [("stop", 10)]


def test_an_own_buy_is_left_where_the_stop_stands_already() -> None:
    bought = lot(10)
    rests = working("ours", "MU", "buy", order_type="limit")
    broker = toy(bought, others=[rests], own=frozenset({"ours"}), standing=[stop(bought, 10, 300)])
    assert broker.plan().is_rest


def test_a_foreign_buy_that_rests_is_an_alarm() -> None:
    bought = lot(10)
    broker = toy(bought, others=[working("theirs", "MU", "buy", order_type="limit")])
    moves = broker.plan()
    assert moves.is_rest
    assert moves.alarms == (
        "MU: 10 shares without their stop at 300 USD: order theirs buys it; cancel that at the"
        " broker",
    )


def test_a_buy_of_another_symbol_is_in_nobodys_way() -> None:
    broker = toy(lot(10), others=[working("theirs", "AMD", "buy", order_type="limit")])
    assert asked(broker.plan()) == [("stop", 10, "gtc")]


# A price that is through the stop.


@pytest.mark.parametrize(("price", "through"), [("299.99", True), (300, True), ("300.01", False)])
def test_a_price_through_the_stop_exits_at_the_market(price: object, through: bool) -> None:
    bought = replace(lot("10.25"), stops=2)
    broker = toy(bought, prices={"MU": Decimal(str(price))})
    moves = broker.plan()
    if through:
        assert asked(moves) == [("stop.2", Decimal("10.25"), "day")]
        assert moves.placements[0].request.order_type == "market"
        assert broker.settle().states == {}
        assert broker.held["MU"] == 0
    else:
        assert asked(moves)[0] == ("stop.2", 10, "gtc")


def test_while_trading_is_halted_a_price_through_the_stop_is_an_alarm() -> None:
    bought = lot(10)
    why = "nothing is sold at the market while trading is HALTED"
    moves = toy(bought, prices={"MU": Decimal(1)}, may_exit=False, why_no_exit=why).plan()
    assert moves.is_rest
    assert moves.alarms == (
        f"MU: 10 shares without their stop at 300 USD: the price is through its stop; {why}",
    )


def test_while_the_market_is_closed_the_stop_waits_for_the_open() -> None:
    moves = toy(lot(10), prices={"MU": Decimal(1)}, may_exit=False).plan()
    assert asked(moves) == [("stop", 10, "gtc")]


def test_a_trailing_stop_is_placed_whatever_the_price() -> None:
    moves = toy(lot(10, None, trail_percent=Decimal(5)), prices={"MU": Decimal(1)}).plan()
    assert [one.request.order_type for one in moves.placements] == ["trailing_stop"]


def test_more_shares_than_the_record_knows_may_be_a_split_and_no_loss() -> None:
    bought = lot(10)
    moves = toy(bought, held=40, prices={"MU": Decimal(80)}, grown=frozenset({"MU"})).plan()
    assert moves.is_rest
    assert states(moves, bought) == [("unprotected", 10)]
    assert moves.alarms[0].endswith("perhaps a split; run settle")


def test_a_stop_that_the_broker_calls_too_late_exits_at_the_market() -> None:
    bought = replace(lot(10), stops=1)
    late = {"prices": {"MU": Decimal(310)}, "through": frozenset({(bought.key, "stop")})}
    assert asked(toy(bought, **late).plan()) == [("stop.1", 10, "day")]
    closed = toy(bought, **late, may_exit=False).plan()
    assert closed.is_rest
    assert closed.alarms[0].endswith("the price is through its stop and the market is closed")


def test_a_pair_that_comes_too_late_is_a_stop_until_the_market_opens() -> None:
    bought = lot("10.25", 300, take_profit_price=Decimal(360))
    late = frozenset({(bought.key, "target")})
    broker = toy(bought, through=late, may_exit=False)
    assert asked(broker.plan()) == [("stop", 10, "gtc"), ("fraction", Decimal("0.25"), "day")]
    assert states(broker.settle(), bought) == [("stop", 10), ("stop", Decimal("0.25"))]
    broker.through = frozenset()
    assert broker.plan().is_rest, "the next run leaves it"
    broker.may_exit = True
    assert len(canceled(broker.plan())) == 1
    assert states(broker.settle(), bought) == [("bracket", 10), ("stop", Decimal("0.25"))]
    assert asked(toy(bought, through=late).plan()) == [("stop", Decimal("10.25"), "day")]


def refusal(status: int, body: str) -> Refusal:
    return Refusal(status=status, code=42210000, body=body)


@pytest.mark.parametrize(
    ("answer", "late"),
    [
        (refusal(422, '{"message": "stop price must be less than current price"}'), True),
        (refusal(422, '{"message": "Stop Price must be less than current price"}'), True),
        (refusal(422, '{"message": "stop_loss.stop_price must be <= base_price - 0.01"}'), True),
        (refusal(403, '{"message": "stop price must be less than current price"}'), False),
        (refusal(422, '{"message": "sub-penny increment"}'), False),
    ],
)
def test_the_broker_says_by_its_words_that_a_stop_comes_too_late(
    answer: Refusal, late: bool
) -> None:
    assert is_through(answer) is late


def test_what_a_person_withdrew_is_not_placed_again() -> None:
    bought = lot("10.5")
    broker = toy(bought, withdrawn_by="alice", standing=[stop(bought, "0.5", 300, "fraction")])
    moves = broker.plan()
    assert moves.is_rest
    assert moves.alarms == ()
    told = moves.states[bought.key]
    assert [(one.state, one.quantity) for one in told] == [
        ("stop", Decimal("0.5")),
        ("unprotected", Decimal(10)),
    ]
    assert told[1].reason == "withdrawn by alice, who halted trading"


def test_an_exit_on_its_way_is_waited_for() -> None:
    bought = lot("10.25")
    leaving = stop(bought, "10.25", None, order_type="market")
    moves = toy(bought, standing=[leaving], prices={"MU": Decimal(1)}).plan()
    assert moves.is_rest
    assert states(moves, bought) == [("exited", Decimal("10.25"))]


# Numbers.


def test_the_next_order_of_a_leg_takes_the_next_number() -> None:
    bought = replace(lot("10.25", 300), stops=3, fractions=7)
    assert [one[0] for one in asked(toy(bought).plan())] == ["stop.3", "fraction.7"]
    pairs = replace(lot(10, 300, take_profit_price=Decimal(360)), targets=2)
    assert [one[0] for one in asked(toy(pairs).plan())] == ["target.2"]


def test_without_lots_and_orders_nothing_is_to_be_done() -> None:
    assert toy(held=5).plan() == Moves()
    assert plan_protection((), (), toy().around()).is_rest
