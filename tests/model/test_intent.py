from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from executor.decisions.plan import plan_orders
from executor.model.account import Mode
from executor.model.intent import Intent, Owner, PlannedOrder
from executor.model.reading import read_document
from executor.model.writing import to_tree, write_document
from tests.checks.builders import line, plan
from tests.decisions.record_builders import NOW, PLAN_DIGEST, planned

LINES: list[dict[str, Any]] = [
    line(),
    line("SELL"),
    line(notional=100),
    line(stop_loss_pct="8", order_type="limit", limit_price="300"),
    line(stop_loss_pct="8", profit_target_pct="15", protect="bracket"),
    line("SELL", order_type="trailing_stop", trail_percent="5"),
]


@given(st.lists(st.sampled_from(LINES), max_size=5))
def test_an_intent_reads_back_as_it_was_written(lines: list[dict[str, Any]]) -> None:
    orders = plan_orders(
        plan(*lines) if lines else plan(),
        plan_digest=PLAN_DIGEST,
        repository="local",
        going=range(len(lines)),
        available={},
        references=dict.fromkeys(range(len(lines)), Decimal(200)),
    )
    written = Intent(
        owner=Owner(run="r", attempt=2),
        mode=Mode.PAPER,
        account="…1234",
        validated_at=NOW,
        orders=orders,
        cancels=("other-1",),
        lines=(0, 7),
    )
    tree = read_document(write_document({"intent": to_tree(written)}))
    assert Intent.model_validate(tree["intent"]) == written


def test_an_order_plays_the_part_of_an_entry_unless_told_otherwise() -> None:
    assert planned().leg == "entry"
    assert planned().order_class == "simple"
    bare = Intent(owner=Owner(run="r", attempt=1), validated_at=NOW, orders=())
    assert (bare.cancels, bare.lines, bare.mode, bare.account) == ((), (), None, None)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("index", -1),
        ("side", "BUY"),
        ("symbol", "mu"),
        ("quantity", 0),
        ("notional", "-1"),
        ("order_type", "iceberg"),
        ("time_in_force", "ioc"),
        ("leg", "middle"),
        ("leg", "stop"),
        ("order_class", "oco"),
        ("trail_percent", 0),
        ("stop_loss_price", "-1"),
        ("take_profit_price", 0),
        ("client_order_id", "with space"),
        ("client_order_id", "x" * 129),
        ("extra", 1),
    ],
)
def test_an_order_that_no_intent_may_hold(key: str, value: object) -> None:
    with pytest.raises(ValidationError, match=key):
        PlannedOrder.model_validate(planned().model_dump(exclude_none=True) | {key: value})


@pytest.mark.parametrize("owner", [{"run": "", "attempt": 1}, {"run": "r", "attempt": 0}])
def test_an_owner_has_a_run_and_an_attempt_from_one(owner: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Owner.model_validate(owner)
