from __future__ import annotations

from executor.checks.symbol_allowed import RULE
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


def test_without_lists_every_symbol_may_be_opened() -> None:
    assert answers(RULE, context()) == [Answer.YES]


def test_a_denied_symbol_is_refused_as_a_bare_file_too() -> None:
    chosen = settings(symbols={"deny": ["GME"]})
    subject = context(plan(line(ticker="GME")), settings=chosen, facts=bare_file())
    assert only(RULE, subject).answer is Answer.NO
    assert sentence(only(RULE, subject)) == readme_example(RULE)
    assert answers(RULE, context(settings=chosen)) == [Answer.YES]


def test_a_list_of_allowed_symbols_shuts_out_the_rest() -> None:
    chosen = settings(symbols={"allow": ["MU", "AMD"]})
    assert answers(RULE, context(settings=chosen)) == [Answer.YES]
    verdict = only(RULE, context(plan(line(ticker="TSM")), settings=chosen))
    assert verdict.answer is Answer.NO
    assert "MU, AMD" in (verdict.limit or "")


def test_the_deny_list_wins() -> None:
    chosen = settings(symbols={"allow": ["MU"], "deny": ["MU"]})
    assert only(RULE, context(settings=chosen)).answer is Answer.NO


def test_a_denied_symbol_may_be_left() -> None:
    chosen = settings(symbols={"deny": ["MU"]})
    both = plan(line("SELL", "MU"), line("BUY", "MU", quantity="1"))
    judgment = judged(RULE, context(both, settings=chosen, positions=holding(position("MU"))))
    assert judgment.denied == {1}
    assert judgment.going == {0}
