"""What the answers of the checks come to: what goes, what waits, what is denied."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.decisions.validate import Judgment, judge
from executor.model.context import Context
from executor.model.facts import Moment
from executor.model.rule import EVERY_MOMENT, Finding, Need, Rule, no, not_now, warn
from executor.model.verdict import Answer
from tests.checks.builders import (
    bare_file,
    context,
    facts,
    holding,
    line,
    plan,
    position,
    settings,
)

MIXED = plan(
    line("SELL"),
    line("BUY", "AMD"),
    line("BUY", "TSM"),
    line("CANCEL", client_order_id="other-1"),
)
"""0 reduces, 1 and 2 open, 3 cancels."""
HELD = holding(position())


def subject(policy: str = "exits_go", **changes: Any) -> Context:
    shipped = settings().execution.model_dump()
    rules = settings(execution=shipped | {"on_denied": policy})
    return context(MIXED, settings=rules, positions=HELD, **changes)


def rule(*found: Finding, exits: bool = False, name: str = "rule") -> Rule:
    def says(_context: Context) -> Iterator[Finding]:
        yield from found

    return Rule(id=name, judge=says, judges_exits=exits, moments=EVERY_MOMENT)


def denies(line_index: int | None) -> Finding:
    return no(line_index, observed="observed", limit="limit", remedy="remedy")


def waits(line_index: int | None) -> Finding:
    return not_now(line_index, observed="observed", remedy="remedy")


def test_without_an_objection_everything_goes() -> None:
    result = judge(subject(), [rule(), rule(name="other")])
    assert [(one.check, one.answer) for one in result.verdicts] == [
        ("rule", Answer.YES),
        ("other", Answer.YES),
    ]
    assert result.exits == {0, 3}
    assert result.openings == {1, 2}
    assert result.going == {0, 1, 2, 3}
    assert result.is_clean


def test_every_verdict_is_collected_never_the_first_only() -> None:
    result = judge(subject(), [rule(denies(1), denies(2), waits(1)), rule(denies(1), name="b")])
    assert [one.index for one in result.verdicts] == [1, 2, 1, 1]
    assert result.denied == {1, 2}


@pytest.mark.parametrize(
    ("policy", "going"),
    [("exits_go", {0, 3}), ("plan_stops", set()), ("rest_goes", {0, 2, 3})],
)
def test_a_denied_line_leaves_what_the_policy_says(policy: str, going: set[int]) -> None:
    result = judge(subject(policy), [rule(denies(1))])
    assert result.denied == {1}
    assert result.going == going
    assert not result.rejected
    assert not result.waits
    assert not result.openings_wait


def test_a_denied_exit_does_not_go_under_any_policy() -> None:
    for policy in ("exits_go", "plan_stops", "rest_goes"):
        assert 0 not in judge(subject(policy), [rule(denies(0), exits=True)]).going


def test_an_opening_rule_that_denies_the_plan_denies_every_opening_and_no_exit() -> None:
    result = judge(subject("rest_goes"), [rule(denies(None))])
    assert result.denied == {1, 2}
    assert result.going == {0, 3}
    assert not result.rejected


def test_a_rule_that_judges_exits_may_reject_the_plan() -> None:
    result = judge(subject(), [rule(denies(None), waits(None), waits(1), exits=True)])
    assert result.rejected
    assert result.going == set()
    assert not result.waits
    assert not result.openings_wait
    assert not result.is_clean


def test_an_opening_rule_may_not_judge_an_exit() -> None:
    for finding in (denies(0), waits(0), waits(3)):
        with pytest.raises(AssertionError, match="may not judge the exit"):
            judge(subject(), [rule(finding)])
    assert judge(subject(), [rule(warn(0, observed="look here"))]).is_clean


def test_not_now_of_an_opening_rule_holds_the_openings_back_alone() -> None:
    for where in (None, 1):
        result = judge(subject(), [rule(waits(where))])
        assert result.openings_wait
        assert not result.waits
        assert result.going == {0, 1, 2, 3}


def test_not_now_of_a_rule_that_judges_exits_holds_everything_back() -> None:
    for where in (None, 0, 3):
        result = judge(subject(), [rule(waits(where), exits=True)])
        assert result.waits


def test_a_plan_of_nothing_but_openings_waits_as_a_whole() -> None:
    result = judge(context(), [rule(waits(0))])
    assert result.openings_wait
    assert result.waits


def test_a_line_that_is_denied_has_nothing_to_wait_for() -> None:
    assert not judge(subject("rest_goes"), [rule(denies(1), waits(1))]).openings_wait
    assert judge(subject("rest_goes"), [rule(denies(1), waits(2))]).openings_wait
    assert not judge(subject(), [rule(denies(1), waits(2), waits(None))]).openings_wait
    everything = judge(subject("rest_goes"), [rule(denies(None), waits(None))])
    assert not everything.openings_wait
    assert not everything.waits


def test_a_denied_exit_does_not_hold_the_others_back() -> None:
    result = judge(subject("rest_goes"), [rule(denies(0), waits(0), exits=True)])
    assert not result.waits
    assert result.going == {1, 2, 3}


def test_a_check_that_is_off_says_so_and_is_not_asked() -> None:
    off = settings(off=("daily_loss", "sector_max"))
    result = judge(context(settings=off), [rule(denies(None), exits=True, name="daily_loss")])
    assert result.is_clean
    assert result.verdicts[0].warning == "off: named in acknowledged_disabled"


def test_at_another_moment_it_is_not_judged_here() -> None:
    one = Rule("rule", lambda _: [denies(None)], moments=frozenset({Moment.EXECUTION}))
    result = judge(context(facts=facts(Moment.PULL_REQUEST)), [one])
    assert [verdict.answer for verdict in result.verdicts] == [Answer.NOT_JUDGED_HERE]
    assert result.is_clean


@pytest.mark.parametrize("exits", [True, False])
def test_a_missing_need_waits_and_is_named(exits: bool) -> None:
    needs: frozenset[Need] = frozenset({"prices", "open_orders", "account"})
    one = Rule("rule", lambda _: [denies(None)], needs=needs, judges_exits=exits)
    result = judge(subject(open_orders=None, account=None), [one])
    [verdict] = result.verdicts
    assert verdict.answer is Answer.NOT_NOW
    assert verdict.observed == "no answer about: account, open orders"
    assert result.waits is exits
    assert result.openings_wait is not exits


def test_a_missing_need_of_a_bare_file_is_not_judged_here() -> None:
    one = Rule("rule", lambda _: [], needs=frozenset({"prices"}), moments=EVERY_MOMENT)
    result = judge(context(facts=bare_file()), [one])
    assert [verdict.answer for verdict in result.verdicts] == [Answer.NOT_JUDGED_HERE]


def test_in_the_second_wave_only_buys_are_asked_about() -> None:
    result = judge(subject(already_sent=frozenset({0, 3})), [rule()])
    assert result.exits == set()
    assert result.going == {1, 2}


FINDINGS = st.lists(
    st.builds(
        lambda make, where: make(where),
        st.sampled_from([denies, waits]),
        st.sampled_from([None, 1, 2]),
    ),
    max_size=4,
)


@given(found=FINDINGS, policy=st.sampled_from(["exits_go", "rest_goes"]))
def test_exits_are_never_blocked_by_rules_about_openings(found: list[Finding], policy: str) -> None:
    result = judge(subject(policy), [rule(*found)])
    assert {0, 3} <= result.going
    assert not result.waits
    assert not result.rejected


@given(found=FINDINGS)
def test_the_order_of_the_checks_changes_nothing_but_the_order_of_the_verdicts(
    found: list[Finding],
) -> None:
    rules = [
        rule(finding, exits=index % 2 == 0, name=f"rule{index}")
        for index, finding in enumerate(found)
    ]

    def outcome(result: Judgment) -> tuple[object, ...]:
        return (
            result.rejected,
            result.waits,
            result.openings_wait,
            result.denied,
            result.going,
            sorted(str(one) for one in result.verdicts),
        )

    expected = outcome(judge(subject(), rules))
    for shuffled in itertools.islice(itertools.permutations(rules), 6):
        assert outcome(judge(subject(), shuffled)) == expected
