from __future__ import annotations

from executor.model.verdict import Answer, Verdict
from executor.reports.blocks import Line, plain_text
from executor.reports.verdicts import LINES_MAX, verdict_report

NO = Verdict(
    check="order_legal",
    answer=Answer.NO,
    pointer="/instructions/0/limit_price",
    observed="a limit order without a price",
    remedy="give `limit_price`",
)
LATER = Verdict(
    check="session",
    answer=Answer.NOT_NOW,
    observed="the market is closed",
    remedy="wait for the open",
)
WARNING = Verdict(check="sector_max", answer=Answer.YES, warning="off: named")
YES = Verdict(check="plan_fresh", answer=Answer.YES)
ELSEWHERE = Verdict(check="buying_power", answer=Answer.NOT_JUDGED_HERE)


def report(*verdicts: Verdict) -> list[str]:
    return plain_text(verdict_report("plan.json", verdicts, "needs the account")).splitlines()


def test_nothing_to_say_is_one_line() -> None:
    assert report(YES, YES) == ["valid: plan.json"]


def test_refusals_come_first_then_waits_then_warnings_then_the_rest() -> None:
    assert report(ELSEWHERE, WARNING, LATER, YES, NO) == [
        "refused: plan.json",
        "order_legal: instructions[0].limit_price: a limit order without a price;"
        " give `limit_price`",
        "not now: session: the market is closed; wait for the open",
        "warning: sector_max: off: named",
        "not judged here: buying_power (needs the account)",
    ]


def test_what_only_waits_is_not_refused() -> None:
    assert report(LATER)[0] == "valid, but not now: plan.json"


def test_each_line_has_its_tone() -> None:
    blocks = verdict_report("plan.json", (NO, LATER, WARNING, ELSEWHERE), "x")
    tones = [one.tone for one in blocks if isinstance(one, Line)]
    assert tones == ["bad", "bad", "waiting", "waiting", "faint"]
    (first,) = verdict_report("plan.json", (YES,), "x")
    assert isinstance(first, Line)
    assert first.tone == "good"


def test_very_many_lines_are_counted() -> None:
    lines = report(*[NO] * (LINES_MAX + 1_234))
    assert len(lines) == LINES_MAX + 2
    assert lines[-1] == "1,234 more; `--json` gives them all"
    assert len(report(*[NO] * LINES_MAX)) == LINES_MAX + 1


def test_a_verdict_is_one_line_whatever_it_quotes() -> None:
    verdict = NO.model_copy(update={"observed": "one\nvalid: everything"})
    assert len(report(verdict)) == 2
