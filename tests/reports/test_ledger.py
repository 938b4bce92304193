from __future__ import annotations

from typing import Any

import pytest

from executor.decisions.adopting import opening
from executor.decisions.notes import observed_result, opening_result
from executor.decisions.results import account_record
from executor.model.account import Mode
from executor.model.result import Observed
from executor.model.writing import write_document
from executor.reports.blocks import plain_text
from executor.reports.ledger import report_acknowledged, report_adopted, report_outstanding, what
from tests.checks.builders import NOW, account, position
from tests.decisions.record_builders import fill
from tests.golden_files import assert_golden

COMMIT = "c" * 40


def seen(kind: str = "order", **keys: Any) -> Observed:
    document: dict[str, Any] = {"kind": kind, "key": "somebody-else", "status": "filled"}
    if kind == "order":
        document |= {"symbol": "AMD", "side": "buy", "quantity": "5", "filled_quantity": "5"}
    return Observed.model_validate({**document, **keys})


MORE = seen("position", key="MU", symbol="MU", quantity="2.5")
LESS = seen("cash", key="CASH", quantity="-3")


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (seen(), "somebody-else (order: buy 5 AMD, filled, 5 shares filled)"),
        (
            seen(quantity=None, filled_quantity="1", status="new"),
            "somebody-else (order: buy AMD, new, 1 share filled)",
        ),
        (MORE, "MU (position: +2.5 shares beyond the record)"),
        (LESS, "CASH (cash: -3.00 USD beyond the record)"),
        (seen("cash", key="CASH"), "CASH (cash: 0.00 USD beyond the record)"),
    ],
)
def test_what_no_commit_explains_is_named_in_a_few_words(one: Observed, words: str) -> None:
    assert what(one) == words


@pytest.mark.parametrize("held", [(), (position("MU", "7.5", "300"), position("AMD", "-3", "200"))])
def test_where_a_ledger_begins(held: tuple[Any, ...]) -> None:
    opened = opening(account(), held, book="manual", by="alice")
    after = account_record(account(), held, (), Mode.PAPER)
    found = report_adopted(opening_result(opened, after, now=NOW), COMMIT)
    assert_golden(f"adopted_{len(held)}", plain_text(found.blocks))
    assert found.data["commit"] == COMMIT
    write_document(found.data)


def test_what_there_is_to_acknowledge() -> None:
    nothing = report_outstanding(())
    assert plain_text(nothing.blocks) == "the record explains everything at the broker"
    found = report_outstanding((seen(), MORE, LESS))
    assert_golden("outstanding", plain_text(found.blocks))
    assert [one["key"] for one in found.data["outstanding"]] == ["somebody-else", "MU", "CASH"]


def test_what_was_acknowledged_and_what_is_left() -> None:
    taken = seen(acknowledged_by="alice", book="manual", fills=(fill(5, "221.1"),))
    after = account_record(account(), [position()], (), Mode.PAPER)
    result = observed_result((taken,), after, now=NOW)
    found = report_acknowledged(result, COMMIT, (MORE,))
    assert_golden("acknowledged", plain_text(found.blocks))
    assert found.data["outstanding"][0]["key"] == "MU"
    write_document(found.data)
    alone = plain_text(report_acknowledged(result, COMMIT, ()).blocks)
    assert "still to be acknowledged" not in alone
