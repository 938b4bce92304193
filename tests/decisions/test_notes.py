from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.decisions.notes import (
    NOTHING,
    activity_result,
    aside_trailers,
    moves_the_books,
    observed_result,
    one_line,
    opening_result,
    state_result,
)
from executor.decisions.results import account_record
from executor.model.account import Mode
from executor.model.activity import Activity
from executor.model.order_result import LegResult, Outcome
from executor.model.reading import read_document
from executor.model.result import ExecutionResult, Observed, OpeningRecord
from executor.model.writing import write_document
from tests.checks.builders import NOW, account, position, state
from tests.decisions.record_builders import PLAN_DIGEST, fill, line_result, result

AFTER = account_record(account(), [position()], (), Mode.PAPER)
DIVIDEND = Activity(id="1", kind="DIV", at=NOW, symbol="MU", net_amount=Decimal(5))
FOREIGN = Observed(kind="order", key="somebody-else", symbol="MU", side="buy", status="new")
OPENING = OpeningRecord(cash=Decimal(1), by="alice")


@given(st.text(), st.integers(1, 60))
def test_a_line_is_one_visible_line_that_orders_nothing(text: str, most: int) -> None:
    found = one_line(text, most)
    assert len(found) <= most
    assert found == found.strip()
    assert not set(found) & {"\n", "\r", "\t", "\x00", "\u202e", "\u200b", "[", "]"}
    read_document(write_document({"text": found}))
    found.encode()
    assert one_line(found, most) == found


def test_what_is_short_and_visible_stays_as_it_is() -> None:
    assert one_line("Übergröße, 5 % under its peak", 200) == "Übergröße, 5 % under its peak"
    assert one_line("a\n b\u202e", 3) == "a b"
    assert one_line("abcdef", 4) == "abc…"


def test_who_and_why_are_never_empty() -> None:
    told = {"Withdrawn-By": "somebody", "Reason": "none given"}
    assert aside_trailers("\n", "\u200b") == told
    assert set(aside_trailers("Alice", "second thoughts").values()) == {"Alice", "second thoughts"}


def test_a_state_is_of_its_own_instant_and_of_the_account_where_one_was_asked() -> None:
    found = state_result(state(), mode=Mode.PAPER, account="…9999", after=AFTER)
    assert (found.kind, found.timestamp, found.state) == ("state", state().since, state())
    assert (found.account, found.final_portfolio.as_of) == ("…1234", NOW)
    blind = state_result(state(), mode=None, account=None)
    assert (blind.account, blind.mode) == (None, None)
    assert blind.final_portfolio.as_of is None


NOTES: dict[str, ExecutionResult] = {
    "state": state_result(state(), mode=Mode.PAPER, account="…1234", after=AFTER),
    "opening": opening_result(OPENING, AFTER, now=NOW, seen_before=(FOREIGN,)),
    "observed": observed_result((FOREIGN,), AFTER, now=NOW, warnings=("look",)),
    "activity": activity_result((DIVIDEND,), AFTER, now=NOW, realized_pl=Decimal(2)),
}


@pytest.mark.parametrize("kind", NOTES)
def test_a_note_is_of_its_account_and_reads_back(kind: str) -> None:
    note = NOTES[kind]
    assert (note.kind, note.mode, note.account) == (kind, Mode.PAPER, "…1234")
    assert note.execution_summary == NOTHING
    assert note.final_portfolio.total_value == Decimal(100_000)
    read = ExecutionResult.model_validate(read_document(write_document(note)))
    assert read == note


def test_what_a_note_is_about_is_in_it() -> None:
    assert NOTES["opening"].opening == OPENING
    assert NOTES["opening"].observed == (FOREIGN,)
    assert NOTES["observed"].warnings == ("look",)
    assert NOTES["activity"].activities == (DIVIDEND,)
    assert NOTES["activity"].final_portfolio.realized_pl == 2


def test_a_ledger_has_begun_with_what_was_sent_booked_or_taken_over() -> None:
    acknowledged = FOREIGN.model_copy(update={"acknowledged_by": "alice", "book": "manual"})
    leg = LegResult.model_validate(
        {
            "index": 0,
            "ticker": "MU",
            "outcome": "open",
            "leg": "stop",
            "plan_digest": PLAN_DIGEST,
            "client_order_id": "leg",
        }
    )
    for begun in (
        NOTES["opening"],
        NOTES["activity"],
        observed_result((acknowledged,), AFTER, now=NOW),
        result(line_result(fills=[fill()])),
        result(line_result(outcome=Outcome.OPEN)),
        result(legs=(leg,)),
    ):
        assert moves_the_books(begun), begun.kind
    for not_begun in (
        NOTES["state"],
        NOTES["observed"],
        result(),
        result(line_result(outcome=Outcome.DENIED)),
    ):
        assert not moves_the_books(not_begun), not_begun.kind
