from __future__ import annotations

import pytest

from executor.checks.strategy_known import RULE
from executor.model.verdict import Answer
from tests.checks.builders import (
    answers,
    bare_file,
    context,
    holding,
    judged,
    line,
    only,
    plan,
    position,
    readme_example,
    sentence,
    settings,
)

BOOKS = settings(
    strategies={"default": "manual", "books": {"momentum": {}, "resting": {"enabled": False}}}
)


@pytest.mark.parametrize("strategy", [{}, {"strategy": "manual"}, {"strategy": "momentum"}])
def test_known_books_pass(strategy: dict[str, str]) -> None:
    assert answers(RULE, context(plan(**strategy), settings=BOOKS)) == [Answer.YES]


def test_an_unknown_book_is_refused_with_the_known_ones_as_a_bare_file_too() -> None:
    subject = context(plan(strategy="moonshot"), facts=bare_file())
    assert sentence(only(RULE, subject)) == readme_example(RULE)
    assert only(RULE, subject).answer is Answer.NO


def test_a_disabled_book_is_refused() -> None:
    verdict = only(RULE, context(plan(strategy="resting"), settings=BOOKS))
    assert verdict.observed == "strategy `resting` is disabled"
    assert verdict.limit == "one of: manual, momentum"


def test_without_any_enabled_book_the_remedy_is_to_enable_this_one() -> None:
    none = settings(strategies={"default": "manual", "books": {"manual": {"enabled": False}}})
    verdict = only(RULE, context(settings=none))
    assert verdict.limit == "no strategy is enabled"
    assert verdict.remedy == "enable [strategies.books.manual] in autoinvestor.toml"


def test_the_remedies_are_true() -> None:
    enabled = settings(strategies={"books": {"moonshot": {}}})
    assert answers(RULE, context(plan(strategy="moonshot"), settings=enabled)) == [Answer.YES]


def test_exits_of_any_book_go() -> None:
    both = plan(line("SELL", "MU"), line("BUY", "AMD"), strategy="moonshot")
    judgment = judged(RULE, context(both, positions=holding(position("MU"))))
    assert judgment.going == {0}
    subject = context(plan(line("SELL"), strategy="moonshot"), positions=holding(position()))
    assert answers(RULE, subject) == [Answer.YES]
