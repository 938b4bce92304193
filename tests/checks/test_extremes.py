"""No number that the gates let through makes a check stumble, and no rule breaks its promises."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from executor.checks import all_rules
from executor.decisions.validate import judge
from executor.model.facts import RecordFacts
from executor.model.plan import TradingInstructionSet
from tests.checks.builders import (
    account,
    context,
    holding,
    line,
    lot,
    order,
    plan,
    position,
    protective,
    quoted,
    settings,
)

SMALL, LARGE = Decimal("0.000000001"), Decimal("999999999999.999999999")
NUMBERS = st.sampled_from([SMALL, Decimal("0.01"), Decimal(1), Decimal("331.44"), LARGE])
TYPES = ["market", "limit", "stop", "stop_limit", "trailing_stop"]
OPTIONAL = [
    "trail_percent",
    "limit_price",
    "stop_price",
    "target_allocation",
    "profit_target_pct",
    "stop_loss_pct",
    "decision_price",
]
SECTORS = settings(limits={"sector_max_pct": "40"}, off=(), sectors={"MU": "Technology"})


@st.composite
def instructions(draw: st.DrawFn) -> dict[str, Any]:
    keys: dict[str, Any] = {
        draw(st.sampled_from(["quantity", "notional"])): draw(NUMBERS),
        "order_type": draw(st.sampled_from(TYPES)),
    }
    for key in draw(st.sets(st.sampled_from(OPTIONAL))):
        keys[key] = draw(NUMBERS)
    if draw(st.booleans()):
        keys["protect"] = draw(st.sampled_from(["stop", "bracket", "none"]))
    action = draw(st.sampled_from(["BUY", "SELL", "CANCEL", "PROTECT"]))
    if action == "CANCEL":
        keys["client_order_id"] = draw(st.sampled_from(["stop-1", "other-1"]))
    if action == "PROTECT":
        keys["loosen"] = draw(st.booleans())
    return line(action, draw(st.sampled_from(["MU", "XYZ"])), **keys)


PLANS = st.builds(lambda lines: plan(*lines), st.lists(instructions(), min_size=1, max_size=3))


@given(
    the_plan=PLANS,
    equity=st.sampled_from([-LARGE, Decimal(0), SMALL, LARGE]),
    price=st.sampled_from([Decimal("0.0001"), Decimal("331.44"), Decimal(10**6)]),
    held=st.sampled_from(["-999999999999", "0.000000001", "999999999999"]),
    stop=st.sampled_from(["0.0001", "331.44", "999999999999", None]),
)
def test_every_check_answers_whatever_the_numbers(
    the_plan: TradingInstructionSet, equity: Decimal, price: Decimal, held: str, stop: str | None
) -> None:
    subject = context(
        the_plan,
        settings=SECTORS,
        account=account(equity=equity, cash=equity, last_equity=equity),
        positions=holding(position(quantity=held, price=str(price))),
        prices={"MU": quoted(str(price), str(price))},
        open_orders=(order(), protective(quantity=held.removeprefix("-"))),
        protective=frozenset({"stop-1"}),
        record=RecordFacts(
            positions={"MU": Decimal(held)},
            lots=(lot(stop_price=stop, trail_percent=None if stop else Decimal(5)),),
        ),
    )
    result = judge(subject, all_rules())
    assert {one.check for one in result.verdicts} == {rule.id for rule in all_rules()}
