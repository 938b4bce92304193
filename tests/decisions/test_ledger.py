from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from executor.decisions.ledger import TRANSFERS_KEPT, fold
from executor.decisions.record_facts import executed_as, record_facts
from executor.model.account import AccountRecord, Mode
from executor.model.activity import Activity
from executor.model.ledger import Ledger, Lot, LotKey
from executor.model.numbers import ZERO
from executor.model.order import OrderStatus
from executor.model.order_result import (
    Fill,
    InstructionResult,
    LegResult,
    OrderResult,
    Outcome,
    StopTerms,
)
from executor.model.position import Position
from executor.model.result import ExecutionResult, FinalPortfolio, Observed, OpeningRecord
from executor.model.state import TradingStateRecord
from tests.decisions.histories import (
    FIRST,
    SYMBOLS,
    activities,
    histories,
    in_one,
    instructions,
    legs,
    observations,
)
from tests.decisions.record_builders import (
    NOW,
    PLAN_DIGEST,
    PLAN_PATH,
    fill,
    line_result,
    numbered,
    planned,
    portfolio,
    report,
    result,
)

FEWER = settings(max_examples=40)
"""Histories are large: this many find what more would find."""

MIDNIGHT = NOW.replace(hour=0, minute=0)

FILLS = st.builds(
    fill,
    st.decimals(Decimal("0.000000001"), 10**4, places=9).map("{:f}".format),
    st.decimals(0, 10**4, places=4).map("{:f}".format),
)
TRADES = st.lists(
    st.tuples(st.sampled_from(("MU", "AMD")), st.sampled_from(("buy", "sell")), FILLS), max_size=8
)
Trade = tuple[str, str, Fill]


def booked(trades: Sequence[Trade]) -> ExecutionResult:
    """One result whose instructions hold a fill each."""
    return result(
        *(
            line_result(at, ticker=symbol, side=side, fills=[one])
            for at, (symbol, side, one) in enumerate(trades)
        )
    )


def folded(*results: ExecutionResult, **keys: Any) -> Ledger:
    return fold(numbered(results), keys.pop("mode", Mode.SIM), **keys)


@given(TRADES)
def test_cash_and_cost_are_conserved(trades: list[Trade]) -> None:
    ledger = folded(booked(trades))
    cost = sum((one.cost_basis for one in ledger.positions.values()), Decimal(0))
    assert ledger.cash_change + cost == ledger.realized_pl


@given(TRADES)
def test_shares_are_what_was_bought_less_what_was_sold(trades: list[Trade]) -> None:
    expected: dict[str, Decimal] = {}
    for symbol, side, one in trades:
        signed = one.quantity if side == "buy" else -one.quantity
        expected[symbol] = expected.get(symbol, Decimal(0)) + signed
    held = {symbol: one.quantity for symbol, one in folded(booked(trades)).positions.items()}
    assert held == {symbol: quantity for symbol, quantity in expected.items() if quantity}


@given(TRADES, st.sets(st.integers(0, 8)))
def test_how_fills_are_cut_into_results_makes_no_difference(
    trades: list[Trade], cuts: set[int]
) -> None:
    edges = sorted({0, len(trades), *(cut for cut in cuts if cut < len(trades))})
    pieces = [trades[start:end] for start, end in itertools.pairwise(edges)]
    whole, cut = folded(booked(trades)), folded(*map(booked, pieces))
    assert (cut.cash_change, cut.realized_pl) == (whole.cash_change, whole.realized_pl)
    assert cut.positions == whole.positions


@given(TRADES, TRADES)
def test_other_modes_and_accounts_are_passed_over(ours: list[Trade], others: list[Trade]) -> None:
    paper = booked(others).model_copy(update={"mode": Mode.PAPER})
    stranger = booked(others).model_copy(update={"account": "…9999"})
    with_others = folded(stranger, booked(ours), paper, account="…0001")
    alone = folded(booked(ours), account="…0001")
    assert with_others.positions == alone.positions
    assert with_others.cash_change == alone.cash_change
    assert with_others.through == numbered([stranger, booked(ours)])[1][0]
    every_account = folded(stranger, booked(ours), paper)
    assert every_account.cash_change == folded(stranger, booked(ours)).cash_change
    assert folded(paper, mode=Mode.PAPER).positions == folded(booked(others)).positions


def test_an_empty_record_is_an_empty_ledger() -> None:
    assert folded() == Ledger()


def test_the_newest_result_tells_an_order() -> None:
    opened = line_result(outcome=Outcome.OPEN)
    first, later = result(opened), NOW + timedelta(hours=1)
    filled = line_result(fills=[fill()])
    settled = result(
        filled, kind="settlement", timestamp=later, first_result=numbered([first])[0][0]
    )
    (before,) = folded(first).open_orders
    assert before.told == opened
    assert before.seen_at == NOW
    after = folded(first, settled)
    assert after.open_orders == ()
    (order,) = after.orders.values()
    assert (order.told, order.seen_at) == (filled, later)
    assert order.first_result == before.first_result == numbered([first])[0][0]
    assert (order.plan_digest, order.strategy) == (PLAN_DIGEST, "manual")


@pytest.mark.parametrize("outcome", list(Outcome))
def test_only_open_and_unknown_orders_are_followed(outcome: Outcome) -> None:
    ledger = folded(result(line_result(outcome=outcome)))
    assert bool(ledger.open_orders) == (outcome in (Outcome.OPEN, Outcome.UNKNOWN))
    assert bool(ledger.orders) == (outcome not in (Outcome.DENIED, Outcome.NOT_SENT, Outcome.DONE))


def test_an_order_that_turned_out_never_received_is_followed_no_more() -> None:
    unknown = result(line_result(outcome=Outcome.UNKNOWN))
    never = result(line_result(outcome=Outcome.NOT_SENT), kind="settlement")
    assert len(folded(unknown).open_orders) == 1
    assert folded(unknown, never).orders == {}


def test_a_line_without_an_order_is_no_order() -> None:
    canceled = line_result(outcome=Outcome.CANCELED, side=None, client_order_id=None)
    assert folded(result(canceled)).orders == {}


def test_the_peak_is_the_highest_equity_since_it_was_rebased() -> None:
    equities = [
        result(final_portfolio=portfolio(equity)) for equity in ("100000", "120000", "90000")
    ]
    assert folded(*equities).peak_equity == 120_000
    state = TradingStateRecord.model_validate(
        {
            "state": "ACTIVE",
            "since": NOW,
            "by": "alice",
            "reason": "a reason",
            "peak_equity_rebased_at": NOW,
        }
    )
    rebased = result(kind="state", state=state, final_portfolio=portfolio("90000"))
    assert folded(*equities, rebased).peak_equity == 90_000
    kept = state.model_copy(update={"peak_equity_rebased_at": None})
    assert folded(*equities, rebased.model_copy(update={"state": kept})).peak_equity == 120_000


def facts_of(ledger: Ledger, **keys: Any) -> Any:
    base: dict[str, Any] = {
        "executed": None,
        "orders_at_broker": (),
        "session_opened": MIDNIGHT,
    }
    return record_facts(ledger, **(base | keys))


def test_facts_tell_holdings_orders_and_what_is_unresolved() -> None:
    ledger = folded(
        result(
            line_result(0, fills=[fill("10")]),
            line_result(1, ticker="AMD", side="sell", fills=[fill("4")]),
            line_result(2, ticker="TSM", outcome=Outcome.UNKNOWN, submitted_at=None),
        )
    )
    facts = facts_of(ledger, executed=PLAN_PATH, orders_at_broker=("x",))
    assert facts.positions == {"MU": Decimal(10), "AMD": Decimal(-4)}
    assert facts.known_orders == set(ledger.orders)
    assert facts.unresolved == (f"ai-00000000-{PLAN_DIGEST[:32]}-2",)
    assert (facts.executed, facts.orders_at_broker) == (PLAN_PATH, ("x",))
    assert facts.peak_equity == 100_000


def test_only_orders_since_the_open_count_as_todays() -> None:
    yesterday = MIDNIGHT - timedelta(seconds=1)
    ledger = folded(
        result(
            line_result(0, fills=[fill()]),
            line_result(1, fills=[fill()]),
            line_result(2, ticker="AMD", side="sell", fills=[fill()]),
            line_result(3, fills=[fill()], submitted_at=yesterday),
            line_result(4, outcome=Outcome.UNKNOWN, submitted_at=None),
        )
    )
    facts = facts_of(ledger)
    assert facts.orders_today == 3
    assert facts.entries_today == {("manual", "MU"): 2}
    assert facts_of(ledger, session_opened=yesterday).orders_today == 4


@given(
    st.sampled_from(("buy", "sell")),
    st.integers(0, 9).map(Decimal),
    st.integers(0, 9).map(Decimal),
    st.booleans(),
)
def test_newer_fills_of_our_orders_are_no_difference(
    side: str, before: Decimal, since: Decimal, known: bool
) -> None:
    fills = [fill(before)] if before else []
    ledger = folded(result(line_result(side=side, outcome=Outcome.OPEN, fills=fills)))
    order = planned(0 if known else 1, side=side)
    now = report(order, filled_quantity=before + since, status=OrderStatus.OPEN)
    signed = since if known else before + since
    held = before + signed if side == "buy" else -before - signed
    positions = facts_of(ledger, newer=[now]).positions
    assert positions == ({"MU": held} if held else {})


def stop(**keys: Any) -> InstructionResult:
    return line_result(side="sell", order_type="stop", **keys)


def test_an_exit_by_a_stop_is_a_stop_out() -> None:
    at = datetime(2026, 1, 13, 20, 0, tzinfo=UTC)
    found = facts_of(folded(result(stop(fills=[fill(at=NOW), fill(at=at)])))).stop_outs
    assert found == (("manual", "MU", at),)


def test_a_stop_that_filled_in_part_and_was_then_canceled_is_still_a_stop_out() -> None:
    first = result(stop(outcome=Outcome.OPEN, fills=[fill("4")]))
    later = result(
        stop(outcome=Outcome.PARTIALLY_FILLED).model_copy(update={"filled_quantity": Decimal(4)}),
        timestamp=NOW + timedelta(hours=1),
    )
    assert [one[:2] for one in facts_of(folded(first, later)).stop_outs] == [("manual", "MU")]


@pytest.mark.parametrize(
    "one",
    [
        stop(outcome=Outcome.CANCELED),
        line_result(side="sell", fills=[fill()]),
        line_result(side="buy", order_type="stop", fills=[fill()]),
    ],
    ids=["a stop that never filled", "another sale", "an entry by a stop"],
)
def test_what_is_no_stop_out(one: InstructionResult) -> None:
    assert facts_of(folded(result(one))).stop_outs == ()


def executed(*results: ExecutionResult, digest: str = PLAN_DIGEST) -> str | None:
    found: Iterable[tuple[str, ExecutionResult]] = numbered(results)
    return executed_as(found, digest)


def test_a_plan_is_executed_once_it_completed_or_had_an_order_sent() -> None:
    nothing_sent = line_result(outcome=Outcome.DENIED)
    sent = line_result(outcome=Outcome.REJECTED)
    assert executed() is None
    assert executed(result(sent), digest="0" * 64) is None
    assert executed(result(nothing_sent, plan_status="rejected")) is None
    assert executed(result(sent, plan_status="rejected")) == PLAN_PATH
    assert executed(result(nothing_sent)) == PLAN_PATH
    assert executed(result(sent, kind="settlement")) is None
    unnamed = result(sent, archived_as=None)
    assert executed(unnamed) == numbered([unnamed])[0][0]


@FEWER
@given(histories)
def test_the_change_of_cash_and_cost_is_explained_to_the_cent(
    history: list[ExecutionResult],
) -> None:
    for mode, account in ((Mode.SIM, None), (Mode.SIM, "…0001"), (Mode.PAPER, "…0002")):
        ledger = fold(numbered(history), mode, account)
        cost = sum((one.cost_basis for one in ledger.positions.values()), ZERO)
        explained = ledger.realized_pl + ledger.income + ledger.transfers
        assert ledger.cash_change + cost == explained


@FEWER
@given(histories, st.integers(0, 6))
def test_a_fold_goes_on_from_where_another_ended(history: list[ExecutionResult], cut: int) -> None:
    record = numbered(history)
    whole = fold(record, Mode.SIM, "…0001")
    first = fold(record[:cut], Mode.SIM, "…0001")
    kept = dataclasses.replace(first)
    assert fold(record[cut:], Mode.SIM, "…0001", start=first) == whole
    assert first == kept, "the ledger that it started from is as it was"


PIECES = st.tuples(
    st.lists(activities(), max_size=4),
    st.lists(instructions(), max_size=4),
    st.lists(legs(), max_size=4),
    st.lists(observations(), max_size=3),
)


@FEWER
@given(PIECES, st.sets(st.integers(0, 15)))
def test_how_a_history_is_cut_into_results_makes_no_difference(
    pieces: tuple[list[Any], ...], cuts: set[int]
) -> None:
    # Within one result activities come first, then the plan's orders, legs, and what was observed.
    line = [one for group in pieces for one in group]
    edges = sorted({0, len(line), *(cut for cut in cuts if cut < len(line))})
    parts = [in_one(line[start:end]) for start, end in itertools.pairwise(edges)]
    whole = fold([(FIRST, in_one(line))], Mode.SIM)
    cut = fold([(FIRST, one) for one in parts], Mode.SIM)
    same: dict[str, Any] = {"results": 0, "through": None, "as_of": None, "peak_at": None}
    assert dataclasses.replace(cut, **same) == dataclasses.replace(whole, **same)


@FEWER
@given(histories)
def test_lots_never_exceed_the_holding(history: list[ExecutionResult]) -> None:
    ledger = folded(*history)
    for symbol in SYMBOLS:
        covered = sum((one.quantity for one in ledger.lots_of(symbol)), ZERO)
        held = ledger.positions.get(symbol)
        assert covered <= max(ZERO, held.quantity if held else ZERO)
        assert all(one.quantity > 0 for one in ledger.lots_of(symbol))
        assert all(one.stop_price or one.trail_percent for one in ledger.lots_of(symbol))


@given(st.lists(activities(), max_size=8), st.data())
def test_an_activity_that_is_told_twice_is_booked_once(
    told: list[Activity], data: st.DataObject
) -> None:
    once = list({one.id: one for one in reversed(told)}.values())[::-1]
    again = data.draw(st.lists(st.sampled_from(once), max_size=5)) if once else []
    one_by_one = [in_one([one]) for one in (*once, *again)]
    ledger, alone = folded(*one_by_one), folded(in_one(once))
    names = ("cash_change", "positions", "income", "realized_pl", "transfers", "activities")
    for name in (*names, "activities_through", "suspense"):
        assert getattr(ledger, name) == getattr(alone, name)
    assert set(ledger.activities) == {one.id for one in once if not one.is_fill}


# Lots.


def entry(index: int = 0, *, terms: StopTerms | None = None, **keys: Any) -> InstructionResult:
    """A BUY that asks for a stop 8 % under its average price."""
    stop = terms or StopTerms(stop_loss_pct=Decimal(8))
    return line_result(index, **{"fills": [fill("10", "100")], "stop": stop, **keys})


def leg(kind: str = "stop", *, index: int = 0, number: int = 0, **keys: Any) -> LegResult:
    """An order that protects what an entry bought."""
    base: dict[str, Any] = {"side": "sell", "order_type": "stop", "outcome": Outcome.OPEN}
    of_legs = {"strategy", "parent", "plan_digest"}
    told = line_result(
        index, **(base | {key: one for key, one in keys.items() if key not in of_legs})
    )
    key = f"ai-00000000-{PLAN_DIGEST[:32]}-{index}-{kind}" + (f".{number}" if number else "")
    shared = {name: getattr(told, name) for name in OrderResult.model_fields}
    own: dict[str, Any] = {"leg": kind, "plan_digest": PLAN_DIGEST}
    return LegResult.model_validate(
        {**shared, "client_order_id": key, "broker_order_id": "b", **own, **keys}
    )


def lots(ledger: Ledger) -> Any:
    return [(one.key.index, one.quantity, one.stop_price) for one in ledger.lots.values()]


def later(*instructions: InstructionResult, **keys: Any) -> ExecutionResult:
    """A settlement of the first result."""
    base: dict[str, Any] = {"kind": "settlement", "first_result": FIRST}
    return result(*instructions, timestamp=NOW + timedelta(hours=1), **(base | keys))


def test_an_entry_that_asks_for_a_stop_is_a_lot() -> None:
    ledger = folded(result(entry()))
    (lot,) = ledger.lots.values()
    assert lot == Lot(
        LotKey(PLAN_DIGEST, 0),
        "MU",
        Decimal(10),
        Decimal(92),
        strategy="manual",
        first_result=numbered([result()])[0][0],
    )
    assert ledger.lots_of("AMD") == ()


@pytest.mark.parametrize(
    ("terms", "stop", "trail", "target"),
    [
        (StopTerms(stop_loss_pct=Decimal("7.77")), "92.23", None, None),
        (StopTerms(trail_percent=Decimal(5)), None, "5", None),
        (
            StopTerms(stop_loss_pct=Decimal(8), profit_target_pct=Decimal(15)),
            "92",
            None,
            "115",
        ),
        (StopTerms(stop_price=Decimal(90)), "90", None, None),
    ],
)
def test_a_lot_is_protected_as_its_line_asked(
    terms: StopTerms, stop: str | None, trail: str | None, target: str | None
) -> None:
    (lot,) = folded(result(entry(terms=terms))).lots.values()
    asked = (lot.stop_price, lot.trail_percent, lot.take_profit_price)
    assert asked == tuple(None if one is None else Decimal(one) for one in (stop, trail, target))


@pytest.mark.parametrize(
    "one",
    [
        entry(stop=None),
        entry(terms=StopTerms()),
        entry(terms=StopTerms(stop_loss_pct=Decimal(100))),
        entry(fills=[], average_fill_price=None, outcome=Outcome.OPEN),
        entry(side="sell"),
    ],
    ids=["asks for none", "names none", "lies at 0", "has not filled", "sells"],
)
def test_what_is_no_lot(one: InstructionResult) -> None:
    assert folded(result(one)).lots == {}


def test_a_lot_grows_with_its_entry_and_its_stop_follows_the_average() -> None:
    first = result(entry(fills=[fill("4", "100")], outcome=Outcome.OPEN))
    filled = entry(
        fills=[fill("6", "110")], filled_quantity=Decimal(10), average_fill_price=Decimal(106)
    )
    ledger = folded(first, later(filled))
    assert lots(ledger) == [(0, Decimal(10), Decimal("97.52"))]
    (lot,) = ledger.lots.values()
    assert lot.first_result == FIRST


def test_an_entry_that_ends_without_a_further_fill_leaves_its_lot_as_it_is() -> None:
    first = result(entry(fills=[fill("4", "100")], outcome=Outcome.OPEN))
    ended = entry(
        fills=[],
        filled_quantity=Decimal(4),
        average_fill_price=Decimal(120),
        outcome=Outcome.PARTIALLY_FILLED,
    )
    assert lots(folded(first, later(ended))) == [(0, Decimal(4), Decimal(92))]


SPLIT = Activity.model_validate(
    {"id": "split", "kind": "SPLIT", "at": NOW, "symbol": "MU", "quantity": "12"}
)


def test_a_stop_that_a_split_moved_stays_when_its_entry_fills_on() -> None:
    first = result(entry(fills=[fill("4", "100")], outcome=Outcome.OPEN))
    split = later(activities=(SPLIT,))
    filled = entry(
        fills=[fill("8", "26")], filled_quantity=Decimal(12), average_fill_price=Decimal(51)
    )
    assert lots(folded(first, split)) == [(0, Decimal(16), Decimal(23))]
    assert lots(folded(first, split, later(filled))) == [(0, Decimal(24), Decimal(23))]


def test_shares_under_the_old_name_of_a_lot_stay_without() -> None:
    def name(symbol: str, quantity: int) -> Activity:
        return Activity.model_validate(
            {
                "id": symbol,
                "kind": "NC",
                "at": NOW,
                "symbol": symbol,
                "quantity": quantity,
                "group": "name",
            }
        )

    first = result(entry(fills=[fill("4", "100")], outcome=Outcome.OPEN))
    renamed = later(activities=(name("MU", -4), name("MUX", 4)))
    filled = entry(
        fills=[fill("6", "100")], filled_quantity=Decimal(10), average_fill_price=Decimal(100)
    )
    (lot,) = folded(first, renamed, later(filled)).lots.values()
    assert (lot.symbol, lot.quantity, lot.stop_price) == ("MUX", Decimal(4), Decimal(92))


def test_an_entry_that_covers_a_short_holding_protects_what_is_left() -> None:
    short = result(line_result(1, side="sell", fills=[fill("4", "100")]))
    assert lots(folded(short, result(entry()))) == [(0, Decimal(6), Decimal(92))]


def test_a_stop_s_fill_shrinks_its_own_lot_and_another_sale_the_loosest() -> None:
    tight = entry(1, terms=StopTerms(stop_loss_pct=Decimal(2)))
    bought = result(entry(0), tight)
    stopped = later(legs=(leg(index=1, fills=[fill("3", "98")]),))
    assert lots(folded(bought, stopped)) == [(0, Decimal(10), 92), (1, Decimal(7), 98)]
    sold = result(line_result(2, side="sell", fills=[fill("12", "99")]), plan_digest="cd" * 32)
    assert lots(folded(bought, sold)) == [(1, Decimal(8), 98)]


def protect(**keys: Any) -> InstructionResult:
    base: dict[str, Any] = {"outcome": Outcome.DONE, "side": None, "client_order_id": None}
    return line_result(7, **(base | keys))


def test_a_protect_replaces_every_lot_of_its_symbol_by_one_over_the_holding() -> None:
    bought = result(entry(0), entry(1), entry(2, ticker="AMD"), line_result(3, fills=[fill()]))
    terms = StopTerms(stop_price=Decimal(95))
    ledger = folded(bought, result(protect(stop=terms), plan_digest="cd" * 32))
    assert [(one.symbol, one.quantity, one.stop_price) for one in ledger.lots.values()] == [
        ("AMD", Decimal(10), Decimal(92)),
        ("MU", Decimal(30), Decimal(95)),
    ]
    (lot,) = ledger.lots_of("MU")
    assert lot.key == LotKey("cd" * 32, 7)
    trailing = result(protect(stop=StopTerms(trail_percent=Decimal(4))), plan_digest="ef" * 32)
    (lot,) = folded(bought, trailing).lots_of("MU")
    assert (lot.stop_price, lot.trail_percent) == (None, Decimal(4))


def test_a_protect_of_none_takes_every_lot_away() -> None:
    assert folded(result(entry()), result(protect(stop=StopTerms()))).lots == {}


@pytest.mark.parametrize(
    "one",
    [
        protect(stop=StopTerms(stop_price=Decimal(95)), outcome=Outcome.DENIED),
        protect(),
    ],
    ids=["a PROTECT that was denied", "a CANCEL that was carried out"],
)
def test_what_leaves_lots_as_they_are(one: InstructionResult) -> None:
    assert lots(folded(result(entry()), result(one))) == [(0, Decimal(10), Decimal(92))]


def test_a_protect_of_what_is_not_held_makes_no_lot() -> None:
    assert folded(result(protect(stop=StopTerms(stop_price=Decimal(95))))).lots == {}


def test_a_cancel_that_names_the_order_it_ended_is_no_order() -> None:
    opened = line_result(outcome=Outcome.OPEN)
    cancel = line_result(outcome=Outcome.DONE, side=None)
    assert folded(result(opened), result(cancel)).orders == folded(result(opened)).orders


# Legs.


def test_a_leg_is_an_order_of_the_plan_that_it_serves() -> None:
    ledger = folded(result(entry()), later(legs=(leg(strategy="momentum", parent="p"),)))
    order = ledger.orders[f"ai-00000000-{PLAN_DIGEST[:32]}-0-stop"]
    assert (order.leg, order.parent, order.strategy) == ("stop", "p", "momentum")
    assert (order.plan_digest, order.valid_until, order.terms) == (PLAN_DIGEST, None, None)
    assert order.first_result == numbered([result()])[0][0]
    again = later(legs=(leg(fills=[fill("10", "91")]),), strategy="other")
    told = folded(result(entry()), later(legs=(leg(parent="p"),)), again)
    order = told.orders[f"ai-00000000-{PLAN_DIGEST[:32]}-0-stop"]
    assert (order.parent, order.strategy) == ("p", "other")
    assert told.lots == {}


def test_a_leg_of_which_nothing_else_is_told_comes_from_its_own_result() -> None:
    (order,) = folded(result(legs=(leg(),), strategy=None)).orders.values()
    assert (order.first_result, order.strategy) == (numbered([result()])[0][0], "")


def test_an_earlier_plan_s_entry_keeps_what_its_own_result_said_of_it() -> None:
    gtc = entry(fills=[fill("4", "100")], outcome=Outcome.OPEN, valid_until=NOW)
    ended = leg("entry", fills=[fill("6", "110")], side="buy")
    ended = ended.model_copy(
        update={
            "client_order_id": gtc.client_order_id,
            "outcome": Outcome.FILLED,
            "filled_quantity": Decimal(10),
            "average_fill_price": Decimal(106),
        }
    )
    ledger = folded(result(gtc), later(legs=(ended,)))
    (order,) = ledger.orders.values()
    assert (order.told.outcome, order.valid_until) == (Outcome.FILLED, NOW)
    assert order.terms == StopTerms(stop_loss_pct=Decimal(8))
    assert lots(ledger) == [(0, Decimal(10), Decimal("97.52"))]
    (alone,) = folded(later(legs=(ended,))).orders.values()
    assert alone.terms is None


@pytest.mark.parametrize(
    ("told", "following"),
    [
        (leg("stop"), (1, 0, 0)),
        (leg("stop", number=4), (5, 0, 0)),
        (leg("fraction", number=2), (0, 3, 0)),
        (leg("target"), (0, 0, 1)),
        (leg("entry"), (0, 0, 0)),
        (leg("stop", broker_order_id=None), (0, 0, 0)),
        (leg("stop", client_order_id="made-by-the-broker"), (0, 0, 0)),
        (leg("stop", outcome=Outcome.NOT_SENT), (0, 0, 0)),
        (leg("stop", index=5), (0, 0, 0)),
    ],
)
def test_a_lot_counts_the_orders_of_its_legs(told: LegResult, following: tuple[int, ...]) -> None:
    (lot,) = folded(result(entry()), later(legs=(told,))).lots.values()
    numbers = [lot.next_number(one) for one in ("stop", "fraction", "target")]
    assert tuple(numbers) == following
    assert lot.next_number("entry") == 0


def test_a_protect_counts_the_orders_of_its_own_result() -> None:
    bought = result(line_result(fills=[fill()]))
    terms = StopTerms(stop_price=Decimal(95))
    own = leg(index=7, plan_digest="cd" * 32)
    other = leg(index=0)
    protected = result(protect(stop=terms), plan_digest="cd" * 32, legs=(own, other))
    (lot,) = folded(bought, protected).lots.values()
    assert (lot.key.index, lot.stops) == (7, 1)


def test_the_stop_of_a_fraction_is_no_stop_out_of_its_own() -> None:
    bought = result(entry(fills=[fill("10.5", "100")]))
    placed = later(legs=(leg(), leg("fraction", order_type="stop")))
    whole = later(legs=(leg(fills=[fill("10", "91")]),))
    rest = later(legs=(leg("fraction", fills=[fill("0.5", "91")]),))
    assert len(folded(bought, placed, whole, rest).stop_outs) == 1
    assert len(folded(bought, placed, rest, whole).stop_outs) == 1
    alone = later(legs=(leg("fraction", fills=[fill("0.5", "91")]),))
    assert len(folded(result(entry(fills=[fill("0.5", "100")])), alone).stop_outs) == 1


# What was observed.


def seen(kind: str = "position", **keys: Any) -> Observed:
    kinds: dict[str, dict[str, Any]] = {
        "position": {"key": "MU", "symbol": "MU", "quantity": "5", "average_price": "100"},
        "cash": {"key": "CASH", "quantity": "-7.5"},
        "order": {"key": "x", "symbol": "MU", "side": "buy", "quantity": "3", "status": "new"}
        | {"is_over": False},
    }
    return Observed.model_validate({"kind": kind, "status": "held", **kinds[kind], **keys})


def observed(*found: Observed) -> ExecutionResult:
    return result(kind="observed", observed=found)


def test_what_was_observed_stays_until_it_explains_itself() -> None:
    first = observed(seen(), seen("cash"), seen("order"))
    assert set(folded(first).observed) == {"MU", "CASH", "x"}
    gone = observed(seen(quantity="0"), seen("cash", quantity=None), seen("order", quantity=None))
    assert set(folded(first, gone).observed) == {"x"}
    assert folded(gone.model_copy(update={"observed": gone.observed[:2]})).observed == {}
    over = seen("order", is_over=True, status="canceled")
    assert folded(first, observed(over)).observed.keys() == {"MU", "CASH"}
    filled = seen("order", is_over=True, filled_quantity="1", average_price="9")
    assert set(folded(first, observed(filled)).observed) == {"MU", "CASH", "x"}


def test_shares_that_somebody_takes_over_are_capital() -> None:
    taken = seen(acknowledged_by="alice", book="manual")
    ledger = folded(observed(seen()), observed(taken))
    assert ledger.observed == {}
    assert ledger.positions["MU"] == Position("MU", Decimal(5), Decimal(500))
    assert (ledger.cash_change, ledger.transfers) == (ZERO, Decimal(500))


def test_cash_that_somebody_takes_over_is_capital() -> None:
    ledger = folded(observed(seen("cash")), observed(seen("cash", book="manual")))
    assert (ledger.observed, ledger.cash_change) == ({}, Decimal("-7.5"))
    assert ledger.transferred_since(NOW - timedelta(1)) == Decimal("-7.5")
    assert ledger.transferred_since(NOW) == 0


def test_an_order_that_somebody_takes_over_is_booked_as_it_fills() -> None:
    part = seen("order", book="manual", fills=(fill("1", "100"),), is_over=False)
    rest = seen("order", book="manual", fills=(fill("2", "101"),))
    ledger = folded(observed(seen("order")), observed(part), observed(rest))
    assert ledger.observed == {}
    assert ledger.acknowledged == {"x": rest}
    assert ledger.positions["MU"] == Position("MU", Decimal(3), Decimal(302))
    assert facts_of(ledger).known_orders == {"x"}
    assert facts_of(folded(observed(seen()))).observed == (seen(),)


# The opening.


def opening(cash: str, *positions: dict[str, Any]) -> ExecutionResult:
    document = {"cash": cash, "positions": positions, "by": "alice"}
    return result(kind="opening", opening=OpeningRecord.model_validate(document))


def test_an_opening_says_what_the_account_held() -> None:
    held = {"symbol": "MU", "quantity": "5", "cost_basis": "500", "strategy": "manual"}
    ledger = folded(result(entry(ticker="AMD")), opening("2000", held))
    assert ledger.cash == 2_000
    assert ledger.positions == {"MU": Position("MU", Decimal(5), Decimal(500))}
    assert ledger.lots == {}
    assert ledger.opened_at == NOW


def account_at(cash: str) -> AccountRecord:
    return AccountRecord.model_validate(
        {
            "as_of": NOW,
            "mode": "sim",
            "account": "…0001",
            "cash": cash,
            "equity": cash,
            "buying_power": cash,
            "margin_used": 0,
        }
    )


def test_the_first_account_that_is_told_is_what_the_ledger_begins_with() -> None:
    assert folded(result(line_result(fills=[fill("1", "100")]))).cash is None
    ledger = folded(
        result(line_result(fills=[fill("1", "100")]), account_before=account_at("1000")),
        result(account_before=account_at("77")),
    )
    assert (ledger.opening_cash, ledger.cash) == (Decimal(1_000), Decimal(900))
    assert ledger.opened_at == NOW
    after = result(line_result(fills=[fill("1", "100")]), final_portfolio=measured("990", "900", 1))
    assert folded(after).opening_cash == 1_000
    assert folded(after).opened_at == NOW


# The peak of equity.


def measured(equity: str, cash: str, mu: int = 0, **keys: Any) -> FinalPortfolio:
    positions = ({"symbol": "MU", "quantity": mu, "average_entry_price": 100},) if mu else ()
    document = {"total_value": equity, "cash": cash, "realized_pl": 0, "as_of": NOW}
    return FinalPortfolio.model_validate({**document, "positions": positions, **keys})


def capital(amount: int, at: datetime = NOW, name: str = "csd") -> Activity:
    return Activity.model_validate(
        {"id": name, "kind": "CSD" if amount > 0 else "CSW", "at": at, "net_amount": amount}
    )


MOVES = st.lists(
    st.tuples(
        st.sampled_from((0, 0, 50, -30, 400)),  # capital that moves
        st.integers(0, 3),  # how many results later it is told
        st.integers(-60, 60),  # what the account earns
    ),
    min_size=1,
    max_size=8,
)


@given(MOVES)
def test_the_peak_is_of_what_was_earned_whenever_capital_is_told(
    moves: list[tuple[int, int, int]],
) -> None:
    """Deposits hide no drawdown and make none; a withdrawal that is not told yet may hide a rise,
    never a fall: the peak is at most the true one, and it where all capital is told at once."""
    cash, earned, peak, seen_at = 1_000, 0, 1_000, 1_000
    record = [result(account_before=account_at("1000"), final_portfolio=measured("1000", "1000"))]
    untold: list[tuple[int, Activity]] = []
    for number, (moved, late, gain) in enumerate(moves):
        cash, earned = cash + moved + gain, earned + gain
        told: list[Activity] = []
        if gain:
            told.append(
                Activity.model_validate(
                    {"id": f"int-{number}", "kind": "INT", "at": NOW, "net_amount": gain}
                )
            )
        if moved:
            untold.append((number + late, capital(moved, name=f"moved-{number}")))
        told += [one for due, one in untold if due <= number]
        untold = [(due, one) for due, one in untold if due > number]
        record.append(
            result(activities=tuple(told), final_portfolio=measured(str(cash), str(cash)))
        )
        peak = max(peak, 1_000 + earned)
        missing = sum(int(one.net_amount or 0) for _, one in untold)
        seen_at = max(seen_at, 1_000 + earned + min(0, missing))
        ledger = folded(*record)
        assert ledger.peak_net == seen_at
        assert seen_at <= peak
        assert ledger.peak_equity == seen_at + ledger.transfers


def test_an_account_that_is_not_the_record_s_tells_no_peak() -> None:
    first = result(account_before=account_at("1000"), final_portfolio=measured("1000", "1000"))
    filling = result(final_portfolio=measured("5000", "900", 1))
    assert folded(first, filling).peak_net == 1_000
    shares = result(
        line_result(fills=[fill("1", "100")]), final_portfolio=measured("1010", "900", 1)
    )
    assert folded(first, shares).peak_net == 1_010


def test_a_result_that_asked_no_broker_tells_no_peak() -> None:
    nothing = FinalPortfolio(total_value=ZERO, cash=ZERO, realized_pl=ZERO)
    assert folded(result(final_portfolio=nothing)).peak_equity is None


def test_a_peak_is_rebased_also_where_no_broker_was_asked() -> None:
    nothing = FinalPortfolio(total_value=ZERO, cash=ZERO, realized_pl=ZERO)
    state = TradingStateRecord.model_validate(
        {
            "state": "ACTIVE",
            "since": NOW,
            "by": "alice",
            "reason": "a reason",
            "peak_equity_rebased_at": NOW,
        }
    )
    high = result(final_portfolio=portfolio("120000"))
    rebased = folded(high, result(kind="state", state=state, final_portfolio=nothing))
    assert (rebased.peak_equity, rebased.rebased_at) == (None, NOW)
    low = result(final_portfolio=portfolio("90000"), state=state)
    assert fold(numbered([low]), Mode.SIM, start=rebased).peak_equity == 90_000


def test_only_the_newest_transfers_are_told_one_by_one() -> None:
    many = TRANSFERS_KEPT + 3
    ledger = folded(result(activities=tuple(capital(1, name=str(at)) for at in range(many))))
    assert len(ledger.transfer_log) == TRANSFERS_KEPT
    assert ledger.transfers == many
    assert ledger.unknown == 0
