from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from executor.decisions.flattening import Flattening, flatten
from executor.decisions.gates import judge_tree
from executor.decisions.halting import Owned
from executor.model.facts import PositionFacts
from executor.model.order import OrderReport
from executor.model.plan import TradingInstructionSet
from executor.model.reading import read_document
from executor.model.writing import write_document
from executor.repo.schema_files import load_schema
from tests.checks.builders import order, position

quantities = st.decimals(-1_000, 1_000, places=9)
symbols = st.sampled_from(["MU", "AMD", "BRK.B", "BTC/USD"])


def flattened(
    *positions: PositionFacts,
    open_orders: tuple[OrderReport, ...] = (),
    ours: tuple[Owned, ...] = (),
    only: frozenset[str] = frozenset(),
) -> Flattening:
    everything = (*open_orders, *(one.report for one in ours))
    return flatten(positions, everything, ours, reason="get out", only=only)


@given(st.dictionaries(symbols, quantities))
def test_every_holding_is_closed_whole_or_named(held: dict[str, Decimal]) -> None:
    found = flattened(*(position(symbol, str(number)) for symbol, number in held.items()))
    closed = {one["ticker"]: one for one in found.lines}
    assert closed.keys() | set(found.left_out) == {one for one in held if held[one]}
    for symbol, one in closed.items():
        if held[symbol] > 0:
            assert (one["action"], one["quantity"]) == ("SELL", "all")
        else:
            assert (one["action"], one["quantity"]) == ("BUY", -held[symbol])
    if found.lines:
        tree = {"strategy_type": "flatten", "reason": "r", "instructions": list(found.lines)}
        plan, problems = judge_tree(
            read_document(write_document(tree)),
            load_schema("trading_instructions"),
            TradingInstructionSet,
        )
        assert plan is not None, problems


def test_open_entries_are_canceled_first_and_what_protects_is_left_to_the_execution() -> None:
    entry, exit_, stop = (
        Owned(order("AMD", "buy", client_order_id="entry"), protects=False),
        Owned(order("MU", "sell", client_order_id="exit"), protects=False),
        Owned(order("MU", "sell", client_order_id="stop"), protects=True),
    )
    found = flattened(position("MU"), ours=(entry, exit_, stop))
    assert [(one["action"], one["ticker"]) for one in found.lines] == [
        ("CANCEL", "AMD"),
        ("CANCEL", "MU"),
        ("SELL", "MU"),
    ]
    assert [one.get("client_order_id") for one in found.lines] == ["entry", "exit", None]
    assert found.in_the_way == ()


def test_only_the_symbols_that_are_named() -> None:
    entries = tuple(
        Owned(order(symbol, "buy", client_order_id=symbol), protects=False)
        for symbol in ("AMD", "MU", "BTC/USD")
    )
    held = (position("MU"), position("AMD"), position("BTC/USD"))
    found = flattened(*held, ours=entries, only=frozenset({"MU"}))
    assert [(one["action"], one["ticker"]) for one in found.lines] == [
        ("CANCEL", "MU"),
        ("SELL", "MU"),
    ]
    assert found.left_out == ()
    assert flattened(*held).left_out == ("BTC/USD",)


def test_a_strangers_order_in_a_closed_symbol_is_named() -> None:
    theirs, elsewhere = order("MU", client_order_id="theirs"), order("TSM")
    found = flattened(position("MU"), open_orders=(theirs, elsewhere))
    assert found.in_the_way == (theirs,)


def test_nothing_held_is_nothing_to_do() -> None:
    assert flattened(position("MU", "0")) == Flattening(())
