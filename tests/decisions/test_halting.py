from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from executor.decisions.halting import Owned, owned, tightened
from executor.decisions.ledger import fold
from executor.model.account import Mode
from executor.model.ledger import Ledger
from executor.model.order import OrderReport, OrderStatus
from executor.model.order_id import client_order_id
from executor.model.order_result import Outcome
from executor.model.position import Side
from executor.model.state import TradingState, is_tighter
from tests.checks.builders import NOW, order, state
from tests.decisions.record_builders import PLAN_DIGEST, line_result, numbered, result

HOME = "owner/repository"


def key(index: int = 0, **leg: Any) -> str:
    return client_order_id(HOME, PLAN_DIGEST, index, **leg)


@pytest.mark.parametrize("asked", [TradingState.REDUCE_ONLY, TradingState.HALTED])
@pytest.mark.parametrize("before", list(TradingState))
def test_a_halt_tightens_or_leaves_alone(before: TradingState, asked: TradingState) -> None:
    changed = state(asked, by="bob")
    found = tightened(state(before, peak_equity_rebased_at=NOW), asked, changed)
    if is_tighter(asked, before):
        assert found is not None
        assert (found.state, found.by, found.peak_equity_rebased_at) == (asked, "bob", NOW)
    else:
        assert found is None


@pytest.mark.parametrize("asked", [TradingState.REDUCE_ONLY, TradingState.HALTED])
def test_what_cannot_be_read_becomes_halted(asked: TradingState) -> None:
    found = tightened(None, asked, state(asked))
    assert found is not None
    assert found.state is TradingState.HALTED


def ours(*orders: OrderReport, ledger: Ledger | None = None) -> dict[str, bool]:
    """Which of them are ours, and whether they protect."""
    found = owned(orders, ledger or Ledger(), HOME)
    return {one.report.client_order_id: one.protects for one in found}


def test_an_order_is_ours_by_the_form_of_its_id() -> None:
    other_home = client_order_id("somebody/else", PLAN_DIGEST, 0)
    found = ours(
        order(client_order_id=key()),
        order(client_order_id=key(leg="stop")),
        order(client_order_id=other_home),
        order(client_order_id="their-own"),
        order(client_order_id=key(1), status=OrderStatus.CANCELED),
    )
    assert found == {key(): False, key(leg="stop"): True}


def test_an_order_is_ours_by_the_record() -> None:
    # Sent while the repository had another name.
    kept = result(line_result(outcome=Outcome.OPEN, client_order_id="an-older-form"))
    ledger = fold(numbered([kept]), Mode.SIM)
    assert ours(order(client_order_id="an-older-form"), ledger=ledger) == {"an-older-form": False}


def test_children_are_ours_by_their_parent_told_below_it_or_by_themselves() -> None:
    child = order(client_order_id="of-their-making")
    stranger = order(client_order_id="theirs", legs=(order(client_order_id="their-child"),))
    parent = order("MU", "buy", client_order_id=key(), legs=(child,))
    told = {key(): False, "of-their-making": True}
    assert ours(parent, stranger) == told
    assert ours(parent, child, stranger) == told
    filled = order(client_order_id=key(), status=OrderStatus.FILLED, legs=(child,))
    assert ours(filled) == {"of-their-making": True}


@pytest.mark.parametrize(
    ("side", "protects", "held", "adds"),
    [
        ("buy", False, "0", True),
        ("buy", False, "10", True),
        ("buy", False, "-10", False),  # it covers
        ("buy", True, "0", False),
        ("sell", False, "10", False),
        ("sell", True, "10", False),
    ],
)
def test_only_a_buy_that_does_not_cover_adds_risk(
    side: Side, protects: bool, held: str, adds: bool
) -> None:
    one = Owned(order("MU", side), protects)
    assert one.adds_risk({"MU": Decimal(held)}) is adds
    assert one.adds_risk({}) is (side == "buy" and not protects)
