from __future__ import annotations

import copy
import json
import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from jsonschema.validators import extend

from executor.decisions.gates import judge_tree
from executor.decisions.schemas import MODELS, document_schema
from executor.errors import DocumentError
from executor.model.reading import read_document
from executor.repo.schema_files import load_schema
from tests.examples.corpus import Example, examples, name, valid_trees

DOCUMENTS = sorted(MODELS)
PLAN = "trading_instructions"

# No JSON document holds NaN, so jsonschema cannot be asked about one.
SETTINGS = [one for one in examples() if one.document == "settings" and "nan" not in one.path.name]


@pytest.mark.parametrize("example", examples(settings=False), ids=name)
def test_both_gates_agree_about_every_example(example: Example) -> None:
    try:
        tree = example.tree()
    except DocumentError:
        assert example.refused_by == "document"
        return
    # A disagreement is an assertion inside.
    model, problems = judge_tree(tree, load_schema(example.document), MODELS[example.document])
    assert (model is None) == bool(problems)
    if example.refused_by is None:
        assert model is not None


@pytest.mark.parametrize("example", SETTINGS, ids=name)
def test_both_gates_agree_about_every_settings_file(example: Example) -> None:
    try:
        tree = example.tree()
    except (ValueError, ArithmeticError):
        assert example.refused_by == "settings"
        return
    judge_tree(tree, load_schema("settings"), MODELS["settings"])


@pytest.mark.parametrize("example", examples(settings=False), ids=name)
def test_a_stock_validator_says_the_same_of_what_a_stock_reader_takes(example: Example) -> None:
    """Floats, duplicate keys resolved, no type of ours: what other people's tools see."""
    try:
        tree = example.tree()
    except DocumentError:
        return
    plain = json.loads(example.path.read_bytes())
    model, _ = judge_tree(tree, load_schema(example.document), MODELS[example.document])
    assert Draft202012Validator(load_schema(example.document)).is_valid(plain) == (
        model is not None
    )


# Odd values: what people, agents and other programs write where something else is meant. Numbers
# are such as the reader lets through: bounded, with at most nine decimals.
NUMBERS = st.one_of(
    st.integers(-(10**12) + 1, 10**12 - 1),
    st.decimals(-(10**12) + 1, 10**12 - 1, places=9, allow_nan=False, allow_infinity=False),
    st.decimals(-5, 5, places=2, allow_nan=False, allow_infinity=False),
    st.sampled_from([0, 1, 2, 100, 599, 600, Decimal("1.0"), Decimal("1E+2"), Decimal("-0.0")]),
    st.sampled_from([Decimal("1.5"), Decimal("0.000000001"), Decimal("2.000")]),
)
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    st.sampled_from(
        [
            "MU", "BRK.B", "MU\n", "mu", "\u041cU", "all", "ALL", "all\n", "buy", "BUY", "pending",
            "84.48", "84.48\n", "-84.48", "084", "1e3", "0", "0.0", "0.000000001", ".5", "5.",
            "999999999999", "1000000000000", "1.0000000001", "NaN", "Infinity", "\uff11", "+1",
            "1_0", "2026-01-14T13:45:00", "2026-01-14T13:45:00Z", "2026-01-14T13:45:00.5+05:30",
            "2026-02-30T00:00:00", "2024-02-29T00:00:00Z", "2026-02-29T00:00:00Z",
            "2000-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-01-14T13:45:00Z\n",
            "0999-01-01T00:00:00Z", "3000-01-01T00:00:00Z", "2026-01-14T13:45:00-00:00",
            "a" * 40, "f" * 64, "F" * 64, "x" * 201, "x" * 2001, "é" * 200, "😀" * 200,
            "a/b.json", "../a", "a//b", "/a", "a/", "a\\b", "", " ", "true", "null",
        ]
    ),
)  # fmt: skip
LEAVES = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)

stock: Any = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine(
        "integer",
        lambda _, value: (
            (isinstance(value, int) and not isinstance(value, bool))
            or (isinstance(value, Decimal) and value % 1 == 0)
        ),
    ),
)
"""jsonschema as it comes, but for Decimals without a fraction; ours walks the document faster."""


def places(tree: Any) -> list[tuple[Any, Any]]:
    """Every value of a tree, as the container and the key or index in it."""
    found: list[tuple[Any, Any]] = []
    stack = [tree]
    while stack:
        container = stack.pop()
        keys = container if isinstance(container, dict) else range(len(container))
        for key in keys:
            found.append((container, key))
            if isinstance(container[key], (dict, list)):
                stack.append(container[key])
    return found


@st.composite
def mutants(draw: st.DrawFn, document: str) -> Any:
    """A valid example with one to three things changed."""
    tree = copy.deepcopy(draw(st.sampled_from(valid_trees(document))))
    for _ in range(draw(st.integers(1, 3))):
        found = places(tree)
        if not found:
            break
        container, key = draw(st.sampled_from(found))
        match draw(st.sampled_from(["delete", "replace", "insert", "respell", "duplicate"])):
            case "delete":
                del container[key]
            case "replace":
                container[key] = draw(VALUES)
            case "insert" if isinstance(container, dict):
                container[draw(TEXTS)] = draw(VALUES)
            case "insert":
                container.insert(key, draw(VALUES))
            case "respell":
                container[key] = draw(st.sampled_from(respellings(container[key])))
            case "duplicate" if isinstance(container, dict):
                other = draw(st.sampled_from(sorted(container)))
                container[other] = copy.deepcopy(container[key])
            case _:
                container.insert(key, copy.deepcopy(container[key]))
    return tree


def respellings(value: Any) -> list[Any]:
    """The same thing in another type, or nearly so."""
    match value:
        case bool():
            return [int(value), str(value).lower(), None]
        case int() | Decimal():
            return [
                str(value),
                Decimal(value).quantize(Decimal("1e-9")),
                -value,
                [value],
            ]
        case str():
            return [f"{value}\n", f" {value}", value.upper(), value.lower(), [value], "", None]
        case list():
            return [{str(key): one for key, one in enumerate(value)}, value * 2, None, value[:1]]
        case dict():
            return [list(value), list(value.values()), None, {}]
        case _:
            return [False, 0, "null", {}, []]


@pytest.mark.parametrize("document", DOCUMENTS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(data=st.data())
def test_the_gates_agree_about_whatever_a_valid_document_turns_into(
    document: str, data: st.DataObject
) -> None:
    tree = data.draw(mutants(document))
    model, problems = judge_tree(tree, load_schema(document), MODELS[document])
    assert (model is None) == bool(problems)
    assert stock(load_schema(document)).is_valid(tree) == (model is not None)
    for problem in problems:
        assert re.fullmatch(r".+; .+", problem.sentence(), re.DOTALL)
        assert problem.verdict().check == "document"


@settings(max_examples=100, deadline=None)
@given(tree=st.dictionaries(TEXTS, VALUES, max_size=4), document=st.sampled_from(DOCUMENTS))
def test_the_gates_agree_about_anything(tree: Any, document: str) -> None:
    judge_tree(tree, load_schema(document), MODELS[document])


def test_what_passes_gives_the_model() -> None:
    tree = valid_trees(PLAN)[0]
    plan, problems = judge_tree(tree, load_schema(PLAN), MODELS[PLAN])
    assert problems == ()
    assert isinstance(plan, MODELS[PLAN])


def test_every_problem_is_told_not_only_the_first() -> None:
    tree = {"strategy_type": "", "reason": 3, "instructions": [{}], "urgent": True}
    plan, problems = judge_tree(tree, load_schema(PLAN), MODELS[PLAN])
    assert plan is None
    assert [one.pointer for one in problems] == [
        "/strategy_type",
        "/reason",
        "/instructions/0/action",
        "/instructions/0/ticker",
        "/instructions/0/reason",
        "/urgent",
    ]


def test_a_model_that_is_stricter_than_its_schema_is_a_mistake_of_ours() -> None:
    with pytest.raises(
        AssertionError, match=r"the schema accepts it, .* not: strategy_type: missing"
    ):
        judge_tree({}, {"type": "object"}, MODELS[PLAN])


def test_a_schema_that_is_stricter_than_its_model_is_a_mistake_of_ours() -> None:
    tree = valid_trees(PLAN)[0]
    with pytest.raises(AssertionError, match=r"the schema does not; `autoinvestor schema --check`"):
        judge_tree(tree, {"type": "array"}, MODELS[PLAN])


@pytest.mark.parametrize(
    ("value", "passes"),
    [
        (1, True),
        (Decimal("1.0"), True),
        (Decimal(1), True),
        (2, False),
        (Decimal("1.5"), False),
        (Decimal("1.000000001"), False),
        (True, False),
        ("1", False),
        (None, False),
    ],
)
def test_the_version_is_the_number_one_however_it_is_written(value: object, passes: bool) -> None:
    tree = valid_trees(PLAN)[0] | {"schema_version": value}
    model, _ = judge_tree(tree, document_schema(PLAN), MODELS[PLAN])
    assert (model is not None) == passes


def test_a_plan_of_too_many_lines_is_told_so_once() -> None:
    line = {"action": "SELL", "ticker": "MU", "quantity": 1, "reason": "a reason"}
    tree = {"strategy_type": "t", "reason": "r", "instructions": [line] * 20_001}
    _, problems = judge_tree(tree, load_schema(PLAN), MODELS[PLAN])
    (problem,) = problems
    assert problem.sentence() == "instructions: 20,001 lines, at most 20,000; split the plan"


def test_a_document_of_problems_is_cut_short_and_the_rest_counted() -> None:
    lines = b",".join([b"{}"] * 1000)
    tree = read_document(b'{"strategy_type": "t", "reason": "r", "instructions": [%s]}' % lines)
    _, problems = judge_tree(tree, load_schema(PLAN), MODELS[PLAN])
    assert len(problems) == 101
    assert problems[-1].sentence() == "2,900 more problems; correct these first"
