from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from executor.decisions.checkpoint import (
    ACKNOWLEDGED_KEPT,
    ENDED_KEPT,
    STOP_OUTS_KEPT,
    checkpoint_of,
    differs,
    ledger_of,
    prune,
)
from executor.decisions.gates import judge_tree
from executor.decisions.ledger import fold
from executor.decisions.schemas import document_schema
from executor.model.account import AccountRecord, Mode
from executor.model.activity import Activity
from executor.model.checkpoint import Checkpoint
from executor.model.ledger import Ledger, Order
from executor.model.numbers import ONE
from executor.model.order_result import LegResult, Outcome, Refusal, StopTerms
from executor.model.position import Position
from executor.model.reading import read_document
from executor.model.result import ExecutionResult, Observed
from executor.model.writing import write_document
from tests.decisions.histories import histories
from tests.decisions.record_builders import NOW, PLAN_DIGEST, fill, line_result, numbered, result

TIP = "execution_results/2026-01/result_2026-01-14T15-00-00.json"
ACCOUNT = AccountRecord.model_validate(
    {
        "as_of": NOW,
        "mode": "sim",
        "account": "…0001",
        "cash": 1,
        "equity": 2,
        "buying_power": 3,
        "margin_used": 0,
    }
)


def written(ledger: Ledger, of_account: str | None = None) -> bytes:
    found = checkpoint_of(
        ledger, ACCOUNT, of_account=of_account, tip_path=TIP, tip_digest="ab" * 32
    )
    assert found is not None
    return write_document(found)


def read(data: bytes) -> Checkpoint:
    return Checkpoint.model_validate(read_document(data, of_record=True))


def folded(record: list[ExecutionResult], start: Ledger | None = None) -> Ledger:
    return fold(numbered(record), Mode.SIM, start=start)


@settings(max_examples=30)
@given(histories)
def test_what_is_kept_of_a_ledger_reads_back_as_it_was(history: list[ExecutionResult]) -> None:
    ledger = folded(history)
    data = written(ledger, "…0001")
    assert ledger_of(read(data)) == prune(ledger)
    assert prune(prune(ledger)) == prune(ledger)
    assert write_document(read(data)) == data
    _, problems = judge_tree(
        read_document(data, of_record=True), document_schema("account"), Checkpoint
    )
    assert problems == ()


def test_a_checkpoint_says_what_it_goes_up_to() -> None:
    found = read(written(folded([]), "…0001"))
    assert (found.through, found.through_digest, found.of_account) == (TIP, "ab" * 32, "…0001")
    assert (found.account, found.cash, found.mode) == ("…0001", Decimal(1), Mode.SIM)
    assert read(written(folded([]))).of_account is None


def test_lots_that_wait_for_their_new_name_are_kept() -> None:
    terms = StopTerms(stop_loss_pct=Decimal(8))
    bought = result(line_result(fills=[fill("10", "100")], stop=terms))
    left = Activity(id="1", kind="NC", at=NOW, symbol="MU", quantity=Decimal(-10), group="name")
    came = left.model_copy(update={"id": "2", "symbol": "MUX", "quantity": Decimal(10)})
    halfway = ledger_of(read(written(folded([bought, result(activities=(left,))]))))
    assert (halfway.lots, halfway.positions) == ({}, {})
    (lot,) = folded([result(activities=(came,))], halfway).lots.values()
    assert (lot.symbol, lot.quantity, lot.stop_price) == ("MUX", Decimal(10), Decimal(92))


# A record as it goes on: time passes, orders end before they are forgotten.


@st.composite
def records(draw: st.DrawFn) -> list[ExecutionResult]:
    """Results in the order of time. An order is told until it has ended; an id is one activity's,
    and is told again within a month."""
    at, ended, told, booked = NOW, set[str](), list[ExecutionResult](), dict[str, Activity]()
    for number, one in enumerate(draw(histories)):
        at += timedelta(days=draw(st.sampled_from((0, 1, 3, 10, 60, 300))))
        activities = []
        for activity in one.activities:
            name = f"{number}-{activity.id}"
            booked[name] = activity.model_copy(update={"id": name, "at": at})
            activities.append(booked[name])
        recent = [one for one in booked.values() if one.at >= at - timedelta(days=30)]
        activities += draw(st.lists(st.sampled_from(recent), max_size=2)) if recent else []
        lines: dict[str, list[Any]] = {"instructions": [], "legs": []}
        for name, found in lines.items():
            for line in getattr(one, name):
                key = line.client_order_id
                if key in ended:
                    continue
                if key is not None and line.outcome not in (Outcome.OPEN, Outcome.UNKNOWN):
                    ended.add(key)
                found.append(line)
        update = {"timestamp": at, "activities": tuple(activities)}
        told.append(one.model_copy(update={**update, **{k: tuple(v) for k, v in lines.items()}}))
    return told


@settings(max_examples=25)
@given(records(), st.integers(0, 6))
def test_a_fold_goes_on_from_a_checkpoint_as_if_nothing_had_been_forgotten(
    history: list[ExecutionResult], cut: int
) -> None:
    record = numbered(history)
    whole = fold(record, Mode.SIM)
    kept = ledger_of(read(written(fold(record[:cut], Mode.SIM))))
    later = written(fold(record[cut:], Mode.SIM, start=kept))
    assert differs(read(later), whole) is None


@settings(max_examples=25)
@given(records())
def test_a_checkpoint_after_each_result_is_as_good_as_one(history: list[ExecutionResult]) -> None:
    ledger = Ledger()
    for path, one in numbered(history):
        ledger = ledger_of(read(written(fold([(path, one)], Mode.SIM, start=ledger))))
    assert differs(read(written(ledger)), folded(history)) is None


def test_what_differs_of_the_account_is_named() -> None:
    def told(cash: str, **keys: Any) -> ExecutionResult:
        portfolio = {"total_value": "2", "cash": cash, "realized_pl": "0", "as_of": NOW}
        return result(final_portfolio={**portfolio, "buying_power": "3"}, **keys)

    first, other = told("1"), told("9", mode=Mode.PAPER)
    unasked = result(final_portfolio={"total_value": "0", "cash": "0", "realized_pl": "0"})
    for record in ([first], [first, other, unasked]):
        found = read(written(folded(record), None))
        assert differs(found, folded(record), numbered(record)) is None
        wrong = found.model_copy(update={"cash": Decimal(7)})
        assert differs(wrong, folded(record), numbered(record)) == "cash"
    alone = read(written(folded([first, told("5", account="…0009")]), "…0001"))
    whole = fold(numbered([first, told("5", account="…0009")]), Mode.SIM)
    assert differs(alone, whole, numbered([first, told("5", account="…0009")])) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [("cash_change", Decimal(1)), ("results", 3), ("positions", {"MU": Position("MU", ONE, ONE)})],
)
def test_what_differs_from_the_whole_fold_is_named(name: str, value: object) -> None:
    changed: dict[str, Any] = {name: value}
    ledger = folded([result()])
    wrong = read(written(dataclasses.replace(ledger, **changed)))
    assert differs(wrong, ledger) == name
    assert differs(read(written(Ledger())), Ledger()) is None


# What is forgotten.


def order(key: str, seen_at: datetime = NOW, **keys: Any) -> Order:
    told = line_result(client_order_id=key, outcome=keys.pop("outcome", Outcome.FILLED))
    return Order(told, PLAN_DIGEST, "manual", TIP, seen_at, **keys)


def of_orders(*orders: Order) -> Ledger:
    return Ledger(orders={one.told.client_order_id or "": one for one in orders}, as_of=NOW)


def test_orders_that_ended_long_ago_are_forgotten_unless_something_hangs_on_them() -> None:
    old = NOW - timedelta(days=30)
    ledger = of_orders(
        order("open", old, outcome=Outcome.OPEN),
        order("unknown", old, outcome=Outcome.UNKNOWN),
        order("parent", old),
        order("child", old, outcome=Outcome.OPEN, parent="parent", leg="stop"),
        order("twin", old, parent="open", leg="target"),
        order("grandchild", old, parent="twin", leg="stop"),
        order("ended", old),
        order("lately", NOW - timedelta(days=3)),
        order("today"),
    )
    assert set(prune(ledger).orders) == {
        *("open", "unknown", "parent", "child", "twin", "lately", "today")
    }


def test_of_very_many_orders_that_ended_the_newest_are_kept_and_all_of_the_last_day() -> None:
    lately = [
        order(f"lately-{at}", NOW - timedelta(days=2, seconds=1 + at))
        for at in range(ENDED_KEPT + 9)
    ]
    today = [order(f"today-{at}") for at in range(9)]
    kept = prune(of_orders(*lately, *today)).orders
    assert set(kept) == {
        *(f"lately-{at}" for at in range(ENDED_KEPT)),
        *(f"today-{at}" for at in range(9)),
    }


def test_what_is_booked_already_is_forgotten_of_an_order() -> None:
    refusal = Refusal(status=403, code=40310000, body="a long answer")
    base = order("x")
    legged = LegResult.model_validate(
        {**base.told.model_dump(exclude={"stop", "valid_until", "protection"})}
        | {"leg": "stop", "plan_digest": PLAN_DIGEST, "parent": "p", "strategy": "momentum"}
    )
    leg = dataclasses.replace(
        base, told=legged.model_copy(update={"refusal": refusal}), leg="stop", parent="p"
    )
    (kept,) = prune(of_orders(leg)).orders.values()
    assert kept.told.refusal == Refusal(status=403, code=40310000, body="")
    assert (kept.parent, kept.told.fills) == ("p", ())


def test_stop_outs_of_the_last_400_days_are_kept() -> None:
    def out(days: int) -> tuple[str, str, datetime]:
        return ("manual", "MU", NOW - timedelta(days=days))

    ledger = Ledger(stop_outs=(out(401), out(400), out(0)), as_of=NOW)
    assert prune(ledger).stop_outs == (out(400), out(0))
    many = Ledger(stop_outs=(out(3), *([out(1)] * STOP_OUTS_KEPT)), as_of=NOW)
    assert prune(many).stop_outs == (out(1),) * STOP_OUTS_KEPT


def test_activities_are_kept_by_when_the_newest_of_them_was_booked() -> None:
    newest = NOW - timedelta(days=300)
    booked = {days: newest - timedelta(days=int(days)) for days in ("41", "40", "0")}
    ledger = Ledger(activities=booked, activities_through=NOW, as_of=NOW)
    assert set(prune(ledger).activities) == {"40", "0"}


def test_of_the_foreign_orders_that_ended_the_newest_are_kept_and_every_open_one() -> None:
    def taken(key: str, *, is_over: bool) -> Observed:
        return Observed(kind="order", key=key, status="filled", is_over=is_over, book="manual")

    orders = {"open": taken("open", is_over=False)}
    orders |= {f"{at}": taken(f"{at}", is_over=True) for at in range(ACKNOWLEDGED_KEPT + 2)}
    kept = prune(Ledger(acknowledged=orders, as_of=NOW)).acknowledged
    assert list(kept)[:2] == ["open", "2"]
    assert len(kept) == ACKNOWLEDGED_KEPT + 1


def test_a_checkpoint_does_not_grow_with_the_record() -> None:
    def of_days(count: int) -> bytes:
        results = []
        for number in range(count):
            key = f"ai-00000000-{number:032x}-0"
            bought = number % 2 == 0
            at = NOW + timedelta(days=number)
            line = line_result(
                client_order_id=key,
                side="buy" if bought else "sell",
                fills=[fill("10", "100", at)],
                order_type="market" if bought else "stop",
            )
            activity = Activity(
                id=f"id-{number}", kind="DIV", at=at, symbol="MU", net_amount=Decimal(1)
            )
            results.append(result(line, timestamp=at, activities=(activity,)))
        return written(folded(results))

    assert len(of_days(900)) <= len(of_days(450)) + 200


@pytest.mark.parametrize("name", ["cash_change", "peak_net"])
def test_a_number_that_no_document_holds_makes_no_checkpoint(name: str) -> None:
    changed: dict[str, Any] = {name: Decimal(10) ** 12}
    beyond = dataclasses.replace(Ledger(), **changed)
    found = checkpoint_of(beyond, ACCOUNT, of_account=None, tip_path=TIP, tip_digest="ab" * 32)
    assert found is None
