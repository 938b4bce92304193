from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from executor.decisions.document import Problem, problems_of
from executor.decisions.schemas import MODELS
from executor.model.fields import Document
from executor.model.plan import TradingInstructionSet
from executor.model.settings import Settings
from executor.model.verdict import Answer


def sentences(tree: dict[str, Any], model: type[BaseModel] = TradingInstructionSet) -> list[str]:
    """What is said about a tree."""
    with pytest.raises(ValidationError) as caught:
        model.model_validate(tree)
    return [one.sentence() for one in problems_of(caught.value, model)]


def plan(**changes: Any) -> dict[str, Any]:
    line = {"action": "BUY", "ticker": "MU", "quantity": 1, "reason": "a reason"}
    return {"strategy_type": "t", "reason": "r", "instructions": [line]} | changes


def line(**changes: Any) -> dict[str, Any]:
    tree = plan()
    tree["instructions"][0] |= changes
    return tree


@pytest.mark.parametrize(
    ("tree", "sentence"),
    [
        (plan(reason=None),
         "reason: null; write a value, or leave the key out where it is optional"),
        (plan(reason=""), "reason: an empty text; write at least one character"),
        (plan(reason="x" * 2001), "reason: 2,001 characters, at most 2,000; shorten it"),
        (plan(reason=7), "reason: 7: not a text; write it in quotes"),
        (plan(reason=["x"]), "reason: not a text; write it in quotes"),
        (plan(use_margin=1),
         "use_margin: 1: neither true nor false; write the one or the other, bare"),
        (plan(market_context=[]), "market_context: not an object; put it in braces"),
        (plan(trading_state="x"), 'trading_state: "x": not an object; put it in braces'),
        (plan(instructions={}), "instructions: not a list; put it in brackets"),
        (plan(status="done"), 'status: "done": not one of the words that are allowed here; write'
         " 'pending', 'validated', 'completed', 'rejected', 'expired' or 'duplicate'"),
        (plan(schema_version=True),
         "schema_version: true: not a whole number; write one without a fraction, bare"),
        (plan(schema_version=2),
         "schema_version: 2: not one of the words that are allowed here; write 1"),
        (line(action="Buy"), 'instructions[0].action: "Buy": not one of the words that are allowed'
         " here; write 'BUY', 'SELL', 'CANCEL' or 'PROTECT'"),
        (line(ticker="\u041cU"), 'instructions[0].ticker: "\u041cU": the text holds U+041C, which'
         " is no character of such a text; write one to five Latin capitals, such as MU or BRK.B"),
        (line(ticker="MU\n"), 'instructions[0].ticker: "MU\\n": the text is not of this form;'
         " write one to five Latin capitals, such as MU or BRK.B"),
        (line(quantity=False), "instructions[0].quantity: false: not a number; write a number"
         " above 0 and below 1e12, or `all` in a SELL, with at most 9 decimals, such as 84.48"),
        (line(stop_price=0), "instructions[0].stop_price: 0: the number is too low; write a number"
         " above 0 and below 1e12 with at most 9 decimals, such as 84.48"),
    ],
)  # fmt: skip
def test_each_kind_of_problem_names_place_and_remedy(tree: dict[str, Any], sentence: str) -> None:
    assert sentences(tree) == [sentence]


def test_a_missing_key_is_named() -> None:
    tree = plan()
    del tree["instructions"][0]["ticker"]
    assert sentences(tree) == ["instructions[0].ticker: missing; add it"]


@pytest.mark.parametrize(
    ("where", "known"),
    [
        ({"instructions": [{"quantty": 1}]}, "did you mean `quantity`? otherwise take it out"),
        ({"reasn": "x"}, "did you mean `reason`? otherwise take it out"),
        ({"trading_state": {"stat": "x"}}, "did you mean `state`? otherwise take it out"),
        ({"intent": {"owner": {"runn": "1"}}}, "did you mean `run`? otherwise take it out"),
        ({"trading_state": {"qqq": 1}}, "take it out; known keys here: reason, rebase_peak, state"),
    ],
)
def test_an_unknown_key_comes_with_the_known_ones(where: dict[str, Any], known: str) -> None:
    (found,) = [one for one in sentences(where) if "unknown key" in one]
    assert found.endswith(f": unknown key; {known}")


def test_a_key_under_a_table_of_free_names_is_spelled_too() -> None:
    tree = {"strategies": {"books": {"core": {"enabeld": True}}}}
    assert (
        "strategies.books.core.enabeld: unknown key; did you mean `enabled`? otherwise take it out"
        in sentences(tree, Settings)
    )


def test_a_key_beside_a_null_is_spelled_too() -> None:
    result = MODELS["execution_result"]
    assert "approval.polcy: unknown key; did you mean `policy`? otherwise take it out" in sentences(
        {"approval": {"polcy": "merge"}}, result
    )


def test_a_free_name_of_the_wrong_form_is_the_place() -> None:
    (found,) = [one for one in sentences({"sectors": {"mu": "x"}}, Settings) if "sectors" in one]
    assert found == (
        'sectors.mu: "mu": the text is not of this form;'
        " write one to five Latin capitals, such as MU or BRK.B"
    )


def test_a_key_that_looks_like_a_mark_of_pydantic() -> None:
    assert any(one.startswith("[key]: unknown key; ") for one in sentences({"[key]": 1}))
    found = sentences({"sectors": {"[key]": "x"}}, Settings)
    assert any(one.startswith('sectors.[key]: "[key]": the text is not') for one in found)


def test_bounds_of_whole_numbers() -> None:
    found = sentences({"execution": {"sessions_valid": 0}, "sim": {"seed": -1}}, Settings)
    assert "execution.sessions_valid: 0: under 1; write at least 1" in found
    assert "sim.seed: -1: under 0; write at least 0" in found
    assert "execution.sessions_valid: 9: over 3; write at most 3" in sentences(
        {"execution": {"sessions_valid": 9}}, Settings
    )
    assert (
        'execution.sessions_valid: "2": not a whole number; write one without a fraction, bare'
        in (sentences({"execution": {"sessions_valid": "2"}}, Settings))
    )


def test_what_no_field_of_ours_says_is_still_said() -> None:
    class Odd(Document):
        pair: frozenset[int]

    assert sentences({"pair": 3}, Odd) == ["pair: 3: input should be a valid frozenset; correct it"]


def test_long_values_and_structures_are_not_repeated() -> None:
    assert sentences(plan(strategy="X" * 39))[0].startswith("strategy: the text is not")
    assert sentences(plan(strategy="X" * 38))[0].startswith(f'strategy: "{"X" * 38}": the text')
    assert sentences(plan(strategy={}))[0].startswith("strategy: not a text")


def test_of_very_many_problems_the_first_hundred_are_told() -> None:
    found = sentences(plan(instructions=[{}] * 34))
    assert len(found) == 101
    assert found[-1] == "2 more problems; correct these first"
    assert len(sentences(plan(instructions=[{}] * 33))) == 99


def test_a_problem_points_as_json_pointers_do() -> None:
    problem = Problem(("a/b", "c~d", 0), "observed", "remedy")
    assert problem.pointer == "/a~1b/c~0d/0"
    assert problem.sentence() == "a/b.c~d[0]: observed; remedy"
    assert Problem((), "observed", "remedy").sentence() == "observed; remedy"
    assert Problem((0, "a"), "observed", "remedy").sentence() == "[0].a: observed; remedy"
    assert problem.under("plan").pointer == "/plan/a~1b/c~0d/0"


def test_a_problem_is_a_no_of_the_document_check() -> None:
    verdict = Problem(("reason",), "missing", "add it").verdict()
    assert (verdict.check, verdict.answer) == ("document", Answer.NO)
    assert verdict.sentence() == "document: reason: missing; add it"
    assert Problem((), "observed", "remedy").verdict().pointer is None


def test_a_problem_of_any_length_fits_into_a_verdict() -> None:
    verdict = Problem(("x" * 5000,), "o" * 5000, "r" * 5000).verdict()
    assert len(verdict.observed or "") == len(verdict.remedy or "") == 2000
