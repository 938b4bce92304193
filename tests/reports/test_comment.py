from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from executor.checks import all_rules
from executor.decisions.outlook import outlook
from executor.decisions.rule_changes import (
    Commit,
    RuleChanges,
    RulesSince,
    Scope,
    SettingChange,
)
from executor.decisions.validate import judge
from executor.model.context import Context
from executor.model.facts import Moment, RecordFacts
from executor.model.forge import DESCRIPTION_MAX, MARKS, digest_told
from executor.model.paths import PathKind
from executor.model.plan import INSTRUCTIONS_MAX
from executor.model.state import TradingState
from executor.model.verdict import Answer, Verdict
from executor.reports.comment import (
    FIRST_LINES,
    MARKER,
    PlanReport,
    PullReport,
    comment,
    summary,
    waits_for,
)
from executor.reports.markdown import COMMENT_MAX, SUMMARY_MAX
from executor.reports.marks import marks
from tests.checks.approved import ALICE, evidence, request
from tests.checks.builders import (
    bare_file,
    clock,
    context,
    holding,
    line,
    lot,
    plan,
    position,
    settings,
    state,
)
from tests.golden_files import assert_golden
from tests.reports.test_markdown import TEXTS, Page
from tests.reports.test_money import BERLIN, NOW

CLOSE = datetime(2026, 1, 14, 21, 0, tzinfo=UTC)
DIGEST = "3fa9" + "0" * 60
HEAD = "b" * 40

PLAIN = Scope(frozenset({PathKind.PLAN, PathKind.REVIEW}), (), RuleChanges())
NOTHING = Scope(frozenset({PathKind.OTHER}), (), RuleChanges())
RULES = Scope(
    frozenset({PathKind.SETTINGS, PathKind.CODE}),
    (),
    RuleChanges(
        (
            SettingChange("limits.position_max_pct", "35", "50"),
            SettingChange("symbols.@evil", None, '["MU"]'),
            SettingChange("sectors.MU", '"Technology"', None),
        ),
        paths=("executor/cli.py",),
    ),
)

LIVE = Scope(
    frozenset({PathKind.SETTINGS}),
    (),
    RuleChanges(
        (
            SettingChange("mode", '"sim"', '"live"'),
            *(SettingChange(f"limits.x{n}", "2", "1") for n in range(12)),
        )
    ),
)
MANY_RULES = RuleChanges(
    (SettingChange("mode", '"sim"', '"papers"'),),
    unreadable=("autoinvestor.toml: mode: papers", "autoinvestor.toml: reviews.every_hours: 99"),
)

LINES = (
    line("SELL", quantity="42.24", reason="take profit"),
    line("BUY", "AMD", quantity="40", stop_loss_pct="8"),
    line("BUY", "TSM", quantity="30", stop_loss_pct="8"),
)
HELD = holding(position(quantity="84.48"), position("NVDA", "10", "180"))
LOTS = RecordFacts(
    positions={one.symbol: one.quantity for one in HELD.values()},
    lots=(lot(quantity=Decimal("84.48"), stop_price="300"),),
)


def judged(subject: Context, until: datetime | None = CLOSE) -> PlanReport:
    found = judge(subject, all_rules())
    return PlanReport(
        digest=DIGEST,
        plan=subject.plan,
        verdicts=found.verdicts,
        context=subject,
        judgment=found,
        outlook=outlook(subject, found.going),
        until=until,
    )


def at_request(*lines: dict[str, Any], **changes: Any) -> Context:
    base: dict[str, Any] = {"positions": HELD, "record": LOTS}
    given = context(plan(*(lines or LINES)), **(base | changes))
    return replace(given, facts=replace(given.facts, moment=Moment.PULL_REQUEST))


def report(found: PlanReport | None, scope: Scope = PLAIN, **changes: Any) -> PullReport:
    base = PullReport(
        number=7,
        head=HEAD,
        scope=scope,
        plan=found,
        now=NOW,
        zones=BERLIN,
        settings_digest="c" * 64,
        mode="sim",
        policy="none",
    )
    return replace(base, **changes)


SINCE = RulesSince(
    since=NOW - timedelta(days=2),
    commits=(Commit("d" * 40, NOW - timedelta(days=1), "Loosen it @all [skip ci]"),),
    changes=RULES.rules,
)


def ruled_out() -> PlanReport:
    """A plan of which one line is denied and the rest may go."""
    return judged(at_request(*LINES, line("BUY", "AMD", quantity="5000", stop_loss_pct="8")))


STORIES: dict[str, Callable[[], PullReport]] = {
    "comment_green": lambda: report(judged(at_request()), since=SINCE),
    "comment_red": lambda: report(ruled_out(), since=RulesSince(NOW - timedelta(days=2))),
    "comment_waiting": lambda: report(
        judged(at_request(market_clock=clock(NOW + timedelta(hours=8))), CLOSE + timedelta(days=1)),
        since=RulesSince(None),
    ),
    "comment_halted": lambda: report(
        judged(at_request(trading_state=state(TradingState.HALTED)), None)
    ),
    "comment_no_account": lambda: report(
        replace(
            PlanReport(DIGEST, plan(*LINES), ()),
            verdicts=judge(Context(plan(*LINES), settings(), bare_file()), all_rules()).verdicts,
            unavailable="the broker does not answer",
        )
    ),
    "comment_unreadable": lambda: report(
        PlanReport(
            DIGEST,
            None,
            (
                Verdict(
                    check="document",
                    answer=Answer.NO,
                    pointer="/instructions/0/@evil",
                    observed="unknown key",
                    remedy="take it out",
                ),
            ),
        )
    ),
    "comment_scope": lambda: report(
        judged(at_request()), replace(PLAIN, problems=("executor/`x`.py: a plan brings nothing",))
    ),
    "comment_stop": lambda: report(
        judged(
            at_request(line("SELL", quantity="all", order_type="limit", limit_price="400")),
        ),
        mode="paper",
        policy="merge",
    ),
    "comment_alone": lambda: report(
        judged(
            replace(
                at_request(
                    evidence=evidence(
                        pull_request=request(author=ALICE), repository="alice/trading"
                    )
                ),
                settings=settings(mode="paper", approval={"approvers": (ALICE.id,)}),
            )
        ),
        mode="paper",
        policy="merge",
    ),
    "comment_settings": lambda: report(
        None, replace(LIVE, problems=("settings that cannot be read: x",), rules=MANY_RULES)
    ),
    "comment_live": lambda: report(None, replace(LIVE, rules=LIVE.rules), mode="paper"),
    "comment_rules": lambda: report(None, RULES),
    "comment_history": lambda: report(None, replace(NOTHING, problems=("x: history",))),
    "comment_nothing": lambda: report(None, NOTHING),
}


@pytest.mark.parametrize("name", STORIES)
def test_the_comment_and_the_marks(name: str) -> None:
    found = STORIES[name]()
    text = comment(found)
    told = [f"{one.context} {one.state}: {one.description}" for one in marks(found)]
    assert_golden(name, "\n".join([*told, "", text]))
    marker, *lines = text.split("\n")
    assert marker == MARKER
    first = lines[: lines.index("")]
    assert len(first) <= FIRST_LINES
    assert tuple(one.context for one in marks(found)) == MARKS
    assert all(len(one.description) <= DESCRIPTION_MAX for one in marks(found))


@pytest.mark.parametrize("name", STORIES)
def test_the_page_has_no_word_of_others_outside_code(name: str) -> None:
    page = Page(comment(STORIES[name]()))
    for word in ("@evil", "@all", "[skip ci]", "`x`"):
        assert word not in page.outside
    assert "https://" not in page.outside


def test_the_states_of_the_marks() -> None:
    states = {name: tuple(one.state for one in marks(story())) for name, story in STORIES.items()}
    assert states == {
        "comment_green": ("success", "success", "success"),
        "comment_red": ("success", "success", "failure"),
        "comment_waiting": ("success", "success", "success"),
        "comment_halted": ("success", "success", "failure"),
        "comment_no_account": ("success", "success", "pending"),
        "comment_unreadable": ("failure", "success", "failure"),
        "comment_scope": ("success", "failure", "success"),
        "comment_stop": ("success", "success", "success"),
        "comment_alone": ("success", "success", "failure"),
        "comment_settings": ("success", "failure", "success"),
        "comment_live": ("success", "success", "success"),
        "comment_rules": ("success", "success", "success"),
        "comment_history": ("success", "failure", "success"),
        "comment_nothing": ("success", "success", "success"),
    }
    for name in ("comment_green", "comment_unreadable"):
        assert digest_told(marks(STORIES[name]())[0].description) == DIGEST[:32]


def test_a_scope_that_cannot_be_told_yet_is_no_yes() -> None:
    lagging = Verdict(check="plan_scope", answer=Answer.NOT_NOW, observed="GitHub lags")
    found = judged(at_request())
    mark = marks(report(replace(found, verdicts=(lagging,))))[1]
    assert (mark.state, mark.description) == ("pending", "not judged yet: ask again")
    told = lagging.model_copy(update={"answer": Answer.NO, "remedy": "again"})
    mark = marks(report(replace(found, verdicts=(told,))))[1]
    assert mark.state == "failure"
    assert mark.description == "refused: plan_scope: GitHub lags; again"


def test_more_edges_of_the_marks() -> None:
    found = judged(at_request())
    assert found.judgment is not None
    gone = replace(found, plan=None, verdicts=())
    assert marks(report(gone))[0].description.endswith("… refused")
    silent = replace(found, judgment=None)
    assert marks(report(silent))[2].description == "not judged yet: no account"
    assert marks(report(replace(found, outlook=None)))[2].description == "3 lines may go"
    two = judged(at_request(*(line("BUY", "AMD", quantity="5000") for _ in range(2))))
    assert "noes, the first: " in marks(report(two))[2].description
    elsewhere = replace(found.judgment, rejected=True, going=frozenset())
    mark = marks(report(replace(found, judgment=elsewhere)))[2]
    assert mark.description == "nothing against it; see the other marks"
    waits = replace(found.judgment, waits=True)
    wordless = Verdict(check="session", answer=Answer.NOT_NOW)
    mark = marks(report(replace(found, judgment=waits, verdicts=(wordless,))))[2]
    assert mark.description == "not now: session: later"
    mark = marks(report(replace(found, judgment=waits, verdicts=())))[2]
    assert mark.description.startswith("3 lines may go")
    assert waits_for(()) == "for a check"
    assert waits_for((wordless,)) == "`session: later`"


@pytest.mark.parametrize("lines", [300, 10_000])
def test_a_long_plan_stays_inside_and_says_what_is_left_out(lines: int) -> None:
    assert lines <= INSTRUCTIONS_MAX
    small = plan(line("BUY", "AMD", quantity="5000", reason="x" * 2_000))
    big = small.model_copy(update={"instructions": small.instructions * lines})
    base = at_request()
    found = report(judged(replace(base, plan=big)), since=SINCE)
    text, long = comment(found), summary(found)
    assert len(text) <= COMMENT_MAX
    assert len(long.encode()) <= SUMMARY_MAX
    assert f"and {lines - 2:,} more lines, below" in text
    assert f"{lines - 200:,} more lines; the plan's file has them." in text
    assert "more of these in the job's log" in text
    assert text.splitlines()[-2].startswith(f"- digest: `{DIGEST}`")
    assert long.startswith("### Pull request #7\n\n❌ **Refused**")


def test_a_wide_account_is_cut() -> None:
    held = holding(*(position(f"A{chr(65 + n // 26)}{chr(65 + n % 26)}") for n in range(300)))
    strange = holding(position("<b>", "1"), position("MU"))
    text = comment(report(judged(at_request(positions={**held, **strange}))))
    assert "102 smaller ones are left out" in text
    assert "<b>" not in Page(comment(report(judged(at_request(positions=strange))))).outside
    text = comment(report(judged(at_request(positions=strange))))
    assert "(without a stop: ?)" in text


def test_each_stop_that_goes_for_a_sale_that_rests_is_named() -> None:
    lots = RecordFacts(
        positions=LOTS.positions,
        lots=(
            lot(quantity=Decimal(50), stop_price="300"),
            lot(quantity=Decimal("34.48"), stop_price=None, trail_percent=Decimal(5)),
        ),
    )
    sell = line("SELL", quantity="50", order_type="limit", limit_price="400")
    text = comment(report(judged(at_request(sell, record=lots))))
    assert "**MU is without its stop at 300, trailing 5 %** while the SELL rests" in text


def test_a_warning_about_the_merge_stands_in_the_first_lines() -> None:
    told = evidence(pull_request=request(author=ALICE), repository="alice/trading")
    subject = replace(at_request(evidence=told), settings=settings(mode="paper"))
    text = comment(report(judged(subject), mode="paper", policy="merge"))
    assert "⚠️ `` approval: opened by alice, whose own merge will not count" in text.split("\n")[2]


def test_what_goes_of_a_refused_plan_is_named_where_nobody_approves() -> None:
    exits = [
        line("SELL", quantity="1", order_type="limit", limit_price=f"{n}") for n in range(340, 344)
    ]
    buy = line("BUY", "AMD", quantity="5000", stop_loss_pct="8")
    found = judged(at_request(*exits, buy))
    text = comment(report(found))
    assert "**only this goes:** SELL 1 MU, limit at 340" in text
    assert " and 1 more\n" in text
    text = comment(report(replace(found, outlook=None)))
    assert "**only this goes:**" in text
    assert "**Cash**" not in text
    text = comment(report(found, mode="paper", policy="merge"))
    assert "**nothing of it is sent**" in text
    assert "**Cash**" not in text


def test_limits_that_are_off_are_not_listed() -> None:
    off = settings(off=("sector_max", "margin_use", "exposure_max", "position_max"))
    subject = replace(at_request(), settings=off)
    text = comment(report(judged(subject)))
    assert "a holding: at most" not in text
    assert "debit" not in text
    assert "gross exposure" not in text
    assert "a full bar is 100 % of equity" in text


def test_an_account_without_equity_has_full_bars() -> None:
    subject = at_request()
    account = subject.facts.account
    assert account is not None
    broke = replace(
        subject, facts=replace(subject.facts, account=replace(account, equity=Decimal(0)))
    )
    assert "█" * 20 in comment(report(judged(broke)))


def test_many_changes_of_rules_are_cut() -> None:
    many = RuleChanges(paths=tuple(f"executor/{n:04}.py" for n in range(400)))
    since = replace(SINCE, changes=many, has_more=True)
    text = comment(report(judged(at_request()), since=since))
    assert "- and older ones" in text
    assert "- and 202 more" in text
    unreadable = Scope(frozenset({PathKind.SETTINGS}), (), RuleChanges(unreadable=("x: @evil",)))
    text = comment(report(None, unreadable))
    assert "- the code on main cannot read the new settings: `x: @`" in text


def test_a_plan_of_nothing_holds_nothing() -> None:
    resume = plan(trading_state={"state": "ACTIVE", "reason": "calm"}).model_copy(
        update={"instructions": ()}
    )
    subject = replace(at_request(positions={}), plan=resume)
    text = comment(report(judged(subject)))
    assert "trading ACTIVE" in text
    assert text.count("nothing is held") == 2


def test_a_price_that_is_missing_is_told() -> None:
    text = comment(report(judged(at_request(line("BUY", "NVDA", quantity="1"), positions={}))))
    assert "(without NVDA: no price)" in text
    many = [line("BUY", f"ZZ{letter}", quantity="1") for letter in "ABCDEF"]
    text = comment(report(judged(at_request(*many, positions={}))))
    assert "(without ZZA, ZZB, ZZC, ZZD, ZZE and 1 more: no price)" in text


@given(TEXTS, TEXTS)
def test_nothing_that_others_write_is_anything_but_text(said: str, named: str) -> None:
    def told(*texts: str) -> Page:
        one, other = ((text.strip() and text[:100]) or "x" for text in texts)
        verdicts = (
            Verdict(check="document", answer=Answer.NO, observed=one, remedy=other),
            Verdict(check="session", answer=Answer.NOT_NOW, remedy=other),
            Verdict(check="price_collar", answer=Answer.YES, warning=one),
        )
        rules = RuleChanges((SettingChange(one, one, other),), paths=(other,))
        scope = replace(PLAIN, problems=(one,), rules=rules)
        since = RulesSince(NOW, (Commit("d" * 40, NOW, one),), changes=rules)
        strange = replace(judged(at_request()), verdicts=verdicts)
        return Page(comment(report(strange, scope, since=since)))

    plain, strange = told("x", "x"), told(said, named)
    assert strange.outside.split() == plain.outside.split()
    assert [tag for tag in strange.tags if tag != "code"] == [
        tag for tag in plain.tags if tag != "code"
    ]
