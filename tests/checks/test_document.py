from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.checks.document import RULE
from executor.model.verdict import Answer
from tests.checks.builders import (
    answers,
    bare_file,
    context,
    judged,
    line,
    only,
    plan,
    readme_example,
    sentence,
    verdicts,
)

SECRETS = [
    "AKIA" + "IOSFODNN7EXAMPLE",
    "ghp_" + "a1B2" * 9,
    "ghs_" + "a1B2" * 9,
    "github_pat_" + "a1B2" * 9,
    "sk-ant-" + "api03-a1B2c3D4",
    "sk-" + "a1B2" * 8,
    "sk-proj-" + "a1B2" * 8,
    "PK" + "ABCDEFGH1234567890",
    "AK" + "ABCDEFGH1234567890",
    "-----BEGIN " + "RSA PRIVATE KEY-----",
    "-----BEGIN " + "PRIVATE KEY-----",
    "secret: " + "0123456789abcdef" * 2,
    "api_key=" + "aB3/+" * 8,
]

RESUME = {"state": "ACTIVE", "reason": "the cause is found"}


def test_an_ordinary_plan_passes_as_a_bare_file_too() -> None:
    assert answers(RULE, context()) == [Answer.YES]
    assert answers(RULE, context(facts=bare_file())) == [Answer.YES]


@pytest.mark.parametrize(
    "text",
    [
        "risk-adjusted, task-specific, SK-hynix and MU",
        "the key: momentum and nothing else than a very long explanation",
        "key levels: 330/340/350/360/370/380/390/400",
        "AKAMAI and PKOBPVERYLONGWORDINCAPS",
        "skip ci is what we do not do",
    ],
)
def test_ordinary_words_are_no_secrets(text: str) -> None:
    assert answers(RULE, context(plan(reason=text))) == [Answer.YES]


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_found_in_every_place_and_never_repeated(secret: str) -> None:
    places: list[Any] = [
        plan(reason=f"uses {secret} here"),
        plan(strategy_type=secret),
        plan(line(reason=f"uses {secret}")),
        plan(market_context={"notes": [{"deep": [f"x {secret}"]}]}),
        plan(market_context={f"uses {secret}": 1}),
        plan(market_context={f"uses {secret}": {"more": "words"}}),
    ]
    for one in places:
        verdict = only(RULE, context(one))
        assert verdict.answer is Answer.NO
        assert secret not in verdict.model_dump_json()


def test_a_value_is_read_together_with_its_key() -> None:
    value = "0123456789abcdef" * 2
    assert only(RULE, context(plan(market_context={"broker_secret": value}))).answer is Answer.NO
    assert answers(RULE, context(plan(market_context={"digest": value}))) == [Answer.YES]


@pytest.mark.parametrize(
    "phrase",
    [
        "[skip ci]",
        "[ci skip]",
        "[no ci]",
        "[skip actions]",
        "[actions skip]",
        "[Skip CI]",
        "skip-checks: true",
        "skip-checks:true",
    ],
)
def test_a_phrase_that_skips_workflows_is_refused(phrase: str) -> None:
    verdict = only(RULE, context(plan(line(), line(reason=f"buy {phrase}"))))
    assert verdict.answer is Answer.NO
    assert verdict.index is None
    assert verdict.observed == f"instructions[1] holds the phrase {phrase}"


def test_the_whole_plan_is_refused_for_a_secret_in_one_line() -> None:
    token = "ghp_" + "a1B2" * 9
    subject = context(plan(line("SELL"), line(), line(reason=token)))
    assert judged(RULE, subject).rejected
    assert sentence(only(RULE, subject)) == readme_example(RULE)


def test_a_plan_without_instructions_is_refused() -> None:
    empty = plan().model_copy(update={"instructions": ()})
    verdict = only(RULE, context(empty))
    assert verdict.answer is Answer.NO
    assert verdict.observed == "no instructions"


def test_a_resume_comes_alone() -> None:
    alone = plan(trading_state=RESUME, instructions=[])
    assert answers(RULE, context(alone)) == [Answer.YES]
    together = plan(line("SELL"), trading_state=RESUME)
    assert only(RULE, context(together)).answer is Answer.NO
    assert judged(RULE, context(together)).rejected


def test_the_peak_is_rebased_by_a_resume_to_active_only() -> None:
    for wanted, expected in (("ACTIVE", Answer.YES), ("REDUCE_ONLY", Answer.NO)):
        asked = RESUME | {"state": wanted, "rebase_peak": True}
        subject = context(plan(trading_state=asked, instructions=[]), facts=bare_file())
        assert answers(RULE, subject) == [expected]
    calm = RESUME | {"state": "REDUCE_ONLY", "rebase_peak": False}
    assert answers(RULE, context(plan(trading_state=calm, instructions=[]))) == [Answer.YES]


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("strategy_reviews/2026-01/review_2026-01-14T13-45-00.json", Answer.YES),
        ("strategy_reviews/review.md", Answer.NO),
        ("execution_results/account.json", Answer.NO),
    ],
)
def test_a_review_lies_among_the_reviews(path: str, answer: Answer) -> None:
    assert only(RULE, context(plan(review=path))).answer is answer


def test_everything_that_is_wrong_is_named() -> None:
    bad = plan(reason="[skip ci]", review="a.json", trading_state=RESUME)
    assert len(verdicts(RULE, context(bad))) == 3


def test_depth_and_length_are_no_way_around() -> None:
    nested: Any = "[skip ci]"
    for _ in range(5_000):
        nested = [nested]
    deep = plan().model_copy(update={"market_context": {"a": nested}})
    assert only(RULE, context(deep)).answer is Answer.NO
    long = plan(market_context={"a": "secret" * 100_000 + " [skip ci]"})
    assert only(RULE, context(long)).answer is Answer.NO


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_market_context_can_be_read(value: Any) -> None:
    for verdict in verdicts(RULE, context(plan(market_context={"any": value}))):
        assert verdict.answer in (Answer.YES, Answer.NO)
