from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from executor.decisions.schemas import MODELS
from executor.model.account import AccountRecord, short_number
from executor.model.activity import Activity
from executor.model.order_result import InstructionResult, LegResult, Outcome
from executor.model.result import ExecutionResult, Observed, OpeningPosition, OpeningRecord
from executor.model.state import TradingState, TradingStateRecord
from tests.examples.corpus import Example, examples, name

VALID = [one for one in examples() if one.refused_by is None]


@pytest.mark.parametrize("example", VALID, ids=name)
def test_what_a_model_holds_survives_being_written_and_read(example: Example) -> None:
    model: type[BaseModel] = MODELS[example.document]
    document = model.model_validate(example.tree())
    written: Any = document.model_dump(exclude_none=True)
    assert model.model_validate(written) == document


def test_the_example_of_every_key_holds_every_key() -> None:
    (example,) = [one for one in VALID if one.document == "execution_result"
                  and one.path.name == "every_key.json"]  # fmt: skip
    tree = example.tree()
    assert set(tree) == set(ExecutionResult.model_fields)
    parts: list[tuple[type[BaseModel], str]] = [
        (InstructionResult, "instructions"),
        (LegResult, "legs"),
        (Activity, "activities"),
        (Observed, "observed"),
    ]
    for model, key in parts:
        assert set(tree[key][0]) == set(model.model_fields), key
    assert set(tree["opening"]) == set(OpeningRecord.model_fields)
    assert set(tree["opening"]["positions"][0]) == set(OpeningPosition.model_fields)


def test_the_missions_result_reads_as_it_is_meant() -> None:
    (mission,) = [one for one in VALID if one.path.name == "mission_profit_taking.json"
                  and one.document == "execution_result"]  # fmt: skip
    result = ExecutionResult.model_validate(mission.tree())
    assert result.kind == "execution"
    assert result.execution_summary.successful == 1
    assert result.execution_summary.unknown == 0
    assert str(result.final_portfolio.cash) == "-59032.45"
    assert result.previous_result_digest is None


def test_every_outcome_is_a_word_of_the_schema() -> None:
    line = {"index": 0, "ticker": "MU"}
    for outcome in Outcome:
        summary = {"total_instructions": 1, "successful": 0, "failed": 0}
        portfolio = {"total_value": 0, "cash": 0, "realized_pl": 0}
        result = ExecutionResult.model_validate(
            {
                "timestamp": "2026-01-14T15:23:00Z",
                "instructions": [line | {"outcome": outcome.value}],
                "execution_summary": summary,
                "final_portfolio": portfolio,
            }
        )
        assert result.instructions[0].outcome is outcome


def test_an_account_number_shows_its_end_only() -> None:
    assert short_number("PA0001234") == "…1234"
    assert short_number("12") == "…12"


def test_a_debit_is_a_negative_cash() -> None:
    account = {
        "as_of": "2026-01-14T15:23:00Z",
        "mode": "sim",
        "account": "…1234",
        "cash": "-59032.45",
        "equity": 1,
        "buying_power": -1,
        "margin_used": "59032.45",
    }
    assert (
        AccountRecord.model_validate(account).cash
        == -AccountRecord.model_validate(account).margin_used
    )
    with pytest.raises(ValidationError):
        AccountRecord.model_validate(account | {"margin_used": "-1"})


def test_a_state_is_one_of_three() -> None:
    record = {"since": "2026-01-14T15:23:00Z", "by": "alice", "reason": "a reason"}
    for state in TradingState:
        assert TradingStateRecord.model_validate(record | {"state": state.value}).state is state
