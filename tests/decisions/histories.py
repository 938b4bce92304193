"""Histories of an account for properties: any results that the executor could write."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from executor.model.account import HeldPosition, Mode
from executor.model.activity import Activity
from executor.model.order_id import Leg, client_order_id
from executor.model.order_result import (
    Fill,
    InstructionResult,
    LegResult,
    OrderResult,
    Outcome,
    StopTerms,
)
from executor.model.result import ExecutionResult, FinalPortfolio, Observed
from executor.model.state import TradingStateRecord
from tests.decisions.record_builders import NOW, result

LEGS: tuple[Leg, ...] = ("stop", "fraction", "target", "entry")
SYMBOLS = ("MU", "AMD", "TSM")
PLANS = ("ab" * 32, "cd" * 32)
UNASKED = FinalPortfolio(total_value=Decimal(0), cash=Decimal(0), realized_pl=Decimal(0))
FIRST = "execution_results/2026-01/first.json"

cents = st.integers(-500_000, 500_000).map(lambda number: Decimal(number) / 100)
shares = st.one_of(
    st.integers(1, 60).map(Decimal),
    st.decimals(Decimal("0.000000001"), 60, places=9),
)
prices = st.one_of(
    st.integers(1, 40_000).map(lambda number: Decimal(number) / 100),
    st.decimals(Decimal("0.000001"), 2, places=6),
)
symbols = st.sampled_from(SYMBOLS)
places = st.tuples(st.sampled_from(PLANS), st.integers(0, 3))


def moment(minutes: int) -> datetime:
    return NOW + timedelta(minutes=minutes)


moments = st.integers(0, 200_000).map(moment)


@st.composite
def stop_terms(draw: st.DrawFn) -> StopTerms:
    return draw(
        st.sampled_from(
            [
                StopTerms(stop_loss_pct=Decimal(8)),
                StopTerms(stop_loss_pct=Decimal("2.5"), profit_target_pct=Decimal(15)),
                StopTerms(trail_percent=Decimal(5)),
                StopTerms(stop_loss_pct=Decimal(100)),
                StopTerms(),
            ]
        )
    )


def _told(draw: st.DrawFn, side: str) -> dict[str, Any]:
    """What became of an order: any fills, and an outcome that goes with them or does not."""
    fills = draw(st.lists(st.builds(_fill, shares, prices, moments), max_size=2))
    filled = sum((one.quantity for one in fills), Decimal(0))
    spent = sum((one.quantity * one.price for one in fills), Decimal(0))
    return {
        "side": side,
        "outcome": draw(st.sampled_from([one for one in Outcome if one is not Outcome.DONE])),
        "fills": tuple(fills),
        "filled_quantity": filled,
        "average_fill_price": round(spent / filled, 9) if filled else None,
        "order_type": draw(st.sampled_from(("market", "limit", "stop", "trailing_stop"))),
        "time_in_force": draw(st.sampled_from(("day", "gtc"))),
        "submitted_at": draw(st.none() | moments),
        "broker_order_id": draw(st.none() | st.sampled_from(("b-1", "b-2"))),
    }


def _fill(quantity: Decimal, price: Decimal, at: datetime) -> Fill:
    return Fill(quantity=quantity, price=price, at=at)


@st.composite
def instructions(draw: st.DrawFn, plan: str = PLANS[0]) -> InstructionResult:
    index = draw(st.integers(0, 3))
    side = draw(st.sampled_from(("buy", "buy", "sell")))
    return InstructionResult.model_validate(
        {
            **_told(draw, side),
            "index": index,
            "ticker": draw(symbols),
            "client_order_id": client_order_id("local", plan, index),
            "stop": draw(st.none() | stop_terms()),
            "valid_until": draw(st.none() | moments),
        }
    )


@st.composite
def protects(draw: st.DrawFn) -> InstructionResult:
    """A PROTECT that was carried out."""
    terms = [
        StopTerms(stop_price=Decimal("12.5")),
        StopTerms(trail_percent=Decimal(3)),
        StopTerms(),
    ]
    return InstructionResult(
        index=draw(st.integers(4, 5)),
        ticker=draw(symbols),
        outcome=Outcome.DONE,
        stop=draw(st.sampled_from(terms)),
    )


@st.composite
def legs(draw: st.DrawFn) -> LegResult:
    plan, index = draw(places)
    leg = draw(st.sampled_from(LEGS))
    number = draw(st.integers(0, 2)) if leg != "entry" else 0
    key = client_order_id("local", plan, index, leg, number)
    return LegResult.model_validate(
        {
            **_told(draw, draw(st.sampled_from(("sell", "sell", "buy")))),
            "index": index,
            "ticker": draw(symbols),
            "client_order_id": draw(st.sampled_from((key, f"made-by-the-broker-{index}-{leg}"))),
            "leg": leg,
            "plan_digest": plan,
            "parent": draw(st.none() | st.sampled_from((key, client_order_id("local", plan, 0)))),
            "strategy": draw(st.none() | st.just("momentum")),
        }
    )


KINDS = ("DIV", "INT", "FEE", "CSD", "CSW", "JNLC", "JNLS", "ACATS", "SPLIT", "SPIN", "MA", "NC")


@st.composite
def activities(draw: st.DrawFn) -> Activity:
    signed = st.tuples(shares, st.sampled_from((1, -1))).map(lambda pair: pair[0] * pair[1])
    return Activity(
        id=draw(st.sampled_from([f"id-{number}" for number in range(40)])),
        kind=draw(st.sampled_from((*KINDS, "FILL"))),
        at=draw(moments),
        symbol=draw(st.none() | symbols),
        quantity=draw(st.none() | signed),
        price=draw(st.none() | prices),
        net_amount=draw(st.none() | cents),
        group=draw(st.none() | st.sampled_from(("g-1", "g-2"))),
    )


@st.composite
def observations(draw: st.DrawFn) -> Observed:
    kind = draw(st.sampled_from(("order", "position", "cash")))
    taken = draw(st.booleans())
    fills = draw(st.lists(st.builds(_fill, shares, prices, moments), max_size=1))
    return Observed.model_validate(
        {
            "kind": kind,
            "key": {"order": "theirs-1", "position": "MU", "cash": "CASH"}[kind],
            "symbol": None if kind == "cash" else "MU",
            "side": draw(st.sampled_from(("buy", "sell"))) if kind == "order" else None,
            "quantity": draw(st.one_of(st.just(Decimal(0)), cents)),
            "average_price": draw(st.none() | prices),
            "status": "held",
            "is_over": draw(st.booleans()),
            "fills": tuple(fills) if kind == "order" and taken else (),
            "acknowledged_by": "alice" if taken else None,
            "book": "manual" if taken else None,
        }
    )


@st.composite
def portfolios(draw: st.DrawFn) -> FinalPortfolio:
    """An account as a result tells it; seldom does it hold what the record does."""
    held = draw(st.lists(st.tuples(symbols, shares), max_size=1))
    return FinalPortfolio(
        total_value=draw(cents),
        cash=draw(cents),
        realized_pl=Decimal(0),
        as_of=draw(st.none() | moments),
        positions=tuple(
            HeldPosition(symbol=symbol, quantity=quantity, average_entry_price=Decimal(1))
            for symbol, quantity in held
        ),
    )


def _states(rebased: datetime | None) -> TradingStateRecord:
    return TradingStateRecord.model_validate(
        {
            "state": "ACTIVE",
            "since": NOW,
            "by": "alice",
            "reason": "a reason",
            "peak_equity_rebased_at": rebased,
        }
    )


@st.composite
def results(draw: st.DrawFn) -> ExecutionResult:
    """One result with anything in it, of one of two accounts and modes."""
    plan = draw(st.sampled_from(PLANS))
    lines = draw(st.lists(instructions(plan) | protects(), max_size=2))
    return result(
        *lines,
        plan_digest=plan,
        timestamp=draw(moments),
        legs=tuple(draw(st.lists(legs(), max_size=2))),
        activities=tuple(draw(st.lists(activities(), max_size=2))),
        observed=tuple(draw(st.lists(observations(), max_size=1))),
        first_result=draw(st.none() | st.just(FIRST)),
        state=draw(st.none() | st.builds(_states, st.none() | moments)),
        account=draw(st.sampled_from(("…0001", "…0001", "…0001", "…0002"))),
        mode=draw(st.sampled_from((Mode.SIM, Mode.SIM, Mode.SIM, Mode.PAPER))),
        final_portfolio=draw(portfolios()),
    )


histories = st.lists(results(), max_size=6)


def in_one(pieces: Sequence[Activity | OrderResult | Observed]) -> ExecutionResult:
    """One result of many things; it asked no broker for the account."""
    return result(
        *(one for one in pieces if isinstance(one, InstructionResult)),
        plan_digest=PLANS[0],
        first_result=FIRST,
        final_portfolio=UNASKED,
        legs=tuple(one for one in pieces if isinstance(one, LegResult)),
        activities=tuple(one for one in pieces if isinstance(one, Activity)),
        observed=tuple(one for one in pieces if isinstance(one, Observed)),
    )
